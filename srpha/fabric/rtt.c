/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/rtt.h"

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void rtt_sample(struct rtt *r, uint64_t usec)
{
	uint64_t deviation;

	r->max_usec = max_u64(r->max_usec, usec);
	usec = min_u64(usec, 2 * rtt_timeout(r));
	if (r->samples == 0) { /* RFC 6298, 2.2 */
		r->srtt_usec = usec;
		r->rttvar_usec = usec / 2;
	} else { /* 2.3: alpha 1/8, beta 1/4 */
		deviation = usec > r->srtt_usec ? usec - r->srtt_usec : r->srtt_usec - usec;
		r->rttvar_usec = (3 * r->rttvar_usec + deviation) / 4;
		r->srtt_usec = (7 * r->srtt_usec + usec) / 8;
	}
	if (r->samples < RTT_WARM_SAMPLES)
		r->samples++;
}

uint64_t rtt_timeout(const struct rtt *r)
{
	uint64_t floor =
		r->samples < RTT_WARM_SAMPLES ? RTT_TIMEOUT_WARM_USEC : RTT_TIMEOUT_MIN_USEC;
	uint64_t t;

	if (r->samples == 0)
		return RTT_TIMEOUT_START_USEC;
	t = min_u64(r->srtt_usec + 4 * r->rttvar_usec,
		    max_u64(2 * r->srtt_usec, RTT_TIMEOUT_JITTER_USEC));
	return min_u64(max_u64(t, floor), RTT_TIMEOUT_MAX_USEC);
}
