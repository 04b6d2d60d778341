/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports to events, once each. */
#include "fabric/notice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fabric/sa.h"

#define T0 UINT64_C(5000000000)
#define SM_LID 1

static struct notices notices;

static int setup(void **state)
{
	notices = (struct notices){ 0 };
	return 0;
}

static void report(uint8_t mad[MAD_SIZE], uint16_t trap, uint8_t port, uint64_t tid)
{
	sa_encode_report(mad, tid,
			 &(struct sa_notice){ .type = SA_NOTICE_TYPE_SUBNET,
					      .producer = SA_PRODUCER_MANAGER,
					      .trap = trap,
					      .gid = { 0xfe, 0x80, [15] = port },
					      .lid = port,
					      .cap_mask = PORT_CAP_DEVICE_MANAGEMENT });
}

static int take(uint16_t trap, uint8_t port, uint64_t tid, uint64_t now, struct notice_event *ret)
{
	uint8_t mad[MAD_SIZE];

	report(mad, trap, port, tid);
	return notices_take(&notices, mad, MAD_SIZE, SM_LID, now, ret);
}

static void events(void **state)
{
	static const uint8_t gid[16] = { 0xfe, 0x80, [15] = 5 }, none[16];
	struct notice_event e;

	assert_int_equal(take(64, 5, 1, T0, &e), 1);
	assert_int_equal(e.kind, NOTICE_GID_IN);
	assert_memory_equal(e.gid, gid, 16);
	assert_int_equal(take(65, 5, 2, T0, &e), 1);
	assert_int_equal(e.kind, NOTICE_GID_OUT);
	assert_memory_equal(e.gid, gid, 16);
	assert_int_equal(e.lid, 0);
	assert_int_equal(take(144, 7, 3, T0, &e), 1);
	assert_int_equal(e.kind, NOTICE_CAPABILITY);
	assert_int_equal(e.lid, 7);
	assert_int_equal(e.cap_mask, 0x80000);
	assert_memory_equal(e.gid, none, 16);
	assert_int_equal(notices.taken, 3);

	/* A multicast group, a link of a switch. */
	assert_int_equal(take(66, 5, 4, T0, &e), 0);
	assert_int_equal(take(128, 5, 5, T0, &e), 0);
	assert_int_equal(notices.other, 2);
}

/* The answer got lost, and between the repetitions the port came back. */
static void repetitions(void **state)
{
	struct notice_event e;

	assert_int_equal(take(65, 5, 1, T0, &e), 1);
	assert_int_equal(take(65, 5, 1, T0 + 200000, &e), 0);
	assert_int_equal(take(64, 5, 2, T0 + 300000, &e), 1);
	assert_int_equal(take(65, 5, 1, T0 + 400000, &e), 0);
	assert_int_equal(notices.repeated, 2);
	/* That it is gone again is another transaction. */
	assert_int_equal(take(65, 5, 3, T0 + 500000, &e), 1);
	/* A number that is used again is not the same event about another port, */
	assert_int_equal(take(65, 6, 3, T0 + 500000, &e), 1);
	/* nor from another manager, */
	uint8_t mad[MAD_SIZE];

	report(mad, 65, 5, 3);
	assert_int_equal(notices_take(&notices, mad, MAD_SIZE, SM_LID + 1, T0 + 500000, &e), 1);
	/* nor long after, */
	assert_int_equal(take(65, 5, 3, T0 + 500000 + NOTICE_REPEAT_USEC - 1, &e), 0);
	assert_int_equal(take(65, 5, 3, T0 + 500000 + NOTICE_REPEAT_USEC, &e), 1);
	/* nor from the same manager after it started again. */
	notices_forget(&notices);
	assert_int_equal(take(65, 5, 3, T0 + 500000 + NOTICE_REPEAT_USEC + 1, &e), 1);
}

/* A switch with 200 ports fails: its Reports and their repetitions fit. */
static void a_storm(void **state)
{
	struct notice_event e;

	for (unsigned round = 0; round < 3; round++)
		for (uint8_t i = 0; i < 200; i++)
			assert_int_equal(take(65, i, 100u + i, T0 + round, &e), round == 0);
	/* More than the ring holds: the oldest happens twice. */
	for (uint8_t i = 0; i < 100; i++)
		assert_int_equal(take(64, i, 500u + i, T0 + 9, &e), 1);
	assert_int_equal(take(65, 0, 100, T0 + 10, &e), 1);
	assert_int_equal(take(65, 199, 299, T0 + 10, &e), 0);
}

static void not_notices(void **state)
{
	struct notice_event e = { .lid = 9 };
	uint8_t mad[MAD_SIZE];

	for (unsigned i = 0; i < 6; i++) {
		report(mad, 65, 5, i);
		if (i == 0)
			mad[3] = MAD_METHOD_REPORT_RESP;
		else if (i == 1)
			mad[17] = SA_ATTR_INFORM_INFO;
		else if (i == 2)
			mad[1] = MAD_CLASS_DM;
		else if (i == 3)
			mad[SA_DATA_OFFSET] &= 0x7f; /* of a vendor */
		else if (i == 4)
			mad[2] = 1;
		assert_int_equal(notices_take(&notices, mad,
					      i == 5 ? SA_DATA_OFFSET + 79 : MAD_SIZE, SM_LID, T0,
					      &e),
				 -EBADMSG);
	}
	assert_int_equal(notices.malformed, 6);
	assert_int_equal(e.lid, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(events, setup),
		cmocka_unit_test_setup(repetitions, setup),
		cmocka_unit_test_setup(a_storm, setup),
		cmocka_unit_test_setup(not_notices, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
