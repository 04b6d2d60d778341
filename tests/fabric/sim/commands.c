/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of the control socket. */
#include <errno.h>
#include <infiniband/verbs.h>
#include <stdlib.h>

#include "control.h"
#include "dm.h"
#include "fault.h"
#include "history.h"
#include "host.h"
#include "sma.h"
#include "topology.h"

struct command {
	struct fabric *fabric;
	unsigned n;
	char **words; /* of the arguments */
	FILE *out;
	const char *error;
};

static int wrong(struct command *c, const char *text)
{
	c->error = text;
	return -EINVAL;
}

/* The port an argument names; without a number the first. */
static struct port *port_arg(struct command *c, unsigned i)
{
	unsigned num;
	struct node *n = i < c->n ? node_find_port(c->fabric, c->words[i], &num) : NULL;

	if (!n) {
		c->error = "no such port";
		return NULL;
	}
	return &n->ports[num ? num : 1];
}

static struct node *node_arg(struct command *c, unsigned i)
{
	struct node *n = i < c->n ? node_find(c->fabric, c->words[i]) : NULL;

	if (!n)
		c->error = "no such node";
	return n;
}

static int cmd_link(struct command *c)
{
	bool up = c->n == 2 && strcmp(c->words[0], "up") == 0;
	struct port *p = port_arg(c, 1);

	if (c->n != 2 || (!up && strcmp(c->words[0], "down") != 0))
		return wrong(c, "link up|down NODE:PORT");
	if (!p)
		return -EINVAL;
	cable_set(c->fabric, p, up);
	return 0;
}

static int cmd_node(struct command *c)
{
	bool add = c->n == 2 && strcmp(c->words[0], "add") == 0;
	struct node *n = node_arg(c, 1);

	if (c->n != 2 || (!add && strcmp(c->words[0], "remove") != 0))
		return wrong(c, "node add|remove NODE");
	if (!n)
		return -EINVAL;
	node_set_removed(c->fabric, n, !add);
	return 0;
}

static int cmd_topology(struct command *c)
{
	char statement[1024] = "";
	size_t n = 0;

	for (unsigned i = 0; i < c->n; i++)
		n += (size_t)snprintf(statement + n,
				      n < sizeof(statement) ? sizeof(statement) - n : 0, "\"%s\" ",
				      c->words[i]);
	if (n >= sizeof(statement))
		return wrong(c, "too long");
	return topology_statement(c->fabric, statement, &c->error);
}

static int cmd_dm(struct command *c)
{
	bool on = c->n == 2 && strcmp(c->words[0], "on") == 0;
	unsigned num;
	struct node *n = c->n == 2 ? node_find_port(c->fabric, c->words[1], &num) : NULL;

	if (!n || (!on && strcmp(c->words[0], "off") != 0))
		return wrong(c, "dm on|off NODE[:PORT]");
	for (unsigned i = 1; i <= n->n_ports; i++)
		if (!num || num == i)
			port_change_cap_mask(c->fabric, &n->ports[i], on ? CAP_IS_DM : 0,
					     on ? 0 : CAP_IS_DM);
	return 0;
}

static int cmd_ioc_remove(struct command *c)
{
	struct node *n = node_arg(c, 0);
	unsigned long slot = c->n == 2 ? strtoul(c->words[1], NULL, 10) : 0;

	if (!n || !n->iou || slot < 1 || slot > IOC_SLOTS_MAX)
		return wrong(c, "ioc-remove NODE SLOT");
	iou_remove_ioc(n->iou, (unsigned)slot);
	n->iou->change_id++;
	return 0;
}

static int cmd_latency(struct command *c)
{
	struct node *n;
	uint64_t nsec;

	if (c->n != 2)
		return wrong(c, "latency all|NODE MILLISECONDS");
	nsec = (uint64_t)(strtod(c->words[1], NULL) * (double)NSEC_PER_MSEC);
	if (strcmp(c->words[0], "all") == 0) {
		c->fabric->latency_nsec = nsec;
		return 0;
	}
	n = node_arg(c, 0);
	if (n)
		n->latency_nsec = nsec;
	return n ? 0 : -EINVAL;
}

