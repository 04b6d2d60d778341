/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk through I/O units, against a target that answers as asked for by each case. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fabric/iou.h"
#include "fake_target.h"

#define GUID UINT64_C(0x0002c903004ed0b2)

static int answer(struct iou *u, struct fake_target *t, const struct iou_request *rq)
{
	uint8_t mad[MAD_SIZE];

	dm_encode_get(mad, 1, rq->attr_id, rq->attr_mod);
	fake_target_answer(t, mad);
	return iou_reply(u, mad, MAD_SIZE);
}

/* Walks with at most `window` requests under way, answered newest first. */
static void walk(struct iou *u, struct fake_target *t, unsigned window)
{
	struct iou_request rq[300];
	unsigned n = 0, total = 0;

	assert_in_range(window, 1, 300);
	for (;;) {
		while (n < window && iou_next(u, &rq[n]))
			n++;
		if (n == 0)
			break;
		(void)answer(u, t, &rq[--n]);
		assert_true(++total < 100000); /* it ends */
	}
	assert_true(iou_done(u));
}

static void one_target(void **state)
{
	_cleanup_(iou_freep) struct iou *u = iou_new();
	struct fake_target t;
	const struct iou_service *s;
	uint16_t change_id;
	unsigned n;

	fake_target_init(&t, GUID);
	assert_false(iou_done(u));
	walk(u, &t, 1);
	s = iou_services(u, &n);
	assert_int_equal(n, 1);
	assert_int_equal(s[0].slot, 1);
	assert_int_equal(s[0].ioc_guid, GUID);
	assert_int_equal(s[0].id_ext, GUID);
	assert_int_equal(s[0].service_id, GUID);
	assert_int_equal(s[0].io_class, DM_IO_CLASS_SRP_REV16A);
	assert_string_equal(s[0].id_string, "fake target");
	assert_int_equal(t.asked, 3);
	assert_true(iou_known(u, &change_id));
	assert_int_equal(change_id, 1);
	assert_int_equal(iou_counts(u)->controllers, 1);
}

static void many_controllers(void **state)
{
	static const unsigned windows[] = { 1, 3, 64 };

	for (unsigned w = 0; w < 3; w++) {
		_cleanup_(iou_freep) struct iou *u = iou_new();
		struct fake_target t = { .change_id = 9, .max_controllers = 255, .n_iocs = 3 };
		unsigned n;

		t.iocs[0] = (struct fake_ioc){
			.slot = 2,
			.guid = 0xa,
			.n_services = 6,
			.names = { "SRP.T10:0000000000000001", "other", "SRP.T10:000000000000000x",
				   "SRP.T10:0000000000000003", "SRP.T10:0000000000000004",
				   "SRP.T10:0000000000000005" }
		};
		t.iocs[1] = (struct fake_ioc){ .slot = 100, .guid = 0xb, .n_services = 0 };
		t.iocs[2] = (struct fake_ioc){ .slot = 255,
					       .guid = 0xc,
					       .n_services = 1,
					       .names = { "SRP.T10:0000000000000006" } };
		walk(u, &t, windows[w]);
		(void)iou_services(u, &n);
		assert_int_equal(n, 5);
		assert_int_equal(iou_counts(u)->controllers, 3);
		assert_int_equal(iou_counts(u)->not_srp, 1);
		assert_int_equal(iou_counts(u)->malformed, 1);
		assert_int_equal(t.asked, 1 + 3 + 2 + 1); /* nothing is asked twice, or in vain */
	}
}

static void more_services_than_are_kept(void **state)
{
	_cleanup_(iou_freep) struct iou *u = iou_new();
	struct fake_target t = { .max_controllers = 8, .n_iocs = 8 };
	static const char *const name = "SRP.T10:0000000000000001";
	unsigned n;

	for (unsigned i = 0; i < 8; i++)
		t.iocs[i] = (struct fake_ioc){ .slot = i + 1,
					       .guid = i,
					       .n_services = 255,
					       .names = { name, name, name, name, name, name, name,
							  name } };
	walk(u, &t, 32);
	(void)iou_services(u, &n);
	assert_int_equal(n, 8 * 8); /* the others have no name */
	assert_int_equal(iou_counts(u)->not_srp, 8 * (255 - 8));
}

