/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of a rules file: what is taken, what is refused and in which words. Where the distribution's
 * srp_daemon is installed each text is given to it, too, and the verdicts must be equal: it reads
 * the file before it looks for the device, and exits with 1 on a mistake, 0 without the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "config/loader.h"
#include "config/rules-file.h"

#define SRP_DAEMON "/usr/sbin/srp_daemon"

#define D16 "0123456789abcdef"
#define X64 D16 D16 D16 D16
#define X256 X64 X64 X64 X64
#define START "expected \"a\" or \"d\" as the first character, or \"#\" for a comment\n"
#define PAIR "expected KEY=VALUE, one comma or blanks after each\n"
#define NEWLINE "no newline at its end; srp_daemon does not take it\n"
#define LONG "longer than 254 bytes, which is all srp_daemon takes\n"
#define PAST "past 254 bytes, where srp_daemon begins a new line: "
#define KEYS                                                                                       \
	"unknown key; expected id_ext, ioc_guid, dgid, service_id or pkey, or a parameter of a "   \
	"login\n"

struct text_case {
	const char *text;
	unsigned rules;	    /* in it, where it is taken */
	const char *errors; /* NULL: taken */
	size_t len;	    /* 0: of the string */
	bool chance;	    /* srp_daemon reads memory it has not written: no verdict to compare */
};

