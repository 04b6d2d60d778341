/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codecs against what opensm and the simulator's targets really answered: recorded/README.md
 * says what each file is. Where srpha keeps everything of a datagram, its encoder must make the
 * same bytes again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fabric/iou.h"
#include "fabric/notice.h"
#include "fabric/sa.h"
#include "fabric/subscribe.h"

#define GUID(low) (UINT64_C(0x5254000000000000) + (low))

static const char *directory;

/* The bytes of a file, exactly as many. */
static uint8_t *load(const char *name, size_t *ret_len)
{
	static uint8_t buffer[64 << 10];
	char path[512];
	uint8_t *mad;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(buffer, 1, sizeof(buffer), f);
	assert_true(n >= SA_DATA_OFFSET && n < sizeof(buffer));
	fclose(f);
	mad = malloc(n);
	assert_non_null(mad);
	memcpy(mad, buffer, n);
	*ret_len = n;
	return mad;
}

static void gid_of(uint64_t guid, uint8_t ret[16])
{
	memset(ret, 0, 16);
	ret[0] = 0xfe;
	ret[1] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		ret[8 + i] = (uint8_t)(guid >> (56 - 8 * i));
}

static void class_port_info(void **state)
{
	struct mad_class_port_info info;
	size_t len;
	uint8_t *mad = load("class-port-info", &len);

	assert_int_equal(len, MAD_SIZE);
	assert_int_equal(sa_decode_class_port_info(mad, len, &info), 0);
	assert_int_equal(info.class_version, 2);
	assert_int_equal(info.cap_mask, 0x2602);
	assert_true(info.cap_mask & SA_CAP_PORT_INFO_CAP_MASK_MATCH);
	assert_true(info.cap_mask2 & SA_CAP2_PORT_INFO_CAP_MASK2_MATCH);
	assert_int_equal(info.resp_time, 16);
	assert_int_equal(info.redirect_lid, 0);
	assert_int_equal(info.redirect_qpn, 1);
	assert_int_equal(info.redirect_qkey, MAD_QKEY);
	free(mad);
}

static void nodes(void **state)
{
	static const struct {
		uint16_t lid;
		uint8_t type, port_num;
		uint64_t port_guid;
		const char *description;
	} expected[] = {
		{ 2, SA_NODE_SWITCH, 0, GUID(0x100), "s1" },
		{ 3, SA_NODE_SWITCH, 0, GUID(0x200), "s2" },
		{ 4, SA_NODE_CA, 1, GUID(0x301), "h1 mlx5_0" },
		{ 11, SA_NODE_CA, 2, GUID(0x302), "h1 mlx5_0" },
		{ 1, SA_NODE_CA, 1, GUID(0x401), "sm mlx5_0" },
		{ 5, SA_NODE_CA, 1, GUID(0x501), "t1" },
		{ 6, SA_NODE_CA, 1, GUID(0x601), "t2" },
		{ 7, SA_NODE_CA, 1, GUID(0x701), "t3" },
		{ 8, SA_NODE_CA, 1, GUID(0x801), "a1" },
		{ 9, SA_NODE_CA, 1, GUID(0x901), "a2" },
		{ 10, SA_NODE_CA, 1, GUID(0xa01), "a3" },
	};
	const uint8_t *record;
	struct sa_table t;
	struct sa_node n;
	size_t len, size;
	uint8_t *mad = load("nodes", &len);

	assert_int_equal(len, SA_DATA_OFFSET + 11 * SA_NODE_RECORD_SIZE);
	assert_int_equal(sa_table_init(&t, mad, len), 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(sa_table_next(&t, &record, &size));
		assert_int_equal(sa_decode_node(record, size, &n), 0);
		assert_int_equal(n.lid, expected[i].lid);
		assert_int_equal(n.type, expected[i].type);
		assert_int_equal(n.port_num, expected[i].port_num);
		assert_int_equal(n.port_guid, expected[i].port_guid);
		assert_int_equal(n.node_guid, expected[i].port_guid & ~UINT64_C(0xff));
		assert_int_equal(n.vendor_id, 0x525400);
		assert_string_equal(n.description, expected[i].description);
	}
	assert_false(sa_table_next(&t, &record, &size));
	free(mad);
}

