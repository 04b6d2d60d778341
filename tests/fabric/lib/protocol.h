/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two replacement libraries and the simulator say to each other. A library connects to the
 * socket in the directory of its host (environment variable FABRIC_HOST) and sends requests of one
 * struct rpc_request, each answered by one struct rpc_reply. An open is answered with a second
 * descriptor (SCM_RIGHTS), the channel: datagrams (struct ib_user_mad and what follows) for a MAD
 * port, struct rpc_event for a verbs device. It is what the program polls. Closing either of the
 * two descriptors closes the port or device.
 *
 * A datagram longer than CHANNEL_INLINE comes as its first CHANNEL_INLINE bytes with a sealed memory
 * file that holds the whole of it. So its size has no limit and the queue is the socket's own.
 */
#pragma once

#include <stdint.h>

#define FABRIC_HOST_ENV "FABRIC_HOST"
#define FABRIC_SOCKET_NAME "socket"

#define CHANNEL_INLINE 4096
#define CHANNEL_LENGTH_MAX (64u << 20)

enum rpc_op {
	RPC_UMAD_OPEN = 1, /* device, port; a channel comes back */
	RPC_UMAD_REGISTER, /* agent; its number comes back */
	RPC_UMAD_UNREGISTER,
	RPC_VERBS_OPEN, /* device; a channel comes back */
	RPC_QUERY_PORT, /* of the opened device */
	RPC_QUERY_PKEY, /* port, index */
	RPC_QUERY_GID,	/* port, index */
};

struct rpc_agent {
	uint8_t mgmt_class;
	uint8_t version;
	uint8_t rmpp_version;
	uint8_t user_rmpp;
	uint32_t oui;
	uint64_t methods[2];
};

struct rpc_request {
	uint32_t op;
	uint32_t port;
	uint32_t index; /* of a P_Key or GID, or the agent to unregister */
	char device[64];
	struct rpc_agent agent;
};

struct rpc_port {
	uint32_t state, phys_state, cap_mask;
	uint16_t lid, sm_lid;
	uint8_t lmc, sm_sl, subnet_timeout, link_layer;
	uint32_t n_gids, n_pkeys;
};

struct rpc_reply {
	int32_t result; /* 0 or more, or negative errno */
	uint16_t pkey;	/* big endian */
	uint8_t n_ports;
	uint8_t gid[16];
	uint64_t node_guid; /* big endian */
	struct rpc_port port;
};

struct rpc_event {
	uint32_t type; /* enum ibv_event_type */
	uint32_t port;
};
