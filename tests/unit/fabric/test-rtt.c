/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fabric/rtt.h"

static void feed(struct rtt *r, unsigned n, uint64_t usec)
{
	for (unsigned i = 0; i < n; i++)
		rtt_sample(r, usec);
}

static void starts_patient(void **state)
{
	struct rtt r = { 0 };

	assert_int_equal(rtt_timeout(&r), RTT_TIMEOUT_START_USEC);
	rtt_sample(&r, 1000);
	assert_int_equal(r.srtt_usec, 1000); /* RFC 6298, 2.2 */
	assert_int_equal(r.rttvar_usec, 500);
	assert_int_equal(rtt_timeout(&r), RTT_TIMEOUT_WARM_USEC);
	feed(&r, RTT_WARM_SAMPLES - 2, 1000);
	assert_int_equal(rtt_timeout(&r), RTT_TIMEOUT_WARM_USEC);
	rtt_sample(&r, 1000);
	assert_int_equal(rtt_timeout(&r), RTT_TIMEOUT_MIN_USEC);
}

static void second_sample(void **state)
{
	struct rtt r = { 0 };

	rtt_sample(&r, 8000);
	rtt_sample(&r, 16000);
	assert_int_equal(r.rttvar_usec, (3 * 4000 + 8000) / 4); /* RFC 6298, 2.3 */
	assert_int_equal(r.srtt_usec, (7 * 8000 + 16000) / 8);
	rtt_sample(&r, 0);
	assert_int_equal(r.srtt_usec, 9000 * 7 / 8);
}

/* The round trips measured under load (KERNEL-FACTS.md): 10 ms on average, 44 ms at most. */
static void under_load(void **state)
{
	struct rtt r = { 0 };

	for (unsigned i = 0; i < 2000; i++) {
		uint64_t usec = i % 97 == 0 ? 44000 : 2000 + (uint64_t)(i * 7919 % 16000);

		if (i > 97)
			assert_true(rtt_timeout(&r) > usec); /* not one false miss */
		rtt_sample(&r, usec);
		if (i > 97)
			assert_in_range(rtt_timeout(&r), RTT_TIMEOUT_MIN_USEC, 75000);
	}
}

/* An agent that stood still gives a burst of late answers; three seconds later it is forgotten. */
static void a_stall_is_forgotten(void **state)
{
	struct rtt r = { 0 };

	feed(&r, 100, 10000);
	for (unsigned i = 8; i > 0; i--)
		rtt_sample(&r, i * 60000);
	assert_in_range(rtt_timeout(&r), 100000, 300000);
	assert_int_equal(r.max_usec, 480000);
	feed(&r, 30, 10000);
	assert_true(rtt_timeout(&r) <= RTT_TIMEOUT_MIN_USEC + 10000);
}

/* A single wild answer does not blunt the probe for long. */
static void one_outlier(void **state)
{
	struct rtt r = { 0 };

	feed(&r, 100, 10000);
	rtt_sample(&r, 60 * UINT64_C(1000000));
	assert_int_equal(r.max_usec, 60 * UINT64_C(1000000));
	assert_true(rtt_timeout(&r) <= 150000);
	feed(&r, 10, 10000);
	assert_true(rtt_timeout(&r) <= RTT_TIMEOUT_MIN_USEC + 10000);
}

/* Jitter alone has a limit. */
static void jitter(void **state)
{
	struct rtt r = { 0 };

	for (unsigned i = 0; i < 200; i++)
		rtt_sample(&r, i % 3 ? 5000 : 180000);
	assert_in_range(rtt_timeout(&r), RTT_TIMEOUT_JITTER_USEC, RTT_TIMEOUT_MAX_USEC);
}

/* A target that is really slower is followed within some probes, but not beyond the limit. */
static void slower_target(void **state)
{
	struct rtt r = { 0 };

	feed(&r, 50, 1000);
	feed(&r, 30, 70000);
	assert_in_range(rtt_timeout(&r), 70000, RTT_TIMEOUT_MAX_USEC);
	feed(&r, 60, 5000000);
	assert_int_equal(rtt_timeout(&r), RTT_TIMEOUT_MAX_USEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_patient), cmocka_unit_test(second_sample),
		cmocka_unit_test(under_load),	  cmocka_unit_test(a_stall_is_forgotten),
		cmocka_unit_test(jitter),	  cmocka_unit_test(one_outlier),
		cmocka_unit_test(slower_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
