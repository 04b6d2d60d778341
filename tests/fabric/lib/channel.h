/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The libraries' side of protocol.h: a connection to the simulator, requests over it, and the
 * datagrams of a MAD channel. Functions return negative errno.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "protocol.h"

/* The directory of the host this process sits on, or NULL without a fabric. */
const char *host_directory(void);

/* Connects to the simulator. A descriptor. */
int rpc_connect(void);

/* One request and its answer. *ret_fd (if not NULL) is the descriptor that came with it, or -1. The
 * result of the answer. */
int rpc_call(int fd, const struct rpc_request *request, struct rpc_reply *ret, int *ret_fd);

/* Sends one datagram whole, waiting where there is no room. 0. */
int channel_send(int fd, const void *data, size_t len);

/*
 * Takes the next datagram. When it is longer than `size` nothing but its beginning is copied, it
 * stays in the channel, and its length is returned: the caller sees by ret > size. -EIO when the
 * simulator is gone or the device removed.
 */
ssize_t channel_receive(int fd, void *data, size_t size);
