/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offers as messages: every field there and back, every bad field refused, pages in and out of order. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/channel.h"
#include "wire/offer.h"

static const struct offer sample = {
	.gid = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x02, 0xc9, 0x03, 0, 0x4e, 0xd0, 0xb2 },
	.lid = 7,
	.pkey = 0xffff,
	.node_description = "storage1 HCA-1",
	.change_id = 3,
	.max_controllers = 16,
	.slot = 2,
	.ioc_guid = 0x0002c903004ed0b0,
	.vendor_id = 0x2c9,
	.device_id = 0x6282,
	.io_class = 0x0100,
	.send_size = 4148,
	.rdma_size = UINT32_MAX,
	.n_services = 1,
	.ioc_id = "Linux SRP target",
	.entry = 255,
	.service_id = 0x0002c903004ed0b1,
	.id_ext = 0x0002c903004ed0b2,
	.service_name = "SRP.T10:0002c903004ed0b2",
};

static const char sample_text[] =
	"{\"gid\":\"fe800000000000000002c903004ed0b2\",\"lid\":7,\"pkey\":65535,"
	"\"node\":\"storage1 HCA-1\",\"change_id\":3,\"max_controllers\":16,\"slot\":2,"
	"\"ioc_guid\":\"0002c903004ed0b0\",\"vendor_id\":713,\"device_id\":25218,"
	"\"io_class\":256,\"send_size\":4148,\"rdma_size\":4294967295,\"n_services\":1,"
	"\"ioc_id\":\"Linux SRP target\",\"entry\":255,\"service_id\":\"0002c903004ed0b1\","
	"\"id_ext\":\"0002c903004ed0b2\",\"service_name\":\"SRP.T10:0002c903004ed0b2\"}";

static struct json_object *parse(const char *text)
{
	struct json_object *o = NULL;

	assert_int_equal(json_parse_object(text, strlen(text), &o), 0);
	return o;
}

static void round_trip(void **state)
{
	_cleanup_json_ struct json_object *o = offer_to_json(&sample), *read = parse(sample_text);
	struct offer got;

	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), sample_text);
	memset(&got, 0x55, sizeof(got));
	assert_int_equal(offer_from_json(read, &got), 0);
	assert_true(offer_equal(&got, &sample));
}

static void every_field_is_needed(void **state)
{
	_cleanup_json_ struct json_object *whole = parse(sample_text);
	unsigned fields = 0;

	json_object_object_foreach(whole, key, value)
	{
		_cleanup_json_ struct json_object *o = parse(sample_text);
		struct offer got = sample;

		json_object_object_del(o, key);
		assert_int_equal(offer_from_json(o, &got), -EBADMSG);
		/* Of another type. */
		json_object_object_add(o, key, json_object_new_boolean(true));
		assert_int_equal(offer_from_json(o, &got), -EBADMSG);
		assert_true(offer_equal(&got, &sample));
		fields++;
		(void)value;
	}
	assert_int_equal(fields, 19);
}

static void refused_with(const char *key, struct json_object *value)
{
	_cleanup_json_ struct json_object *o = parse(sample_text);
	struct offer got;

	json_object_object_add(o, key, value);
	if (offer_from_json(o, &got) != -EBADMSG)
		fail_msg("%s: %s was taken", key, json_object_to_json_string(value));
}

static void bounds(void **state)
{
	static const struct {
		const char *key;
		uint64_t max;
	} numbers[] = { { "lid", UINT16_MAX },	     { "pkey", UINT16_MAX },
			{ "change_id", UINT16_MAX }, { "max_controllers", UINT8_MAX },
			{ "slot", UINT8_MAX },	     { "vendor_id", UINT32_MAX },
			{ "device_id", UINT32_MAX }, { "io_class", UINT16_MAX },
			{ "send_size", UINT32_MAX }, { "rdma_size", UINT32_MAX },
			{ "n_services", UINT8_MAX }, { "entry", UINT8_MAX } };
	static const char *const texts[] = { "node", "ioc_id" };
	char longest[OFFER_TEXT_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		refused_with(numbers[i].key, json_object_new_uint64(numbers[i].max + 1));
		refused_with(numbers[i].key, json_object_new_int64(-1));
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		refused_with(texts[i], json_object_new_string(longest));
		refused_with(texts[i], json_object_new_string("two\nlines"));
		refused_with(texts[i], json_object_new_string("\xc3\xa4"));
	}
	longest[OFFER_SERVICE_MAX] = '\0';
	refused_with("service_name", json_object_new_string(longest));
	refused_with("gid", json_object_new_string("fe80"));
	refused_with("id_ext", json_object_new_string("12345678901234567"));
	assert_int_equal(offer_from_json(NULL, &(struct offer){ 0 }), -EBADMSG);
}

/* The largest page there can be, and what json-c makes of its characters. */
static void pages_fit(void **state)
{
	_cleanup_free_ struct offer *all = calloc(OFFERS_PAGE, sizeof(*all));
	static const char evil[] = { '"', '\\', '/', '\x7f' };

	for (size_t c = 0; c < ARRAY_SIZE(evil); c++) {
		_cleanup_json_ struct json_object *o = NULL;
		size_t len = 0;

		for (unsigned i = 0; i < OFFERS_PAGE; i++) {
			memset(&all[i], 0xff, sizeof(all[i]));
			memset(all[i].node_description, evil[c], OFFER_TEXT_MAX);
			memset(all[i].ioc_id, evil[c], OFFER_TEXT_MAX);
			memset(all[i].service_name, evil[c], OFFER_SERVICE_MAX);
			all[i].node_description[OFFER_TEXT_MAX - 1] = '\0';
			all[i].ioc_id[OFFER_TEXT_MAX - 1] = '\0';
			all[i].service_name[OFFER_SERVICE_MAX - 1] = '\0';
		}
		o = offers_page(all, OFFERS_PAGE, 0, UINT64_MAX, false);
		(void)json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &len);
		assert_in_range(len, OFFERS_PAGE * 300, CHANNEL_MESSAGE_MAX - 1024);
	}
}

