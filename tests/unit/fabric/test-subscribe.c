/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subscriptions against an administrator that answers, refuses, forgets, or is not there. */
#include "fabric/subscribe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fabric/sa.h"

#define T0 UINT64_C(5000000000)
#define MSEC UINT64_C(1000)
#define SEC UINT64_C(1000000)

/* All requests that are due now; with the trap of each. */
static unsigned ask(struct subscribe *s, uint64_t now, struct subscribe_request *requests,
		    uint16_t *asked)
{
	unsigned n = 0;

	while (subscribe_next(s, now, &requests[n])) {
		struct sa_inform inform;

		assert_memory_equal(requests[n].mad, "\1\3\2\2", 4);
		assert_int_equal(sa_decode_inform(requests[n].mad, MAD_SIZE, &inform), 0);
		assert_true(inform.subscribe);
		asked[n++] = inform.trap;
		assert_true(n <= SUBSCRIBE_TRAPS);
	}
	return n;
}

static void answer(const struct subscribe_request *rq, uint16_t status, uint8_t ret[MAD_SIZE])
{
	memcpy(ret, rq->mad, MAD_SIZE);
	ret[3] = MAD_METHOD_GET_RESP;
	ret[4] = (uint8_t)(status >> 8);
	ret[5] = (uint8_t)status;
}

static int reply(struct subscribe *s, const struct subscribe_request *rq, uint16_t status,
		 uint64_t now)
{
	uint8_t mad[MAD_SIZE];

	answer(rq, status, mad);
	return subscribe_reply(s, rq->cookie, mad, MAD_SIZE, now);
}

static void subscribe_all(struct subscribe *s, uint64_t now)
{
	struct subscribe_request rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	unsigned n = ask(s, now, rq, asked);

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(reply(s, &rq[i], 0, now), 0);
	assert_int_equal(subscribe_mask(s), 7);
}

static void all_at_once(void **state)
{
	struct subscribe_request rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	struct subscribe_trap what;
	struct subscribe s;

	subscribe_init(&s, 1);
	assert_false(subscribe_next(&s, T0, &rq[0]));
	assert_true(subscribe_due(&s) == UINT64_MAX);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_NO_NEWS);

	subscribe_restart(&s);
	assert_true(subscribe_due(&s) <= T0);
	assert_int_equal(ask(&s, T0, rq, asked), 3);
	assert_int_equal(asked[0], 65);
	assert_int_equal(asked[1], 64);
	assert_int_equal(asked[2], 144);
	assert_true(subscribe_due(&s) >= T0 + 250 * MSEC && subscribe_due(&s) <= T0 + 313 * MSEC);

	/* In any order; it is news when all of them are there. */
	assert_int_equal(reply(&s, &rq[2], 0, T0 + 1), 0);
	assert_int_equal(reply(&s, &rq[0], 0, T0 + 1), 0);
	assert_int_equal(subscribe_mask(&s), 5);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_NO_NEWS);
	assert_int_equal(reply(&s, &rq[1], 0, T0 + 1), 0);
	assert_int_equal(subscribe_mask(&s), 7);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_SUBSCRIBED);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_NO_NEWS);
	assert_int_equal(ask(&s, T0 + 599 * SEC, rq, asked), 0);
}

/* Every ten minutes; what is lost then is lost after some tries, not before. */
static void renewed(void **state)
{
	struct subscribe_request rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	struct subscribe_trap what;
	struct subscribe s;
	uint64_t now;

	subscribe_init(&s, 1);
	subscribe_restart(&s);
	subscribe_all(&s, T0);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_SUBSCRIBED);
	now = subscribe_due(&s);
	assert_true(now >= T0 + 600 * SEC && now <= T0 + 750 * SEC);
	subscribe_all(&s, T0 + 750 * SEC);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_NO_NEWS);

	now = T0 + 1500 * SEC;
	for (unsigned i = 0; i < SUBSCRIBE_PATIENCE; i++) {
		assert_int_equal(ask(&s, now, rq, asked), 3);
		assert_int_equal(subscribe_mask(&s), 7);
		now += 60 * SEC;
	}
	assert_int_equal(ask(&s, now, rq, asked), 3);
	assert_int_equal(subscribe_mask(&s), 0);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_SILENT);
}

