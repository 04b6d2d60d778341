/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Subnet Administration codec against bytes laid out by the specification's offsets. */
#include "fabric/sa.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NODE_DISTANCE (SA_NODE_RECORD_SIZE / 8)

static const uint8_t gid_a[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 2, 0xc9, 3, 0, 1, 2, 3 };
static const uint8_t gid_b[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 2, 0xc9, 3, 0, 4, 5, 6 };

/* Exactly `len` bytes, so that a read beyond them is seen. */
static uint8_t *cut(const uint8_t *mad, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	memcpy(p, mad, len);
	return p;
}

/* Everything of a request that is not in `at` must be zero. */
struct at {
	size_t offset;
	const char *bytes;
	size_t n;
};
static void assert_bytes(const uint8_t *mad, const struct at *at)
{
	uint8_t expected[MAD_SIZE] = { 0 };

	for (; at->bytes; at++)
		memcpy(expected + at->offset, at->bytes, at->n);
	assert_memory_equal(mad, expected, MAD_SIZE);
}

#define AT(offset, bytes)                                                                          \
	{                                                                                          \
		(offset), (bytes), sizeof(bytes) - 1                                               \
	}
#define END                                                                                        \
	{                                                                                          \
		0, NULL, 0                                                                         \
	}

static void requests(void **state)
{
	uint8_t mad[MAD_SIZE];

	sa_encode_get_class_port_info(mad);
	assert_bytes(mad, (struct at[]){ AT(0, "\1\3\2\1"), AT(16, "\0\1"), END });

	/* Every node: a table without components. */
	sa_encode_get_nodes(mad);
	assert_bytes(mad, (struct at[]){ AT(0, "\1\3\2\x12"), AT(16, "\0\x11"), END });
	sa_encode_get_node(mad, 0xbfff);
	assert_bytes(mad, (struct at[]){ AT(0, "\1\3\2\1"), AT(16, "\0\x11"), AT(55, "\1"),
					 AT(56, "\xbf\xff"), END });

	/* The bit of Device Management in byte 20 of PortInfo, which starts at byte 4. */
	sa_encode_get_ports(mad, PORT_CAP_DEVICE_MANAGEMENT);
	assert_bytes(mad,
		     (struct at[]){ AT(0, "\1\3\2\x12"), AT(16, "\0\x12"), AT(20, "\x80\0\0\0"),
				    AT(55, "\x80"), AT(56 + 4 + 20, "\0\x08\0\0"), END });
	sa_encode_get_port(mad, 0x1234);
	assert_bytes(mad, (struct at[]){ AT(0, "\1\3\2\1"), AT(16, "\0\x12"), AT(55, "\1"),
					 AT(56, "\x12\x34"), END });
}

static void path_request(void **state)
{
	uint8_t mad[MAD_SIZE];
	struct sa_path want = { .slid = 0x11, .dlid = 0x22, .pkey = 0x8001 };

	/* As srp_daemon asks for each of its partitions: components 4, 5 and 13. */
	sa_encode_get_path(mad, MAD_METHOD_GET, SA_PATH_DLID | SA_PATH_SLID | SA_PATH_PKEY, &want);
	assert_bytes(mad,
		     (struct at[]){ AT(0, "\1\3\2\1"), AT(16, "\0\x35"), AT(54, "\x20\x30"),
				    AT(56 + 40, "\0\x22\0\x11"), AT(56 + 50, "\x80\x01"), END });
	sa_encode_get_path(mad, SA_METHOD_GET_TABLE, SA_PATH_DLID, &want);
	assert_int_equal(mad[3], 0x12);
}

