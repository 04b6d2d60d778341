/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int root_open(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

ssize_t root_read(int root_fd, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size);
	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -E2BIG;
	while (n > 0 && strchr(" \n\t", buf[n - 1]))
		n--;
	buf[n] = '\0';
	return n;
}

int root_write(int root_fd, const char *path, const char *value)
{
	_cleanup_close_ int fd = openat(root_fd, path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, value, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static int format_path(char path[static PATH_MAX], const char *fmt, va_list ap)
{
	int len = vsnprintf(path, PATH_MAX, fmt, ap);

	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

ssize_t root_readf(int root_fd, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = format_path(path, fmt, ap);
	va_end(ap);
	return r < 0 ? r : root_read(root_fd, path, buf, size);
}

int root_writef(int root_fd, const char *value, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = format_path(path, fmt, ap);
	va_end(ap);
	return r < 0 ? r : root_write(root_fd, path, value);
}

static void free_entries(struct dirent **list, int n)
{
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static int not_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

int root_each(int root_fd, const char *path, unsigned max,
	      int (*fn)(const char *name, void *userdata), void *userdata)
{
	struct dirent **list;
	int n = scandirat(root_fd, path, &list, not_dots, alphasort);
	int r = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n && (unsigned)i < max && r == 0; i++)
		r = fn(list[i]->d_name, userdata);
	free_entries(list, n);
	return r;
}