static const struct text_case cases[] = {
	/* nothing */
	{ "", 0, NULL },
	{ "\n\n\n", 0, NULL },
	{ "# a comment\n#\n##\n#a\n", 0, NULL },
	{ "# a comment without a newline", 0, NULL },
	{ " \n", 0, "f:1: " START },
	{ "\t# indented\n", 0, "f:1: " START },
	{ "; semicolon\n", 0, "f:1: " START },
	{ "\r\n", 0, "f:1: " START },

	/* the first character */
	{ "a\n", 1, NULL },
	{ "d\n", 1, NULL },
	{ "A\nD\n", 2, NULL },
	{ "a \t \n", 1, NULL },
	{ "aid_ext=1\n", 1, NULL },
	{ "a\tid_ext=1\n", 1, NULL },
	{ "allow id_ext=1\n", 0, "f:1: llow: " KEYS },
	{ "x\n", 0, "f:1: " START },
	{ " a id_ext=1\n", 0, "f:1: " START },
	{ "\na\n\nd\nx\ny\n", 0, "f:5: " START "f:6: " START },
	{ "\0\n", 0, "f:1: " START, 2 },

	/* blanks, commas, comments after */
	{ "a id_ext=1,ioc_guid=2,dgid=3,service_id=4,pkey=5\n", 1, NULL },
	{ "a id_ext=1 ioc_guid=2\tpkey=3\n", 1, NULL },
	{ "a id_ext=1, \t ioc_guid=2\n", 1, NULL },
	{ "a id_ext=1,\n", 1, NULL },
	{ "a id_ext=1 \n", 1, NULL },
	{ "a id_ext=1 ,ioc_guid=2\n", 0, "f:1: " PAIR },
	{ "a id_ext=1,,ioc_guid=2\n", 0, "f:1: " PAIR },
	{ "a ,id_ext=1\n", 0, "f:1: " PAIR },
	{ "a,\n", 0, "f:1: " PAIR },
	{ "a id_ext = 1\n", 0, "f:1: id_ext: no \"=\" right after it\n" },
	{ "a id_ext= 1\n", 0, "f:1: 1: " KEYS },
	{ "a id_ext=1 # why\n", 0, "f:1: #: " KEYS },
	{ "a id_ext=1;\n", 0,
	  "f:1: id_ext: \"1;\" is not valid: expected at most 16 hexadecimal digits\n" },
	{ "a id_ext=\"1\"\n", 0,
	  "f:1: id_ext: \"\"1\"\" is not valid: expected at most 16 hexadecimal digits\n" },
	{ "a\r\n", 0, "f:1: ends in CR LF; srp_daemon takes lines that end in LF alone\n" },
	{ "a id_ext=1\r\n", 0,
	  "f:1: id_ext: \"1?\" is not valid: expected at most 16 hexadecimal digits\n" },
	{ "a id_ext=1, \r\n", 0,
	  "f:1: ends in CR LF; srp_daemon takes lines that end in LF alone\n" },

	/* values to match */
	{ "a id_ext=200400A0b81146a1\n", 1, NULL },
	{ "a id_ext=0200400A0b81146a1\n", 0,
	  "f:1: id_ext: \"0200400A0b81146a1\" is not valid: expected at most 16 hexadecimal "
	  "digits\n" },
	{ "a id_ext=0x12\n", 0,
	  "f:1: id_ext: \"0x12\" is not valid: expected at most 16 hexadecimal digits\n" },
	{ "a id_ext=0002:c902:0040:2bed\n", 0,
	  "f:1: id_ext: \"0002:c902:0040:2bed\" is not valid: expected at most 16 hexadecimal "
	  "digits\n" },
	{ "a id_ext=\n", 1, NULL },
	{ "a id_ext=,ioc_guid=\n", 1, NULL },
	{ "a id_ext=1,id_ext=2\n", 1, NULL },
	{ "a ioc_guid=" D16 "\n", 1, NULL },
	{ "a ioc_guid=" D16 "0\n", 0,
	  "f:1: ioc_guid: \"" D16 "0\" is not valid: expected at most 16 hexadecimal digits\n" },
	{ "a dgid=" D16 D16 "\n", 1, NULL },
	{ "a dgid=fe80\n", 1, NULL },
	{ "a dgid=" D16 D16 "0\n", 0,
	  "f:1: dgid: \"" D16 D16 "0\" is not valid: expected at most 32 hexadecimal digits\n" },
	{ "a dgid=fe80::2:c902:40:2bd5\n", 0,
	  "f:1: dgid: \"fe80::2:c902:40:2bd5\" is not valid: expected at most 32 hexadecimal "
	  "digits\n" },
	{ "a service_id=" D16 "\n", 1, NULL },
	{ "a service_id=" D16 "f\n", 0,
	  "f:1: service_id: \"" D16 "f\" is not valid: expected at most 16 hexadecimal digits\n" },
	{ "a pkey=123456789\n", 1, NULL },
	{ "a pkey=1234567890\n", 0,
	  "f:1: pkey: \"1234567890\" is not valid: expected at most 9 hexadecimal digits\n" },
	{ "a pkey=0xffff\n", 0,
	  "f:1: pkey: \"0xffff\" is not valid: expected at most 9 hexadecimal digits\n" },
	{ "a id_ext=-1\n", 0,
	  "f:1: id_ext: \"-1\" is not valid: expected at most 16 hexadecimal digits\n" },
	{ "d id_ext=1,ioc_guid=2,dgid=3,service_id=4,pkey=5\n", 1, NULL },

	/* keys */
	{ "a ID_EXT=1\n", 0, "f:1: ID_EXT: " KEYS },
	{ "a id_exts=1\n", 0, "f:1: id_exts: unknown key; did you mean \"id_ext\"?\n" },
	{ "a Pkey=1\n", 0, "f:1: Pkey: unknown key; did you mean \"pkey\"?\n" },
	{ "a io_class=ff00\n", 0, "f:1: io_class: " KEYS },
	{ "a initiator_ext=1\n", 0, "f:1: initiator_ext: " KEYS },
	{ "a max_it_iu_size=8260\n", 0, "f:1: max_it_iu_size: " KEYS },
	{ "a target_can_queue=8\n", 0, "f:1: target_can_queue: " KEYS },
	{ "a sg_table_size=8\n", 0,
	  "f:1: sg_table_size: unknown key; did you mean \"sg_tablesize\"?\n" },
	{ "a id_ext\n", 0, "f:1: id_ext: no \"=\" right after it\n" },
	{ "a =1\n", 0, "f:1: " PAIR },
	{ "a \xc3\xa4=\x1b\n", 0, "f:1: ??: " KEYS },

	/* options */
	{ "a allow_ext_sg=1,ch_count=2,cmd_sg_entries=3,comp_vector=4,max_cmd_per_lun=5\n", 1,
	  NULL },
	{ "a max_sect=6,queue_size=7,sg_tablesize=8,tl_retry_count=9\n", 1, NULL },
	{ "a ch_count=1,id_ext=2,ch_count=3\n", 1, NULL },
	{ "a ch_count=0\n", 1, NULL },
	{ "a ch_count=\n", 1, NULL },
	{ "a ch_count=9999999999999999\n", 1, NULL },
	{ "a ch_count=10000000000000000\n", 0,
	  "f:1: ch_count: \"10000000000000000\" is not valid: expected at most 16 digits\n" },
	{ "a ch_count=0x10\n", 0,
	  "f:1: ch_count: \"0x10\" is not valid: expected at most 16 digits\n" },
	{ "a ch_count=1f\n", 0,
	  "f:1: ch_count: \"1f\" is not valid: expected at most 16 digits\n" },
	{ "d ch_count=2\n", 0, "f:1: ch_count: a parameter of a login, in a line that denies\n" },
	{ "D id_ext=1,max_sect=2\n", 0,
	  "f:1: max_sect: a parameter of a login, in a line that denies\n" },
	/* 5 * 25 = 125, + 1 + 8 + 1 is too much, + 2 is what fits: no option is so short */
	{ "a ch_count=0000000000000001,ch_count=0000000000000001,ch_count=0000000000000001,"
	  "ch_count=0000000000000001,max_sect=00000000000000000\n",
	  0, "f:1: max_sect: \"00000000000000000\" is not valid: expected at most 16 digits\n" },
	/* 4 * 26 + 23 = 127 */
	{ "a ch_count=0000000000000001,ch_count=0000000000000001,ch_count=0000000000000001,"
	  "ch_count=0000000000000001,ch_count=0000000000001\n",
	  1, NULL },
	{ "a ch_count=0000000000000001,ch_count=0000000000000001,ch_count=0000000000000001,"
	  "ch_count=0000000000000001,ch_count=00000000000001\n",
	  0, "f:1: ch_count: more than 127 bytes of options in one line\n" },

	/* the end of the file */
	{ "a", 0, "f:1: " NEWLINE },
	{ "a\nd", 0, "f:2: " NEWLINE },
	{ "a id_ext=1", 0, "f:1: " NEWLINE, 0, true },
	{ "a\nd id_ext=1", 0, "f:2: " NEWLINE },
	{ "d id_ext=0000000000000001\nd id_ext=0000000000000002", 0, "f:2: " NEWLINE },
	{ "a id_ext=1,", 0, "f:1: " NEWLINE, 0, true },
	/* there srp_daemon finds the newline of the line before */
	{ "a id_ext=12\nd id_ext=1", 0, "f:2: " NEWLINE, 0, true },
	{ "x", 0, "f:1: " START },

	/* 254 bytes are a line */
	{ "#" X64 X64 X64 X64 "\n", 0, "f:1: " PAST "ef: " KEYS },
	{ "# a\n#" X64 X64 X64 D16 D16 D16 "0123456789abca\nx\n", 0, "f:3: " START },
	{ "#" X64 X64 X64 D16 D16 D16 "0123456789abcd\n", 1, NULL },
	{ "#" X64 X64 X64 D16 D16 D16 "0123456789abca\nd\n", 2, NULL },
	{ "#" X64 X64 X64 D16 D16 D16 "0123456789abc# more\nd\n", 1, NULL },
	{ "#" X64 X64 X64 D16 D16 D16 "0123456789abc\nd\n", 1, NULL },
	{ "#" X64 X64 X64 D16 D16 D16 "0123456789abca id_ext=1\nd\n", 2, NULL },
	{ "a                                                                                       "
	  "                                                                                        "
	  "                                                                           \n",
	  1, NULL },
	{ "a                                                                                       "
	  "                                                                                        "
	  "                                                                             id_ext=1\n",
	  0, "f:1: " LONG "f:1: " PAST "_ext: unknown key; did you mean \"id_ext\"?\n", 0, true },

	/* a NUL ends a value, as a comma does */
	{ "a id_ext=1\0pkey=1\n", 1, NULL, 18 },
	{ "a id_ext=1\0\0\n", 0, "f:1: " PAIR, 13 },
	{ "a \0\n", 0, "f:1: " PAIR, 4 },
	{ "# \0 x\n", 0, NULL, 6 },
};

