/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * srp_daemon reads two places of sysfs by fixed paths, whatever SYSFS_PATH says: the SCSI hosts, to
 * tell what is connected, and the parameters of ib_srp. This library comes before the C library in
 * its search order; so it answers open and opendir of these two from the host's own tree.
 */
/* Both names of open are made here, so neither may stand for the other. */
#undef _FILE_OFFSET_BITS
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "channel.h"

#define PATH_SIZE 512

static const char *redirect(const char *path, char buffer[static PATH_SIZE])
{
	const char *host = host_directory();

	if (!host || !path ||
	    (strncmp(path, "/sys/class/scsi_host", 20) != 0 &&
	     strncmp(path, "/sys/module/ib_srp", 18) != 0))
		return path;
	if (snprintf(buffer, PATH_SIZE, "%s%s", host, path) >= PATH_SIZE)
		return path;
	return buffer;
}

static int open_at(const char *path, int flags, mode_t mode)
{
	char buffer[PATH_SIZE];

	return openat(AT_FDCWD, redirect(path, buffer), flags, mode);
}

__attribute__((visibility("default"))) int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	return open_at(path, flags, mode);
}

__attribute__((visibility("default"))) int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	return open_at(path, flags | O_LARGEFILE, mode);
}

__attribute__((visibility("default"))) DIR *opendir(const char *path)
{
	int fd = open_at(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}
