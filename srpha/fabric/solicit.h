/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the kernel look for a neighbour, without blocking. Two ways together:
 *
 *   provoke   an empty UDP datagram to the discard port: the kernel creates the neighbour entry
 *             and asks for it itself, at once and then once a second. Needs no privilege.
 *   ask       our own ARP request or neighbour solicitation: the answer goes to the kernel, which
 *             completes the entry it has. This is for a cable that comes back: we may ask every
 *             50 ms where the kernel waits for its second to pass. The two raw sockets are opened
 *             before the worker drops its privileges, and it does without them if it must.
 *
 * Called by the worker's resolver and prober, which pace the calls.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fabric/gid.h"
#include "fabric/neigh.h"

struct solicit {
	int udp4, udp6; /* provoke */
	int arp, icmp6; /* ask; negative without the privilege */
};

/* Opens what may be opened: 0, or the first negative errno of the raw sockets. */
int solicit_open(struct solicit *s);
void solicit_close(struct solicit *s);

/* 0 or negative errno (-ENETUNREACH, -ENETDOWN ...). */
int solicit_provoke(const struct solicit *s, const struct neigh_key *who);

/*
 * `mac` is ours on that interface; `source` our IPv4 address there (not used for IPv6).
 * -EBADF when the raw socket could not be opened.
 */
int solicit_ask(const struct solicit *s, const struct neigh_key *who,
		const uint8_t mac[static MAC_SIZE], const uint8_t source[static 4]);
