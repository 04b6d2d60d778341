/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The round trip of a portal, and how long to wait for an answer. Pure arithmetic in microseconds;
 * one estimator a portal, fed by its probe. It follows RFC 6298 (smoothed round trip and mean
 * deviation), with two differences that a probe every 100 ms makes possible. Nothing is doubled
 * after a loss: every probe has a transaction number of its own, and a late answer is a valid
 * sample. And no longest round trip is remembered: on a busy target the management agent stands
 * still for half a second now and then while I/O flows (seen in the lab: 632 ms, 28 ms on average).
 * A timeout above that would be blind; it is for whoever judges the silence to see the I/O.
 */
#pragma once

#include <stdint.h>

/*
 * Not more than the second, however slow the agent: under load it may take hundreds of milliseconds
 * while I/O flows, and I/O that completes outweighs any silence of it. An answer that is late still
 * ends a suspicion.
 */
#define RTT_TIMEOUT_MIN_USEC UINT64_C(50000)
#define RTT_TIMEOUT_MAX_USEC UINT64_C(160000)

/* However much the round trip varies: more than this only for one that is slow on average. */
#define RTT_TIMEOUT_JITTER_USEC UINT64_C(120000)

/* Before the first sample; and the floor until there are RTT_WARM_SAMPLES of them. */
#define RTT_TIMEOUT_START_USEC UINT64_C(500000)
#define RTT_TIMEOUT_WARM_USEC UINT64_C(150000)
#define RTT_WARM_SAMPLES 16

struct rtt {
	uint64_t srtt_usec;
	uint64_t rttvar_usec;
	uint64_t max_usec; /* largest sample ever, not limited */
	unsigned samples;
};

/* A round trip that was measured. One far above the timeout counts as twice the timeout. */
void rtt_sample(struct rtt *r, uint64_t usec);

/* How long to wait for an answer: RTT_TIMEOUT_MIN_USEC..RTT_TIMEOUT_MAX_USEC. */
uint64_t rtt_timeout(const struct rtt *r);
