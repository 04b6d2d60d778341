/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol around the verbs, the two small verbs, and signals as the real operations take them. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "actor/lun.h"
#include "actor_test.h"

static int serve_text(struct fake_kernel *k, const char *text)
{
	struct actor a = { .root_fd = k->sysfs.root_fd, .ops = &fake_ops };
	_cleanup_close_ int ours = -EBADF, theirs = -EBADF;

	assert_int_equal(channel_pair(&ours, &theirs), 0);
	if (text)
		assert_int_equal(send(ours, text, strlen(text), 0), strlen(text));
	shutdown(ours, SHUT_WR);
	return actor_serve(&a, theirs);
}

static void end_of_file_is_no_error(void **state)
{
	assert_int_equal(serve_text(*state, NULL), 0);
}

static void garbage_is_an_error(void **state)
{
	assert_int_equal(serve_text(*state, "garbage"), -EBADMSG);
	assert_int_equal(serve_text(*state, "[]"), -EBADMSG);
}

static void a_supervisor_that_went_away_is_told_by_the_result(void **state)
{
	struct fake_kernel *k = *state;
	struct actor a = { .root_fd = k->sysfs.root_fd, .ops = &fake_ops };
	static const char text[] = "{\"msg\":\"logout\",\"rport\":\"port-3:1\"}";
	_cleanup_close_ int theirs = -EBADF;
	int ours;

	assert_int_equal(channel_pair(&ours, &theirs), 0);
	assert_int_equal(send(ours, text, strlen(text), 0), strlen(text));
	close(ours);
	/* The request was made: it is done. */
	assert_int_equal(actor_serve(&a, theirs), -EPIPE);
	assert_string_equal(k->log, "write delete 1\n");
}

static void unknown_verbs_are_answered(void **state)
{
	static const char *const unknown[] = { "{}", "{\"msg\":\"dance\"}", "{\"msg\":1}" };

	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		_cleanup_json_ struct json_object *done = fake_kernel_ask(*state, unknown[i]);

		assert_false(reply_ok(done));
	}
}

static void logout_deletes(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done =
		fake_kernel_ask(k, "{\"msg\":\"logout\",\"rport\":\"port-3:1\"}");
	_cleanup_json_ struct json_object *gone =
		fake_kernel_ask(k, "{\"msg\":\"logout\",\"rport\":\"port-9:1\"}");
	_cleanup_json_ struct json_object *bad =
		fake_kernel_ask(k, "{\"msg\":\"logout\",\"rport\":\"../x\"}");

	assert_true(reply_ok(done));
	assert_false(reply_ok(gone));
	assert_false(reply_ok(bad));
	assert_int_equal(fake_kernel_count(k, "write delete 1"), 2);
}

#define TIMEOUTS(rport, reconnect, fast_fail, loss)                                                \
	"{\"msg\":\"timeouts\",\"rport\":\"" rport "\",\"reconnect_delay\":\"" reconnect           \
	"\",\"fast_io_fail_tmo\":\"" fast_fail "\",\"dev_loss_tmo\":\"" loss "\"}"

static void timeouts_are_set(void **state)
{
	struct fake_kernel *k = *state;
	_cleanup_json_ struct json_object *done =
		fake_kernel_ask(k, TIMEOUTS("port-3:1", "off", "off", "60"));

	assert_true(reply_ok(done));
	assert_string_equal(fake_sysfs_get(&k->sysfs, RPORT_DIR "/reconnect_delay"), "off");
	assert_string_equal(fake_sysfs_get(&k->sysfs, RPORT_DIR "/fast_io_fail_tmo"), "off");
	assert_string_equal(fake_sysfs_get(&k->sysfs, RPORT_DIR "/dev_loss_tmo"), "60");
	assert_int_equal(fake_kernel_count(k, "write"), 3);
}

static void timeouts_that_cannot_be_are_refused(void **state)
{
	struct fake_kernel *k = *state;
	static const char *const bad[] = {
		TIMEOUTS("port-3:1", "off", "off", "off"), TIMEOUTS("port-3:1", "0", "5", "off"),
		TIMEOUTS("port-3:1", "10", "601", "off"),  TIMEOUTS("port-3:1", "10", "60", "60"),
		TIMEOUTS("port-3:1", "10", "5", "soon"),   TIMEOUTS("port-9:1", "10", "5", "60"),
		TIMEOUTS("/port-3:1", "10", "5", "60"),
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ struct json_object *done = fake_kernel_ask(k, bad[i]);

		assert_false(reply_ok(done));
	}
	assert_string_equal(k->log, "");
}

