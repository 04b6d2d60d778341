/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes below a root directory, in a directory of its own. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/root.h"

struct root {
	char path[64];
	int fd;
};

static void put(struct root *root, const char *path, const char *data, size_t len)
{
	_cleanup_close_ int fd =
		openat(root->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
}

static int setup(void **state)
{
	struct root *root = calloc(1, sizeof(*root));

	assert_non_null(root);
	strcpy(root->path, "/tmp/test-root.XXXXXX");
	assert_non_null(mkdtemp(root->path));
	root->fd = root_open(root->path);
	assert_true(root->fd >= 0);
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

static void test_open(void **state)
{
	struct root *root = *state;

	put(root, "file", "x", 1);
	assert_int_equal(root_open("/no/such/directory"), -ENOENT);
	strcat(root->path, "/file");
	assert_int_equal(root_open(root->path), -ENOTDIR);
	*strrchr(root->path, '/') = '\0';
}

static void test_read(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		ssize_t r;
		const char *text;
	} cases[] = {
		{ "running\n", 8, 7, "running" },
		{ "running", 7, 7, "running" },
		{ "two words \t\n\n", 13, 9, "two words" },
		{ "  lead\n", 7, 6, "  lead" },
		{ "", 0, 0, "" },
		{ "\n", 1, 0, "" },
		{ "123456789012345", 15, 15, "123456789012345" },
		{ "1234567890123456", 16, -E2BIG },
		{ "12345678901234567", 17, -E2BIG },
	};
	struct root *root = *state;
	char buf[16];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put(root, "attr", cases[i].data, cases[i].len);
		assert_int_equal(root_read(root->fd, "attr", buf, sizeof(buf)), cases[i].r);
		if (cases[i].r >= 0)
			assert_string_equal(buf, cases[i].text);
	}
	assert_int_equal(root_read(root->fd, "missing", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(mkdirat(root->fd, "dir", 0700), 0);
	assert_int_equal(root_read(root->fd, "dir", buf, sizeof(buf)), -EISDIR);
	put(root, "dir/state", "lost\n", 5);
	assert_int_equal(root_readf(root->fd, buf, sizeof(buf), "%s/%s", "dir", "state"), 4);
	assert_string_equal(buf, "lost");
}

static void test_write(void **state)
{
	struct root *root = *state;
	char buf[16], path[5000];

	put(root, "attr", "", 0);
	assert_int_equal(root_write(root->fd, "attr", "off"), 0);
	assert_int_equal(root_read(root->fd, "attr", buf, sizeof(buf)), 3);
	assert_string_equal(buf, "off");
	assert_int_equal(root_writef(root->fd, "12", "%s", "attr"), 0);
	assert_int_equal(root_write(root->fd, "missing", "1"), -ENOENT);
	assert_int_equal(faccessat(root->fd, "missing", F_OK, 0), -1); /* never creates */
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(root_writef(root->fd, "1", "%s", path), -ENAMETOOLONG);
	assert_int_equal(root_readf(root->fd, buf, sizeof(buf), "%s", path), -ENAMETOOLONG);
}

struct seen {
	char names[64];
	const char *stop_at;
};

static int on_entry(const char *name, void *userdata)
{
	struct seen *seen = userdata;

	strcat(strcat(seen->names, name), " ");
	return seen->stop_at && strcmp(name, seen->stop_at) == 0 ? 7 : 0;
}

static void test_each(void **state)
{
	static const struct {
		const char *path;
		unsigned max;
		const char *stop_at;
		int r;
		const char *names;
	} cases[] = {
		{ "dir", 10, NULL, 0, ".hidden a b c " },
		{ "dir", 2, NULL, 0, ".hidden a " },
		{ "dir", 0, NULL, 0, "" },
		{ "dir", 10, "b", 7, ".hidden a b " },
		{ "missing", 10, NULL, 0, "" },
		{ "dir/a", 10, NULL, -ENOTDIR, "" },
	};
	struct root *root = *state;

	assert_int_equal(mkdirat(root->fd, "dir", 0700), 0);
	put(root, "dir/c", "", 0);
	put(root, "dir/a", "", 0);
	put(root, "dir/.hidden", "", 0);
	assert_int_equal(mkdirat(root->fd, "dir/b", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen seen = { .stop_at = cases[i].stop_at };

		assert_int_equal(root_each(root->fd, cases[i].path, cases[i].max, on_entry, &seen),
				 cases[i].r);
		assert_string_equal(seen.names, cases[i].names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
