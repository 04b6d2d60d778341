/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "carry.h"

#include <stdlib.h>

#include "dm.h"
#include "fault.h"
#include "kernel.h"
#include "route.h"
#include "sma.h"

/* How long the kernel's RMPP needs to have a lost segment sent again. */
#define SEGMENT_RESEND_NSEC (20 * NSEC_PER_MSEC)

struct message *message_new(struct fabric *f, struct port *from, const void *data, size_t len)
{
	struct message *m = calloc(1, sizeof(*m) + (len < MAD_SIZE ? MAD_SIZE : len));

	if (!m)
		return NULL;
	m->fabric = f;
	m->from = from;
	m->len = len < MAD_SIZE ? MAD_SIZE : len;
	memcpy(m->data, data, len);
	return m;
}

static void count(struct counters *c, const struct message *m)
{
	if (mad_is_smp(m->data))
		c->sm++;
	else if (m->data[MAD_CLASS] == CLASS_SA)
		c->sa++;
	else if (m->data[MAD_CLASS] == CLASS_DM)
		c->dm++;
	else
		c->other++;
}

static void lose(struct message *m)
{
	m->from->node->sent.lost++;
	free(m);
}

static struct port *find_way(struct message *m)
{
	if (m->data[MAD_CLASS] == CLASS_SM_DIRECT) {
		if (m->from->ethernet)
			return NULL;
		if (get16(m->data + MAD_STATUS) & STATUS_DIRECTION)
			return route_directed_back(m->from, m->data);
		return route_directed(m->from, m->data);
	}
	if (m->from->ethernet)
		return m->grh ? route_gid(m->fabric, m->from, m->dgid) : NULL;
	return route_lid(m->from, m->dlid, m->data[MAD_CLASS] == CLASS_SM_LID);
}

/* The P_Key of a general datagram must be in the receiver's table, with a full member at one end. */
static bool pkey_passes(const struct message *m)
{
	return mad_is_smp(m->data) || m->to->ethernet || port_find_pkey(m->to, m->pkey) >= 0;
}

static void answer_unmatched(const struct message *m)
{
	uint8_t mad[MAD_SIZE];

	if (m->data[MAD_METHOD] != METHOD_GET && m->data[MAD_METHOD] != METHOD_SET)
		return;
	memcpy(mad, m->data, sizeof(mad));
	mad[MAD_METHOD] = METHOD_GET_RESP;
	put16(mad + MAD_STATUS, STATUS_BAD_ATTRIBUTE);
	carry_reply(m, mad, sizeof(mad));
}

/* Whoever is at the port, in the order of a real one: firmware, the kernel's clients, its agents. */
static void arrive(struct message *m)
{
	if (mad_is_smp(m->data)) {
		if (!sma_receive(m) && m->to->kernel)
			(void)kernel_receive(m);
		return;
	}
	if (m->to->kernel && kernel_receive(m))
		return;
	if (mad_is_response(m->data) || m->to->node->type == NODE_SWITCH)
		return;
	if (m->data[MAD_CLASS] == CLASS_DM && m->to->node->iou)
		dm_receive(m);
	else
		answer_unmatched(m);
}

static void on_arrival(struct timer *t)
{
	struct message *m = (struct message *)t;

	if (m->to->node->removed || (m->to != m->from && m->to->num > 0 && !port_has_link(m->to))) {
		lose(m);
		return;
	}
	count(&m->to->node->received, m);
	arrive(m);
	free(m);
}

static bool is_lost(struct message *m, unsigned segments, uint64_t *delay)
{
	struct fabric *f = m->fabric;
	double loss = f->loss + m->from->node->loss + m->to->node->loss;

	if (loss <= 0)
		return false;
	if (fabric_chance(f, loss))
		return true;
	/* Later segments are repeated by RMPP, those of one window in one go. */
	for (unsigned i = 1; i < segments; i++)
		if (fabric_chance(f, loss)) {
			*delay += SEGMENT_RESEND_NSEC;
			i += 32;
		}
	return false;
}

void carry(struct message *m)
{
	struct fabric *f = m->fabric;
	uint64_t delay = 0;

	count(&m->from->node->sent, m);
	m->to = find_way(m);
	if (!m->to || !pkey_passes(m)) {
		lose(m);
		return;
	}
	m->slid = port_lid(m->from);
	port_gid(m->from, 0, m->sgid);
	if (m->to->node != m->from->node) {
		unsigned segments = (unsigned)(m->len / RMPP_DATA_SIZE);

		delay = f->latency_nsec + m->from->node->latency_nsec + m->to->node->latency_nsec;
		if (is_lost(m, segments, &delay)) {
			lose(m);
			return;
		}
	}
	fault_apply(m, delay);
}

void carry_after(struct message *m, uint64_t delay_nsec)
{
	m->timer.on_time = on_arrival;
	timer_set(m->fabric->loop, &m->timer, loop_now(m->fabric->loop) + delay_nsec);
}

void carry_reply(const struct message *m, const void *data, size_t len)
{
	/* On a directed route the answer leaves from where the request came in. */
	struct message *r = message_new(m->fabric, m->to, data, len);

	if (!r)
		return;
	r->dlid = m->slid;
	r->sl = m->sl;
	r->grh = m->grh;
	memcpy(r->dgid, m->sgid, sizeof(r->dgid));
	r->pkey = m->pkey;
	if (m->to->node->type == NODE_CA && !mad_is_smp(m->data)) {
		int i = port_find_pkey(m->to, m->pkey);

		if (i >= 0)
			r->pkey = m->to->pkeys[i];
	}
	r->src_qp = mad_is_smp(m->data) ? 0 : 1;
	carry(r);
}

void carry_smp_lid(struct fabric *f, struct port *from, uint16_t dlid, const uint8_t *mad)
{
	struct message *m = message_new(f, from, mad, MAD_SIZE);

	if (!m)
		return;
	m->dlid = dlid;
	carry(m);
}

void carry_end(struct fabric *f)
{
	struct timer *t;

	while ((t = loop_take_timer(f->loop)) != NULL)
		if (t->on_time == on_arrival)
			free(t);
}
