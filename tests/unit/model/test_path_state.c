/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every cell of the path table, written down a second time as text: a change of the table has to
 * be made twice, on purpose. One row a state, one column an event, in the order of the enums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "model/path_state.h"

/* . stay, ! impossible, a letter: the state gone to. */
static const char letters[PATH_STATE_COUNT + 1] = "AWCUSFDRHXL";

/* clang-format off */
static const char *const expected[PATH_STATE_COUNT] = {
	/*                    desired undesired login-started login-failed running broken gone lost
	 *                    port-down missed dead out-of-service answered failed rejoin-started rejoin-failed
	 *                    rejoined hold stable drain undrain failover leave */
	[PATH_ABSENT]     = "W.!.UD.!" "......" "!..!!....",
	[PATH_WANTED]     = ".AC.UD.!" "......" "!..!!X..A",
	[PATH_CONNECTING] = "..!WUD.." "......" "!..!!X..L",
	[PATH_UP]         = "..!..FWF" "FSFF.." "!..!!X.FL",
	[PATH_SUSPECT]    = "..!..FWF" "F.FFU." "!..!!X.FL",
	[PATH_FAILING]    = "..!...W." ".....D" "R..!!X..L",
	[PATH_DOWN]       = "..!...W." "......" "R..H!X..L",
	[PATH_REJOINING]  = "..!...W." "F.FF.." "!DU!!X.FL",
	[PATH_HELD]       = "..!...W." "......" "!...DX..L",
	[PATH_DRAINED]    = "..!....." "......" "!..!!.D.L",
	[PATH_LEAVING]    = "..!A..A." "......" "!..!!....",
};
/* clang-format on */

static char cell(enum path_state s, enum path_event e)
{
	struct path_step step = path_step(s, e);

	switch (step.kind) {
	case STEP_STAY:
		assert_int_equal(step.next, s);
		return '.';
	case STEP_IMPOSSIBLE:
		assert_int_equal(step.next, s);
		return '!';
	case STEP_MOVE:
		assert_int_not_equal(step.next, s);
		return letters[step.next];
	}
	return '?';
}

static void test_every_cell(void **state)
{
	for (unsigned s = 0; s < PATH_STATE_COUNT; s++) {
		char row[PATH_EVENT_COUNT + 1] = "";

		for (unsigned e = 0; e < PATH_EVENT_COUNT; e++)
			row[e] = cell((enum path_state)s, (enum path_event)e);
		print_message("%-10s %s\n", path_state_name((enum path_state)s), row);
		assert_string_equal(row, expected[s]);
	}
}

static void test_names_are_distinct(void **state)
{
	for (unsigned a = 0; a < PATH_STATE_COUNT; a++)
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(path_state_name((enum path_state)a),
						path_state_name((enum path_state)b));
	for (unsigned a = 0; a < PATH_EVENT_COUNT; a++)
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(path_event_name((enum path_event)a),
						path_event_name((enum path_event)b));
}

static void test_usable(void **state)
{
	for (unsigned s = 0; s < PATH_STATE_COUNT; s++)
		assert_int_equal(path_state_usable((enum path_state)s),
				 s == PATH_UP || s == PATH_SUSPECT);
}

/* A session that disappears never leaves a path believed to be in use. */
static void test_gone_is_never_usable(void **state)
{
	for (unsigned s = 0; s < PATH_STATE_COUNT; s++)
		assert_false(
			path_state_usable(path_step((enum path_state)s, EVENT_SESSION_GONE).next));
}

/* From every state a sequence of ordinary events leads back to "up". */
static void test_every_state_can_recover(void **state)
{
	static const enum path_event way[] = {
		EVENT_UNDRAIN,	       EVENT_STABLE,   EVENT_FAILED,
		EVENT_REJOIN_STARTED,  EVENT_REJOINED, EVENT_PROBE_ANSWERED,
		EVENT_LOGIN_FAILED,    EVENT_DESIRED,  EVENT_LOGIN_STARTED,
		EVENT_SESSION_RUNNING,
	};

	for (unsigned s = 0; s < PATH_STATE_COUNT; s++) {
		enum path_state now = (enum path_state)s;

		for (unsigned i = 0; i < sizeof(way) / sizeof(way[0]); i++)
			now = path_step(now, way[i]).next;
		assert_int_equal(now, PATH_UP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cell),
		cmocka_unit_test(test_names_are_distinct),
		cmocka_unit_test(test_usable),
		cmocka_unit_test(test_gone_is_never_usable),
		cmocka_unit_test(test_every_state_can_recover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
