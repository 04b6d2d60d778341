/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The management datagram and the Device Management class, as bytes: encode and decode, nothing
 * else. Pure; called by the worker's transactions, by the I/O unit walk and by the tests (which
 * play the target, so the replies can be encoded too). Chapter and table numbers are those of the
 * InfiniBand Architecture Specification, volume 1: 13.4 for the common header, 16.3 for Device
 * Management.
 *
 * Every decoder takes the datagram with the number of bytes that really came. It returns 0, or
 * -EBADMSG when the datagram is shorter than its attribute or holds a value that cannot be; it
 * never reads beyond `len`, and leaves the output unset on error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAD_SIZE 256	   /* 13.4.2: every datagram that is not an RMPP segment train */
#define MAD_HEADER_SIZE 24 /* 13.4.3 */
#define DM_DATA_OFFSET 64  /* 16.3.1: header, 40 reserved bytes, then 192 bytes of attribute */

#define MAD_BASE_VERSION 1

/* 13.4.4, table 112: management classes. */
#define MAD_CLASS_SA 0x03
#define MAD_CLASS_DM 0x06
#define DM_CLASS_VERSION 1

/* 13.4.5, table 113: methods. */
#define MAD_METHOD_GET 0x01
#define MAD_METHOD_SET 0x02
#define MAD_METHOD_REPORT 0x06
#define MAD_METHOD_GET_RESP 0x81 /* also answers a Set */
#define MAD_METHOD_REPORT_RESP 0x86
#define MAD_METHOD_RESPONSE_BIT 0x80

/* 13.4.7, table 115: the common bits of the status. The upper byte belongs to the class. */
#define MAD_STATUS_BUSY 0x0001
#define MAD_STATUS_REDIRECT 0x0002
#define MAD_STATUS_CODE_MASK 0x001c
#define MAD_STATUS_BAD_VERSION 0x0004
#define MAD_STATUS_UNSUPPORTED_METHOD 0x0008
#define MAD_STATUS_UNSUPPORTED_METHOD_ATTR 0x000c
#define MAD_STATUS_INVALID_FIELD 0x001c
#define DM_STATUS_NO_IOC 0x0100 /* 16.3.1.1: no answer from the controller in that slot */

/* 16.3.3, table 279: Device Management attributes. */
#define DM_ATTR_CLASS_PORT_INFO 0x0001
#define DM_ATTR_IOU_INFO 0x0010
#define DM_ATTR_IOC_PROFILE 0x0011
#define DM_ATTR_SERVICE_ENTRIES 0x0012

/* QP1 and its well-known Q_Key (3.5.10, 10.2.5). */
#define MAD_QPN 1
#define MAD_QKEY UINT32_C(0x80010000)

struct mad_header {
	uint8_t mgmt_class;
	uint8_t class_version;
	uint8_t method;
	uint16_t status;
	uint64_t tid;
	uint16_t attr_id;
	uint32_t attr_mod;
};

/* Clears the datagram and writes its header. */
void mad_encode_header(uint8_t mad[static MAD_SIZE], const struct mad_header *h);

/* -EBADMSG also for a base version that is not 1. */
int mad_decode_header(const uint8_t *mad, size_t len, struct mad_header *ret);

/* Words for a non-zero status, e.g. "unsupported method or attribute". Never NULL. */
const char *mad_status_text(uint16_t status);

/* A Device Management Get, ready to be sent. The kernel replaces the upper half of `tid`. */
void dm_encode_get(uint8_t mad[static MAD_SIZE], uint64_t tid, uint16_t attr_id, uint32_t attr_mod);

/* 13.4.8.1 ClassPortInfo: what a manager needs of it. */
struct mad_class_port_info {
	uint8_t base_version;
	uint8_t class_version;
	uint16_t cap_mask;
	uint32_t cap_mask2; /* 27 bits */
	uint8_t resp_time;  /* 4.096 us * 2^value, 0..31 */
	uint8_t redirect_gid[16];
	uint8_t redirect_tclass;
	uint8_t redirect_sl;	      /* 4 bits */
	uint32_t redirect_flow_label; /* 20 bits */
	uint16_t redirect_lid;	      /* 0: no redirection, or by GID alone */
	uint16_t redirect_pkey;
	uint32_t redirect_qpn; /* 24 bits */
	uint32_t redirect_qkey;
};
/* The attribute alone, wherever its class puts it. */
#define CLASS_PORT_INFO_SIZE 72
void class_port_info_decode(const uint8_t d[static CLASS_PORT_INFO_SIZE],
			    struct mad_class_port_info *ret);