static size_t length(const struct text_case *c)
{
	return c->len ? c->len : strlen(c->text);
}

static bool parse(const char *text, size_t len, struct config_rules *rules, char *got, size_t size)
{
	struct config_errors e = { 0 };
	bool taken;

	assert_int_equal(rules_file_parse("f", text, len, rules, &e), 0);
	*got = '\0';
	for (unsigned i = 0; i < e.n && strlen(got) + strlen(e.lines[i]) + 2 < size; i++)
		strcat(strcat(got, e.lines[i]), "\n");
	taken = e.total == 0;
	config_errors_clear(&e);
	return taken;
}

static void rules_clear(struct config_rules *rules)
{
	for (unsigned i = 0; i < rules->n; i++)
		config_rule_clear(&rules->list[i]);
	free(rules->list);
	*rules = (struct config_rules){ 0 };
}

static void test_cases(void **state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct text_case *c = &cases[i];
		struct config_rules rules = { 0 };
		char got[16384];

		parse(c->text, length(c), &rules, got, sizeof(got));
		if (strcmp(got, c->errors ? c->errors : "") != 0)
			wrong++, print_error("%s\ntold:\n%s\nexpected:\n%s\n", c->text, got,
					     c->errors ? c->errors : "nothing");
		if (!c->errors && rules.n != c->rules)
			wrong++, print_error("%s\n%u rules, expected %u\n", c->text, rules.n,
					     c->rules);
		rules_clear(&rules);
	}
	assert_int_equal(wrong, 0);
}