static void inform_requests(void **state)
{
	struct sa_inform in, out;
	uint8_t mad[MAD_SIZE];

	sa_inform_of_trap(&in, 64, true);
	sa_encode_set_inform(mad, &in);
	assert_bytes(mad, (struct at[]){ AT(0, "\1\3\2\2"), AT(16, "\0\3"), AT(54, "\x10\xf2"),
					 AT(56 + 16, "\xff\xff"), AT(56 + 22, "\1\1"),
					 AT(56 + 24, "\0\3\0\x40"), AT(56 + 28, "\0\0\1\0"),
					 AT(56 + 35, "\4"), END });
	assert_int_equal(sa_decode_inform(mad, MAD_SIZE, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));

	sa_inform_of_trap(&in, 65, true);
	sa_encode_set_inform(mad, &in);
	assert_memory_equal(mad + 56 + 24, "\0\3\0\x41", 4);

	/* What changed locally is told by the channel adapter itself. */
	sa_inform_of_trap(&in, 144, true);
	sa_encode_set_inform(mad, &in);
	assert_memory_equal(mad + 56 + 22, "\1\1\0\4\0\x90\0\0\1\0\0\0\0\1", 14);

	/* Unsubscribing names the queue pair; a GID and a range of LIDs count when they are given. */
	in = (struct sa_inform){ .lid_begin = 5,
				 .lid_end = 9,
				 .type = 0xffff,
				 .trap = 0xffff,
				 .qpn = 0xabcdef,
				 .resp_time = 0x13,
				 .producer = 0xffffff };
	memcpy(in.gid, gid_a, 16);
	sa_encode_set_inform(mad, &in);
	assert_memory_equal(mad + 48, "\0\0\0\0\0\0\x11\xf7", 8);
	assert_memory_equal(mad + 56, gid_a, 16);
	assert_memory_equal(mad + 72,
			    "\0\5\0\x09\0\0\1\0\xff\xff\xff\xff\xab\xcd\xef\x13\0\xff\xff\xff", 20);
	assert_int_equal(sa_decode_inform(mad, MAD_SIZE, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));

	mad[56 + 22] = 0; /* a vendor's */
	assert_int_equal(sa_decode_inform(mad, MAD_SIZE, &out), -EBADMSG);
}

static void headers(void **state)
{
	struct sa_header in = { .mad = { .method = SA_METHOD_GET_TABLE_RESP,
					 .status = 0x0300,
					 .tid = UINT64_C(0x0102030405060708),
					 .attr_id = 0x12,
					 .attr_mod = 0x80000000 },
				.rmpp = true,
				.sm_key = UINT64_C(0x1112131415161718),
				.attr_offset = 0x2122,
				.comp_mask = UINT64_C(0x3132333435363738) },
			 out;
	uint8_t mad[SA_DATA_OFFSET];

	sa_encode_header(mad, &in);
	assert_memory_equal(mad,
			    "\1\3\2\x92\3\0\0\0"
			    "\1\2\3\4\5\6\7\x08\0\x12\0\0\x80\0\0\0"
			    "\1\1\7\0\0\0\0\1\0\0\0\0"
			    "\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\0\0"
			    "\x31\x32\x33\x34\x35\x36\x37\x38",
			    SA_DATA_OFFSET);
	assert_int_equal(sa_decode_header(mad, sizeof(mad), &out), 0);
	assert_int_equal(out.mad.status, 0x0300);
	assert_int_equal(out.mad.tid, in.mad.tid);
	assert_true(out.rmpp);
	assert_int_equal(out.sm_key, in.sm_key);
	assert_int_equal(out.attr_offset, in.attr_offset);
	assert_int_equal(out.comp_mask, in.comp_mask);

	mad[26] = 0xf8; /* a response time, and no flag */
	assert_int_equal(sa_decode_header(mad, sizeof(mad), &out), 0);
	assert_false(out.rmpp);
	assert_int_equal(sa_decode_header(mad, sizeof(mad) - 1, &out), -EBADMSG);
	mad[2] = 1;
	assert_int_equal(sa_decode_header(mad, sizeof(mad), &out), -EBADMSG);
	mad[2] = 2;
	mad[1] = 6;
	assert_int_equal(sa_decode_header(mad, sizeof(mad), &out), -EBADMSG);
	mad[1] = 3;
	mad[0] = 2;
	assert_int_equal(sa_decode_header(mad, sizeof(mad), &out), -EBADMSG);
}

