/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages between supervisor and children: bounds, types, and a peer that lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/channel.h"

struct fixture {
	int a, b;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(channel_pair(&f->a, &f->b), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	closep(&f->a);
	closep(&f->b);
	free(f);
	return 0;
}

static struct json_object *parse(const char *text)
{
	struct json_object *o = NULL;

	assert_int_equal(json_parse_object(text, strlen(text), &o), 0);
	return o;
}

static void round_trip(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = parse("{\"msg\":\"hello\",\"pid\":7}"), *got = NULL;

	assert_int_equal(channel_send(f->a, o), 0);
	assert_int_equal(channel_recv(f->b, &got), 1);
	assert_true(json_object_equal(o, got));
	json_object_put(o);
	json_object_put(got);
	assert_int_equal(channel_recv(f->b, &got), -EAGAIN);
}

static void large_messages(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = json_object_new_object(), *got = NULL;
	char *text = malloc(CHANNEL_MESSAGE_MAX + 1);

	assert_non_null(text);
	memset(text, 'x', CHANNEL_MESSAGE_MAX);
	text[CHANNEL_MESSAGE_MAX] = '\0';
	json_put_string(o, "k", text);
	assert_int_equal(channel_send(f->a, o), -E2BIG);
	/* Without privileges the system's limit for a socket's buffer is lower. */
	text[geteuid() == 0 ? CHANNEL_MESSAGE_MAX - 100 : 100000] = '\0';
	json_put_string(o, "k", text);
	assert_int_equal(channel_send(f->a, o), 0);
	assert_int_equal(channel_recv(f->b, &got), 1);
	assert_true(json_object_equal(o, got));
	json_object_put(o);
	json_object_put(got);
	free(text);
}

/* A datagram longer than the limit, sent by a peer that does not use channel_send(). */
static void oversize_is_refused(void **state)
{
	struct fixture *f = *state;
	struct json_object *got = NULL;
	char *text = malloc(CHANNEL_MESSAGE_MAX + 64);

	if (geteuid() != 0) {
		free(text);
		skip();
	}
	assert_non_null(text);
	memset(text, ' ', CHANNEL_MESSAGE_MAX + 64);
	memcpy(text, "{}", 2);
	assert_int_equal(send(f->a, text, CHANNEL_MESSAGE_MAX + 64, 0), CHANNEL_MESSAGE_MAX + 64);
	assert_int_equal(channel_recv(f->b, &got), -EBADMSG);
	assert_null(got);
	free(text);
}

static void garbage_is_refused(void **state)
{
	static const char *const bad[] = {
		"x",
		"[]",
		"7",
		"null",
		"{",
		"{}{}",
		"{} x",
		"{\"a\":\"\xff\"}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
		"\"a\":"
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_object *got = NULL;

		assert_int_equal(send(f->a, bad[i], strlen(bad[i]), 0), strlen(bad[i]));
		assert_int_equal(channel_recv(f->b, &got), -EBADMSG);
		assert_null(got);
	}
}

static void peer_gone(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = parse("{}"), *got = NULL;

	close(f->a);
	f->a = -EBADF;
	assert_int_equal(channel_recv(f->b, &got), 0);
	assert_int_equal(channel_send(f->b, o), -EPIPE);
	json_object_put(o);
}

static void peer_does_not_read(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = json_object_new_object();
	char text[32 * 1024];
	unsigned n = 0;
	int r;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	json_put_string(o, "k", text);
	while ((r = channel_send(f->a, o)) == 0)
		assert_true(++n < 10000);
	assert_int_equal(r, -EAGAIN);
	json_object_put(o);
}

static void getters(void **state)
{
	struct json_object *o = parse(
		"{\"s\":\"x\",\"nul\":\"a\\u0000b\",\"n\":7,\"neg\":-1,\"real\":1.5,\"t\":true,"
		"\"null\":null,\"a\":[1,2],\"o\":{},\"max\":18446744073709551615,\"g\":"
		"\"2c90200402bd4\"}");
	struct json_object *v = NULL;
	const char *s = NULL;
	uint64_t n = 0;
	bool b = false;

	assert_int_equal(json_get_string(o, "s", &s), 0);
	assert_string_equal(s, "x");
	assert_int_equal(json_get_string(o, "missing", &s), -ENOENT);
	assert_int_equal(json_get_string(o, "null", &s), -ENOENT);
	assert_int_equal(json_get_string(o, "n", &s), -EBADMSG);
	assert_int_equal(json_get_string(o, "nul", &s), -EBADMSG);
	assert_int_equal(json_get_u64(o, "n", 7, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(json_get_u64(o, "n", 6, &n), -EBADMSG);
	assert_int_equal(json_get_u64(o, "neg", UINT64_MAX, &n), -EBADMSG);
	assert_int_equal(json_get_u64(o, "real", UINT64_MAX, &n), -EBADMSG);
	assert_int_equal(json_get_u64(o, "s", UINT64_MAX, &n), -EBADMSG);
	assert_int_equal(json_get_u64(o, "max", UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(json_get_bool(o, "t", &b), 0);
	assert_true(b);
	assert_int_equal(json_get_bool(o, "n", &b), -EBADMSG);
	assert_int_equal(json_get_array(o, "a", 2, &v), 0);
	assert_int_equal(json_get_array(o, "a", 1, &v), -EBADMSG);
	assert_int_equal(json_get_array(o, "o", 1, &v), -EBADMSG);
	assert_int_equal(json_get_object(o, "o", &v), 0);
	assert_int_equal(json_get_object(o, "a", &v), -EBADMSG);
	assert_int_equal(json_get_guid(o, "g", &n), 0);
	assert_true(n == UINT64_C(0x2c90200402bd4));
	assert_int_equal(json_get_guid(o, "s", &n), -EBADMSG);
	json_object_put(o);
}

static void setters(void **state)
{
	struct json_object *o = json_object_new_object();

	json_put_string(o, "absent", NULL);
	json_put_string(o, "s", "x");
	json_put_u64(o, "n", UINT64_MAX);
	json_put_bool(o, "b", false);
	json_put_guid(o, "g", 0x2c9);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			    "{\"s\":\"x\",\"n\":18446744073709551615,\"b\":false,"
			    "\"g\":\"00000000000002c9\"}");
	json_object_put(o);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(round_trip),
		T(large_messages),
		T(oversize_is_refused),
		T(garbage_is_refused),
		T(peer_gone),
		T(peer_does_not_read),
		cmocka_unit_test(getters),
		cmocka_unit_test(setters),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
