/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel of an attached host does with management datagrams (ib_mad and ib_umad): files
 * and agents, transaction numbers, timeouts and retries, RMPP, and who gets what arrives.
 */
#pragma once

#include "carry.h"
#include "channel.h"
#include "lib/protocol.h"

#define AGENTS_MAX 32

struct umad_file;

struct kernel_port {
	struct port *port;
	struct umad_file *files;
	struct io add_target; /* of host.c: what is written to ib_srp */
};

struct agent {
	bool used;
	uint8_t id;
	struct umad_file *file;
	struct rpc_agent what;
	uint64_t hi_tid; /* the upper half of its transaction numbers */
};

struct umad_file {
	struct channel channel; /* first */
	struct umad_file *next;
	struct kernel_port *kernel;
	struct agent agents[AGENTS_MAX];
	void (*on_closed)(struct umad_file *u); /* the client closed its descriptor */
	void *owner;
};

/* Opens the port for a client. Negative errno. */
int umad_file_open(struct port *p, void (*on_closed)(struct umad_file *u), void *owner,
		   struct umad_file **ret, int *ret_client);
/* With all its agents and what they wait for. */
void umad_file_close(struct umad_file *u);

/* The agent's number; -EINVAL when another one has one of its methods, -ENOMEM when there are too
 * many. */
int umad_file_register(struct umad_file *u, const struct rpc_agent *what);
int umad_file_unregister(struct umad_file *u, unsigned id);

/* Something arrived at a port of an attached host. False when nobody there wants it. */
bool kernel_receive(struct message *m);

int kernel_init(struct fabric *f);
void kernel_free(struct fabric *f);
