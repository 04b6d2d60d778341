/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fabric-sim TOPOLOGY DIRECTORY: runs until told to stop, by the control socket or a signal. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "carry.h"
#include "control.h"
#include "dm.h"
#include "fabric.h"
#include "history.h"
#include "host.h"
#include "kernel.h"
#include "topology.h"

struct stopper {
	struct io io; /* first */
	struct loop *loop;
};

static void on_signal(struct io *io, uint32_t events)
{
	loop_stop(((struct stopper *)io)->loop);
}

static int fabric_start(struct fabric *f, const char *topology)
{
	int r = loop_new(&f->loop);

	if (r == 0)
		r = history_new(&f->history);
	if (r == 0)
		r = kernel_init(f);
	if (r == 0)
		r = topology_load(f, topology);
	for (unsigned i = 0; r == 0 && i < f->n_hosts; i++)
		r = host_publish(f->hosts[i]);
	if (r == 0)
		r = control_new(f);
	return r;
}

static void fabric_free(struct fabric *f)
{
	control_free(f);
	for (unsigned i = 0; i < f->n_hosts; i++)
		host_free(f->hosts[i]);
	if (f->loop)
		carry_end(f);
	for (unsigned i = 0; i < f->n_nodes; i++) {
		iou_free(f->nodes[i]->iou);
		node_free(f->nodes[i]);
	}
	for (unsigned i = 0; i < f->n_partitions; i++)
		free(f->partitions[i]);
	free(f->partitions);
	free(f->faults);
	free(f->hosts);
	free(f->nodes);
	kernel_free(f);
	history_free(f->history);
	loop_free(f->loop);
}

static int fabric_run(struct fabric *f)
{
	struct stopper stop = { .loop = f->loop };
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	stop.io = (struct io){ .fd = signalfd(-1, &set, SFD_CLOEXEC), .on_io = on_signal };
	r = loop_add(f->loop, &stop.io, EPOLLIN);
	if (r == 0) {
		puts("ready");
		fflush(stdout);
		r = loop_run(f->loop);
		close(stop.io.fd);
	}
	return r;
}

int main(int argc, char *argv[])
{
	struct rlimit files = { .rlim_cur = 4096 };
	struct fabric f = {
		.rng = UINT64_C(0x9e3779b97f4a7c15),
		.next_guid = UINT64_C(0x5254000000000000),
		.next_client_id = 1,
	};
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: fabric-sim TOPOLOGY DIRECTORY\n");
		return 2;
	}
	/* Whoever started it may be killed; it must not stay behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	f.directory = argv[2];
	r = fabric_start(&f, argv[1]);
	if (r == 0)
		r = fabric_run(&f);
	if (r < 0)
		fprintf(stderr, "fabric-sim: %s\n", strerror(-r));
	fabric_free(&f);
	return r < 0;
}
