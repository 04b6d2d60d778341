/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor/reap.h"

#include <errno.h>
#include <sched.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/root.h"

#define QUEUES_MAX 128

/* The reset ends it long before. */
#define COMMAND_MSEC 30000

struct queues {
	int root_fd;
	char disk[32];
	unsigned cpus[QUEUES_MAX]; /* one CPU of each hardware queue */
	unsigned n;
};

static int take_disk(const char *name, void *userdata)
{
	struct queues *q = userdata;

	if (strlen(name) < sizeof(q->disk))
		strcpy(q->disk, name);
	return 1;
}

/* cpu_list is "0, 2, 4": the first will do. A queue without a CPU never sends. */
static int take_queue(const char *name, void *userdata)
{
	struct queues *q = userdata;
	char text[4096];

	if (root_readf(q->root_fd, text, sizeof(text), "sys/block/%s/mq/%s/cpu_list", q->disk,
		       name) > 0 &&
	    sscanf(text, "%u", &q->cpus[q->n]) == 1)
		q->n++;
	return q->n == QUEUES_MAX;
}

static int start_command(int fd)
{
	uint8_t cdb[6] = { 0 }, sense[32];
	const struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_NONE,
		.cmd_len = sizeof(cdb),
		.cmdp = cdb,
		.mx_sb_len = sizeof(sense),
		.sbp = sense,
		.timeout = COMMAND_MSEC,
	};

	/* Its answer is never read: closing the node lets go of it. */
	return write(fd, &io, sizeof(io)) < 0 ? -errno : 0;
}

static int attribute(int root_fd, unsigned host, const char *name, uint64_t *ret)
{
	char text[32];

	if (root_readf(root_fd, text, sizeof(text), "sys/class/scsi_host/host%u/%s", host, name) <
	    0)
		return -ENOENT;
	return parse_u64(text, 0, UINT32_MAX, ret);
}

static int tags_free(int root_fd, const char *sg)
{
	uint64_t busy, room;
	char link[512];
	ssize_t n;
	unsigned host;
	char path[96], *at;

	snprintf(path, sizeof(path), "sys/class/scsi_generic/%s/device", sg);
	n = readlinkat(root_fd, path, link, sizeof(link) - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';
	/* ".../3:0:0:1": the host is its first number. */
	at = strrchr(link, '/');
	if (!at || sscanf(at + 1, "%u:", &host) != 1)
		return -ENODEV;
	if (attribute(root_fd, host, "host_busy", &busy) < 0 ||
	    attribute(root_fd, host, "can_queue", &room) < 0)
		return -ENODEV;
	return busy < room - room / 4 ? 0 : -EBUSY;
}

int reap_sends(int root_fd, const char *sg, int fd)
{
	struct queues q = { .root_fd = root_fd };
	cpu_set_t before;
	char path[96];
	int r = tags_free(root_fd, sg);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "sys/class/scsi_generic/%s/device/block", sg);
	(void)root_each(root_fd, path, 1, take_disk, &q);
	snprintf(path, sizeof(path), "sys/block/%s/mq", q.disk);
	if (q.disk[0])
		(void)root_each(root_fd, path, QUEUES_MAX, take_queue, &q);
	if (q.n <= 1 || sched_getaffinity(0, sizeof(before), &before) < 0)
		return start_command(fd);
	for (unsigned i = 0; i < q.n; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(q.cpus[i], &set);
		if (sched_setaffinity(0, sizeof(set), &set) == 0)
			r = start_command(fd);
	}
	(void)sched_setaffinity(0, sizeof(before), &before);
	return r;
}