/* A file of its own for srp_daemon to read. */
struct oracle {
	char path[32];
	int fd;
};

static int oracle_setup(void **state)
{
	struct oracle *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	strcpy(o->path, "/tmp/test-rules.XXXXXX");
	o->fd = mkostemp(o->path, O_CLOEXEC);
	assert_true(o->fd >= 0);
	*state = o;
	return 0;
}

static int oracle_teardown(void **state)
{
	_cleanup_free_ struct oracle *o = *state;

	unlink(o->path);
	close(o->fd);
	return 0;
}

/* Whether srp_daemon takes the text; -1 where it cannot be asked. */
static int oracle_ask(const struct oracle *o, const char *text, size_t len)
{
	const char *program = getenv("SRP_DAEMON") ? getenv("SRP_DAEMON") : SRP_DAEMON;
	char *argv[] = { (char *)program, "-o", "-i", "no-such-device", "-p", "1", "-f",
			 (char *)o->path, NULL };
	pid_t pid;
	int status;

	assert_int_equal(ftruncate(o->fd, 0), 0);
	assert_int_equal(pwrite(o->fd, text, len, 0), len);
	if (posix_spawn(&pid, program, NULL, NULL, argv, environ) != 0)
		return -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return -1;
	return WEXITSTATUS(status) == 0;
}

static void need_oracle(const struct oracle *o)
{
	if (oracle_ask(o, "a\n", 2) == 1 && oracle_ask(o, "x\n", 2) == 0)
		return;
	print_message("no %s to compare with (package srptools)\n", SRP_DAEMON);
	skip();
}

static void test_cases_as_srp_daemon(void **state)
{
	const struct oracle *o = *state;
	unsigned wrong = 0;

	need_oracle(o);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct text_case *c = &cases[i];

		if (!c->chance && oracle_ask(o, c->text, length(c)) != !c->errors)
			wrong++, print_error("%s\nsrp_daemon does not agree: expected %s\n",
					     c->text, c->errors ? c->errors : "taken");
	}
	assert_int_equal(wrong, 0);
}

/* Pieces that lines are made of, right and wrong. */
static const char *const pieces[] = {
	"a",
	"d",
	"A",
	"D",
	"#",
	"x",
	" ",
	" ",
	"\t",
	",",
	", ",
	"\n",
	"\r",
	"\n",
	"id_ext=",
	"dgid=",
	"pkey=",
	"ioc_guid=",
	"service_id=",
	"id_ext",
	"=",
	"1",
	"f",
	"G",
	D16,
	"12345678",
	"01234567890",
	"max_sect=",
	"ch_count=",
	"queue_size=",
	"tl_retry_count=",
	"io_class=",
	"a id_ext=1,ch_count=2\n",
	"a ",
	"d ",
	"a max_sect=64,sg_tablesize=128\n",
	"d\n",
	X64,
};

/* SplitMix64: the same lines every time. */
static uint64_t next_random(uint64_t *seed)
{
	uint64_t v = *seed += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

/* RULES_RANDOM: how many texts; RULES_SEED. */
static void test_random_as_srp_daemon(void **state)
{
	const struct oracle *o = *state;
	const char *count = getenv("RULES_RANDOM"), *from = getenv("RULES_SEED");
	uint64_t seed = from ? strtoull(from, NULL, 0) : 1;
	unsigned n = count ? (unsigned)atoi(count) : 300, taken = 0;

	need_oracle(o);
	for (unsigned i = 0; i < n; i++) {
		struct config_rules rules = { 0 };
		char text[1024] = "", got[16384];
		unsigned parts = next_random(&seed) % 16;
		bool ours;

		for (unsigned k = 0; k < parts; k++)
			strcat(text, pieces[next_random(&seed) % ARRAY_SIZE(pieces)]);
		strcat(text, "\n");
		ours = parse(text, strlen(text), &rules, got, sizeof(got));
		rules_clear(&rules);
		taken += ours;
		if (strstr(got, "longer than 254"))
			continue; /* what srp_daemon says then is chance */
		if (oracle_ask(o, text, strlen(text)) != ours)
			fail_msg("%s\nsrpha %s, srp_daemon does not agree", text,
				 ours ? "takes it" : got);
	}
	print_message("%u texts, %u of them taken by both\n", n, taken);
	assert_in_range(taken, n / 50, n - n / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test_setup_teardown(test_cases_as_srp_daemon, oracle_setup,
						oracle_teardown),
		cmocka_unit_test_setup_teardown(test_random_as_srp_daemon, oracle_setup,
						oracle_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
