/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/sa.h"

#include <errno.h>
#include <string.h>

#include "fabric/bytes.h"

/* 13.6: the RMPP header; its flags share a byte with the response time. */
#define RMPP_OFFSET 24
#define RMPP_VERSION 1
#define RMPP_TYPE_DATA 1
#define RMPP_FLAG_ACTIVE 0x01
#define RMPP_FLAG_FIRST 0x02
#define RMPP_FLAG_LAST 0x04

/* 15.2.5.2, 15.2.5.3: the components srpha asks by. */
#define NODE_COMP_LID (UINT64_C(1) << 0)
#define PORT_COMP_LID (UINT64_C(1) << 0)
#define PORT_COMP_CAP_MASK (UINT64_C(1) << 7)
#define PORT_MOD_MATCH_BITS UINT32_C(0x80000000)

/* 13.4.8.3: components of InformInfo; 3, 9, 10 and 11 are reserved ones and the response time. */
#define INFORM_COMP_GID (UINT64_C(1) << 0)
#define INFORM_COMP_LID_BEGIN (UINT64_C(1) << 1)
#define INFORM_COMP_LID_END (UINT64_C(1) << 2)
#define INFORM_COMP_GENERIC (UINT64_C(1) << 4)
#define INFORM_COMP_SUBSCRIBE (UINT64_C(1) << 5)
#define INFORM_COMP_TYPE (UINT64_C(1) << 6)
#define INFORM_COMP_TRAP (UINT64_C(1) << 7)
#define INFORM_COMP_QPN (UINT64_C(1) << 8)
#define INFORM_COMP_PRODUCER (UINT64_C(1) << 12)

#define NODE_RECORD_MIN 108 /* without the padding */
#define PORT_RECORD_MIN 58  /* PortInfo ended with its thresholds before release 1.2 */
#define INFORM_SIZE 36
#define NOTICE_SIZE 80

/* The attribute of a datagram of ours, or NULL when fewer than `size` bytes of it came. */
static const uint8_t *sa_data(const uint8_t *mad, size_t len, size_t size)
{
	return len < SA_DATA_OFFSET + size ? NULL : mad + SA_DATA_OFFSET;
}

const char *sa_status_text(uint16_t status)
{
	switch (status) {
	case SA_STATUS_NO_RESOURCES:
		return "no resources";
	case SA_STATUS_REQ_INVALID:
		return "invalid request";
	case SA_STATUS_NO_RECORDS:
		return "no records";
	case SA_STATUS_TOO_MANY_RECORDS:
		return "too many records";
	case SA_STATUS_INVALID_GID:
		return "invalid GID";
	case SA_STATUS_INSUFFICIENT_COMPONENTS:
		return "insufficient components";
	case SA_STATUS_REQ_DENIED:
		return "request denied";
	default:
		return mad_status_text(status);
	}
}

/* 15.2.1.1. */
void sa_encode_header(uint8_t mad[static SA_DATA_OFFSET], const struct sa_header *h)
{
	uint8_t whole[MAD_SIZE];
	struct mad_header common = h->mad;

	common.mgmt_class = MAD_CLASS_SA;
	common.class_version = SA_CLASS_VERSION;
	mad_encode_header(whole, &common);
	memcpy(mad, whole, SA_DATA_OFFSET);
	if (h->rmpp) {
		mad[RMPP_OFFSET] = RMPP_VERSION;
		mad[RMPP_OFFSET + 1] = RMPP_TYPE_DATA;
		mad[RMPP_OFFSET + 2] = RMPP_FLAG_ACTIVE | RMPP_FLAG_FIRST | RMPP_FLAG_LAST;
		put32(mad + RMPP_OFFSET + 4, 1); /* segment */
	}
	put64(mad + 36, h->sm_key);
	put16(mad + 44, h->attr_offset);
	put64(mad + 48, h->comp_mask);
}

