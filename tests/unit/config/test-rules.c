/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is decided on an offer, and by which rule; [rule NAME] sections and their mistakes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config/loader.h"
#include "config/rules.h"

#define FILE_PATH "/etc/srp_daemon.conf"

/* As the OFED manual's example. */
static const struct offer lsi = {
	.gid = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x00, 0x02, 0xc9, 0x02, 0x00, 0x40, 0x2b, 0xd5 },
	.pkey = 0xffff,
	.ioc_guid = 0x0002c90200402bd4,
	.io_class = 0x0100,
	.service_id = 0x200400a0b81146a1,
	.id_ext = 0x200400a0b81146a1,
	.service_name = "SRP.T10:200400A0B81146A1",
};

static struct config *load(const char *text, const char *file)
{
	struct config_errors e = { 0 };
	struct config *c = NULL;
	struct loader l;
	int r = loader_begin(&l, &e);

	assert_int_equal(r, 0);
	assert_int_equal(loader_text(&l, "f", text, strlen(text)), 0);
	assert_int_equal(loader_rules_file(&l, "rules", file, strlen(file)), 0);
	r = loader_end(&l, 0, &c);
	if (r < 0 || e.n > 0)
		fail_msg("%s\n%s\nreturned %d, %s", text, file, r, e.n > 0 ? e.lines[0] : "-");
	return c;
}

static void decides(const char *text, const char *file, const struct offer *o, bool allowed,
		    const char *source, unsigned line)
{
	_cleanup_(config_freep) struct config *c = load(text, file);
	struct rule_decision d;

	rules_decide(c, o, &d);
	if (d.allowed != allowed || strcmp(d.source, source) != 0 || d.line != line)
		fail_msg("%s\n%s\n%s by %s line %u", text, file, d.allowed ? "allowed" : "denied",
			 d.source, d.line);
}

static void test_default(void **state)
{
	decides("", "", &lsi, true, "default", 0);
	decides("", "# nothing\n", &lsi, true, "default", 0);
	decides("[rule x]\naction = deny\npkey = 1\n", "d id_ext=1\n", &lsi, true, "default", 0);
}

