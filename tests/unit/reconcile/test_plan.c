/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the plan does with each situation: one row a situation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/parse.h"
#include "reconcile/plan.h"

#define NOW UINT64_C(1000000)
#define NEVER USEC_INFINITY

/* A healthy path with everything in its favour; a row changes what it is about. */
#define FACTS(...)                                                                                 \
	{                                                                                          \
		.managed = true, .desired = true, .port_up = true, .probe = PROBE_ANSWERING,       \
		.identity = true, .login_slot = true, .session = true, .rport = RPORT_RUNNING,     \
		.hold_failures = 5, .hold_time_usec = 30 * USEC_PER_SEC,                           \
		.returnable_since_usec = NEVER, .login_yields_at_usec = NEVER, __VA_ARGS__         \
	}

struct row {
	const char *what;
	struct path_facts facts;
	enum plan_action action;
	bool reset, reconnect, force;
	uint64_t wake_at;
};

#define WANTED .state = PATH_WANTED, .session = false
#define FAILING .state = PATH_FAILING
#define DOWN .state = PATH_DOWN, .rport = RPORT_FAIL_FAST

/* A row may name a field twice: FACTS() gives the default, the row what it is about. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma clang diagnostic ignored "-Winitializer-overrides"
#endif
/* clang-format off */
static const struct row rows[] = {
	{ "login", FACTS(WANTED), PLAN_LOGIN, .wake_at = NEVER },
	{ "a busy actor ends first", FACTS(WANTED, .actor_busy = true), PLAN_NOTHING, .wake_at = NEVER },
	{ "not asked for", FACTS(WANTED, .desired = false), PLAN_NOTHING, .wake_at = NEVER },
	{ "foreign is watched only", FACTS(WANTED, .managed = false), PLAN_NOTHING, .wake_at = NEVER },
	{ "port is down", FACTS(WANTED, .port_up = false), PLAN_NOTHING, .wake_at = NEVER },
	{ "target is silent", FACTS(WANTED, .probe = PROBE_SILENT), PLAN_NOTHING, .wake_at = NEVER },
	{ "cannot be asked: try", FACTS(WANTED, .probe = PROBE_UNKNOWN), PLAN_LOGIN, .wake_at = NEVER },
	{ "identity unknown", FACTS(WANTED, .identity = false), PLAN_NOTHING, .wake_at = NEVER },
	{ "another login on the port", FACTS(WANTED, .login_slot = false), PLAN_NOTHING, .wake_at = NEVER },
	{ "which nobody answers: not for long", FACTS(WANTED, .login_slot = false, .login_yields_at_usec = NOW + 3), PLAN_NOTHING, .wake_at = NOW + 3 },
	{ "now it gives way", FACTS(WANTED, .login_slot = false, .login_yields_at_usec = NOW), PLAN_INTERRUPT_LOGIN, .wake_at = NEVER },
	{ "but to no target that is as silent", FACTS(WANTED, .login_slot = false, .login_yields_at_usec = NOW, .probe = PROBE_UNKNOWN), PLAN_NOTHING, .wake_at = NEVER },
	{ "nor before the backoff is over", FACTS(WANTED, .login_slot = false, .login_yields_at_usec = NOW, .retry_at_usec = NOW + 2), PLAN_NOTHING, .wake_at = NOW + 2 },
	{ "backoff", FACTS(WANTED, .retry_at_usec = NOW + 5), PLAN_NOTHING, .wake_at = NOW + 5 },
	{ "backoff over", FACTS(WANTED, .retry_at_usec = NOW), PLAN_LOGIN, .wake_at = NEVER },

	{ "up is left alone", FACTS(.state = PATH_UP), PLAN_NOTHING, .wake_at = NEVER },
	{ "suspect touches nothing", FACTS(.state = PATH_SUSPECT, .probe = PROBE_SILENT), PLAN_NOTHING, .wake_at = NEVER },
	{ "timeouts put right", FACTS(.state = PATH_UP, .timeouts_differ = true), PLAN_SET_TIMEOUTS, .wake_at = NEVER },
	{ "but not in a duel", FACTS(.state = PATH_UP, .timeouts_differ = true, .retry_at_usec = NOW + 7), PLAN_NOTHING, .wake_at = NOW + 7 },
	{ "foreign timeouts stay", FACTS(.state = PATH_UP, .timeouts_differ = true, .managed = false), PLAN_NOTHING, .wake_at = NEVER },

	{ "fail and reset", FACTS(FAILING, .port_up = false, .dm_active = true, .io_stuck = true), PLAN_FAIL, .reset = true, .wake_at = NEVER },
	{ "idle path too", FACTS(FAILING, .port_up = false), PLAN_FAIL, .reset = true, .wake_at = NEVER },
	{ "the last path is kept", FACTS(FAILING, .port_up = false, .guarded = true, .io_stuck = true), PLAN_NOTHING, .wake_at = NEVER },
	{ "its other maps move, no reset", FACTS(FAILING, .port_up = false, .guarded = true, .dm_active = true), PLAN_FAIL, .reset = false, .wake_at = NEVER },
	{ "kept and back: its I/O may resume", FACTS(FAILING, .guarded = true, .io_stuck = true, .returnable_since_usec = NOW - 5), PLAN_NOTHING, .wake_at = NOW - 5 + USEC_PER_SEC },
	{ "it does not", FACTS(FAILING, .guarded = true, .io_stuck = true, .returnable_since_usec = NOW - USEC_PER_SEC), PLAN_REJOIN, .reconnect = true, .force = true, .wake_at = NEVER },
	{ "kept and back, nothing stuck", FACTS(FAILING, .guarded = true), PLAN_REJOIN, .reconnect = false, .wake_at = NEVER },
	{ "kept, back, transport lost", FACTS(FAILING, .guarded = true, .rport = RPORT_BLOCKED), PLAN_REJOIN, .reconnect = true, .wake_at = NEVER },
	{ "transport already failed fast", FACTS(FAILING, .dm_active = true, .rport = RPORT_FAIL_FAST), PLAN_FAIL, .reset = false, .wake_at = NEVER },
	{ "seen off", FACTS(FAILING, .off = true, .rport = RPORT_FAIL_FAST), PLAN_CONFIRM_FAILED, .wake_at = NEVER },
	{ "off by the kernel alone", FACTS(FAILING, .port_up = false, .rport = RPORT_LOST), PLAN_CONFIRM_FAILED, .wake_at = NEVER },
	{ "reset got through: still off", FACTS(FAILING, .off = true), PLAN_CONFIRM_FAILED, .wake_at = NEVER },
	{ "blocked: fast_io_fail_tmo decides", FACTS(FAILING, .port_up = false, .off = true, .rport = RPORT_BLOCKED), PLAN_NOTHING, .wake_at = NEVER },
	{ "blocked and back", FACTS(FAILING, .off = true, .rport = RPORT_BLOCKED), PLAN_REJOIN, .reconnect = true, .wake_at = NEVER },
	{ "fail again later", FACTS(FAILING, .port_up = false, .dm_active = true, .retry_at_usec = NOW + 9), PLAN_NOTHING, .wake_at = NOW + 9 },

	{ "rejoin", FACTS(DOWN), PLAN_REJOIN, .reconnect = true, .wake_at = NEVER },
	{ "the kernel reconnected: check", FACTS(DOWN, .rport = RPORT_RUNNING), PLAN_REJOIN, .reconnect = false, .wake_at = NEVER },
	{ "though its agent is silent", FACTS(DOWN, .rport = RPORT_RUNNING, .probe = PROBE_SILENT), PLAN_REJOIN, .reconnect = false, .wake_at = NEVER },
	{ "silent", FACTS(DOWN, .probe = PROBE_SILENT), PLAN_NOTHING, .wake_at = NEVER },
	{ "port down", FACTS(DOWN, .port_up = false), PLAN_NOTHING, .wake_at = NEVER },
	{ "never answered: try", FACTS(DOWN, .probe = PROBE_UNKNOWN), PLAN_REJOIN, .reconnect = true, .wake_at = NEVER },
	{ "lost: wait for its removal", FACTS(DOWN, .rport = RPORT_LOST), PLAN_NOTHING, .wake_at = NEVER },
	{ "no session left", FACTS(DOWN, .session = false), PLAN_RELOGIN, .wake_at = NEVER },
	{ "flapping", FACTS(DOWN, .recent_failures = 5), PLAN_HOLD, .wake_at = NEVER },
	{ "one short of flapping", FACTS(DOWN, .recent_failures = 4), PLAN_REJOIN, .reconnect = true, .wake_at = NEVER },
	{ "hold is off", FACTS(DOWN, .recent_failures = 50, .hold_failures = 0), PLAN_REJOIN, .reconnect = true, .wake_at = NEVER },
	{ "rejoin again later", FACTS(DOWN, .retry_at_usec = NOW + 3), PLAN_NOTHING, .wake_at = NOW + 3 },

	{ "held while silent", FACTS(.state = PATH_HELD), PLAN_NOTHING, .wake_at = NEVER },
	{ "held until stable", FACTS(.state = PATH_HELD, .returnable_since_usec = NOW - 1), PLAN_NOTHING, .wake_at = NOW - 1 + 30 * USEC_PER_SEC },
	{ "held but the only one", FACTS(.state = PATH_HELD, .guarded = true, .returnable_since_usec = NOW - 1), PLAN_RELEASE, .wake_at = NEVER },
	{ "held but reinstated by others", FACTS(.state = PATH_HELD, .dm_active = true), PLAN_FAIL, .wake_at = NEVER },
	{ "flapping but the only one", FACTS(DOWN, .recent_failures = 5, .guarded = true), PLAN_REJOIN, .reconnect = true, .wake_at = NEVER },
	{ "stable", FACTS(.state = PATH_HELD, .returnable_since_usec = 0, .hold_time_usec = NOW), PLAN_RELEASE, .wake_at = NEVER },

	{ "drained: I/O moves", FACTS(.state = PATH_DRAINED, .dm_active = true), PLAN_FAIL, .reset = false, .wake_at = NEVER },
	{ "drained: not the last path", FACTS(.state = PATH_DRAINED, .dm_active = true, .guarded = true), PLAN_NOTHING, .wake_at = NEVER },
	{ "drained: done", FACTS(.state = PATH_DRAINED), PLAN_NOTHING, .wake_at = NEVER },
	{ "drained: no login", FACTS(.state = PATH_DRAINED, .session = false), PLAN_NOTHING, .wake_at = NEVER },

	{ "absent", FACTS(.state = PATH_ABSENT), PLAN_NOTHING, .wake_at = NEVER },
	{ "connecting", FACTS(.state = PATH_CONNECTING), PLAN_NOTHING, .wake_at = NEVER },
	{ "rejoining", FACTS(.state = PATH_REJOINING), PLAN_NOTHING, .wake_at = NEVER },
	{ "leaving", FACTS(.state = PATH_LEAVING), PLAN_NOTHING, .wake_at = NEVER },
};
/* clang-format on */
#pragma GCC diagnostic pop