static int cmd_loss(struct command *c)
{
	struct node *n;
	double loss;

	if (c->n != 2)
		return wrong(c, "loss all|NODE PROBABILITY");
	loss = strtod(c->words[1], NULL);
	if (strcmp(c->words[0], "all") == 0) {
		c->fabric->loss = loss;
		return 0;
	}
	n = node_arg(c, 0);
	if (n)
		n->loss = loss;
	return n ? 0 : -EINVAL;
}

static int cmd_fault(struct command *c)
{
	if (c->n == 1 && strcmp(c->words[0], "clear") == 0) {
		fault_clear(c->fabric);
		return 0;
	}
	if (c->n == 1 && strcmp(c->words[0], "list") == 0) {
		fault_list(c->fabric, c->out);
		return 0;
	}
	return fault_add(c->fabric, c->n, c->words, &c->error);
}

/* As a Set(PortInfo) of the subnet manager with another LID, subnet manager's LID or reregister. */
static int set_port_info(struct command *c, unsigned at, unsigned size, unsigned value)
{
	struct port *p = port_arg(c, 0);
	uint8_t info[64];

	if (!p)
		return -EINVAL;
	memcpy(info, p->info, sizeof(info));
	info[32] &= 0xf0;
	info[33] &= 0x0f;
	info[51] &= 0x1f;
	if (size == 2)
		put16(info + at, (uint16_t)value);
	else
		info[at] |= (uint8_t)value;
	(void)sma_set_port_info(c->fabric, p, info);
	return 0;
}

static int cmd_lid(struct command *c)
{
	if (c->n != 2)
		return wrong(c, "lid NODE:PORT LID");
	return set_port_info(c, 16, 2, (unsigned)strtoul(c->words[1], NULL, 0));
}

static int cmd_sm_lid(struct command *c)
{
	if (c->n != 2)
		return wrong(c, "sm-lid NODE:PORT LID");
	return set_port_info(c, 18, 2, (unsigned)strtoul(c->words[1], NULL, 0));
}

static int cmd_reregister(struct command *c)
{
	if (c->n != 1)
		return wrong(c, "reregister NODE:PORT");
	return set_port_info(c, 51, 1, 0x80);
}

static int cmd_link_layer(struct command *c)
{
	struct port *p = port_arg(c, 0);
	bool ethernet = c->n == 2 && strcmp(c->words[1], "ethernet") == 0;

	if (!p || c->n != 2 || (!ethernet && strcmp(c->words[1], "infiniband") != 0))
		return wrong(c, "link-layer NODE:PORT infiniband|ethernet");
	port_set_ethernet(c->fabric, p, ethernet, "eth0");
	return 0;
}

static int cmd_pkey(struct command *c)
{
	struct port *p = port_arg(c, 0);
	unsigned long index = c->n == 3 ? strtoul(c->words[1], NULL, 0) : PKEYS_MAX;

	if (!p || index >= PKEYS_MAX)
		return wrong(c, "pkey NODE:PORT INDEX VALUE");
	p->pkeys[index] = (uint16_t)strtoul(c->words[2], NULL, 0);
	host_port_changed(p);
	host_event(p, IBV_EVENT_PKEY_CHANGE);
	return 0;
}