int sa_decode_header(const uint8_t *mad, size_t len, struct sa_header *ret)
{
	struct mad_header common;
	int r = mad_decode_header(mad, len, &common);

	if (r < 0)
		return r;
	if (len < SA_DATA_OFFSET || common.mgmt_class != MAD_CLASS_SA ||
	    common.class_version != SA_CLASS_VERSION)
		return -EBADMSG;
	*ret = (struct sa_header){
		.mad = common,
		.rmpp = mad[RMPP_OFFSET + 2] & RMPP_FLAG_ACTIVE,
		.sm_key = get64(mad + 36),
		.attr_offset = get16(mad + 44),
		.comp_mask = get64(mad + 48),
	};
	return 0;
}

void sa_encode_request(uint8_t mad[static MAD_SIZE], uint8_t method, uint16_t attr_id,
		       uint32_t attr_mod, uint64_t comp_mask)
{
	memset(mad, 0, MAD_SIZE);
	sa_encode_header(
		mad, &(struct sa_header){
			     .mad = { .method = method, .attr_id = attr_id, .attr_mod = attr_mod },
			     .comp_mask = comp_mask });
}

void sa_encode_get_class_port_info(uint8_t mad[static MAD_SIZE])
{
	sa_encode_request(mad, MAD_METHOD_GET, SA_ATTR_CLASS_PORT_INFO, 0, 0);
}

int sa_decode_class_port_info(const uint8_t *mad, size_t len, struct mad_class_port_info *ret)
{
	const uint8_t *d = sa_data(mad, len, CLASS_PORT_INFO_SIZE);

	if (!d)
		return -EBADMSG;
	class_port_info_decode(d, ret);
	return 0;
}

void sa_encode_class_port_info(uint8_t mad[static MAD_SIZE], const struct mad_class_port_info *in)
{
	class_port_info_encode(mad + SA_DATA_OFFSET, in);
}

int sa_table_init(struct sa_table *t, const uint8_t *mad, size_t len)
{
	struct sa_header h;
	int r = sa_decode_header(mad, len, &h);

	if (r < 0)
		return r;
	/* A refusal carries the request's own attribute. */
	if (h.mad.status)
		return -EBADMSG;
	*t = (struct sa_table){ .next = mad + SA_DATA_OFFSET, .left = len - SA_DATA_OFFSET };
	if (h.mad.method == MAD_METHOD_GET_RESP) {
		t->stride = t->left;
		return 0;
	}
	if (h.mad.method != SA_METHOD_GET_TABLE_RESP || !h.rmpp)
		return -EBADMSG;
	t->stride = (size_t)h.attr_offset * 8;
	if (t->stride > 0)
		return 0;
	/* No records have no distance; what else is in the segment is padding. */
	if (t->left > SA_DATA_SIZE)
		return -EBADMSG;
	t->left = 0;
	return 0;
}

bool sa_table_whole(const struct sa_table *t, uint16_t attr_id)
{
	size_t least = attr_id == SA_ATTR_NODE_RECORD	     ? NODE_RECORD_MIN
		       : attr_id == SA_ATTR_PORT_INFO_RECORD ? PORT_RECORD_MIN
							     : SA_PATH_RECORD_SIZE;
	size_t rest = t->stride > 0 ? t->left % t->stride : 0;

	return t->left == 0 || (t->stride >= least && (rest == 0 || rest >= least));
}

bool sa_table_next(struct sa_table *t, const uint8_t **ret, size_t *ret_size)
{
	size_t size = t->left < t->stride ? t->left : t->stride;

	if (size == 0)
		return false;
	*ret = t->next;
	*ret_size = size;
	t->next += size;
	t->left -= size;
	return true;
}

void sa_encode_get_nodes(uint8_t mad[static MAD_SIZE])
{
	sa_encode_request(mad, SA_METHOD_GET_TABLE, SA_ATTR_NODE_RECORD, 0, 0);
}

