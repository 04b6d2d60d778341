/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker may send as pages of offers: messages one after another, split at each NUL byte. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "wire/channel.h"
#include "wire/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken can be sent, and is taken again. */
static void check_set(const struct offers_inbox *in)
{
	for (unsigned i = 0; i < in->n; i++) {
		_cleanup_json_ struct json_object *o = offer_to_json(&in->offers[i]);
		struct offer again = { 0 };

		if (!o || offer_from_json(o, &again) < 0 || !offer_equal(&again, &in->offers[i]))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct offers_inbox in = { 0 };

	while (size > 0) {
		const uint8_t *end = memchr(data, '\0', size);
		size_t len = end ? (size_t)(end - data) : size;
		_cleanup_json_ struct json_object *o = NULL;

		if (json_parse_object((const char *)data, len, &o) == 0) {
			int r = offers_inbox_take(&in, o);

			if (in.n > OFFERS_MAX || (r == -EBADMSG && in.offers))
				abort();
			if (r == 1)
				check_set(&in);
		}
		len += end ? 1 : 0;
		data += len;
		size -= len;
	}
	offers_inbox_clear(&in);
	return 0;
}