static const struct {
	const char *what;
	struct lun_answer answer;
	enum lun_verdict verdict;
} judgements[] = {
	{ "good", { 0 }, LUN_READY },
	{ "reserved by another", { .status = 0x18 }, LUN_READY },
	{ "busy", { .status = 0x08 }, LUN_RETRY },
	{ "task set full", { .status = 0x28 }, LUN_RETRY },
	{ "unknown status", { .status = 0x40 }, LUN_NOT_READY },
	{ "given back by the reset", { .host_status = 0x08 }, LUN_RETRY },
	{ "transport disrupted", { .host_status = 0x0e }, LUN_RETRY },
	{ "transport failed fast", { .host_status = 0x0f }, LUN_NOT_READY },
	{ "no connect", { .host_status = 0x01 }, LUN_NOT_READY },
	{ "timed out", { .host_status = 0x03 }, LUN_NOT_READY },
	{ "unit attention", { 2, 0, { 0x70, 0, 6, [12] = 0x3f, [13] = 0x0e }, 18 }, LUN_RETRY },
	{ "unit attention, descriptor", { 2, 0, { 0x72, 6, 0x29, 0 }, 8 }, LUN_RETRY },
	{ "standby", { 2, 0, { 0x70, 0, 2, [12] = 4, [13] = 0xb }, 18 }, LUN_STANDBY },
	{ "unavailable, descriptor", { 2, 0, { 0x72, 2, 4, 0xc }, 8 }, LUN_STANDBY },
	{ "in transition", { 2, 0, { 0x70, 0, 2, [12] = 4, [13] = 0xa }, 18 }, LUN_NOT_READY },
	{ "not ready, no reason", { 2, 0, { 0x70, 0, 2 }, 18 }, LUN_NOT_READY },
	{ "recovered", { 2, 0, { 0x70, 0, 1 }, 18 }, LUN_READY },
	{ "aborted", { 2, 0, { 0x70, 0, 0xb }, 18 }, LUN_RETRY },
	{ "hardware error", { 2, 0, { 0x70, 0, 4 }, 18 }, LUN_NOT_READY },
	{ "no sense", { 2, 0, { 0 }, 0 }, LUN_NOT_READY },
	{ "sense cut short", { 2, 0, { 0x70, 0, 6 }, 8 }, LUN_NOT_READY },
	{ "descriptor cut short", { 2, 0, { 0x72, 6 }, 3 }, LUN_NOT_READY },
};

static void luns_are_judged(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(judgements); i++) {
		print_message("  %s\n", judgements[i].what);
		assert_int_equal(lun_judge(&judgements[i].answer), judgements[i].verdict);
	}
}

/* In a child, as handlers and masks are the process's own. Exit status 0: as it must be. */
static int signals_interrupt(void)
{
	sigset_t all;
	char byte;
	int fds[2];

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (actor_signals_setup() < 0 || pipe(fds) < 0)
		return 1;
	actor_kernel_ops.alarm(2000, 1000);
	for (unsigned i = 0; i < 3; i++)
		if (read(fds[0], &byte, 1) >= 0 || errno != EINTR)
			return 2;
	actor_kernel_ops.alarm(0, 0);
	if (actor_kernel_ops.stopped())
		return 3;
	raise(SIGTERM);
	return actor_kernel_ops.stopped() ? 0 : 4;
}

static void our_signals_interrupt_and_repeat(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(signals_interrupt());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The program itself: argv[1], or left out where there is none. */
static const char *program;

static int run_program(int fd)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		/* dup2() onto itself would keep close-on-exec. */
		int high = fcntl(fd, F_DUPFD, 10);

		dup2(high, 3);
		close(high);
		execl(program, program, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_program_answers_and_ends(void **state)
{
	static const char text[] = "{\"msg\":\"logout\",\"rport\":\"port-4095:4095\"}";
	_cleanup_json_ struct json_object *started = NULL, *done = NULL;
	int ours, theirs;

	if (!program)
		skip();
	assert_int_equal(channel_pair(&ours, &theirs), 0);
	assert_int_equal(send(ours, text, strlen(text), 0), strlen(text));
	assert_int_equal(run_program(theirs), 0);
	assert_int_equal(channel_recv(ours, &started), 1);
	assert_string_equal(reply_string(started, "msg"), "started");
	assert_int_equal(channel_recv(ours, &done), 1);
	assert_false(reply_ok(done));
	close(ours);
	close(theirs);

	/* Nobody there: it ends by itself. */
	assert_int_equal(channel_pair(&ours, &theirs), 0);
	close(ours);
	assert_int_equal(run_program(theirs), 0);
	close(theirs);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ACTOR_TEST(end_of_file_is_no_error),
		ACTOR_TEST(garbage_is_an_error),
		ACTOR_TEST(a_supervisor_that_went_away_is_told_by_the_result),
		ACTOR_TEST(unknown_verbs_are_answered),
		ACTOR_TEST(logout_deletes),
		ACTOR_TEST(timeouts_are_set),
		ACTOR_TEST(timeouts_that_cannot_be_are_refused),
		cmocka_unit_test(luns_are_judged),
		cmocka_unit_test(our_signals_interrupt_and_repeat),
		cmocka_unit_test(the_program_answers_and_ends),
	};

	program = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