/* Every key alone: a value that matches, and one that does not for one digit. */
static void test_each_key(void **state)
{
	static const struct {
		const char *match, *other;
		bool file_only; /* no value in a section */
	} keys[] = {
		{ "id_ext=200400a0b81146a1", "id_ext=200400a0b81146a0" },
		{ "id_ext=200400A0B81146A1", "id_ext=00400a0b81146a1" },
		{ "ioc_guid=0002c90200402bd4", "ioc_guid=1002c90200402bd4" },
		{ "ioc_guid=2c90200402bd4", "ioc_guid=0" },
		{ "dgid=fe800000000000000002c90200402bd5",
		  "dgid=fe800000000000000002c90200402bd4" },
		{ "dgid=FE800000000000000002C90200402BD5",
		  "dgid=fe810000000000000002c90200402bd5" },
		{ "service_id=200400a0b81146a1", "service_id=1" },
		{ "pkey=ffff", "pkey=7fff" },
		/* srp_daemon's reading of short and long ones */
		{ "dgid=fe800000000000000002c90200402bd5", "dgid=fe80", true },
		{ "dgid=fe800000000000002c90200402bd5", "dgid=fe80000000000000", true },
		{ "pkey=12345ffff", "pkey=12345fff", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *never = strncmp(keys[i].match, "pkey", 4) == 0 ? "id_ext=1" : "pkey=1";
		char text[128];

		snprintf(text, sizeof(text), "#\nd %s\n", keys[i].match);
		decides("", text, &lsi, false, FILE_PATH, 2);
		snprintf(text, sizeof(text), "d %s\n", keys[i].other);
		decides("", text, &lsi, true, "default", 0);
		/* all of a line's keys must match */
		snprintf(text, sizeof(text), "d %s,%s\n", keys[i].match, never);
		decides("", text, &lsi, true, "default", 0);
		if (keys[i].file_only)
			continue;
		snprintf(text, sizeof(text), "\n[rule x]\n%s\naction=deny\n", keys[i].match);
		decides(text, "a\n", &lsi, false, "[rule x]", 2);
		snprintf(text, sizeof(text), "[rule x]\n%s\naction=deny\n", keys[i].other);
		decides(text, "", &lsi, true, "default", 0);
		snprintf(text, sizeof(text), "[rule x]\n%s\n%s\naction=deny\n", keys[i].match,
			 never);
		decides(text, "", &lsi, true, "default", 0);
	}
}

/* The example of srp_daemon's manual page, target for target. */
static void test_order(void **state)
{
	static const char manual[] =
		"# Rules file example\n"
		"# This is a comment\n"
		"# disallow the following dgid\n"
		"d       dgid=fe800000000000000002c90200402bd5\n"
		"# allow target with the following ioc_guid\n"
		"a       ioc_guid=00a0b80200402bd7\n"
		"# allow target with the following id_ext and ioc_guid.\n"
		"a       id_ext=200500A0B81146A1,ioc_guid=00a0b80200402bef,max_cmd_per_lun=31\n"
		"# disallow all the rest\n"
		"d\n";
	static const char sections[] =
		"[rule first]\naction = allow\nioc_guid = 00a0b80200402bd8\n"
		"[rule second]\naction = deny\nioc_guid = 00a0b80200402bd7\n"
		"[rule third]\naction = allow\nioc_guid = 00a0b80200402bd7\n";
	struct offer o = lsi;

	decides("", manual, &o, false, FILE_PATH, 4);
	o.gid[15]++;
	decides("", manual, &o, false, FILE_PATH, 10);
	o.ioc_guid = 0x00a0b80200402bd7;
	decides("", manual, &o, true, FILE_PATH, 6);
	decides(sections, manual, &o, false, "[rule second]", 4);
	o.ioc_guid = 0x00a0b80200402bd8;
	decides(sections, manual, &o, true, "[rule first]", 1);
	o.id_ext = 0x200500a0b81146a1;
	o.ioc_guid = 0x00a0b80200402bef;
	decides("", manual, &o, true, FILE_PATH, 8);
	decides(sections, manual, &o, true, FILE_PATH, 8);
}

static struct rule_decision decide(const struct config *c)
{
	struct rule_decision d;

	rules_decide(c, &lsi, &d);
	return d;
}

static void test_file_options(void **state)
{
	_cleanup_(config_freep) struct config *c = load(
		"[login]\nch_count = 7\nqueue_size = 100\nmax_sect = 1024\n",
		"a pkey=ffff,max_cmd_per_lun=31 id_ext=200400a0b81146a1,max_sect=0,max_sect=64\n");
	_cleanup_(config_freep) struct config *odd = load(
		"", "a queue_size=,ch_count=010,comp_vector=08,tl_retry_count=9999999999999999\n");
	_cleanup_(config_freep) struct config *none = load("[login]\nch_count = 7\n", "d\n");
	struct rule_decision d = decide(c);

	assert_true(d.allowed);
	assert_string_equal(d.options, ",max_cmd_per_lun=31,max_sect=0,max_sect=64");
	assert_int_equal(d.login.max_cmd_per_lun, 31);
	assert_int_equal(d.login.max_sect, 64);
	assert_int_equal(d.login.ch_count, 7);
	assert_int_equal(d.login.queue_size, 100);
	assert_int_equal(d.login.tl_retry_count, 2);

	d = decide(odd);
	assert_string_equal(d.options, ",queue_size=,ch_count=010,comp_vector=08,"
				       "tl_retry_count=9999999999999999");
	assert_int_equal(d.login.queue_size, LOGIN_UNSET);
	assert_int_equal(d.login.ch_count, 8); /* the kernel's reading */
	assert_int_equal(d.login.comp_vector, 8);
	assert_int_equal(d.login.tl_retry_count, UINT64_C(9999999999999999));

	d = decide(none);
	assert_false(d.allowed);
	assert_string_equal(d.options, "");
	assert_int_equal(d.login.ch_count, 7);
}

static void test_section_options(void **state)
{
	_cleanup_(config_freep) struct config *c =
		load("[rule x]\naction = allow\nch_count = 4\nmax_sect = kernel\nqueue_size = 9\n"
		     "io_class = ff00\ninitiator_ext = 77\nlogin_timeout = 3s\nmax_it_iu_size = 1\n"
		     "[login]\nch_count = 7\nmax_sect = 1024\nqueue_size = 100\n"
		     "max_cmd_per_lun = 5\n",
		     "");
	_cleanup_(config_freep) struct config *no_text =
		load("[rule x]\naction = allow\ninitiator_ext = target-port-guid-swapped\n", "");
	struct rule_decision d = decide(c);

	assert_string_equal(d.options, ",io_class=ff00,queue_size=9,ch_count=4,max_it_iu_size=1");
	assert_int_equal(d.login.ch_count, 4);
	assert_int_equal(d.login.max_sect, LOGIN_UNSET);
	assert_int_equal(d.login.queue_size, 9);
	assert_int_equal(d.login.max_cmd_per_lun, 5);
	assert_int_equal(d.login.initiator_ext_mode, INITIATOR_EXT_FIXED);
	assert_int_equal(d.login.initiator_ext, 0x77);
	assert_int_equal(d.login.login_timeout_usec, 3000000);
	assert_int_equal(d.login.pkey, 0xffff);

	d = decide(no_text);
	assert_string_equal(d.options, "");
	assert_int_equal(d.login.initiator_ext_mode, INITIATOR_EXT_TARGET_PORT_GUID_SWAPPED);
}

/* The section that names the target: its login, and on top of it what the rule sets. */
static void test_target(void **state)
{
	static const char *const sections[] = {
		"[target a]\nid_ext = 1\n[target b]\nid_ext = 200400a0b81146a1\nioc_guid = 5\n"
		"[target c]\nid_ext = 200400a0b81146a1\nch_count = 4\nqueue_size = 9\n"
		"[target d]\nid_ext = 200400a0b81146a1\n"
		"[login]\nch_count = 7\nmax_sect = 1024\n",
		"[target a]\nid_ext = 1\n[login]\nch_count = 7\nmax_sect = 1024\n",
	};
	_cleanup_(config_freep) struct config *named = load(sections[0], "a ch_count=3\n"),
					      *plain = load(sections[0], ""),
					      *other = load(sections[1], "a ch_count=3\n");
	struct rule_decision d = decide(named);

	assert_string_equal(d.target->name, "c");
	assert_int_equal(d.login.ch_count, 3);
	assert_int_equal(d.login.queue_size, 9);
	assert_int_equal(d.login.max_sect, 1024);
	d = decide(plain);
	assert_string_equal(d.target->name, "c");
	assert_int_equal(d.login.ch_count, 4);
	d = decide(other);
	assert_null(d.target);
	assert_int_equal(d.login.ch_count, 3);
	assert_int_equal(d.login.max_sect, 1024);
}

/* Every key of [login] but pkey is a rule's, too; of the others none. */
static void test_section_keys(void **state)
{
	unsigned n = 0;

	for (unsigned k = 0; k < config_n_keys; k++) {
		const struct config_key *key = &config_keys[k];
		const struct config_key *found = config_key_find(key->name, SECTION_RULE);

		if (key->section == SECTION_LOGIN && strcmp(key->name, "pkey") != 0) {
			assert_ptr_equal(found, key);
			n++;
		} else if (key->section == SECTION_RULE)
			assert_ptr_equal(found, key);
		else if (key->section == SECTION_TIMEOUTS || key->section == SECTION_FAILOVER)
			assert_null(found);
	}
	assert_int_equal(n, 14);
}

static void test_section_mistakes(void **state)
{
	static const struct {
		const char *text, *errors;
	} cases[] = {
		{ "[rule x]\nid_ext = 1\n",
		  "f:1: [rule x]: no action: expected \"action = allow\" or \"action = deny\"\n" },
		{ "[rule x]\naction = maybe\nch_count = 1\n",
		  "f:2: [rule x] action: \"maybe\" is not valid: expected \"allow\" or "
		  "\"deny\"\n" },
		{ "[rule x]\nch_count = 1\naction = deny\nmax_sect = 8\n",
		  "f:4: [rule x] max_sect: a parameter of a login, where action is deny\n"
		  "f:2: [rule x] ch_count: a parameter of a login, where action is deny\n" },
		{ "[rule x]\naction = allow\npkey = kernel\n",
		  "f:3: [rule x] pkey: \"kernel\" is not valid: expected hexadecimal 1..ffff\n" },
		{ "[rule x]\naction = allow\npkey = 10000\n",
		  "f:3: [rule x] pkey: \"10000\" is not valid: expected hexadecimal 1..ffff\n" },
		{ "[rule x]\naction = allow\ndgid = fe80\n",
		  "f:3: [rule x] dgid: \"fe80\" is not valid: expected 32 hexadecimal digits, or "
		  "an "
		  "IPv6 address\n" },
		{ "[rule x]\naction = allow\nservice_id = \n",
		  "f:3: [rule x] service_id: \"\" is not valid: expected 1 to 16 hexadecimal "
		  "digits\n" },
		{ "[rule x]\naction = allow\naction = allow\n",
		  "f:3: [rule x] action: given twice in this file, first on line 2\n" },
		{ "[rule x]\naction = allow\n[rule x]\n",
		  "f:3: [rule x]: given twice in this file, first on line 1\n" },
		{ "[rule x]\naction = allow\nfast_io_fail_tmo = 1\n",
		  "f:3: [rule x] fast_io_fail_tmo: not a key of this place; it belongs in "
		  "[timeouts]\n" },
		{ "[rule x]\naction = allow\ndest = 10.0.0.1:1\n",
		  "f:3: [rule x] dest: not a key of this place; it belongs in [target NAME]\n" },
		{ "[login]\naction = allow\n",
		  "f:2: [login] action: not a key of this place; it belongs in [rule NAME]\n" },
		{ "[rule x]\nactoin = allow\naction = deny\n",
		  "f:2: [rule x] actoin: unknown key; did you mean \"action\"?\n" },
		{ "[rule a/b]\naction = deny\n",
		  "f:1: [rule a/b]: not a rule's name: expected 1..63 letters, digits, \".\", "
		  "\"_\", \"-\"\n" },
		{ "[rules]\n", "f:1: [rules]: unknown section; did you mean [rule NAME]?\n" },
		{ "[rule]\n", "f:1: [rule]: unknown section; did you mean [rule NAME]?\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_errors e = { 0 };
		struct config *c = NULL;
		char got[4096] = "";
		int r = config_load_text("f", cases[i].text, strlen(cases[i].text), &c, &e);

		for (unsigned k = 0; k < e.n; k++)
			strcat(strcat(got, e.lines[k]), "\n");
		config_errors_clear(&e);
		assert_string_equal(got, cases[i].errors);
		assert_int_equal(r, -EINVAL);
		assert_null(c);
	}
}

static char *repeat(const char *line, unsigned n)
{
	size_t len = strlen(line);
	char *text = malloc(n * len + 1);

	assert_non_null(text);
	for (unsigned i = 0; i < n; i++)
		memcpy(text + i * len, line, len);
	text[n * len] = '\0';
	return text;
}

/* As many as there may be, and one more, in either place. */
static void test_bounds(void **state)
{
	for (unsigned over = 0; over < 2; over++) {
		_cleanup_free_ char *file = repeat("d\n", CONFIG_FILE_RULES_MAX + over);
		struct config_errors e = { 0 };
		struct config *c = NULL;
		struct loader l;

		assert_int_equal(loader_begin(&l, &e), 0);
		for (unsigned i = 0; i < CONFIG_RULE_SECTIONS_MAX + over; i++) {
			char name[16], text[64];

			snprintf(name, sizeof(name), "%u", i);
			snprintf(text, sizeof(text), "[rule r%u]\naction = deny\n", i);
			assert_int_equal(loader_text(&l, name, text, strlen(text)), 0);
		}
		assert_int_equal(loader_rules_file(&l, "rules", file, strlen(file)), 0);
		assert_int_equal(loader_end(&l, 0, &c), over ? -EINVAL : 0);
		if (!over) {
			assert_int_equal(c->section_rules.n, CONFIG_RULE_SECTIONS_MAX);
			assert_int_equal(c->file_rules.n, CONFIG_FILE_RULES_MAX);
		} else {
			assert_int_equal(e.total, 2);
			assert_string_equal(e.lines[0], "256:1: [rule r256]: more than 256 rules");
			assert_string_equal(e.lines[1], "rules:16385: more than 16384 rules");
		}
		config_free(c);
		config_errors_clear(&e);
	}
}

struct root {
	char path[64], rules[96];
	int fd;
};

static int setup(void **state)
{
	struct root *root = calloc(1, sizeof(*root));

	if (!root)
		return -1;
	strcpy(root->path, "/tmp/test-rules.XXXXXX");
	assert_non_null(mkdtemp(root->path));
	strcat(strcpy(root->rules, root->path), "/rules");
	root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root->fd >= 0);
	assert_int_equal(mkdirat(root->fd, "s.conf.d", 0700), 0);
	*state = root;
	return 0;
}

static int teardown(void **state)
{
	_cleanup_free_ struct root *root = *state;
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", root->path);
	assert_int_equal(system(command), 0);
	close(root->fd);
	return 0;
}

__attribute__((format(printf, 3, 4))) static void put(const struct root *root, const char *path,
						      const char *fmt, ...)
{
	int fd = openat(root->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	va_list ap;

	assert_true(fd >= 0);
	va_start(ap, fmt);
	assert_true(vdprintf(fd, fmt, ap) >= 0);
	va_end(ap);
	close(fd);
}

/* Loads; the mistakes must be `before` the path of the rules file and `after` it, or none. */
static struct config *load_file(const struct root *root, int want, const char *before,
				const char *after)
{
	struct config_errors e = { 0 };
	struct config *c = NULL;
	char got[1024] = "", expected[1024] = "";
	int r = config_load(root->fd, "s.conf", &c, &e);

	for (unsigned i = 0; i < e.n; i++)
		strcat(got, e.lines[i]);
	config_errors_clear(&e);
	if (before)
		snprintf(expected, sizeof(expected), "%s%s%s", before, root->rules, after);
	assert_string_equal(got, expected);
	assert_int_equal(r, want);
	return c;
}

static void test_file(void **state)
{
	const struct root *root = *state;
	_cleanup_(config_freep) struct config *c = NULL, *off = NULL, *none = NULL;
	struct rule_decision d;

	/* read last: what a later drop-in says of [login] is in it */
	put(root, "s.conf", "[login]\nch_count = 4\n[discovery]\nrules = %s\n", root->rules);
	put(root, "s.conf.d/a.conf", "[login]\nch_count = 5\n");
	put(root, "rules", "#\nd pkey=1\na max_sect=64\n");
	c = load_file(root, 0, NULL, "");
	d = decide(c);
	assert_true(d.allowed);
	assert_string_equal(d.source, root->rules);
	assert_int_equal(d.line, 3);
	assert_int_equal(d.login.max_sect, 64);
	assert_int_equal(d.login.ch_count, 5);

	put(root, "rules", "d\n a\n");
	assert_null(load_file(root, -EINVAL, "",
			      ":2: expected \"a\" or \"d\" as the first character, or \"#\" for a "
			      "comment"));
	/* where nothing is scanned, nothing is read */
	put(root, "s.conf", "[discovery]\nrules = %s\ninfiniband = no\n", root->rules);
	off = load_file(root, 0, NULL, "");
	assert_int_equal(off->file_rules.n, 0);
	put(root, "s.conf", "[discovery]\nrules = none\n");
	none = load_file(root, 0, NULL, "");
	assert_int_equal(none->file_rules.n, 0);
}

/* A drop-in changes a rule, which keeps its place. */
static void test_sections_in_files(void **state)
{
	const struct root *root = *state;
	_cleanup_(config_freep) struct config *c = NULL;
	struct rule_decision d;

	put(root, "s.conf", "[discovery]\nrules = none\n[rule a]\naction = allow\n");
	put(root, "s.conf.d/1.conf", "[rule b]\naction = allow\n");
	put(root, "s.conf.d/2.conf", "[rule a]\naction = deny\n");
	c = load_file(root, 0, NULL, "");
	assert_int_equal(c->section_rules.n, 2);
	d = decide(c);
	assert_false(d.allowed);
	assert_string_equal(d.source, "[rule a]");
	assert_int_equal(d.line, 3);
}

/* One asked for must be there and be a file. */
static void test_file_missing(void **state)
{
	const struct root *root = *state;

	put(root, "s.conf", "[discovery]\n\nrules = %s\n", root->rules);
	assert_null(load_file(root, -EINVAL, "s.conf:3: [discovery] rules: ",
			      " does not exist; without it every target would be allowed"));
	assert_int_equal(mkdirat(root->fd, "rules", 0700), 0);
	assert_null(load_file(root, -EINVAL, "", ": a directory, not a file"));
	assert_int_equal(unlinkat(root->fd, "rules", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("rules", root->fd, "rules"), 0);
	assert_null(
		load_file(root, -ELOOP, "", ": cannot be read: Too many levels of symbolic links"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_each_key),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_file_options),
		cmocka_unit_test(test_section_options),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_section_keys),
		cmocka_unit_test(test_section_mistakes),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sections_in_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_missing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
