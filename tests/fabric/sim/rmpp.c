/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rmpp.h"

#include "mad.h"

#define SEGMENT_DATA (MAD_SIZE - SA_DATA) /* of a subnet administration segment */
#define TYPE_DATA 1

bool rmpp_is_active(const uint8_t *mad)
{
	return mad[MAD_CLASS] == CLASS_SA && (mad[RMPP_FLAGS] & RMPP_FLAG_ACTIVE);
}

size_t rmpp_prepare(uint8_t *mad, size_t len)
{
	size_t data = len > SA_DATA ? len - SA_DATA : 0, segments, pad;

	if (!rmpp_is_active(mad))
		return len < MAD_SIZE ? MAD_SIZE : len;
	segments = data > 0 ? (data + SEGMENT_DATA - 1) / SEGMENT_DATA : 1;
	pad = segments * SEGMENT_DATA - data;
	mad[RMPP_VERSION] = 1;
	mad[RMPP_TYPE] = TYPE_DATA;
	mad[RMPP_FLAGS] = RMPP_FLAG_ACTIVE | RMPP_FLAG_FIRST;
	if (segments == 1)
		mad[RMPP_FLAGS] |= RMPP_FLAG_LAST;
	mad[RMPP_STATUS] = 0;
	put32(mad + RMPP_SEGMENT, 1);
	put32(mad + RMPP_PAYLOAD, (uint32_t)(segments * RMPP_DATA_SIZE - pad));
	return len;
}
