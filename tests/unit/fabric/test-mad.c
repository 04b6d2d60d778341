/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The datagrams, byte for byte against the offsets of the specification, and what must not decode. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fabric/mad.h"

/* A datagram in a block of exactly `len` bytes: a sanitizer sees a read beyond them. */
static uint8_t *cut(const uint8_t *mad, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	memcpy(p, mad, len);
	return p;
}

static void request_bytes(void **state)
{
	static const uint8_t header[24] = {
		0x01, 0x06, 0x01, 0x01,
		0,    0,    0,	  0, /* base, class, class version, Get; status */
		0x11, 0x22, 0x33, 0x44,
		0x55, 0x66, 0x77, 0x88, /* transaction */
		0x00, 0x12, 0,	  0,
		0x00, 0x03, 0x07, 0x04, /* attribute, modifier */
	};
	uint8_t mad[MAD_SIZE];

	memset(mad, 0xee, sizeof(mad));
	dm_encode_get(mad, UINT64_C(0x1122334455667788), DM_ATTR_SERVICE_ENTRIES,
		      dm_services_modifier(3, 4, 7));
	assert_memory_equal(mad, header, sizeof(header));
	for (unsigned i = 24; i < MAD_SIZE; i++)
		assert_int_equal(mad[i], 0);
}

