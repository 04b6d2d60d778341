/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of ib_srp, as they are and as they might be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fake_sysfs.h"
#include "observe/immediate.h"

#define PARAMETERS "sys/module/ib_srp/parameters/"

static void test_immediate(void **state)
{
	static const struct {
		const char *use, *max; /* NULL: no such file */
		uint32_t bytes;
	} cases[] = {
		{ NULL, NULL, 0 },  { "Y", NULL, 0 },	   { NULL, "8192", 0 },
		{ "N", "8192", 0 }, { "Y", "8192", 8192 }, { "Y", "0", 0 },
		{ "Y", "-1", 0 },   { "Y", "", 0 },	   { "Y", "2147483648", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_sysfs f;

		fake_sysfs_open(&f);
		if (cases[i].use)
			fake_sysfs_set(&f, cases[i].use, PARAMETERS "use_imm_data");
		if (cases[i].max)
			fake_sysfs_set(&f, cases[i].max, PARAMETERS "max_imm_data");
		assert_int_equal(srp_max_imm_data(f.root_fd), cases[i].bytes);
		fake_sysfs_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_immediate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