static void refused(void **state)
{
	_cleanup_(iou_freep) struct iou *u = iou_new();
	struct fake_target t;
	unsigned n;

	fake_target_init(&t, GUID);
	t.status = MAD_STATUS_UNSUPPORTED_METHOD_ATTR;
	walk(u, &t, 1);
	assert_false(iou_known(u, NULL));
	assert_int_equal(iou_counts(u)->refused, 1);
	assert_int_equal(iou_counts(u)->last_status, MAD_STATUS_UNSUPPORTED_METHOD_ATTR);
	(void)iou_services(u, &n);
	assert_int_equal(n, 0);
}

/* Busy is asked again, and not for ever. */
static void busy(void **state)
{
	_cleanup_(iou_freep) struct iou *u = iou_new();
	struct iou_request rq;
	struct fake_target t;
	unsigned n;

	fake_target_init(&t, GUID);
	t.status = MAD_STATUS_BUSY;
	assert_true(iou_next(u, &rq));
	assert_int_equal(answer(u, &t, &rq), -EAGAIN);
	assert_false(iou_done(u));
	t.status = 0;
	walk(u, &t, 1);
	(void)iou_services(u, &n);
	assert_int_equal(n, 1);

	iou_free(u);
	u = iou_new();
	t.status = MAD_STATUS_BUSY;
	walk(u, &t, 1);
	assert_int_equal(iou_counts(u)->refused, 1);
	assert_in_range(t.asked, 5, 20);
}

static void silence(void **state)
{
	_cleanup_(iou_freep) struct iou *u = iou_new();
	struct iou_request rq;
	struct fake_target t;
	unsigned n;

	fake_target_init(&t, GUID);
	t.n_iocs = 2;
	t.iocs[1] = t.iocs[0];
	t.iocs[1].slot = 2;
	t.iocs[1].guid = 7;
	assert_true(iou_next(u, &rq));
	assert_false(iou_next(u, &(struct iou_request){ 0 })); /* one at first */
	assert_int_equal(answer(u, &t, &rq), 0);
	assert_true(iou_next(u, &rq));
	assert_int_equal(rq.attr_id, DM_ATTR_IOC_PROFILE);
	assert_int_equal(rq.attr_mod, 1);
	iou_give_up(u, &rq);
	iou_give_up(u, &rq); /* twice does no harm */
	walk(u, &t, 1);
	assert_int_equal(iou_counts(u)->silent, 1);
	assert_int_equal(iou_services(u, &n)[0].ioc_guid, 7);
	assert_int_equal(n, 1);

	iou_free(u);
	u = iou_new();
	assert_true(iou_next(u, &rq));
	iou_give_up(u, &rq);
	assert_true(iou_done(u));
	assert_false(iou_known(u, NULL));
}

/* Answers to what was not asked, short ones, repeated ones. */
static void bad_answers(void **state)
{
	_cleanup_(iou_freep) struct iou *u = iou_new();
	struct iou_request rq, other = { DM_ATTR_IOC_PROFILE, 1 };
	uint8_t mad[MAD_SIZE];
	struct fake_target t;

	fake_target_init(&t, GUID);
	assert_int_equal(answer(u, &t, &other), -ENOENT);
	assert_true(iou_next(u, &rq));
	assert_int_equal(answer(u, &t, &other), -ENOENT);
	other = (struct iou_request){ DM_ATTR_SERVICE_ENTRIES, 1 << 16 };
	assert_int_equal(answer(u, &t, &other), -ENOENT);
	other = (struct iou_request){ DM_ATTR_IOC_PROFILE, 0xffffffff };
	assert_int_equal(answer(u, &t, &other), -ENOENT);
	assert_int_equal(answer(u, &t, &rq), 0);
	assert_int_equal(answer(u, &t, &rq), -ENOENT);

	assert_true(iou_next(u, &rq));
	dm_encode_get(mad, 1, rq.attr_id, rq.attr_mod);
	fake_target_answer(&t, mad);
	assert_int_equal(iou_reply(u, mad, 10), -EBADMSG); /* no header: not matched */
	assert_false(iou_done(u));
	assert_int_equal(iou_reply(u, mad, 100), -EBADMSG);
	assert_true(iou_done(u));
	assert_int_equal(iou_counts(u)->malformed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_target),
		cmocka_unit_test(many_controllers),
		cmocka_unit_test(more_services_than_are_kept),
		cmocka_unit_test(refused),
		cmocka_unit_test(busy),
		cmocka_unit_test(silence),
		cmocka_unit_test(bad_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
