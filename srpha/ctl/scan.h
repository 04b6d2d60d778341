/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scan without the daemon: starts one worker for each InfiniBand port, all at once, has each scan
 * once, and collects what they found. Used by `srphactl discover` where no daemon runs. Prints
 * nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "wire/offer.h"

/* Longest scan of a port; a worker that is not done by then is killed. */
#define SCAN_TIMEOUT_USEC (60 * UINT64_C(1000000))

struct scan_port {
	char name[72];
	char state[16];	     /* "ACTIVE"; empty: unknown */
	char link_layer[16]; /* "InfiniBand", "Ethernet" */
	bool scanned;	     /* a scan came to its end */
	char why[256];	     /* why there is no answer, or not all of it; empty: complete */
	struct offers_inbox inbox;
	struct offer *offers;
	unsigned n_offers;

	/* While it runs. */
	int fd;
	int pid; /* 0: none */
	bool ended;
};

struct scan_request {
	const char *program_dir;
	const char *root;   /* "/" */
	const char *globs;  /* ports, as in [discovery] ports */
	const char *chosen; /* and by the command line, the same form; NULL: all */
	const struct config_discovery *discovery;
};

struct scan_result {
	struct scan_port *ports;
	unsigned n;
};

/* 0 with *ret (a port that failed says why), or negative errno where nothing could be begun. */
int scan_run(const struct scan_request *rq, uint64_t timeout_usec, struct scan_result *ret);
void scan_result_clear(struct scan_result *r);
