/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor_test.h"

#define FAIL(sg, maps, more)                                                                       \
	"{\"msg\":\"fail\",\"host\":\"host3\",\"rport\":\"port-3:1\",\"sg\":[" sg                  \
	"],\"maps\":[" maps "],\"interrupt_usec\":20000,\"deadline_usec\":2000000," more "}"
#define MAP_A "{\"name\":\"mpatha\",\"uuid\":\"mpath-a\",\"paths\":[\"8:16\"]}"
#define MAP_B "{\"name\":\"mpathb\",\"uuid\":\"mpath-b\",\"paths\":[\"8:32\"]}"
#define RESET "\"reset\":true"
#define SG "\"sg1\",\"sg2\""

/* Device-mapper first, then the reset, its alarm armed for the reset alone. */
static void the_whole_thing_in_order(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;
	uint64_t usec;

	fake_kernel_next_reset(k, -EIO, "fail-fast", 31000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A "," MAP_B, RESET));
	assert_true(reply_ok(done));
	assert_string_equal(reply_list(done, "failed"), "8:16 8:32");
	assert_string_equal(reply_string(done, "rport_state"), "fail-fast");
	assert_int_equal(json_get_u64(done, "reset_usec", UINT64_MAX, &usec), 0);
	assert_int_equal(usec, 31000);
	assert_int_equal(json_get_u64(done, "dm_usec", UINT64_MAX, &usec), 0);
	assert_string_equal(k->log, "fail_path mpath-a 8:16\n"
				    "fail_path mpath-b 8:32\n"
				    "open sg1\n"
				    "reap sg1\n"
				    "alarm 20000 10000\n"
				    "reset\n"
				    "disarm\n");
}

/* The neighbour is known before ib_srp asks for it, or its old queue pair would stay. */
static void the_neighbour_is_pinned_before_the_reset(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_reset(k, -EIO, "fail-fast", 31000);
	done = fake_kernel_ask(k,
			       FAIL(SG, "", RESET ",\"dest\":\"10.0.0.2:5555\",\"gid\":\"fe80\""));
	assert_true(reply_ok(done));
	assert_string_equal(k->log, "pin 10.0.0.2:5555 fe80\n"
				    "open sg1\nreap sg1\nalarm 20000 10000\nreset\ndisarm\n");
}

/* ib_srp could not be made to look at what it sent: the reset must reach its new queue pair. */
static void unseen_sends_get_the_reset_more_time(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	k->reap_result = -EBUSY;
	fake_kernel_next_reset(k, -EIO, "fail-fast", 31000);
	done = fake_kernel_ask(k, FAIL(SG, "", RESET));
	assert_true(reply_ok(done));
	assert_string_equal(k->log, "open sg1\nreap sg1\nalarm 400000 10000\nreset\ndisarm\n");
}

static void a_portal_without_its_gid_is_refused(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done =
		fake_kernel_ask(k, FAIL(SG, "", RESET ",\"dest\":\"10.0.0.2:5555\""));

	assert_false(reply_ok(done));
	assert_string_equal(k->log, "");
}

static void without_reset_only_dm(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	done = fake_kernel_ask(k, FAIL(SG, MAP_A, "\"reset\":false"));
	assert_true(reply_ok(done));
	assert_string_equal(reply_string(done, "rport_state"), "running");
	assert_string_equal(k->log, "fail_path mpath-a 8:16\n");
}

/* The transport was faster: its own timer decides, a reset would not help. */
static void no_reset_of_what_does_not_run(void **state)
{
	static const char *const states[] = { "blocked", "fail-fast", "lost" };
	struct fake_kernel *k = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(states); i++) {
		_cleanup_json_ struct json_object *done = NULL;

		fake_sysfs_set(&k->sysfs, states[i], RPORT_DIR "/state");
		done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
		assert_true(reply_ok(done));
		assert_string_equal(reply_string(done, "rport_state"), states[i]);
	}
	assert_int_equal(fake_kernel_count(k, "fail_path"), 3);
	assert_int_equal(fake_kernel_count(k, "reset"), 0);
}

/* The target answered before the interrupt: that is for the supervisor to know. */
static void a_reset_that_succeeds_is_reported(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_reset(k, 0, "running", 9000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
	assert_true(reply_ok(done));
	assert_string_equal(reply_string(done, "rport_state"), "running");
}

/* Interrupted before the rport's mutex was ours: nothing happened, the next alarm comes later. */
static void an_interrupt_too_early_is_repeated(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_reset(k, -EIO, NULL, 20000);
	fake_kernel_next_reset(k, -EIO, NULL, 40000);
	fake_kernel_next_reset(k, -EIO, "fail-fast", 80000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "alarm 20000 "), 1);
	assert_int_equal(fake_kernel_count(k, "alarm 40000 "), 1);
	assert_int_equal(fake_kernel_count(k, "alarm 80000 "), 1);
	assert_int_equal(fake_kernel_count(k, "disarm"), 3);
}