static struct offer *many(unsigned n)
{
	struct offer *all = calloc(n + 1, sizeof(*all));

	assert_non_null(all);
	for (unsigned i = 0; i < n; i++) {
		all[i] = sample;
		all[i].ioc_guid = i;
	}
	return all;
}

static int deliver(struct offers_inbox *in, const struct offer *all, unsigned n, unsigned part,
		   uint64_t generation, bool complete)
{
	_cleanup_json_ struct json_object *o = offers_page(all, n, part, generation, complete);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	_cleanup_json_ struct json_object *copy = parse(text);

	return offers_inbox_take(in, copy);
}

static void sets(void **state)
{
	static const unsigned sizes[] = {
		0, 1, OFFERS_PAGE - 1, OFFERS_PAGE, OFFERS_PAGE + 1, 3 * OFFERS_PAGE, OFFERS_MAX
	};
	struct offers_inbox in = { 0 };

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		unsigned n = sizes[s], parts = offers_parts(n);
		_cleanup_free_ struct offer *all = many(n);

		for (unsigned part = 0; part < parts; part++)
			assert_int_equal(deliver(&in, all, n, part, s + 1, s % 2),
					 part == parts - 1);
		assert_int_equal(in.n, n);
		assert_int_equal(in.generation, s + 1);
		assert_int_equal(in.complete, s % 2);
		for (unsigned i = 0; i < n; i++)
			assert_true(offer_equal(&in.offers[i], &all[i]));
	}
	offers_inbox_clear(&in);
}

static void pages_out_of_order(void **state)
{
	unsigned n = 2 * OFFERS_PAGE + 1;
	_cleanup_free_ struct offer *all = many(n);
	struct offers_inbox in = { 0 };

	/* No beginning. */
	assert_int_equal(deliver(&in, all, n, 2, 1, true), 0);
	assert_int_equal(deliver(&in, all, n, 1, 1, true), 0);
	/* A page is missing: what follows is of no use. */
	assert_int_equal(deliver(&in, all, n, 0, 2, true), 0);
	assert_int_equal(deliver(&in, all, n, 2, 2, true), 0);
	assert_int_equal(deliver(&in, all, n, 1, 2, true), 0);
	assert_int_equal(deliver(&in, all, n, 2, 2, true), 0);
	/* One set begins, the next one supersedes it. */
	assert_int_equal(deliver(&in, all, n, 0, 3, true), 0);
	assert_int_equal(deliver(&in, all, n, 1, 3, true), 0);
	assert_int_equal(deliver(&in, all, n, 0, 4, true), 0);
	assert_int_equal(deliver(&in, all, n, 1, 4, true), 0);
	assert_int_equal(deliver(&in, all, n, 2, 4, true), 1);
	assert_int_equal(in.n, n);
	assert_int_equal(in.generation, 4);
	/* The last page again. */
	assert_int_equal(deliver(&in, all, n, 2, 4, true), 0);
	/* A page of another set between. */
	assert_int_equal(deliver(&in, all, n, 0, 5, true), 0);
	assert_int_equal(deliver(&in, all, n, 1, 6, true), 0);
	assert_int_equal(deliver(&in, all, n, 2, 5, true), 0);
	offers_inbox_clear(&in);
}

static void bad_pages(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"generation\":1,\"part\":0,\"parts\":0,\"complete\":true,\"offers\":[]}",
		"{\"generation\":1,\"part\":1,\"parts\":1,\"complete\":true,\"offers\":[]}",
		"{\"generation\":1,\"part\":0,\"parts\":65,\"complete\":true,\"offers\":[]}",
		"{\"generation\":1,\"part\":0,\"parts\":1,\"complete\":1,\"offers\":[]}",
		"{\"generation\":1,\"part\":0,\"parts\":1,\"complete\":true,\"offers\":{}}",
		"{\"generation\":1,\"part\":0,\"parts\":1,\"complete\":true,\"offers\":[{}]}",
		"{\"generation\":1,\"part\":0,\"parts\":1,\"complete\":true,\"offers\":[null]}",
		"{\"generation\":-1,\"part\":0,\"parts\":1,\"complete\":true,\"offers\":[]}",
	};
	unsigned n = OFFERS_PAGE + 1;
	_cleanup_free_ struct offer *all = many(n);
	struct offers_inbox in = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ struct json_object *o = parse(bad[i]);

		assert_int_equal(deliver(&in, all, n, 0, 1, true), 0);
		assert_int_equal(offers_inbox_take(&in, o), -EBADMSG);
		assert_null(in.offers);
		assert_int_equal(deliver(&in, all, n, 1, 1, true), 0);
	}
	offers_inbox_clear(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(every_field_is_needed),
		cmocka_unit_test(bounds),     cmocka_unit_test(pages_fit),
		cmocka_unit_test(sets),	      cmocka_unit_test(pages_out_of_order),
		cmocka_unit_test(bad_pages),
	};

	return cmocka_run_group_tests_name("offer", tests, NULL, NULL);
}
