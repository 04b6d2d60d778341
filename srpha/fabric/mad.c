/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/mad.h"

#include <errno.h>
#include <string.h>

#include "fabric/bytes.h"

#define SRP_SERVICE_PREFIX "SRP.T10:"

/* The attribute of a Device Management datagram, or NULL when fewer than `size` bytes of it came. */
static const uint8_t *dm_data(const uint8_t *mad, size_t len, size_t size)
{
	return len > MAD_SIZE || len < DM_DATA_OFFSET + size ? NULL : mad + DM_DATA_OFFSET;
}

/* 13.4.3, figure 144: the common header. */
void mad_encode_header(uint8_t mad[static MAD_SIZE], const struct mad_header *h)
{
	memset(mad, 0, MAD_SIZE);
	mad[0] = MAD_BASE_VERSION;
	mad[1] = h->mgmt_class;
	mad[2] = h->class_version;
	mad[3] = h->method;
	put16(mad + 4, h->status);
	put64(mad + 8, h->tid);
	put16(mad + 16, h->attr_id);
	put32(mad + 20, h->attr_mod);
}

int mad_decode_header(const uint8_t *mad, size_t len, struct mad_header *ret)
{
	if (len < MAD_HEADER_SIZE || mad[0] != MAD_BASE_VERSION)
		return -EBADMSG;
	*ret = (struct mad_header){
		.mgmt_class = mad[1],
		.class_version = mad[2],
		.method = mad[3],
		.status = get16(mad + 4),
		.tid = get64(mad + 8),
		.attr_id = get16(mad + 16),
		.attr_mod = get32(mad + 20),
	};
	return 0;
}

const char *mad_status_text(uint16_t status)
{
	if (status & MAD_STATUS_BUSY)
		return "busy";
	if (status & MAD_STATUS_REDIRECT)
		return "redirected";
	switch (status & MAD_STATUS_CODE_MASK) {
	case 0:
		break;
	case MAD_STATUS_BAD_VERSION:
		return "unsupported class or version";
	case MAD_STATUS_UNSUPPORTED_METHOD:
		return "unsupported method";
	case MAD_STATUS_UNSUPPORTED_METHOD_ATTR:
		return "unsupported method or attribute";
	case MAD_STATUS_INVALID_FIELD:
		return "invalid attribute or modifier";
	default:
		return "reserved status";
	}
	if (status == DM_STATUS_NO_IOC)
		return "no I/O controller in that slot";
	return status ? "class specific status" : "success";
}

void dm_encode_get(uint8_t mad[static MAD_SIZE], uint64_t tid, uint16_t attr_id, uint32_t attr_mod)
{
	mad_encode_header(mad, &(struct mad_header){
				       .mgmt_class = MAD_CLASS_DM,
				       .class_version = DM_CLASS_VERSION,
				       .method = MAD_METHOD_GET,
				       .tid = tid,
				       .attr_id = attr_id,
				       .attr_mod = attr_mod,
			       });
}

/* 13.4.8.1, table 126. */
void class_port_info_decode(const uint8_t d[static CLASS_PORT_INFO_SIZE],
			    struct mad_class_port_info *ret)
{
	*ret = (struct mad_class_port_info){
		.base_version = d[0],
		.class_version = d[1],
		.cap_mask = get16(d + 2),
		.cap_mask2 = get32(d + 4) >> 5,
		.resp_time = d[7] & 0x1f,
		.redirect_tclass = d[24],
		.redirect_sl = d[25] >> 4,
		.redirect_flow_label = get32(d + 24) & 0xfffff,
		.redirect_lid = get16(d + 28),
		.redirect_pkey = get16(d + 30),
		.redirect_qpn = get24(d + 33),
		.redirect_qkey = get32(d + 36),
	};
	memcpy(ret->redirect_gid, d + 8, sizeof(ret->redirect_gid));
}

void class_port_info_encode(uint8_t d[static CLASS_PORT_INFO_SIZE],
			    const struct mad_class_port_info *in)
{
	memset(d, 0, CLASS_PORT_INFO_SIZE);
	d[0] = in->base_version;
	d[1] = in->class_version;
	put16(d + 2, in->cap_mask);
	put32(d + 4, in->cap_mask2 << 5 | (in->resp_time & 0x1f));
	memcpy(d + 8, in->redirect_gid, sizeof(in->redirect_gid));
	put32(d + 24, (uint32_t)in->redirect_tclass << 24 | (in->redirect_sl & 0xfu) << 20 |
			      (in->redirect_flow_label & 0xfffff));
	put16(d + 28, in->redirect_lid);
	put16(d + 30, in->redirect_pkey);
	put24(d + 33, in->redirect_qpn);
	put32(d + 36, in->redirect_qkey);
}

int dm_decode_class_port_info(const uint8_t *mad, size_t len, struct mad_class_port_info *ret)
{
	const uint8_t *d = dm_data(mad, len, CLASS_PORT_INFO_SIZE);

	if (!d)
		return -EBADMSG;
	class_port_info_decode(d, ret);
	return 0;
}

void dm_encode_class_port_info(uint8_t mad[static MAD_SIZE], const struct mad_class_port_info *in)
{
	class_port_info_encode(mad + DM_DATA_OFFSET, in);
}

/* 16.3.3.3, table 281. */
int dm_decode_iou(const uint8_t *mad, size_t len, struct dm_iou *ret)
{
	const uint8_t *d = dm_data(mad, len, 132);

	if (!d)
		return -EBADMSG;
	*ret = (struct dm_iou){
		.change_id = get16(d),
		.max_controllers = d[2],
		.diag_device_id = d[3] & 0x02,
		.option_rom = d[3] & 0x01,
	};
	memcpy(ret->controller_list, d + 4, sizeof(ret->controller_list));
	return 0;
}

