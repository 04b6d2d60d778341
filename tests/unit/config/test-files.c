/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main file, its drop-ins, and what may stand in their place. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config/config.h"

struct root {
	char path[64];
	int fd;
};

static void put(const struct root *root, const char *path, const char *text)
{
	_cleanup_close_ int fd =
		openat(root->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t len = strlen(text);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
}

static int setup(void **state)
{
	struct root *root = calloc(1, sizeof(*root));

	assert_non_null(root);
	strcpy(root->path, "/tmp/test-config.XXXXXX");
	assert_non_null(mkdtemp(root->path));
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

static struct config *load(const struct root *root)
{
	struct config_errors e = { 0 };
	struct config *c = NULL;
	int r = config_load(root->fd, "s.conf", &c, &e);

	if (r < 0 || e.n > 0)
		fail_msg("returned %d, %s", r, e.n > 0 ? e.lines[0] : "-");
	return c;
}

/* It fails with `r` and says `errors`, and nothing comes out. */
static void load_fails(const struct root *root, int r, const char *errors)
{
	struct config_errors e = { 0 };
	struct config *c = NULL;
	char got[4096] = "";
	int got_r = config_load(root->fd, "s.conf", &c, &e);

	for (unsigned i = 0; i < e.n; i++)
		strcat(strcat(got, e.lines[i]), "\n");
	config_errors_clear(&e);
	assert_string_equal(got, errors);
	assert_int_equal(got_r, r);
	assert_null(c);
}

static void test_missing(void **state)
{
	const struct root *root = *state;
	_cleanup_(config_freep) struct config *empty = load(root), *none = NULL, *dangling = NULL;

	assert_int_equal(empty->login.ch_count, 2);
	assert_int_equal(unlinkat(root->fd, "s.conf.d", AT_REMOVEDIR), 0);
	none = load(root);
	assert_string_equal(none->ports, "*");
	assert_int_equal(symlinkat("nowhere", root->fd, "s.conf"), 0);
	dangling = load(root);
	assert_int_equal(dangling->n_targets, 0);
}

/* By name, bytewise, after the main file; only *.conf without a leading dot. */
static void test_order(void **state)
{
	const struct root *root = *state;
	_cleanup_(config_freep) struct config *c = NULL;

	put(root, "s.conf", "[login]\nch_count = 1\nqueue_size = 1\ntl_retry_count = 3\n");
	put(root, "s.conf.d/B.conf", "[login]\nch_count = 2\nqueue_size = 2\n");
	put(root, "s.conf.d/a.conf", "[login]\nch_count = 3\n");
	put(root, "s.conf.d/.b.conf", "[login]\ncomp_vector = 4\n");
	put(root, "s.conf.d/b.conf~", "[login]\nch_count = 5\n");
	put(root, "s.conf.d/b", "[login]\nch_count = 6\n");
	put(root, "s.conf.d/.conf", "[login]\ncomp_vector = 7\n");
	c = load(root);
	assert_int_equal(c->login.comp_vector, LOGIN_UNSET);
	assert_int_equal(c->login.ch_count, 3);
	assert_int_equal(c->login.queue_size, 2);
	assert_int_equal(c->login.tl_retry_count, 3);
}

/* A drop-in adds dest lines, replaces ports, and its defaults reach targets of other files. */
static void test_merge(void **state)
{
	const struct root *root = *state;
	_cleanup_(config_freep) struct config *c = NULL;

	put(root, "s.conf",
	    "[discovery]\nports = a\nports = b\n"
	    "[target one]\ndest = 10.0.0.2:5555\nports = x\nch_count = 3\nqueue_size = 7\n");
	put(root, "s.conf.d/1.conf",
	    "[discovery]\nports = c\nports = d\n[target two]\ndest = 10.0.0.3:5555\n"
	    "[target one]\ndest = 10.0.1.2:5555\nports = y\nqueue_size = 8\n");
	put(root, "s.conf.d/2.conf", "[login]\nch_count = 9\n[timeouts]\nfast_io_fail_tmo = 1\n");
	c = load(root);
	assert_string_equal(c->ports, "c d");
	assert_int_equal(c->n_targets, 2);
	assert_string_equal(c->targets[0].name, "one");
	assert_string_equal(c->targets[0].file, "s.conf");
	assert_int_equal(c->targets[0].line, 4);
	assert_int_equal(c->targets[0].n_portals, 2);
	assert_string_equal(c->targets[0].portals[1].text, "10.0.1.2:5555");
	assert_string_equal(c->targets[0].ports, "y");
	assert_int_equal(c->targets[0].login.ch_count, 3);
	assert_int_equal(c->targets[0].login.queue_size, 8);
	assert_int_equal(c->targets[0].timeouts.fast_io_fail_tmo, 1);
	assert_string_equal(c->targets[1].file, "s.conf.d/1.conf");
	assert_int_equal(c->targets[1].login.ch_count, 9);
}

/* All files are told of, rules name the file that broke them. */
static void test_mistakes(void **state)
{
	const struct root *root = *state;

	put(root, "s.conf",
	    "[login]\nch_count = 0\n[target one]\ndest = 10.0.0.2:5555\n"
	    "[timeouts]\nreconnect_delay = 12\n");
	put(root, "s.conf.d/1.conf", "[timeouts]\nfast_io_fail_tmo = 12\n");
	put(root, "s.conf.d/2.conf",
	    "[target one]\ndest = 10.0.0.2:5555\nspeed = 1\n"
	    "[target two]\ndest = 10.0.0.2:5555\n");
	load_fails(
		root, -EINVAL,
		"s.conf:2: [login] ch_count: \"0\" is not valid: expected 1..1024 or \"kernel\"\n"
		"s.conf.d/2.conf:2: [target one] dest: 10.0.0.2:5555 was given before, at "
		"s.conf:4\n"
		"s.conf.d/2.conf:3: [target one] speed: unknown key\n"
		"s.conf.d/1.conf:2: [timeouts] fast_io_fail_tmo: fast_io_fail_tmo must be less "
		"than reconnect_delay, or a reconnect attempt holds up failing I/O "
		"(fast_io_fail_tmo = 12, reconnect_delay = 12, dev_loss_tmo = off)\n"
		"s.conf.d/2.conf:5: [target two] dest: 10.0.0.2:5555 is also of [target one], "
		"at s.conf:4: they need an id_ext or ioc_guid each to tell them apart\n");
}

/* A mistake in one file leaves nothing of the others. */
static void test_mended(void **state)
{
	const struct root *root = *state;
	_cleanup_(config_freep) struct config *c = NULL;

	put(root, "s.conf", "[login]\nch_count = 4\n");
	put(root, "s.conf.d/1.conf", "[login]\nchcount = 5\n");
	load_fails(root, -EINVAL,
		   "s.conf.d/1.conf:2: [login] chcount: unknown key; did you mean \"ch_count\"?\n");
	put(root, "s.conf.d/1.conf", "[login]\nch_count = 5\n");
	c = load(root);
	assert_int_equal(c->login.ch_count, 5);
}

static void test_not_files(void **state)
{
	const struct root *root = *state;

	assert_int_equal(mkdirat(root->fd, "s.conf", 0700), 0);
	assert_int_equal(mkdirat(root->fd, "s.conf.d/1.conf", 0700), 0);
	assert_int_equal(mkfifoat(root->fd, "s.conf.d/2.conf", 0600), 0);
	put(root, "s.conf.d/3.conf", "bad\n");
	load_fails(root, -EINVAL,
		   "s.conf: a directory, not a file\n"
		   "s.conf.d/1.conf: a directory, not a file\n"
		   "s.conf.d/2.conf: not a regular file\n"
		   "s.conf.d/3.conf:1: expected \"key = value\", [section] or a comment\n");
}

/* What cannot be read is told, and the mistakes of the rest; the errno says it was no mistake. */
static void test_unreadable(void **state)
{
	const struct root *root = *state;

	assert_int_equal(symlinkat("s.conf", root->fd, "s.conf"), 0);
	assert_int_equal(symlinkat("nowhere", root->fd, "s.conf.d/1.conf"), 0);
	put(root, "s.conf.d/2.conf", "bad\n");
	load_fails(root, -ELOOP,
		   "s.conf: cannot be read: Too many levels of symbolic links\n"
		   "s.conf.d/1.conf: cannot be read: No such file or directory\n"
		   "s.conf.d/2.conf:1: expected \"key = value\", [section] or a comment\n");
}

static void test_forbidden(void **state)
{
	const struct root *root = *state;

	put(root, "s.conf", "bad\n");
	assert_int_equal(fchmodat(root->fd, "s.conf", 0, 0), 0);
	assert_int_equal(chmod(root->path, 0755), 0);
	assert_int_equal(fchmodat(root->fd, "s.conf.d", 0755, 0), 0);
	if (geteuid() == 0) /* root may read everything: be nobody */
		assert_int_equal(seteuid(65534), 0);
	load_fails(root, -EACCES, "s.conf: cannot be read: Permission denied\n");
	assert_int_equal(seteuid(getuid()), 0);
}

static void test_no_directory(void **state)
{
	const struct root *root = *state;

	assert_int_equal(unlinkat(root->fd, "s.conf.d", AT_REMOVEDIR), 0);
	put(root, "s.conf.d", "");
	load_fails(root, -ENOTDIR, "s.conf.d: cannot be read: Not a directory\n");
}

static void test_size(void **state)
{
	const struct root *root = *state;
	_cleanup_free_ char *text = malloc((1 << 20) + 2);
	_cleanup_(config_freep) struct config *c = NULL;

	assert_non_null(text);
	memset(text, '#', (1 << 20) + 1);
	text[(1 << 20) + 1] = '\0';
	put(root, "s.conf", text);
	load_fails(root, -EINVAL, "s.conf: larger than 1 MiB\n");
	text[1 << 20] = '\0';
	put(root, "s.conf", text);
	c = load(root);
	assert_non_null(c);
}

static void test_too_many(void **state)
{
	const struct root *root = *state;
	_cleanup_(config_freep) struct config *c = NULL;
	char path[32];

	for (unsigned i = 0; i < 256; i++) {
		snprintf(path, sizeof(path), "s.conf.d/%03u.conf", i);
		put(root, path, "");
	}
	c = load(root);
	put(root, "s.conf.d/256.conf", "");
	load_fails(root, -EINVAL, "s.conf.d: more than 256 *.conf files\n");
}

/* Messages name the file as it was asked for, and an absolute path needs no root. */
static void test_absolute(void **state)
{
	const struct root *root = *state;
	struct config_errors e = { 0 };
	struct config *c = NULL;
	char path[80], text[160];

	put(root, "s.conf", "bad\n");
	snprintf(path, sizeof(path), "%s/s.conf", root->path);
	snprintf(text, sizeof(text), "%s:1: expected \"key = value\", [section] or a comment",
		 path);
	assert_int_equal(config_load(AT_FDCWD, path, &c, &e), -EINVAL);
	assert_int_equal(e.total, 1);
	assert_string_equal(e.lines[0], text);
	config_errors_clear(&e);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(missing),	 T(order),     T(merge),      T(mistakes),
		T(mended),	 T(not_files), T(unreadable), T(forbidden),
		T(no_directory), T(size),      T(too_many),   T(absolute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
