/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <infiniband/verbs.h>
#include <stdio.h>
#include <stdlib.h>

#include "fabric.h"
#include "history.h"
#include "host.h"
#include "trap.h"

#define GUID_STEP 0x100 /* between nodes; the ports of one are below */

/* Offsets in PortInfo. */
enum {
	PI_GID_PREFIX = 8,
	PI_LID = 16,
	PI_SM_LID = 18,
	PI_CAP_MASK = 20,
	PI_LOCAL_PORT = 28,
	PI_WIDTH_ENABLED = 29,
	PI_WIDTH_SUPPORTED = 30,
	PI_WIDTH_ACTIVE = 31,
	PI_SPEED_STATE = 32,
	PI_PHYS_STATE = 33,
	PI_LMC = 34,
	PI_SPEED = 35,
	PI_MTU_SMSL = 36,
	PI_VL_CAP = 37,
	PI_MTU_CAP = 41,
	PI_OP_VLS = 43,
	PI_GUID_CAP = 50,
	PI_SUBNET_TIMEOUT = 51,
	PI_RESP_TIME = 52,
	PI_SPEED_EXT = 62,
	PI_SPEED_EXT_ENABLED = 63,
};

static void port_init(struct port *p, struct node *n, uint8_t num)
{
	uint8_t *i = p->info;

	p->node = n;
	p->num = num;
	put64(i + PI_GID_PREFIX, 0xfe80000000000000);
	put32(i + PI_CAP_MASK, n->type == NODE_SWITCH && num > 0 ? 0 : CAP_DEFAULT);
	i[PI_LOCAL_PORT] = num;
	i[PI_WIDTH_ENABLED] = i[PI_WIDTH_SUPPORTED] = 0x03; /* 1x or 4x */
	i[PI_WIDTH_ACTIVE] = 2;				    /* 4x */
	i[PI_SPEED_STATE] = 0x70 | LINK_STATE_DOWN;
	i[PI_PHYS_STATE] = PHYS_POLLING << 4 | PHYS_POLLING;
	i[PI_SPEED] = 0x47; /* 10 Gbps active; enabled what is supported */
	i[PI_MTU_SMSL] = 5 << 4;
	i[PI_VL_CAP] = 1 << 4;
	i[PI_MTU_CAP] = 5;
	i[PI_OP_VLS] = 1 << 4;
	i[PI_GUID_CAP] = GIDS_MAX;
	i[PI_SUBNET_TIMEOUT] = 18;
	i[PI_RESP_TIME] = 8;
	i[PI_SPEED_EXT] = 0x23; /* 25 Gbps active */
	i[PI_SPEED_EXT_ENABLED] = 3;
	if (n->type == NODE_SWITCH && num == 0) {
		i[PI_SPEED_STATE] = 0x70 | LINK_STATE_ACTIVE;
		i[PI_PHYS_STATE] = PHYS_LINK_UP << 4 | PHYS_POLLING;
	}
	put64(p->guids[0], n->type == NODE_SWITCH ? n->guid : n->guid + num);
	p->pkeys[0] = 0xffff;
}

static int switch_init(struct node *n)
{
	n->lft = malloc(LIDS_UNICAST);
	n->mft = malloc(MLIDS * sizeof(*n->mft));
	if (!n->lft || !n->mft)
		return -ENOMEM;
	memset(n->lft, 0xff, LIDS_UNICAST);
	memset(n->mft, 0, MLIDS * sizeof(*n->mft));
	put16(n->switch_info, LIDS_UNICAST - 1);
	put16(n->switch_info + 4, MLIDS);
	n->switch_info[8] = 0xff; /* default port: none */
	n->switch_info[9] = 0xff;
	n->switch_info[10] = 0xff;
	n->switch_info[11] = 18 << 3; /* packets live as long as subnet_timeout */
	put16(n->switch_info + 14, PKEYS_MAX);
	return 0;
}

void node_free(struct node *n)
{
	free(n->ports);
	free(n->lft);
	free(n->mft);
	free(n);
}

