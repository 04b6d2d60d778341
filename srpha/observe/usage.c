/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/root.h"

#define PARTITIONS_MAX 256
#define HOLDERS_MAX 1

struct usage {
	int root_fd;
	const char *disk;
	char devnos[PARTITIONS_MAX + 1][16]; /* the disk and its partitions */
	unsigned n;
	bool held;
};

static int found(const char *name, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

static void look_at(struct usage *u, const char *dir)
{
	char path[256];

	if (u->n < ARRAY_SIZE(u->devnos) &&
	    root_readf(u->root_fd, u->devnos[u->n], sizeof(u->devnos[0]), "%s/dev", dir) > 0)
		u->n++;
	snprintf(path, sizeof(path), "%s/holders", dir);
	if (root_each(u->root_fd, path, HOLDERS_MAX, found, &u->held) < 0)
		u->held = true;
}

/* Partitions are the subdirectories whose names begin with the disk's. */
static int partition(const char *name, void *userdata)
{
	struct usage *u = userdata;
	char dir[192];

	if (strncmp(name, u->disk, strlen(u->disk)) != 0)
		return 0;
	if (snprintf(dir, sizeof(dir), "sys/block/%s/%s", u->disk, name) < (int)sizeof(dir))
		look_at(u, dir);
	return 0;
}

/* proc_pid_mountinfo(5): the third field is the device as major:minor. */
static bool mounted(const struct usage *u)
{
	_cleanup_close_ int fd = openat(u->root_fd, "proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	char devno[16];

	if (!f)
		return true;
	fd = -EBADF;
	while (getline(&line, &size, f) >= 0) {
		if (sscanf(line, "%*u %*u %15s", devno) != 1)
			continue;
		for (unsigned i = 0; i < u->n; i++)
			if (strcmp(devno, u->devnos[i]) == 0)
				return true;
	}
	return false;
}

bool disk_in_use(int root_fd, const char *disk, const char *devno)
{
	struct usage u = { .root_fd = root_fd, .disk = disk };
	char dir[128];

	if (snprintf(dir, sizeof(dir), "sys/block/%s", disk) >= (int)sizeof(dir))
		return true;
	snprintf(u.devnos[u.n++], sizeof(u.devnos[0]), "%s", devno);
	look_at(&u, dir);
	if (root_each(root_fd, dir, 4096, partition, &u) < 0)
		return true;
	return u.held || mounted(&u);
}
