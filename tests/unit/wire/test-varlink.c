/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Varlink framing over a real socket pair: what arrives in pieces, together, too long, as garbage;
 * what leaves in pieces.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "wire/interface.h"
#include "wire/varlink.h"

#define IN_MAX 64

struct fixture {
	int peer, fd;
	struct varlink_stream s;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	assert_non_null(f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	f->peer = fds[0];
	f->fd = fds[1];
	varlink_stream_init(&f->s, f->fd, IN_MAX, 1024 * 1024);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	varlink_stream_clear(&f->s);
	if (f->peer >= 0)
		close(f->peer);
	close(f->fd);
	free(f);
	return 0;
}

static void feed(struct fixture *f, const void *data, size_t len)
{
	assert_int_equal(send(f->peer, data, len, MSG_NOSIGNAL), len);
}

static void expect_method(struct fixture *f, const char *method)
{
	struct json_object *o = NULL;
	const char *s;

	assert_int_equal(varlink_stream_next(&f->s, &o), 1);
	assert_int_equal(json_get_string(o, "method", &s), 0);
	assert_string_equal(s, method);
	json_object_put(o);
}

static void expect_none(struct fixture *f)
{
	struct json_object *o = NULL;

	assert_int_equal(varlink_stream_next(&f->s, &o), 0);
	assert_null(o);
}

static void nothing_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(varlink_stream_read(&f->s), -EAGAIN);
	expect_none(f);
}

static void one_byte_at_a_time(void **state)
{
	static const char text[] = "{\"method\":\"a.B\"}";
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(text); i++) {
		expect_none(f);
		feed(f, text + i, 1);
		assert_int_equal(varlink_stream_read(&f->s), 1);
	}
	expect_method(f, "a.B");
	expect_none(f);
}

static void several_in_one_read(void **state)
{
	static const char text[] =
		"{\"method\":\"a\"}\0{\"method\":\"b\"}\0{\"method\":\"c\"}\0{\"me";
	struct fixture *f = *state;

	feed(f, text, sizeof(text) - 1);
	assert_int_equal(varlink_stream_read(&f->s), 1);
	expect_method(f, "a");
	expect_method(f, "b");
	expect_method(f, "c");
	expect_none(f);
	feed(f, "thod\":\"d\"}", 11);
	assert_int_equal(varlink_stream_read(&f->s), 1);
	expect_method(f, "d");
	expect_none(f);
}

static void the_longest_fits(void **state)
{
	struct fixture *f = *state;
	char text[IN_MAX + 1];
	struct json_object *o = NULL;

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"a\":1", 6);
	text[IN_MAX - 1] = '}';
	text[IN_MAX] = '\0';
	feed(f, text, sizeof(text));
	assert_int_equal(varlink_stream_read(&f->s), 1);
	assert_int_equal(varlink_stream_next(&f->s, &o), 1);
	json_object_put(o);
}

static void one_byte_longer_does_not(void **state)
{
	struct fixture *f = *state;
	char text[IN_MAX + 1];

	memset(text, 'x', sizeof(text));
	feed(f, text, sizeof(text));
	assert_int_equal(varlink_stream_read(&f->s), -E2BIG);
	assert_int_equal(varlink_stream_read(&f->s), -E2BIG);
	assert_true(f->s.in_size <= IN_MAX + 1);
}

static void untaken_messages_push_back(void **state)
{
	struct fixture *f = *state;
	char text[IN_MAX + 1] = { 0 };

	feed(f, text, sizeof(text));
	assert_int_equal(varlink_stream_read(&f->s), 1);
	feed(f, text, 1);
	assert_int_equal(varlink_stream_read(&f->s), -ENOBUFS);
	assert_true(f->s.in_size <= IN_MAX + 1);
}

static void garbage_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"}",
		"[]",
		"1",
		"null",
		"\"x\"",
		"{\"a\":1}x",
		"{\"a\":1}{\"b\":2}",
		"{\"a\":\"\xff\"}",
		"{a:1}",
		"{\"a\":1,}",
		"GET / HTTP/1.1\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_object *o = NULL;

		feed(f, bad[i], strlen(bad[i]) + 1);
		assert_int_equal(varlink_stream_read(&f->s), 1);
		assert_int_equal(varlink_stream_next(&f->s, &o), -EBADMSG);
		assert_null(o);
		expect_none(f);
	}
	feed(f, "{\"method\":\"still.Alive\"}", 25);
	assert_int_equal(varlink_stream_read(&f->s), 1);
	expect_method(f, "still.Alive");
}

static void deep_nesting_is_refused(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = NULL;
	char text[IN_MAX];

	memset(text, '[', sizeof(text));
	memcpy(text, "{\"a\":", 5);
	text[IN_MAX - 1] = '\0';
	feed(f, text, sizeof(text));
	assert_int_equal(varlink_stream_read(&f->s), 1);
	assert_int_equal(varlink_stream_next(&f->s, &o), -EBADMSG);
}

