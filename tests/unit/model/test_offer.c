/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparison of offers: no field is forgotten, and the order is the one of a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/offer.h"

static void every_field_counts(void **state)
{
	struct offer a = { .node_description = "n", .ioc_id = "i", .service_name = "s" }, b;
	unsigned differences = 0;

	assert_true(offer_equal(&a, &a));
#define DIFFERS(change)                                                                            \
	b = a;                                                                                     \
	b.change;                                                                                  \
	assert_false(offer_equal(&a, &b));                                                         \
	differences++
	DIFFERS(gid[15] = 1);
	DIFFERS(lid = 1);
	DIFFERS(pkey = 1);
	DIFFERS(node_description[0] = 'x');
	DIFFERS(change_id = 1);
	DIFFERS(max_controllers = 1);
	DIFFERS(slot = 1);
	DIFFERS(ioc_guid = 1);
	DIFFERS(vendor_id = 1);
	DIFFERS(device_id = 1);
	DIFFERS(io_class = 1);
	DIFFERS(send_size = 1);
	DIFFERS(rdma_size = 1);
	DIFFERS(n_services = 1);
	DIFFERS(ioc_id[1] = 'x');
	DIFFERS(entry = 1);
	DIFFERS(service_id = 1);
	DIFFERS(id_ext = 1);
	DIFFERS(service_name[0] = '\0');
	assert_int_equal(differences, 19);
	/* What follows the end of a text is nothing. */
	b = a;
	b.ioc_id[5] = 'x';
	assert_true(offer_equal(&a, &b));
}

static void order(void **state)
{
	const struct offer sorted[] = {
		{ .gid = { 1 }, .pkey = 0x7fff, .slot = 9, .entry = 9 },
		{ .gid = { 1 }, .pkey = 0xffff, .slot = 1, .entry = 0 },
		{ .gid = { 1 }, .pkey = 0xffff, .slot = 1, .entry = 255 },
		{ .gid = { 1 }, .pkey = 0xffff, .slot = 255, .entry = 0 },
		{ .gid = { 2 }, .pkey = 1, .slot = 1, .entry = 0 },
	};
	const int n = sizeof(sorted) / sizeof(sorted[0]);

	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++) {
			int r = offer_compare(&sorted[i], &sorted[k]);

			assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_counts),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests_name("offer", tests, NULL, NULL);
}
