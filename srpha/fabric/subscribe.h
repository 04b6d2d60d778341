/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subscriptions of one port to the Subnet Administrator's notices: 65, 64 and 144. Pure: it
 * says which InformInfo is to be sent now and takes the replies; the worker sends them, and tells
 * it of every change after which the administrator may have forgotten this port.
 *
 *   restart ─► asked ── answered ─► subscribed ── 10 min ─► asked again
 *                │ silent, busy: again after 0.25, 0.5, 1, 2 ... 60 s
 *                └ refused: the same; an administrator that does not know the port yet refuses, too
 *
 * It never gives up, so that a manager that was not ready, or had no memory left, is subscribed to
 * in the end; and it never asks faster than that. Nothing is unsubscribed at the end: the manager
 * drops a subscription whose Reports are not answered, and whatever comes next to this port
 * subscribes again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/mad.h"

#define SUBSCRIBE_TRAPS 3

/* The first wait for an answer; each further one is twice as long, up to the last. */
#define SUBSCRIBE_FIRST_USEC UINT64_C(250000)
#define SUBSCRIBE_LAST_USEC UINT64_C(60000000)

/* A subscription that was confirmed is confirmed again this often: one may get lost silently. */
#define SUBSCRIBE_RENEW_USEC UINT64_C(600000000)

/* So many tries of a trap fail before it is news. */
#define SUBSCRIBE_PATIENCE 4

enum subscribe_news {
	SUBSCRIBE_NO_NEWS,
	SUBSCRIBE_SUBSCRIBED, /* to all of them, for the first time since it was otherwise */
	SUBSCRIBE_SILENT,     /* no answers */
	SUBSCRIBE_REFUSED,    /* with the status of `refusal` */
};

struct subscribe_trap {
	uint16_t trap;
	uint16_t status; /* of the last answer */
	bool subscribed;
	bool asked;	   /* an answer is waited for until `due` */
	unsigned failures; /* in a row */
	uint64_t due;	   /* when something is to be done; 0: at once */
};

struct subscribe {
	bool running;
	bool told_trouble, told_subscribed;
	uint32_t generation; /* of the last restart */
	uint32_t spread;     /* so that a thousand ports do not ask in step */
	struct subscribe_trap traps[SUBSCRIBE_TRAPS];
};

struct subscribe_request {
	uint64_t cookie; /* for the reply; below 2^40 */
	uint8_t mad[MAD_SIZE];
};

/* Not running. `seed` is anything that differs between ports. */
void subscribe_init(struct subscribe *s, uint32_t seed);

/*
 * Everything is asked anew, at once: the port became active, its LID or the manager changed, or
 * the manager asked its clients to register again.
 */
void subscribe_restart(struct subscribe *s);

/* The port is down or there is no manager: nothing is asked, and nothing is subscribed. */
void subscribe_stop(struct subscribe *s);

/* A request to be sent now; false when there is none (any more). */
bool subscribe_next(struct subscribe *s, uint64_t now, struct subscribe_request *ret);

/*
 * What came for a request. 0, -ESTALE for one from before the last restart, -EBADMSG for what is no
 * answer to it (which then still may come), -EREMOTE where the class is redirected: the caller
 * finds out where to, and restarts.
 */
int subscribe_reply(struct subscribe *s, uint64_t cookie, const uint8_t *mad, size_t len,
		    uint64_t now);

/* When subscribe_next() is to be called again; UINT64_MAX while not running. */
uint64_t subscribe_due(const struct subscribe *s);

/* The traps that are subscribed to, as a mask of the places in `traps`. */
unsigned subscribe_mask(const struct subscribe *s);

/*
 * What an administrator of this host should be told, each once until it is otherwise: silence or a
 * refusal (with the trap and the status), and that all is well again.
 */
enum subscribe_news subscribe_news(struct subscribe *s, struct subscribe_trap *ret);
