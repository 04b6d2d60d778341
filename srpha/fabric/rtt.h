/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The round trip of a portal, and how long to wait for an answer. Pure arithmetic in microseconds;
 * one estimator a portal, fed by its probe. It follows RFC 6298 (smoothed round trip and mean
 * deviation), with two differences that a probe every 100 ms makes possible. Nothing is doubled
 * after a loss: every probe has a transaction number of its own, and a late answer is a valid
 * sample. And the longest round trip of the last minute or so is remembered: a target that stood
 * still for that long and came back must not be called dead the next time, so that the silence which
 * makes a verdict, several timeouts long, is kept longer than it.
 */
#pragma once

#include <stdint.h>

#define RTT_TIMEOUT_MIN_USEC UINT64_C(50000)
#define RTT_TIMEOUT_MAX_USEC UINT64_C(1000000)

/* Before the first sample; and the floor until there are RTT_WARM_SAMPLES of them. */
#define RTT_TIMEOUT_START_USEC UINT64_C(500000)
#define RTT_TIMEOUT_WARM_USEC UINT64_C(150000)
#define RTT_WARM_SAMPLES 16

struct rtt {
	uint64_t srtt_usec;
	uint64_t rttvar_usec;
	uint64_t peak_usec; /* decays by 1/512 a sample: halves in 355 */
	uint64_t max_usec;  /* largest sample ever, not limited */
	unsigned samples;
};

/*
 * A round trip that was measured. `limit`: one above it counts as the limit (twice the timeout is
 * a good one), so that one answer which waited for something else does not blunt the probe.
 */
void rtt_sample(struct rtt *r, uint64_t usec, uint64_t limit);

/*
 * How long to wait for one answer: RTT_TIMEOUT_MIN_USEC..RTT_TIMEOUT_MAX_USEC. `halves`: the
 * verdict takes so many half timeouts (2 or more).
 */
uint64_t rtt_timeout(const struct rtt *r, unsigned halves);
