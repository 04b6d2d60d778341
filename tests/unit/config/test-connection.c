/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The texts of ibsrpdm -c and srp_daemon -c, byte for byte: the OFED manual's examples, and what
 * do_port() and add_non_exist_target() of srp_daemon.c of rdma-core 44 print. And initiator_ext.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/initiator-ext.h"
#include "config/login.h"

/* The manual's first example: -c of ibsrpdm. */
#define LSI                                                                                        \
	"id_ext=200400A0B81146A1,ioc_guid=0002c90200402bd4,"                                       \
	"dgid=fe800000000000000002c90200402bd5,pkey=ffff,service_id=200400a0b81146a1"

static struct offer lsi(void)
{
	return (struct offer){
		.gid = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x02, 0xc9, 0x02, 0, 0x40, 0x2b, 0xd5 },
		.pkey = 0xffff,
		.ioc_guid = 0x0002c90200402bd4,
		.io_class = 0x0100,
		.send_size = 2116,
		.service_id = 0x200400a0b81146a1,
		.id_ext = 0x200400a0b81146a1,
		.service_name = "SRP.T10:200400A0B81146A1",
	};
}

static void prints(const struct offer *o, const struct connection_parts *parts,
		   const char *expected)
{
	char buf[CONNECTION_STR_MAX];

	assert_int_equal(offer_connection(o, parts, buf, sizeof(buf)), 0);
	assert_string_equal(buf, expected);
}

static void test_parts(void **state)
{
	struct offer o = lsi(), rev10 = lsi();

	rev10.io_class = 0xff00;
	prints(&o, &(struct connection_parts){ 0 }, LSI);
	prints(&o, &(struct connection_parts){ .initiator_ext_value = 1 }, LSI);
	prints(&o, &(struct connection_parts){ .initiator_ext = true, .initiator_ext_value = 1 },
	       LSI ",initiator_ext=0000000000000001");
	prints(&o, &(struct connection_parts){ .options = ",max_sect=64,ch_count=" },
	       LSI ",max_sect=64,ch_count=");
	prints(&rev10, &(struct connection_parts){ 0 }, LSI ",io_class=ff00");
	rev10.io_class = 0xa;
	prints(&rev10, &(struct connection_parts){ 0 }, LSI ",io_class=000a");
	/* immediate data: only where the kernel might send more than the target takes */
	prints(&o, &(struct connection_parts){ .max_imm_data = 2116 }, LSI);
	prints(&o, &(struct connection_parts){ .max_imm_data = 2117 }, LSI ",max_it_iu_size=2116");
	/* all in their order */
	prints(&rev10,
	       &(struct connection_parts){ .initiator_ext = true,
					   .initiator_ext_value = 0x0002c90200402bd5,
					   .options = ",queue_size=128,max_cmd_per_lun=128",
					   .max_imm_data = 8192 },
	       LSI ",io_class=000a,initiator_ext=0002c90200402bd5,queue_size=128,"
		   "max_cmd_per_lun=128,max_it_iu_size=2116");
	/* a [rule NAME] may set what srp_daemon's rules cannot: never twice */
	prints(&rev10,
	       &(struct connection_parts){ .options = ",io_class=ff00,max_it_iu_size=1",
					   .max_imm_data = 8192 },
	       LSI ",io_class=ff00,max_it_iu_size=1");
}

