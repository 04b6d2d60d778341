/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a subnet manager made of a port, in a sysfs of our own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/root.h"
#include "fabric/ibport.h"

static char root[] = "/tmp/srpha-test-ibport-XXXXXX";
static int port_fd;

static void put(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	f = fopen(full, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void put_pkey(unsigned index, const char *text)
{
	char path[32];

	snprintf(path, sizeof(path), "pkeys/%u", index);
	put(path, text);
}

/* A port as the kernel shows it. */
static int setup(void **state)
{
	char path[64];

	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/pkeys", root);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/gids", root);
	assert_int_equal(mkdir(path, 0755), 0);
	put("state", "4: ACTIVE\n");
	put("lid", "0x2a\n");
	put("lid_mask_count", "2\n");
	put("sm_lid", "0x1\n");
	put("sm_sl", "3\n");
	put("cap_mask", "0x02594868\n");
	put("gids/0", "fe80:0000:0000:0001:0002:c903:0001:0203\n");
	put_pkey(0, "0xffff\n");
	port_fd = root_open(root);
	assert_true(port_fd >= 0);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	close(port_fd);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void facts(void **state)
{
	static const uint8_t gid[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 1, 0, 2, 0xc9, 3, 0, 1, 2, 3 };
	struct ibport p;

	assert_int_equal(ibport_read(port_fd, &p), 0);
	assert_int_equal(p.state, 4);
	assert_int_equal(p.lid, 42);
	assert_int_equal(p.lmc, 2);
	assert_int_equal(p.sm_lid, 1);
	assert_int_equal(p.sm_sl, 3);
	assert_int_equal(p.cap_mask, 0x02594868);
	assert_memory_equal(p.gid, gid, 16);
	assert_int_equal(p.n_pkeys, 1);
}

static void bad_numbers(void **state)
{
	static const struct {
		const char *name, *text;
	} bad[] = {
		{ "state", "" },	{ "state", "ACTIVE" }, { "state", "6: NEW" },
		{ "lid", "0x10000" },	{ "lid", "-1" },       { "lid_mask_count", "8" },
		{ "sm_lid", "none" },	{ "sm_sl", "16" },     { "cap_mask", "0x100000000" },
		{ "cap_mask", "0x1x" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ibport p = { .lid = 7 };

		put(bad[i].name, bad[i].text);
		assert_int_equal(ibport_read(port_fd, &p), -EBADMSG);
		assert_int_equal(p.lid, 7);
		put(bad[i].name, "1");
		assert_int_equal(ibport_read(port_fd, &p), 0);
	}
	assert_int_equal(unlinkat(port_fd, "sm_lid", 0), 0);
	assert_int_equal(ibport_read(port_fd, &(struct ibport){ 0 }), -ENOENT);
}

static void partitions(void **state)
{
	struct ibport p;

	put_pkey(1, "0x0000\n"); /* free */
	put_pkey(2, "0x8000\n"); /* a membership of nothing */
	put_pkey(10, "0x8001\n");
	put_pkey(3, "0x0001\n");
	put_pkey(4, "0x10000\n");
	put_pkey(5, "default\n");
	put("pkeys/x", "0x8002\n");
	assert_int_equal(ibport_read(port_fd, &p), 0);
	assert_int_equal(p.n_pkeys, 3);
	assert_int_equal(p.pkeys[0].index, 0);
	assert_int_equal(p.pkeys[0].value, 0xffff);
	assert_int_equal(p.pkeys[1].index, 3);
	assert_int_equal(p.pkeys[1].value, 0x0001);
	assert_int_equal(p.pkeys[2].index, 10);
	assert_int_equal(p.pkeys[2].value, 0x8001);

	assert_int_equal(ibport_pkey_index(&p, 0x8001), 10);
	assert_int_equal(ibport_pkey_index(&p, 0x0001), 3);
	assert_int_equal(ibport_pkey_index(&p, 0x7fff), 0);
	assert_int_equal(ibport_pkey_index(&p, 0x8002), -ENOENT);

	assert_true(pkey_match(0x8001, 0x0001));
	assert_true(pkey_match(0x0001, 0x8001));
	assert_true(pkey_match(0xffff, 0xffff));
	assert_false(pkey_match(0x0001, 0x0001)); /* limited members do not talk to each other */
	assert_false(pkey_match(0x8001, 0x8002));
	assert_false(pkey_match(0x8000, 0x8000));
}

static void too_many_partitions(void **state)
{
	struct ibport p;

	for (unsigned i = 0; i < 2 * IBPORT_PKEYS_MAX; i++)
		put_pkey(i, "0x8001\n");
	assert_int_equal(ibport_read(port_fd, &p), 0);
	assert_int_equal(p.n_pkeys, IBPORT_PKEYS_MAX);
}

static void changes(void **state)
{
	struct ibport before, after;

	assert_int_equal(ibport_read(port_fd, &before), 0);
	assert_int_equal(ibport_changes(&before, &before), 0);
	put("sm_lid", "0x5\n");
	assert_int_equal(ibport_read(port_fd, &after), 0);
	assert_int_equal(ibport_changes(&before, &after), IBPORT_SM);
	put("sm_lid", "0x1\n");
	put("sm_sl", "1\n");
	put("lid_mask_count", "0\n");
	assert_int_equal(ibport_read(port_fd, &after), 0);
	assert_int_equal(ibport_changes(&before, &after), IBPORT_SM | IBPORT_LID);
	after = before;
	after.lid++;
	assert_int_equal(ibport_changes(&before, &after), IBPORT_LID);
	after = before;
	after.state = 1;
	after.gid[7]++;
	assert_int_equal(ibport_changes(&before, &after), IBPORT_STATE | IBPORT_GID);
	put_pkey(0, "0x7fff\n");
	put("sm_sl", "3\n");
	put("lid_mask_count", "2\n");
	assert_int_equal(ibport_read(port_fd, &after), 0);
	assert_int_equal(ibport_changes(&before, &after), IBPORT_PKEYS);
	put_pkey(0, "0xffff\n");
	put_pkey(1, "0x8001\n");
	assert_int_equal(ibport_read(port_fd, &after), 0);
	assert_int_equal(ibport_changes(&before, &after), IBPORT_PKEYS);
}

static void way_to_the_manager(void **state)
{
	struct mad_dest to;
	struct ibport p;

	put_pkey(0, "0x8001\n");
	put_pkey(1, "0x7fff\n"); /* a limited member of the default partition */
	assert_int_equal(ibport_read(port_fd, &p), 0);
	assert_int_equal(ibport_sm(&p, &to), 0);
	assert_int_equal(to.lid, 1);
	assert_int_equal(to.sl, 3);
	assert_int_equal(to.pkey_index, 1);
	assert_false(to.grh);
	assert_int_equal(to.qpn, 0);

	p.sm_lid = 0;
	assert_int_equal(ibport_sm(&p, &to), -EADDRNOTAVAIL);
	p.sm_lid = 0xffff;
	assert_int_equal(ibport_sm(&p, &to), -EADDRNOTAVAIL);
	p.sm_lid = 1;
	p.state = 3;
	assert_int_equal(ibport_sm(&p, &to), -EADDRNOTAVAIL);
	p.state = 4;
	p.lid = 0;
	assert_int_equal(ibport_sm(&p, &to), -EADDRNOTAVAIL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(facts),	  CASE(bad_numbers),
		CASE(partitions), CASE(too_many_partitions),
		CASE(changes),	  CASE(way_to_the_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
