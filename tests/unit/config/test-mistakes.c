/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each kind of mistake, told word for word with its line, and nothing applied. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/lines.h"
#include "config/loader.h"

#define T10 "xxxxxxxxxx"
#define T50 T10 T10 T10 T10 T10
#define EXPECTED_TARGET "expected 1..63 letters, digits, \".\", \"_\", \"-\"\n"
#define EXPECTED_LINE "expected \"key = value\", [section] or a comment\n"
#define EXPECTED_DEST                                                                              \
	"is not valid: expected ADDRESS:PORT, such as \"10.0.0.2:5555\" or \"[fd00::2]:5555\"\n"
#define EXPECTED_GLOBS                                                                             \
	"is not valid: expected globs of DEVICE or DEVICE:PORT between blanks, such as "           \
	"\"mlx5_*:1 !mlx4_0\"\n"

struct mistake_case {
	const char *text;
	const char *errors;
	size_t len; /* 0: of the string */
};

static const struct mistake_case lexical[] = {
	{ "[login]\nnonsense\n[failover]\nmore nonsense\n",
	  "f:2: " EXPECTED_LINE "f:4: " EXPECTED_LINE },
	{ "= 1\n\n =\n", "f:1: " EXPECTED_LINE "f:3: " EXPECTED_LINE },
	{ "nonsense", "f:1: " EXPECTED_LINE },
	{ "# fine\r\nnonsense\r\n\r\nalso", "f:2: " EXPECTED_LINE "f:4: " EXPECTED_LINE },
	{ "\xef\xbb\xbfnonsense\n", "f:1: " EXPECTED_LINE },
	{ "\n[login\n", "f:2: a section must end with \"]\", and the line with it\n" },
	{ "[\n", "f:1: a section must end with \"]\", and the line with it\n" },
	{ "[login] pkey = 1\n", "f:1: a section must end with \"]\", and the line with it\n" },
	{ "[login]\npkey = \xff\xfe\n", "f:2: not valid UTF-8\n" },
	{ "\xc0\xaf\n\xed\xa0\x80\n\xf4\x90\x80\x80\n\xe2\x82\n\x80\n\xe0\x80\xaf\n\xf0\x8f\xbf\xbf"
	  "\n",
	  "f:1: not valid UTF-8\nf:2: not valid UTF-8\nf:3: not valid UTF-8\n"
	  "f:4: not valid UTF-8\nf:5: not valid UTF-8\nf:6: not valid UTF-8\n"
	  "f:7: not valid UTF-8\n" },
	{ "[login]\npkey = \x1b[31m\n", "f:2: holds a control character\n" },
	{ "[login]\npkey = ffff\rpkey = ffff\n", "f:2: holds a control character\n" },
	{ "[login]\npk\177ey = ffff\n", "f:2: holds a control character\n" },
	{ "nonsense\n[login]\0\nmore nonsense\n",
	  "f:1: " EXPECTED_LINE "f:2: holds a NUL byte: not a text file, not read further\n", 32 },
	{ "# \0\n", "f:1: holds a NUL byte: not a text file, not read further\n", 4 },
};

