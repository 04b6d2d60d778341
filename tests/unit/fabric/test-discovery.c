/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What discovery is told and tells: every bound of the settings, the words of its messages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"
#include "wire/channel.h"
#include "worker/discovery_messages.h"

static int parse(const char *discovery, struct discovery_settings *ret, const char **ret_what)
{
	_cleanup_json_ struct json_object *o = NULL;
	char text[512];

	snprintf(text, sizeof(text), "{\"msg\":\"config\",\"discovery\":%s}", discovery);
	assert_int_equal(json_parse_object(text, strlen(text), &o), 0);
	return discovery_settings_parse(o, ret, ret_what);
}

static void settings(void **state)
{
	_cleanup_json_ struct json_object *none = json_object_new_object();
	struct discovery_settings s;
	const char *what;

	assert_int_equal(discovery_settings_parse(none, &s, &what), 0);
	assert_false(s.enabled);
	assert_int_equal(parse("{\"enabled\":true}", &s, &what), 0);
	assert_true(s.enabled);
	assert_int_equal(s.scan.flight.window, 32);
	assert_int_equal(s.scan.per_peer, 4);
	assert_int_equal(s.scan.flight.retries, 3);
	assert_int_equal(s.scan.flight.timeout_usec, USEC_PER_SEC);
	assert_int_equal(s.rescan_usec, 60 * USEC_PER_SEC);
	assert_int_equal(s.scan.ageing_usec, 300 * USEC_PER_SEC);
	assert_int_equal(parse("{\"enabled\":false,\"window\":512,\"window_per_peer\":64,"
			       "\"mad_timeout_usec\":10000,\"mad_retries\":0,\"rescan_usec\":0,"
			       "\"ageing_usec\":86400000000}",
			       &s, &what),
			 0);
	assert_false(s.enabled);
	assert_int_equal(s.scan.flight.window, 512);
	assert_int_equal(s.scan.per_peer, 64);
	assert_int_equal(s.scan.flight.timeout_usec, 10000);
	assert_int_equal(s.scan.flight.retries, 0);
	assert_int_equal(s.rescan_usec, 0);
	assert_int_equal(s.scan.ageing_usec, 86400 * USEC_PER_SEC);
}

static void bad_settings(void **state)
{
	static const char *const bad[][2] = {
		{ "[]", "discovery" },
		{ "{}", "enabled" },
		{ "{\"enabled\":1}", "enabled" },
		{ "{\"enabled\":true,\"window\":0}", "window" },
		{ "{\"enabled\":true,\"window\":513}", "window" },
		{ "{\"enabled\":true,\"window\":\"32\"}", "window" },
		{ "{\"enabled\":true,\"window_per_peer\":0}", "window_per_peer" },
		{ "{\"enabled\":true,\"window_per_peer\":65}", "window_per_peer" },
		{ "{\"enabled\":true,\"mad_timeout_usec\":9999}", "mad_timeout_usec" },
		{ "{\"enabled\":true,\"mad_timeout_usec\":60000001}", "mad_timeout_usec" },
		{ "{\"enabled\":true,\"mad_retries\":16}", "mad_retries" },
		{ "{\"enabled\":true,\"mad_retries\":-1}", "mad_retries" },
		{ "{\"enabled\":true,\"rescan_usec\":999999}", "rescan_usec" },
		{ "{\"enabled\":true,\"ageing_usec\":0}", "ageing_usec" },
		{ "{\"enabled\":true,\"ageing_usec\":86400000001}", "ageing_usec" },
	};
	struct discovery_settings s = { .rescan_usec = 4711 };
	const char *what;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i][0], &s, &what) != -EBADMSG)
			fail_msg("%s was taken", bad[i][0]);
		assert_string_equal(what, bad[i][1]);
		assert_int_equal(s.rescan_usec, 4711);
	}
}

static void assert_message(struct json_object *o, const char *expected)
{
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), expected);
	json_object_put(o);
}

static void messages(void **state)
{
	struct scan_result r = { .complete = true,
				 .elapsed_usec = 1200,
				 .nodes = 1000,
				 .targets = 200,
				 .counts = { .sent = 803 } };
	struct notice_event e = { .kind = NOTICE_GID_OUT, .gid = { 0xfe, 0x80, [15] = 7 } };

	assert_message(scan_message(&r, REASON_TIMER, 3, 400, true),
		       "{\"msg\":\"scan\",\"generation\":3,\"elapsed_usec\":1200,\"nodes\":1000,"
		       "\"targets\":200,\"silent\":0,\"sent\":803,\"timeouts\":0,\"malformed\":0,"
		       "\"offers\":400,\"complete\":true,\"reason\":\"timer\",\"notices\":true}");
	r = (struct scan_result){ .silent = 2, .why = "so", .counts = { 1, 2, 3, 4 } };
	assert_message(scan_message(&r, REASON_NOTICE, 0, 0, false),
		       "{\"msg\":\"scan\",\"generation\":0,\"elapsed_usec\":0,\"nodes\":0,"
		       "\"targets\":0,\"silent\":2,\"sent\":1,\"timeouts\":2,\"malformed\":3,"
		       "\"offers\":0,\"complete\":false,\"reason\":\"notice\",\"notices\":false,"
		       "\"why\":\"so\"}");
	assert_message(notice_message(&e, 0, 15),
		       "{\"msg\":\"notice\",\"kind\":\"out-of-service\","
		       "\"gid\":\"fe800000000000000000000000000007\",\"elapsed_usec\":15}");
	e.kind = NOTICE_GID_IN;
	assert_message(notice_message(&e, 0, 0),
		       "{\"msg\":\"notice\",\"kind\":\"in-service\","
		       "\"gid\":\"fe800000000000000000000000000007\",\"elapsed_usec\":0}");
	e = (struct notice_event){ .kind = NOTICE_CAPABILITY, .lid = 9 };
	assert_message(notice_message(&e, e.lid, 0),
		       "{\"msg\":\"notice\",\"kind\":\"capability\",\"lid\":9,\"elapsed_usec\":0}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings),
		cmocka_unit_test(bad_settings),
		cmocka_unit_test(messages),
	};

	return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
