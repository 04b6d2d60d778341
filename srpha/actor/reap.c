/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/root.h"

#define QUEUES_MAX 128

/* The reset ends it long before. */
#define COMMAND_MSEC 30000

/* A start takes some 0.1 ms, or waits for a tag for as long as I/O is stuck. */
#define START_MSEC 150

/* Commands in flight on a LUN. */
#define BUSY_FEW 4

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

static int start_on_each(int root_fd, const char *sg, int fd)
{
	struct queues q = { .root_fd = root_fd };
	cpu_set_t before;
	char path[96];
	int r = 0;

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

static int attribute(int root_fd, const char *sg, const char *name, uint64_t *ret)
{
	char text[32];

	if (root_readf(root_fd, text, sizeof(text), "sys/class/scsi_generic/%s/device/%s", sg,
		       name) < 0)
		return -ENOENT;
	return parse_u64(text, 0, UINT32_MAX, ret);
}

/*
 * Whether a tag is to be had for sure. A LUN gets a share of its host's tags, but always some four
 * (block/blk-mq.h, hctx_may_queue()), and where little is in flight nothing holds tags back either.
 */
static bool tag_certain(int root_fd, const char *sg)
{
	uint64_t busy, depth;

	return attribute(root_fd, sg, "device_busy", &busy) == 0 && busy < BUSY_FEW &&
	       attribute(root_fd, sg, "queue_depth", &depth) == 0 && depth > 2 * BUSY_FEW;
}

/* A child of ours may wait for its tag; we do not. */
static int start_by_child(int root_fd, const char *sg, int fd)
{
	_cleanup_close_ int ended = -EBADF;
	struct pollfd p = { .events = POLLIN };
	int ends[2], r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ended = ends[0];
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(ends[1]);
		return r;
	}
	if (pid == 0) {
		(void)start_on_each(root_fd, sg, fd);
		_exit(0);
	}
	close(ends[1]);
	/* Its exit closes the last writing end. */
	p.fd = ended;
	r = poll(&p, 1, START_MSEC);
	if (r > 0)
		(void)waitpid(pid, NULL, 0);
	return r > 0 ? 0 : -EBUSY;
}

int reap_sends(int root_fd, const char *sg, int fd)
{
	return tag_certain(root_fd, sg) ? start_on_each(root_fd, sg, fd)
					: start_by_child(root_fd, sg, fd);
}