static int cmd_event(struct command *c)
{
	static const struct {
		const char *name;
		unsigned type;
	} events[] = {
		{ "port-active", IBV_EVENT_PORT_ACTIVE },
		{ "port-error", IBV_EVENT_PORT_ERR },
		{ "lid-change", IBV_EVENT_LID_CHANGE },
		{ "pkey-change", IBV_EVENT_PKEY_CHANGE },
		{ "sm-change", IBV_EVENT_SM_CHANGE },
		{ "client-reregister", IBV_EVENT_CLIENT_REREGISTER },
		{ "gid-change", IBV_EVENT_GID_CHANGE },
		{ "device-fatal", IBV_EVENT_DEVICE_FATAL },
	};
	struct port *p = port_arg(c, 0);

	for (unsigned i = 0; p && c->n == 2 && i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(c->words[1], events[i].name) == 0) {
			host_event(p, events[i].type);
			return 0;
		}
	return wrong(c, "event NODE:PORT port-active|port-error|lid-change|pkey-change|sm-change|"
			"client-reregister|gid-change|device-fatal");
}

static void print_counters(FILE *out, const char *name, const char *way, const struct counters *k)
{
	fprintf(out, "%s %s sm=%llu sa=%llu dm=%llu other=%llu lost=%llu\n", name, way,
		(unsigned long long)k->sm, (unsigned long long)k->sa, (unsigned long long)k->dm,
		(unsigned long long)k->other, (unsigned long long)k->lost);
}

static int cmd_counters(struct command *c)
{
	for (unsigned i = 0; i < c->fabric->n_nodes; i++) {
		const struct node *n = c->fabric->nodes[i];

		if (c->n > 0 && strcmp(c->words[0], n->name) != 0)
			continue;
		print_counters(c->out, n->name, "sent", &n->sent);
		print_counters(c->out, n->name, "received", &n->received);
		if (n->iou)
			fprintf(c->out, "%s queries class=%llu iou=%llu ioc=%llu services=%llu\n",
				n->name, (unsigned long long)n->dm_queries[0],
				(unsigned long long)n->dm_queries[1],
				(unsigned long long)n->dm_queries[2],
				(unsigned long long)n->dm_queries[3]);
	}
	return 0;
}

static int cmd_counters_reset(struct command *c)
{
	for (unsigned i = 0; i < c->fabric->n_nodes; i++) {
		struct node *n = c->fabric->nodes[i];

		n->sent = n->received = (struct counters){ 0 };
		memset(n->dm_queries, 0, sizeof(n->dm_queries));
	}
	return 0;
}

static int cmd_history(struct command *c)
{
	const struct history *h = c->fabric->history;
	uint64_t i = c->n > 0 ? strtoull(c->words[0], NULL, 10) : 0;

	if (history_end(h) > HISTORY_MAX && i < history_end(h) - HISTORY_MAX)
		i = history_end(h) - HISTORY_MAX;
	for (; i < history_end(h); i++)
		fprintf(c->out, "%s\n", history_line(h, i));
	return 0;
}

/* Where the history is now: to watch from here on. */
static int cmd_mark(struct command *c)
{
	fprintf(c->out, "%llu\n", (unsigned long long)history_end(c->fabric->history));
	return 0;
}

static void print_port(FILE *out, const struct port *p)
{
	char name[NAME_SIZE + 8], peer[NAME_SIZE + 8] = "-";
	uint8_t gid[16];

	if (p->peer)
		port_name(p->peer, peer);
	port_gid(p, 0, gid);
	fprintf(out,
		"%s %s state=%u phys=%u lid=%u sm_lid=%u cap=0x%08x gid=%016llx%016llx "
		"peer=%s pkeys=",
		port_name(p, name), p->node->type == NODE_SWITCH ? "switch" : "ca", port_state(p),
		port_phys_state(p), port_lid(p), port_sm_lid(p), port_cap_mask(p),
		(unsigned long long)get64(gid), (unsigned long long)get64(gid + 8), peer);
	for (unsigned i = 0; i < PKEYS_MAX; i++)
		if (p->pkeys[i])
			fprintf(out, "%04x,", p->pkeys[i]);
	fprintf(out, "%s%s\n", p->ethernet ? " ethernet" : "", p->node->removed ? " removed" : "");
}

