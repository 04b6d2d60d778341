/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor_test.h"

#define REJOIN(more)                                                                               \
	"{\"msg\":\"rejoin\",\"host\":\"host3\",\"rport\":\"port-3:1\",\"reconnect\":true,"        \
	"\"luns\":[{\"sg\":\"sg1\",\"devno\":\"8:16\",\"disk\":\"sdb\"},"                          \
	"{\"sg\":\"sg2\",\"devno\":\"8:32\",\"disk\":\"sdc\"}],"                                   \
	"\"maps\":[{\"name\":\"mpatha\",\"uuid\":\"mpath-a\",\"paths\":[\"8:16\"]},"               \
	"{\"name\":\"mpathb\",\"uuid\":\"mpath-b\",\"paths\":[\"8:32\",\"8:48\"]}],"               \
	"\"reconnect_delay\":\"10\",\"deadline_usec\":5000000,\"multipathd\":false" more "}"

static int setup_down(void **state)
{
	return actor_setup_state(state, "fail-fast");
}

static const struct lun_answer unit_attention = { 2, 0, { 0x70, 0, 6, [12] = 0x29 }, 18 };
static const struct lun_answer standby = { 2, 0, { 0x70, 0, 2, [12] = 4, [13] = 0xb }, 18 };
static const struct lun_answer becoming_ready = { 2, 0, { 0x70, 0, 2, [12] = 4, [13] = 1 }, 18 };

static const char *reconnect_delay(struct fake_kernel *k)
{
	return fake_sysfs_get(&k->sysfs, RPORT_DIR "/reconnect_delay");
}

static void the_whole_thing_in_order(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_reset(k, 0, "running", 400000);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_string_equal(reply_string(done, "rport_state"), "running");
	assert_string_equal(reply_list(done, "reinstated"), "8:16 8:32");
	assert_string_equal(reply_list(done, "not_ready"), "");
	assert_string_equal(reconnect_delay(k), "10");
	assert_string_equal(k->log, "write reconnect_delay off\n"
				    "open sg1\nalarm 5000000 10000\nreset\ndisarm\n"
				    "write reconnect_delay 10\n"
				    "open sg1\nalarm 1500000 10000\nready?\ndisarm\n"
				    "reinstate_path mpath-a 8:16\n"
				    "open sg2\nalarm 1500000 10000\nready?\ndisarm\n"
				    "reinstate_path mpath-b 8:32\n");
}

/* The kernel reconnected by itself meanwhile: a reset would disturb a healthy session. */
static void a_session_that_runs_is_not_reset(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "reset"), 0);
	assert_int_equal(fake_kernel_count(k, "write"), 0);
	assert_int_equal(fake_kernel_count(k, "reinstate_path"), 2);
}

/* A session that runs in name only: its I/O is stuck, and the kernel has not noticed. */
static void force_resets_what_runs(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_reset(k, -EAGAIN, NULL, 10);
	fake_kernel_next_reset(k, -EIO, NULL, 10);
	fake_kernel_next_reset(k, -EIO, "fail-fast", 20000);
	fake_kernel_next_reset(k, 0, "running", 300000);
	done = fake_kernel_ask(k, REJOIN(",\"force\":true"));
	assert_true(reply_ok(done));
	assert_string_equal(reconnect_delay(k), "10");
	assert_int_equal(fake_kernel_count(k, "reinstate_path"), 2);
}

static void one_forced_reset_is_enough(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_reset(k, 0, NULL, 300000);
	done = fake_kernel_ask(k, REJOIN(",\"force\":true"));
	assert_true(reply_ok(done));
}

/* It runs in name only: the supervisor saw its I/O stuck. Then only a reset that worked counts. */
static void a_stuck_session_is_reset_though_it_runs(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_reset(k, -EAGAIN, NULL, 10);
	fake_kernel_next_reset(k, -EIO, "fail-fast", 10000);
	fake_kernel_next_reset(k, 0, "running", 300000);
	done = fake_kernel_ask(k, REJOIN(",\"force\":true"));
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "reset"), 3);
	assert_string_equal(reconnect_delay(k), "10");
	assert_int_equal(fake_kernel_count(k, "reinstate_path"), 2);
}