static void end_of_file(void **state)
{
	struct fixture *f = *state;

	feed(f, "{\"half\"", 7);
	close(f->peer);
	f->peer = -EBADF;
	assert_int_equal(varlink_stream_read(&f->s), 1);
	expect_none(f);
	assert_int_equal(varlink_stream_read(&f->s), 0);
}

/* A long message leaves in pieces and arrives whole. */
static void partial_writes(void **state)
{
	struct fixture *f = *state;
	struct varlink_stream peer;
	struct json_object *o = json_object_new_object(), *got = NULL;
	char *big = malloc(600001);
	unsigned rounds = 0;
	const char *s;
	int r;

	assert_non_null(big);
	memset(big, 'x', 600000);
	big[600000] = '\0';
	json_put_string(o, "big", big);
	varlink_stream_init(&peer, f->peer, VARLINK_REPLY_MAX, 1);
	assert_int_equal(varlink_stream_queue(&f->s, o), 0);
	do {
		r = varlink_stream_flush(&f->s);
		assert_true(r >= 0);
		while (varlink_stream_read(&peer) == 1)
			;
		rounds++;
	} while (r == 0);
	assert_true(rounds > 1);
	assert_int_equal(varlink_stream_next(&peer, &got), 1);
	assert_int_equal(json_get_string(got, "big", &s), 0);
	assert_string_equal(s, big);
	json_object_put(got);
	json_object_put(o);
	varlink_stream_clear(&peer);
	free(big);
}

static void queue_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = varlink_call("a.B", NULL);
	size_t one = strlen(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) + 1;

	f->s.out_max = 2 * one;
	assert_int_equal(varlink_stream_queue(&f->s, o), 0);
	assert_int_equal(varlink_stream_queue(&f->s, o), 0);
	assert_int_equal(varlink_stream_queue(&f->s, o), -ENOBUFS);
	assert_int_equal(varlink_stream_flush(&f->s), 1);
	assert_int_equal(varlink_stream_queue(&f->s, o), 0);
	f->s.out_max = one - 1;
	assert_int_equal(varlink_stream_flush(&f->s), 1);
	assert_int_equal(varlink_stream_queue(&f->s, o), -ENOBUFS);
	json_object_put(o);
}

/* A message queued behind a half-sent one does not disturb it. */
static void queue_behind_a_partial_write(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = varlink_call("a.B", NULL);
	char got[128];
	ssize_t n;

	assert_int_equal(varlink_stream_queue(&f->s, o), 0);
	assert_int_equal(send(f->fd, f->s.out, 5, 0), 5);
	f->s.out_pos = 5;
	assert_int_equal(varlink_stream_queue(&f->s, o), 0);
	assert_int_equal(varlink_stream_flush(&f->s), 1);
	n = recv(f->peer, got, sizeof(got), 0);
	assert_int_equal(n, 2 * sizeof("{\"method\":\"a.B\",\"parameters\":{}}"));
	assert_memory_equal(got, got + n / 2, (size_t)n / 2);
	json_object_put(o);
}

static void write_to_the_dead(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = varlink_call("a.B", NULL);

	close(f->peer);
	f->peer = -EBADF;
	assert_int_equal(varlink_stream_queue(&f->s, o), 0);
	assert_int_equal(varlink_stream_flush(&f->s), -EPIPE);
	json_object_put(o);
}

static void expect_text(struct json_object *o, const char *text)
{
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), text);
	json_object_put(o);
}

static void constructors(void **state)
{
	struct json_object *p = json_object_new_object();

	json_put_string(p, "path", "x");
	expect_text(varlink_call("a.B", p), "{\"method\":\"a.B\",\"parameters\":{\"path\":\"x\"}}");
	expect_text(varlink_reply(NULL, false), "{\"parameters\":{}}");
	expect_text(varlink_reply(NULL, true), "{\"parameters\":{},\"continues\":true}");
	expect_text(varlink_error("a.E", NULL), "{\"error\":\"a.E\",\"parameters\":{}}");
}

static void interface_is_embedded(void **state)
{
	static const char *const words[] = {
		"interface io.srpha\n",		"method Status() -> (",
		"method Reload() -> ()",	"method Failover(path: string) -> ()",
		"error LastPath (map: string)",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_non_null(strstr(io_srpha_interface, words[i]));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_there),
		T(one_byte_at_a_time),
		T(several_in_one_read),
		T(the_longest_fits),
		T(one_byte_longer_does_not),
		T(untaken_messages_push_back),
		T(garbage_is_refused),
		T(deep_nesting_is_refused),
		T(end_of_file),
		T(partial_writes),
		T(queue_is_bounded),
		T(queue_behind_a_partial_write),
		T(write_to_the_dead),
		cmocka_unit_test(constructors),
		cmocka_unit_test(interface_is_embedded),
	};

	return cmocka_run_group_tests_name("varlink", tests, NULL, NULL);
}