static int cmd_ports(struct command *c)
{
	for (unsigned i = 0; i < c->fabric->n_nodes; i++) {
		const struct node *n = c->fabric->nodes[i];

		if (c->n > 0 && strcmp(c->words[0], n->name) != 0)
			continue;
		for (unsigned k = n->type == NODE_SWITCH ? 0 : 1; k <= n->n_ports; k++)
			print_port(c->out, &n->ports[k]);
	}
	return 0;
}

static void print_service(FILE *out, const struct port *p, unsigned slot, const struct ioc *ioc,
			  const struct service *s)
{
	char name[NAME_SIZE + 8];
	uint8_t gid[16];

	port_gid(p, 0, gid);
	fprintf(out,
		"%s slot=%u ioc_guid=%016llx io_class=%04x dgid=%016llx%016llx service_id=%016llx "
		"dm=%d active=%d name=%.40s\n",
		port_name(p, name), slot, (unsigned long long)ioc->guid, ioc->io_class,
		(unsigned long long)get64(gid), (unsigned long long)get64(gid + 8),
		(unsigned long long)s->id, (port_cap_mask(p) & CAP_IS_DM) != 0, port_is_active(p),
		s->name);
}

/* Every service of every controller behind every port: what a full scan can find at most. */
static int cmd_targets(struct command *c)
{
	for (unsigned i = 0; i < c->fabric->n_nodes; i++) {
		const struct node *n = c->fabric->nodes[i];

		for (unsigned slot = 1; n->iou && slot <= n->iou->n_slots; slot++)
			for (unsigned k = 1; n->iou->iocs[slot] && k <= n->n_ports; k++)
				for (unsigned s = 0; s < n->iou->iocs[slot]->n_services; s++)
					print_service(c->out, &n->ports[k], slot,
						      n->iou->iocs[slot],
						      &n->iou->iocs[slot]->services[s]);
	}
	return 0;
}

static int cmd_partitions(struct command *c)
{
	for (unsigned i = 0; i < c->fabric->n_partitions; i++)
		fprintf(c->out, "%s\n", c->fabric->partitions[i]);
	return 0;
}

static int cmd_stop(struct command *c)
{
	loop_stop(c->fabric->loop);
	return 0;
}

static int cmd_ping(struct command *c)
{
	return 0;
}

int control_command(struct fabric *f, char *line, FILE *out, const char **ret_error)
{
	static const struct {
		const char *name;
		int (*run)(struct command *c);
	} commands[] = {
		{ "counters", cmd_counters },
		{ "counters-reset", cmd_counters_reset },
		{ "dm", cmd_dm },
		{ "event", cmd_event },
		{ "fault", cmd_fault },
		{ "history", cmd_history },
		{ "ioc-remove", cmd_ioc_remove },
		{ "latency", cmd_latency },
		{ "lid", cmd_lid },
		{ "link", cmd_link },
		{ "link-layer", cmd_link_layer },
		{ "loss", cmd_loss },
		{ "mark", cmd_mark },
		{ "node", cmd_node },
		{ "partitions", cmd_partitions },
		{ "ping", cmd_ping },
		{ "pkey", cmd_pkey },
		{ "ports", cmd_ports },
		{ "reregister", cmd_reregister },
		{ "sm-lid", cmd_sm_lid },
		{ "stop", cmd_stop },
		{ "targets", cmd_targets },
		{ "topology", cmd_topology },
	};
	char *words[WORDS_MAX];
	int n = split_words(line, words), r = -EINVAL;
	struct command c = { .fabric = f, .words = words + 1, .out = out };

	*ret_error = "no such command";
	for (unsigned i = 0; n > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(words[0], commands[i].name) == 0) {
			c.n = (unsigned)n - 1;
			r = commands[i].run(&c);
			*ret_error = c.error ? c.error : "it failed";
			break;
		}
	return r;
}
