/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The round trip of a portal, and how long to wait for an answer. Pure arithmetic in microseconds;
 * one estimator a portal, fed by its probe. It follows RFC 6298 (smoothed round trip and mean
 * deviation), with two differences that a probe every 100 ms makes possible: a decaying peak
 * is remembered, because a management agent under load answers in bursts that a mean deviation
 * forgets at once, and nothing is doubled after a loss, because every probe has a transaction
 * number of its own and a late answer is a valid sample.
 */
#pragma once

#include <stdint.h>

#define RTT_TIMEOUT_MIN_USEC UINT64_C(40000)
#define RTT_TIMEOUT_MAX_USEC UINT64_C(1000000)

/* Before the first sample; and the floor until there are RTT_WARM_SAMPLES of them. */
#define RTT_TIMEOUT_START_USEC UINT64_C(500000)
#define RTT_TIMEOUT_WARM_USEC UINT64_C(150000)
#define RTT_WARM_SAMPLES 16

struct rtt {
	uint64_t srtt_usec;
	uint64_t rttvar_usec;
	uint64_t peak_usec; /* decays by 1/128 a sample: halves in 89 */
	uint64_t max_usec;  /* largest sample ever, not limited */
	unsigned samples;
};

/* A round trip that was measured. One far above the timeout counts as twice the timeout. */
void rtt_sample(struct rtt *r, uint64_t usec);

/* How long to wait: RTT_TIMEOUT_MIN_USEC..RTT_TIMEOUT_MAX_USEC. */
uint64_t rtt_timeout(const struct rtt *r);
