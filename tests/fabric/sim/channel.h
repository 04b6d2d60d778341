/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's end of a channel to a client (lib/protocol.h): never blocks, keeps what is due. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "loop.h"

#define CHANNEL_QUEUE_MAX 200000 /* as the kernel's limit of a umad file */

struct channel_item;

struct channel {
	struct io io; /* first: on_io casts */
	struct loop *loop;
	struct channel_item *head, **tail;
	unsigned n_items;
	void (*on_readable)(struct channel *c); /* also at its end */
};

/* Makes a pair; *ret_client is for the client. Negative errno. */
int channel_open(struct channel *c, struct loop *loop, void (*on_readable)(struct channel *c),
		 int *ret_client);
void channel_close(struct channel *c);

/* Queues a datagram; one too many is dropped, as the kernel does. */
void channel_push(struct channel *c, const void *data, size_t len);

/*
 * Takes the next datagram, whole, into memory of the caller's to free. Its length; 0 when there is
 * none; -EPIPE when the client has closed; -EBADMSG for what is no datagram.
 */
ssize_t channel_pull(struct channel *c, void **ret);