static const struct mistake_case places[] = {
	{ "pkey = ffff\n", "f:1: pkey: not a key of this place; it belongs in [login]\n" },
	{ "dest = 10.0.0.2:5555\n",
	  "f:1: dest: not a key of this place; it belongs in [target NAME]\n" },
	{ "speed = 9\n", "f:1: speed: unknown key, and outside of any section\n" },
	{ "[timeouts]\npkey = ffff\n",
	  "f:2: [timeouts] pkey: not a key of this place; it belongs in [login]\n" },
	{ "[failover]\ndest = 10.0.0.2:5555\n",
	  "f:2: [failover] dest: not a key of this place; it belongs in [target NAME]\n" },
	{ "[timeouts]\nfast_io_fial_tmo = 5\n",
	  "f:2: [timeouts] fast_io_fial_tmo: unknown key; did you mean \"fast_io_fail_tmo\"?\n" },
	{ "[target lab]\ndest = 10.0.0.2:5555\n\nprobe_mises = 3\nDest = 10.0.1.2:5555\n",
	  "f:4: [target lab] probe_mises: unknown key; did you mean \"probe_misses\"?\n"
	  "f:5: [target lab] Dest: unknown key; did you mean \"dest\"?\n" },
	{ "[login]\nspeed = 9\n10.0.0.2:5555\n", "f:2: [login] speed: unknown key\n"
						 "f:3: [login] 10.0.0.2: unknown key\n" },
	{ "[login]\n" T50 T50 "y = 1\n", "f:2: [login] " T50 T10 T10 T10 "...: unknown key\n" },
	/* a word is cut at a character's end: 79 + 2 bytes do not fit in 80 */
	{ "[login]\n" T50 T10 T10 "xxxxxxxxx\xc3\xa4yyyyyyyyyy = 1\n",
	  "f:2: [login] " T50 T10 T10 "xxxxxxxxx...: unknown key\n" },
	{ "[timeout]\nfast_io_fail_tmo = 1\n",
	  "f:1: [timeout]: unknown section; did you mean [timeouts]?\n" },
	{ "[Login]\n", "f:1: [Login]: unknown section; did you mean [login]?\n" },
	{ "[targets lab]\n", "f:1: [targets]: unknown section; did you mean [target NAME]?\n" },
	{ "[target]\n", "f:1: [target]: unknown section; did you mean [target NAME]?\n" },
	{ "[]\n", "f:1: []: unknown section; expected [discovery], [login], [timeouts], "
		  "[failover], [target NAME] or [rule NAME]\n" },
	{ "[login extra]\n", "f:1: [login]: unknown section; did you mean [login]?\n" },
	{ "[target two words]\n",
	  "f:1: [target two words]: not a target's name: " EXPECTED_TARGET },
	{ "[target a/b]\n", "f:1: [target a/b]: not a target's name: " EXPECTED_TARGET },
	{ "[target " T50 T10 "xxxx]\n",
	  "f:1: [target " T50 T10 "xxxx]: not a target's name: " EXPECTED_TARGET },
};

static const struct mistake_case twice[] = {
	{ "[login]\npkey = ffff\npkey = ffff\n",
	  "f:3: [login] pkey: given twice in this file, first on line 2\n" },
	{ "[login]\npkey = ffff\n[timeouts]\n[login]\npkey = 1\npkey = 2\n",
	  "f:5: [login] pkey: given twice in this file, first on line 2\n"
	  "f:6: [login] pkey: given twice in this file, first on line 2\n" },
	{ "[login]\npkey = zzzz\npkey = ffff\n",
	  "f:2: [login] pkey: \"zzzz\" is not valid: expected hexadecimal 1..ffff or \"kernel\"\n"
	  "f:3: [login] pkey: given twice in this file, first on line 2\n" },
	{ "[target a]\ndest = 10.0.0.2:5555\nid_ext = 1\nid_ext = 1\n",
	  "f:4: [target a] id_ext: given twice in this file, first on line 3\n" },
	{ "[target a]\ndest = 10.0.0.2:5555\n[login]\n[target a]\ndest = 10.0.0.3:5555\n",
	  "f:4: [target a]: given twice in this file, first on line 1\n" },
	{ "[target a]\ndest = 10.0.0.2:5555\ndest = 10.0.0.3:5555\ndest = 10.0.0.2:5555\n",
	  "f:4: [target a] dest: 10.0.0.2:5555 was given before, at f:2\n" },
	{ "[target a]\ndest = [fd00::2]:5555\ndest = [FD00:0::2]:5555\n",
	  "f:3: [target a] dest: [fd00::2]:5555 was given before, at f:2\n" },
	/* two targets at one portal must be told apart */
	{ "[target a]\ndest = 10.0.0.2:5555\n[target b]\ndest = 10.0.0.2:5555\n",
	  "f:4: [target b] dest: 10.0.0.2:5555 is also of [target a], at f:2: they need an "
	  "id_ext or ioc_guid each to tell them apart\n" },
	{ "[target a]\ndest = 10.0.0.2:5555\nid_ext = 1\n[target b]\ndest = 10.0.0.2:5555\n",
	  "f:5: [target b] dest: 10.0.0.2:5555 is also of [target a], at f:2: they need an "
	  "id_ext or ioc_guid each to tell them apart\n" },
	{ "[target a]\ndest = 10.0.0.2:5555\nid_ext = 1\nioc_guid = 2\n"
	  "[target b]\ndest = 10.0.0.2:5555\nid_ext = 1\nioc_guid = 2\n",
	  "f:6: [target b] dest: 10.0.0.2:5555 is also of [target a], at f:2: they need an "
	  "id_ext or ioc_guid each to tell them apart\n" },
	{ "\n[target a]\n[target b]\nioc_guid = 1\n[target c]\nid_ext = 1\n",
	  "f:2: [target a]: no dest: expected at least one line \"dest = ADDRESS:PORT\", or an "
	  "id_ext where it is to be found on InfiniBand\n"
	  "f:3: [target b]: no dest: expected at least one line \"dest = ADDRESS:PORT\", or an "
	  "id_ext where it is to be found on InfiniBand\n" },
	{ "[target a]\ndest = here\n", "f:2: [target a] dest: \"here\" " EXPECTED_DEST },
};

