/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "route.h"

#include "carry.h"

#define HOPS_MAX 64

struct port *route_lid(const struct port *from, uint16_t dlid, bool management)
{
	const struct port *out = from;

	if (port_has_lid(from, dlid))
		return (struct port *)from;
	for (unsigned hops = 0; hops < HOPS_MAX; hops++) {
		struct port *in;

		if (out->num == 0) { /* from a switch itself */
			in = (struct port *)out;
		} else {
			if (!(management ? port_has_link(out) : port_is_active(out)))
				return NULL;
			in = out->peer;
		}
		if (in->node->type == NODE_CA)
			return port_has_lid(in, dlid) ? in : NULL;
		if (port_has_lid(&in->node->ports[0], dlid))
			return &in->node->ports[0];
		if (dlid >= LIDS_UNICAST)
			return NULL;
		if (in->node->lft[dlid] == 0 || in->node->lft[dlid] > in->node->n_ports)
			return NULL;
		out = &in->node->ports[in->node->lft[dlid]];
	}
	return NULL;
}

struct port *route_gid(const struct fabric *f, const struct port *from, const uint8_t *gid)
{
	if (!port_is_active(from))
		return NULL;
	for (unsigned i = 0; i < f->n_nodes; i++)
		for (unsigned k = 1; k <= f->nodes[i]->n_ports; k++) {
			struct port *p = &f->nodes[i]->ports[k];

			if (p->ethernet && memcmp(p->gid_ethernet, gid, 16) == 0)
				return port_is_active(p) ? p : NULL;
		}
	return NULL;
}

struct port *route_directed(const struct port *from, uint8_t *mad)
{
	unsigned hops = mad[SMP_HOP_COUNT];
	const struct port *in = from;

	if (hops > SMP_PATH_MAX)
		return NULL;
	for (unsigned i = 1; i <= hops; i++) {
		unsigned num = mad[SMP_INITIAL_PATH + i];
		const struct port *out;

		/* Only a switch passes it on; a channel adapter sends it out of the port it is on. */
		if (in->node->type == NODE_CA && (i > 1 || num != from->num))
			return NULL;
		if (num < 1 || num > in->node->n_ports)
			return NULL;
		out = &in->node->ports[num];
		if (out->ethernet || !port_has_link(out))
			return NULL;
		in = out->peer;
		mad[SMP_RETURN_PATH + i] = in->num;
	}
	mad[SMP_HOP_PTR] = (uint8_t)(hops + 1);
	return (struct port *)in;
}

struct port *route_directed_back(const struct port *from, uint8_t *mad)
{
	const struct port *in = from;

	if (mad[SMP_HOP_COUNT] > SMP_PATH_MAX)
		return NULL;
	for (unsigned i = mad[SMP_HOP_COUNT]; i >= 1; i--) {
		unsigned num = mad[SMP_RETURN_PATH + i];
		const struct port *out;

		if (num < 1 || num > in->node->n_ports)
			return NULL;
		out = &in->node->ports[num];
		if (out->ethernet || !port_has_link(out))
			return NULL;
		in = out->peer;
	}
	mad[SMP_HOP_PTR] = 0;
	return (struct port *)in;
}
