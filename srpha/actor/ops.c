/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations as the kernel offers them. */
#include "actor/actor.h"

#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>

#include "actor/pin.h"
#include "actor/reap.h"
#include "base/parse.h"
#include "base/root.h"
#include "observe/dm.h"
#include "observe/multipathd.h"

/*
 * The kernel's own limit for TEST UNIT READY. Long on purpose: when it passes, the SCSI error
 * handler takes the whole session apart. What bounds us is the alarm, which ends only our wait.
 */
#define TEST_READY_MSEC 30000

/* A signal can tell nobody but a global. */
static volatile sig_atomic_t terminated;

static void on_alarm(int sig)
{
}

static void on_term(int sig)
{
	terminated = 1;
}

int actor_signals_setup(void)
{
	struct sigaction alrm = { .sa_handler = on_alarm };
	struct sigaction term = { .sa_handler = on_term };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t none;

	/* The mask is inherited: a supervisor that takes signals through a descriptor blocks them. */
	sigemptyset(&none);
	if (sigaction(SIGALRM, &alrm, NULL) < 0 || sigaction(SIGTERM, &term, NULL) < 0 ||
	    sigaction(SIGPIPE, &ignore, NULL) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return -errno;
	return 0;
}

static uint64_t kernel_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static void kernel_sleep(uint64_t usec)
{
	struct timespec ts = {
		.tv_sec = (time_t)(usec / USEC_PER_SEC),
		.tv_nsec = (long)(usec % USEC_PER_SEC) * 1000,
	};

	(void)nanosleep(&ts, NULL);
}

static struct timeval to_timeval(uint64_t usec)
{
	return (struct timeval){
		.tv_sec = (time_t)(usec / USEC_PER_SEC),
		.tv_usec = (suseconds_t)(usec % USEC_PER_SEC),
	};
}

static void kernel_alarm(uint64_t first_usec, uint64_t every_usec)
{
	struct itimerval timer = {
		.it_value = to_timeval(first_usec),
		.it_interval = to_timeval(every_usec),
	};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static bool kernel_stopped(void)
{
	return terminated;
}

static int kernel_sg_open(const char *sg)
{
	char path[64];
	int fd;

	if (snprintf(path, sizeof(path), "/dev/%s", sg) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	/* Non-blocking: otherwise the open waits for error recovery and refuses offline devices,
	 * and so does the reset (drivers/scsi/sg.c, sg_open(), sg_ioctl_common()). */
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int kernel_sg_reset(int fd)
{
	int scope = SG_SCSI_RESET_HOST;

	return ioctl(fd, SG_SCSI_RESET, &scope) < 0 ? -errno : 0;
}

static int kernel_sg_test_ready(int fd, struct lun_answer *ret)
{
	uint8_t cdb[6] = { 0 };
	struct lun_answer answer = { 0 };
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_NONE,
		.cmd_len = sizeof(cdb),
		.cmdp = cdb,
		.mx_sb_len = sizeof(answer.sense),
		.sbp = answer.sense,
		.timeout = TEST_READY_MSEC,
	};

	if (ioctl(fd, SG_IO, &io) < 0)
		return -errno;
	answer.status = io.status;
	answer.host_status = io.host_status;
	answer.sense_len = io.sb_len_wr;
	*ret = answer;
	return 0;
}

const struct actor_ops actor_kernel_ops = {
	.now = kernel_now,
	.sleep = kernel_sleep,
	.alarm = kernel_alarm,
	.stopped = kernel_stopped,
	.attr_write = root_write,
	.dm_fail_path = dm_fail_path,
	.dm_reinstate_path = dm_reinstate_path,
	.multipathd_reinstate = multipathd_reinstate,
	.sg_open = kernel_sg_open,
	.sg_reset = kernel_sg_reset,
	.reap_sends = reap_sends,
	.pin_neighbour = pin_neighbour,
	.sg_test_ready = kernel_sg_test_ready,
};
