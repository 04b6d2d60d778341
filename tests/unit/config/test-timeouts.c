/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

#define OFF TMO_OFF

static const char all_off[] = "at least one of the three must not be off";
static const char zero[] = "reconnect_delay must not be 0";
static const char fast_600[] = "fast_io_fail_tmo must be at most 600";
static const char loss_600[] =
	"dev_loss_tmo must be at most 600 or off where fast_io_fail_tmo is off";
static const char fast_loss[] = "fast_io_fail_tmo must be less than dev_loss_tmo";
static const char fast_delay[] =
	"fast_io_fail_tmo must be less than reconnect_delay, or a reconnect attempt holds up "
	"failing I/O";

static void test_rules(void **state)
{
	static const struct {
		int fast_io_fail, reconnect_delay, dev_loss;
		const char *rule; /* NULL: valid */
	} cases[] = {
		{ 5, 10, OFF, NULL },	     { 0, 1, OFF, NULL },
		{ 0, 1, 1, NULL },	     { 5, OFF, OFF, NULL },
		{ OFF, 10, OFF, NULL },	     { OFF, OFF, 600, NULL },
		{ OFF, OFF, 0, NULL },	     { 600, 601, OFF, NULL },
		{ 600, OFF, 601, NULL },     { 5, 10, 6, NULL },
		{ 9, 10, INT_MAX, NULL },    { OFF, OFF, OFF, all_off },
		{ 5, 0, OFF, zero },	     { OFF, 0, OFF, zero },
		{ 601, OFF, OFF, fast_600 }, { 601, 700, 800, fast_600 },
		{ OFF, 10, 601, loss_600 },  { OFF, OFF, 601, loss_600 },
		{ 5, 10, 5, fast_loss },     { 5, 10, 4, fast_loss },
		{ 0, 10, 0, fast_loss },     { 10, 10, OFF, fast_delay },
		{ 15, 10, 600, fast_delay }, /* the kernel's own fast_io_fail_tmo */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct config_timeouts t = {
			.fast_io_fail_tmo = cases[i].fast_io_fail,
			.reconnect_delay = cases[i].reconnect_delay,
			.dev_loss_tmo = cases[i].dev_loss,
		};
		const char *rule = "untouched";

		assert_int_equal(config_timeouts_verify(&t, &rule), cases[i].rule ? -EINVAL : 0);
		assert_int_equal(config_timeouts_verify(&t, NULL), cases[i].rule ? -EINVAL : 0);
		if (!cases[i].rule)
			assert_null(rule);
		else
			assert_string_equal(rule, cases[i].rule);
	}
}

static void test_format(void **state)
{
	char buf[16];

	assert_string_equal(config_format_tmo(TMO_OFF, buf), "off");
	assert_string_equal(config_format_tmo(0, buf), "0");
	assert_string_equal(config_format_tmo(INT_MAX, buf), "2147483647");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
