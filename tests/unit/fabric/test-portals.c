/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's table of portals: a new list against the old one, and what is reported. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/channel.h"
#include "worker/portals.h"

struct log {
	struct portal_table table;
	char events[4096]; /* "+1 +2 ~1 -2 " */
};

static void note(struct log *l, char what, const struct target_portal *tp)
{
	size_t at = strlen(l->events);

	snprintf(l->events + at, sizeof(l->events) - at, "%c%lu ", what,
		 (unsigned long)tp->settings.id);
}

static void on_added(struct target_portal *tp, void *userdata)
{
	note(userdata, '+', tp);
}

static void on_changed(struct target_portal *tp, void *userdata)
{
	note(userdata, '~', tp);
}

static void on_removed(struct target_portal *tp, void *userdata)
{
	note(userdata, '-', tp);
}

static const struct portal_changes changes = { on_added, on_changed, on_removed };

static int configure_object(struct log *l, struct json_object *o, const char **what)
{
	int r;

	l->events[0] = '\0';
	r = portal_table_configure(&l->table, o, &changes, l, what);
	json_object_put(o);
	return r;
}

static int configure(struct log *l, const char *portals, const char **what)
{
	struct json_object *o;
	char text[4096];

	snprintf(text, sizeof(text), "{\"msg\":\"config\",\"portals\":%s}", portals);
	assert_int_equal(json_parse_object(text, strlen(text), &o), 0);
	return configure_object(l, o, what);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct log));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct log *l = *state;

	portal_table_clear(&l->table);
	free(l);
	return 0;
}

static void differences(void **state)
{
	struct log *l = *state;
	struct target_portal *tp;
	const char *what;
	uint32_t handle;

	assert_int_equal(configure(l, "[]", &what), 0);
	assert_string_equal(l->events, "");
	assert_int_equal(configure(l,
				   "[{\"id\":1,\"dest\":\"10.0.0.2:5555\"},"
				   "{\"id\":2,\"dest\":\"[fd00::1]:5555\",\"misses\":5}]",
				   &what),
			 0);
	assert_string_equal(l->events, "+1 +2 ");
	tp = portal_by_id(&l->table, 1);
	assert_non_null(tp);
	handle = tp->handle;
	assert_ptr_equal(portal_by_handle(&l->table, handle), tp);
	assert_int_equal(tp->settings.probe.interval_usec, 100000);
	assert_int_equal(tp->settings.probe.misses, 3);
	assert_string_equal(tp->settings.text, "10.0.0.2:5555");
	assert_int_equal(portal_by_id(&l->table, 2)->settings.probe.misses, 5);

	/* The same in another order: nothing. */
	assert_int_equal(configure(l,
				   "[{\"id\":2,\"dest\":\"[fd00:0::1]:5555\",\"misses\":5},"
				   "{\"id\":1,\"dest\":\"10.0.0.2:5555\"}]",
				   &what),
			 0);
	assert_string_equal(l->events, "");
	/* Another pace; another address; one less, one more. */
	assert_int_equal(configure(l,
				   "[{\"id\":1,\"dest\":\"10.0.0.2:5555\",\"misses\":4},"
				   "{\"id\":2,\"dest\":\"[fd00::9]:5555\",\"misses\":5}]",
				   &what),
			 0);
	assert_string_equal(l->events, "-2 ~1 +2 ");
	assert_ptr_equal(portal_by_id(&l->table, 1), tp);
	assert_int_equal(tp->probe.config.misses, 4);
	assert_int_equal(configure(l, "[{\"id\":3,\"dest\":\"10.0.0.2:5555\"}]", &what), 0);
	assert_string_equal(l->events, "-1 -2 +3 ");
	/* A late answer to the old one finds nobody, though its place is taken. */
	assert_null(portal_by_handle(&l->table, handle));
	assert_int_not_equal(portal_by_id(&l->table, 3)->handle, handle);
	assert_int_equal(l->table.n, 1);
}

