/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "observe/dm.h"

/* "8:16 A 0, 8:32 F 3": what was read, in one comparable line. */
static void describe(const struct dm_map *m, char *buf, size_t size)
{
	buf[0] = '\0';
	for (unsigned i = 0; i < m->n_paths; i++) {
		size_t len = strlen(buf);

		snprintf(buf + len, size - len, "%s%s %c %u", i ? ", " : "", m->paths[i].devno,
			 m->paths[i].active ? 'A' : 'F', m->paths[i].failures);
	}
}

static const struct {
	const char *what, *params, *paths; /* paths NULL: refused */
} status_cases[] = {
	{ "service-time, one group", "2 0 0 0 1 1 A 0 2 2 8:16 A 0 0 1 8:32 A 0 0 1 ",
	  "8:16 A 0, 8:32 A 0" },
	{ "service-time, one path failed", "2 0 0 0 1 1 A 0 2 2 8:16 F 1 0 1 8:32 A 0 12 1 ",
	  "8:16 F 1, 8:32 A 0" },
	{ "two ALUA groups", "2 1 0 0 2 1 A 0 1 2 8:16 A 0 3 50 E 0 1 2 8:32 A 7 0 10 ",
	  "8:16 A 0, 8:32 A 7" },
	{ "group disabled, none current", "2 0 0 0 1 1 D 0 1 0 8:16 F 4294967295 ",
	  "8:16 F 4294967295" },
	{ "round-robin has no words a path", "2 0 0 0 1 1 E 0 2 0 8:16 A 0 8:32 A 0 ",
	  "8:16 A 0, 8:32 A 0" },
	{ "queue-length has one", "2 0 0 0 1 1 E 0 1 1 65:160 A 0 5 ", "65:160 A 0" },
	{ "historical-service-time has words a group",
	  "2 0 0 0 1 1 E 2 1024 1 1 2 259:1048575 A 0 0 99 ", "259:1048575 A 0" },
	{ "a hardware handler", "2 0 0 1 alua 1 1 A 0 1 2 8:16 A 0 0 1 ", "8:16 A 0" },
	{ "other features", "1 queue_if_no_path 0 1 1 A 0 1 2 8:16 A 0 0 1", "8:16 A 0" },
	{ "no path in a group", "2 0 0 0 1 1 E 0 0 2 ", "" },
	{ "no group", "2 0 0 0 0 0 ", "" },

	{ "nothing", "", NULL },
	{ "blanks", "   ", NULL },
	{ "another target", "linear 8:0 0", NULL },
	{ "features end early", "2 0", NULL },
	{ "no handler", "2 0 0", NULL },
	{ "no groups", "2 0 0 0", NULL },
	{ "no next group", "2 0 0 0 1", NULL },
	{ "a group that is not there", "2 0 0 0 2 1 A 0 1 2 8:16 A 0 0 1", NULL },
	{ "next group out of range", "2 0 0 0 1 2 A 0 1 2 8:16 A 0 0 1", NULL },
	{ "a group too many", "2 0 0 0 1 1 A 0 1 2 8:16 A 0 0 1 E 0 1 2 8:32 A 0 0 1", NULL },
	{ "group state", "2 0 0 0 1 1 X 0 1 2 8:16 A 0 0 1", NULL },
	{ "group state of two letters", "2 0 0 0 1 1 AE 0 1 2 8:16 A 0 0 1", NULL },
	{ "path state", "2 0 0 0 1 1 A 0 1 2 8:16 E 0 0 1", NULL },
	{ "path cut after its name", "2 0 0 0 1 1 A 0 1 2 8:16", NULL },
	{ "path cut after its state", "2 0 0 0 1 1 A 0 1 2 8:16 A", NULL },
	{ "path cut in its words", "2 0 0 0 1 1 A 0 1 2 8:16 A 0 0", NULL },
	{ "a number with a sign", "2 0 0 0 1 1 A 0 +1 2 8:16 A 0 0 1", NULL },
	{ "a negative number", "2 0 0 0 1 1 A 0 1 2 8:16 A -1 0 1", NULL },
	{ "a hexadecimal number", "2 0 0 0 0x1 1 A 0 1 2 8:16 A 0 0 1", NULL },
	{ "a number past 32 bits", "2 0 0 0 1 1 A 0 1 2 8:16 A 4294967296 0 1", NULL },
	{ "paths without end", "2 0 0 0 1 1 A 0 99999999 0 8:16 A 0", NULL },
	{ "features without end", "4000000000 0 0", NULL },
	{ "no minor", "2 0 0 0 1 1 A 0 1 0 8: A 0", NULL },
	{ "no major", "2 0 0 0 1 1 A 0 1 0 :16 A 0", NULL },
	{ "not a number", "2 0 0 0 1 1 A 0 1 0 sdb A 0", NULL },
	{ "a device number too long", "2 0 0 0 1 1 A 0 1 0 8:12345678 A 0", NULL },
	{ "a word after the device number", "2 0 0 0 1 1 A 0 1 0 8:16x A 0", NULL },
};

