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

void rtt_sample(struct rtt *r, uint64_t usec, uint64_t limit)
{
	uint64_t deviation;

	r->max_usec = max_u64(r->max_usec, usec);
	usec = min_u64(usec, limit);
	if (r->samples == 0) { /* RFC 6298, 2.2 */
		r->srtt_usec = usec;
		r->rttvar_usec = usec / 2;
	} else { /* 2.3: alpha 1/8, beta 1/4 */
		deviation = usec > r->srtt_usec ? usec - r->srtt_usec : r->srtt_usec - usec;
		r->rttvar_usec = (3 * r->rttvar_usec + deviation) / 4;
		r->srtt_usec = (7 * r->srtt_usec + usec) / 8;
	}
	r->peak_usec = max_u64(usec, r->peak_usec - r->peak_usec / 512);
	if (r->samples < RTT_WARM_SAMPLES)
		r->samples++;
}

uint64_t rtt_timeout(const struct rtt *r, unsigned halves)
{
	uint64_t floor =
		r->samples < RTT_WARM_SAMPLES ? RTT_TIMEOUT_WARM_USEC : RTT_TIMEOUT_MIN_USEC;
	uint64_t t, silence = r->peak_usec + r->peak_usec / 4;

	if (r->samples == 0)
		return RTT_TIMEOUT_START_USEC;
	t = max_u64(r->srtt_usec + 4 * r->rttvar_usec, 2 * silence / halves);
	return min_u64(max_u64(t, floor), RTT_TIMEOUT_MAX_USEC);
}