static void all_or_nothing(void **state)
{
	static const struct {
		const char *portal, *what;
	} bad[] = {
		{ "{\"dest\":\"10.0.0.2:5555\"}", "id" },
		{ "{\"id\":-1,\"dest\":\"10.0.0.2:5555\"}", "id" },
		{ "{\"id\":\"7\",\"dest\":\"10.0.0.2:5555\"}", "id" },
		{ "{\"id\":7}", "dest" },
		{ "{\"id\":7,\"dest\":\"10.0.0.2\"}", "dest" },
		{ "{\"id\":7,\"dest\":5}", "dest" },
		{ "{\"id\":7,\"dest\":\"10.0.0.2:1\",\"id_ext\":\"x\"}", "id_ext" },
		{ "{\"id\":7,\"dest\":\"10.0.0.2:1\",\"ioc_guid\":7}", "ioc_guid" },
		{ "{\"id\":7,\"dest\":\"10.0.0.2:1\",\"gid\":\"fe80\"}", "gid" },
		{ "{\"id\":7,\"dest\":\"10.0.0.2:1\",\"answered\":1}", "answered" },
		{ "{\"id\":7,\"dest\":\"10.0.0.2:1\",\"interval_usec\":1}", "interval_usec" },
		{ "{\"id\":7,\"dest\":\"10.0.0.2:1\",\"timeout_usec\":1}", "timeout_usec" },
		{ "{\"id\":7,\"dest\":\"10.0.0.2:1\",\"misses\":0}", "misses" },
		{ "{\"id\":1,\"dest\":\"10.0.0.2:1\"}", "id (twice)" },
		{ "7", "portals" },
	};
	struct log *l = *state;
	const char *what;

	assert_int_equal(configure(l, "[{\"id\":9,\"dest\":\"10.0.0.9:5555\"}]", &what), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[512];

		snprintf(text, sizeof(text), "[{\"id\":1,\"dest\":\"10.0.0.1:1\"},%s]",
			 bad[i].portal);
		assert_int_equal(configure(l, text, &what), -EBADMSG);
		if (strcmp(bad[i].portal, "7") != 0)
			assert_string_equal(what, bad[i].what);
		assert_string_equal(l->events, "");
		assert_int_equal(l->table.n, 1);
	}
	assert_int_equal(configure(l, "{}", &what), -EBADMSG);
	assert_string_equal(what, "portals");
}

static void bounded(void **state)
{
	struct log *l = *state;
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const char *what;

	json_object_object_add(o, "portals", list);
	for (unsigned i = 0; i < PORTALS_MAX; i++) {
		struct json_object *e = json_object_new_object();

		json_put_u64(e, "id", i);
		json_put_string(e, "dest", "10.0.0.2:5555");
		json_object_array_add(list, e);
	}
	json_object_get(o);
	assert_int_equal(configure_object(l, o, &what), 0);
	assert_int_equal(l->table.n, PORTALS_MAX);
	/* All of them again under other numbers: each place is used again. */
	for (unsigned i = 0; i < PORTALS_MAX; i++)
		json_put_u64(json_object_array_get_idx(list, i), "id", 1000 + i);
	json_object_get(o);
	assert_int_equal(configure_object(l, o, &what), 0);
	assert_int_equal(l->table.n, PORTALS_MAX);
	json_object_array_add(list, json_object_get(json_object_array_get_idx(list, 0)));
	assert_int_equal(configure_object(l, o, &what), -EBADMSG);
	assert_int_equal(l->table.n, PORTALS_MAX);
}

#define IB_GID "fe800000000000000002c903004ed0b2"

/* A target port of a fabric: by GID and P_Key. */
static void infiniband(void **state)
{
	static const char *const bad[][2] = {
		{ "[{\"id\":1,\"pkey\":65535}]", "gid" },
		{ "[{\"id\":1,\"gid\":\"" IB_GID "\",\"pkey\":0}]", "pkey" },
		{ "[{\"id\":1,\"gid\":\"" IB_GID "\",\"pkey\":65536}]", "pkey" },
		{ "[{\"id\":1,\"gid\":\"" IB_GID "\",\"pkey\":\"ffff\"}]", "pkey" },
		{ "[{\"id\":1,\"gid\":\"fe80\",\"pkey\":1}]", "gid" },
		{ "[{\"id\":1,\"gid\":\"" IB_GID "\",\"pkey\":1,\"lid\":49152}]", "lid" },
		{ "[{\"id\":1,\"gid\":\"" IB_GID "\"}]", "dest" },
	};
	struct log *l = *state;
	struct target_portal *tp;
	const char *what;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(configure(l, bad[i][0], &what), -EBADMSG);
		assert_string_equal(what, bad[i][1]);
	}
	assert_false(portals_infiniband(&l->table));
	assert_int_equal(configure(l,
				   "[{\"id\":1,\"gid\":\"" IB_GID
				   "\",\"pkey\":65535,\"lid\":7,\"misses\":5},"
				   "{\"id\":2,\"dest\":\"10.0.0.2:5555\"}]",
				   &what),
			 0);
	assert_string_equal(l->events, "+1 +2 ");
	assert_true(portals_infiniband(&l->table));
	tp = portal_by_id(&l->table, 1);
	assert_true(tp->settings.infiniband);
	assert_int_equal(tp->settings.pkey, 0xffff);
	assert_int_equal(tp->settings.lid, 7);
	assert_int_equal(tp->settings.gid[15], 0xb2);
	assert_string_equal(tp->settings.text, IB_GID " (P_Key ffff)");
	assert_false(portal_by_id(&l->table, 2)->settings.infiniband);
	/* Where it was is a hint, not what it is; over another P_Key it is another one. */
	assert_int_equal(configure(l,
				   "[{\"id\":1,\"gid\":\"" IB_GID
				   "\",\"pkey\":65535,\"lid\":9,\"misses\":5}]",
				   &what),
			 0);
	assert_string_equal(l->events, "-2 ");
	assert_int_equal(configure(l, "[{\"id\":1,\"gid\":\"" IB_GID "\",\"pkey\":32767}]", &what),
			 0);
	assert_string_equal(l->events, "-1 +1 ");
	assert_int_equal(configure(l, "[{\"id\":1,\"dest\":\"10.0.0.2:5555\"}]", &what), 0);
	assert_string_equal(l->events, "-1 +1 ");
	assert_false(portals_infiniband(&l->table));
}

