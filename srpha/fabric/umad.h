/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions over one HCA port's ib_umad device, through libibumad: a request goes out with a
 * transaction number, and its answer (of any size, where the class has RMPP, which the kernel
 * does) or the kernel's word that there was none comes back through a descriptor for the loop. The
 * table of what is outstanding is bounded and costs one look-up. Reports of the Subnet
 * Administrator come the same way once they were asked for. It knows nothing of retries, pace or
 * meaning: its callers (prober, resolver, scan, subscription) do.
 *
 * What makes a datagram the answer to a request: the lower half of its transaction number, the
 * class, the method that answers the request's, and the attribute; for Device Management also the
 * modifier, which says which controller or service is meant, and the LID that was asked. An
 * administrator may change the modifier of a query, where it holds an option.
 *
 * The kernel's own timeout only frees the slot; it is meant to be much longer than the caller's
 * patience, because a late answer is still worth something, and it covers a table until its last
 * segment. A send may block for a second in the kernel when the destination is a RoCE v2 GID whose
 * neighbour is not known: ib_umad's write resolves it (drivers/infiniband/core/addr.c). The caller
 * sends only when it is known.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fabric/mad.h"

#define MAD_OUTSTANDING_MAX 4096

/* A longer reply is dropped: the NodeRecords of all 49,151 unicast LIDs are some 5.5 MB. */
#define MAD_REPLY_MAX (8u << 20)

struct mad_port;

/* Where a datagram goes: by GID (RoCE), or by LID with or without GRH (InfiniBand). */
struct mad_dest {
	bool grh;
	uint8_t gid[16];
	uint8_t gid_index;     /* of the local GID it is sent from */
	uint8_t traffic_class; /* of the GRH, as is the flow label; 0 unless redirected */
	uint32_t flow_label;
	uint16_t lid;
	uint8_t sl;
	uint16_t pkey_index;
	uint32_t qpn; /* 0: QP1, and then its well-known Q_Key */
	uint32_t qkey;
};

/*
 * Where the class is served instead: 0, or -EBADMSG where `info` names no place. A place named by
 * its GID alone gets LID 0: on InfiniBand the caller has to ask for the path to it.
 */
int mad_dest_redirect(struct mad_dest *to, const struct mad_class_port_info *info,
		      uint16_t pkey_index);

struct mad_reply {
	bool report;	 /* an unsolicited Report: no cookie; wants mad_port_answer() */
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
	uint64_t malformed; /* not even a header */
	uint64_t oversized; /* longer than MAD_REPLY_MAX */
	uint64_t reports;
	unsigned outstanding;
};

/*
 * Opens the device of a port and registers as a Device Management client. 0, or negative errno:
 * -ENOENT or -ENODEV where there is no such device, -EPERM or -EACCES.
 */
int mad_port_open(const char *ca, unsigned port, struct mad_port **ret);
void mad_port_close(struct mad_port *p);
DEFINE_CLEANUP(struct mad_port *, mad_port_close);

/* Registers as a client of one more class, with the kernel's RMPP or without. 0 or -errno. */
int mad_port_register(struct mad_port *p, uint8_t mgmt_class, uint8_t version, bool rmpp);

/*
 * Asks for the Reports of Subnet Administration that come to this port. 0; -EEXIST where another
 * agent has them, for one may per port: then there will be no notices, and the caller rescans
 * instead; other negative errno. Once they are ours another call changes nothing.
 */
int mad_port_register_reports(struct mad_port *p);

/* For the loop; readable when mad_port_recv() has something. */
int mad_port_fd(const struct mad_port *p);

/*
 * Sends a request of a registered class: a whole datagram, whose transaction number is replaced.
 * `timeout_ms`, at least 1, is when the kernel gives up. 0, -EBUSY when the table is full, -ENODEV
 * or -EIO when the device is gone, -EPROTONOSUPPORT for another class, or what the kernel says to
 * this one (-EINVAL, -ENETUNREACH, -EHOSTUNREACH, -ETIMEDOUT ...).
 */
int mad_port_request(struct mad_port *p, const struct mad_dest *to,
		     const uint8_t mad[static MAD_SIZE], uint64_t cookie, uint64_t now,
		     unsigned timeout_ms);

/* The same for a Get that is nothing but its attribute and modifier. */
int mad_port_get(struct mad_port *p, const struct mad_dest *to, uint8_t mgmt_class,
		 uint16_t attr_id, uint32_t attr_mod, uint64_t cookie, uint64_t now,
		 unsigned timeout_ms);

/* Answers the Report that mad_port_recv() gave last. 0 or as mad_port_request(). */
int mad_port_answer(struct mad_port *p, const struct mad_reply *report);

/*
 * The next answer or Report: 1 with *ret, 0 when there is none, -ENODEV or -EIO when the device is gone.
 * What matches no transaction is counted and skipped.
 */
int mad_port_recv(struct mad_port *p, struct mad_reply *ret);

const struct mad_stats *mad_port_stats(const struct mad_port *p);