/* id_ext is printed as the service's name has it. */
static void test_id_ext(void **state)
{
	static const struct {
		const char *name, *id_ext;
	} cases[] = {
		{ "SRP.T10:200400a0B81146A1", "200400a0B81146A1" },
		{ "SRP.T10:1", "1" },
		{ "SRP.T10: \t12 34", "12" },
		{ "SRP.T10:0123456789abcdef0", "0123456789abcdef" },
		{ "SRP.T10:", "200400a0b81146a1" },
		{ "", "200400a0b81146a1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct offer o = lsi();
		char expected[CONNECTION_STR_MAX];

		strcpy(o.service_name, cases[i].name);
		snprintf(expected, sizeof(expected),
			 "id_ext=%s,ioc_guid=0002c90200402bd4,"
			 "dgid=fe800000000000000002c90200402bd5,pkey=ffff,"
			 "service_id=200400a0b81146a1",
			 cases[i].id_ext);
		prints(&o, &(struct connection_parts){ 0 }, expected);
	}
}

/* Leading zeros everywhere. */
static void test_small_numbers(void **state)
{
	struct offer o = { .gid = { [15] = 1 },
			   .pkey = 1,
			   .ioc_guid = 2,
			   .service_id = 3,
			   .io_class = 0x100,
			   .id_ext = 4 };

	prints(&o, &(struct connection_parts){ 0 },
	       "id_ext=0000000000000004,ioc_guid=0000000000000002,"
	       "dgid=00000000000000000000000000000001,pkey=0001,service_id=0000000000000003");
}

static void test_size(void **state)
{
	struct offer o = lsi();
	char buf[sizeof(LSI)];

	assert_int_equal(offer_connection(&o, &(struct connection_parts){ 0 }, buf, sizeof(buf)),
			 0);
	assert_string_equal(buf, LSI);
	assert_int_equal(
		offer_connection(&o, &(struct connection_parts){ 0 }, buf, sizeof(buf) - 1),
		-ENOBUFS);
}

static void test_login_for_offer(void **state)
{
	struct config_login l = LOGIN_NO_OPTIONS, got;
	struct offer o = lsi();

	o.pkey = 0x8001;
	l.pkey = 0xffff;
	got = login_for_offer(&l, &o, 0);
	assert_int_equal(got.pkey, 0x8001);
	assert_int_equal(got.io_class, LOGIN_UNSET);
	assert_int_equal(got.max_it_iu_size, LOGIN_UNSET);
	got = login_for_offer(&l, &o, 2116);
	assert_int_equal(got.max_it_iu_size, LOGIN_UNSET);
	got = login_for_offer(&l, &o, 2117);
	assert_int_equal(got.max_it_iu_size, 2116);
	o.io_class = 0xff00;
	got = login_for_offer(&l, &o, 0);
	assert_int_equal(got.io_class, 0xff00);
	/* what the configuration says stands */
	l.io_class = 0x100;
	l.max_it_iu_size = 1000;
	got = login_for_offer(&l, &o, 8192);
	assert_int_equal(got.io_class, 0x100);
	assert_int_equal(got.max_it_iu_size, 1000);
	assert_int_equal(got.ch_count, LOGIN_UNSET);
}

/* What a login writes is what srp_daemon would, but for the options of [login]. */
static void test_same_as_login(void **state)
{
	struct config_login none = LOGIN_NO_OPTIONS, l;
	struct offer o = lsi();
	struct connection_parts parts = { .initiator_ext = true,
					  .initiator_ext_value = 7,
					  .max_imm_data = 8192 };
	char text[CONNECTION_STR_MAX], login[LOGIN_STR_MAX];

	strcpy(o.service_name, "SRP.T10:200400a0b81146a1");
	l = login_for_offer(&none, &o, parts.max_imm_data);
	assert_int_equal(offer_connection(&o, &parts, text, sizeof(text)), 0);
	assert_int_equal(login_format(&l, o.id_ext, o.ioc_guid, 7, NULL, o.gid, o.service_id, login,
				      sizeof(login)),
			 0);
	assert_string_equal(login, text);
}

static void test_initiator_ext(void **state)
{
	/* the manual's example of -n, and the port GUID it was made from */
	const uint64_t guid = 0x0002c90200402bed, swapped = 0xed2b400002c90200;
	struct config_login l = LOGIN_NO_OPTIONS;

	l.initiator_ext = 5; /* of no meaning unless fixed */
	l.initiator_ext_mode = INITIATOR_EXT_TARGET_PORT_GUID;
	assert_int_equal(initiator_ext_of(&l, guid), guid);
	l.initiator_ext_mode = INITIATOR_EXT_TARGET_PORT_GUID_SWAPPED;
	assert_int_equal(initiator_ext_of(&l, guid), swapped);
	assert_true(initiator_ext_recognised(&l, guid, guid));
	assert_true(initiator_ext_recognised(&l, guid, swapped));
	assert_true(initiator_ext_recognised(&l, guid, 0));
	assert_false(initiator_ext_recognised(&l, guid, 5));
	assert_false(initiator_ext_recognised(&l, guid, guid + 1));
	l.initiator_ext_mode = INITIATOR_EXT_FIXED;
	assert_int_equal(initiator_ext_of(&l, guid), 5);
	assert_true(initiator_ext_recognised(&l, guid, 5));
	assert_true(initiator_ext_recognised(&l, guid, guid));
	assert_false(initiator_ext_recognised(NULL, guid, 5));
	assert_true(initiator_ext_recognised(NULL, guid, swapped));
}

static void test_options(void **state)
{
	struct config_login l = LOGIN_NO_OPTIONS;
	char buf[64], small[12];

	assert_int_equal(login_format_options(&l, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	l.pkey = 1; /* part of the address, no option */
	l.ch_count = 2;
	l.max_sect = 8;
	assert_int_equal(login_format_options(&l, buf, sizeof(buf)), 0);
	assert_string_equal(buf, ",max_sect=8,ch_count=2");
	assert_int_equal(login_format_options(&l, small, sizeof(small)), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),		cmocka_unit_test(test_id_ext),
		cmocka_unit_test(test_small_numbers),	cmocka_unit_test(test_size),
		cmocka_unit_test(test_login_for_offer), cmocka_unit_test(test_same_as_login),
		cmocka_unit_test(test_initiator_ext),	cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
