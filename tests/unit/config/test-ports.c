/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/ports.h"

static void test_selected(void **state)
{
	static const struct {
		const char *globs, *port;
		bool selected;
	} cases[] = {
		{ NULL, "mlx5_0:1", true },
		{ "", "mlx5_0:1", false },
		{ " \t ", "mlx5_0:1", false },
		{ "*", "mlx5_0:1", true },
		{ "mlx5_0", "mlx5_0:1", true },
		{ "mlx5_0", "mlx5_0:2", true },
		{ "mlx5_0", "mlx5_00:1", false },
		{ "mlx5_0:*", "mlx5_0:2", true },
		{ "mlx5_0:1", "mlx5_0:1", true },
		{ "mlx5_0:1", "mlx5_0:2", false },
		{ "mlx5_0:1", "mlx5_0:11", false },
		{ "mlx5_?:1", "mlx5_7:1", true },
		{ "mlx5_?:1", "mlx5_10:1", false },
		{ "mlx5_[02]", "mlx5_2:1", true },
		{ "mlx5_[02]", "mlx5_1:1", false },
		{ "mlx5_[!02]", "mlx5_1:1", true },
		{ "*:2", "rxe0:2", true },
		{ "*:2", "rxe2:1", false },
		/* the example */
		{ "mlx5_*:1 !mlx4_0:2", "mlx5_0:1", true },
		{ "mlx5_*:1 !mlx4_0:2", "mlx5_0:2", false },
		{ "mlx5_*:1 !mlx4_0:2", "mlx4_0:2", false },
		{ "mlx5_*:1 !mlx4_0:2", "mlx4_0:1", false },
		/* the last match wins */
		{ "* !mlx4_0", "mlx4_0:1", false },
		{ "* !mlx4_0", "mlx4_1:1", true },
		{ "* !mlx4_* mlx4_1", "mlx4_1:1", true },
		{ "!mlx4_0 *", "mlx4_0:1", true },
		/* beginning with an exclusion: all the others */
		{ "!mlx4_0", "mlx4_0:1", false },
		{ "!mlx4_0", "mlx4_1:1", true },
		{ "  !mlx4_0:2", "mlx4_0:1", true },
		{ "!mlx4_0:2\t!mlx4_1", "mlx4_1:1", false },
		{ "!mlx4_0:2 !mlx4_1", "mlx4_2:1", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (config_port_selected(cases[i].globs, cases[i].port) != cases[i].selected)
			fail_msg("\"%s\" with %s: not %d", cases[i].globs, cases[i].port,
				 cases[i].selected);
}

static void test_long_names(void **state)
{
	char port[200];

	memset(port, 'x', sizeof(port) - 1);
	port[sizeof(port) - 1] = '\0';
	assert_false(config_port_selected("y*", port));
	assert_false(config_port_selected(port, "x"));
}

static void test_verify(void **state)
{
	static const struct {
		const char *globs;
		int r;
	} cases[] = {
		{ "*", 0 },
		{ "mlx5_*:1 !mlx4_0:2", 0 },
		{ "\t mlx5_[!0-3]:? \t", 0 },
		{ "hfi1-x.y_z:1", 0 },
		{ "", -EINVAL },
		{ " ", -EINVAL },
		{ "!", -EINVAL },
		{ "* !", -EINVAL },
		{ ":1", -EINVAL },
		{ "!:1", -EINVAL },
		{ "mlx5_0:", -EINVAL },
		{ "mlx5_0:1:2", -EINVAL },
		{ "mlx5_0,mlx5_1", -EINVAL },
		{ "mlx5_0/1", -EINVAL },
		{ "\xc3\xa4", -EINVAL },
	};
	char many[2 * CONFIG_PORT_GLOBS_MAX + 3], item[98];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (ports_verify(cases[i].globs) != cases[i].r)
			fail_msg("\"%s\": not %d", cases[i].globs, cases[i].r);
	memset(item, 'x', sizeof(item) - 1);
	item[95] = '\0';
	assert_int_equal(ports_verify(item), 0);
	item[95] = 'x';
	item[97] = '\0';
	assert_int_equal(ports_verify(item), -EINVAL);
	for (unsigned i = 0; i <= CONFIG_PORT_GLOBS_MAX; i++)
		memcpy(many + 2 * i, "x ", 3);
	assert_int_equal(ports_verify(many), -E2BIG);
	assert_int_equal(ports_verify(many + 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selected),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
