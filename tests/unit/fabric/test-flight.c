/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When requests are repeated and given up, and how many there may be: the chart of flight.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"
#include "fabric/flight.h"

static const struct flight_config config = { .window = 8,
					     .retries = 3,
					     .timeout_usec = USEC_PER_SEC };

static int setup(void **state)
{
	struct flights *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	flights_configure(f, &config);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* The moments at which a request is sent again, and given up at last. */
static unsigned course(struct flights *f, uint64_t begun, uint64_t *ret, unsigned max)
{
	unsigned n = 0;

	for (uint64_t now; (now = flights_due(f)) != USEC_INFINITY;) {
		struct flight *fl = flights_repeat(f, now);

		assert_in_range(n, 0, max - 1);
		ret[n++] = now - begun;
		if (fl) {
			assert_null(flights_repeat(f, now));
			continue;
		}
		fl = flights_expired(f, now);
		assert_non_null(fl);
		flight_end(f, fl);
		assert_null(flights_expired(f, now));
	}
	return n;
}

static void repeats_and_end(void **state)
{
	struct flights *f = *state;
	uint64_t at[8], now = 5 * USEC_PER_SEC;

	/* Nothing measured: 1, 2, 4 and 8 fifteenths of the timeout. */
	(void)flight_begin(f, FLIGHT_PEER, now);
	assert_int_equal(course(f, now, at, 8), 4);
	assert_int_equal(at[0], 66666);
	assert_int_equal(at[1], 3 * 66666);
	assert_int_equal(at[2], 7 * 66666);
	assert_int_equal(at[3], USEC_PER_SEC);
	assert_int_equal(f->sent, 4);
	assert_int_equal(f->repeated, 3);
	assert_int_equal(f->given_up, 1);
	assert_int_equal(f->used, 0);
}

static void follows_the_round_trip(void **state)
{
	struct flights *f = *state;
	uint64_t at[8];
	struct flight *fl = flight_begin(f, FLIGHT_PEER, 0);

	for (unsigned i = 0; i < 100; i++)
		flight_sample(f, fl, 1000);
	flight_end(f, fl);
	(void)flight_begin(f, FLIGHT_PEER, 0);
	assert_int_equal(course(f, 0, at, 8), 4);
	assert_int_equal(at[0], FLIGHT_BASE_MIN_USEC);
	assert_int_equal(at[2], 7 * FLIGHT_BASE_MIN_USEC);
	assert_int_equal(at[3], USEC_PER_SEC);
	/* The administrator's is another one. */
	(void)flight_begin(f, FLIGHT_SA, 0);
	assert_int_equal(course(f, 0, at, 8), 4);
	assert_int_equal(at[0], 66666);
	/* A long table takes as long as it takes. */
	(void)flight_begin(f, FLIGHT_TABLE, 0);
	assert_int_equal(course(f, 0, at, 8), 4);
	assert_int_equal(at[0], 250000);
	assert_int_equal(at[3], FLIGHT_PATIENCE * USEC_PER_SEC);
}

static void without_repeats(void **state)
{
	struct flights *f = *state;
	uint64_t at[2];

	flights_configure(f, &(struct flight_config){ .window = 1, .timeout_usec = 10000 });
	(void)flight_begin(f, FLIGHT_PEER, 0);
	assert_int_equal(course(f, 0, at, 2), 1);
	assert_int_equal(at[0], 10000);
	assert_int_equal(f->sent, 1);
}

static void window(void **state)
{
	struct flights *f = *state;
	struct flight *fl = NULL;

	for (unsigned i = 0; i < 4; i++) {
		assert_true(flights_room(f, FLIGHT_SA));
		fl = flight_begin(f, FLIGHT_SA, 0);
	}
	assert_false(flights_room(f, FLIGHT_SA)); /* half is for the targets */
	for (unsigned i = 0; i < 4; i++) {
		assert_true(flights_room(f, FLIGHT_PEER));
		(void)flight_begin(f, FLIGHT_PEER, 0);
	}
	assert_false(flights_room(f, FLIGHT_PEER));
	flight_end(f, fl);
	assert_true(flights_room(f, FLIGHT_PEER));
	assert_true(flights_room(f, FLIGHT_SA));
	(void)flight_begin(f, FLIGHT_SA, 0);
	/* What had to be repeated gives its place away, but not the administrator's. */
	while (flights_repeat(f, 70000))
		;
	assert_true(flights_room(f, FLIGHT_PEER));
	assert_false(flights_room(f, FLIGHT_SA));
	for (unsigned i = 0; i < 4; i++)
		(void)flight_begin(f, FLIGHT_PEER, 70000);
	assert_false(flights_room(f, FLIGHT_PEER));
}

static void bounded(void **state)
{
	struct flights *f = *state;
	uint64_t now = 0;

	while (f->used < FLIGHTS_MAX) {
		assert_true(flights_room(f, FLIGHT_PEER));
		(void)flight_begin(f, FLIGHT_PEER, now);
		now += 100000;
		while (flights_repeat(f, now))
			;
		if (now > 800000)
			now = 0; /* none is given up */
	}
	assert_false(flights_room(f, FLIGHT_PEER));
	flights_clear(f);
	assert_true(flights_room(f, FLIGHT_PEER));
	assert_true(flights_due(f) == USEC_INFINITY);
}

static void handles(void **state)
{
	struct flights *f = *state;
	struct flight *fl = flight_begin(f, FLIGHT_PEER, 0);
	uint32_t first = fl->handle;

	assert_true(first != 0);
	assert_ptr_equal(flight_find(f, first), fl);
	assert_null(flight_find(f, first + 1));
	assert_null(flight_find(f, 0));
	flight_end(f, fl);
	flight_end(f, fl);
	assert_int_equal(f->used, 0);
	assert_null(flight_find(f, first));
	fl = flight_begin(f, FLIGHT_PEER, 0);
	assert_true(fl->handle != first);
	assert_null(flight_find(f, first));
}

static void busy(void **state)
{
	struct flights *f = *state;
	struct flight *fl = flight_begin(f, FLIGHT_PEER, 0);
	uint64_t now = 1000, waits[] = { 50000, 100000, 200000, 400000, 800000, 1600000, 1600000 };

	for (unsigned i = 0; i < 7; i++) {
		assert_true(flight_busy(f, fl, now));
		assert_int_equal(flights_due(f), now + waits[i]);
		assert_null(flights_repeat(f, now + waits[i] - 1));
		now += waits[i];
		assert_ptr_equal(flights_repeat(f, now), fl);
		now += 1000;
	}
	/* After eight timeouts it is as if it said nothing. */
	while (flight_busy(f, fl, now)) {
		now += 1600000;
		assert_ptr_equal(flights_repeat(f, now), fl);
		assert_in_range(now, 1, FLIGHT_PATIENCE * USEC_PER_SEC);
	}
	assert_in_range(now, (FLIGHT_PATIENCE - 2) * USEC_PER_SEC, FLIGHT_PATIENCE * USEC_PER_SEC);
	/* It does not hold its place while it waits. */
	flights_clear(f);
	for (unsigned i = 0; i < 8; i++)
		assert_true(flight_busy(f, flight_begin(f, FLIGHT_PEER, 0), 1000));
	assert_true(flights_room(f, FLIGHT_PEER));
}

static void redirect(void **state)
{
	struct flights *f = *state;
	struct flight *fl = flight_begin(f, FLIGHT_PEER, 0);

	for (unsigned i = 0; i < FLIGHT_REDIRECTS_MAX; i++) {
		assert_true(flight_redirect(f, fl, 1000));
		assert_int_equal(flights_due(f), 1000);
		assert_ptr_equal(flights_repeat(f, 1000), fl);
		assert_null(flights_repeat(f, 1000));
	}
	assert_false(flight_redirect(f, fl, 1000));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(repeats_and_end),
		T(follows_the_round_trip),
		T(without_repeats),
		T(window),
		T(bounded),
		T(handles),
		T(busy),
		T(redirect),
	};

	return cmocka_run_group_tests_name("flight", tests, NULL, NULL);
}
