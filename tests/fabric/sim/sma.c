/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sma.h"

#include <infiniband/verbs.h>

#include "history.h"
#include "host.h"
#include "trap.h"

/* What an attribute's handler works on. */
struct smp {
	struct fabric *fabric;
	struct node *node;
	struct port *in; /* where it came in */
	bool set;
	uint32_t mod;
	uint8_t *data; /* SMP_DATA_SIZE bytes: the request's, then the answer's */
};

/* The port a modifier names; 0 means, on a channel adapter, the one it came in by. */
static struct port *port_of(const struct smp *s, unsigned num)
{
	if (num == 0)
		return s->node->type == NODE_SWITCH ? &s->node->ports[0] : s->in;
	return num <= s->node->n_ports ? &s->node->ports[num] : NULL;
}

static uint16_t node_description(struct smp *s)
{
	if (s->set)
		return STATUS_BAD_ATTRIBUTE;
	memcpy(s->data, s->node->desc, SMP_DATA_SIZE);
	return 0;
}

static uint16_t node_info(struct smp *s)
{
	const struct node *n = s->node;
	uint8_t *d = s->data;

	if (s->set)
		return STATUS_BAD_ATTRIBUTE;
	memset(d, 0, SMP_DATA_SIZE);
	d[0] = 1;
	d[1] = 1;
	d[2] = (uint8_t)n->type;
	d[3] = n->n_ports;
	put64(d + 4, n->guid);
	put64(d + 12, n->guid);
	memcpy(d + 20, n->ports[n->type == NODE_SWITCH ? 0 : s->in->num].guids[0], 8);
	put16(d + 28, PKEYS_MAX);
	put16(d + 30, 0x5352); /* device */
	put32(d + 32, 1);      /* revision */
	d[36] = s->in->num;
	d[37] = 0x52; /* vendor */
	d[38] = 0x54;
	d[39] = 0x00;
	return 0;
}

static uint16_t switch_info(struct smp *s)
{
	uint8_t *info = s->node->switch_info;

	if (s->node->type != NODE_SWITCH)
		return STATUS_BAD_ATTRIBUTE;
	if (s->set) {
		memcpy(info + 6, s->data + 6, 5); /* linear top, default ports */
		/* Life time; PortStateChange is cleared by a one. */
		info[11] = (uint8_t)((s->data[11] & 0xf8) | (info[11] & ~s->data[11] & 0x04));
		memcpy(info + 18, s->data + 18, 2); /* multicast top */
	}
	memset(s->data, 0, SMP_DATA_SIZE);
	memcpy(s->data, info, sizeof(s->node->switch_info));
	return 0;
}

static uint16_t guid_info(struct smp *s)
{
	struct port *p = s->in;

	if (s->node->type == NODE_SWITCH)
		p = &s->node->ports[0];
	if (s->mod > 0)
		return STATUS_BAD_VALUE;
	if (s->set) {
		memcpy(p->guids[1], s->data + 8, (GIDS_MAX - 1) * 8);
		host_port_changed(p);
	}
	memcpy(s->data, p->guids, SMP_DATA_SIZE);
	return 0;
}

/* The bits of PortInfo a Set may change; LID and states have their own ways. */
static const uint8_t port_info_writable[64] = {
	[0] = 0xff,  0xff,	  0xff,	       0xff,	    0xff,
	0xff,	     0xff,	  0xff, /* M_Key */
	[8] = 0xff,  0xff,	  0xff,	       0xff,	    0xff,
	0xff,	     0xff,	  0xff,		     /* GID prefix */
	[16] = 0xff, 0xff,	  0xff,	       0xff, /* LID, SM's LID */
	[26] = 0xff, 0xff,			     /* M_Key lease */
	[33] = 0x0f,				     /* LinkDownDefaultState */
	[34] = 0xc7,				     /* protection, LMC */
	[36] = 0xff,				     /* MTU, SM's SL */
	[37] = 0x0f,				     /* InitType */
	[38] = 0xff, [42] = 0xff, [43] = 0xff, [51] = 0x1f, [53] = 0xff,
};

