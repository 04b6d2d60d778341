/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program itself, against a daemon that is a child of this test and answers whatever the case
 * wants: exit status, what is said on stderr, what is asked on the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "ctl/command.h"
#include "wire/varlink.h"

struct fixture {
	char dir[32];
	char socket[64];
	int listener;
	char *out, *err; /* of the last run */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test-srphactl-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->socket, sizeof(f->socket), "%s/io.srpha", f->dir);
	strcpy(sa.sun_path, f->socket);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->listener >= 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(f->listener, 4), 0);
	assert_int_equal(setenv("SRPHA_SOCKET", f->socket, 1), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	closep(&f->listener);
	unlink(f->socket);
	rmdir(f->dir);
	free(f->out);
	free(f->err);
	free(f);
	return 0;
}

static char *slurp(int fd)
{
	char *text = calloc(1, 65536);

	assert_non_null(text);
	for (size_t n = 0; n < 65535;) {
		ssize_t r = pread(fd, text + n, 65535 - n, (off_t)n);

		assert_true(r >= 0);
		if (r == 0)
			break;
		n += (size_t)r;
	}
	close(fd);
	return text;
}

/* Runs srphactl with the arguments (NULL-terminated): its exit status. */
static int run(struct fixture *f, ...)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC), status;
	const char *args[8] = { "srphactl" };
	va_list ap;
	pid_t pid;

	assert_true(out >= 0 && err >= 0);
	va_start(ap, f);
	for (unsigned i = 1; i < 7 && (args[i] = va_arg(ap, const char *)); i++)
		;
	va_end(ap);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execv(getenv("SRPHACTL"), (char *const *)args);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(f->out);
	free(f->err);
	f->out = slurp(out);
	f->err = slurp(err);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/*
 * One connection: takes a call, checks it against `expected` (NULL: any), answers the bytes, hangs
 * up. The child's exit status tells whether the call was the expected one.
 */
static pid_t serve(struct fixture *f, const char *expected, const char *answer, size_t len)
{
	pid_t pid = fork();
	char call[4096];
	size_t n = 0;
	int fd;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	alarm(20);
	fd = accept(f->listener, NULL, NULL);
	while (n < sizeof(call) && (n == 0 || call[n - 1] != '\0')) {
		ssize_t r = recv(fd, call + n, sizeof(call) - n, 0);

		if (r <= 0)
			_exit(2);
		n += (size_t)r;
	}
	for (size_t sent = 0; sent < len;) {
		ssize_t r = send(fd, answer + sent, len - sent, MSG_NOSIGNAL);

		if (r <= 0)
			_exit(3);
		sent += (size_t)r;
	}
	_exit(expected && strcmp(call, expected) != 0);
}

