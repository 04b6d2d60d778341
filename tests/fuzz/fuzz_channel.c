/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a child may send to the supervisor: parsing, typed getters, and the way back to text. */
#include <stdint.h>
#include <string.h>

#include "wire/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_fields(struct json_object *o)
{
	static const char *const keys[] = { "msg",   "id",     "pid",  "state", "gid",
					    "paths", "result", "luns", "ok",	"id_ext" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct json_object *v;
		const char *s;
		uint64_t n;
		bool b;

		if (json_get_string(o, keys[i], &s) == 0 && !s)
			abort();
		if (json_get_u64(o, keys[i], 1000, &n) == 0 && n > 1000)
			abort();
		if (json_get_array(o, keys[i], 4, &v) == 0 && json_object_array_length(v) > 4)
			abort();
		if (json_get_object(o, keys[i], &v) == 0)
			read_fields(v);
		(void)json_get_bool(o, keys[i], &b);
		(void)json_get_guid(o, keys[i], &n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *o = NULL, *again = NULL;
	const char *text;
	size_t len;

	if (json_parse_object((const char *)data, size, &o) < 0)
		return 0;
	read_fields(o);
	text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &len);
	/* What we would send must be taken by our own receiver. */
	if (len <= CHANNEL_MESSAGE_MAX && json_parse_object(text, len, &again) < 0)
		abort();
	json_object_put(again);
	json_object_put(o);
	return 0;
}
