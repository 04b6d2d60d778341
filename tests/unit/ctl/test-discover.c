/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `srphactl discover` prints, byte for byte: data/discover*.txt and .json. With UPDATE=1 in the
 * environment they are written instead: read the diff. The words of ibsrpdm are held here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctl/render-discover.h"
#include "wire/channel.h"
#include "wire/offer.h"

#define GID(n)                                                                                     \
	{                                                                                          \
		0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x02, 0xc9, 0x02, 0, 0x40, 0x2b, n                \
	}
#define UNIT(n, p)                                                                                 \
	.gid = GID(n), .lid = n, .pkey = p, .node_description = "storage1 HCA-1", .change_id = 2,  \
	.max_controllers = 16
#define LSI_IOC(s)                                                                                 \
	.slot = s, .ioc_guid = 0x0002c90200402bd4, .vendor_id = 0x2c9, .device_id = 0x5a44,        \
	.io_class = 0x0100, .send_size = 2116, .rdma_size = 65536, .n_services = 2,                \
	.ioc_id = "LSI Storage Systems SRP Driver 200400a0b81146a1"
#define SERVICE(n)                                                                                 \
	.entry = n - 1, .service_id = 0x200400a0b81146a0 + n, .id_ext = 0x200400a0b81146a0 + n,    \
	.service_name = "SRP.T10:200400A0B81146A" #n

/* Not in order: that is the renderer's. */
static const struct discovered offers[] = {
	{ "mlx5_10:1",
	  { UNIT(0xd5, 0xffff), LSI_IOC(1), SERVICE(1) },
	  true,
	  "default",
	  0,
	  "",
	  0x0002c90200402bd5,
	  true,
	  "storage1/fe800000000000000002c90200402bd5@mlx5_10:1" },
	{ "mlx5_2:1",
	  { UNIT(0xd5, 0xffff), LSI_IOC(1), SERVICE(2) },
	  false,
	  "/etc/srp_daemon.conf",
	  4,
	  "",
	  0x0002c90200402bd5,
	  false,
	  NULL },
	{ "mlx5_2:1",
	  { UNIT(0xd5, 0xffff), LSI_IOC(1), SERVICE(1) },
	  true,
	  "default",
	  0,
	  NULL,
	  0x0002c90200402bd5,
	  true,
	  NULL },
	{ "mlx5_2:1",
	  { UNIT(0xd5, 0x8001), LSI_IOC(1), SERVICE(1) },
	  true,
	  "[rule part]",
	  12,
	  ",max_sect=64",
	  0x0002c90200402bd5,
	  false,
	  NULL },
	{ "mlx5_2:1",
	  { UNIT(0xd4, 0xffff), .slot = 2, .ioc_guid = 1, .vendor_id = 0xffffff,
	    .device_id = 0x12345678, .io_class = 0xff00, .send_size = 16384, .n_services = 255,
	    .ioc_id = "", .entry = 254, .service_id = 1, .id_ext = 1, .service_name = "SRP.T10:1" },
	  true,
	  "/etc/srp_daemon.conf",
	  7,
	  ",queue_size=128,max_cmd_per_lun=128",
	  0x0002c90200402bd4,
	  false,
	  NULL },
	{ "mlx5_2:1",
	  { UNIT(0xd4, 0xffff), LSI_IOC(1), SERVICE(1) },
	  true,
	  "default",
	  0,
	  "",
	  0x0002c90200402bd4,
	  false,
	  NULL },
};

static const struct style ascii = { 0 };

static void compare(const char *name, const char *got)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *path = NULL, *expected = calloc(1, 65536);

	assert_non_null(expected);
	assert_true(asprintf(&path, "%s/%s", getenv("DATA"), name) > 0);
	if (getenv("UPDATE")) {
		f = fopen(path, "we");
		assert_non_null(f);
		assert_true(fputs(got, f) >= 0);
		return;
	}
	f = fopen(path, "re");
	if (!f)
		fail_msg("cannot open %s: %s", path, strerror(errno));
	assert_true(fread(expected, 1, 65535, f) < 65535);
	assert_string_equal(got, expected);
}