static void status_lines(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(status_cases); i++) {
		struct dm_map m = { 0 };
		char got[256];
		int r = dm_status_parse(status_cases[i].params, &m);

		print_message("  %s\n", status_cases[i].what);
		assert_int_equal(r, status_cases[i].paths ? 0 : -EBADMSG);
		describe(&m, got, sizeof(got));
		assert_string_equal(got, status_cases[i].paths ? status_cases[i].paths : "");
		if (!status_cases[i].paths)
			assert_null(m.paths);
		free(m.paths);
	}
}

/* Cut at every byte: refused, or what is left is itself complete; never read beyond. */
static void cut_anywhere(void **state)
{
	static const char line[] = "2 0 0 0 2 1 A 0 1 2 8:16 A 0 3 50 E 0 1 2 8:32 F 7 0 10";

	for (size_t len = 0; len < sizeof(line) - 2; len++) {
		_cleanup_free_ char *cut = strndup(line, len);
		struct dm_map m = { 0 };

		assert_int_equal(dm_status_parse(cut, &m), -EBADMSG);
		assert_int_equal(m.n_paths, 0);
		assert_null(m.paths);
	}
}

static void a_second_reading_replaces_the_first(void **state)
{
	struct dm_map m = { 0 };

	assert_int_equal(dm_status_parse("2 0 0 0 1 1 E 0 2 0 8:16 A 0 8:32 A 0", &m), 0);
	assert_int_equal(dm_status_parse("2 0 0 0 1 1 E 0 1 0 8:48 F 2", &m), 0);
	assert_int_equal(m.n_paths, 1);
	assert_string_equal(m.paths[0].devno, "8:48");
	assert_int_equal(dm_status_parse("bad", &m), -EBADMSG);
	assert_int_equal(m.n_paths, 0);
	assert_null(m.paths);
}

static const struct {
	const char *params;
	int result;
	bool queueing;
} table_cases[] = {
	{ "0 1 alua 1 1 service-time 0 2 2 8:16 1 1 8:32 1 1 ", 0, false },
	{ "1 queue_if_no_path 1 alua 1 1 service-time 0 1 2 8:16 1 1 ", 0, true },
	{ "3 pg_init_retries 50 queue_if_no_path 0 1 1 round-robin 0 1 1 8:16 1 ", 0, true },
	{ "1 retain_attached_hw_handler 0 1 1 round-robin 0 1 1 8:16 1 ", 0, false },
	/* The word counts as a feature only. */
	{ "0 1 queue_if_no_path 1 1 round-robin 0 1 1 8:16 1 ", 0, false },
	{ "2 queue_if_no_path", -EBADMSG, false },
	{ "", -EBADMSG, false },
	{ "x", -EBADMSG, false },
};

static void table_lines(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(table_cases); i++) {
		bool queueing = !table_cases[i].queueing;

		assert_int_equal(dm_table_parse(table_cases[i].params, &queueing),
				 table_cases[i].result);
		if (table_cases[i].result == 0)
			assert_int_equal(queueing, table_cases[i].queueing);
	}
}

static void a_path_is_found_in_its_map(void **state)
{
	struct dm_path a[] = { { .devno = "8:16" }, { .devno = "8:32", .active = true } };
	struct dm_path b[] = { { .devno = "8:48" } };
	struct dm_map maps[] = { { .name = "a", .paths = a, .n_paths = 2 },
				 { .name = "b", .paths = b, .n_paths = 1 } };
	struct dm_view v = { .maps = maps, .n_maps = 2 };
	const struct dm_path *path = NULL;

	assert_int_equal(dm_view_index(&v), 0);
	assert_ptr_equal(dm_view_find_path(&v, "8:32", &path), &maps[0]);
	assert_ptr_equal(path, &a[1]);
	assert_ptr_equal(dm_view_find_path(&v, "8:48", NULL), &maps[1]);
	assert_null(dm_view_find_path(&v, "8:1", NULL));
	devnos_clear(&v.devnos);
}

/* Guards that need no device-mapper. */
static void other_peoples_devices_are_refused(void **state)
{
	assert_int_equal(dm_fail_path("LVM-abc", "8:16"), -ESTALE);
	assert_int_equal(dm_reinstate_path("", "8:16"), -ESTALE);
}

/* Both ways of saying that there is no device-mapper; where there is one, this is the lab's. */
static void a_host_without_device_mapper_says_so(void **state)
{
	_cleanup_fclose_ FILE *misc = fopen("/proc/misc", "re");
	struct dm_view v;
	char line[128];
	bool here = false;

	while (misc && fgets(line, sizeof(line), misc))
		here = here || strstr(line, "device-mapper");
	if (here) {
		print_message("  skipped: this host has device-mapper\n");
		skip();
	}
	assert_int_equal(dm_warm(), -ENODEV);
	assert_int_equal(dm_view_read(&v), -ENODEV);
	assert_int_equal(dm_fail_path("mpath-a", "8:16"), -ENODEV);
	assert_true(dm_events_open() < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_lines),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(a_second_reading_replaces_the_first),
		cmocka_unit_test(table_lines),
		cmocka_unit_test(a_path_is_found_in_its_map),
		cmocka_unit_test(other_peoples_devices_are_refused),
		cmocka_unit_test(a_host_without_device_mapper_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