static void header_fields(void **state)
{
	uint8_t mad[MAD_SIZE] = { 0x01, 0x06, 0x01, 0x81, 0x01, 0x0c };
	struct mad_header h;

	memcpy(mad + 8, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	memcpy(mad + 16, "\x00\x11\xff\xff\x00\x00\x01\x00", 8);
	assert_int_equal(mad_decode_header(mad, MAD_SIZE, &h), 0);
	assert_int_equal(h.mgmt_class, 6);
	assert_int_equal(h.class_version, 1);
	assert_int_equal(h.method, MAD_METHOD_GET_RESP);
	assert_int_equal(h.status, 0x010c);
	assert_int_equal(h.tid, UINT64_C(0x0102030405060708));
	assert_int_equal(h.attr_id, DM_ATTR_IOC_PROFILE);
	assert_int_equal(h.attr_mod, 256);

	assert_int_equal(mad_decode_header(mad, 24, &h), 0);
	assert_int_equal(mad_decode_header(mad, 23, &h), -EBADMSG);
	assert_int_equal(mad_decode_header(mad, 0, &h), -EBADMSG);
	mad[0] = 0x80; /* another base version */
	assert_int_equal(mad_decode_header(mad, MAD_SIZE, &h), -EBADMSG);
}

static void status_words(void **state)
{
	assert_string_equal(mad_status_text(0), "success");
	assert_string_equal(mad_status_text(0x0001), "busy");
	assert_string_equal(mad_status_text(0x0002), "redirected");
	assert_string_equal(mad_status_text(0x0004), "unsupported class or version");
	assert_string_equal(mad_status_text(0x0008), "unsupported method");
	assert_string_equal(mad_status_text(0x000c), "unsupported method or attribute");
	assert_string_equal(mad_status_text(0x001c), "invalid attribute or modifier");
	assert_string_equal(mad_status_text(0x0010), "reserved status");
	assert_string_equal(mad_status_text(0x0100), "no I/O controller in that slot");
	assert_string_equal(mad_status_text(0x0200), "class specific status");
}

/* As ib_srpt fills it: drivers/infiniband/ulp/srpt/ib_srpt.c, srpt_get_iou(). */
static void iou_bytes(void **state)
{
	uint8_t mad[MAD_SIZE] = { 0 };
	struct dm_iou iou;

	memcpy(mad + 64, "\x00\x01\x10\x00\x10", 5);
	assert_int_equal(dm_decode_iou(mad, MAD_SIZE, &iou), 0);
	assert_int_equal(iou.change_id, 1);
	assert_int_equal(iou.max_controllers, 16);
	assert_false(iou.diag_device_id);
	assert_false(iou.option_rom);
	assert_int_equal(dm_iou_slot(&iou, 1), DM_SLOT_PRESENT);
	for (unsigned i = 2; i <= 16; i++)
		assert_int_equal(dm_iou_slot(&iou, i), DM_SLOT_EMPTY);
	assert_int_equal(dm_iou_slot(&iou, 17), DM_SLOT_NONE);
	assert_int_equal(dm_iou_slot(&iou, 0), DM_SLOT_NONE);
	assert_int_equal(dm_iou_slot(&iou, 100000), DM_SLOT_NONE);
}

static void iou_slots(void **state)
{
	uint8_t mad[MAD_SIZE] = { 0 };
	struct dm_iou iou = { .change_id = 0xabcd, .max_controllers = 255, .diag_device_id = true },
		      back;

	dm_iou_set_slot(&iou, 2, DM_SLOT_PRESENT);
	dm_iou_set_slot(&iou, 3, DM_SLOT_NONE);
	dm_iou_set_slot(&iou, 255, DM_SLOT_PRESENT);
	dm_encode_iou(mad, &iou);
	assert_memory_equal(mad + 64, "\xab\xcd\xff\x02\x01\xf0", 6);
	assert_int_equal(mad[68 + 127], 0x10);
	assert_int_equal(dm_decode_iou(mad, MAD_SIZE, &back), 0);
	assert_true(back.diag_device_id);
	assert_int_equal(dm_iou_slot(&back, 1), DM_SLOT_EMPTY);
	assert_int_equal(dm_iou_slot(&back, 2), DM_SLOT_PRESENT);
	assert_int_equal(dm_iou_slot(&back, 3), DM_SLOT_NONE);
	assert_int_equal(dm_iou_slot(&back, 255), DM_SLOT_PRESENT);
	back.controller_list[0] = 0x70; /* a value the table has not */
	assert_int_equal(dm_iou_slot(&back, 1), DM_SLOT_NONE);
}

/* The fields by their offsets, each with a value of its own. */
static void ioc_bytes(void **state)
{
	static const uint8_t d[128] = {
		[0] = 0x00,  0x02, 0xc9, 0x03, 0x00, 0x4e, 0xd0, 0xb2, /* IOC GUID */
		[8] = 0x00,  0x02, 0xc9, 0xee,			       /* vendor id, reserved */
		[12] = 0x00, 0x00, 0x10, 0x03,			       /* device id */
		[16] = 0x00, 0xa0, 0xee, 0xee, /* device version, reserved */
		[20] = 0x00, 0x02, 0xca, 0xee, /* subsystem vendor id, reserved */
		[24] = 0x11, 0x12, 0x13, 0x14, /* subsystem id */
		[28] = 0x01, 0x00, 0x60, 0x9e, /* I/O class, subclass */
		[32] = 0x01, 0x08, 0x00, 0x01, /* protocol, version */
		[36] = 0x00, 0x21, 0x00, 0x22, /* service connections, initiators */
		[40] = 0x10, 0x00, 0xee, 0x04, /* send queue, reserved, RDMA read depth */
		[44] = 0x00, 0x00, 0x08, 0x24, /* send size */
		[48] = 0x00, 0x01, 0x00, 0x00, /* RDMA size */
		[52] = 0x33, 0x44, 0x02,       /* operations, services capabilities, entries */
		[64] = 'L',  'I',  'O',	 ' ',  0x07, 'x',  0,
	};
	uint8_t mad[MAD_SIZE] = { 0 };
	struct dm_ioc ioc;

	memcpy(mad + 64, d, sizeof(d));
	assert_int_equal(dm_decode_ioc(mad, MAD_SIZE, &ioc), 0);
	assert_int_equal(ioc.guid, UINT64_C(0x0002c903004ed0b2));
	assert_int_equal(ioc.vendor_id, 0x0002c9);
	assert_int_equal(ioc.device_id, 0x1003);
	assert_int_equal(ioc.device_version, 0xa0);
	assert_int_equal(ioc.subsys_vendor_id, 0x0002ca);
	assert_int_equal(ioc.subsys_device_id, 0x11121314);
	assert_int_equal(ioc.io_class, DM_IO_CLASS_SRP_REV16A);
	assert_int_equal(ioc.io_subclass, 0x609e);
	assert_int_equal(ioc.protocol, 0x0108);
	assert_int_equal(ioc.protocol_version, 1);
	assert_int_equal(ioc.service_connections, 0x21);
	assert_int_equal(ioc.initiators_supported, 0x22);
	assert_int_equal(ioc.send_queue_depth, 4096);
	assert_int_equal(ioc.rdma_read_depth, 4);
	assert_int_equal(ioc.send_size, 0x824);
	assert_int_equal(ioc.rdma_size, 65536);
	assert_int_equal(ioc.op_cap_mask, 0x33);
	assert_int_equal(ioc.service_cap_mask, 0x44);
	assert_int_equal(ioc.n_services, 2);
	assert_string_equal(ioc.id_string, "LIO ?x");
}

static void ioc_round_trip(void **state)
{
	uint8_t mad[MAD_SIZE] = { 0 };
	struct dm_ioc in = { .guid = 7, .io_class = DM_IO_CLASS_SRP_REV10, .n_services = 255 }, out;

	memset(in.id_string, 'x', 64); /* full: no NUL on the wire */
	dm_encode_ioc(mad, &in);
	assert_int_equal(mad[64 + 127], 'x');
	assert_int_equal(dm_decode_ioc(mad, MAD_SIZE, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void class_port_info(void **state)
{
	uint8_t mad[MAD_SIZE] = { 0 };
	struct mad_class_port_info out;

	memcpy(mad + 64, "\x01\x01\x01\x02\x00\x00\x00\xf4", 8);
	memset(mad + 72, 0xfe, 16);
	memcpy(mad + 64 + 28, "\x00\x2a\xff\xff\xee\x00\x00\x05\x80\x01\x00\x00", 12);
	assert_int_equal(dm_decode_class_port_info(mad, MAD_SIZE, &out), 0);
	assert_int_equal(out.base_version, 1);
	assert_int_equal(out.cap_mask, 0x0102);
	assert_int_equal(out.resp_time, 20);
	assert_int_equal(out.redirect_gid[15], 0xfe);
	assert_int_equal(out.redirect_lid, 42);
	assert_int_equal(out.redirect_pkey, 0xffff);
	assert_int_equal(out.redirect_qpn, 5);
	assert_int_equal(out.redirect_qkey, 0x80010000);
}

static void service_bytes(void **state)
{
	struct dm_service s[4];
	uint8_t mad[MAD_SIZE] = { 0 };
	uint64_t id_ext;

	memcpy(mad + 64, "SRP.T10:0002c903004ed0b2", 24);
	memcpy(mad + 104, "\x00\x02\xc9\x03\x00\x4e\xd0\xb3", 8);
	memcpy(mad + 112 + 40, "\x00\x00\x00\x00\x00\x00\x00\x09", 8);
	memset(mad + 64 + 3 * 48, 'A', 48); /* the last: a name without an end */
	assert_int_equal(dm_decode_services(mad, MAD_SIZE, 4, s), 0);
	assert_int_equal(s[0].id, UINT64_C(0x0002c903004ed0b3));
	assert_int_equal(s[1].id, 9);
	assert_int_equal(s[3].id, UINT64_C(0x4141414141414141));
	assert_int_equal(dm_service_id_ext(&s[0], &id_ext), 0);
	assert_int_equal(id_ext, UINT64_C(0x0002c903004ed0b2));
	assert_int_equal(dm_service_id_ext(&s[1], &id_ext), -ENOENT);
	assert_int_equal(dm_service_id_ext(&s[3], &id_ext), -ENOENT);
	assert_int_equal(dm_decode_services(mad, MAD_SIZE, 0, s), -EBADMSG);
	assert_int_equal(dm_decode_services(mad, MAD_SIZE, 5, s), -EBADMSG);
	assert_int_equal(dm_decode_services(mad, MAD_SIZE, 1u << 30, s), -EBADMSG);
}

static void service_names(void **state)
{
	static const struct {
		const char *name;
		int r;
	} names[] = {
		{ "SRP.T10:0123456789abcdef", 0 },
		{ "SRP.T10:0123456789ABCDEF", 0 },
		{ "SRP.T10:0123456789abcde", -EBADMSG },   /* short */
		{ "SRP.T10:0123456789abcdef0", -EBADMSG }, /* long */
		{ "SRP.T10:0123456789abcdeg", -EBADMSG },
		{ "SRP.T10:+123456789abcdef", -EBADMSG },
		{ "SRP.T10: 123456789abcdef", -EBADMSG },
		{ "SRP.T10:0x23456789abcdef", -EBADMSG },
		{ "SRP.T10:", -EBADMSG },
		{ "SRP.T10", -ENOENT },
		{ "srp.t10:0123456789abcdef", -ENOENT },
		{ "iSER.T10:123456789abcdef", -ENOENT },
		{ "", -ENOENT },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dm_service s = { 0 };
		uint64_t v = 42;

		memcpy(s.name, names[i].name, strlen(names[i].name));
		assert_int_equal(dm_service_id_ext(&s, &v), names[i].r);
		assert_int_equal(v, names[i].r == 0 ? 0x0123456789abcdef : 42);
	}
	/* Forty bytes of digits, none of them the end. */
	struct dm_service s;
	uint64_t v;

	memset(s.name, 'a', sizeof(s.name));
	memcpy(s.name, "SRP.T10:", 8);
	assert_int_equal(dm_service_id_ext(&s, &v), -EBADMSG);
}

/* Every decoder at every length: full ones decode, short ones do not, none reads beyond. */
static void every_length(void **state)
{
	uint8_t mad[MAD_SIZE] = { 1, 6, 1, 0x81 };

	for (size_t len = 0; len <= MAD_SIZE; len++) {
		uint8_t *p = cut(mad, len);
		struct mad_header h;
		struct mad_class_port_info cpi;
		struct dm_iou iou;
		struct dm_ioc ioc;
		struct dm_service s[4];

		assert_int_equal(mad_decode_header(p, len, &h), len >= 24 ? 0 : -EBADMSG);
		assert_int_equal(dm_decode_class_port_info(p, len, &cpi),
				 len >= 64 + 72 ? 0 : -EBADMSG);
		assert_int_equal(dm_decode_iou(p, len, &iou), len >= 64 + 132 ? 0 : -EBADMSG);
		assert_int_equal(dm_decode_ioc(p, len, &ioc), len >= 64 + 128 ? 0 : -EBADMSG);
		for (unsigned n = 1; n <= 4; n++)
			assert_int_equal(dm_decode_services(p, len, n, s),
					 len >= 64 + n * 48 ? 0 : -EBADMSG);
		free(p);
	}
	/* More than a datagram is none. */
	struct dm_iou iou;

	assert_int_equal(dm_decode_iou(mad, MAD_SIZE + 1, &iou), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_bytes),  cmocka_unit_test(header_fields),
		cmocka_unit_test(status_words),	  cmocka_unit_test(iou_bytes),
		cmocka_unit_test(iou_slots),	  cmocka_unit_test(ioc_bytes),
		cmocka_unit_test(ioc_round_trip), cmocka_unit_test(class_port_info),
		cmocka_unit_test(service_bytes),  cmocka_unit_test(service_names),
		cmocka_unit_test(every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