#define TIME_EXPECTED(range)                                                                       \
	"is not valid: expected a time from " range ", such as \"250ms\" or \"10s\""
#define TMO(key, value, range)                                                                     \
	{                                                                                          \
		"[timeouts]\n\n" key " = " value "\n", "f:3: [timeouts] " key ": \"" value         \
						       "\" is not valid: expected " range "\n"     \
	}
#define LOGIN(key, value, expected)                                                                \
	{                                                                                          \
		"[login]\n" key "=" value "\n", "f:2: [login] " key ": \"" value                   \
						"\" is not valid: expected " expected "\n"         \
	}
#define FAILOVER(key, value, rest)                                                                 \
	{                                                                                          \
		"[failover]\n" key ": " value, "f:2: [failover] " key ": \"" value "\" " rest "\n" \
	}

#define DISCOVERY(key, value, rest)                                                                \
	{                                                                                          \
		"[discovery]\n" key " = " value, "f:2: [discovery] " key ": \"" value              \
						 "\" is not valid: expected " rest "\n"            \
	}

static const struct mistake_case values[] = {
	DISCOVERY("infiniband", "maybe", "\"yes\" or \"no\""),
	DISCOVERY("login", "2", "\"yes\" or \"no\""),
	DISCOVERY("window", "0", "1..512"),
	DISCOVERY("window", "513", "1..512"),
	DISCOVERY("window_per_peer", "65", "1..64"),
	DISCOVERY("mad_timeout", "off", "a time from 10ms to 1min, such as \"250ms\" or \"10s\""),
	DISCOVERY("mad_retries", "16", "0..15"),
	DISCOVERY("rescan_interval", "0",
		  "a time from 1s to 24h, such as \"250ms\" or \"10s\", or \"off\""),
	DISCOVERY("ageing_time", "off", "a time from 1s to 24h, such as \"250ms\" or \"10s\""),
	DISCOVERY("rules", "rules.conf", "an absolute path or \"none\""),
	{ "[discovery]\nageing_time = 59s\n",
	  "f:2: [discovery] ageing_time: ageing_time must not be less than rescan_interval, or one "
	  "scan that misses a target forgets it (ageing_time = 59s, rescan_interval = 1min)\n" },
	{ "[discovery]\nageing_time = 2min\nrescan_interval = 3min\n",
	  "f:3: [discovery] rescan_interval: ageing_time must not be less than rescan_interval, or "
	  "one scan that misses a target forgets it (ageing_time = 2min, rescan_interval = "
	  "3min)\n" },
	TMO("fast_io_fail_tmo", "700", "0..600 seconds or \"off\""),
	TMO("fast_io_fail_tmo", "-1", "0..600 seconds or \"off\""),
	TMO("fast_io_fail_tmo", "", "0..600 seconds or \"off\""),
	TMO("fast_io_fail_tmo", "5s", "0..600 seconds or \"off\""),
	TMO("reconnect_delay", "0", "1..2147483647 seconds or \"off\""),
	TMO("reconnect_delay", "Off", "1..2147483647 seconds or \"off\""),
	TMO("dev_loss_tmo", "2147483648", "1..2147483647 seconds or \"off\""),
	LOGIN("pkey", "0", "hexadecimal 1..ffff or \"kernel\""),
	LOGIN("pkey", "10000", "hexadecimal 1..ffff or \"kernel\""),
	LOGIN("pkey", "0000:0000:0000:ffff", "hexadecimal 1..ffff or \"kernel\""),
	LOGIN("io_class", "10", "\"ff00\", \"0100\" or \"kernel\""),
	LOGIN("max_sect", "7", "8..2147483647 or \"kernel\""),
	LOGIN("max_cmd_per_lun", "32768", "1..32767 or \"kernel\""),
	LOGIN("target_can_queue", "0", "1..2147483647 or \"kernel\""),
	LOGIN("cmd_sg_entries", "256", "1..255 or \"kernel\""),
	LOGIN("allow_ext_sg", "yes", "0..1 or \"kernel\""),
	LOGIN("sg_tablesize", "2049", "1..2048 or \"kernel\""),
	LOGIN("comp_vector", "x", "0..2147483647 or \"kernel\""),
	LOGIN("tl_retry_count", "1", "2..7 or \"kernel\""),
	LOGIN("tl_retry_count", "8", "2..7 or \"kernel\""),
	LOGIN("queue_size", "0", "1..32767 or \"kernel\""),
	LOGIN("max_it_iu_size", "-1", "0..2147483647 or \"kernel\""),
	LOGIN("ch_count", "0", "1..1024 or \"kernel\""),
	LOGIN("initiator_ext", "random",
	      "\"target-port-guid\", \"target-port-guid-swapped\" or 1 to 16 hexadecimal digits"),
	{ "[login]\nlogin_timeout = 99ms\n",
	  "f:2: [login] login_timeout: \"99ms\" " TIME_EXPECTED("100ms to 10min") "\n" },
	FAILOVER("probe_interval", "61s", TIME_EXPECTED("10ms to 1min")),
	FAILOVER("probe_timeout", "0", TIME_EXPECTED("1ms to 1min") ", or \"auto\""),
	FAILOVER("probe_misses", "0", "is not valid: expected 1..100"),
	FAILOVER("last_path", "lose", "is not valid: expected \"keep\" or \"fail\""),
	FAILOVER("foreign", "maybe", "is not valid: expected \"yes\" or \"no\""),
	FAILOVER("hold_failures", "17", "is not valid: expected 0..16"),
	FAILOVER("hold_window", "0", TIME_EXPECTED("1s to 24h")),
	FAILOVER("hold_time", "auto", TIME_EXPECTED("1s to 24h")),
	{ "[discovery]\nports = a,b\n", "f:2: [discovery] ports: \"a,b\" " EXPECTED_GLOBS },
	{ "[discovery]\nports = ; none\n", "f:2: [discovery] ports: \"\" " EXPECTED_GLOBS },
	{ "[target a]\ndest = 1.2.3.4:5\nports = /\nioc_guid = 1g\n",
	  "f:3: [target a] ports: \"/\" " EXPECTED_GLOBS
	  "f:4: [target a] ioc_guid: \"1g\" is not valid: expected 1 to 16 hexadecimal digits\n" },
	{ "[target a]\ndest = 1.2.3.4:0\ndest = \ndest = host:1;\n",
	  "f:2: [target a] dest: \"1.2.3.4:0\" " EXPECTED_DEST
	  "f:3: [target a] dest: \"\" " EXPECTED_DEST
	  "f:4: [target a] dest: \"host:1;\" " EXPECTED_DEST },
};