static void a_target_that_refuses_is_asked_again(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_reset(k, -EIO, NULL, 10000);
	fake_kernel_next_reset(k, -EAGAIN, NULL, 10);
	fake_kernel_next_reset(k, -EIO, NULL, 10000);
	fake_kernel_next_reset(k, 0, "running", 300000);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_string_equal(reconnect_delay(k), "10");
	assert_int_equal(fake_kernel_count(k, "write reconnect_delay"), 2);
}

/* The delay comes back whatever happens. */
static void the_deadline_restores_the_delay(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_reset(k, -EIO, NULL, 5000000);
	done = fake_kernel_ask(k, REJOIN());
	assert_false(reply_ok(done));
	assert_string_equal(reply_string(done, "rport_state"), "fail-fast");
	assert_string_equal(reconnect_delay(k), "10");
	assert_int_equal(fake_kernel_count(k, "ready?"), 0);
	assert_int_equal(fake_kernel_count(k, "reinstate_path"), 0);
}

static void being_asked_to_end_restores_the_delay(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	k->stop_after_resets = 1;
	fake_kernel_next_reset(k, -EIO, NULL, 10000);
	done = fake_kernel_ask(k, REJOIN());
	assert_false(reply_ok(done));
	assert_string_equal(reconnect_delay(k), "10");
}

static void no_node_restores_the_delay(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_remove(&k->sysfs, "sys/class/scsi_generic/sg1");
	fake_sysfs_remove(&k->sysfs, "sys/class/scsi_generic/sg2");
	done = fake_kernel_ask(k, REJOIN());
	assert_false(reply_ok(done));
	assert_string_equal(reconnect_delay(k), "10");
	assert_int_equal(fake_kernel_count(k, "reset"), 0);
}

/* An actor that was killed left `off` behind: the value asked for is set, not the one found. */
static void the_delay_asked_for_is_set(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "off", RPORT_DIR "/reconnect_delay");
	fake_kernel_next_reset(k, 0, "running", 1000);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_string_equal(reconnect_delay(k), "10");
}

/* srp_tmo_valid() keeps one timeout on: with the other two off, `off` is refused and skipped. */
static void the_last_timeout_stays_on(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "off", RPORT_DIR "/fast_io_fail_tmo");
	fake_kernel_next_reset(k, 0, "running", 1000);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "write"), 1);
	assert_string_equal(reconnect_delay(k), "10");
}

static void a_delay_that_cannot_be_written_ends_it(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	k->write_error_of = "/reconnect_delay";
	k->write_error = -ENODEV;
	done = fake_kernel_ask(k, REJOIN());
	assert_false(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "reset"), 0);
}

static void unit_attentions_are_asked_through(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	for (unsigned i = 0; i < 3; i++)
		fake_kernel_next_ready(k, 0, &unit_attention);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "ready?"), 5);
	assert_string_equal(reply_list(done, "reinstated"), "8:16 8:32");
}

static void unit_attentions_without_end_do_not_hold_us(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	for (unsigned i = 0; i < 8; i++)
		fake_kernel_next_ready(k, 0, &unit_attention);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_string_equal(reply_list(done, "reinstated"), "8:32");
	assert_string_equal(reply_list(done, "not_ready"), "8:16");
}

static void standby_counts_as_usable(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_ready(k, 0, &standby);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_string_equal(reply_list(done, "reinstated"), "8:16 8:32");
}

static void what_is_not_ready_stays_failed(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_ready(k, 0, &becoming_ready);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_string_equal(reply_list(done, "reinstated"), "8:32");
	assert_string_equal(reply_list(done, "not_ready"), "8:16");
	assert_int_equal(fake_kernel_count(k, "reinstate_path mpath-a"), 0);
}

