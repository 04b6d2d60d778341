/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Subnet Administration class, as bytes: the requests srpha makes, the records that come back,
 * subscriptions and notices. Pure, as mad.h is; called by the scan, the subscription and the
 * transport's callers, and by the tests, which play the administrator: so replies can be encoded
 * too. Chapters are those of the InfiniBand Architecture Specification, volume 1: 15.2 for the
 * class, 14.2.5 for what its records carry, 13.4.8 for notices; the same offsets are in the
 * kernel's include/rdma/ib_sa.h and drivers/infiniband/core/sa_query.c.
 *
 * A request is a whole datagram with transaction number 0: the transport puts its own in. Every
 * decoder gets the bytes that really came, returns 0 or -EBADMSG, never reads beyond them and
 * leaves its output unset on error. None but the table's looks at the status: the caller does that
 * first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/mad.h"

#define SA_CLASS_VERSION 2
#define SA_DATA_OFFSET 56 /* 15.2.1.1: header, RMPP header, SM_Key, offset, component mask */
#define SA_DATA_SIZE 200

/* 15.2.2: methods beside those of mad.h. */
#define SA_METHOD_GET_TABLE 0x12
#define SA_METHOD_GET_TABLE_RESP 0x92

/* The class's own status, beside the common bits of mad.h. */
#define SA_STATUS_NO_RESOURCES 0x0100
#define SA_STATUS_REQ_INVALID 0x0200
#define SA_STATUS_NO_RECORDS 0x0300 /* of a Get that nothing matched; a table is then empty */
#define SA_STATUS_TOO_MANY_RECORDS 0x0400
#define SA_STATUS_INVALID_GID 0x0500
#define SA_STATUS_INSUFFICIENT_COMPONENTS 0x0600
#define SA_STATUS_REQ_DENIED 0x0700
const char *sa_status_text(uint16_t status); /* as mad_status_text(), and these */

/* 15.2.5: attributes. */
#define SA_ATTR_CLASS_PORT_INFO 0x0001
#define SA_ATTR_NOTICE 0x0002
#define SA_ATTR_INFORM_INFO 0x0003
#define SA_ATTR_NODE_RECORD 0x0011
#define SA_ATTR_PORT_INFO_RECORD 0x0012
#define SA_ATTR_PATH_RECORD 0x0035

struct sa_header {
	struct mad_header mad;
	bool rmpp;	      /* the RMPP header says active: a table, or a segment of one */
	uint64_t sm_key;      /* 0 in what srpha sends */
	uint16_t attr_offset; /* distance of two records, in units of 8 bytes */
	uint64_t comp_mask;
};

/* Writes SA_DATA_OFFSET bytes; the class and its version are filled in. */
void sa_encode_header(uint8_t mad[static SA_DATA_OFFSET], const struct sa_header *h);
/* -EBADMSG also for another class or version. */
int sa_decode_header(const uint8_t *mad, size_t len, struct sa_header *ret);

/* Clears MAD_SIZE bytes and makes a request of them; its attribute starts at SA_DATA_OFFSET. */
void sa_encode_request(uint8_t mad[static MAD_SIZE], uint8_t method, uint16_t attr_id,
		       uint32_t attr_mod, uint64_t comp_mask);

/* ---- ClassPortInfo ---- */

/* Can PortInfoRecords be asked for by the bits of their CapabilityMask? */
#define SA_CAP_PORT_INFO_CAP_MASK_MATCH 0x2000
/* And by those of CapabilityMask2 (cap_mask2 of struct mad_class_port_info). */
#define SA_CAP2_PORT_INFO_CAP_MASK2_MATCH 0x0400

void sa_encode_get_class_port_info(uint8_t mad[static MAD_SIZE]);
int sa_decode_class_port_info(const uint8_t *mad, size_t len, struct mad_class_port_info *ret);
void sa_encode_class_port_info(uint8_t mad[static MAD_SIZE], const struct mad_class_port_info *in);

/* ---- records ---- */