void sa_encode_get_node(uint8_t mad[static MAD_SIZE], uint16_t lid)
{
	sa_encode_request(mad, MAD_METHOD_GET, SA_ATTR_NODE_RECORD, 0, NODE_COMP_LID);
	put16(mad + SA_DATA_OFFSET, lid);
}

/* 15.2.5.2: LID, NodeInfo (14.2.5.3) from byte 4, NodeDescription from byte 44. */
int sa_decode_node(const uint8_t *d, size_t size, struct sa_node *ret)
{
	if (size < NODE_RECORD_MIN)
		return -EBADMSG;
	*ret = (struct sa_node){
		.lid = get16(d),
		.type = d[6],
		.n_ports = d[7],
		.sys_guid = get64(d + 8),
		.node_guid = get64(d + 16),
		.port_guid = get64(d + 24),
		.device_id = get16(d + 34),
		.port_num = d[40],
		.vendor_id = get24(d + 41),
	};
	get_text(ret->description, d + 44, 64);
	return 0;
}

void sa_encode_node(uint8_t d[static SA_NODE_RECORD_SIZE], const struct sa_node *in)
{
	memset(d, 0, SA_NODE_RECORD_SIZE);
	put16(d, in->lid);
	d[4] = 1; /* base version, class version */
	d[5] = 1;
	d[6] = in->type;
	d[7] = in->n_ports;
	put64(d + 8, in->sys_guid);
	put64(d + 16, in->node_guid);
	put64(d + 24, in->port_guid);
	put16(d + 34, in->device_id);
	d[40] = in->port_num;
	put24(d + 41, in->vendor_id);
	memcpy(d + 44, in->description, strnlen(in->description, 64));
}

/* 15.2.5.3: the end port's LID, port number, options, PortInfo from byte 4. */
#define PORT_INFO_OFFSET 4

void sa_encode_get_ports(uint8_t mad[static MAD_SIZE], uint32_t cap_mask)
{
	sa_encode_request(mad, SA_METHOD_GET_TABLE, SA_ATTR_PORT_INFO_RECORD, PORT_MOD_MATCH_BITS,
			  PORT_COMP_CAP_MASK);
	put32(mad + SA_DATA_OFFSET + PORT_INFO_OFFSET + 20, cap_mask);
}

void sa_encode_get_port(uint8_t mad[static MAD_SIZE], uint16_t lid)
{
	sa_encode_request(mad, MAD_METHOD_GET, SA_ATTR_PORT_INFO_RECORD, 0, PORT_COMP_LID);
	put16(mad + SA_DATA_OFFSET, lid);
}

/* 14.2.5.6. */
int sa_decode_port(const uint8_t *d, size_t size, struct sa_port *ret)
{
	const uint8_t *info = d + PORT_INFO_OFFSET;

	if (size < PORT_RECORD_MIN)
		return -EBADMSG;
	*ret = (struct sa_port){
		.lid = get16(d),
		.port_num = d[2],
		.subnet_prefix = get64(info + 8),
		.base_lid = get16(info + 16),
		.sm_lid = get16(info + 18),
		.cap_mask = get32(info + 20),
		.state = info[32] & 0xf,
		.lmc = info[34] & 0x7,
		.sm_sl = info[36] & 0xf,
	};
	return 0;
}

void sa_encode_port(uint8_t d[static SA_PORT_RECORD_SIZE], const struct sa_port *in)
{
	uint8_t *info = d + PORT_INFO_OFFSET;

	memset(d, 0, SA_PORT_RECORD_SIZE);
	put16(d, in->lid);
	d[2] = in->port_num;
	put64(info + 8, in->subnet_prefix);
	put16(info + 16, in->base_lid);
	put16(info + 18, in->sm_lid);
	put32(info + 20, in->cap_mask);
	info[32] = in->state & 0xf;
	info[34] = in->lmc & 0x7;
	info[36] = in->sm_sl & 0xf;
}

