/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of the InfiniBand management datagrams, and access to their big-endian fields. */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MAD_SIZE 256
#define MAD_HEADER_SIZE 24
#define LID_PERMISSIVE 0xffff

enum mad_class {
	CLASS_SM_LID = 0x01,
	CLASS_SA = 0x03,
	CLASS_DM = 0x06,
	CLASS_SM_DIRECT = 0x81,
};

enum mad_method {
	METHOD_GET = 0x01,
	METHOD_SET = 0x02,
	METHOD_TRAP = 0x05,
	METHOD_TRAP_REPRESS = 0x07,
	METHOD_RESPONSE = 0x80, /* the bit */
	METHOD_GET_RESP = 0x81,
};

enum mad_status {
	STATUS_BUSY = 0x0001,
	STATUS_REDIRECT = 0x0002,
	STATUS_BAD_VERSION = 0x0004,
	STATUS_BAD_METHOD = 0x0008,
	STATUS_BAD_ATTRIBUTE = 0x000c,
	STATUS_BAD_VALUE = 0x001c,
	STATUS_DIRECTION = 0x8000, /* not a status: the D bit of a directed route */
};

enum mad_attribute {
	ATTR_CLASS_PORT_INFO = 0x0001,
	ATTR_NOTICE = 0x0002,
	ATTR_NODE_DESCRIPTION = 0x0010,
	ATTR_NODE_INFO = 0x0011,
	ATTR_SWITCH_INFO = 0x0012,
	ATTR_GUID_INFO = 0x0014,
	ATTR_PORT_INFO = 0x0015,
	ATTR_PKEY_TABLE = 0x0016,
	ATTR_SL_TO_VL = 0x0017,
	ATTR_VL_ARB = 0x0018,
	ATTR_LFT = 0x0019,
	ATTR_MFT = 0x001b,
	ATTR_SM_INFO = 0x0020,
	ATTR_IO_UNIT_INFO = 0x0010, /* of the Device Management class, as the next two */
	ATTR_IOC_PROFILE = 0x0011,
	ATTR_SERVICE_ENTRIES = 0x0012,
};

/* Offsets in every datagram. */
enum {
	MAD_BASE_VERSION = 0,
	MAD_CLASS = 1,
	MAD_CLASS_VERSION = 2,
	MAD_METHOD = 3,
	MAD_STATUS = 4,
	MAD_TID = 8,
	MAD_ATTR = 16,
	MAD_ATTR_MOD = 20,
	SMP_HOP_PTR = 6,
	SMP_HOP_COUNT = 7,
	SMP_DATA = 64, /* also of Device Management */
	SMP_DATA_SIZE = 64,
	SMP_INITIAL_PATH = 128,
	SMP_RETURN_PATH = 192,
	SMP_PATH_MAX = 63,
	RMPP_VERSION = 24,
	RMPP_TYPE = 25,
	RMPP_FLAGS = 26,
	RMPP_STATUS = 27,
	RMPP_SEGMENT = 28,
	RMPP_PAYLOAD = 32,
	RMPP_HEADER_SIZE = 36, /* with the common header */
	SA_ATTR_OFFSET = 44,
	SA_DATA = 56,
	RMPP_FLAG_ACTIVE = 1,
	RMPP_FLAG_FIRST = 2,
	RMPP_FLAG_LAST = 4,
	RMPP_DATA_SIZE = 220, /* of a segment, with the class header */
};

static inline uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline void put16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

/* ib_response_mad() of the kernel, without the baseboard management class. */
static inline bool mad_is_response(const uint8_t *mad)
{
	return (mad[MAD_METHOD] & METHOD_RESPONSE) || mad[MAD_METHOD] == METHOD_TRAP_REPRESS;
}

static inline bool mad_is_smp(const uint8_t *mad)
{
	return mad[MAD_CLASS] == CLASS_SM_LID || mad[MAD_CLASS] == CLASS_SM_DIRECT;
}
