/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions over one HCA port's ib_umad device, through libibumad: a Get goes out with a
 * transaction number, and its answer or the kernel's word that there was none comes back through
 * a descriptor for the loop. The table of what is outstanding is bounded and costs one look-up.
 * It knows nothing of retries, pace or meaning: its callers (prober, resolver, later the scan) do.
 *
 * The kernel's own timeout only frees the slot; it is meant to be much longer than the caller's
 * patience, because a late answer is still worth something. A send may block for a second in the
 * kernel when the destination is a RoCE v2 GID whose neighbour is not known: ib_umad's write
 * resolves it (drivers/infiniband/core/addr.c). The caller sends only when it is known.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fabric/mad.h"

#define MAD_OUTSTANDING_MAX 4096

struct mad_port;

/* Where a datagram goes: by GID (RoCE), or by LID with or without GRH (InfiniBand). */
struct mad_dest {
	bool grh;
	uint8_t gid[16];
	uint8_t gid_index; /* of the local GID it is sent from */
	uint16_t lid;
	uint8_t sl;
	uint16_t pkey_index;
};

struct mad_reply {
	uint64_t cookie; /* the caller's */
	uint64_t sent_usec;
	int error; /* 0, or -ETIMEDOUT: the kernel gave up waiting; then there is no datagram */
	struct mad_header header;
	bool grh;
	uint8_t from_gid[16];
	uint16_t from_lid;
	size_t len;
	const uint8_t *mad; /* valid until the next call */
};

struct mad_stats {
	uint64_t sent, received, timeouts;
	uint64_t unmatched; /* no such transaction, or another attribute than was asked */
	uint64_t malformed;
	unsigned outstanding;
};

/*
 * Opens the device of a port and registers as a Device Management client. 0, or negative errno:
 * -ENOENT or -ENODEV where there is no such device, -EPERM or -EACCES.
 */
int mad_port_open(const char *ca, unsigned port, struct mad_port **ret);
void mad_port_close(struct mad_port *p);
DEFINE_CLEANUP(struct mad_port *, mad_port_close);

/* Registers for one more class. 0 or negative errno. */
int mad_port_register(struct mad_port *p, uint8_t mgmt_class, uint8_t version);

/* For the loop; readable when mad_port_recv() has something. */
int mad_port_fd(const struct mad_port *p);

/*
 * Sends a Get of a registered class. `timeout_ms` is when the kernel gives up. 0, -EBUSY when the
 * table is full, -ENODEV or -EIO when the device is gone, or what the kernel says to this one
 * (-EINVAL, -ENETUNREACH, -EHOSTUNREACH, -ETIMEDOUT ...).
 */
int mad_port_get(struct mad_port *p, const struct mad_dest *to, uint8_t mgmt_class,
		 uint16_t attr_id, uint32_t attr_mod, uint64_t cookie, uint64_t now,
		 unsigned timeout_ms);

/*
 * The next answer: 1 with *ret, 0 when there is none, -ENODEV or -EIO when the device is gone.
 * What matches no transaction is counted and skipped.
 */
int mad_port_recv(struct mad_port *p, struct mad_reply *ret);

const struct mad_stats *mad_port_stats(const struct mad_port *p);