#define NOW(f, r, d) " (fast_io_fail_tmo = " f ", reconnect_delay = " r ", dev_loss_tmo = " d ")\n"
#define FAST_DELAY                                                                                 \
	"fast_io_fail_tmo must be less than reconnect_delay, or a reconnect attempt holds up "     \
	"failing I/O"

static const struct mistake_case rules[] = {
	{ "[timeouts]\nreconnect_delay = 5\n",
	  "f:2: [timeouts] reconnect_delay: " FAST_DELAY NOW("5", "5", "off") },
	{ "[timeouts]\nreconnect_delay = 12\nfast_io_fail_tmo = 15\ndev_loss_tmo = 600\n",
	  "f:4: [timeouts] dev_loss_tmo: " FAST_DELAY NOW("15", "12", "600") },
	{ "[timeouts]\nfast_io_fail_tmo = off\nreconnect_delay = off\n",
	  "f:3: [timeouts] reconnect_delay: at least one of the three must not be off" NOW(
		  "off", "off", "off") },
	{ "[timeouts]\ndev_loss_tmo = 601\nfast_io_fail_tmo = off\n",
	  "f:3: [timeouts] fast_io_fail_tmo: dev_loss_tmo must be at most 600 or off where "
	  "fast_io_fail_tmo is off" NOW("off", "10", "601") },
	{ "[timeouts]\ndev_loss_tmo = 5\n",
	  "f:2: [timeouts] dev_loss_tmo: fast_io_fail_tmo must be less than dev_loss_tmo" NOW(
		  "5", "10", "5") },
	/* a target that inherits a mistake is not told, one that makes its own is */
	{ "[target a]\ndest = 1.2.3.4:5\n[target b]\ndest = 1.2.3.5:5\nfast_io_fail_tmo = 6\n"
	  "[timeouts]\nreconnect_delay = 3\n",
	  "f:7: [timeouts] reconnect_delay: " FAST_DELAY NOW("5", "3", "off") //
	  "f:5: [target b] fast_io_fail_tmo: " FAST_DELAY NOW("6", "3", "off") },
	/* one right for itself, wrong with what it inherits */
	{ "[target b]\ndest = 1.2.3.5:5\nfast_io_fail_tmo = 10\n",
	  "f:3: [target b] fast_io_fail_tmo: " FAST_DELAY NOW("10", "10", "off") },
	/* no rule is applied to a value that is none */
	{ "[timeouts]\nfast_io_fail_tmo = 700\nreconnect_delay = 1\n"
	  "[target a]\ndest = 1.2.3.4:5\nreconnect_delay = 2\n",
	  "f:2: [timeouts] fast_io_fail_tmo: \"700\" is not valid: expected 0..600 seconds or "
	  "\"off\"\n" },
};