void dm_encode_iou(uint8_t mad[static MAD_SIZE], const struct dm_iou *in)
{
	uint8_t *d = mad + DM_DATA_OFFSET;

	put16(d, in->change_id);
	d[2] = in->max_controllers;
	d[3] = (uint8_t)(in->diag_device_id << 1 | in->option_rom);
	memcpy(d + 4, in->controller_list, sizeof(in->controller_list));
}

enum dm_slot dm_iou_slot(const struct dm_iou *iou, unsigned slot)
{
	uint8_t byte;

	if (slot == 0 || slot > iou->max_controllers)
		return DM_SLOT_NONE;
	byte = iou->controller_list[(slot - 1) / 2];
	switch (slot % 2 ? byte >> 4 : byte & 0xf) {
	case DM_SLOT_EMPTY:
		return DM_SLOT_EMPTY;
	case DM_SLOT_PRESENT:
		return DM_SLOT_PRESENT;
	default: /* 0xf, and what the table reserves */
		return DM_SLOT_NONE;
	}
}

void dm_iou_set_slot(struct dm_iou *iou, unsigned slot, enum dm_slot value)
{
	uint8_t *byte = &iou->controller_list[(slot - 1) / 2];

	if (slot % 2)
		*byte = (uint8_t)((*byte & 0x0f) | value << 4);
	else
		*byte = (uint8_t)((*byte & 0xf0) | value);
}

/* 16.3.3.4, table 283. */
int dm_decode_ioc(const uint8_t *mad, size_t len, struct dm_ioc *ret)
{
	const uint8_t *d = dm_data(mad, len, 128);

	if (!d)
		return -EBADMSG;
	*ret = (struct dm_ioc){
		.guid = get64(d),
		.vendor_id = get24(d + 8),
		.device_id = get32(d + 12),
		.device_version = get16(d + 16),
		.subsys_vendor_id = get24(d + 20),
		.subsys_device_id = get32(d + 24),
		.io_class = get16(d + 28),
		.io_subclass = get16(d + 30),
		.protocol = get16(d + 32),
		.protocol_version = get16(d + 34),
		.service_connections = get16(d + 36),
		.initiators_supported = get16(d + 38),
		.send_queue_depth = get16(d + 40),
		.rdma_read_depth = d[43],
		.send_size = get32(d + 44),
		.rdma_size = get32(d + 48),
		.op_cap_mask = d[52],
		.service_cap_mask = d[53],
		.n_services = d[54],
	};
	get_text(ret->id_string, d + 64, 64);
	return 0;
}

void dm_encode_ioc(uint8_t mad[static MAD_SIZE], const struct dm_ioc *in)
{
	uint8_t *d = mad + DM_DATA_OFFSET;

	put64(d, in->guid);
	put24(d + 8, in->vendor_id);
	put32(d + 12, in->device_id);
	put16(d + 16, in->device_version);
	put24(d + 20, in->subsys_vendor_id);
	put32(d + 24, in->subsys_device_id);
	put16(d + 28, in->io_class);
	put16(d + 30, in->io_subclass);
	put16(d + 32, in->protocol);
	put16(d + 34, in->protocol_version);
	put16(d + 36, in->service_connections);
	put16(d + 38, in->initiators_supported);
	put16(d + 40, in->send_queue_depth);
	d[43] = in->rdma_read_depth;
	put32(d + 44, in->send_size);
	put32(d + 48, in->rdma_size);
	d[52] = in->op_cap_mask;
	d[53] = in->service_cap_mask;
	d[54] = in->n_services;
	memcpy(d + 64, in->id_string, strnlen(in->id_string, 64));
}

/* 16.3.3.5, table 285: four entries of a 40 byte name and a 64 bit service id. */
int dm_decode_services(const uint8_t *mad, size_t len, unsigned n, struct dm_service *ret)
{
	const uint8_t *d = dm_data(mad, len, (size_t)n * (DM_SERVICE_NAME_SIZE + 8));

	if (!d || n == 0 || n > DM_SERVICES_PER_MAD)
		return -EBADMSG;
	for (unsigned i = 0; i < n; i++, d += DM_SERVICE_NAME_SIZE + 8) {
		memcpy(ret[i].name, d, DM_SERVICE_NAME_SIZE);
		ret[i].id = get64(d + DM_SERVICE_NAME_SIZE);
	}
	return 0;
}

void dm_encode_services(uint8_t mad[static MAD_SIZE], unsigned n, const struct dm_service *in)
{
	uint8_t *d = mad + DM_DATA_OFFSET;

	for (unsigned i = 0; i < n && i < DM_SERVICES_PER_MAD; i++, d += DM_SERVICE_NAME_SIZE + 8) {
		memcpy(d, in[i].name, DM_SERVICE_NAME_SIZE);
		put64(d + DM_SERVICE_NAME_SIZE, in[i].id);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int dm_service_id_ext(const struct dm_service *s, uint64_t *ret)
{
	const size_t prefix = sizeof(SRP_SERVICE_PREFIX) - 1;
	uint64_t v = 0;

	_Static_assert(sizeof(SRP_SERVICE_PREFIX) - 1 + 16 < DM_SERVICE_NAME_SIZE, "name too long");
	if (memcmp(s->name, SRP_SERVICE_PREFIX, prefix) != 0)
		return -ENOENT;
	for (unsigned i = 0; i < 16; i++) {
		int d = hex_digit(s->name[prefix + i]);

		if (d < 0)
			return -EBADMSG;
		v = v << 4 | (unsigned)d;
	}
	if (s->name[prefix + 16] != '\0')
		return -EBADMSG;
	*ret = v;
	return 0;
}