int node_new(struct fabric *f, const char *name, enum node_type type, unsigned n_ports,
	     uint64_t guid, struct node **ret)
{
	struct node *n;

	if (!name[0] || strlen(name) >= NAME_SIZE || strchr(name, ':') || n_ports < 1 ||
	    n_ports > 254)
		return -EINVAL;
	if (node_find(f, name))
		return -EEXIST;
	if (f->n_nodes == f->size_nodes) {
		unsigned size = f->size_nodes ? f->size_nodes * 2 : 64;
		struct node **nodes = realloc(f->nodes, size * sizeof(struct node *));

		if (!nodes)
			return -ENOMEM;
		f->nodes = nodes;
		f->size_nodes = size;
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->ports = calloc(n_ports + 1, sizeof(*n->ports));
	snprintf(n->name, sizeof(n->name), "%s", name);
	snprintf(n->desc, sizeof(n->desc), "%s", name);
	n->fabric = f;
	n->type = type;
	n->n_ports = (uint8_t)n_ports;
	n->guid = guid ? guid : (f->next_guid += GUID_STEP);
	if (!n->ports || (type == NODE_SWITCH && switch_init(n) < 0)) {
		node_free(n);
		return -ENOMEM;
	}
	for (unsigned i = 0; i <= n_ports; i++)
		port_init(&n->ports[i], n, (uint8_t)i);
	f->nodes[f->n_nodes++] = n;
	*ret = n;
	return 0;
}

struct node *node_find(const struct fabric *f, const char *name)
{
	for (unsigned i = 0; i < f->n_nodes; i++)
		if (strcmp(f->nodes[i]->name, name) == 0)
			return f->nodes[i];
	return NULL;
}

struct node *node_find_port(const struct fabric *f, const char *text, unsigned *ret_port)
{
	const char *colon = strchr(text, ':');
	char name[NAME_SIZE];
	struct node *n;
	unsigned long num = 0;

	if (!colon)
		colon = text + strlen(text);
	if ((size_t)(colon - text) >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(colon - text), text);
	n = node_find(f, name);
	if (!n)
		return NULL;
	if (*colon) {
		char *end;

		num = strtoul(colon + 1, &end, 10);
		if (*end || end == colon + 1 || num < 1 || num > n->n_ports)
			return NULL;
	}
	*ret_port = (unsigned)num;
	return n;
}

struct port *node_free_port(struct node *n)
{
	for (unsigned i = 1; i <= n->n_ports; i++)
		if (!n->ports[i].peer && !n->ports[i].ethernet)
			return &n->ports[i];
	return NULL;
}

int link_connect(struct fabric *f, struct port *a, struct port *b)
{
	if (a == b || a->peer || b->peer || a->ethernet || b->ethernet)
		return -EBUSY;
	a->peer = b;
	b->peer = a;
	a->cable_up = b->cable_up = true;
	link_update(f, a);
	return 0;
}

const char *port_name(const struct port *p, char ret[static NAME_SIZE + 8])
{
	snprintf(ret, NAME_SIZE + 8, "%s:%u", p->node->name, p->num);
	return ret;
}

unsigned port_state(const struct port *p)
{
	return p->info[PI_SPEED_STATE] & 0xf;
}

unsigned port_phys_state(const struct port *p)
{
	return p->info[PI_PHYS_STATE] >> 4;
}

uint16_t port_lid(const struct port *p)
{
	return get16(p->info + PI_LID);
}

uint16_t port_sm_lid(const struct port *p)
{
	return get16(p->info + PI_SM_LID);
}

uint32_t port_cap_mask(const struct port *p)
{
	return get32(p->info + PI_CAP_MASK);
}

unsigned port_lmc(const struct port *p)
{
	return p->info[PI_LMC] & 7;
}

bool port_has_lid(const struct port *p, uint16_t lid)
{
	uint16_t base = port_lid(p);

	return base && lid >= base && lid < base + (1u << port_lmc(p));
}

void port_gid(const struct port *p, unsigned index, uint8_t ret[static 16])
{
	memset(ret, 0, 16);
	if (index >= GIDS_MAX)
		return;
	if (p->ethernet) {
		if (index == 0)
			memcpy(ret, p->gid_ethernet, 16);
		return;
	}
	memcpy(ret, p->info + PI_GID_PREFIX, 8);
	memcpy(ret + 8, p->guids[index], 8);
}

int port_find_pkey(const struct port *p, uint16_t pkey)
{
	int limited = -1;

	/* A full membership goes before a limited one of the same partition. */
	for (int i = 0; i < PKEYS_MAX; i++) {
		if (!(p->pkeys[i] & 0x7fff) || (p->pkeys[i] & 0x7fff) != (pkey & 0x7fff))
			continue;
		if (p->pkeys[i] & 0x8000)
			return i;
		limited = i;
	}
	return pkey & 0x8000 ? limited : -1;
}

void port_change_cap_mask(struct fabric *f, struct port *p, uint32_t set, uint32_t clear)
{
	uint32_t mask = (port_cap_mask(p) & ~clear) | set;

	if (mask == port_cap_mask(p))
		return;
	put32(p->info + PI_CAP_MASK, mask);
	host_port_changed(p);
	trap_capability(f, p);
}

bool port_has_link(const struct port *p)
{
	if (p->ethernet)
		return p->cable_up && !p->node->removed;
	return p->peer && p->cable_up && !p->peer->ethernet && !p->disabled && !p->peer->disabled &&
	       !p->node->removed && !p->peer->node->removed;
}

bool port_is_active(const struct port *p)
{
	if (p->node->type == NODE_SWITCH && p->num == 0)
		return !p->node->removed;
	if (!port_has_link(p) || port_state(p) != LINK_STATE_ACTIVE)
		return false;
	return p->ethernet || port_state(p->peer) >= LINK_STATE_ARMED;
}

static bool state_is_on_its_way(unsigned state)
{
	return state == LINK_STATE_INIT || state == LINK_STATE_ARMED;
}

void port_set_state(struct fabric *f, struct port *p, unsigned state)
{
	unsigned old = port_state(p);
	char name[NAME_SIZE + 8];

	if (old == state)
		return;
	p->info[PI_SPEED_STATE] = (uint8_t)((p->info[PI_SPEED_STATE] & 0xf0) | state);
	f->not_active += state_is_on_its_way(state);
	f->not_active -= state_is_on_its_way(old);
	host_port_changed(p);
	if (p->node->host && state == LINK_STATE_ACTIVE)
		host_event(p, IBV_EVENT_PORT_ACTIVE);
	else if (p->node->host && old == LINK_STATE_ACTIVE)
		host_event(p, IBV_EVENT_PORT_ERR);
	if (state == LINK_STATE_DOWN)
		history_add(f, "port %s down", port_name(p, name));
	else if (p->node->host)
		history_add(f, "port %s state %u", port_name(p, name), state);
	if (f->not_active == 0 && state == LINK_STATE_ACTIVE)
		history_add(f, "subnet active");
}

/* One end of link_update(). */
static void end_update(struct fabric *f, struct port *p)
{
	bool up = port_has_link(p), was = port_state(p) != LINK_STATE_DOWN;
	unsigned phys = up ? PHYS_LINK_UP : p->disabled ? PHYS_DISABLED : PHYS_POLLING;

	p->info[PI_PHYS_STATE] = (uint8_t)(phys << 4 | (p->info[PI_PHYS_STATE] & 0xf));
	if (up == was) {
		host_port_changed(p);
		return;
	}
	port_set_state(f, p,
		       !up	     ? LINK_STATE_DOWN
		       : p->ethernet ? LINK_STATE_ACTIVE
				     : LINK_STATE_INIT);
	if (p->node->type == NODE_SWITCH && !p->node->removed)
		trap_link_state(f, p);
}

void link_update(struct fabric *f, struct port *p)
{
	end_update(f, p);
	if (p->peer)
		end_update(f, p->peer);
}

void port_set_ethernet(struct fabric *f, struct port *p, bool ethernet, const char *netdev)
{
	uint64_t guid = p->node->guid;

	port_set_state(f, p, LINK_STATE_DOWN);
	p->ethernet = ethernet;
	snprintf(p->netdev, sizeof(p->netdev), "%.15s", netdev);
	/* The link-local GID of a MAC address made from the GUID: ff:fe in its middle. */
	put64(p->gid_ethernet, 0xfe80000000000000);
	put64(p->gid_ethernet + 8,
	      (guid & 0xff0000) << 40 | UINT64_C(0xfffe000000) | (guid & 0xffff00) | p->num);
	link_update(f, p);
}

void cable_set(struct fabric *f, struct port *p, bool up)
{
	p->cable_up = up;
	if (p->peer)
		p->peer->cable_up = up;
	link_update(f, p);
}

/* A node that comes back starts anew. */
static void node_reset(struct node *n)
{
	for (unsigned i = 0; i <= n->n_ports; i++) {
		struct port *p = &n->ports[i];

		put16(p->info + PI_LID, 0);
		put16(p->info + PI_SM_LID, 0);
		memset(p->pkeys, 0, sizeof(p->pkeys));
		p->pkeys[0] = 0xffff;
	}
	if (n->type == NODE_SWITCH)
		memset(n->lft, 0xff, LIDS_UNICAST);
}

void node_set_removed(struct fabric *f, struct node *n, bool removed)
{
	if (n->removed == removed)
		return;
	n->removed = removed;
	if (!removed)
		node_reset(n);
	if (!removed && n->host)
		(void)host_device_added(n);
	for (unsigned i = 1; i <= n->n_ports; i++)
		link_update(f, &n->ports[i]);
	if (removed && n->host)
		host_device_removed(n);
	history_add(f, "node %s %s", n->name, removed ? "removed" : "added");
}

uint32_t fabric_random(struct fabric *f)
{
	/* xorshift64*: the same every run, which is what a test wants. */
	f->rng ^= f->rng >> 12;
	f->rng ^= f->rng << 25;
	f->rng ^= f->rng >> 27;
	return (uint32_t)((f->rng * UINT64_C(2685821657736338717)) >> 32);
}

bool fabric_chance(struct fabric *f, double probability)
{
	return probability > 0 && fabric_random(f) < probability * 4294967296.0;
}