/* What opensm says of itself: notices, multicast and mask matching; 0x17d4 beside; 2^18 * 4 us. */
static void class_port_info(void **state)
{
	uint8_t mad[MAD_SIZE] = { 0 }, back[MAD_SIZE] = { 0 };
	struct mad_class_port_info out;

	memcpy(mad + 56, "\1\2\x22\2\0\x02\xfa\x92", 8);
	memcpy(mad + 56 + 8, gid_a, 16);
	memcpy(mad + 56 + 24, "\x5a\x3f\xed\xcb\0\x2a\x80\1\0\0\0\7\x80\1\0\0", 16);
	assert_int_equal(sa_decode_class_port_info(mad, MAD_SIZE, &out), 0);
	assert_int_equal(out.class_version, 2);
	assert_true(out.cap_mask & SA_CAP_PORT_INFO_CAP_MASK_MATCH);
	assert_int_equal(out.cap_mask2, 0x17d4);
	assert_true(out.cap_mask2 & SA_CAP2_PORT_INFO_CAP_MASK2_MATCH);
	assert_int_equal(out.resp_time, 18);
	assert_memory_equal(out.redirect_gid, gid_a, 16);
	assert_int_equal(out.redirect_tclass, 0x5a);
	assert_int_equal(out.redirect_sl, 3);
	assert_int_equal(out.redirect_flow_label, 0xfedcb);
	assert_int_equal(out.redirect_lid, 42);
	assert_int_equal(out.redirect_pkey, 0x8001);
	assert_int_equal(out.redirect_qpn, 7);
	assert_int_equal(out.redirect_qkey, 0x80010000);
	sa_encode_class_port_info(back, &out);
	assert_memory_equal(mad, back, MAD_SIZE);
	for (size_t len = 0; len < 56 + 72; len++)
		assert_int_equal(sa_decode_class_port_info(mad, len, &out), -EBADMSG);
}

static const uint8_t node_bytes[SA_NODE_RECORD_SIZE] = {
	[0] = 0x00,  0x2a,				       /* LID, reserved */
	[4] = 0x01,  0x01, 0x01, 0x02,			       /* versions, a CA of two ports */
	[8] = 0x00,  0x02, 0xc9, 0x03, 0x00, 0x00, 0x00, 0x13, /* system image GUID */
	[16] = 0x00, 0x02, 0xc9, 0x03, 0x00, 0x00, 0x00, 0x10, /* node GUID */
	[24] = 0x00, 0x02, 0xc9, 0x03, 0x00, 0x00, 0x00, 0x11, /* port GUID */
	[34] = 0x10, 0x03,				       /* partitions before; device id */
	[40] = 0x01, 0x00, 0x02, 0xc9,			       /* port number, vendor id */
	[44] = 't',  'g',  't',	 0x07, '1',		       /* description */
};

static void node_record(void **state)
{
	uint8_t back[SA_NODE_RECORD_SIZE], *p;
	struct sa_node n, again;

	assert_int_equal(sa_decode_node(node_bytes, sizeof(node_bytes), &n), 0);
	assert_int_equal(n.lid, 42);
	assert_int_equal(n.type, SA_NODE_CA);
	assert_int_equal(n.n_ports, 2);
	assert_int_equal(n.sys_guid, UINT64_C(0x0002c90300000013));
	assert_int_equal(n.node_guid, UINT64_C(0x0002c90300000010));
	assert_int_equal(n.port_guid, UINT64_C(0x0002c90300000011));
	assert_int_equal(n.device_id, 0x1003);
	assert_int_equal(n.vendor_id, 0x2c9);
	assert_int_equal(n.port_num, 1);
	assert_string_equal(n.description, "tgt?1");

	sa_encode_node(back, &n);
	assert_memory_equal(back, node_bytes, 47);
	memset(n.description, 'x', 64);
	n.description[64] = '\0';
	sa_encode_node(back, &n);
	assert_int_equal(back[107], 'x');
	assert_int_equal(back[108], 0);
	assert_int_equal(sa_decode_node(back, sizeof(back), &again), 0);
	assert_memory_equal(&n, &again, sizeof(n));

	/* The padding may be missing, nothing else. */
	p = cut(node_bytes, 108);
	assert_int_equal(sa_decode_node(p, 108, &n), 0);
	free(p);
	p = cut(node_bytes, 107);
	assert_int_equal(sa_decode_node(p, 107, &n), -EBADMSG);
	free(p);
}

