/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strings for add_target, byte for byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/login.h"

#define ID_EXT UINT64_C(0x505400fffe123456)
#define IOC_GUID UINT64_C(0x0002c90300000001)
#define INITIATOR_EXT UINT64_C(0x1)
#define SERVICE_ID UINT64_C(0x00000000deadbeef)

static const uint8_t gid[16] = { 0xfe, 0x80, 0,	   0,	 0,    0,    0,	   0,
				 0x00, 0x02, 0xc9, 0x03, 0x00, 0x00, 0x00, 0x02 };

static struct config_login unset(void)
{
	struct config_login l;

	memset(&l, 0xff, sizeof(l));
	assert_true(l.pkey == LOGIN_UNSET);
	l.initiator_ext_mode = INITIATOR_EXT_TARGET_PORT_GUID;
	return l;
}

static struct config_login few(void)
{
	struct config_login l = unset();

	l.pkey = 0xffff;
	l.tl_retry_count = 2;
	l.ch_count = 2;
	return l;
}

static struct config_login all(void)
{
	return (struct config_login){
		.pkey = 0x8001,
		.max_sect = 1024,
		.max_cmd_per_lun = 62,
		.target_can_queue = 63,
		.io_class = 0x100,
		.cmd_sg_entries = 255,
		.allow_ext_sg = 0,
		.sg_tablesize = 2048,
		.comp_vector = 3,
		.tl_retry_count = 7,
		.queue_size = 64,
		.max_it_iu_size = 8260,
		.ch_count = 4,
	};
}

#define NAMES "id_ext=505400fffe123456,ioc_guid=0002c90300000001,"
#define EXT ",initiator_ext=0000000000000001"
#define ALL                                                                                        \
	",max_sect=1024,max_cmd_per_lun=62,target_can_queue=63,io_class=0100,cmd_sg_entries=255,"  \
	"allow_ext_sg=0,sg_tablesize=2048,comp_vector=3,tl_retry_count=7,queue_size=64,ch_count="  \
	"4,"                                                                                       \
	"max_it_iu_size=8260"

static void test_strings(void **state)
{
	static const struct {
		struct config_login (*login)(void);
		const char *dest;
		const uint8_t *dgid;
		const char *text;
	} cases[] = {
		{ unset, "10.0.0.2:5555", NULL, NAMES "dest=10.0.0.2:5555" EXT },
		{ few, "10.0.0.2:5555", NULL,
		  NAMES "dest=10.0.0.2:5555,pkey=ffff" EXT ",tl_retry_count=2,ch_count=2" },
		{ few, "[fd00::2]:5555", NULL,
		  NAMES "dest=[fd00::2]:5555,pkey=ffff" EXT ",tl_retry_count=2,ch_count=2" },
		{ all, "10.0.0.2:5555", NULL, NAMES "dest=10.0.0.2:5555,pkey=8001" EXT ALL },
		{ few, NULL, gid,
		  NAMES "dgid=fe800000000000000002c90300000002,pkey=ffff,"
			"service_id=00000000deadbeef" EXT ",tl_retry_count=2,ch_count=2" },
		{ all, NULL, gid,
		  NAMES "dgid=fe800000000000000002c90300000002,pkey=8001,"
			"service_id=00000000deadbeef" EXT ALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_login l = cases[i].login();
		char buf[LOGIN_STR_MAX];

		assert_int_equal(login_format(&l, ID_EXT, IOC_GUID, INITIATOR_EXT, cases[i].dest,
					      cases[i].dgid, SERVICE_ID, buf, sizeof(buf)),
				 0);
		assert_string_equal(buf, cases[i].text);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		struct config_login (*login)(void);
		const char *dest;
		const uint8_t *dgid;
	} cases[] = {
		{ few, NULL, NULL },
		{ few, "10.0.0.2:5555", gid },
		{ unset, NULL, gid }, /* no P_Key */
		{ few, "", NULL },
		{ few, "10.0.0.2:5555,queue_size=1", NULL },
		{ few, "10.0.0.2:5555\nqueue_size=1", NULL },
		{ few, "10.0.0.2:5555 ", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_login l = cases[i].login();
		char buf[LOGIN_STR_MAX];

		assert_int_equal(login_format(&l, ID_EXT, IOC_GUID, INITIATOR_EXT, cases[i].dest,
					      cases[i].dgid, SERVICE_ID, buf, sizeof(buf)),
				 -EINVAL);
	}
}

/* Every size that is too small is refused, the exact one is enough. */
static void test_sizes(void **state)
{
	struct config_login l = all();
	char buf[LOGIN_STR_MAX], exact[LOGIN_STR_MAX];
	size_t len;

	assert_int_equal(login_format(&l, ID_EXT, IOC_GUID, INITIATOR_EXT, NULL, gid, SERVICE_ID,
				      exact, sizeof(exact)),
			 0);
	len = strlen(exact);
	for (size_t size = 0; size <= len; size++) {
		char *small = malloc(size ? size : 1);

		assert_non_null(small);
		assert_int_equal(login_format(&l, ID_EXT, IOC_GUID, INITIATOR_EXT, NULL, gid,
					      SERVICE_ID, small, size),
				 -ENOBUFS);
		free(small);
	}
	assert_int_equal(login_format(&l, ID_EXT, IOC_GUID, INITIATOR_EXT, NULL, gid, SERVICE_ID,
				      buf, len + 1),
			 0);
	assert_string_equal(buf, exact);
}

/* A page is the limit, whatever room the caller has. */
static void test_page(void **state)
{
	struct config_login l = unset();
	char dest[LOGIN_STR_MAX], buf[2 * LOGIN_STR_MAX];
	const size_t rest = strlen(NAMES "dest=" EXT);

	memset(dest, '1', sizeof(dest));
	dest[LOGIN_STR_MAX - 1 - rest] = '\0';
	assert_int_equal(
		login_format(&l, ID_EXT, IOC_GUID, INITIATOR_EXT, dest, NULL, 0, buf, sizeof(buf)),
		0);
	assert_int_equal(strlen(buf), LOGIN_STR_MAX - 1);
	dest[LOGIN_STR_MAX - 1 - rest] = '1';
	dest[LOGIN_STR_MAX - rest] = '\0';
	assert_int_equal(
		login_format(&l, ID_EXT, IOC_GUID, INITIATOR_EXT, dest, NULL, 0, buf, sizeof(buf)),
		-ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