static void learns(void **state)
{
	static const struct iou_service offers[] = {
		{ .ioc_guid = 0xa, .id_ext = 1 },
		{ .ioc_guid = 0xb, .id_ext = 2 },
		{ .ioc_guid = 0xb, .id_ext = 3 },
	};
	struct log *l = *state;
	struct target_portal *tp;
	const char *what;
	uint64_t v;

	assert_int_equal(configure(l,
				   "[{\"id\":1,\"dest\":\"10.0.0.2:1\"},"
				   "{\"id\":2,\"dest\":\"10.0.0.2:1\",\"id_ext\":\"3\"},"
				   "{\"id\":3,\"dest\":\"10.0.0.2:1\",\"ioc_guid\":\"b\"},"
				   "{\"id\":4,\"dest\":\"10.0.0.2:1\",\"ioc_guid\":\"c\"}]",
				   &what),
			 0);
	tp = portal_by_id(&l->table, 1);
	assert_false(portal_ids_known(tp));
	assert_false(portal_learn(tp, offers, 0));
	assert_true(portal_learn(tp, offers, 3)); /* the first */
	assert_true(portal_id_ext(tp, &v));
	assert_int_equal(v, 1);
	assert_true(portal_ioc_guid(tp, &v));
	assert_int_equal(v, 0xa);
	assert_true(portal_ids_known(tp));
	assert_false(portal_ids_configured(tp));
	tp = portal_by_id(&l->table, 2); /* the one asked for */
	assert_true(portal_learn(tp, offers, 3));
	assert_true(portal_ioc_guid(tp, &v));
	assert_int_equal(v, 0xb);
	tp = portal_by_id(&l->table, 3);
	assert_true(portal_learn(tp, offers, 3));
	assert_true(portal_id_ext(tp, &v));
	assert_int_equal(v, 2);
	tp = portal_by_id(&l->table, 4);
	assert_false(portal_learn(tp, offers, 3));
	assert_true(portal_ioc_guid(tp, &v)); /* as configured, though not offered */
	assert_int_equal(v, 0xc);
	assert_false(portal_ids_known(tp));
}

static void reports_changes_only(void **state)
{
	struct log *l = *state;
	struct target_portal *tp;
	struct json_object *o;
	const char *what;

	assert_int_equal(configure(l, "[{\"id\":1,\"dest\":\"10.0.0.2:1\"}]", &what), 0);
	tp = portal_by_id(&l->table, 1);
	portal_set_why(tp, "%s", "because");
	o = portal_report(tp);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			    "{\"msg\":\"portal\",\"id\":1,\"routed\":false,"
			    "\"probe\":\"impossible\",\"why\":\"because\"}");
	json_object_put(o);
	assert_null(portal_report(tp));
	portal_clear_why(tp);
	tp->routed = tp->can_send = tp->has_gid = tp->learned = true;
	tp->id_ext = 1;
	tp->ioc_guid = 0xab;
	o = portal_report(tp);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			    "{\"msg\":\"portal\",\"id\":1,\"routed\":true,"
			    "\"gid\":\"00000000000000000000000000000000\","
			    "\"id_ext\":\"0000000000000001\",\"ioc_guid\":\"00000000000000ab\","
			    "\"probe\":\"possible\"}");
	json_object_put(o);
	assert_null(portal_report(tp));
	/* Words too long for their place are cut, not overrun. */
	portal_set_why(tp, "%0500d", 1);
	assert_int_equal(strlen(tp->why), PORTAL_WHY_MAX - 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(differences), CASE(all_or_nothing), CASE(bounded),
		CASE(infiniband),  CASE(learns),	 CASE(reports_changes_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