static void test_plan(void **state)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct plan_step step = plan_path(&r->facts, NOW);

		print_message("%s\n", r->what);
		assert_int_equal(step.action, r->action);
		assert_int_equal(step.reset, r->reset);
		assert_int_equal(step.reconnect, r->reconnect);
		assert_int_equal(step.force, r->force);
		assert_true(step.wake_at_usec == r->wake_at);
	}
}

/* Whatever the other facts, the last usable path is never reset. */
static void test_guard_is_absolute(void **state)
{
	for (unsigned bits = 0; bits < 1 << 9; bits++)
		for (unsigned rport = RPORT_RUNNING; rport <= RPORT_UNKNOWN; rport++)
			for (unsigned s = 0; s < PATH_STATE_COUNT; s++) {
				struct path_facts f = {
					.state = (enum path_state)s,
					.rport = (enum rport_state)rport,
					.guarded = true,
					.managed = true,
					.desired = bits & 1,
					.port_up = bits & 2,
					.probe = (enum probe_view)((bits >> 2) % 3),
					.identity = true,
					.session = bits & 16,
					.io_stuck = bits & 32,
					.off = bits & 64,
					.dm_active = bits & 128,
					.timeouts_differ = bits & 256,
				};
				struct plan_step step = plan_path(&f, NOW);

				assert_false(step.action == PLAN_FAIL && step.reset);
			}
}

static void test_backoff(void **state)
{
	assert_int_equal(backoff_usec(0, 100, 1000, 0), 100);
	assert_int_equal(backoff_usec(1, 100, 1000, 0), 200);
	assert_int_equal(backoff_usec(3, 100, 1000, 0), 800);
	assert_int_equal(backoff_usec(4, 100, 1000, 0), 1000);
	assert_int_equal(backoff_usec(4000000000u, 100, 1000, 0), 1000);
	assert_int_equal(backoff_usec(4, 100, 1000, 999), 1099);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_guard_is_absolute),
		cmocka_unit_test(test_backoff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