static char *words(const struct discovered *list, size_t n, const struct discover_view *view,
		   const struct style *style)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(render_discovered(f, style, list, n, view), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static char *connections(const struct discovered *list, size_t n, const struct discover_view *view)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(render_connections(f, list, n, view), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void test_words(void **state)
{
	_cleanup_free_ char *all = words(offers, ARRAY_SIZE(offers),
					 &(struct discover_view){ .all = true }, &ascii),
			    *some = words(offers, ARRAY_SIZE(offers), &(struct discover_view){ 0 },
					  &ascii),
			    *none = words(offers, 0, &(struct discover_view){ .all = true },
					  &ascii);

	compare("discover-all.txt", all);
	compare("discover.txt", some);
	assert_string_equal(none, "");
}

/* Recorded from the distribution's tools (rdma-core 44) on a simulated fabric with this I/O unit. */
#define RECORDED_UNIT                                                                              \
	.gid = GID(0xd6), .lid = 5, .pkey = 0xffff, .node_description = "st", .change_id = 6,      \
	.max_controllers = 4
#define RECORDED_LSI                                                                               \
	.slot = 2, .ioc_guid = 0x0002c90200402bd4, .vendor_id = 0x2c9, .device_id = 0x5a44,        \
	.io_class = 0x0100, .send_size = 2116, .n_services = 2,                                    \
	.ioc_id = "LSI Storage Systems SRP Driver 200400a0b81146a1"
#define RECORDED_REST .initiator_ext = 0x0002c90200402bd6, .rule = "default"
static const struct discovered recorded[] = {
	{ "mlx5_0:1",
	  { RECORDED_UNIT, RECORDED_LSI, .entry = 0, .service_id = 0x200400a0b81146a1,
	    .id_ext = 0x200400a0b81146a1, .service_name = "SRP.T10:200400A0B81146A1" },
	  true,
	  .options = ",max_sect=",
	  RECORDED_REST },
	{ "mlx5_0:1",
	  { RECORDED_UNIT, RECORDED_LSI, .entry = 1, .service_id = 1, .id_ext = 1,
	    .service_name = "SRP.T10:1" },
	  true,
	  .options = ",queue_size=010,max_cmd_per_lun=31",
	  RECORDED_REST },
	{ "mlx5_0:1",
	  { RECORDED_UNIT, .slot = 4, .ioc_guid = 7, .vendor_id = 0xffffff, .device_id = 0x12345678,
	    .io_class = 0xff00, .send_size = 9000, .n_services = 1, .entry = 0, .service_id = 2,
	    .id_ext = 2, .service_name = "SRP.T10:2" },
	  false,
	  RECORDED_REST },
};

/* Copies the lines that do not begin with one of `ours`; how many were left out. */
static unsigned leave_out(const char *text, const char *const *ours, size_t n, char *to)
{
	unsigned dropped = 0;

	*to = '\0';
	for (const char *line = text, *end; *line; line = end) {
		bool own = false;

		end = strchr(line, '\n');
		assert_non_null(end++);
		for (size_t i = 0; i < n; i++)
			own |= strncmp(line, ours[i], strlen(ours[i])) == 0;
		dropped += own;
		if (!own)
			strncat(to, line, (size_t)(end - line));
	}
	return dropped;
}

/* Without the lines of ours the words are those of ibsrpdm. */
static void test_ibsrpdm(void **state)
{
	static const char expected[] =
		"IO Unit Info:\n"
		"    port LID:        0005\n"
		"    port GID:        fe800000000000000002c90200402bd6\n"
		"    change ID:       0006\n"
		"    max controllers: 0x04\n"
		"\n"
		"    controller[  2]\n"
		"        GUID:      0002c90200402bd4\n"
		"        vendor ID: 0002c9\n"
		"        device ID: 005a44\n"
		"        IO class : 0100\n"
		"        Maximum size of Send Messages in bytes: 2116\n"
		"        ID:        LSI Storage Systems SRP Driver 200400a0b81146a1\n"
		"        service entries: 2\n"
		"            service[  0]: 200400a0b81146a1 / SRP.T10:200400A0B81146A1\n"
		"            service[  1]: 0000000000000001 / SRP.T10:1\n"
		"\n"
		"    controller[  4]\n"
		"        GUID:      0000000000000007\n"
		"        vendor ID: ffffff\n"
		"        device ID: 12345678\n"
		"        IO class : ff00\n"
		"        Maximum size of Send Messages in bytes: 9000\n"
		"        ID:        \n"
		"        service entries: 1\n"
		"            service[  0]: 0000000000000002 / SRP.T10:2\n"
		"\n";
	static const char *const ours[] = { "    P_Key: ", "    seen from: ", "    node: ",
					    "                allowed by ",
					    "                denied by " };
	_cleanup_free_ char *all = words(recorded, ARRAY_SIZE(recorded),
					 &(struct discover_view){ .all = true }, &ascii),
			    *got = malloc(strlen(all) + 1);

	assert_non_null(got);
	assert_int_equal(leave_out(all, ours, ARRAY_SIZE(ours), got), 6);
	assert_string_equal(got, expected);
}

/* srp_daemon -a -c -o -n with rules that say the above, and ibsrpdm -c. */
static void test_srp_daemon(void **state)
{
	static const char with_rules[] =
		"id_ext=200400A0B81146A1,ioc_guid=0002c90200402bd4,"
		"dgid=fe800000000000000002c90200402bd6,pkey=ffff,service_id=200400a0b81146a1,"
		"initiator_ext=0002c90200402bd6,max_sect=\n"
		"id_ext=1,ioc_guid=0002c90200402bd4,dgid=fe800000000000000002c90200402bd6,pkey="
		"ffff,"
		"service_id=0000000000000001,initiator_ext=0002c90200402bd6,queue_size=010,"
		"max_cmd_per_lun=31\n";
	static const char without[] =
		"id_ext=200400A0B81146A1,ioc_guid=0002c90200402bd4,"
		"dgid=fe800000000000000002c90200402bd6,pkey=ffff,service_id=200400a0b81146a1\n"
		"id_ext=1,ioc_guid=0002c90200402bd4,dgid=fe800000000000000002c90200402bd6,pkey="
		"ffff,"
		"service_id=0000000000000001\n"
		"id_ext=2,ioc_guid=0000000000000007,dgid=fe800000000000000002c90200402bd6,pkey="
		"ffff,"
		"service_id=0000000000000002,io_class=ff00\n";
	_cleanup_free_ char *ours = NULL, *plain = NULL;
	struct discovered list[ARRAY_SIZE(recorded)];

	ours = connections(recorded, ARRAY_SIZE(recorded),
			   &(struct discover_view){ .all = true, .initiator_ext = true });
	assert_string_equal(ours, with_rules);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		list[i] = recorded[i];
		list[i].allowed = true;
		list[i].options = NULL;
	}
	plain = connections(list, ARRAY_SIZE(list), &(struct discover_view){ .all = true });
	assert_string_equal(plain, without);
}

static void test_connections(void **state)
{
	_cleanup_free_ char *plain = connections(offers, ARRAY_SIZE(offers),
						 &(struct discover_view){ .all = true }),
			    *some = connections(offers, ARRAY_SIZE(offers),
						&(struct discover_view){ .initiator_ext = true,
									 .max_imm_data = 8192 });

	compare("discover-all.connections.txt", plain);
	compare("discover.connections.txt", some);
}

static void test_json(void **state)
{
	_cleanup_json_ struct json_object *all =
		format_discovered(offers, ARRAY_SIZE(offers),
				  &(struct discover_view){ .all = true, .initiator_ext = true });
	_cleanup_json_ struct json_object *some =
		format_discovered(offers, ARRAY_SIZE(offers), &(struct discover_view){ 0 });
	_cleanup_json_ struct json_object *none =
		format_discovered(offers, 0, &(struct discover_view){ 0 });
	_cleanup_free_ char *text = NULL;
	struct json_object *list;
	struct offer o;

	assert_non_null(all);
	assert_true(asprintf(&text, "%s\n",
			     json_object_to_json_string_ext(
				     all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						  JSON_C_TO_STRING_NOSLASHESCAPE)) > 0);
	compare("discover-all.json", text);
	assert_true(json_object_object_get_ex(all, "offers", &list));
	assert_int_equal(json_object_array_length(list), ARRAY_SIZE(offers));
	/* the last by name is the first of the list: 10 after 2; and it can be read again */
	assert_int_equal(offer_from_json(json_object_array_get_idx(list, 5), &o), 0);
	assert_true(offer_equal(&o, &offers[0].offer));
	assert_true(json_object_object_get_ex(some, "offers", &list));
	assert_int_equal(json_object_array_length(list), 3);
	assert_string_equal(json_object_to_json_string_ext(none, JSON_C_TO_STRING_PLAIN),
			    "{\"offers\":[]}");
}

/* Names from a fabric do not reach the terminal raw, and colour changes nothing else. */
static void test_harmless(void **state)
{
	static const struct style colour = { .colour = true };
	struct discovered evil = offers[0];
	_cleanup_free_ char *text = NULL, *plain = NULL, *coloured = NULL;
	char *to;

	strcpy(evil.offer.ioc_id, "\033[2J");
	strcpy(evil.offer.node_description, "a\nb");
	strcpy(evil.offer.service_name, "SRP.T10:\x9b");
	evil.rule = "/tmp/\a";
	evil.path = "\r";
	text = words(&evil, 1, &(struct discover_view){ .all = true }, &ascii);
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p < 0x7f));
	assert_non_null(strstr(text, "ID:        \\x1b[2J\n"));
	assert_non_null(strstr(text, "node:            a\\x0ab\n"));

	plain = words(offers, ARRAY_SIZE(offers), &(struct discover_view){ .all = true }, &ascii);
	coloured =
		words(offers, ARRAY_SIZE(offers), &(struct discover_view){ .all = true }, &colour);
	assert_string_not_equal(coloured, plain);
	to = coloured;
	for (const char *from = coloured; *from; from++) {
		if (*from == '\033')
			from = strchr(from, 'm');
		else
			*to++ = *from;
	}
	*to = '\0';
	assert_string_equal(coloured, plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	   cmocka_unit_test(test_ibsrpdm),
		cmocka_unit_test(test_srp_daemon), cmocka_unit_test(test_connections),
		cmocka_unit_test(test_json),	   cmocka_unit_test(test_harmless),
	};

	return cmocka_run_group_tests_name("ctl discover", tests, NULL, NULL);
}
