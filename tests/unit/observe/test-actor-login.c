/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor_test.h"

#define OPTIONS "id_ext=0000000000000011,ioc_guid=0000000000000022,dest=10.0.0.2:5555"
#define LOGIN(port, options, more)                                                                 \
	"{\"msg\":\"login\",\"port\":\"" port "\",\"options\":\"" options "\","                    \
	"\"fast_io_fail_tmo\":\"5\",\"reconnect_delay\":\"10\",\"dev_loss_tmo\":\"off\","          \
	"\"deadline_usec\":10000000" more "}"

/* What ib_srp starts with: reconnect_delay 10, fast_io_fail_tmo 15, dev_loss_tmo 600. */
static const struct fake_session fresh = {
	.host = 5,
	.device = "rxe0",
	.port = 1,
	.id_ext = 0x11,
	.ioc_guid = 0x22,
	.reconnect_delay = "10",
	.fast_io_fail_tmo = "15",
	.dev_loss_tmo = "600",
};

static int setup(void **state)
{
	struct fake_kernel *k = malloc(sizeof(*k));

	fake_kernel_open(k);
	fake_sysfs_add_port(&k->sysfs, "rxe0", 1, 1);
	*state = k;
	return 0;
}

static void a_login_and_its_timeouts(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	k->add_target_makes = &fresh;
	done = fake_kernel_ask(k, LOGIN("rxe0:1", OPTIONS, ""));
	assert_true(reply_ok(done));
	assert_string_equal(reply_string(done, "host"), "host5");
	assert_string_equal(reply_string(done, "rport"), "port-5:1");
	assert_string_equal(k->log, "alarm 10000000 100000\n"
				    "write add_target " OPTIONS "\n"
				    "disarm\n"
				    "write fast_io_fail_tmo 5\n"
				    "write dev_loss_tmo off\n");
}

/* Another session of the same target, or another login at the same time, is not ours. */
static void the_new_host_is_the_new_one(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;
	struct fake_session other = fresh;

	other.host = 4;
	fake_sysfs_add_session(&k->sysfs, &other);
	other.host = 6;
	other.ioc_guid = 0x33;
	fake_sysfs_add_session(&k->sysfs, &other);
	k->add_target_makes = &fresh;
	done = fake_kernel_ask(k, LOGIN("rxe0:1", OPTIONS, ""));
	assert_true(reply_ok(done));
	assert_string_equal(reply_string(done, "host"), "host5");
}

static void a_login_without_a_host_is_a_failure(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;
	struct fake_session elsewhere = fresh;

	elsewhere.device = "rxe1";
	k->add_target_makes = &elsewhere;
	done = fake_kernel_ask(k, LOGIN("rxe0:1", OPTIONS, ""));
	assert_false(reply_ok(done));
	assert_int_equal(fake_kernel_count(k, "write fast"), 0);
}

static void errors_have_words(void **state)
{
	static const struct {
		int result;
		int number;
		const char *words;
	} cases[] = {
		{ -EEXIST, EEXIST, "already logged in" },
		{ -EINVAL, EINVAL, "refused the parameters" },
		{ -ECONNRESET, ECONNRESET, "rejected" },
		{ -EHOSTUNREACH, EHOSTUNREACH, "no route" },
		{ -ENODEV, ENODEV, "no path" },
		{ -EINTR, ETIMEDOUT, "login timeout" },
		{ -ETIMEDOUT, ETIMEDOUT, "login timeout" },
		{ -EFBIG, EFBIG, "too large" },
	};
	struct fake_kernel *k = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ struct json_object *done = NULL;
		uint64_t number;

		k->add_target_result = cases[i].result;
		done = fake_kernel_ask(k, LOGIN("rxe0:1", OPTIONS, ""));
		assert_false(reply_ok(done));
		assert_int_equal(json_get_u64(done, "errno", 4095, &number), 0);
		assert_int_equal(number, cases[i].number);
		assert_non_null(strstr(reply_string(done, "error"), cases[i].words));
	}
}

static void a_port_that_is_not_there(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = fake_kernel_ask(k, LOGIN("rxe7:1", OPTIONS, ""));

	assert_false(reply_ok(done));
	assert_non_null(strstr(reply_string(done, "error"), "no such HCA port"));
}

/* We are logged in: the supervisor must know, and sees the timeouts itself. */
static void timeouts_that_fail_leave_a_login(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done = NULL;

	k->add_target_makes = &fresh;
	k->write_error_of = "/dev_loss_tmo";
	k->write_error = -EIO;
	done = fake_kernel_ask(k, LOGIN("rxe0:1", OPTIONS, ""));
	assert_true(reply_ok(done));
	assert_string_equal(reply_string(done, "host"), "host5");
	assert_non_null(strstr(reply_string(done, "error"), "dev_loss_tmo"));
}

static void bad_requests_touch_nothing(void **state)
{
	struct fake_kernel *k = *state;
	static const char *const bad[] = {
		"{\"msg\":\"login\"}",
		LOGIN("rxe0", OPTIONS, ""),
		LOGIN("rxe0:", OPTIONS, ""),
		LOGIN(":1", OPTIONS, ""),
		LOGIN("../x:1", OPTIONS, ""),
		LOGIN("rxe0:1", "", ""),
		LOGIN("rxe0:1", "id_ext=1", ""),
		LOGIN("rxe0:1", "ioc_guid=1,id_extra=2", ""),
		LOGIN("rxe0:1", "id_ext=12345678901234567,ioc_guid=1", ""),
		LOGIN("rxe0:1", "id_ext=xyz,ioc_guid=1", ""),
		LOGIN("rxe0:1", OPTIONS "\\n" OPTIONS, ""),
		LOGIN("rxe0:1", OPTIONS, ",\"dev_loss_tmo\":\"never\""),
		LOGIN("rxe0:1", OPTIONS, ",\"dev_loss_tmo\":null"),
		LOGIN("rxe0:1", OPTIONS, ",\"deadline_usec\":700000000"),
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ struct json_object *done = fake_kernel_ask(k, bad[i]);

		assert_false(reply_ok(done));
		assert_string_equal(k->log, "");
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, actor_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_login_and_its_timeouts),
		TEST(the_new_host_is_the_new_one),
		TEST(a_login_without_a_host_is_a_failure),
		TEST(errors_have_words),
		TEST(a_port_that_is_not_there),
		TEST(timeouts_that_fail_leave_a_login),
		TEST(bad_requests_touch_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
