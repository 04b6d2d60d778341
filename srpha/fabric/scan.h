/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scan of one HCA port's fabric: which SRP services are offered at which target ports. It joins
 * the census (who is there), the targets (what each offers) and the flights (how many requests at
 * once), keeps the last good answers, and makes offers of them. Pure: time and transport are its
 * caller's, which sends what scan_next() hands out and brings back what arrives; nothing blocks.
 * Called by the worker's discovery.
 *
 *   scan_start() ─► census ──each──► target: PathRecords ─► IOUnitInfo ─► profiles ─► services
 *                      │                                                                  │
 *                      └── all of them asked ─► those that it does not list any more ─────┴─► ended
 *
 * A question about a single port (a notice) and the repeated question to a silent one go the same
 * way beside it. All are bounded: flights, end ports, offers; more are counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fabric/flight.h"
#include "fabric/ibport.h"
#include "fabric/target.h"
#include "model/offer.h"

#define SCAN_OFFERS_MAX 8192

struct scan_config {
	struct flight_config flight;
	unsigned per_peer; /* 1.. requests at once to one target port */
	uint64_t ageing_usec;
};

struct scan_request {
	uint32_t handle; /* comes back with the answer */
	struct mad_dest to;
	const uint8_t *mad; /* MAD_SIZE bytes, valid until the next call */
	unsigned timeout_ms;
};

struct scan_counts {
	uint64_t sent, timeouts; /* datagrams; requests that were given up */
	uint64_t malformed;	 /* replies and records that do not decode */
	uint64_t late;		 /* replies to what was answered or given up */
};

/* How a scan of all has ended. */
struct scan_result {
	bool complete; /* what is not offered is not there */
	bool listed;   /* the administrator told of all its ports */
	char why[160]; /* where it is not: words for the administrator */
	uint64_t elapsed_usec;
	unsigned nodes;		   /* end ports that the administrator listed */
	unsigned targets;	   /* of them with Device Management */
	unsigned silent;	   /* of these without an answer */
	unsigned dropped;	   /* ports and offers beyond the bounds */
	struct scan_counts counts; /* of this scan alone */
};

struct scan;

struct scan *scan_new(const struct scan_config *config);
void scan_free(struct scan *s);
DEFINE_CLEANUP(struct scan *, scan_free);

void scan_configure(struct scan *s, const struct scan_config *config);

/*
 * The local port as it is now, at first and on every change; NULL while it cannot be used (not
 * active, no LID, no administrator). What is under way is dropped; what is known stays, and the caller starts
 * a scan. No effect when nothing has changed and `again` is false. 0 or -ENOMEM.
 */
int scan_set_port(struct scan *s, const struct ibport *port, bool again);

/* A scan of all; `fresh`: believe nothing. False when there is no port, or one is under way. */
bool scan_start(struct scan *s, bool fresh, uint64_t now);
bool scan_running(const struct scan *s);

/*
 * Asks for a single port anew: by LID, or by GID where it is 0. 0, -EBUSY when there are too many
 * (scan all then), -ENOTCONN without a port, -ENOMEM.
 */
int scan_inquire(struct scan *s, uint16_t lid, const uint8_t gid[static 16]);

/*
 * A port says what it can now (trap 144). Without Device Management its offers end; with it, it is
 * asked for as by scan_inquire(), whatever the administrator has seen of it yet.
 */
int scan_inquire_capable(struct scan *s, uint16_t lid, uint32_t cap_mask, uint64_t now);

/* The next request to be sent now, or false. */
bool scan_next(struct scan *s, uint64_t now, struct scan_request *ret);

/* A reply from `lid` to the request with that handle, sent at `sent_usec`. */
void scan_reply(struct scan *s, uint32_t handle, uint16_t lid, uint64_t sent_usec,
		const uint8_t *mad, size_t len, uint64_t now);

/* What is due: repeats become ready for scan_next(), what was silent is given up. */
void scan_tick(struct scan *s, uint64_t now);

/* When scan_tick() and scan_next() are wanted; USEC_INFINITY: when something happens. */
uint64_t scan_due(const struct scan *s);

/* Once after each scan that ended. */
bool scan_ended(struct scan *s, struct scan_result *ret);

/* Changes with whatever may have changed an offer; nothing is under way that soon will again. */
uint64_t scan_revision(const struct scan *s);
bool scan_settled(const struct scan *s);

/*
 * All offers, in the order of offer_compare(): the caller frees them. Their number or -ENOMEM.
 * complete: as in the result of the last scan, and of now.
 */
int scan_offers(const struct scan *s, uint64_t now, struct offer **ret, bool *ret_complete);

/* How to reach a target port over a P_Key: false where the scan does not know. */
bool scan_route(const struct scan *s, const uint8_t gid[static 16], uint16_t pkey,
		struct mad_dest *ret);