void sa_encode_get_path(uint8_t mad[static MAD_SIZE], uint8_t method, uint64_t comp_mask,
			const struct sa_path *want)
{
	sa_encode_request(mad, method, SA_ATTR_PATH_RECORD, 0, comp_mask);
	sa_encode_path(mad + SA_DATA_OFFSET, want);
}

/* 15.2.5.16. */
int sa_decode_path(const uint8_t *d, size_t size, struct sa_path *ret)
{
	if (size < SA_PATH_RECORD_SIZE)
		return -EBADMSG;
	*ret = (struct sa_path){
		.service_id = get64(d),
		.dlid = get16(d + 40),
		.slid = get16(d + 42),
		.raw_traffic = d[44] & 0x80,
		.flow_label = get32(d + 44) >> 8 & 0xfffff,
		.hop_limit = d[47],
		.traffic_class = d[48],
		.reversible = d[49] & 0x80,
		.n_paths = d[49] & 0x7f,
		.pkey = get16(d + 50),
		.sl = d[53] & 0xf,
		.mtu = d[54] & 0x3f,
		.rate = d[55] & 0x3f,
		.life_time = d[56] & 0x3f,
		.preference = d[57],
	};
	memcpy(ret->dgid, d + 8, sizeof(ret->dgid));
	memcpy(ret->sgid, d + 24, sizeof(ret->sgid));
	return 0;
}

/* The selectors of MTU, rate and life time say "exactly" (2) where the value is given. */
static uint8_t exactly(uint8_t v)
{
	return v ? 2 << 6 | (v & 0x3f) : 0;
}

void sa_encode_path(uint8_t d[static SA_PATH_RECORD_SIZE], const struct sa_path *in)
{
	memset(d, 0, SA_PATH_RECORD_SIZE);
	put64(d, in->service_id);
	memcpy(d + 8, in->dgid, sizeof(in->dgid));
	memcpy(d + 24, in->sgid, sizeof(in->sgid));
	put16(d + 40, in->dlid);
	put16(d + 42, in->slid);
	put32(d + 44,
	      (uint32_t)in->raw_traffic << 31 | (in->flow_label & 0xfffff) << 8 | in->hop_limit);
	d[48] = in->traffic_class;
	d[49] = (uint8_t)(in->reversible << 7 | (in->n_paths & 0x7f));
	put16(d + 50, in->pkey);
	d[53] = in->sl & 0xf;
	d[54] = exactly(in->mtu);
	d[55] = exactly(in->rate);
	d[56] = exactly(in->life_time);
	d[57] = in->preference;
}

void sa_inform_of_trap(struct sa_inform *ret, uint16_t trap, bool subscribe)
{
	bool subnet = trap != SA_TRAP_CAPABILITY;

	*ret = (struct sa_inform){
		.lid_begin = 0xffff,
		.subscribe = subscribe,
		.type = subnet ? SA_NOTICE_TYPE_SUBNET : SA_NOTICE_TYPE_INFORMATIONAL,
		.trap = trap,
		.qpn = MAD_QPN,
		.producer = subnet ? SA_PRODUCER_MANAGER : SA_PRODUCER_CA,
	};
}

