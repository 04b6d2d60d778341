/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model: nodes with ports, links between ports, and what the subnet management agent of each
 * keeps. Everything else (routing, agents, clients, sysfs) works on these structures. Nodes live
 * until the simulator ends, so pointers to nodes and ports stay good; a removed node has no links.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "mad.h"

#define NAME_SIZE 64
#define LINK_STATE_DOWN 1
#define LINK_STATE_INIT 2
#define LINK_STATE_ARMED 3
#define LINK_STATE_ACTIVE 4
#define PHYS_POLLING 2
#define PHYS_DISABLED 3
#define PHYS_LINK_UP 5

#define PKEYS_MAX 32
#define GIDS_MAX 8
#define LIDS_UNICAST 0xc000
#define MLIDS 1024
#define MFT_POSITIONS 16

/* Bits of PortInfo:CapabilityMask. */
#define CAP_IS_SM (1u << 1)
#define CAP_IS_DM (1u << 19)
/* Trap, automatic migration, SL mapping, system GUID, extended speeds, CM, vendor class,
 * capability mask notice, client reregistration. */
#define CAP_DEFAULT                                                                                \
	(1u << 3 | 1u << 5 | 1u << 6 | 1u << 11 | 1u << 14 | 1u << 16 | 1u << 20 | 1u << 22 |      \
	 1u << 25)

enum node_type { NODE_CA = 1, NODE_SWITCH = 2 };

struct fabric;
struct node;
struct host;
struct umad_port;

/* Counters of whole messages, as a client or an agent sees them. */
struct counters {
	uint64_t sm, sa, dm, other, lost;
};

struct port {
	struct node *node;
	uint8_t num;
	struct port *peer; /* the other end of the cable */
	bool cable_up;	   /* the cable is plugged in; held equal at both ends */
	bool disabled;	   /* by PortInfo:PortPhysicalState */
	bool ethernet;
	char netdev[16];
	uint8_t info[64]; /* PortInfo as on the wire */
	uint8_t guids[GIDS_MAX][8];
	uint8_t gid_ethernet[16];
	uint16_t pkeys[PKEYS_MAX];
	uint8_t sl_to_vl[8];
	uint8_t vl_arb[4][64];
	struct kernel_port *kernel; /* of an attached host, else NULL */
	struct timer trap_timer;    /* repeats trap 128 or 144 until it is repressed */
	unsigned trap_repeats;
	uint64_t trap_tid;
	uint16_t trap_num;
};

struct fault;

struct node {
	struct fabric *fabric;
	char name[NAME_SIZE];
	char desc[64];
	enum node_type type;
	uint64_t guid;
	uint8_t n_ports;
	bool removed;
	struct port *ports; /* from 0; of a channel adapter 0 is not used */
	struct host *host;  /* where clients may attach, else NULL */
	char device[NAME_SIZE];
	struct iou *iou; /* its Device Management, or NULL */
	uint64_t latency_nsec;
	double loss;
	struct counters sent, received;
	uint64_t dm_queries[4]; /* ClassPortInfo, IOUnitInfo, IOControllerProfile, ServiceEntries */
	/* Of a switch: */
	uint8_t switch_info[20];
	uint8_t *lft;			/* LIDS_UNICAST, 0xff where there is no way */
	uint16_t (*mft)[MFT_POSITIONS]; /* MLIDS */
};

struct fabric {
	struct loop *loop;
	const char *directory; /* of hosts and sockets */
	struct node **nodes;
	unsigned n_nodes, size_nodes;
	struct host **hosts;
	unsigned n_hosts;
	uint64_t latency_nsec;
	double loss;
	uint64_t rng;
	uint64_t next_guid;
	unsigned not_active; /* ports with a link that are not ACTIVE */
	struct fault *faults;
	unsigned n_faults;
	char **partitions; /* the statements, for the Python library */
	unsigned n_partitions;
	struct history *history;
	struct control *control;
	uint64_t next_client_id;  /* of MAD agents: the upper half of transaction numbers */
	struct umad_send **sends; /* hash of what waits for an answer, see kernel.c */
};

/* Nodes and links; topology.c and control.c call these. Negative errno. */
int node_new(struct fabric *f, const char *name, enum node_type type, unsigned n_ports,
	     uint64_t guid, struct node **ret);
/* At the end: without links, host and unit, which their owners free. */
void node_free(struct node *n);
struct node *node_find(const struct fabric *f, const char *name);
/* "NODE" or "NODE:PORT"; *ret_port is 0 without a port. */
struct node *node_find_port(const struct fabric *f, const char *text, unsigned *ret_port);
int link_connect(struct fabric *f, struct port *a, struct port *b);
struct port *node_free_port(struct node *n);

/* Changes the link layer. The other end of an InfiniBand cable goes down. */
void port_set_ethernet(struct fabric *f, struct port *p, bool ethernet, const char *netdev);

/* Plugs and pulls the cable of a port, at both ends. */
void cable_set(struct fabric *f, struct port *p, bool up);
/* Brings a whole node out of or back into the fabric: all its cables. */
void node_set_removed(struct fabric *f, struct node *n, bool removed);

/* Whether both ends have a cable and are enabled: directed routes work. */
bool port_has_link(const struct port *p);
/* Whether datagrams other than subnet management pass. */
bool port_is_active(const struct port *p);
/* Makes the state follow cable and enabling, at both ends, with events and traps. */
void link_update(struct fabric *f, struct port *p);
void port_set_state(struct fabric *f, struct port *p, unsigned state);

/* PortInfo fields. */
unsigned port_state(const struct port *p);
unsigned port_phys_state(const struct port *p);
uint16_t port_lid(const struct port *p);
uint16_t port_sm_lid(const struct port *p);
uint32_t port_cap_mask(const struct port *p);
unsigned port_lmc(const struct port *p);
bool port_has_lid(const struct port *p, uint16_t lid);
void port_gid(const struct port *p, unsigned index, uint8_t ret[static 16]);
/* Sets or clears bits; a trap 144 tells the subnet manager. */
void port_change_cap_mask(struct fabric *f, struct port *p, uint32_t set, uint32_t clear);
/* Index of a P_Key whose partition is that of `pkey`, or -1. */
int port_find_pkey(const struct port *p, uint16_t pkey);

/* "node:port" in a buffer of the caller. */
const char *port_name(const struct port *p, char ret[static NAME_SIZE + 8]);

/* A random number, and whether something of this probability happens. */
uint32_t fabric_random(struct fabric *f);
bool fabric_chance(struct fabric *f, double probability);