void class_port_info_encode(uint8_t d[static CLASS_PORT_INFO_SIZE],
			    const struct mad_class_port_info *in);
int dm_decode_class_port_info(const uint8_t *mad, size_t len, struct mad_class_port_info *ret);
void dm_encode_class_port_info(uint8_t mad[static MAD_SIZE], const struct mad_class_port_info *in);

/* 16.3.3.3 IOUnitInfo. */
#define DM_IOC_MAX 255
enum dm_slot {
	DM_SLOT_EMPTY = 0x0,
	DM_SLOT_PRESENT = 0x1,
	DM_SLOT_NONE = 0xf, /* the slot does not exist */
};
struct dm_iou {
	uint16_t change_id;
	uint8_t max_controllers;
	bool diag_device_id;
	bool option_rom;
	uint8_t controller_list[128]; /* two slots a byte, slot 1 in the upper half of byte 0 */
};
int dm_decode_iou(const uint8_t *mad, size_t len, struct dm_iou *ret);
void dm_encode_iou(uint8_t mad[static MAD_SIZE], const struct dm_iou *in);

/* `slot` from 1 to max_controllers; DM_SLOT_NONE beyond, and for values the table has not. */
enum dm_slot dm_iou_slot(const struct dm_iou *iou, unsigned slot);
void dm_iou_set_slot(struct dm_iou *iou, unsigned slot, enum dm_slot value);

/* 16.3.3.4 IOControllerProfile; attribute modifier: the slot. */
#define DM_IO_CLASS_SRP_REV10 0xff00
#define DM_IO_CLASS_SRP_REV16A 0x0100
struct dm_ioc {
	uint64_t guid;
	uint32_t vendor_id; /* 24 bits */
	uint32_t device_id;
	uint16_t device_version;
	uint32_t subsys_vendor_id; /* 24 bits */
	uint32_t subsys_device_id;
	uint16_t io_class;
	uint16_t io_subclass;
	uint16_t protocol;
	uint16_t protocol_version;
	uint16_t service_connections;
	uint16_t initiators_supported;
	uint16_t send_queue_depth;
	uint8_t rdma_read_depth;
	uint32_t send_size;
	uint32_t rdma_size;
	uint8_t op_cap_mask;
	uint8_t service_cap_mask;
	uint8_t n_services;
	char id_string[65]; /* always terminated; bytes that are not printable become '?' */
};
int dm_decode_ioc(const uint8_t *mad, size_t len, struct dm_ioc *ret);
void dm_encode_ioc(uint8_t mad[static MAD_SIZE], const struct dm_ioc *in);

/* 16.3.3.5 ServiceEntries; attribute modifier: slot << 16 | last << 8 | first, at most four. */
#define DM_SERVICES_PER_MAD 4
#define DM_SERVICE_NAME_SIZE 40
struct dm_service {
	char name[DM_SERVICE_NAME_SIZE]; /* as it came: a full one has no NUL */
	uint64_t id;
};
static inline uint32_t dm_services_modifier(unsigned slot, unsigned first, unsigned last)
{
	return (uint32_t)(slot << 16 | (last & 0xff) << 8 | (first & 0xff));
}
/* `n` entries, 1 to 4: -EBADMSG for another number. */
int dm_decode_services(const uint8_t *mad, size_t len, unsigned n, struct dm_service *ret);
void dm_encode_services(uint8_t mad[static MAD_SIZE], unsigned n, const struct dm_service *in);

/*
 * The identifier extension in the name of an SRP service, "SRP.T10:" and 16 hexadecimal digits
 * (T10 SRP, annex B.7). 0, -ENOENT for a service that is not SRP, -EBADMSG for one that says so
 * and then has no such number.
 */
int dm_service_id_ext(const struct dm_service *s, uint64_t *ret);
