/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries datagrams between ports: finds the way (forwarding tables, directed routes, state of the
 * links, P_Keys), delays and loses them, applies faults, and hands them to whoever is at the other
 * end: the subnet management agent, Device Management, or the kernel of an attached host. An RMPP
 * message is carried as one.
 */
#pragma once

#include "fabric.h"

struct message {
	struct timer timer;
	struct fabric *fabric;
	struct port *from, *to;
	uint16_t slid, dlid, pkey;
	uint8_t sl;
	bool grh;
	bool forced; /* shown to the client that asked, whatever its kernel thinks of it */
	uint8_t forced_class;
	uint64_t forced_tid; /* what the answer was before it was spoiled */
	uint8_t sgid[16], dgid[16];
	uint32_t src_qp, qkey;
	size_t len;
	uint8_t data[];
};

/* A message from a port, with a copy of the data (MAD_SIZE bytes at least). NULL: no memory. */
struct message *message_new(struct fabric *f, struct port *from, const void *data, size_t len);

/* Sends it; it is consumed. Nothing comes back: what cannot be delivered is lost. */
void carry(struct message *m);

/* Of fault.c: hands it over after this time. `to` is known. */
void carry_after(struct message *m, uint64_t delay_nsec);

/* An answer from where `m` arrived to where it came from. */
void carry_reply(const struct message *m, const void *data, size_t len);

/* At the end: frees what is under way. Clears every timer of the loop. */
void carry_end(struct fabric *f);

/* A subnet management datagram of an agent of the fabric. */
void carry_smp_lid(struct fabric *f, struct port *from, uint16_t dlid, const uint8_t *mad);

/* Where a LID leads from a port, or NULL. `management`: over links that are only initialised. */
struct port *route_lid(const struct port *from, uint16_t dlid, bool management);
