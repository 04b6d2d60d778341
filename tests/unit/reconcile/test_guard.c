/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "reconcile/guard.h"

/* Disks listed in userdata (blank separated) are not usable. */
static bool usable(const char *devno, void *userdata)
{
	return strstr(userdata, devno) == NULL;
}

/* So are disks that nobody uses: "idle" is in the list for them. */
static bool in_use(const struct srp_lun *lun, void *userdata)
{
	return strstr(userdata, "idle") == NULL;
}

static struct srp_lun luns[] = { { .disk = "sda", .devno = "8:0" },
				 { .disk = "sdb", .devno = "8:16" } };
static struct srp_session session = { .luns = luns, .n_luns = 2 };

static struct guard_verdict judge(struct dm_map *maps, unsigned n, const char *unusable)
{
	struct dm_view view = { .maps = maps, .n_maps = n };
	struct guard_verdict v;

	assert_int_equal(dm_view_index(&view), 0);
	guard_judge(&view, &session, usable, in_use, (void *)unusable, &v);
	devnos_clear(&view.devnos);
	return v;
}

static void test_other_path_is_usable(void **state)
{
	struct dm_path a[] = { { "8:0", true, 0 }, { "8:32", true, 0 } };
	struct dm_path b[] = { { "8:16", true, 0 }, { "8:48", true, 0 } };
	struct dm_map maps[] = { { .name = "a", .paths = a, .n_paths = 2 },
				 { .name = "b", .paths = b, .n_paths = 2 } };
	struct guard_verdict v = judge(maps, 2, "");

	assert_int_equal(v.maps, 2);
	assert_int_equal(v.last, 0);
	assert_int_equal(v.bare, 0);
	assert_string_equal(v.name, "");
}

static void test_one_of_two_maps_would_be_lost(void **state)
{
	struct dm_path a[] = { { "8:0", true, 0 }, { "8:32", true, 0 } };
	struct dm_path b[] = { { "8:16", true, 0 }, { "8:48", false, 3 } };
	struct dm_map maps[] = { { .name = "a", .paths = a, .n_paths = 2 },
				 { .name = "b", .paths = b, .n_paths = 2 } };
	struct guard_verdict v = judge(maps, 2, "");

	assert_int_equal(v.last, 1);
	assert_string_equal(v.name, "b");
	/* Active in dm, yet its path is known to be down. */
	v = judge(maps, 1, "8:32 8:16");
	assert_int_equal(v.last, 1);
	assert_string_equal(v.name, "a");
}

static void test_two_disks_of_one_session_are_one_path(void **state)
{
	struct dm_path a[] = { { "8:0", true, 0 }, { "8:16", true, 0 } };
	struct dm_map maps[] = { { .name = "a", .paths = a, .n_paths = 2 } };
	struct guard_verdict v = judge(maps, 1, "");

	assert_int_equal(v.maps, 1);
	assert_int_equal(v.last, 1);
}

static void test_disk_without_map(void **state)
{
	struct dm_path a[] = { { "8:0", true, 0 }, { "8:32", true, 0 } };
	struct dm_map maps[] = { { .name = "a", .paths = a, .n_paths = 2 } };
	struct guard_verdict v = judge(maps, 1, "");

	assert_int_equal(v.bare, 1);
	assert_string_equal(v.name, "sdb");
	/* A management LUN that nobody uses keeps nothing from failing over. */
	v = judge(maps, 1, "idle");
	assert_int_equal(v.bare, 0);
	assert_string_equal(v.name, "");
}

static void test_foreign_map_does_not_count(void **state)
{
	struct dm_path a[] = { { "8:64", true, 0 } };
	struct dm_map maps[] = { { .name = "other", .paths = a, .n_paths = 1 } };
	struct guard_verdict v = judge(maps, 1, "");

	assert_int_equal(v.maps, 0);
	assert_int_equal(v.last, 0);
	assert_int_equal(v.bare, 2);
}

static int index_session(void **state)
{
	return srp_session_index(&session);
}

static int clear_session(void **state)
{
	devnos_clear(&session.devnos);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_path_is_usable),
		cmocka_unit_test(test_one_of_two_maps_would_be_lost),
		cmocka_unit_test(test_two_disks_of_one_session_are_one_path),
		cmocka_unit_test(test_disk_without_map),
		cmocka_unit_test(test_foreign_map_does_not_count),
	};

	return cmocka_run_group_tests(tests, index_session, clear_session);
}