static void no_answer_from_any_lun_is_a_failure(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_ready(k, -EINTR, NULL);
	fake_kernel_next_ready(k, -ENXIO, NULL);
	done = fake_kernel_ask(k, REJOIN());
	assert_false(reply_ok(done));
	assert_string_equal(reply_string(done, "rport_state"), "running");
	assert_string_equal(reply_list(done, "not_ready"), "8:16 8:32");
	assert_int_equal(fake_kernel_count(k, "reinstate_path"), 0);
}

static void a_map_that_is_gone_is_no_failure(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_dm(k, "mpath-a", "8:16", -ESTALE, 1);
	fake_kernel_next_dm(k, "mpath-b", "8:32", -EBUSY, 2);
	done = fake_kernel_ask(k, REJOIN());
	assert_true(reply_ok(done));
	assert_string_equal(reply_list(done, "reinstated"), "8:32");
	assert_int_equal(fake_kernel_count(k, "reinstate_path mpath-b"), 3);
}

static void dm_trouble_is_told(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_dm(k, "mpath-a", "8:16", -EIO, 1);
	done = fake_kernel_ask(k, REJOIN());
	assert_false(reply_ok(done));
	assert_string_equal(reply_list(done, "reinstated"), "8:32");
}

#define WITH_MULTIPATHD REJOIN(",\"multipathd\":true")

static void multipathd_is_told_of_what_was_reinstated(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	fake_kernel_next_ready(k, 0, &becoming_ready);
	k->multipathd_result = -EREMOTEIO;
	done = fake_kernel_ask(k, WITH_MULTIPATHD);
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "multipathd"), 1);
	assert_int_equal(fake_kernel_count(k, "multipathd sdc"), 1);
}

static void a_multipathd_that_does_not_run_is_asked_once(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_set(&k->sysfs, "running", RPORT_DIR "/state");
	k->multipathd_result = -ECONNREFUSED;
	done = fake_kernel_ask(k, WITH_MULTIPATHD);
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "multipathd"), 1);
}

static void bad_requests_touch_nothing(void **state)
{
	struct fake_kernel *k = *state;
	static const char *const bad[] = {
		"{\"msg\":\"rejoin\"}",
		REJOIN(",\"reconnect_delay\":\"ten\""),
		REJOIN(",\"reconnect_delay\":10"),
		REJOIN(",\"luns\":[1]"),
		REJOIN(",\"luns\":[{\"sg\":\"sg1\"}]"),
		REJOIN(",\"luns\":[{\"sg\":\"../sg1\",\"devno\":\"8:16\",\"disk\":\"sdb\"}]"),
		REJOIN(",\"maps\":{}"),
		REJOIN(",\"instance\":1"),
		REJOIN(",\"reconnect\":null"),
		REJOIN(",\"force\":1"),
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ struct json_object *done = fake_kernel_ask(k, bad[i]);

		assert_false(reply_ok(done));
		assert_string_equal(k->log, "");
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_down, actor_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_whole_thing_in_order),
		TEST(a_session_that_runs_is_not_reset),
		TEST(force_resets_what_runs),
		TEST(one_forced_reset_is_enough),
		TEST(a_stuck_session_is_reset_though_it_runs),
		TEST(a_target_that_refuses_is_asked_again),
		TEST(the_deadline_restores_the_delay),
		TEST(being_asked_to_end_restores_the_delay),
		TEST(no_node_restores_the_delay),
		TEST(the_delay_asked_for_is_set),
		TEST(the_last_timeout_stays_on),
		TEST(a_delay_that_cannot_be_written_ends_it),
		TEST(unit_attentions_are_asked_through),
		TEST(unit_attentions_without_end_do_not_hold_us),
		TEST(standby_counts_as_usable),
		TEST(what_is_not_ready_stays_failed),
		TEST(no_answer_from_any_lun_is_a_failure),
		TEST(a_map_that_is_gone_is_no_failure),
		TEST(dm_trouble_is_told),
		TEST(multipathd_is_told_of_what_was_reinstated),
		TEST(a_multipathd_that_does_not_run_is_asked_once),
		TEST(bad_requests_touch_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
