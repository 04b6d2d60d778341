/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The insides of struct scan, for scan.c (what is known, and the course of a scan) and
 * scan_traffic.c (requests and answers). Nobody else includes this.
 */
#pragma once

#include "fabric/census.h"
#include "fabric/scan.h"
#include "fabric/targets.h"

struct scan {
	struct scan_config config;
	bool has_port;
	struct ibport port;
	struct mad_dest sa;
	uint64_t sa_heard_usec; /* its last answer */
	bool sa_silent;		/* it is not worth asking more */

	struct census *census;
	struct targets targets;
	unsigned asking;     /* targets between their begin and end */
	uint64_t retry_usec; /* the earliest of theirs, or before it */

	bool running, fresh, verified;
	uint64_t number; /* of scans of all */
	uint64_t started_usec;
	unsigned dropped; /* targets */
	struct scan_counts before;
	bool listed; /* the last scan's census was complete */
	bool ended;
	struct scan_result result;

	uint64_t revision;
	uint64_t malformed, late;
	struct flights flights;
};

/* It may have something to ask. */
void scan_queue_target(struct scan *s, struct target *t);
void scan_ask_target(struct scan *s, struct target *t, enum target_effort effort, uint64_t now);

/* After anything that may have ended its asking; the target may be gone after this. */
void scan_settle_target(struct scan *s, struct target *t, uint64_t now);

/* What the census found becomes targets. */
void scan_take_findings(struct scan *s, uint64_t now);

/* After anything that may have ended the scan. */
void scan_check_end(struct scan *s, uint64_t now);