static void one_node(void **state)
{
	const uint8_t *record;
	struct sa_header h;
	struct sa_table t;
	struct sa_node n;
	size_t len, size;
	uint8_t *mad = load("node", &len);

	assert_int_equal(sa_table_init(&t, mad, len), 0);
	assert_true(sa_table_next(&t, &record, &size));
	assert_int_equal(sa_decode_node(record, size, &n), 0);
	assert_int_equal(n.lid, 4);
	assert_int_equal(n.n_ports, 2);
	assert_string_equal(n.description, "h1 mlx5_0");
	free(mad);

	/* Nobody has the LID: the request comes back with a status, and is no record. */
	mad = load("node-none", &len);
	assert_int_equal(sa_decode_header(mad, len, &h), 0);
	assert_int_equal(h.mad.status, SA_STATUS_NO_RECORDS);
	assert_int_equal(sa_table_init(&t, mad, len), -EBADMSG);
	free(mad);
}

static void ports(void **state)
{
	const uint8_t *record;
	struct sa_table t;
	struct sa_port p;
	size_t len, size;
	uint8_t *mad = load("ports", &len);

	assert_int_equal(len, SA_DATA_OFFSET + 3 * SA_PORT_RECORD_SIZE);
	assert_int_equal(sa_table_init(&t, mad, len), 0);
	for (unsigned lid = 5; lid <= 7; lid++) {
		assert_true(sa_table_next(&t, &record, &size));
		assert_int_equal(sa_decode_port(record, size, &p), 0);
		assert_int_equal(p.lid, lid);
		assert_int_equal(p.base_lid, lid);
		assert_int_equal(p.port_num, 1);
		assert_int_equal(p.sm_lid, 1);
		assert_int_equal(p.subnet_prefix, UINT64_C(0xfe80000000000000));
		assert_int_equal(p.cap_mask, 0x02594868);
		assert_int_equal(p.state, SA_PORT_ACTIVE);
		assert_int_equal(p.lmc, 0);
	}
	assert_false(sa_table_next(&t, &record, &size));
	free(mad);

	mad = load("ports-none", &len);
	assert_int_equal(len, SA_DATA_OFFSET);
	assert_int_equal(sa_table_init(&t, mad, len), 0);
	assert_false(sa_table_next(&t, &record, &size));
	free(mad);

	mad = load("port", &len);
	assert_int_equal(sa_table_init(&t, mad, len), 0);
	assert_true(sa_table_next(&t, &record, &size));
	assert_int_equal(sa_decode_port(record, size, &p), 0);
	assert_int_equal(p.lid, 4);
	assert_false(p.cap_mask & PORT_CAP_DEVICE_MANAGEMENT);
	free(mad);
}

static void paths(void **state)
{
	uint8_t again[SA_PATH_RECORD_SIZE], gid[16];
	const uint8_t *record;
	struct sa_table t;
	struct sa_path p;
	size_t len, size;
	uint8_t *mad = load("path", &len);
	unsigned n = 0;

	assert_int_equal(sa_table_init(&t, mad, len), 0);
	assert_true(sa_table_next(&t, &record, &size));
	assert_int_equal(sa_decode_path(record, size, &p), 0);
	gid_of(GUID(0x501), gid);
	assert_memory_equal(p.dgid, gid, 16);
	gid_of(GUID(0x301), gid);
	assert_memory_equal(p.sgid, gid, 16);
	assert_int_equal(p.dlid, 5);
	assert_int_equal(p.slid, 4);
	assert_int_equal(p.pkey, 0xffff);
	assert_int_equal(p.mtu, 5);
	assert_int_equal(p.rate, 16);
	assert_int_equal(p.life_time, 18);
	assert_true(p.reversible);
	assert_int_equal(p.hop_limit, 0);
	sa_encode_path(again, &p);
	assert_memory_equal(again, record, SA_PATH_RECORD_SIZE);
	free(mad);

	mad = load("paths", &len);
	assert_int_equal(sa_table_init(&t, mad, len), 0);
	while (sa_table_next(&t, &record, &size)) {
		assert_int_equal(size, SA_PATH_RECORD_SIZE);
		assert_int_equal(sa_decode_path(record, size, &p), 0);
		assert_int_equal(p.slid, 4);
		n++;
	}
	assert_int_equal(n, 11);
	free(mad);
}

/* What opensm confirms is what was asked, byte for byte. */
static void confirmations(void **state)
{
	static const char *const names[] = { "inform-65", "inform-64", "inform-144" };
	struct subscribe_request rq;
	struct subscribe s;

	subscribe_init(&s, 1);
	subscribe_restart(&s);
	for (unsigned i = 0; i < SUBSCRIBE_TRAPS; i++) {
		size_t len;
		uint8_t *mad = load(names[i], &len);

		assert_int_equal(len, MAD_SIZE);
		assert_true(subscribe_next(&s, 1, &rq));
		assert_memory_equal(mad + SA_DATA_OFFSET, rq.mad + SA_DATA_OFFSET, 36);
		assert_memory_equal(mad + 48, rq.mad + 48, 8);
		assert_int_equal(subscribe_reply(&s, rq.cookie, mad, len, 1), 0);
		free(mad);
	}
	assert_int_equal(subscribe_mask(&s), 7);
}