static void check(const struct mistake_case *c)
{
	struct config *config = (struct config *)c; /* must stay so */
	struct config_errors e = { 0 };
	char got[4096] = "";
	size_t len = c->len ? c->len : strlen(c->text);
	int r = config_load_text("f", c->text, len, &config, &e);

	for (unsigned i = 0; i < e.n; i++)
		strcat(strcat(got, e.lines[i]), "\n");
	if (strcmp(got, c->errors) != 0)
		fail_msg("%s\ntold:\n%sexpected:\n%s", c->text, got, c->errors);
	assert_int_equal(r, -EINVAL);
	assert_int_equal(e.total, e.n);
	assert_ptr_equal(config, c);
	config_errors_clear(&e);
	assert_int_equal(e.n, 0);
	assert_int_equal(e.total, 0);
}

#define TABLE_TEST(table)                                                                          \
	static void test_##table(void **state)                                                     \
	{                                                                                          \
		for (size_t i = 0; i < ARRAY_SIZE(table); i++)                                     \
			check(&table[i]);                                                          \
	}
TABLE_TEST(lexical)
TABLE_TEST(places)
TABLE_TEST(twice)
TABLE_TEST(values)
TABLE_TEST(rules)

/* A line at the limit is read whole, one byte more is told; comment and indent do not count. */
static void test_line_length(void **state)
{
	static const char head[] = "[discovery]\n";
	char line[CONFIG_LINE_MAX + 2], text[1024], errors[128];
	struct config_errors e = { 0 };
	_cleanup_(config_freep) struct config *config = NULL;

	memset(line, 'x', CONFIG_LINE_MAX + 1);
	memcpy(line, "ports = ", 8);
	for (unsigned i = 7; i < CONFIG_LINE_MAX; i += 50)
		line[i] = ' ';
	line[CONFIG_LINE_MAX] = '\0';
	snprintf(text, sizeof(text), "%s   %s # %300s\n", head, line, "comment");
	assert_int_equal(config_load_text("f", text, strlen(text), &config, &e), 0);
	assert_string_equal(config->ports, line + 8);

	line[CONFIG_LINE_MAX] = 'x';
	line[CONFIG_LINE_MAX + 1] = '\0';
	snprintf(text, sizeof(text), "%s%s\n", head, line);
	snprintf(errors, sizeof(errors),
		 "f:2: line too long: %d bytes without comment, at most %d\n", CONFIG_LINE_MAX + 1,
		 CONFIG_LINE_MAX);
	check(&(struct mistake_case){ text, errors });
}

