/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the subnet manager has made of an InfiniBand port: its LIDs, the manager's own address,
 * the partitions. Reads sysfs below a directory descriptor and changes nothing; called by the
 * worker's port watch, the scan and the subscription when something may have changed. It follows
 * nothing by itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fabric/umad.h"

#define IBPORT_PKEYS_MAX 256 /* in use; tables of hardware have 128 entries */

#define PKEY_FULL_MEMBER 0x8000
#define PKEY_PARTITION 0x7fff
#define PKEY_DEFAULT 0x7fff /* the partition everybody is in, and the manager is found in */

#define LID_UNICAST_MAX 0xbfff

struct ibport_pkey {
	uint16_t index; /* what ib_umad and the verbs call it */
	uint16_t value; /* with the membership bit */
};

struct ibport {
	uint8_t state; /* 14.2.5.6 PortState: 1 down .. 4 active, 0 nothing said */
	uint16_t lid;  /* 0: none yet */
	uint8_t lmc;   /* 0..7 */
	uint16_t sm_lid;
	uint8_t sm_sl;
	uint32_t cap_mask;
	uint8_t gid[16];  /* of index 0: subnet prefix and port GUID; zeros where there is none */
	unsigned n_pkeys; /* in order of index, without the invalid ones */
	struct ibport_pkey pkeys[IBPORT_PKEYS_MAX];
};

/*
 * `port_fd` is the port's directory in sysfs, sys/class/infiniband/CA/ports/N. 0 with *ret set;
 * -ENOENT when the port is gone, -EBADMSG for a number that is none, or what reading gave; *ret
 * is then untouched. A P_Key that vanishes meanwhile is left out.
 */
int ibport_read(int port_fd, struct ibport *ret);

/* What is different, as a mask. */
#define IBPORT_STATE 0x01
#define IBPORT_LID 0x02 /* or the LMC */
#define IBPORT_SM 0x04	/* its LID or service level */
#define IBPORT_PKEYS 0x08
#define IBPORT_GID 0x10
unsigned ibport_changes(const struct ibport *before, const struct ibport *after);

/* The index to send with in this partition: of the same P_Key, or of its other membership; -ENOENT. */
int ibport_pkey_index(const struct ibport *p, uint16_t pkey);

/* 10.9.1.1: the same partition, and one of the two a full member. */
bool pkey_match(uint16_t a, uint16_t b);

/* The way to the subnet manager's port: 0, or -EADDRNOTAVAIL while there is none. */
int ibport_sm(const struct ibport *p, struct mad_dest *ret);
