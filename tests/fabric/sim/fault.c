/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fault.h"

#include <errno.h>
#include <stdlib.h>

/* A bit that counters of transactions do not reach: 1 would be the neighbour's number. */
#define TID_OF_NOBODY 0x40000000

enum fault_kind {
	FAULT_DROP,
	FAULT_STATUS,
	FAULT_TID,
	FAULT_CLASS,
	FAULT_METHOD,
	FAULT_ATTR,
	FAULT_MOD,
	FAULT_LENGTH,
	FAULT_GARBAGE,
	FAULT_REDIRECT,
	FAULT_DELAY,
	FAULT_TWICE,
	FAULT_ATTR_OFFSET,
	FAULT_PAYLOAD,
	FAULT_REPEAT,
	FAULT_POKE,
};

static const struct {
	const char *name;
	const char *what;
} kinds[] = {
	[FAULT_DROP] = { "drop", "never arrives (also: a segment missing, or no last segment)" },
	[FAULT_STATUS] = { "status", "status arg; 1 is busy" },
	[FAULT_TID] = { "tid", "transaction number exclusive-or arg; else one that nobody has" },
	[FAULT_CLASS] = { "class", "management class arg" },
	[FAULT_METHOD] = { "method", "method arg" },
	[FAULT_ATTR] = { "attr", "attribute arg" },
	[FAULT_MOD] = { "mod", "attribute modifier arg" },
	[FAULT_LENGTH] = { "length", "cut to, or filled up to, arg bytes" },
	[FAULT_GARBAGE] = { "garbage", "random bytes behind the header" },
	[FAULT_REDIRECT] = { "redirect",
			     "ClassPortInfo that redirects to the port given by to; with "
			     "arg=1 under the attribute that was asked" },
	[FAULT_DELAY] = { "delay", "arg milliseconds late" },
	[FAULT_TWICE] = { "twice", "arrives twice" },
	[FAULT_ATTR_OFFSET] = { "attr-offset",
				"size of a record in an SA answer is arg (x 8 bytes)" },
	[FAULT_PAYLOAD] = { "payload", "payload length in the RMPP header is arg" },
	[FAULT_REPEAT] = { "repeat", "the data of an SA answer arg (2) times: segments repeated" },
	[FAULT_POKE] = { "poke", "bytes data at offset arg" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct fault {
	enum fault_kind kind;
	char node[NAME_SIZE]; /* or "" */
	char to[NAME_SIZE];
	int mgmt_class, attr; /* -1 for any */
	uint64_t arg;
	bool has_arg, force;
	uint8_t data[32];
	unsigned n_data;
	long left; /* -1 for ever */
	double chance;
};

static int parse_hex(const char *text, struct fault *r)
{
	for (; text[0] && text[1] && r->n_data < sizeof(r->data); text += 2) {
		char byte[3] = { text[0], text[1] };

		r->data[r->n_data++] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return *text ? -EINVAL : 0;
}

static int parse_word(char *word, struct fault *r)
{
	char *value = strchr(word, '=');

	if (strcmp(word, "force") == 0) {
		r->force = true;
		return 0;
	}
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (strcmp(word, "node") == 0)
		snprintf(r->node, sizeof(r->node), "%s", value);
	else if (strcmp(word, "to") == 0)
		snprintf(r->to, sizeof(r->to), "%s", value);
	else if (strcmp(word, "class") == 0)
		r->mgmt_class = (int)strtol(value, NULL, 0);
	else if (strcmp(word, "attr") == 0)
		r->attr = (int)strtol(value, NULL, 0);
	else if (strcmp(word, "count") == 0)
		r->left = strtol(value, NULL, 0);
	else if (strcmp(word, "chance") == 0)
		r->chance = strtod(value, NULL);
	else if (strcmp(word, "data") == 0)
		return parse_hex(value, r);
	else if (strcmp(word, "arg") == 0) {
		r->arg = strtoull(value, NULL, 0);
		r->has_arg = true;
	} else
		return -EINVAL;
	return 0;
}

int fault_add(struct fabric *f, unsigned n, char *words[], const char **ret_error)
{
	struct fault r = { .mgmt_class = -1, .attr = -1, .left = -1, .chance = 1 };
	unsigned k = 0;

	*ret_error = "no such kind of fault";
	while (n > 0 && k < KINDS && strcmp(kinds[k].name, words[0]) != 0)
		k++;
	if (n == 0 || k == KINDS)
		return -EINVAL;
	r.kind = (enum fault_kind)k;
	*ret_error = "not understood";
	for (unsigned i = 1; i < n; i++)
		if (parse_word(words[i], &r) < 0)
			return -EINVAL;
	*ret_error = "no such node";
	if (r.node[0] && !node_find(f, r.node))
		return -EINVAL;
	*ret_error = "too many";
	if (!f->faults)
		f->faults = calloc(FAULTS_MAX, sizeof(*f->faults));
	if (!f->faults || f->n_faults == FAULTS_MAX)
		return -EINVAL;
	f->faults[f->n_faults++] = r;
	return 0;
}

void fault_clear(struct fabric *f)
{
	f->n_faults = 0;
}

void fault_list(const struct fabric *f, FILE *out)
{
	for (unsigned i = 0; i < f->n_faults; i++) {
		const struct fault *r = &f->faults[i];

		fprintf(out, "%s node=%s class=%d attr=%d arg=%#llx count=%ld chance=%g%s\n",
			kinds[r->kind].name, r->node[0] ? r->node : "any", r->mgmt_class, r->attr,
			(unsigned long long)r->arg, r->left, r->chance, r->force ? " force" : "");
	}
	fprintf(out, "kinds:\n");
	for (unsigned k = 0; k < KINDS; k++)
		fprintf(out, "  %-12s %s\n", kinds[k].name, kinds[k].what);
}

static struct fault *find_fault(const struct message *m)
{
	struct fabric *f = m->fabric;

	if (f->n_faults == 0 || !mad_is_response(m->data) || mad_is_smp(m->data))
		return NULL;
	for (unsigned i = 0; i < f->n_faults; i++) {
		struct fault *r = &f->faults[i];

		if (r->left != 0 && (!r->node[0] || strcmp(r->node, m->from->node->name) == 0) &&
		    (r->mgmt_class < 0 || r->mgmt_class == m->data[MAD_CLASS]) &&
		    (r->attr < 0 || r->attr == get16(m->data + MAD_ATTR)) &&
		    (r->chance >= 1 || fabric_chance(f, r->chance)))
			return r;
	}
	return NULL;
}

/* The same message with another length; the data behind what it had is zero. */
static struct message *resize(struct message *m, size_t len)
{
	struct message *r = calloc(1, sizeof(*r) + (len < MAD_SIZE ? MAD_SIZE : len));

	if (r) {
		memcpy(r, m, sizeof(*r) + (len < m->len ? len : m->len));
		r->len = len;
	}
	free(m);
	return r;
}

static struct message *repeat(struct message *m, unsigned times)
{
	size_t data = m->len - SA_DATA, len = SA_DATA + data * times;

	if (m->len <= SA_DATA || times < 1 || times > 1000)
		return m;
	m = resize(m, len);
	for (unsigned i = 1; m && i < times; i++)
		memcpy(m->data + SA_DATA + data * i, m->data + SA_DATA, data);
	return m;
}

/* What a manager answers that wants to be asked elsewhere: ClassPortInfo with the place. */
static void redirect(struct message *m, const struct fault *r)
{
	uint8_t *d = m->data + (m->data[MAD_CLASS] == CLASS_SA ? SA_DATA : SMP_DATA);
	unsigned num;
	const struct node *n = node_find_port(m->fabric, r->to, &num);
	const struct port *p = n ? &n->ports[num ? num : 1] : NULL;

	put16(m->data + MAD_STATUS, STATUS_REDIRECT);
	if (r->arg == 0) {
		put16(m->data + MAD_ATTR, ATTR_CLASS_PORT_INFO);
		put32(m->data + MAD_ATTR_MOD, 0);
	}
	memset(d, 0, 72);
	d[0] = 1;
	d[1] = 1;
	if (!p)
		return;
	port_gid(p, 0, d + 8);
	put16(d + 28, port_lid(p));
	put16(d + 30, m->pkey);
	put32(d + 32, 1);	   /* queue pair */
	put32(d + 36, 0x80010000); /* Q_Key */
}

static void poke(struct message *m, const struct fault *r)
{
	for (unsigned i = 0; i < r->n_data && r->arg + i < m->len; i++)
		m->data[r->arg + i] = r->data[i];
}

static struct message *spoil(struct message *m, const struct fault *r)
{
	switch (r->kind) {
	case FAULT_STATUS:
		put16(m->data + MAD_STATUS, (uint16_t)r->arg);
		break;
	case FAULT_TID:
		put64(m->data + MAD_TID,
		      get64(m->data + MAD_TID) ^ (r->has_arg ? r->arg : TID_OF_NOBODY));
		break;
	case FAULT_CLASS:
		m->data[MAD_CLASS] = (uint8_t)r->arg;
		break;
	case FAULT_METHOD:
		m->data[MAD_METHOD] = (uint8_t)r->arg;
		break;
	case FAULT_ATTR:
		put16(m->data + MAD_ATTR, (uint16_t)r->arg);
		break;
	case FAULT_MOD:
		put32(m->data + MAD_ATTR_MOD, (uint32_t)r->arg);
		break;
	case FAULT_LENGTH:
		return r->arg <= (16u << 20) ? resize(m, r->arg) : m;
	case FAULT_GARBAGE:
		for (size_t i = MAD_HEADER_SIZE; i < m->len; i++)
			m->data[i] = (uint8_t)fabric_random(m->fabric);
		break;
	case FAULT_REDIRECT:
		redirect(m, r);
		break;
	case FAULT_ATTR_OFFSET:
		put16(m->data + SA_ATTR_OFFSET, (uint16_t)r->arg);
		break;
	case FAULT_PAYLOAD:
		put32(m->data + RMPP_PAYLOAD, (uint32_t)r->arg);
		break;
	case FAULT_REPEAT:
		return repeat(m, r->has_arg ? (unsigned)r->arg : 2);
	case FAULT_POKE:
		poke(m, r);
		break;
	case FAULT_DROP:
	case FAULT_DELAY:
	case FAULT_TWICE:
		break;
	}
	return m;
}

void fault_apply(struct message *m, uint64_t delay_nsec)
{
	struct fault *r = find_fault(m);
	struct message *copy;

	if (!r) {
		carry_after(m, delay_nsec);
		return;
	}
	if (r->left > 0)
		r->left--;
	m->forced = r->force;
	m->forced_tid = get64(m->data + MAD_TID);
	m->forced_class = m->data[MAD_CLASS];
	if (r->kind == FAULT_DROP) {
		m->from->node->sent.lost++;
		free(m);
		return;
	}
	if (r->kind == FAULT_DELAY)
		delay_nsec += r->arg * NSEC_PER_MSEC;
	if (r->kind == FAULT_TWICE) {
		copy = malloc(sizeof(*m) + m->len);
		if (copy) {
			memcpy(copy, m, sizeof(*m) + m->len);
			carry_after(copy, delay_nsec);
		}
	}
	m = spoil(m, r);
	if (m)
		carry_after(m, delay_nsec);
}