/* 13.4.8.3. */
void sa_encode_set_inform(uint8_t mad[static MAD_SIZE], const struct sa_inform *in)
{
	uint8_t *d = mad + SA_DATA_OFFSET;
	uint64_t comp = INFORM_COMP_LID_BEGIN | INFORM_COMP_GENERIC | INFORM_COMP_SUBSCRIBE |
			INFORM_COMP_TYPE | INFORM_COMP_TRAP | INFORM_COMP_PRODUCER;

	if (in->lid_begin != 0xffff)
		comp |= INFORM_COMP_LID_END;
	if (memcmp(in->gid, (uint8_t[16]){ 0 }, 16) != 0)
		comp |= INFORM_COMP_GID;
	if (!in->subscribe)
		comp |= INFORM_COMP_QPN;
	sa_encode_request(mad, MAD_METHOD_SET, SA_ATTR_INFORM_INFO, 0, comp);
	memcpy(d, in->gid, sizeof(in->gid));
	put16(d + 16, in->lid_begin);
	put16(d + 18, in->lid_end);
	d[22] = 1; /* generic */
	d[23] = in->subscribe;
	put16(d + 24, in->type);
	put16(d + 26, in->trap);
	put32(d + 28, in->qpn << 8 | (in->resp_time & 0x1f));
	put24(d + 33, in->producer);
}

int sa_decode_inform(const uint8_t *mad, size_t len, struct sa_inform *ret)
{
	const uint8_t *d = sa_data(mad, len, INFORM_SIZE);

	if (!d || d[22] != 1)
		return -EBADMSG;
	*ret = (struct sa_inform){
		.lid_begin = get16(d + 16),
		.lid_end = get16(d + 18),
		.subscribe = d[23] & 1,
		.type = get16(d + 24),
		.trap = get16(d + 26),
		.qpn = get24(d + 28),
		.resp_time = d[31] & 0x1f,
		.producer = get24(d + 33),
	};
	memcpy(ret->gid, d, sizeof(ret->gid));
	return 0;
}

static bool is_gid_trap(uint16_t trap)
{
	return trap >= SA_TRAP_GID_IN_SERVICE && trap <= 67;
}

/* 13.4.8.2; the details, from byte 10: 14.2.5.1. */
int sa_decode_notice(const uint8_t *mad, size_t len, struct sa_notice *ret)
{
	const uint8_t *d = sa_data(mad, len, NOTICE_SIZE);

	if (!d || !(d[0] & 0x80))
		return -EBADMSG;
	*ret = (struct sa_notice){
		.type = d[0] & 0x7f,
		.producer = get24(d + 1),
		.trap = get16(d + 4),
		.issuer_lid = get16(d + 6),
		.toggle = d[8] & 0x80,
		.count = get16(d + 8) & 0x7fff,
	};
	memcpy(ret->issuer_gid, d + 64, sizeof(ret->issuer_gid));
	if (is_gid_trap(ret->trap)) {
		memcpy(ret->gid, d + 16, sizeof(ret->gid));
	} else if (ret->trap == SA_TRAP_CAPABILITY) {
		ret->lid = get16(d + 12);
		ret->cap_mask = get32(d + 16);
	}
	return 0;
}

void sa_encode_report(uint8_t mad[static MAD_SIZE], uint64_t tid, const struct sa_notice *in)
{
	uint8_t *d = mad + SA_DATA_OFFSET;

	sa_encode_request(mad, MAD_METHOD_REPORT, SA_ATTR_NOTICE, 0, 0);
	put64(mad + 8, tid);
	d[0] = (uint8_t)(0x80 | (in->type & 0x7f));
	put24(d + 1, in->producer);
	put16(d + 4, in->trap);
	put16(d + 6, in->issuer_lid);
	put16(d + 8, (uint16_t)(in->toggle << 15 | (in->count & 0x7fff)));
	memcpy(d + 64, in->issuer_gid, sizeof(in->issuer_gid));
	if (is_gid_trap(in->trap)) {
		memcpy(d + 16, in->gid, sizeof(in->gid));
	} else if (in->trap == SA_TRAP_CAPABILITY) {
		put16(d + 12, in->lid);
		put32(d + 16, in->cap_mask);
	}
}

void sa_encode_report_resp(uint8_t mad[static MAD_SIZE], const uint8_t report[static MAD_SIZE])
{
	memmove(mad, report, MAD_SIZE);
	mad[3] = MAD_METHOD_REPORT_RESP;
	put16(mad + 4, 0); /* status */
}