static void served(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define STATUS_CALL "{\"method\":\"io.srpha.Status\",\"parameters\":{}}"

static void exit_statuses(void **state)
{
	static const struct {
		const char *answer;
		int status;
		const char *said;
	} cases[] = {
		{ "{\"parameters\":{\"health\":\"healthy\"}}", CTL_OK, "" },
		{ "{\"parameters\":{\"health\":\"degraded\"}}", CTL_DEGRADED, "" },
		{ "{\"parameters\":{\"health\":\"critical\"}}", CTL_CRITICAL, "" },
		{ "{\"parameters\":{\"health\":\"splendid\"}}", CTL_ERROR, "names no health" },
		{ "{\"parameters\":{\"health\":1}}", CTL_ERROR, "names no health" },
		{ "{}", CTL_ERROR, "names no health" },
		{ "{\"parameters\":[]}", CTL_ERROR, "does not speak varlink" },
		{ "{\"error\":5}", CTL_ERROR, "does not speak varlink" },
		{ "hello", CTL_ERROR, "does not speak varlink" },
		{ "", CTL_ERROR, "does not speak varlink" },
		{ "{\"error\":\"io.srpha.Whim\"}", CTL_ERROR,
		  "answered with an error: io.srpha.Whim" },
		{ "{\"error\":\"\\u001b[2J\"}", CTL_ERROR, "answered with an error: \\x1b[2J" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		pid_t pid = serve(f, STATUS_CALL, cases[i].answer, strlen(cases[i].answer) + 1);

		assert_int_equal(run(f, "status", NULL), cases[i].status);
		served(pid);
		if (*cases[i].said)
			assert_non_null(strstr(f->err, cases[i].said));
		else
			assert_string_equal(f->err, "");
	}
}

static void json_is_the_reply(void **state)
{
	static const char answer[] = "{\"parameters\":{\"health\":\"degraded\",\"new_field\":[1]}}";
	struct fixture *f = *state;
	_cleanup_json_ struct json_object *got = NULL, *sent = json_tokener_parse(answer);
	pid_t pid = serve(f, STATUS_CALL, answer, sizeof(answer));
	struct json_object *parameters;

	assert_int_equal(run(f, "--json", "status", NULL), CTL_DEGRADED);
	served(pid);
	got = json_tokener_parse(f->out);
	assert_int_equal(json_get_object(sent, "parameters", &parameters), 0);
	assert_true(json_object_equal(got, parameters));
}

static void long_answers_arrive_whole(void **state)
{
	const size_t len = 4 * 1024 * 1024;
	struct fixture *f = *state;
	char *answer = malloc(len);
	pid_t pid;

	assert_non_null(answer);
	memset(answer, ' ', len);
	memcpy(answer, "{\"parameters\":{\"health\":\"healthy\"", 33);
	memcpy(answer + len - 3, "}}", 3);
	pid = serve(f, STATUS_CALL, answer, len);
	assert_int_equal(run(f, "status", NULL), CTL_OK);
	served(pid);
	free(answer);
}

static void not_running(void **state)
{
	struct fixture *f = *state;

	closep(&f->listener);
	f->listener = -EBADF;
	assert_int_equal(run(f, "status", NULL), CTL_ERROR);
	assert_non_null(strstr(f->err, "srpha is not running: nobody listens at "));
	unlink(f->socket);
	assert_int_equal(run(f, "status", NULL), CTL_ERROR);
	assert_non_null(strstr(f->err, "srpha is not running: no socket at "));
	assert_non_null(strstr(f->err, "start it with systemctl start srpha"));
	assert_string_equal(f->out, "");
}

static void hangs_up_half_way(void **state)
{
	struct fixture *f = *state;
	pid_t pid = serve(f, NULL, "{\"param", 7);

	assert_int_equal(run(f, "status", NULL), CTL_ERROR);
	served(pid);
	assert_non_null(strstr(f->err, "hung up without an answer"));
}

/* Accepted by the kernel's backlog, never read: the wait is bounded. */
static void never_answers(void **state)
{
	struct fixture *f = *state;
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(run(f, "status", NULL), CTL_ERROR);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_non_null(strstr(f->err, "did not answer"));
	assert_in_range(b.tv_sec - a.tv_sec, 4, 15);
}

static void path_commands(void **state)
{
	static const struct {
		const char *command, *call, *answer;
		int status;
		const char *out, *err;
	} cases[] = {
		{ "failover",
		  "{\"method\":\"io.srpha.Failover\",\"parameters\":{\"path\":\"lab\\/p\"}}",
		  "{\"parameters\":{}}", CTL_OK, "lab/p is being taken out", "" },
		{ "drain", "{\"method\":\"io.srpha.Drain\",\"parameters\":{\"path\":\"lab\\/p\"}}",
		  "{\"error\":\"io.srpha.NoSuchPath\",\"parameters\":{\"path\":\"lab/p\"}}",
		  CTL_ERROR, "", "there is no path lab/p; " },
		{ "drain", "{\"method\":\"io.srpha.Drain\",\"parameters\":{\"path\":\"lab\\/p\"}}",
		  "{\"error\":\"io.srpha.LastPath\",\"parameters\":{\"map\":\"mp\\u0007a\"}}",
		  CTL_ERROR, "", "last usable path of mp\\x07a" },
		{ "undrain",
		  "{\"method\":\"io.srpha.Undrain\",\"parameters\":{\"path\":\"lab\\/p\"}}",
		  "{\"error\":\"org.varlink.service.PermissionDenied\"}", CTL_ERROR, "",
		  "only root may do this" },
		{ "failover",
		  "{\"method\":\"io.srpha.Failover\",\"parameters\":{\"path\":\"lab\\/p\"}}",
		  "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":3}"
		  "}",
		  CTL_ERROR, "", "does not know ?" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		pid_t pid = serve(f, cases[i].call, cases[i].answer, strlen(cases[i].answer) + 1);

		assert_int_equal(run(f, cases[i].command, "lab/p", NULL), cases[i].status);
		served(pid);
		assert_true(strstr(f->out, cases[i].out) == f->out);
		assert_non_null(strstr(f->err, cases[i].err));
	}
}

static void reload_prints_every_mistake(void **state)
{
	static const char answer[] = "{\"error\":\"io.srpha.ConfigInvalid\",\"parameters\":"
				     "{\"mistakes\":[\"a:1: one\",7,\"a:2: \\ntwo\"]}}";
	struct fixture *f = *state;
	pid_t pid = serve(f, "{\"method\":\"io.srpha.Reload\",\"parameters\":{}}", answer,
			  sizeof(answer));

	assert_int_equal(run(f, "reload", NULL), CTL_ERROR);
	served(pid);
	assert_string_equal(f->err,
			    "srphactl: the configuration has mistakes; the one in use stays\n"
			    "a:1: one\n7\na:2: \\x0atwo\n");
	pid = serve(f, NULL, "{}", 3);
	assert_int_equal(run(f, "reload", NULL), CTL_OK);
	served(pid);
}

static void misuse(void **state)
{
	struct fixture *f = *state;

	closep(&f->listener);
	f->listener = -EBADF;
	assert_int_equal(run(f, NULL), CTL_ERROR);
	assert_int_equal(run(f, "statu", NULL), CTL_ERROR);
	assert_int_equal(run(f, "--jason", "status", NULL), CTL_ERROR);
	assert_int_equal(run(f, "status", "extra", NULL), CTL_ERROR);
	assert_non_null(strstr(f->err, "too many arguments"));
	assert_int_equal(run(f, "drain", NULL), CTL_ERROR);
	assert_non_null(strstr(f->err, "needs a path"));
	assert_int_equal(run(f, "reload", "--watch", NULL), CTL_ERROR);
	assert_int_equal(run(f, "status", "--config", "x", NULL), CTL_ERROR);
	assert_int_equal(run(f, "--help", NULL), CTL_OK);
	assert_non_null(strstr(f->out, "undrain  PATH"));
	assert_int_equal(run(f, "--version", NULL), CTL_OK);
	assert_string_equal(f->out, "srphactl " SRPHA_VERSION "\n");
}

static void write_text(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static void check_finds_every_mistake(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = NULL, *rules = NULL, *text = NULL;
	_cleanup_json_ struct json_object *o = NULL;
	struct json_object *list;

	assert_true(asprintf(&path, "%s/x.conf", f->dir) > 0);
	write_text(path, "[timeouts]\nfast_io_fail_tmo = soon\nnonsense = 1\n"
			 "[discovery]\nrules = none\n");
	assert_int_equal(run(f, "check", "--config", path, NULL), CTL_ERROR);
	assert_non_null(strstr(f->err, "x.conf:2: "));
	assert_non_null(strstr(f->err, "x.conf:3: "));
	assert_int_equal(run(f, "check", "--json", "--config", path, NULL), CTL_ERROR);
	o = json_tokener_parse(f->out);
	assert_int_equal(json_get_array(o, "mistakes", 2, &list), 0);
	assert_int_equal(json_object_array_length(list), 2);
	write_text(path, "[target lab]\ndest = 10.0.0.2:5555\n[discovery]\nrules = none\n");
	assert_int_equal(run(f, "check", "--config", path, NULL), CTL_OK);
	assert_non_null(strstr(f->out, "x.conf: no mistakes, 1 target\n"));
	/* a mistake in the rules file is one of the configuration */
	assert_true(asprintf(&rules, "%s/rules", f->dir) > 0);
	write_text(rules, "d id_ext=1\na\n");
	assert_true(asprintf(&text, "[rule x]\naction = deny\n[discovery]\nrules = %s\n", rules) >
		    0);
	write_text(path, text);
	assert_int_equal(run(f, "check", "--config", path, NULL), CTL_OK);
	assert_non_null(strstr(f->out, "x.conf: no mistakes, 0 targets, 3 rules\n"));
	write_text(rules, "d\nallow\n");
	assert_int_equal(run(f, "check", "--config", path, NULL), CTL_ERROR);
	assert_non_null(strstr(f->err, "/rules:2: "));
	unlink(rules);
	unlink(path);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(exit_statuses),
		T(json_is_the_reply),
		T(long_answers_arrive_whole),
		T(not_running),
		T(hangs_up_half_way),
		T(never_answers),
		T(path_commands),
		T(reload_prints_every_mistake),
		T(misuse),
		T(check_finds_every_mistake),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("srphactl", tests, NULL, NULL);
}