/*
 * The records of a reply, of any length: those of a GetTable, or the one of a Get.
 *
 *	r = sa_table_init(&t, mad, len);
 *	while (sa_table_next(&t, &record, &size))
 *		r = sa_decode_node(record, size, &node);
 *
 * -EBADMSG for what is no such reply, for one with a status (a refusal holds what was asked), for
 * a table that came without RMPP, and for one of more than a datagram whose records have no
 * distance. A table of no records is empty. Where the length is no multiple of the distance the
 * last record is as short as it came, so that its decoder judges.
 */
struct sa_table {
	const uint8_t *next;
	size_t left;
	size_t stride;
};
int sa_table_init(struct sa_table *t, const uint8_t *mad, size_t len);
bool sa_table_next(struct sa_table *t, const uint8_t **ret, size_t *ret_size);

/*
 * Before the first record is taken: whether all of them are long enough for `attr_id`, a
 * NodeRecord, PortInfoRecord or PathRecord. A table that was cut must not pass for a short one:
 * what it does not list would be gone.
 */
bool sa_table_whole(const struct sa_table *t, uint16_t attr_id);

/* 15.2.5.2 NodeRecord. */
#define SA_NODE_RECORD_SIZE 112 /* with its padding, as a table has it */
enum sa_node_type {
	SA_NODE_CA = 1,
	SA_NODE_SWITCH = 2,
	SA_NODE_ROUTER = 3,
};
struct sa_node {
	uint16_t lid;
	uint8_t type; /* enum sa_node_type, or what else came */
	uint8_t n_ports;
	uint64_t sys_guid;
	uint64_t node_guid;
	uint64_t port_guid;
	uint16_t device_id;
	uint32_t vendor_id; /* 24 bits */
	uint8_t port_num;
	char description[65]; /* always terminated; bytes that are not printable become '?' */
};
/* Every end port of the subnet (a table), or the one with this LID (a Get). */
void sa_encode_get_nodes(uint8_t mad[static MAD_SIZE]);
void sa_encode_get_node(uint8_t mad[static MAD_SIZE], uint16_t lid);
int sa_decode_node(const uint8_t *record, size_t size, struct sa_node *ret);
void sa_encode_node(uint8_t record[static SA_NODE_RECORD_SIZE], const struct sa_node *in);

/* 15.2.5.3 PortInfoRecord, 14.2.5.6 PortInfo. */
#define SA_PORT_RECORD_SIZE 72
#define PORT_CAP_SM 0x00000002
#define PORT_CAP_DEVICE_MANAGEMENT 0x00080000 /* IsDeviceManagementSupported */
#define PORT_CAP_CLIENT_REREGISTER 0x02000000
#define SA_PORT_ACTIVE 4
struct sa_port {
	uint16_t lid; /* of the end port the record is about */
	uint8_t port_num;
	uint64_t subnet_prefix;
	uint16_t base_lid;
	uint16_t sm_lid;
	uint32_t cap_mask;
	uint8_t state; /* 1 down .. SA_PORT_ACTIVE */
	uint8_t lmc;
	uint8_t sm_sl;
};
/*
 * The ports that have all bits of `cap_mask`: a table. Only where the class's capabilities have
 * SA_CAP_PORT_INFO_CAP_MASK_MATCH; others would look for ports with exactly this mask. The upper
 * bit of the attribute modifier asks for it (15.2.5.3).
 */
void sa_encode_get_ports(uint8_t mad[static MAD_SIZE], uint32_t cap_mask);
/* The port with this LID: a Get. */
void sa_encode_get_port(uint8_t mad[static MAD_SIZE], uint16_t lid);
int sa_decode_port(const uint8_t *record, size_t size, struct sa_port *ret);
void sa_encode_port(uint8_t record[static SA_PORT_RECORD_SIZE], const struct sa_port *in);

