/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host's network stack knows of a portal: the route to it and the neighbour behind the
 * address. One rtnetlink socket, never blocking: requests are sent, answers and the kernel's own
 * notifications come through the same parser. Only neigh_confirm() needs a privilege and
 * changes anything. The parser is pure and bounded: it works on a buffer that came from outside.
 * Called by the worker's resolver and by actors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/parse.h"

#define NEIGH_BUFFER_SIZE 32768 /* the kernel fills at most this much of a bigger one */
#define NEIGH_LLADDR_MAX 32	/* MAX_ADDR_LEN; 6 on Ethernet, 20 on InfiniBand */

/* The address of a neighbour: family and its 4 or 16 bytes, the rest zero. */
struct neigh_key {
	unsigned ifindex;
	int family;
	uint8_t addr[16];
};

enum neigh_event_kind {
	NEIGH_NEIGHBOUR, /* an entry is there or has changed */
	NEIGH_NEIGHBOUR_GONE,
	NEIGH_ROUTE,   /* the answer to neigh_ask_route(), or a change of the table when seq is 0 */
	NEIGH_LINK,    /* an interface or an address has changed */
	NEIGH_ERROR,   /* a request was refused: `seq`, `error` */
	NEIGH_OVERRUN, /* notifications were lost: ask again whatever matters */
};

struct neigh_event {
	enum neigh_event_kind kind;
	uint32_t seq; /* of the request, 0 for a notification */
	int error;    /* negative errno */

	/* NEIGH_NEIGHBOUR and _GONE. valid: the kernel sends to it without asking first. */
	struct neigh_key key;
	bool valid;
	uint8_t lladdr[NEIGH_LLADDR_MAX];
	unsigned lladdr_len;

	/* NEIGH_ROUTE. */
	unsigned oif;	    /* 0: none */
	bool gateway;	    /* through a router */
	bool local;	    /* an address of this host */
	bool unreachable;   /* a route that says no */
	uint8_t source[16]; /* the preferred source address, family as in `family` */
	int family;
};

/*
 * Opens the socket, subscribed to neighbour, link, address and route changes. fd or -errno.
 * *ret_id tells an answer to us from a notification: neigh_parse() wants it.
 */
int neigh_open(uint32_t *ret_id);

/* Requests; `seq` (not 0) comes back in the event. 0 or negative errno. */
int neigh_ask_route(int fd, uint32_t seq, const struct portal *to);
int neigh_ask_neighbour(int fd, uint32_t seq, const struct neigh_key *key);

/*
 * Writes an entry as one that was just confirmed: the kernel sends to it without asking, and checks
 * it in its usual time. Done when this returns. Needs CAP_NET_ADMIN; an error comes as NEIGH_ERROR.
 */
int neigh_confirm(int fd, uint32_t seq, const struct neigh_key *key, const void *lladdr,
		  size_t len);

/*
 * Reads one datagram into buf. Its length; -EAGAIN when there is none; -ENOBUFS when the kernel
 * dropped notifications (treat as NEIGH_OVERRUN); -EPERM for one that is not from the kernel (drop
 * it); another negative errno.
 */
ssize_t neigh_recv(int fd, void *buf, size_t size);

/*
 * The next event in a received datagram. 1 with *ret, 0 at its end, -EBADMSG where it is cut or
 * inconsistent (the rest is to be dropped). *offset starts at 0. Messages of no interest are
 * skipped.
 */
int neigh_parse(const void *buf, size_t len, uint32_t id, size_t *offset, struct neigh_event *ret);

bool neigh_key_equal(const struct neigh_key *a, const struct neigh_key *b);
struct neigh_key neigh_key_of(unsigned ifindex, const struct portal *p);
struct neigh_key neigh_key_of_gid(unsigned ifindex, const uint8_t gid[static 16]);
