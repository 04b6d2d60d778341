/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor/reap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/root.h"

#define WAIT_STEP_NSEC 1000000L
#define WAIT_STEPS 10
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

/* cpu_list is "0, 2, 4": the first will do. */
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

static void start_command(int fd)
{
	static uint8_t cdb[6], sense[32];
	const struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_NONE,
		.cmd_len = sizeof(cdb),
		.cmdp = cdb,
		.mx_sb_len = sizeof(sense),
		.sbp = sense,
		.timeout = COMMAND_MSEC,
	};
	ssize_t n = write(fd, &io, sizeof(io));

	(void)n; /* whoever refuses it has nothing to send on either */
}

static void start_on_each(int fd, const struct queues *q)
{
	for (unsigned i = 0; i < q->n; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(q->cpus[i], &set);
		if (sched_setaffinity(0, sizeof(set), &set) == 0)
			start_command(fd);
	}
	if (q->n == 0)
		start_command(fd);
}

int reap_sends(int root_fd, const char *sg)
{
	struct queues q = { .root_fd = root_fd };
	const struct timespec step = { .tv_nsec = WAIT_STEP_NSEC };
	_cleanup_close_ int fd = -EBADF;
	char path[160];
	pid_t pid;

	snprintf(path, sizeof(path), "dev/%s", sg);
	fd = openat(root_fd, path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "sys/class/scsi_generic/%s/device/block", sg);
	(void)root_each(root_fd, path, 1, take_disk, &q);
	snprintf(path, sizeof(path), "sys/block/%s/mq", q.disk);
	if (q.disk[0])
		(void)root_each(root_fd, path, QUEUES_MAX, take_queue, &q);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		start_on_each(fd, &q);
		_exit(0);
	}
	for (unsigned i = 0; i < WAIT_STEPS; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return 0;
		(void)nanosleep(&step, NULL);
	}
	return -ETIMEDOUT;
}