/* 15.2.5.16 PathRecord, and the bits of its components (ib_sa.h). */
#define SA_PATH_RECORD_SIZE 64
#define SA_PATH_SERVICE_ID (UINT64_C(3) << 0)
#define SA_PATH_DGID (UINT64_C(1) << 2)
#define SA_PATH_SGID (UINT64_C(1) << 3)
#define SA_PATH_DLID (UINT64_C(1) << 4)
#define SA_PATH_SLID (UINT64_C(1) << 5)
#define SA_PATH_REVERSIBLE (UINT64_C(1) << 11)
#define SA_PATH_NUMB_PATH (UINT64_C(1) << 12)
#define SA_PATH_PKEY (UINT64_C(1) << 13)
#define SA_PATH_SL (UINT64_C(1) << 15)
struct sa_path {
	uint64_t service_id;
	uint8_t dgid[16];
	uint8_t sgid[16];
	uint16_t dlid;
	uint16_t slid;
	bool raw_traffic;
	uint32_t flow_label; /* 20 bits */
	uint8_t hop_limit;   /* above 1: the way leads through a router, a GRH is needed */
	uint8_t traffic_class;
	bool reversible;
	uint8_t n_paths; /* 0..127 */
	uint16_t pkey;
	uint8_t sl;
	uint8_t mtu;	   /* 1..5: 256 .. 4096 bytes */
	uint8_t rate;	   /* as ibv_rate */
	uint8_t life_time; /* 4.096 us * 2^value */
	uint8_t preference;
};
/* `method` MAD_METHOD_GET (one path) or SA_METHOD_GET_TABLE; `comp_mask` says what of it counts. */
void sa_encode_get_path(uint8_t mad[static MAD_SIZE], uint8_t method, uint64_t comp_mask,
			const struct sa_path *want);
int sa_decode_path(const uint8_t *record, size_t size, struct sa_path *ret);
void sa_encode_path(uint8_t record[static SA_PATH_RECORD_SIZE], const struct sa_path *in);

/* ---- subscriptions and notices ---- */

#define SA_TRAP_GID_IN_SERVICE 64
#define SA_TRAP_GID_OUT_OF_SERVICE 65
#define SA_TRAP_CAPABILITY 144 /* the CapabilityMask of a port, or something else local, changed */

/* 13.4.8.2: what a notice is about, and who produced it. */
#define SA_NOTICE_TYPE_SUBNET 3
#define SA_NOTICE_TYPE_INFORMATIONAL 4
#define SA_PRODUCER_CA 1
#define SA_PRODUCER_MANAGER 4

/* 13.4.8.3 InformInfo. */
struct sa_inform {
	uint8_t gid[16];    /* of the issuer; zeros: by LID */
	uint16_t lid_begin; /* 0xffff: of any LID */
	uint16_t lid_end;
	bool subscribe;
	uint16_t type;	   /* 0xffff: any */
	uint16_t trap;	   /* 0xffff: any */
	uint32_t qpn;	   /* whose subscription, when unsubscribing; 24 bits */
	uint8_t resp_time; /* 4.096 us * 2^value, 0..31: how long srpha takes to answer */
	uint32_t producer; /* 0xffffff: any; 24 bits */
};
/* The subscription srpha wants for one of its three traps: from everywhere. */
void sa_inform_of_trap(struct sa_inform *ret, uint16_t trap, bool subscribe);
void sa_encode_set_inform(uint8_t mad[static MAD_SIZE], const struct sa_inform *in);
/* From a request or its reply. -EBADMSG also for one that is not generic. */
int sa_decode_inform(const uint8_t *mad, size_t len, struct sa_inform *ret);

/* 13.4.8.2 Notice; 14.2.5.1 for the details of these traps. */
struct sa_notice {
	uint8_t type;
	uint32_t producer;
	uint16_t trap;
	uint16_t issuer_lid;
	bool toggle;
	uint16_t count;	   /* 15 bits */
	uint8_t gid[16];   /* traps 64 to 67: which came or went */
	uint16_t lid;	   /* trap 144: whose capabilities changed */
	uint32_t cap_mask; /* trap 144: what they are now */
	uint8_t issuer_gid[16];
};
/*
 * A Report, or the answer to one. The details are those of the trap, and zeros for a trap of
 * another number; -EBADMSG also for a notice that is not generic.
 */
int sa_decode_notice(const uint8_t *mad, size_t len, struct sa_notice *ret);
void sa_encode_report(uint8_t mad[static MAD_SIZE], uint64_t tid, const struct sa_notice *in);
/* The answer to a Report of MAD_SIZE bytes: the same datagram with another method. */
void sa_encode_report_resp(uint8_t mad[static MAD_SIZE], const uint8_t report[static MAD_SIZE]);