static void reports(void **state)
{
	static const struct {
		const char *name;
		struct notice_event event;
		uint64_t guid;
	} expected[] = {
		{ "report-65", { .kind = NOTICE_GID_OUT }, GUID(0x501) },
		{ "report-64", { .kind = NOTICE_GID_IN }, GUID(0x501) },
		{ "report-144",
		  { .kind = NOTICE_CAPABILITY, .lid = 6, .cap_mask = 0x02514868 },
		  0 },
	};
	struct notices notices = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		uint8_t again[MAD_SIZE], gid[16] = { 0 };
		struct notice_event e;
		struct sa_notice n;
		size_t len;
		uint8_t *mad = load(expected[i].name, &len);

		assert_int_equal(notices_take(&notices, mad, len, 1, 1, &e), 1);
		if (expected[i].guid)
			gid_of(expected[i].guid, gid);
		assert_int_equal(e.kind, expected[i].event.kind);
		assert_memory_equal(e.gid, gid, 16);
		assert_int_equal(e.lid, expected[i].event.lid);
		assert_int_equal(e.cap_mask, expected[i].event.cap_mask);
		assert_int_equal(sa_decode_notice(mad, len, &n), 0);
		sa_encode_report(again, UINT64_C(0x402dab001) + i, &n);
		/* Of the details only what means something: the rest is whatever opensm had there. */
		assert_memory_equal(mad, again, SA_DATA_OFFSET + 10);
		assert_memory_equal(mad + SA_DATA_OFFSET + 16, again + SA_DATA_OFFSET + 16,
				    e.kind == NOTICE_CAPABILITY ? 4 : 16);
		assert_memory_equal(mad + SA_DATA_OFFSET + 64, again + SA_DATA_OFFSET + 64, 16);
		free(mad);
	}
}

static void device_management(void **state)
{
	struct dm_service services[DM_SERVICES_PER_MAD];
	struct dm_iou iou;
	struct dm_ioc ioc;
	uint64_t id_ext;
	size_t len;
	uint8_t *mad = load("dm-iou", &len), again[MAD_SIZE];

	assert_int_equal(dm_decode_iou(mad, len, &iou), 0);
	assert_int_equal(iou.change_id, 1);
	assert_int_equal(iou.max_controllers, 1);
	assert_int_equal(dm_iou_slot(&iou, 1), DM_SLOT_PRESENT);
	assert_int_equal(dm_iou_slot(&iou, 2), DM_SLOT_NONE);
	memcpy(again, mad, DM_DATA_OFFSET);
	memset(again + DM_DATA_OFFSET, 0, MAD_SIZE - DM_DATA_OFFSET);
	dm_encode_iou(again, &iou);
	assert_memory_equal(again, mad, MAD_SIZE);
	free(mad);

	mad = load("dm-ioc", &len);
	assert_int_equal(dm_decode_ioc(mad, len, &ioc), 0);
	assert_int_equal(ioc.guid, GUID(0x500));
	assert_int_equal(ioc.io_class, DM_IO_CLASS_SRP_REV16A);
	assert_int_equal(ioc.protocol, 0x0108);
	assert_int_equal(ioc.n_services, 1);
	assert_string_equal(ioc.id_string, "t1");
	memcpy(again, mad, DM_DATA_OFFSET);
	memset(again + DM_DATA_OFFSET, 0, MAD_SIZE - DM_DATA_OFFSET);
	dm_encode_ioc(again, &ioc);
	assert_memory_equal(again, mad, MAD_SIZE);
	free(mad);

	mad = load("dm-services", &len);
	assert_int_equal(dm_decode_services(mad, len, 1, services), 0);
	assert_int_equal(dm_service_id_ext(&services[0], &id_ext), 0);
	assert_int_equal(id_ext, GUID(0x500));
	assert_int_equal(services[0].id, GUID(0x500));
	free(mad);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(class_port_info), cmocka_unit_test(nodes),
		cmocka_unit_test(one_node),	   cmocka_unit_test(ports),
		cmocka_unit_test(paths),	   cmocka_unit_test(confirmations),
		cmocka_unit_test(reports),	   cmocka_unit_test(device_management),
	};

	directory = argc > 1 ? argv[1] : "recorded";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
