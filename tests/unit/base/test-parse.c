/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every function of base/parse.h, good and bad. A bad text must leave the result untouched. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define UNTOUCHED UINT64_C(0x5a5a5a5a5a5a5a5a)

struct number_case {
	const char *text;
	int r;
	uint64_t value;
};

static void check_number(const struct number_case *c, int r, uint64_t got)
{
	uint64_t expected = c->r < 0 ? UNTOUCHED : c->value;

	if (r != c->r || got != expected)
		fail_msg("\"%s\": returned %d, %#lx; expected %d, %#lx", c->text, r, got, c->r,
			 expected);
}

static void test_guid(void **state)
{
	static const struct number_case cases[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1 },
		{ "0x1f", 0, 0x1f },
		{ "0XaB", 0, 0xab },
		{ "505400fffe123456", 0, 0x505400fffe123456 },
		{ "FFFFFFFFFFFFFFFF", 0, UINT64_MAX },
		{ "0002:c903:0000:0001", 0, 0x0002c90300000001 },
		{ "ABCD:ef01:2345:6789", 0, 0xabcdef0123456789 },
		{ "", -EINVAL },
		{ "0x", -EINVAL },
		{ " 1", -EINVAL },
		{ "1 ", -EINVAL },
		{ "-1", -EINVAL },
		{ "12g4", -EINVAL },
		{ "00000000000000000", -ERANGE },
		{ "10000000000000000", -ERANGE },
		{ "0002:c903:0000", -EINVAL },
		{ "0002:c903:0000:0001:", -EINVAL },
		{ "0002:c903:0000:0001:0002", -EINVAL },
		{ "2:c903:0000:0001", -EINVAL },
		{ "0002:c903:0000:000", -EINVAL },
		{ ":", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = UNTOUCHED;
		int r = parse_guid(cases[i].text, &v);

		check_number(&cases[i], r, v);
	}
}

static void test_guid_format(void **state)
{
	char buf[GUID_STR_MAX];

	assert_string_equal(format_guid(0, buf), "0000000000000000");
	assert_string_equal(format_guid(0xabcdef0123456789, buf), "abcdef0123456789");
	assert_int_equal(guid_swap(0x0002c90200402bed), 0xed2b400002c90200);
}

static void test_gid(void **state)
{
	static const uint8_t link_local[16] = { 0xfe, 0x80, 0,	  0,	0,    0,    0,	  0,
						0x50, 0x54, 0x00, 0xff, 0xfe, 0x12, 0x34, 0x56 };
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 10, 0, 0, 2 };
	static const struct {
		const char *text;
		const uint8_t *gid; /* NULL: bad */
	} cases[] = {
		{ "fe80000000000000505400fffe123456", link_local },
		{ "FE80000000000000505400FFFE123456", link_local },
		{ "fe80:0000:0000:0000:5054:00ff:fe12:3456", link_local },
		{ "fe80::5054:ff:fe12:3456", link_local },
		{ "0000:0000:0000:0000:0000:ffff:0a00:0002", mapped },
		{ "::ffff:10.0.0.2", mapped },
		{ "", NULL },
		{ "fe80", NULL },
		{ "fe80000000000000505400fffe12345", NULL },
		{ "fe80000000000000505400fffe1234567", NULL },
		{ "fe80000000000000505400fffe12345g", NULL },
		{ "fe80:0000:0000:0000:5054:00ff:fe12", NULL },
		{ "fe80::1::2", NULL },
		{ "10.0.0.2", NULL },
		{ "fe80::1%lo", NULL },
	};
	char buf[GID_STR_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t untouched[16], got[16];
		int r;

		memset(untouched, 0x5a, 16);
		memset(got, 0x5a, 16);
		r = parse_gid(cases[i].text, got);
		if (r != (cases[i].gid ? 0 : -EINVAL) ||
		    memcmp(got, cases[i].gid ? cases[i].gid : untouched, 16) != 0)
			fail_msg("\"%s\": returned %d, %s", cases[i].text, r, format_gid(got, buf));
	}
	assert_string_equal(format_gid(link_local, buf), "fe80000000000000505400fffe123456");
	assert_int_equal(gid_interface_id(link_local), 0x505400fffe123456);
}

