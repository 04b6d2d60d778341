/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A libibumad for tests: the functions that srpha uses, over a SOCK_SEQPACKET socket in place of
 * the device. Each datagram on it is a `struct ib_user_mad` with what follows it, as the kernel
 * would take and give it, the transaction number's upper half replaced on the way out. The test is
 * the fabric. As a shared library it is what srpha-worker is run with: it then connects to the
 * socket named by FAKE_UMAD (an abstract name).
 */
#pragma once

#include <infiniband/umad.h>
#include <stddef.h>

#define FAKE_UMAD_HI_TID 0xcafe0001u
#define FAKE_UMAD_AGENT 7 /* the first; then 8, 9 ... */

/* What a linked-in fake was asked, and what it is to answer; unused in the shared library. */
struct fake_umad {
	int peer;	/* the fabric's end, valid while the port is open */
	int open_error; /* positive errno for the next open, register, send */
	int register_error;
	int send_error;
	size_t padding;	      /* zeros behind the next datagram, which no socket would carry */
	uint8_t rmpp_version; /* of the last agent */
	long method_mask[16 / sizeof(long)];
	unsigned opens, closes, registers, sends;
};
extern struct fake_umad fake_umad;