/* An administrator that never answers is asked ever slower, for ever; it is told once. */
static void silence(void **state)
{
	static const unsigned waits[] = { 250, 500, 1000, 2000, 4000, 8000, 16000, 32000 };
	struct subscribe_request rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	struct subscribe_trap what;
	uint64_t now = T0, before;
	unsigned told = 0;
	struct subscribe s;

	subscribe_init(&s, 7);
	subscribe_restart(&s);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t wait = i < 8 ? waits[i] * MSEC : 60 * SEC;

		assert_int_equal(ask(&s, now, rq, asked), 3);
		before = now;
		for (unsigned k = 0; k < SUBSCRIBE_TRAPS; k++) {
			assert_true(s.traps[k].due >= before + wait);
			assert_true(s.traps[k].due <= before + wait + wait / 4);
			now = s.traps[k].due > now ? s.traps[k].due : now;
		}
		if (subscribe_news(&s, &what) == SUBSCRIBE_SILENT) {
			told++;
			assert_int_equal(i, SUBSCRIBE_PATIENCE);
			assert_int_equal(what.trap, 65);
		}
	}
	assert_int_equal(told, 1);
	/* And it is told when it does answer. */
	subscribe_all(&s, now);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_SUBSCRIBED);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_NO_NEWS);
}

/* A refusal is not answered by hurry, and the rest is subscribed nevertheless. */
static void refusal(void **state)
{
	struct subscribe_request rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	struct subscribe_trap what;
	struct subscribe s;
	uint64_t now = T0;

	subscribe_init(&s, 3);
	subscribe_restart(&s);
	assert_int_equal(ask(&s, now, rq, asked), 3);
	assert_int_equal(reply(&s, &rq[0], 0, now), 0);
	assert_int_equal(reply(&s, &rq[1], 0, now), 0);
	for (unsigned i = 1; i <= SUBSCRIBE_PATIENCE; i++) {
		assert_int_equal(reply(&s, &rq[i == 1 ? 2 : 0], SA_STATUS_REQ_INVALID, now), 0);
		assert_int_equal(subscribe_mask(&s), 3);
		/* The same refusal once more does not count. */
		assert_int_equal(reply(&s, &rq[i == 1 ? 2 : 0], SA_STATUS_REQ_INVALID, now), 0);
		assert_int_equal(s.traps[2].failures, i);
		assert_int_equal(subscribe_news(&s, &what),
				 i < SUBSCRIBE_PATIENCE ? SUBSCRIBE_NO_NEWS : SUBSCRIBE_REFUSED);
		assert_false(subscribe_next(&s, now + 249 * MSEC, &rq[0]));
		now = subscribe_due(&s);
		assert_int_equal(ask(&s, now, rq, asked), 1);
		assert_int_equal(asked[0], 144);
	}
	assert_int_equal(what.trap, 144);
	assert_int_equal(what.status, SA_STATUS_REQ_INVALID);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_NO_NEWS);
	assert_int_equal(reply(&s, &rq[0], 0, now), 0);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_SUBSCRIBED);
}

/* A manager that takes over knows nobody; what it says to older requests is of no use. */
static void another_manager(void **state)
{
	struct subscribe_request old[SUBSCRIBE_TRAPS + 1], rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	struct subscribe_trap what;
	struct subscribe s;

	subscribe_init(&s, 1);
	subscribe_restart(&s);
	subscribe_all(&s, T0);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_SUBSCRIBED);
	subscribe_restart(&s);
	assert_int_equal(subscribe_mask(&s), 0);
	assert_int_equal(ask(&s, T0, old, asked), 3);
	subscribe_restart(&s);
	assert_int_equal(ask(&s, T0 + 1, rq, asked), 3);
	assert_int_equal(reply(&s, &old[0], 0, T0 + 2), -ESTALE);
	assert_int_equal(subscribe_mask(&s), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(reply(&s, &rq[i], 0, T0 + 3), 0);
	assert_int_equal(subscribe_mask(&s), 7);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_NO_NEWS); /* nothing was lost */

	subscribe_stop(&s);
	assert_int_equal(subscribe_mask(&s), 0);
	assert_int_equal(ask(&s, T0 + 1000 * SEC, rq, asked), 0);
	assert_int_equal(reply(&s, &rq[0], 0, T0 + 4), -ESTALE);
	assert_int_equal(subscribe_news(&s, &what), SUBSCRIBE_NO_NEWS);
}

