/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The insides of struct discovery, for discovery.c (the port, the scans, what arrives) and
 * discovery_tell.c (what the supervisor is told). Nobody else includes this.
 */
#pragma once

#include "fabric/ibport.h"
#include "fabric/notice.h"
#include "fabric/subscribe.h"
#include "worker/discovery.h"

struct discovery {
	struct discovery_settings settings;
	struct scan *scan; /* while there was a use for it */
	struct ibport port;
	bool up;	 /* `port` can be used, and is */
	bool registered; /* with the administrator's class */
	int class_error; /* or why not */
	uint64_t look_usec;

	struct subscribe subscribe;
	struct mad_dest sa; /* where subscriptions go */
	bool redirected;    /* as it said itself */
	struct notices notices;
	int report_error; /* 0: Reports come to us */
	uint64_t foreign_reports;

	bool wanted, wanted_fresh;
	enum scan_reason wanted_reason, reason;
	uint64_t rescan_usec; /* when; USEC_INFINITY */
	uint64_t strange;     /* datagrams when the scan began */
	unsigned failures;    /* in a row */
	unsigned spread;      /* 0..255: a thousand ports do not scan in step */
	uint64_t ended_usec;  /* the last scan */

	struct offer *told; /* the last set */
	unsigned n_told;
	bool complete_told, any_told;
	uint64_t generation, revision, tell_usec; /* not before then */
};

/* Tells the set of offers, where it is not the one that was told last. */
void discovery_tell_offers(struct worker *w, uint64_t now);

/* A scan has ended; with --once, and the worker with it. */
void discovery_tell_scan(struct worker *w, struct scan_result *r);

/* There is nothing to be scanned, and whoever wants it once has to know. */
void discovery_tell_no_scan(struct worker *w);

/* What has become of the subscriptions. */
void discovery_tell_subscription(struct worker *w);

/* Whether the manager tells of all changes. */
bool discovery_has_notices(const struct discovery *d);

/* Datagrams that came here and belong to nothing. */
uint64_t discovery_count_strange(const struct worker *w);