static void port_record(void **state)
{
	static const uint8_t d[SA_PORT_RECORD_SIZE] = {
		[0] = 0x00,	 0x2a, 0x01,				   /* LID, port */
		[4 + 8] = 0xfe,	 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, /* subnet prefix */
		[4 + 16] = 0x00, 0x28, 0x00, 0x07,			   /* base and SM LID */
		[4 + 20] = 0x02, 0x59, 0x48, 0x68,			   /* capability mask */
		[4 + 32] = 0x04,					   /* speed, state */
		[4 + 34] = 0x03, /* M_Key protection, LMC */
		[4 + 36] = 0x05, /* MTU, SM SL */
	};
	uint8_t noise[SA_PORT_RECORD_SIZE], back[SA_PORT_RECORD_SIZE];
	struct sa_port p;

	assert_int_equal(sa_decode_port(d, sizeof(d), &p), 0);
	assert_int_equal(p.lid, 42);
	assert_int_equal(p.port_num, 1);
	assert_int_equal(p.subnet_prefix, UINT64_C(0xfe80000000000001));
	assert_int_equal(p.base_lid, 40);
	assert_int_equal(p.sm_lid, 7);
	assert_int_equal(p.cap_mask, 0x02594868);
	assert_true(p.cap_mask & PORT_CAP_DEVICE_MANAGEMENT);
	assert_false(p.cap_mask & PORT_CAP_SM);
	assert_int_equal(p.state, SA_PORT_ACTIVE);
	assert_int_equal(p.lmc, 3);
	assert_int_equal(p.sm_sl, 5);
	sa_encode_port(back, &p);
	assert_memory_equal(back, d, sizeof(d));

	/* Neighbours in the same bytes do not get in. */
	memcpy(noise, d, sizeof(d));
	noise[4 + 32] |= 0xf0;
	noise[4 + 34] |= 0xf8;
	noise[4 + 36] |= 0xf0;
	assert_int_equal(sa_decode_port(noise, sizeof(noise), &p), 0);
	assert_int_equal(p.state, SA_PORT_ACTIVE);
	assert_int_equal(p.lmc, 3);
	assert_int_equal(p.sm_sl, 5);

	assert_int_equal(sa_decode_port(d, 58, &p), 0);
	assert_int_equal(sa_decode_port(d, 57, &p), -EBADMSG);
}

static void path_record(void **state)
{
	uint8_t d[SA_PATH_RECORD_SIZE] = {
		[0] = 0x01,  0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* service id; GIDs */
		[40] = 0x00, 0x2a, 0x00, 0x11,			       /* DLID, SLID */
		[44] = 0x8f, 0xed, 0xcb, 0x40,			       /* raw, label, hops */
		[48] = 0x5a, 0x81, 0x80, 0x01,			       /* class, paths, P_Key */
		[52] = 0xff, 0xf3, 0x84, 0x87,			       /* QoS and SL, MTU, rate */
		[56] = 0x92, 0x09,				       /* life time, preference */
	};
	uint8_t back[SA_PATH_RECORD_SIZE];
	struct sa_path p;

	memcpy(d + 8, gid_a, 16);
	memcpy(d + 24, gid_b, 16);
	assert_int_equal(sa_decode_path(d, sizeof(d), &p), 0);
	assert_int_equal(p.service_id, UINT64_C(0x0102030405060708));
	assert_memory_equal(p.dgid, gid_a, 16);
	assert_memory_equal(p.sgid, gid_b, 16);
	assert_int_equal(p.dlid, 42);
	assert_int_equal(p.slid, 17);
	assert_true(p.raw_traffic);
	assert_int_equal(p.flow_label, 0xfedcb);
	assert_int_equal(p.hop_limit, 0x40);
	assert_int_equal(p.traffic_class, 0x5a);
	assert_true(p.reversible);
	assert_int_equal(p.n_paths, 1);
	assert_int_equal(p.pkey, 0x8001);
	assert_int_equal(p.sl, 3);
	assert_int_equal(p.mtu, 4);
	assert_int_equal(p.rate, 7);
	assert_int_equal(p.life_time, 18);
	assert_int_equal(p.preference, 9);
	d[52] = 0;
	d[53] = 0x03; /* the QoS class is not kept */
	sa_encode_path(back, &p);
	assert_memory_equal(back, d, sizeof(d));
	assert_int_equal(sa_decode_path(d, 63, &p), -EBADMSG);
}