/* An answer that came after the next try is as good. */
static void late_answer(void **state)
{
	struct subscribe_request first[SUBSCRIBE_TRAPS + 1], rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	struct subscribe s;

	subscribe_init(&s, 1);
	subscribe_restart(&s);
	assert_int_equal(ask(&s, T0, first, asked), 3);
	assert_int_equal(ask(&s, T0 + SEC, rq, asked), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(reply(&s, &first[i], 0, T0 + SEC), 0);
	assert_int_equal(subscribe_mask(&s), 7);
	assert_int_equal(ask(&s, T0 + 2 * SEC, rq, asked), 0);
}

static void bad_answers(void **state)
{
	struct subscribe_request rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	uint8_t mad[MAD_SIZE];
	struct subscribe s;

	subscribe_init(&s, 1);
	subscribe_restart(&s);
	assert_int_equal(ask(&s, T0, rq, asked), 3);
	for (unsigned i = 0; i < 6; i++) {
		answer(&rq[0], 0, mad);
		if (i == 0)
			mad[3] = SA_METHOD_GET_TABLE_RESP;
		else if (i == 1)
			mad[17] = SA_ATTR_NOTICE;
		else if (i == 2)
			mad[SA_DATA_OFFSET + 27] = 64; /* the confirmation of another one */
		else if (i == 3)
			mad[SA_DATA_OFFSET + 23] = 0; /* of the end of it */
		else if (i == 4)
			mad[SA_DATA_OFFSET + 22] = 0; /* of a vendor's */
		assert_int_equal(subscribe_reply(&s, rq[0].cookie, mad, i == 5 ? 91 : MAD_SIZE, T0),
				 -EBADMSG);
	}
	assert_int_equal(subscribe_mask(&s), 0);
	assert_int_equal(s.traps[0].failures, 0); /* the good one may still come */
	assert_int_equal(subscribe_reply(&s, rq[0].cookie + 3, mad, MAD_SIZE, T0), -ESTALE);

	/* Elsewhere. */
	assert_int_equal(reply(&s, &rq[0], MAD_STATUS_REDIRECT, T0), -EREMOTE);
	assert_int_equal(s.traps[0].failures, 1);
	/* Busy is no worse than silent. */
	assert_int_equal(reply(&s, &rq[1], MAD_STATUS_BUSY, T0), 0);
	assert_int_equal(s.traps[1].failures, 1);
	assert_int_equal(reply(&s, &rq[0], 0, T0), 0);
	assert_int_equal(subscribe_mask(&s), 1);
}

/* Two ports that were told of a new manager together do not stay together. */
static void not_in_step(void **state)
{
	struct subscribe a, b;
	struct subscribe_request rq[SUBSCRIBE_TRAPS + 1];
	uint16_t asked[SUBSCRIBE_TRAPS + 1];
	unsigned same = 0;

	subscribe_init(&a, 2);
	subscribe_init(&b, 1000);
	subscribe_restart(&a);
	subscribe_restart(&b);
	for (unsigned i = 0; i < 20; i++) {
		ask(&a, T0 + i * 100 * SEC, rq, asked);
		ask(&b, T0 + i * 100 * SEC, rq, asked);
		same += subscribe_due(&a) == subscribe_due(&b);
	}
	assert_true(same < 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_at_once),	   cmocka_unit_test(renewed),
		cmocka_unit_test(silence),	   cmocka_unit_test(refusal),
		cmocka_unit_test(another_manager), cmocka_unit_test(late_answer),
		cmocka_unit_test(bad_answers),	   cmocka_unit_test(not_in_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