static void error_recovery_is_waited_out(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	for (unsigned i = 0; i < 5; i++)
		fake_kernel_next_reset(k, -EAGAIN, NULL, 10);
	fake_kernel_next_reset(k, -EIO, "fail-fast", 25000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "alarm 20000 10000"), 6);
}

static void the_deadline_ends_it(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_reset(k, -EIO, NULL, 900000);
	fake_kernel_next_reset(k, -EIO, NULL, 1200000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
	assert_false(reply_ok(done));
	assert_string_equal(reply_string(done, "rport_state"), "running");
	assert_string_equal(reply_list(done, "failed"), "8:16");
}

#define HOLD RESET ",\"reconnect_hold\":\"600\""

/* The queued reconnect is cancelled, queued far away, and the delay is as it was. */
static void the_kernels_reconnect_is_put_off(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_reset(k, -EIO, "fail-fast", 31000);
	done = fake_kernel_ask(k, FAIL(SG, "", HOLD));
	assert_true(reply_ok(done));
	assert_string_equal(k->log, "open sg1\nreap sg1\nalarm 20000 10000\nreset\ndisarm\n"
				    "write reconnect_delay off\n"
				    "write reconnect_delay 600\n"
				    "write reconnect_delay 10\n");
	assert_string_equal(fake_sysfs_get(&k->sysfs, RPORT_DIR "/reconnect_delay"), "10");
}

static void there_may_be_nothing_to_put_off(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *running = NULL, *off = NULL, *last = NULL;

	running = fake_kernel_ask(k, FAIL(SG, "", "\"reset\":false,\"reconnect_hold\":\"600\""));
	assert_true(reply_ok(running));
	fake_sysfs_set(&k->sysfs, "blocked", RPORT_DIR "/state");
	fake_sysfs_set(&k->sysfs, "off", RPORT_DIR "/reconnect_delay");
	off = fake_kernel_ask(k, FAIL(SG, "", HOLD));
	assert_true(reply_ok(off));
	assert_string_equal(k->log, "");
	/* The last timeout that is on: the kernel refuses `off`, and nothing else is written. */
	fake_sysfs_set(&k->sysfs, "10", RPORT_DIR "/reconnect_delay");
	fake_sysfs_set(&k->sysfs, "off", RPORT_DIR "/fast_io_fail_tmo");
	last = fake_kernel_ask(k, FAIL(SG, "", HOLD));
	assert_true(reply_ok(last));
	assert_string_equal(k->log, "write reconnect_delay off\n");
}

static void being_asked_to_end_ends_it(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	k->stop_after_resets = 1;
	fake_kernel_next_reset(k, -EIO, NULL, 5000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
	assert_false(reply_ok(done));
}

static void another_node_serves_as_well(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	k->sg_missing = "sg1";
	fake_kernel_next_reset(k, -EIO, "fail-fast", 25000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
	assert_true(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "open"), 2);
}

/* The number was given to a disk of another host: never reset that one. */
static void a_node_of_another_host_is_not_touched(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;
	uint64_t number;

	fake_sysfs_add_disk(&k->sysfs, &(struct fake_disk){ .host = 4, .lun = 0, .sg = "sg9" });
	done = fake_kernel_ask(k, FAIL("\"sg9\"", MAP_A, RESET));
	assert_false(reply_ok(done));
	assert_int_equal(json_get_u64(done, "errno", 4095, &number), 0);
	assert_int_equal(number, ESTALE);
	assert_int_equal(fake_kernel_count(k, "reset"), 0);
}

static void without_a_node_there_is_no_reset(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	done = fake_kernel_ask(k, FAIL("", MAP_A, RESET));
	assert_false(reply_ok(done));
	assert_string_equal(reply_list(done, "failed"), "8:16");
}

/* A map that is gone or does not hold the path any more sends no I/O there. */
static void a_map_that_is_gone_is_no_failure(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_dm(k, "mpath-a", "8:16", -ESTALE, 1);
	fake_kernel_next_dm(k, "mpath-b", "8:32", -ENOENT, 1);
	fake_kernel_next_reset(k, -EIO, "fail-fast", 25000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A "," MAP_B, RESET));
	assert_true(reply_ok(done));
	assert_string_equal(reply_list(done, "failed"), "");
}

/* A suspended map may wait for the very I/O that the reset frees: reset first, then again. */
static void a_suspended_map_comes_after_the_reset(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_dm(k, "mpath-a", "8:16", -EBUSY, 3);
	fake_kernel_next_reset(k, -EIO, "fail-fast", 25000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
	assert_true(reply_ok(done));
	assert_string_equal(reply_list(done, "failed"), "8:16");
	assert_string_equal(k->log, "fail_path mpath-a 8:16\n"
				    "open sg1\nreap sg1\nalarm 20000 10000\nreset\ndisarm\n"
				    "fail_path mpath-a 8:16\n"
				    "fail_path mpath-a 8:16\n"
				    "fail_path mpath-a 8:16\n");
}

static void dm_trouble_is_told_and_the_reset_done(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_kernel_next_dm(k, "mpath-a", "8:16", -ENOMEM, 1);
	fake_kernel_next_reset(k, -EIO, "fail-fast", 25000);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A "," MAP_B, RESET));
	assert_false(reply_ok(done));
	assert_string_equal(reply_list(done, "failed"), "8:32");
	assert_string_equal(reply_string(done, "rport_state"), "fail-fast");
}

