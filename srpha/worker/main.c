/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * srpha-worker: one HCA port, for a supervisor that started it and listens on descriptor 3. Opens
 * what needs root, drops it, and works until the supervisor or the port is gone.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/root.h"
#include "wire/messages.h"
#include "worker/worker.h"

/* "nobody" and "nogroup" of every distribution; the kernel's overflow ids. */
#define NOBODY 65534

struct options {
	const char *port;
	const char *root;
	bool keep_root, once;
	int log_level;
};

static void usage(FILE *f)
{
	fputs("Usage: srpha-worker --port HCA:PORT [--root DIR] [--keep-root] [--once] [--debug]\n"
	      "Started by srpha, with a SOCK_SEQPACKET connection to it as descriptor 3; with\n"
	      "--once by srphactl, to scan an InfiniBand fabric and end.\n",
	      f);
}

static int parse_arguments(int argc, char **argv, struct options *ret)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "root", required_argument, NULL, 'r' },
		{ "keep-root", no_argument, NULL, 'k' },
		{ "debug", no_argument, NULL, 'd' },
		{ "once", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*ret = (struct options){ .root = "/", .log_level = LOG_INFO };
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (c) {
		case 'p':
			ret->port = optarg;
			break;
		case 'r':
			ret->root = optarg;
			break;
		case 'k':
			ret->keep_root = true;
			break;
		case 'o':
			ret->once = true;
			break;
		case 'd':
			ret->log_level = LOG_DEBUG;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return -EINVAL;
		}
	return ret->port && optind == argc ? 0 : -EINVAL;
}

/* Ends with the supervisor, also where that died before we asked for it. */
static int follow_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

/*
 * The disks this worker watches may hold its own pages: nothing of it may have to be read back
 * while they do not answer. And it must be run when the host is busy, or it takes its own lateness
 * for a target's silence. Both are wishes.
 */
static void stay_awake(void)
{
	struct sched_param lowest = { .sched_priority = 1 };
#ifndef __SANITIZE_ADDRESS__ /* its shadow would be locked as well */
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		log_debug("memory is not locked: %s", strerror(errno));
#endif
	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) < 0 &&
	    setpriority(PRIO_PROCESS, 0, -10) < 0)
		log_debug("no priority for the worker: %s", strerror(errno));
}

static int drop_privileges(void)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0)) /* and with it every capability */
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int main(int argc, char **argv)
{
	_cleanup_(worker_freep) struct worker *w = NULL;
	_cleanup_close_ int root_fd = -EBADF;
	struct options o;
	pid_t parent = getppid();
	int r;

	if (parse_arguments(argc, argv, &o) < 0) {
		usage(stderr);
		return 2;
	}
	log_open("srpha-worker", o.log_level);
	signal(SIGPIPE, SIG_IGN);
	root_fd = root_open(o.root);
	if (root_fd < 0) {
		log_error("%s: cannot open %s: %s", o.port, o.root, strerror(-root_fd));
		return 1;
	}
	r = worker_new(o.port, root_fd, CHILD_SOCKET_FD, o.once, &w);
	if (r == -ENODEV)
		return 0; /* and the supervisor knows */
	if (r < 0) {
		log_error("%s: cannot start: %s", o.port, strerror(-r));
		return 1;
	}
	stay_awake();
	r = o.keep_root ? 0 : drop_privileges();
	if (r < 0) {
		log_error("%s: cannot drop privileges: %s; not running with them", o.port,
			  strerror(-r));
		return 1;
	}
	/* After the change of user, which clears it. */
	r = follow_parent(parent);
	if (r < 0) {
		log_error("%s: the supervisor is gone", o.port);
		return 1;
	}
	r = worker_run(w);
	return r < 0 ? 1 : 0;
}
