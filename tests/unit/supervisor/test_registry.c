/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registry on a directory of its own: what is saved comes back, what is broken is set aside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/registry.h"

struct fixture {
	char dir[64];
	struct manager m;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/srpha-registry-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->m.runtime_dir = f->dir;
	*state = f;
	return 0;
}

static void path_of(const struct fixture *f, const char *name, char buf[static 128])
{
	snprintf(buf, 128, "%s/%s", f->dir, name);
}

static int teardown(void **state)
{
	static const char *const names[] = { "registry.json", "registry.json.broken",
					     "registry.json.new" };
	struct fixture *f = *state;
	char path[128];

	registry_free(&f->m);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		path_of(f, names[i], path);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *text)
{
	char path[128];
	FILE *file;

	path_of(f, "registry.json", path);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static bool exists(const struct fixture *f, const char *name)
{
	char path[128];

	path_of(f, name, path);
	return access(path, F_OK) == 0;
}

static void test_missing_is_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(registry_load(&f->m), 0);
	assert_true(LIST_EMPTY(&f->m.records));
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct path p = { .name = "lab/10.0.0.2:5555@rxe0:1",
			  .target = "lab",
			  .dest = "10.0.0.2:5555",
			  .port = "rxe0:1",
			  .has_identity = true,
			  .id_ext = 0x505400fffe000001,
			  .ioc_guid = UINT64_MAX,
			  .initiator_ext = 7,
			  .probe.view = PROBE_ANSWERING };
	struct record *r = record_get(&f->m, &p);

	assert_non_null(r);
	assert_ptr_equal(record_get(&f->m, &p), r);
	strcpy(r->host, "host3");
	r->instance = 1234567890123;
	r->pending = r->drained = true;
	assert_true(f->m.registry_stale);
	assert_int_equal(registry_save(&f->m), 0);
	assert_false(f->m.registry_stale);
	assert_false(exists(f, "registry.json.new"));
	registry_free(&f->m);

	assert_int_equal(registry_load(&f->m), 0);
	r = record_find(&f->m, p.name);
	assert_non_null(r);
	assert_string_equal(r->target, "lab");
	assert_string_equal(r->dest, p.dest);
	assert_string_equal(r->port, p.port);
	assert_true(r->has_identity && !r->has_initiator_ext);
	assert_true(r->id_ext == p.id_ext && r->ioc_guid == p.ioc_guid);
	assert_int_equal(r->initiator_ext, 7);
	assert_string_equal(r->host, "host3");
	assert_true(r->instance == 1234567890123);
	assert_true(r->pending && r->drained && r->answered);
	assert_null(LIST_NEXT(r, link));
}

/* What is needed to log in again before the first scan has ended. */
static void test_path_of_a_scan(void **state)
{
	struct fixture *f = *state;
	struct path p = { .name = "t/fe80000000000000506b4b0300abcde1@mlx5_0:1",
			  .target = "t",
			  .dest = "fe80000000000000506b4b0300abcde1",
			  .port = "mlx5_0:1",
			  .fabric = true,
			  .pkey = 0x8001,
			  .service_id = 0x505400fffe000001 };
	struct record *r;

	assert_non_null(record_get(&f->m, &p));
	assert_int_equal(registry_save(&f->m), 0);
	registry_free(&f->m);
	assert_int_equal(registry_load(&f->m), 0);
	r = record_find(&f->m, p.name);
	assert_non_null(r);
	assert_true(r->fabric);
	assert_int_equal(r->pkey, 0x8001);
	assert_true(r->service_id == p.service_id);
}

static void test_saved_for_root_alone(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[128];

	assert_int_equal(registry_save(&f->m), 0);
	path_of(f, "registry.json", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_broken_is_set_aside(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"version\":1}",
		"{\"version\":2,\"paths\":[]}",
		"{\"version\":1,\"paths\":[1]}",
		"{\"version\":1,\"paths\":[{\"path\":\"x\"}]}",
		/* of a scan, but its address is no GID */
		"{\"version\":1,\"paths\":[{\"path\":\"x\",\"target\":\"t\",\"dest\":\"d\","
		"\"port\":\"p\",\"has_identity\":true,\"has_initiator_ext\":true,\"id_ext\":\"1\","
		"\"ioc_guid\":\"1\",\"initiator_ext\":\"1\",\"pending\":false,\"answered\":false,"
		"\"drained\":false,\"pkey\":65535,\"service_id\":\"1\"}]}",
		"{\"version\":1,\"paths\":[{\"path\":\"x\",\"target\":\"t\",\"dest\":\"d\","
		"\"port\":\"p\",\"has_identity\":true,\"has_initiator_ext\":true,\"id_ext\":\"zz\","
		"\"ioc_guid\":\"1\",\"initiator_ext\":\"1\","
		"\"pending\":false,\"answered\":false,\"drained\":false}]}",
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		write_file(f, texts[i]);
		assert_int_equal(registry_load(&f->m), -EBADMSG);
		assert_true(LIST_EMPTY(&f->m.records));
		assert_true(exists(f, "registry.json.broken"));
		assert_false(exists(f, "registry.json"));
	}
}

static void test_one_bad_record_takes_all(void **state)
{
	struct fixture *f = *state;

	/* A host without its instance could be any host of that number. */
	write_file(f, "{\"version\":1,\"paths\":["
		      "{\"path\":\"a\",\"target\":\"t\",\"dest\":\"d\",\"port\":\"p\","
		      "\"has_identity\":true,\"has_initiator_ext\":true,\"id_ext\":\"1\",\"ioc_"
		      "guid\":\"1\",\"initiator_ext\":\"1\","
		      "\"pending\":false,\"answered\":false,\"drained\":false},"
		      "{\"path\":\"b\",\"target\":\"t\",\"dest\":\"d\",\"port\":\"p\","
		      "\"has_identity\":true,\"has_initiator_ext\":true,\"id_ext\":\"1\",\"ioc_"
		      "guid\":\"1\",\"initiator_ext\":\"1\","
		      "\"pending\":false,\"answered\":false,\"drained\":false,\"host\":\"host1\"}"
		      "]}");
	assert_int_equal(registry_load(&f->m), -EBADMSG);
	assert_true(LIST_EMPTY(&f->m.records));
}

static void test_unwritable_directory(void **state)
{
	struct fixture *f = *state;

	f->m.runtime_dir = "/nonexistent";
	assert_int_equal(registry_save(&f->m), -ENOENT);
	f->m.runtime_dir = f->dir;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_missing_is_empty),	     TEST(test_round_trip),
		TEST(test_saved_for_root_alone),     TEST(test_broken_is_set_aside),
		TEST(test_one_bad_record_takes_all), TEST(test_unwritable_directory),
		TEST(test_path_of_a_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
