/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of device numbers against a plain search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/parse.h"
#include "observe/devnos.h"

static void test_numbers(void **state)
{
	static const char *const bad[] = {
		"",	 ":",	 "8",	   "8:",  ":16",	  "8:16 ",
		" 8:16", "8:-1", "8:16:0", "a:b", "1234567890:1", "8:1234567890"
	};
	uint64_t value = 7;

	assert_int_equal(parse_devno("8:16", &value), 0);
	assert_true(value == (UINT64_C(8) << 32 | 16));
	assert_int_equal(parse_devno("0:0", &value), 0);
	assert_true(value == 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		value = 7;
		assert_int_equal(parse_devno(bad[i], &value), -EINVAL);
		assert_true(value == 7);
	}
}

static void test_every_one_is_found(void **state)
{
	struct devnos d = {};
	char text[32];

	assert_null(devnos_find(&d, "8:16"));
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%u:%u", 65 + i * 7 % 11, i * 769 % 1000);
		assert_int_equal(devnos_add(&d, text, i, i + 1), 0);
	}
	assert_int_equal(devnos_add(&d, "none", 1000, 0), 0);
	devnos_sort(&d);
	assert_int_equal(d.n, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		const struct devno_entry *e;

		snprintf(text, sizeof(text), "%u:%u", 65 + i * 7 % 11, i * 769 % 1000);
		e = devnos_find(&d, text);
		assert_non_null(e);
		assert_int_equal(e->owner, i);
		assert_int_equal(e->item, i + 1);
	}
	assert_null(devnos_find(&d, "64:1"));
	assert_null(devnos_find(&d, "200:1"));
	assert_null(devnos_find(&d, "none"));
	devnos_clear(&d);
	assert_int_equal(d.n, 0);
}

/* A number in two sessions: a host that goes and the one that follows it. */
static void test_the_first_owner_wins(void **state)
{
	struct devnos d = {};

	assert_int_equal(devnos_add(&d, "8:0", 2, 0), 0);
	assert_int_equal(devnos_add(&d, "8:0", 1, 0), 0);
	devnos_sort(&d);
	assert_int_equal(devnos_find(&d, "8:0")->owner, 1);
	devnos_clear(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_every_one_is_found),
		cmocka_unit_test(test_the_first_owner_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