/* A table of `n` node records with LIDs from 1; at least `len` bytes. */
static uint8_t *node_table(unsigned n, uint16_t distance, size_t *ret_len)
{
	size_t len = SA_DATA_OFFSET + (size_t)n * SA_NODE_RECORD_SIZE;
	uint8_t *mad = calloc(1, len);

	assert_non_null(mad);
	sa_encode_header(mad, &(struct sa_header){ .mad = { .method = SA_METHOD_GET_TABLE_RESP,
							    .attr_id = SA_ATTR_NODE_RECORD },
						   .rmpp = true,
						   .attr_offset = distance });
	for (unsigned i = 0; i < n; i++)
		sa_encode_node(mad + SA_DATA_OFFSET + (size_t)i * SA_NODE_RECORD_SIZE,
			       &(struct sa_node){ .lid = (uint16_t)(i + 1) });
	*ret_len = len;
	return mad;
}

/* How many records come, and how many of them decode; with LIDs in order from 1. */
static int walk(const uint8_t *mad, size_t len, unsigned *ret_records)
{
	uint8_t *p = cut(mad, len);
	const uint8_t *record;
	unsigned good = 0;
	struct sa_table t;
	struct sa_node n;
	size_t size;
	int r = sa_table_init(&t, p, len);

	*ret_records = 0;
	while (r == 0 && sa_table_next(&t, &record, &size)) {
		(*ret_records)++;
		if (sa_decode_node(record, size, &n) == 0)
			assert_int_equal(n.lid, ++good);
	}
	free(p);
	return r < 0 ? r : (int)good;
}

static void tables(void **state)
{
	static const unsigned sizes[] = { 1, 2, 3, 1000, 37449 /* four MiB */ };
	unsigned records;
	uint8_t *mad;
	size_t len;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		mad = node_table(sizes[i], NODE_DISTANCE, &len);
		assert_int_equal(walk(mad, len, &records), sizes[i]);
		assert_int_equal(records, sizes[i]);
		free(mad);
	}

	/* No records: nothing behind the header and no distance, or only padding. */
	mad = node_table(3, 0, &len);
	assert_int_equal(walk(mad, SA_DATA_OFFSET, &records), 0);
	assert_int_equal(walk(mad, MAD_SIZE, &records), 0);
	assert_int_equal(records, 0);
	assert_int_equal(walk(mad, MAD_SIZE + 1, &records), -EBADMSG);
	free(mad);
	mad = node_table(3, NODE_DISTANCE, &len);
	assert_int_equal(walk(mad, SA_DATA_OFFSET, &records), 0);
	assert_int_equal(records, 0);
	free(mad);
}

static void bad_tables(void **state)
{
	unsigned records;
	size_t len;
	uint8_t *mad = node_table(5, NODE_DISTANCE, &len);

	/* The last record is cut: it comes, and does not decode. */
	for (size_t cut_by = 5; cut_by < SA_NODE_RECORD_SIZE; cut_by++) {
		assert_int_equal(walk(mad, len - cut_by, &records), 4);
		assert_int_equal(records, 5);
	}
	assert_int_equal(walk(mad, len - SA_NODE_RECORD_SIZE, &records), 4);
	assert_int_equal(records, 4);

	/* The header is cut. */
	for (size_t n = 0; n < SA_DATA_OFFSET; n++)
		assert_int_equal(walk(mad, n, &records), -EBADMSG);

	/* Without RMPP nobody knows how much of a datagram is table. */
	mad[26] = 0;
	assert_int_equal(walk(mad, len, &records), -EBADMSG);
	mad[26] = 7;
	/* A refusal. */
	mad[4] = 3;
	assert_int_equal(walk(mad, len, &records), -EBADMSG);
	mad[4] = 0;
	/* A request, the answer to another class, another method. */
	mad[3] = SA_METHOD_GET_TABLE;
	assert_int_equal(walk(mad, len, &records), -EBADMSG);
	mad[3] = MAD_METHOD_REPORT;
	assert_int_equal(walk(mad, len, &records), -EBADMSG);
	mad[3] = SA_METHOD_GET_TABLE_RESP;
	mad[1] = MAD_CLASS_DM;
	assert_int_equal(walk(mad, len, &records), -EBADMSG);
	free(mad);

	/* Records that are closer than they are long never decode; all of them come. */
	mad = node_table(5, 13, &len);
	assert_int_equal(walk(mad, len, &records), 0);
	assert_int_equal(records, 6);
	free(mad);
	mad = node_table(5, 1, &len);
	assert_int_equal(walk(mad, len, &records), 0);
	assert_int_equal(records, 5 * SA_NODE_RECORD_SIZE / 8);
	free(mad);
	/* And where they are further apart than everything that came, one is there. */
	mad = node_table(5, 0xffff, &len);
	assert_int_equal(walk(mad, len, &records), 1);
	assert_int_equal(records, 1);
	free(mad);
}