static void test_u64(void **state)
{
	static const struct {
		struct number_case c;
		uint64_t min, max;
	} cases[] = {
		{ { "0", 0, 0 }, 0, 10 },
		{ { "10", 0, 10 }, 0, 10 },
		{ { "007", 0, 7 }, 0, 10 },
		{ { "0xA", 0, 10 }, 0, 10 },
		{ { "18446744073709551615", 0, UINT64_MAX }, 0, UINT64_MAX },
		{ { "0xffffffffffffffff", 0, UINT64_MAX }, 0, UINT64_MAX },
		{ { "11", -ERANGE }, 0, 10 },
		{ { "1", -ERANGE }, 2, 10 },
		{ { "18446744073709551616", -ERANGE }, 0, UINT64_MAX },
		{ { "99999999999999999999999", -ERANGE }, 0, UINT64_MAX },
		{ { "0x10000000000000000", -ERANGE }, 0, UINT64_MAX },
		{ { "", -EINVAL }, 0, 10 },
		{ { "0x", -EINVAL }, 0, 10 },
		{ { "a", -EINVAL }, 0, 10 },
		{ { "1a", -EINVAL }, 0, UINT64_MAX },
		{ { "-1", -EINVAL }, 0, UINT64_MAX },
		{ { "+1", -EINVAL }, 0, 10 },
		{ { " 1", -EINVAL }, 0, 10 },
		{ { "1 ", -EINVAL }, 0, 10 },
		{ { "1.0", -EINVAL }, 0, 10 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = UNTOUCHED;
		int r = parse_u64(cases[i].c.text, cases[i].min, cases[i].max, &v);

		check_number(&cases[i].c, r, v);
	}
}

static void test_usec(void **state)
{
	static const struct number_case cases[] = {
		{ "0", 0, 0 },
		{ "5", 0, 5000000 },
		{ "10s", 0, 10000000 },
		{ "10 s", 0, 10000000 },
		{ "3sec", 0, 3000000 },
		{ "100ms", 0, 100000 },
		{ "7us", 0, 7 },
		{ "2min", 0, 120000000 },
		{ "1h", 0, 3600000000 },
		{ "2.5s", 0, 2500000 },
		{ "0.0000019s", 0, 1 }, /* beyond a microsecond: cut */
		{ "0.5ms", 0, 500 },
		{ "1.5h", 0, 5400000000 },
		{ "4000000000us", 0, 4000000000 },
		{ "4000000000ms", 0, 4000000000000 },
		{ "", -EINVAL },
		{ "s", -EINVAL },
		{ ".5s", -EINVAL },
		{ "5.", -EINVAL },
		{ "5.s", -EINVAL },
		{ "5 ", -EINVAL },
		{ " 5", -EINVAL },
		{ "-5s", -EINVAL },
		{ "5 parsecs", -EINVAL },
		{ "5S", -EINVAL },
		{ "1min 5s", -EINVAL },
		{ "0x10s", -EINVAL },
		{ "1.2.3", -EINVAL },
		{ "900000h", -ERANGE },
		{ "4000000000s", -ERANGE },
		{ "4000000000", -ERANGE },
		{ "99999999999999999999999999us", -ERANGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = UNTOUCHED;
		int r = parse_usec(cases[i].text, &v);

		check_number(&cases[i], r, v);
	}
}

static void test_usec_format(void **state)
{
	static const struct {
		uint64_t usec;
		const char *text;
	} cases[] = {
		{ 0, "0us" },
		{ 999, "999us" },
		{ 1000, "1ms" },
		{ 350000, "350ms" },
		{ 999999, "999ms" },
		{ 1000000, "1s" },
		{ 2500000, "2.5s" },
		{ 59999999, "59.9s" },
		{ 60000000, "1min" },
		{ 200000000, "3min 20s" },
		{ 3600000000, "1h" },
		{ 3660000000, "1h 1min" },
		{ 24 * 3600000000, "24h" },
		{ 48 * 3600000000, "2d" },
		{ 49 * 3600000000, "2d 1h" },
		{ USEC_INFINITY, "off" },
	};
	char buf[32];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_usec(cases[i].usec, buf, sizeof(buf)), cases[i].text);
}

static void test_bool(void **state)
{
	static const struct {
		const char *text;
		int value; /* -1: bad */
	} cases[] = {
		{ "yes", 1 }, { "no", 0 },     { "true", 1 }, { "false", 0 }, { "on", 1 },
		{ "off", 0 }, { "1", 1 },      { "0", 0 },    { "YES", 1 },   { "Off", 0 },
		{ "", -1 },   { "maybe", -1 }, { "2", -1 },   { "yes ", -1 }, { "y", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int before = 0; before < 2; before++) {
			bool v = before;
			int r = parse_bool(cases[i].text, &v);

			assert_int_equal(r, cases[i].value < 0 ? -EINVAL : 0);
			assert_int_equal(v, cases[i].value < 0 ? before : cases[i].value);
		}
}

static void test_portal(void **state)
{
	static const struct {
		const char *text;
		const char *canonical; /* NULL: bad */
		int r;
	} cases[] = {
		{ "10.0.0.2:5555", "10.0.0.2:5555" },
		{ "10.0.0.2:1", "10.0.0.2:1" },
		{ "10.0.0.2:65535", "10.0.0.2:65535" },
		{ "[fd00::2]:5555", "[fd00::2]:5555" },
		{ "[FD00:0:0::0002]:5555", "[fd00::2]:5555" },
		{ "[::ffff:10.0.0.2]:5555", "[::ffff:10.0.0.2]:5555" },
		{ "[fe80::1%lo]:5555", "[fe80::1%lo]:5555" },
		{ "[fe80::1%2147483646]:5555", "[fe80::1%2147483646]:5555" },
		{ "", NULL, -EINVAL },
		{ "10.0.0.2", NULL, -EINVAL },
		{ "10.0.0.2:", NULL, -EINVAL },
		{ ":5555", NULL, -EINVAL },
		{ "10.0.0.2:0", NULL, -ERANGE },
		{ "10.0.0.2:65536", NULL, -ERANGE },
		{ "10.0.0.2:-1", NULL, -EINVAL },
		{ "10.0.0.2:5555 ", NULL, -EINVAL },
		{ " 10.0.0.2:5555", NULL, -EINVAL },
		{ "10.0.0:5555", NULL, -EINVAL },
		{ "10.0.0.256:5555", NULL, -EINVAL },
		{ "1000.1000.1000.1000:5555", NULL, -EINVAL },
		{ "target.example:5555", NULL, -EINVAL },
		{ "fd00::2:5555", NULL, -EINVAL },
		{ "[fd00::2]", NULL, -EINVAL },
		{ "[fd00::2]5555", NULL, -EINVAL },
		{ "[fd00::2:5555", NULL, -EINVAL },
		{ "[:5555", NULL, -EINVAL },
		{ "[]:5555", NULL, -EINVAL },
		{ "[10.0.0.2]:5555", NULL, -EINVAL },
		{ "[fe80::1%]:5555", NULL, -EINVAL },
		{ "[fe80::1%0]:5555", NULL, -EINVAL },
		{ "[fe80::1%no-such-if0]:5555", NULL, -EINVAL },
		{ "[fe80:0000:0000:0000:0000:0000:0000:0001%0123456789012345678901234567]:5555",
		  NULL, -EINVAL },
	};
	char buf[PORTAL_STR_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct portal p, again, untouched;
		int r;

		memset(&p, 0x5a, sizeof(p));
		memset(&untouched, 0x5a, sizeof(untouched));
		r = parse_portal(cases[i].text, &p);
		if (r != cases[i].r)
			fail_msg("\"%s\": returned %d, expected %d", cases[i].text, r, cases[i].r);
		if (r < 0) {
			assert_memory_equal(&p, &untouched, sizeof(p));
			continue;
		}
		assert_string_equal(format_portal(&p, buf), cases[i].canonical);
		assert_int_equal(parse_portal(buf, &again), 0);
		assert_true(portal_equal(&p, &again));
	}
}

static void test_portal_equal(void **state)
{
	static const char *const texts[] = {
		"10.0.0.2:5555",  "10.0.0.2:5556",  "10.0.0.3:5555",  "[::ffff:10.0.0.2]:5555",
		"[fd00::2]:5555", "[fd00::2]:5556", "[fd00::3]:5555", "[fd00::2%lo]:5555",
	};
	struct portal p[ARRAY_SIZE(texts)];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(parse_portal(texts[i], &p[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (size_t j = 0; j < ARRAY_SIZE(texts); j++)
			if (portal_equal(&p[i], &p[j]) != (i == j))
				fail_msg("%s and %s", texts[i], texts[j]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guid),	     cmocka_unit_test(test_guid_format),
		cmocka_unit_test(test_gid),	     cmocka_unit_test(test_u64),
		cmocka_unit_test(test_usec),	     cmocka_unit_test(test_usec_format),
		cmocka_unit_test(test_bool),	     cmocka_unit_test(test_portal),
		cmocka_unit_test(test_portal_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
