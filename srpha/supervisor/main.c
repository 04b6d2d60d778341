/* SPDX-License-Identifier: GPL-2.0-or-later */
/* srpha: the supervisor. See srpha(8). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "supervisor/manager.h"

#define RUNTIME_DIR "/run/srpha"

struct options {
	struct manager_setup setup;
	int log_level;
};

static void usage(void)
{
	printf("Usage: srpha [OPTION]...\n"
	       "The SRP multipath supervisor; systemd starts it (systemctl enable --now srpha).\n\n"
	       "  -c, --config=FILE       configuration (default " SRPHA_CONFIG ")\n"
	       "      --program-dir=DIR   where srpha-worker and srpha-actor are\n"
	       "      --runtime-dir=DIR   registry and control socket (default " RUNTIME_DIR ")\n"
	       "      --root=DIR          where sys/ is, for tests (default /)\n"
	       "  -v, --verbose           log more\n"
	       "  -h, --help              this text\n"
	       "      --version           the version\n\n"
	       "See srpha(8), srphactl(8), srpha.conf(5).\n");
}

/* 0: go on, 1: done, -EINVAL. */
static int parse_options(int argc, char **argv, struct options *o)
{
	enum { OPT_PROGRAM_DIR = 256, OPT_RUNTIME_DIR, OPT_ROOT, OPT_VERSION };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "program-dir", required_argument, NULL, OPT_PROGRAM_DIR },
		{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, OPT_VERSION },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:vh", options, NULL)) >= 0)
		switch (c) {
		case 'c':
			o->setup.config = optarg;
			break;
		case OPT_PROGRAM_DIR:
			o->setup.program_dir = optarg;
			break;
		case OPT_RUNTIME_DIR:
			o->setup.runtime_dir = optarg;
			break;
		case OPT_ROOT:
			o->setup.root = optarg;
			break;
		case 'v':
			o->log_level = LOG_DEBUG;
			break;
		case 'h':
			usage();
			return 1;
		case OPT_VERSION:
			printf("srpha %s\n", SRPHA_VERSION);
			return 1;
		default:
			return -EINVAL;
		}
	if (optind < argc) {
		fprintf(stderr, "srpha: unexpected argument \"%s\"; see srpha --help\n",
			argv[optind]);
		return -EINVAL;
	}
	return 0;
}

static int run(const struct options *o)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	_cleanup_(manager_freep) struct manager *m = NULL;
	sigset_t mask;
	int r;

	/* sd-event takes them from a signalfd and a pidfd; children start with a clean mask. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	/* What is read from a disk later might be read over the very path that failed. */
	(void)mlockall(MCL_CURRENT | MCL_FUTURE);
	r = sd_event_new(&event);
	if (r < 0)
		return r;
	r = manager_new(event, &o->setup, &m);
	if (r < 0)
		return r;
	r = manager_start(m);
	if (r < 0)
		return r;
	(void)sd_notify(0, "READY=1");
	log_info("srpha %s started", SRPHA_VERSION);
	return sd_event_loop(event);
}

int main(int argc, char **argv)
{
	struct options o = {
		.setup = { .config = SRPHA_CONFIG,
			   .program_dir = SRPHA_PROGRAM_DIR,
			   .runtime_dir = RUNTIME_DIR,
			   .root = "/" },
		.log_level = LOG_INFO,
	};
	int r = parse_options(argc, argv, &o);

	if (r != 0)
		return r < 0 ? 2 : 0;
	log_open("srpha", o.log_level);
	r = run(&o);
	if (r < 0)
		log_error("cannot run: %s", strerror(-r));
	return r < 0 ? 1 : 0;
}