static void single_record(void **state)
{
	const uint8_t *record;
	uint8_t mad[MAD_SIZE];
	struct sa_table t;
	struct sa_port p;
	size_t size;

	/* As opensm answers a Get: whatever distance, one record. */
	sa_encode_request(mad, MAD_METHOD_GET_RESP, SA_ATTR_PORT_INFO_RECORD, 0, 1);
	mad[45] = 9;
	sa_encode_port(mad + SA_DATA_OFFSET, &(struct sa_port){ .lid = 3 });
	assert_int_equal(sa_table_init(&t, mad, MAD_SIZE), 0);
	assert_true(sa_table_next(&t, &record, &size));
	assert_ptr_equal(record, mad + SA_DATA_OFFSET);
	assert_int_equal(size, SA_DATA_SIZE);
	assert_int_equal(sa_decode_port(record, size, &p), 0);
	assert_int_equal(p.lid, 3);
	assert_false(sa_table_next(&t, &record, &size));
	assert_int_equal(sa_table_init(&t, mad, SA_DATA_OFFSET), 0);
	assert_false(sa_table_next(&t, &record, &size));
}

/* A cut table is told from a short one, whatever its records are. */
static void whole_tables(void **state)
{
	static const struct {
		uint16_t attr_id;
		size_t least, distance;
	} kinds[] = {
		{ SA_ATTR_NODE_RECORD, 108, SA_NODE_RECORD_SIZE },
		{ SA_ATTR_PORT_INFO_RECORD, 58, SA_PORT_RECORD_SIZE },
		{ SA_ATTR_PATH_RECORD, SA_PATH_RECORD_SIZE, SA_PATH_RECORD_SIZE },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct sa_table t = { .stride = kinds[i].distance };
		size_t d = kinds[i].distance;

		for (t.left = 0; t.left < 4 * d; t.left++)
			assert_int_equal(sa_table_whole(&t, kinds[i].attr_id),
					 t.left % d == 0 || t.left % d >= kinds[i].least);
		/* records too close together to be such */
		t.stride = kinds[i].least - 1;
		t.left = 2 * t.stride;
		assert_false(sa_table_whole(&t, kinds[i].attr_id));
		t.left = 0;
		assert_true(sa_table_whole(&t, kinds[i].attr_id));
	}
}

static void notices(void **state)
{
	static const uint8_t in_service[80] = {
		[0] = 0x83, 0x00, 0x00, 0x04, /* generic, subnet management; a manager */
		[4] = 0x00, 0x40, 0x00, 0x01, /* trap 64 of LID 1 */
		[8] = 0x80, 0x03,	      /* toggle, count */
	};
	uint8_t mad[MAD_SIZE] = { 0 }, back[MAD_SIZE];
	struct sa_notice n;

	memcpy(mad, "\1\3\2\6\0\0\0\0\0\0\0\0\2\xda\xb0\1\0\2", 18);
	memcpy(mad + 56, in_service, 80);
	memcpy(mad + 56 + 16, gid_a, 16); /* 6 reserved bytes before it */
	memcpy(mad + 56 + 64, gid_b, 16);
	assert_int_equal(sa_decode_notice(mad, MAD_SIZE, &n), 0);
	assert_int_equal(n.type, SA_NOTICE_TYPE_SUBNET);
	assert_int_equal(n.producer, SA_PRODUCER_MANAGER);
	assert_int_equal(n.trap, SA_TRAP_GID_IN_SERVICE);
	assert_int_equal(n.issuer_lid, 1);
	assert_true(n.toggle);
	assert_int_equal(n.count, 3);
	assert_memory_equal(n.gid, gid_a, 16);
	assert_memory_equal(n.issuer_gid, gid_b, 16);
	assert_int_equal(n.lid, 0);
	sa_encode_report(back, 0x02dab001, &n);
	assert_memory_equal(mad, back, MAD_SIZE);

	/* The answer is the same but for its method and an unset status. */
	memcpy(back, mad, MAD_SIZE);
	back[4] = 3;
	sa_encode_report_resp(back, back);
	mad[3] = 0x86;
	assert_memory_equal(mad, back, MAD_SIZE);
}

