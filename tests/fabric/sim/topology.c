/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dm.h"
#include "expand.h"
#include "host.h"

/* The words of a statement: what is before, and after, an equals sign. */
struct statement {
	struct fabric *fabric;
	char *words[WORDS_MAX];
	int n;
	const char *error;
};

int split_words(char *text, char *words[WORDS_MAX])
{
	int n = 0;

	for (char *p = text; *p;) {
		bool quoted = false;
		char *out;

		while (*p == ' ' || *p == '\t')
			p++;
		if (!*p)
			break;
		if (n == WORDS_MAX)
			return -E2BIG;
		words[n++] = out = p;
		for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
			if (*p == '"')
				quoted = !quoted;
			else
				*out++ = *p;
		}
		if (*p)
			p++;
		*out = '\0';
	}
	return n;
}

static int wrong(struct statement *s, const char *text)
{
	s->error = text;
	return -EINVAL;
}

static const char *value_of(const struct statement *s, const char *key)
{
	size_t n = strlen(key);

	for (int i = 1; i < s->n; i++)
		if (strncmp(s->words[i], key, n) == 0 && s->words[i][n] == '=')
			return s->words[i] + n + 1;
	return NULL;
}

static uint64_t number_of(const struct statement *s, const char *key, uint64_t otherwise)
{
	const char *value = value_of(s, key);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

/* A mistyped key is an error, not a default. */
static int check_keys(struct statement *s, int from, const char *allowed)
{
	for (int i = from; i < s->n; i++) {
		size_t n = strcspn(s->words[i], "=");
		const char *at;

		for (at = allowed; *at; at += strcspn(at, " "), at += *at == ' ')
			if (strcspn(at, " ") == n && strncmp(at, s->words[i], n) == 0)
				break;
		if (!*at)
			return wrong(s, "no such key");
	}
	return 0;
}

static struct node *node_of(struct statement *s)
{
	struct node *n = s->n > 1 ? node_find(s->fabric, s->words[1]) : NULL;

	if (!n)
		s->error = "no such node";
	return n;
}

static int make_node(struct statement *s, const char *name, enum node_type type, unsigned ports,
		     struct node **ret)
{
	const char *desc = value_of(s, "desc");
	int r = node_new(s->fabric, name, type, (unsigned)number_of(s, "ports", ports),
			 number_of(s, "guid", 0), ret);

	if (r < 0)
		return wrong(s, r == -EEXIST ? "that node is there already"
					     : "a bad name or number of ports");
	if (desc)
		snprintf((*ret)->desc, sizeof((*ret)->desc), "%.63s", desc);
	return 0;
}

static int do_switch(struct statement *s)
{
	struct node *n;

	if (s->n < 2 || check_keys(s, 2, "ports guid desc") < 0)
		return s->error ? -EINVAL : wrong(s, "switch NAME [ports=] [guid=] [desc=]");
	return make_node(s, s->words[1], NODE_SWITCH, 36, &n);
}

/* dm=yes sets IsDeviceManagementSupported on all ports, dm=2 on that one. */
static void set_dm(struct node *n, const char *dm)
{
	unsigned only = dm && dm[0] >= '1' && dm[0] <= '9' ? (unsigned)strtoul(dm, NULL, 10) : 0;

	if (!dm || strcmp(dm, "no") == 0)
		return;
	for (unsigned i = 1; i <= n->n_ports; i++)
		if (!only || only == i)
			put32(n->ports[i].info + 20, port_cap_mask(&n->ports[i]) | CAP_IS_DM);
}

static int do_hca(struct statement *s)
{
	struct node *n;
	int r;

	if (s->n < 2 || check_keys(s, 2, "ports guid desc dm") < 0)
		return s->error ? -EINVAL : wrong(s, "hca NAME [ports=] [guid=] [desc=] [dm=]");
	r = make_node(s, s->words[1], NODE_CA, 1, &n);
	if (r == 0)
		set_dm(n, value_of(s, "dm"));
	return r;
}

static int do_host(struct statement *s)
{
	const char *device = value_of(s, "hca");
	char name[NAME_SIZE];
	struct node *n;
	int r;

	if (s->n < 2 || check_keys(s, 2, "hca ports guid desc dm") < 0)
		return s->error ? -EINVAL : wrong(s, "host NAME [hca=] [ports=] [guid=] [dm=]");
	device = device ? device : "mlx5_0";
	if (snprintf(name, sizeof(name), "%s/%s", s->words[1], device) >= (int)sizeof(name))
		return wrong(s, "the name is too long");
	r = make_node(s, name, NODE_CA, 1, &n);
	if (r < 0)
		return r;
	if (!value_of(s, "desc"))
		snprintf(n->desc, sizeof(n->desc), "%.40s %.20s", s->words[1], device);
	set_dm(n, value_of(s, "dm"));
	if (host_add_device(s->fabric, s->words[1], device, n) < 0)
		return wrong(s, "the host cannot have it");
	return 0;
}

static int do_link(struct statement *s)
{
	struct port *ends[2];

	if (s->n < 3 || (s->n == 4 && strcmp(s->words[3], "down") != 0) || s->n > 4)
		return wrong(s, "link NODE[:PORT] NODE[:PORT] [down]");
	for (unsigned i = 0; i < 2; i++) {
		unsigned num;
		struct node *n = node_find_port(s->fabric, s->words[1 + i], &num);

		if (!n)
			return wrong(s, "no such node or port");
		ends[i] = num ? &n->ports[num] : node_free_port(n);
		if (!ends[i])
			return wrong(s, "no port is free");
	}
	if (link_connect(s->fabric, ends[0], ends[1]) < 0)
		return wrong(s, "the port is not free");
	if (s->n == 4)
		cable_set(s->fabric, ends[0], false);
	return 0;
}

static int do_ethernet(struct statement *s)
{
	unsigned num = 0;
	struct node *n = s->n > 1 ? node_find_port(s->fabric, s->words[1], &num) : NULL;
	const char *netdev = value_of(s, "netdev");

	if (!n || num == 0 || n->type != NODE_CA || n->ports[num].peer)
		return wrong(s, "ethernet NODE:PORT [netdev=], of a channel adapter without link");
	n->ports[num].cable_up = true;
	port_set_ethernet(s->fabric, &n->ports[num], true, netdev ? netdev : "eth0");
	return 0;
}

static int do_iou(struct statement *s)
{
	struct node *n = node_of(s);
	struct iou *u = n ? iou_of(n) : NULL;
	const char *absent = value_of(s, "absent");

	if (!u || check_keys(s, 2, "slots change absent") < 0)
		return s->error ? -EINVAL : -ENOMEM;
	u->n_slots = (uint8_t)number_of(s, "slots", u->n_slots);
	u->change_id = (uint16_t)number_of(s, "change", u->change_id + 1);
	while (absent && *absent) {
		char *end;
		unsigned long slot = strtoul(absent, &end, 10);

		if (slot < 1 || slot > IOC_SLOTS_MAX || (*end && *end != ','))
			return wrong(s, "absent=SLOT,SLOT...");
		u->slot_state[slot] = SLOT_ABSENT;
		absent = *end ? end + 1 : end;
	}
	return 0;
}

static int do_ioc(struct statement *s)
{
	struct node *n = node_of(s);
	struct iou *u = n ? iou_of(n) : NULL;
	const char *id = value_of(s, "id");
	unsigned slot = (unsigned)number_of(s, "slot", 1);
	struct ioc *c;

	if (!u || check_keys(s, 2,
			     "slot guid vendor device version io_class io_subclass protocol "
			     "protocol_version send_size rdma_size send_depth rdma_depth ops id "
			     "services") < 0)
		return s->error ? -EINVAL : -ENOMEM;
	c = iou_add_ioc(u, slot);
	if (!c)
		return wrong(s, "a slot is from 1 to 255");
	c->guid = number_of(s, "guid", n->guid);
	c->vendor_id = (uint32_t)number_of(s, "vendor", 0x525400);
	c->device_id = (uint32_t)number_of(s, "device", 0x5352);
	c->device_version = (uint16_t)number_of(s, "version", 1);
	c->io_class = (uint16_t)number_of(s, "io_class", 0x0100);
	c->io_subclass = (uint16_t)number_of(s, "io_subclass", 0x609e);
	c->protocol = (uint16_t)number_of(s, "protocol", 0x0108);
	c->protocol_version = (uint16_t)number_of(s, "protocol_version", 1);
	c->send_depth = (uint16_t)number_of(s, "send_depth", 64);
	c->rdma_depth = (uint8_t)number_of(s, "rdma_depth", 4);
	c->send_size = (uint32_t)number_of(s, "send_size", 8256);
	c->rdma_size = (uint32_t)number_of(s, "rdma_size", 65536);
	c->controller_ops = (uint8_t)number_of(s, "ops", 0xff);
	c->claimed_services = (int)number_of(s, "services", (uint64_t)-1);
	snprintf(c->id, sizeof(c->id), "%.63s", id ? id : n->desc);
	u->change_id++;
	return 0;
}

static int do_service(struct statement *s)
{
	struct node *n = node_of(s);
	struct iou *u = n ? iou_of(n) : NULL;
	unsigned slot = (unsigned)number_of(s, "slot", 1);
	const char *name = value_of(s, "name");
	struct ioc *c = u && slot <= IOC_SLOTS_MAX ? u->iocs[slot] : NULL;
	char text[64];

	if (!u || check_keys(s, 2, "slot name id id_ext") < 0)
		return s->error ? -EINVAL : -ENOMEM;
	if (!c)
		return wrong(s, "no controller in that slot");
	snprintf(text, sizeof(text), "SRP.T10:%016llx",
		 (unsigned long long)number_of(s, "id_ext", c->guid));
	u->change_id++;
	if (ioc_add_service(c, name ? name : text, number_of(s, "id", c->guid)) < 0)
		return wrong(s, "too many services");
	return 0;
}

/* The usual case in one line: a channel adapter with one controller and one service. */
static int do_target(struct statement *s)
{
	struct node *n;
	struct iou *u;
	struct ioc *c;
	char name[64];
	int r;

	if (s->n < 2 || check_keys(s, 2, "ports guid desc dm io_class id_ext") < 0)
		return s->error ? -EINVAL : wrong(s, "target NAME [ports=] [guid=] [io_class=]");
	r = make_node(s, s->words[1], NODE_CA, 1, &n);
	if (r < 0)
		return r;
	set_dm(n, value_of(s, "dm") ? value_of(s, "dm") : "yes");
	u = iou_of(n);
	c = u ? iou_add_ioc(u, 1) : NULL;
	if (!c)
		return -ENOMEM;
	c->guid = n->guid;
	c->vendor_id = 0x525400;
	c->device_id = 0x5352;
	c->io_class = (uint16_t)number_of(s, "io_class", 0x0100);
	c->protocol = 0x0108;
	c->protocol_version = 1;
	c->send_size = 8256;
	c->send_depth = 64;
	c->rdma_depth = 4;
	c->rdma_size = 65536;
	snprintf(c->id, sizeof(c->id), "%.63s", n->desc);
	snprintf(name, sizeof(name), "SRP.T10:%016llx",
		 (unsigned long long)number_of(s, "id_ext", n->guid));
	return ioc_add_service(c, name, n->guid);
}

/* The Python library makes opensm's partition file of these; the simulator only keeps them. */
static int do_partition(struct statement *s)
{
	struct fabric *f = s->fabric;
	char **all = realloc(f->partitions, (f->n_partitions + 1) * sizeof(char *));
	char text[1024];
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	f->partitions = all;
	if (s->n < 3 || !value_of(s, "pkey") || check_keys(s, 2, "pkey full limited") < 0)
		return wrong(s, "partition NAME pkey=NUMBER [full=PORT,...] [limited=PORT,...]");
	for (int i = 1; i < s->n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", s->words[i]);
	if (n >= sizeof(text))
		return wrong(s, "too long");
	all[f->n_partitions] = strdup(text);
	if (!all[f->n_partitions])
		return -ENOMEM;
	f->n_partitions++;
	return 0;
}

int topology_statement(struct fabric *f, char *statement, const char **ret_error)
{
	static const struct {
		const char *word;
		int (*run)(struct statement *s);
	} verbs[] = {
		{ "switch", do_switch },     { "hca", do_hca },
		{ "host", do_host },	     { "link", do_link },
		{ "ethernet", do_ethernet }, { "iou", do_iou },
		{ "ioc", do_ioc },	     { "service", do_service },
		{ "target", do_target },     { "partition", do_partition },
	};
	struct statement s = { .fabric = f };
	int r = -EINVAL;

	s.n = split_words(statement, s.words);
	s.error = NULL;
	*ret_error = "no such statement";
	for (unsigned i = 0; s.n > 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(s.words[0], verbs[i].word) == 0) {
			r = verbs[i].run(&s);
			*ret_error = s.error ? s.error : "no memory";
			break;
		}
	return r;
}

struct loading {
	struct fabric *fabric;
	struct expand_error error;
};

static int on_statement(char *statement, unsigned line, void *userdata)
{
	struct loading *l = userdata;
	const char *error;
	int r = topology_statement(l->fabric, statement, &error);

	if (r < 0)
		l->error = (struct expand_error){ .line = line, .text = error };
	return r;
}

int topology_load(struct fabric *f, const char *path)
{
	struct loading l = { .fabric = f };
	FILE *file = fopen(path, "re");
	size_t size = 0;
	ssize_t n;
	char *text = NULL;
	int r = -EINVAL;

	if (!file) {
		r = -errno;
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return r;
	}
	n = getdelim(&text, &size, '\0', file);
	if (n >= 0)
		r = expand_text(text, on_statement, &l, &l.error);
	fclose(file);
	free(text);
	if (r < 0)
		fprintf(stderr, "%s:%u: %s\n", path, l.error.line,
			l.error.text ? l.error.text : "nothing in it");
	return r;
}
