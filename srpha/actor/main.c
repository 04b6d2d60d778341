/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * srpha-actor: started ahead of need by the supervisor, warmed, then waiting on its socket for one
 * request (wire/messages.h). A failover must not pay for a cold start.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "actor/actor.h"
#include "base/log.h"
#include "base/root.h"
#include "observe/dm.h"
#include "wire/channel.h"
#include "wire/messages.h"

/* Bytes of the heap touched ahead: a request of some hundred LUNs. */
#define HEAP_WARM (256 * 1024)

/*
 * What a first request would otherwise pay for: the version check of device-mapper, pages of the
 * heap, code that was never run. That there is no device-mapper is found out again when needed.
 */
static void warm(int root_fd)
{
	static const char text[] = "{\"msg\":\"\",\"maps\":[{\"paths\":[\"8:16\"]}]}";
	_cleanup_json_ struct json_object *o = NULL;
	struct hca_ports ports;
	void *heap = malloc(HEAP_WARM);

	if (heap)
		memset(heap, 0xff, HEAP_WARM);
	free(heap);
	(void)dm_warm();
	(void)hca_ports_read(root_fd, &ports);
	if (json_parse_object(text, strlen(text), &o) == 0)
		(void)json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, NULL);
}

/*
 * Before the I/O threads that are about to be stuck, as multipathd does; and in memory as a whole:
 * what is read from a disk later might be read over the very path that failed. Each is a help that
 * a unit's restrictions may deny.
 */
static void come_first(void)
{
	const struct sched_param lowest = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_RR, &lowest) < 0)
		(void)setpriority(PRIO_PROCESS, 0, -20);
	(void)mlockall(MCL_CURRENT | MCL_FUTURE);
}

/* The only thing it may be told: where sys/ is, in a test. */
static const char *parse_root(int argc, char **argv)
{
	if (argc == 1)
		return "/";
	return argc == 3 && strcmp(argv[1], "--root") == 0 ? argv[2] : NULL;
}

int main(int argc, char **argv)
{
	const char *root = parse_root(argc, argv);

	_cleanup_close_ int root_fd = -EBADF;
	struct actor a = { .ops = &actor_kernel_ops };
	int r;

	if (!root) {
		fputs("Usage: srpha-actor [--root DIR]; started by srpha\n", stderr);
		return 2;
	}
	log_open("srpha-actor", LOG_INFO);
	/* A supervisor that died before this line is an end of file on the socket. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || (r = actor_signals_setup()) < 0) {
		log_error("cannot set signals up: %m; the action is not started");
		return EXIT_FAILURE;
	}
	root_fd = root_open(root);
	if (root_fd < 0) {
		log_error("cannot open %s: %s; the action is not started", root,
			  strerror(-root_fd));
		return EXIT_FAILURE;
	}
	a.root_fd = root_fd;
	come_first();
	warm(root_fd);
	r = actor_serve(&a, CHILD_SOCKET_FD);
	if (r < 0) {
		log_error("no use of the supervisor's socket: %s; ending", strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