static void a_session_that_is_gone_needs_no_reset(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	fake_sysfs_remove_session(&k->sysfs, 3);
	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET));
	assert_true(reply_ok(done));
	assert_string_equal(reply_string(done, "rport_state"), "unknown");
	assert_int_equal(fake_kernel_count(k, "reset"), 0);
}

/* Everything stops before the first message where the host number was given out anew. */
static void another_instance_is_not_touched(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	done = fake_kernel_ask(k, FAIL(SG, MAP_A, RESET ",\"instance\":1"));
	assert_false(reply_ok(done));
	assert_string_equal(k->log, "");
}

static void bad_requests_touch_nothing(void **state)
{
	struct fake_kernel *k = *state;
	static const char *const bad[] = {
		"{\"msg\":\"fail\"}",
		FAIL(SG, MAP_A, "\"x\":1"),
		FAIL(SG, MAP_A, "\"reset\":1"),
		FAIL("1", MAP_A, RESET),
		FAIL(SG, "1", RESET),
		FAIL(SG, "{\"name\":\"a\",\"uuid\":\"mpath-a\"}", RESET),
		FAIL(SG, "{\"name\":\"a\",\"uuid\":\"mpath-a\",\"paths\":[1]}", RESET),
		FAIL(SG, "{\"name\":\"a\",\"uuid\":\"mpath-a\",\"paths\":[\"8:16 x\"]}", RESET),
		FAIL(SG, MAP_A, RESET ",\"rport\":\"port-4:1\""),
		FAIL(SG, MAP_A, RESET ",\"rport\":\"../port-3:1\""),
		FAIL(SG, MAP_A, RESET ",\"host\":\"\""),
		FAIL(SG, MAP_A, RESET ",\"instance\":\"1\""),
		FAIL(SG, MAP_A, RESET ",\"reconnect_hold\":\"off\""),
		FAIL(SG, MAP_A, RESET ",\"reconnect_hold\":\"0\""),
		FAIL(SG, MAP_A, RESET ",\"reconnect_hold\":600"),
		FAIL(SG, MAP_A, RESET ",\"deadline_usec\":-1"),
		FAIL(SG, MAP_A, RESET ",\"interrupt_usec\":9000000"),
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ struct json_object *done = fake_kernel_ask(k, bad[i]);

		assert_false(reply_ok(done));
		assert_string_equal(k->log, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACTOR_TEST(the_whole_thing_in_order),
		ACTOR_TEST(the_neighbour_is_pinned_before_the_reset),
		ACTOR_TEST(unseen_sends_get_the_reset_more_time),
		ACTOR_TEST(a_portal_without_its_gid_is_refused),
		ACTOR_TEST(without_reset_only_dm),
		ACTOR_TEST(no_reset_of_what_does_not_run),
		ACTOR_TEST(a_reset_that_succeeds_is_reported),
		ACTOR_TEST(an_interrupt_too_early_is_repeated),
		ACTOR_TEST(error_recovery_is_waited_out),
		ACTOR_TEST(the_deadline_ends_it),
		ACTOR_TEST(the_kernels_reconnect_is_put_off),
		ACTOR_TEST(there_may_be_nothing_to_put_off),
		ACTOR_TEST(being_asked_to_end_ends_it),
		ACTOR_TEST(another_node_serves_as_well),
		ACTOR_TEST(a_node_of_another_host_is_not_touched),
		ACTOR_TEST(without_a_node_there_is_no_reset),
		ACTOR_TEST(a_map_that_is_gone_is_no_failure),
		ACTOR_TEST(a_suspended_map_comes_after_the_reset),
		ACTOR_TEST(dm_trouble_is_told_and_the_reset_done),
		ACTOR_TEST(a_session_that_is_gone_needs_no_reset),
		ACTOR_TEST(another_instance_is_not_touched),
		ACTOR_TEST(bad_requests_touch_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