static void capability_notice(void **state)
{
	uint8_t mad[MAD_SIZE], back[MAD_SIZE];
	struct sa_notice n;

	sa_encode_request(mad, MAD_METHOD_REPORT, SA_ATTR_NOTICE, 0, 0);
	memcpy(mad + 56, "\x84\0\0\1\0\x90\0\5\0\0\0\0\0\5\0\0\x02\x59\x48\x68", 20);
	assert_int_equal(sa_decode_notice(mad, MAD_SIZE, &n), 0);
	assert_int_equal(n.type, SA_NOTICE_TYPE_INFORMATIONAL);
	assert_int_equal(n.producer, SA_PRODUCER_CA);
	assert_int_equal(n.trap, SA_TRAP_CAPABILITY);
	assert_int_equal(n.lid, 5);
	assert_int_equal(n.cap_mask, 0x02594868);
	sa_encode_report(back, 0, &n);
	assert_memory_equal(mad, back, MAD_SIZE);

	/* Of a trap without details for us only the frame counts. */
	mad[61] = 128;
	assert_int_equal(sa_decode_notice(mad, MAD_SIZE, &n), 0);
	assert_int_equal(n.trap, 128);
	assert_int_equal(n.lid, 0);
	assert_int_equal(n.cap_mask, 0);
	/* A vendor's notice is none of ours. */
	mad[56] = 0x04;
	assert_int_equal(sa_decode_notice(mad, MAD_SIZE, &n), -EBADMSG);
}

static void every_length(void **state)
{
	uint8_t mad[MAD_SIZE];

	sa_encode_request(mad, MAD_METHOD_REPORT, SA_ATTR_NOTICE, 0, 0);
	mad[56] = 0x80;
	mad[56 + 22] = 1;
	for (size_t len = 0; len <= MAD_SIZE; len++) {
		uint8_t *p = cut(mad, len);
		struct sa_notice n;
		struct sa_inform i;
		struct sa_header h;
		struct sa_path path;

		assert_int_equal(sa_decode_header(p, len, &h), len >= 56 ? 0 : -EBADMSG);
		assert_int_equal(sa_decode_notice(p, len, &n), len >= 56 + 80 ? 0 : -EBADMSG);
		assert_int_equal(sa_decode_inform(p, len, &i), len >= 56 + 36 ? 0 : -EBADMSG);
		assert_int_equal(sa_decode_path(p, len, &path), len >= 64 ? 0 : -EBADMSG);
		free(p);
	}
}

static void status_words(void **state)
{
	assert_string_equal(sa_status_text(0), "success");
	assert_string_equal(sa_status_text(SA_STATUS_NO_RECORDS), "no records");
	assert_string_equal(sa_status_text(0x0100), "no resources");
	assert_string_equal(sa_status_text(0x0200), "invalid request");
	assert_string_equal(sa_status_text(0x0400), "too many records");
	assert_string_equal(sa_status_text(0x0500), "invalid GID");
	assert_string_equal(sa_status_text(0x0600), "insufficient components");
	assert_string_equal(sa_status_text(0x0700), "request denied");
	assert_string_equal(sa_status_text(0x7f00), "class specific status");
	assert_string_equal(sa_status_text(MAD_STATUS_BUSY), "busy");
	assert_string_equal(sa_status_text(MAD_STATUS_REDIRECT), "redirected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),	cmocka_unit_test(path_request),
		cmocka_unit_test(whole_tables), cmocka_unit_test(inform_requests),
		cmocka_unit_test(headers),	cmocka_unit_test(class_port_info),
		cmocka_unit_test(node_record),	cmocka_unit_test(port_record),
		cmocka_unit_test(path_record),	cmocka_unit_test(tables),
		cmocka_unit_test(bad_tables),	cmocka_unit_test(single_record),
		cmocka_unit_test(notices),	cmocka_unit_test(capability_notice),
		cmocka_unit_test(every_length), cmocka_unit_test(status_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