/* Beyond what is listed it counts. */
static void test_many(void **state)
{
	char text[4 * (CONFIG_ERRORS_MAX + 10) + 1] = "";
	struct config_errors e = { 0 };
	struct config *config = NULL;

	for (unsigned i = 0; i < CONFIG_ERRORS_MAX + 10; i++)
		strcat(text, "bad\n");
	assert_int_equal(config_load_text("f", text, strlen(text), &config, &e), -EINVAL);
	assert_int_equal(e.n, CONFIG_ERRORS_MAX);
	assert_int_equal(e.total, CONFIG_ERRORS_MAX + 10);
	assert_string_equal(e.lines[CONFIG_ERRORS_MAX - 1], "f:64: expected \"key = value\", "
							    "[section] or a comment");
	config_errors_clear(&e);
}

static void test_too_much(void **state)
{
	_cleanup_free_ char *text = calloc(1, 1 << 16);
	char ports[CONFIG_PORT_GLOBS_MAX + 2] = "";
	size_t n = 0;

	assert_non_null(text);
	n += (size_t)sprintf(text + n, "[target a]\n");
	for (unsigned i = 0; i <= CONFIG_PORTALS_MAX; i++)
		n += (size_t)sprintf(text + n, "dest = 10.0.%u.2:5555\n", i);
	check(&(struct mistake_case){ text, "f:18: [target a] dest: more than 16 portals\n" });

	n = 0;
	for (unsigned i = 0; i <= CONFIG_TARGETS_MAX; i++)
		n += (size_t)sprintf(text + n, "[target t%u]\ndest = 10.0.%u.%u:5555\n", i, i / 256,
				     i % 256);
	check(&(struct mistake_case){ text, "f:513: [target t256]: more than 256 targets\n" });

	n = (size_t)sprintf(text, "[discovery]\n");
	for (unsigned i = 0; i < CONFIG_PORT_GLOBS_MAX / 2; i++)
		strcat(ports, "x ");
	n += (size_t)sprintf(text + n, "ports = %s\nports = %s\nports = x\n", ports, ports);
	check(&(struct mistake_case){ text, "f:4: [discovery] ports: more than 64 globs\n" });
}

/* 32 targets of 16 portals are all there may be; the rest is told once. */
static void test_too_many_portals(void **state)
{
	for (unsigned targets = 32; targets <= 34; targets++) {
		_cleanup_(config_freep) struct config *config = NULL;
		struct config_errors e = { 0 };
		char text[34 * 17 * 24];
		int n = 0;

		for (unsigned t = 0; t < targets; t++) {
			n += sprintf(text + n, "[target t%u]\n", t);
			for (unsigned i = 0; i < 16; i++)
				n += sprintf(text + n, "dest = 10.0.%u.%u:5555\n", t, i + 1);
		}
		if (targets == 32) {
			assert_int_equal(config_load_text("f", text, (size_t)n, &config, &e), 0);
			assert_int_equal(e.n, 0);
			continue;
		}
		check(&(struct mistake_case){ text,
					      "f:545: [target t32]: more than 512 dest lines in "
					      "all targets together\n" });
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lexical),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_too_many_portals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
