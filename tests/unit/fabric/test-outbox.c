/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's words when its supervisor reads, when it does not, and when it is gone. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/channel.h"
#include "worker/outbox.h"

struct fixture {
	struct sd_event *loop;
	struct outbox *out;
	int ours, theirs;
	int broken; /* the error told */
};

static void on_broken(int error, void *userdata)
{
	((struct fixture *)userdata)->broken = error;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(channel_pair(&f->theirs, &f->ours), 0);
	assert_true(sd_event_new(&f->loop) >= 0);
	assert_int_equal(outbox_new(f->loop, f->ours, on_broken, f, &f->out), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	outbox_free(f->out);
	sd_event_unref(f->loop);
	close(f->ours);
	if (f->theirs >= 0)
		close(f->theirs);
	free(f);
	return 0;
}

static struct json_object *message(const char *text)
{
	struct json_object *o = json_object_new_object();

	json_put_string(o, "msg", text);
	return o;
}

/* What the supervisor reads next; "" when there is nothing. */
static const char *heard(struct fixture *f)
{
	static char text[64];
	struct json_object *o;
	const char *s;

	if (channel_recv(f->theirs, &o) != 1)
		return "";
	assert_int_equal(json_get_string(o, "msg", &s), 0);
	strncpy(text, s, sizeof(text) - 1);
	json_object_put(o);
	return text;
}

/* Fills the socket, so that from now on all must wait. Returns how many messages that took. */
static unsigned stuff(struct fixture *f)
{
	struct json_object *o = json_object_new_object();
	unsigned n = 0;
	char *big = malloc(4001);

	assert_non_null(big);
	memset(big, 'x', 4000);
	big[4000] = '\0';
	json_put_string(o, "msg", "stuff");
	json_put_string(o, "x", big);
	free(big);
	while (channel_send(f->ours, o) == 0)
		n++;
	json_object_put(o);
	o = message("s"); /* and what a small one still finds room for */
	while (channel_send(f->ours, o) == 0)
		n++;
	json_object_put(o);
	assert_true(n > 0);
	return n;
}

/* Reads it empty, and lets the outbox go on. */
static void unstuff(struct fixture *f, unsigned n)
{
	while (n-- > 0)
		assert_string_not_equal(heard(f), "");
	while (sd_event_run(f->loop, 0) > 0)
		;
}

static void at_once(void **state)
{
	struct fixture *f = *state;

	outbox_put(f->out, OUTBOX_STATS, 0, message("a"));
	outbox_put(f->out, OUTBOX_HELLO, 0, message("b"));
	assert_string_equal(heard(f), "a");
	assert_string_equal(heard(f), "b");
	assert_string_equal(heard(f), "");
	assert_true(outbox_flush(f->out));
}

static void the_latest_of_each(void **state)
{
	struct fixture *f = *state;
	unsigned n = stuff(f);

	outbox_put(f->out, OUTBOX_STATS, 0, message("stats 1"));
	outbox_put(f->out, OUTBOX_PROBE, 1, message("miss 1"));
	outbox_put(f->out, OUTBOX_PORTAL, 1, message("portal 1 old"));
	outbox_put(f->out, OUTBOX_PORTAL, 2, message("portal 2"));
	outbox_put(f->out, OUTBOX_PORTAL, 1, message("portal 1 new"));
	outbox_put(f->out, OUTBOX_STATS, 0, message("stats 2"));
	outbox_put(f->out, OUTBOX_PORT, 0, message("active"));
	assert_false(outbox_flush(f->out));
	unstuff(f, n);
	assert_string_equal(heard(f), "active");
	assert_string_equal(heard(f), "portal 2");
	assert_string_equal(heard(f), "portal 1 new");
	assert_string_equal(heard(f), "miss 1");
	assert_string_equal(heard(f), "stats 2");
	assert_string_equal(heard(f), "");
}

static void urgent_is_never_lost(void **state)
{
	struct fixture *f = *state;
	unsigned n = stuff(f);

	/* It answered, died, answered, missed: dead must be heard, and then how it ended. */
	outbox_put(f->out, OUTBOX_PROBE, 1, message("answered 0"));
	outbox_put_urgent(f->out, OUTBOX_PROBE, 1, message("dead 1"));
	outbox_put_urgent(f->out, OUTBOX_PROBE, 1, message("dead 2"));
	outbox_put(f->out, OUTBOX_PROBE, 1, message("answered 1"));
	outbox_put(f->out, OUTBOX_PROBE, 1, message("miss 2"));
	outbox_put(f->out, OUTBOX_PROBE, 2, message("other"));
	outbox_put(f->out, OUTBOX_PORT, 0, message("active 0"));
	outbox_put_urgent(f->out, OUTBOX_PORT, 0, message("down"));
	outbox_put(f->out, OUTBOX_PORT, 0, message("active"));
	unstuff(f, n);
	assert_string_equal(heard(f), "down");
	assert_string_equal(heard(f), "active");
	assert_string_equal(heard(f), "dead 2");
	assert_string_equal(heard(f), "miss 2");
	assert_string_equal(heard(f), "other");
	assert_string_equal(heard(f), "");
	/* And it was the present, once: dead again is dead again. */
	n = stuff(f);
	outbox_put(f->out, OUTBOX_PROBE, 1, message("answered"));
	outbox_put_urgent(f->out, OUTBOX_PROBE, 1, message("dead"));
	unstuff(f, n);
	assert_string_equal(heard(f), "dead");
	assert_string_equal(heard(f), "");
}

static void forgotten(void **state)
{
	struct fixture *f = *state;
	unsigned n = stuff(f);

	outbox_put_urgent(f->out, OUTBOX_PROBE, 1, message("dead 1"));
	outbox_put(f->out, OUTBOX_PROBE, 1, message("miss 1"));
	outbox_put(f->out, OUTBOX_PROBE, 2, message("miss 2"));
	outbox_forget(f->out, OUTBOX_PROBE, 1);
	unstuff(f, n);
	assert_string_equal(heard(f), "miss 2");
	assert_string_equal(heard(f), "");
}

static void nobody_there(void **state)
{
	struct fixture *f = *state;

	close(f->theirs);
	f->theirs = -1;
	outbox_put(f->out, OUTBOX_PORT, 0, message("active"));
	assert_int_equal(f->broken, -EPIPE);
	f->broken = 0;
	outbox_put(f->out, OUTBOX_PORT, 0, message("active")); /* told once, and not kept */
	assert_int_equal(f->broken, 0);
	assert_true(outbox_flush(f->out));
}

static void no_message(void **state)
{
	struct fixture *f = *state;

	outbox_put(f->out, OUTBOX_PORT, 0, NULL);
	assert_int_equal(f->broken, -ENOMEM);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(at_once),	 CASE(the_latest_of_each), CASE(urgent_is_never_lost),
		CASE(forgotten), CASE(nobody_there),	   CASE(no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