/* Why host programs are to look again. */
static void tell_changes(struct port *p, const uint8_t *old, bool reregister)
{
	static const struct {
		uint8_t at, size;
		unsigned event;
	} watched[] = {
		{ 8, 8, IBV_EVENT_GID_CHANGE },
		{ 16, 2, IBV_EVENT_LID_CHANGE },
		{ 18, 2, IBV_EVENT_SM_CHANGE },
	};
	char name[NAME_SIZE + 8];

	if (!p->node->host)
		return;
	host_port_changed(p);
	for (unsigned i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		if (memcmp(old + watched[i].at, p->info + watched[i].at, watched[i].size) != 0) {
			host_event(p, watched[i].event);
			history_add(p->node->fabric, "port %s lid %u sm_lid %u", port_name(p, name),
				    port_lid(p), port_sm_lid(p));
		}
	if (reregister) {
		host_event(p, IBV_EVENT_CLIENT_REREGISTER);
		history_add(p->node->fabric, "port %s reregister", port_name(p, name));
	}
}

static uint16_t change_phys_state(struct fabric *f, struct port *p, unsigned phys)
{
	if (phys == 0 || phys == PHYS_LINK_UP)
		return 0;
	if (phys != PHYS_POLLING && phys != PHYS_DISABLED)
		return STATUS_BAD_VALUE;
	p->disabled = phys == PHYS_DISABLED;
	link_update(f, p);
	return 0;
}

/* What Set(PortInfo:PortState) may do, at one end of a link. */
static uint16_t change_state(struct fabric *f, struct port *p, unsigned state)
{
	unsigned old = port_state(p);

	if (state == 0 || state == old || p->num == 0)
		return 0;
	if (state == LINK_STATE_DOWN) {
		/* Both ends train anew. */
		cable_set(f, p, false);
		cable_set(f, p, true);
		return 0;
	}
	if (old == LINK_STATE_DOWN || state == LINK_STATE_INIT || state > LINK_STATE_ACTIVE)
		return STATUS_BAD_VALUE;
	if (state == LINK_STATE_ARMED && old == LINK_STATE_ACTIVE)
		return STATUS_BAD_VALUE;
	port_set_state(f, p, state);
	return 0;
}

uint16_t sma_set_port_info(struct fabric *f, struct port *p, const uint8_t *data)
{
	bool external = p->node->type == NODE_SWITCH && p->num > 0;
	uint8_t old[64];
	uint16_t status;

	memcpy(old, p->info, sizeof(old));
	for (unsigned i = external ? 26 : 0; i < 64; i++)
		p->info[i] = (uint8_t)((p->info[i] & ~port_info_writable[i]) |
				       (data[i] & port_info_writable[i]));
	if (data[29] && data[29] != 0xff)
		p->info[29] = data[29];
	status = change_phys_state(f, p, data[33] >> 4);
	if (!status)
		status = change_state(f, p, data[32] & 0xf);
	tell_changes(p, old, data[51] & 0x80);
	return status;
}

static uint16_t port_info(struct smp *s)
{
	struct port *p = port_of(s, s->mod & 0xff);
	uint16_t status = 0;

	if (!p)
		return STATUS_BAD_VALUE;
	if (s->set)
		status = sma_set_port_info(s->fabric, p, s->data);
	memcpy(s->data, p->info, SMP_DATA_SIZE);
	s->data[28] = s->in->num;
	return status;
}

static uint16_t pkey_table(struct smp *s)
{
	struct port *p = port_of(s, s->node->type == NODE_SWITCH ? s->mod >> 16 : 0);
	char name[NAME_SIZE + 8];
	uint16_t pkeys[PKEYS_MAX];

	if (!p || (s->mod & 0xffff) != 0)
		return STATUS_BAD_VALUE;
	for (unsigned i = 0; s->set && i < PKEYS_MAX; i++)
		pkeys[i] = get16(s->data + 2 * i);
	if (s->set && memcmp(pkeys, p->pkeys, sizeof(pkeys)) != 0) {
		memcpy(p->pkeys, pkeys, sizeof(pkeys));
		if (p->node->host) {
			host_port_changed(p);
			host_event(p, IBV_EVENT_PKEY_CHANGE);
			history_add(s->fabric, "port %s pkeys", port_name(p, name));
		}
	}
	for (unsigned i = 0; i < PKEYS_MAX; i++)
		put16(s->data + 2 * i, p->pkeys[i]);
	return 0;
}

static uint16_t sl_to_vl(struct smp *s)
{
	/* One table a port: that it may differ by ingress port matters to nobody here. */
	struct port *p = port_of(s, s->mod & 0xff);

	if (!p)
		return STATUS_BAD_VALUE;
	if (s->set)
		memcpy(p->sl_to_vl, s->data, sizeof(p->sl_to_vl));
	memset(s->data, 0, SMP_DATA_SIZE);
	memcpy(s->data, p->sl_to_vl, sizeof(p->sl_to_vl));
	return 0;
}

static uint16_t vl_arb(struct smp *s)
{
	struct port *p = port_of(s, s->mod & 0xff);
	unsigned block = s->mod >> 16;

	if (!p || block < 1 || block > 4)
		return STATUS_BAD_VALUE;
	if (s->set)
		memcpy(p->vl_arb[block - 1], s->data, SMP_DATA_SIZE);
	memcpy(s->data, p->vl_arb[block - 1], SMP_DATA_SIZE);
	return 0;
}

static uint16_t linear_table(struct smp *s)
{
	if (s->node->type != NODE_SWITCH)
		return STATUS_BAD_ATTRIBUTE;
	if (s->mod >= LIDS_UNICAST / SMP_DATA_SIZE)
		return STATUS_BAD_VALUE;
	if (s->set)
		memcpy(s->node->lft + s->mod * SMP_DATA_SIZE, s->data, SMP_DATA_SIZE);
	memcpy(s->data, s->node->lft + s->mod * SMP_DATA_SIZE, SMP_DATA_SIZE);
	return 0;
}

static uint16_t multicast_table(struct smp *s)
{
	unsigned block = s->mod & 0x1ff, position = s->mod >> 28;

	if (s->node->type != NODE_SWITCH)
		return STATUS_BAD_ATTRIBUTE;
	if (block >= MLIDS / 32 || position >= MFT_POSITIONS)
		return STATUS_BAD_VALUE;
	for (unsigned i = 0; i < 32; i++) {
		uint16_t *entry = &s->node->mft[block * 32 + i][position];

		if (s->set)
			*entry = get16(s->data + 2 * i);
		put16(s->data + 2 * i, *entry);
	}
	return 0;
}

static uint16_t dispatch(struct smp *s, uint16_t attr)
{
	switch (attr) {
	case ATTR_NODE_DESCRIPTION:
		return node_description(s);
	case ATTR_NODE_INFO:
		return node_info(s);
	case ATTR_SWITCH_INFO:
		return switch_info(s);
	case ATTR_GUID_INFO:
		return guid_info(s);
	case ATTR_PORT_INFO:
		return port_info(s);
	case ATTR_PKEY_TABLE:
		return pkey_table(s);
	case ATTR_SL_TO_VL:
		return sl_to_vl(s);
	case ATTR_VL_ARB:
		return vl_arb(s);
	case ATTR_LFT:
		return linear_table(s);
	case ATTR_MFT:
		return multicast_table(s);
	default:
		return STATUS_BAD_ATTRIBUTE;
	}
}

bool sma_receive(const struct message *m)
{
	uint8_t mad[MAD_SIZE];
	uint8_t method = m->data[MAD_METHOD];
	uint16_t attr = get16(m->data + MAD_ATTR), status;
	struct smp s = {
		.fabric = m->fabric,
		.node = m->to->node,
		.in = m->to,
		.set = method == METHOD_SET,
		.mod = get32(m->data + MAD_ATTR_MOD),
		.data = mad + SMP_DATA,
	};

	if (method == METHOD_TRAP_REPRESS && !m->to->kernel) {
		struct port *p = s.node->type == NODE_SWITCH ? &s.node->ports[0] : m->to;

		trap_repressed(m->fabric, p, m->data + SMP_DATA);
		return true;
	}
	if (method == METHOD_TRAP_REPRESS)
		trap_repressed(m->fabric, m->to, m->data + SMP_DATA);
	if ((method != METHOD_GET && method != METHOD_SET) || attr == ATTR_SM_INFO)
		return false;
	memcpy(mad, m->data, sizeof(mad));
	status = dispatch(&s, attr);
	mad[MAD_METHOD] = METHOD_GET_RESP;
	if (mad[MAD_CLASS] == CLASS_SM_DIRECT)
		status |= STATUS_DIRECTION;
	put16(mad + MAD_STATUS, status);
	carry_reply(m, mad, sizeof(mad));
	return true;
}
