/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GIDs and MACs, and the table of a port in a sysfs of our own. */
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

#include "base/parse.h"
#include "base/root.h"
#include "fabric/gid.h"

static char root[] = "/tmp/srpha-test-gid-XXXXXX";
static int port_fd;

static void put(const char *path, const char *text)
{
	char full[256], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void put_gid(unsigned index, const char *gid, const char *type, const char *netdev)
{
	char path[64];

	snprintf(path, sizeof(path), "gids/%u", index);
	put(path, gid);
	snprintf(path, sizeof(path), "gid_attrs/types/%u", index);
	put(path, type);
	snprintf(path, sizeof(path), "gid_attrs/ndevs/%u", index);
	put(path, netdev);
}

static int setup(void **state)
{
	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
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

static void mac_and_back(void **state)
{
	static const uint8_t mac[MAC_SIZE] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
	uint8_t gid[GID_SIZE], back[MAC_SIZE];
	char text[GID_STR_MAX];

	gid_from_mac(mac, gid);
	assert_string_equal(format_gid(gid, text), "fe80000000000000505400fffe123456");
	assert_true(gid_is_link_local(gid));
	assert_true(gid_to_mac(gid, back));
	assert_memory_equal(mac, back, MAC_SIZE);
	gid[11] = 0;
	assert_false(gid_to_mac(gid, back));
}

static void kinds(void **state)
{
	uint8_t gid[GID_SIZE];

	assert_int_equal(parse_gid("::ffff:10.0.0.1", gid), 0);
	assert_true(gid_is_v4_mapped(gid));
	assert_false(gid_is_link_local(gid));
	assert_int_equal(parse_gid("febf::1", gid), 0);
	assert_true(gid_is_link_local(gid));
	assert_int_equal(parse_gid("fec0::1", gid), 0);
	assert_false(gid_is_link_local(gid));
}

static void reads_the_table(void **state)
{
	const struct gid_entry *e[8];
	struct gid_table t;

	/* mlx5: v1 and v2 of each, the v4-mapped, a VLAN, an entry of no known type, unused ones. */
	put_gid(0, "fe80:0000:0000:0000:5054:00ff:fe12:3456\n", "IB/RoCE v1\n", "eth0\n");
	put_gid(1, "fe80:0000:0000:0000:5054:00ff:fe12:3456\n", "RoCE v2\n", "eth0\n");
	put_gid(2, "0000:0000:0000:0000:0000:ffff:0a00:0001\n", "RoCE v2\n", "eth0\n");
	put_gid(3, "fe80:0000:0000:0000:1234:5678:9abc:def0\n", "RoCE v2\n", "eth0\n");
	put_gid(4, "fd00:0000:0000:0000:0000:0000:0000:0001\n", "RoCE v2\n", "eth0\n");
	put_gid(5, "fe80:0000:0000:0000:5054:00ff:fe12:3456\n", "RoCE v2\n", "eth0.7\n");
	put_gid(6, "fe80:0000:0000:0000:0000:0000:0000:0000\n", "IB/RoCE v1\n", "\n");
	put_gid(7, "0000:0000:0000:0000:0000:0000:0000:0000\n", "IB/RoCE v1\n", "\n");
	put_gid(10, "fe80:0000:0000:0000:5054:00ff:fe12:9999\n", "RoCE v3\n", "eth0\n");

	assert_int_equal(gid_table_read(port_fd, &t), 0);
	assert_int_equal(t.n, 7);
	assert_int_equal(t.entries[6].index, 10);
	assert_int_equal(t.entries[6].type, GID_OTHER);

	assert_int_equal(gid_table_link_locals(&t, "eth0", 8, e), 3);
	assert_int_equal(e[0]->index, 1); /* v2 with the MAC, v2 without, v1 */
	assert_int_equal(e[1]->index, 3);
	assert_int_equal(e[2]->index, 0);
	assert_int_equal(gid_table_link_locals(&t, "eth0", 1, e), 1);
	assert_int_equal(gid_table_link_locals(&t, "eth0.7", 8, e), 1);
	assert_int_equal(e[0]->index, 5);
	assert_int_equal(gid_table_link_locals(&t, "eth1", 8, e), 0);
	assert_int_equal(gid_table_link_locals(&t, "", 8, e), 0);
	assert_int_equal(gid_table_global(&t, "eth0")->index, 4);
	assert_null(gid_table_global(&t, "eth0.7"));
	assert_true(gid_table_has_netdev(&t, "eth0.7"));
	assert_false(gid_table_has_netdev(&t, "eth"));
}

static void bad_tables(void **state)
{
	struct gid_table t;

	t.n = 77;
	assert_int_equal(gid_table_read(port_fd, &t), -ENOENT);
	assert_int_equal(t.n, 77); /* what was known stays */
	put_gid(0, "not a gid\n", "RoCE v2\n", "eth0\n");
	put_gid(1, "fe80:0000:0000:0000:5054:00ff:fe12:3456\n", "RoCE v2\n",
		"a-name-that-no-interface-can-have\n");
	put("gids/x", "fe80:0000:0000:0000:5054:00ff:fe12:3456\n");
	put("gids/300", "fe80:0000:0000:0000:5054:00ff:fe12:3456\n");
	assert_int_equal(gid_table_read(port_fd, &t), 0);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.entries[0].netdev, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mac_and_back),
		cmocka_unit_test(kinds),
		cmocka_unit_test_setup_teardown(reads_the_table, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
