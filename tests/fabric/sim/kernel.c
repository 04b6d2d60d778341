/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include <errno.h>
#include <infiniband/umad.h>
#include <stdlib.h>

#include "history.h"
#include "rmpp.h"

#define SEND_BUCKETS 4096
#define EARLY_MAX_NSEC (100 * NSEC_PER_MSEC)

/* A request that waits for its answer. */
struct umad_send {
	struct timer timer; /* first */
	struct umad_send *next;
	struct agent *agent;
	uint64_t tid;
	uint8_t mgmt_class;
	uint32_t retries_left;
	size_t len;
	struct ib_user_mad umad; /* and the datagram */
};

int kernel_init(struct fabric *f)
{
	f->sends = calloc(SEND_BUCKETS, sizeof(struct umad_send *));
	return f->sends ? 0 : -ENOMEM;
}

void kernel_free(struct fabric *f)
{
	free(f->sends);
}

static struct umad_send **bucket_of(struct fabric *f, uint64_t tid)
{
	return &f->sends[(tid ^ tid >> 32) % SEND_BUCKETS];
}

static struct umad_send **find_send(struct fabric *f, uint64_t tid, uint8_t mgmt_class)
{
	struct umad_send **s = bucket_of(f, tid);

	while (*s && ((*s)->tid != tid || (*s)->mgmt_class != mgmt_class))
		s = &(*s)->next;
	return s;
}

static void send_free(struct fabric *f, struct umad_send **s)
{
	struct umad_send *gone = *s;

	*s = gone->next;
	timer_clear(f->loop, &gone->timer);
	free(gone);
}

static struct fabric *fabric_of(const struct umad_file *u)
{
	return u->kernel->port->node->fabric;
}

/* What the client reads: the header of ib_umad and the datagram. */
static void deliver(struct agent *a, const struct message *m)
{
	size_t total = sizeof(struct ib_user_mad) + m->len;
	struct ib_user_mad *u = calloc(1, total);
	int pkey;

	if (!u)
		return;
	pkey = port_find_pkey(m->to, m->pkey);
	u->agent_id = a->id;
	u->length = (uint32_t)total;
	u->addr.qpn = htobe32(m->src_qp);
	u->addr.lid = htobe16(m->slid);
	if (m->data[MAD_CLASS] == CLASS_SM_DIRECT)
		u->addr.lid = htobe16(LID_PERMISSIVE);
	u->addr.sl = m->sl;
	u->addr.pkey_index = (uint16_t)(pkey < 0 ? 0 : pkey);
	u->addr.grh_present = m->grh;
	if (m->grh) {
		memcpy(u->addr.gid, m->sgid, sizeof(u->addr.gid));
		u->addr.hop_limit = 64;
	}
	memcpy(u->data, m->data, m->len);
	channel_push(&a->file->channel, u, total);
	free(u);
}

/* The kernel gave up: the client gets the header of its own request back. */
static void deliver_timeout(const struct umad_send *s)
{
	uint8_t buffer[sizeof(struct ib_user_mad) + MAD_HEADER_SIZE];
	struct ib_user_mad *u = (struct ib_user_mad *)buffer;

	memcpy(buffer, &s->umad, sizeof(buffer));
	u->agent_id = s->agent->id;
	u->status = ETIMEDOUT;
	u->length = sizeof(buffer);
	channel_push(&s->agent->file->channel, buffer, sizeof(buffer));
}

static void transmit(const struct umad_send *s)
{
	struct port *p = s->agent->file->kernel->port;
	const struct ib_mad_addr *to = &s->umad.addr;
	struct message *m = message_new(p->node->fabric, p, s->umad.data, s->len);

	if (!m)
		return;
	m->dlid = be16toh(to->lid);
	m->sl = to->sl;
	m->grh = to->grh_present;
	memcpy(m->dgid, to->gid, sizeof(m->dgid));
	m->pkey = to->pkey_index < PKEYS_MAX ? p->pkeys[to->pkey_index] : 0;
	m->src_qp = mad_is_smp(m->data) ? 0 : 1;
	m->qkey = be32toh(to->qkey);
	if (s->agent->what.rmpp_version)
		m->len = rmpp_prepare(m->data, s->len);
	carry(m);
}

/*
 * The last one comes early, by an eighth and 100 ms at most: srp_daemon waits exactly as long as it
 * tells the kernel to, and takes a timeout that it missed for the answer to its next question.
 */
static uint64_t timeout_nsec(const struct umad_send *s)
{
	uint64_t whole = s->umad.timeout_ms * NSEC_PER_MSEC, early = whole / 8;

	if (s->retries_left > 0)
		return whole;
	return whole - (early < EARLY_MAX_NSEC ? early : EARLY_MAX_NSEC);
}

static void on_timeout(struct timer *t)
{
	struct umad_send *s = (struct umad_send *)t;
	struct fabric *f = fabric_of(s->agent->file);

	if (s->retries_left > 0) {
		s->retries_left--;
		timer_set(f->loop, &s->timer, loop_now(f->loop) + timeout_nsec(s));
		transmit(s);
		return;
	}
	deliver_timeout(s);
	send_free(f, find_send(f, s->tid, s->mgmt_class));
}

/* A datagram of a client. Requests get the agent's number as the upper half of theirs. */
static void submit(struct umad_file *file, const struct ib_user_mad *u, size_t len)
{
	struct fabric *f = fabric_of(file);
	struct agent *a = u->agent_id < AGENTS_MAX ? &file->agents[u->agent_id] : NULL;
	struct umad_send *s;

	if (!a || !a->used || len < MAD_HEADER_SIZE)
		return;
	s = calloc(1, sizeof(*s) + (len < MAD_SIZE ? MAD_SIZE : len));
	if (!s)
		return;
	s->agent = a;
	s->len = len < MAD_SIZE ? MAD_SIZE : len;
	memcpy(&s->umad, u, sizeof(*u) + len);
	if (a->what.rmpp_version && rmpp_is_active(s->umad.data))
		s->len = len;
	if (!mad_is_response(s->umad.data))
		put64(s->umad.data + MAD_TID,
		      a->hi_tid << 32 | (get64(s->umad.data + MAD_TID) & UINT32_MAX));
	s->tid = get64(s->umad.data + MAD_TID);
	s->mgmt_class = s->umad.data[MAD_CLASS];
	/* Without a timeout nothing is expected back; a number that is out already is refused. */
	if (u->timeout_ms == 0 || *find_send(f, s->tid, s->mgmt_class)) {
		if (u->timeout_ms == 0)
			transmit(s);
		free(s);
		return;
	}
	s->timer.on_time = on_timeout;
	s->retries_left = u->retries;
	s->next = *bucket_of(f, s->tid);
	*bucket_of(f, s->tid) = s;
	timer_set(f->loop, &s->timer, loop_now(f->loop) + timeout_nsec(s));
	transmit(s);
}

static void on_readable(struct channel *c)
{
	struct umad_file *file = (struct umad_file *)c;
	void *data = NULL;
	ssize_t n;

	/* A few at a time: others wait too. */
	for (unsigned i = 0; i < 32; i++) {
		n = channel_pull(c, &data);
		if (n == 0)
			return;
		if (n == -EPIPE) {
			file->on_closed(file);
			return;
		}
		if (n < 0)
			continue;
		if ((size_t)n > sizeof(struct ib_user_mad))
			submit(file, data, (size_t)n - sizeof(struct ib_user_mad));
		free(data);
	}
}

int umad_file_open(struct port *p, void (*on_closed)(struct umad_file *u), void *owner,
		   struct umad_file **ret, int *ret_client)
{
	struct umad_file *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	r = channel_open(&u->channel, p->node->fabric->loop, on_readable, ret_client);
	if (r < 0) {
		free(u);
		return r;
	}
	u->kernel = p->kernel;
	u->on_closed = on_closed;
	u->owner = owner;
	u->next = p->kernel->files;
	p->kernel->files = u;
	*ret = u;
	return 0;
}

/* Forgets what an agent waits for. */
static void agent_cancel(struct fabric *f, const struct agent *a)
{
	for (unsigned i = 0; i < SEND_BUCKETS; i++)
		for (struct umad_send **s = &f->sends[i]; *s;) {
			if ((*s)->agent == a)
				send_free(f, s);
			else
				s = &(*s)->next;
		}
}

void umad_file_close(struct umad_file *u)
{
	struct umad_file **at = &u->kernel->files;

	for (unsigned i = 0; i < AGENTS_MAX; i++)
		if (u->agents[i].used)
			agent_cancel(fabric_of(u), &u->agents[i]);
	while (*at && *at != u)
		at = &(*at)->next;
	if (*at)
		*at = u->next;
	channel_close(&u->channel);
	free(u);
}

static bool is_vendor_with_oui(uint8_t mgmt_class)
{
	return mgmt_class >= 0x30 && mgmt_class <= 0x4f;
}

static bool same_manager(const struct rpc_agent *a, const struct rpc_agent *b)
{
	return a->mgmt_class == b->mgmt_class && a->version == b->version &&
	       (!is_vendor_with_oui(a->mgmt_class) || a->oui == b->oui);
}

int umad_file_register(struct umad_file *u, const struct rpc_agent *what)
{
	unsigned id = 0;

	for (struct umad_file *other = u->kernel->files; other; other = other->next)
		for (unsigned i = 0; i < AGENTS_MAX; i++) {
			const struct agent *a = &other->agents[i];

			if (a->used && same_manager(&a->what, what) &&
			    ((a->what.methods[0] & what->methods[0]) ||
			     (a->what.methods[1] & what->methods[1])))
				return -EINVAL;
		}
	while (id < AGENTS_MAX && u->agents[id].used)
		id++;
	if (id == AGENTS_MAX)
		return -ENOMEM;
	u->agents[id] = (struct agent){
		.used = true,
		.id = (uint8_t)id,
		.file = u,
		.what = *what,
		.hi_tid = ++fabric_of(u)->next_client_id,
	};
	return (int)id;
}

int umad_file_unregister(struct umad_file *u, unsigned id)
{
	if (id >= AGENTS_MAX || !u->agents[id].used)
		return -EINVAL;
	agent_cancel(fabric_of(u), &u->agents[id]);
	u->agents[id].used = false;
	return 0;
}

static struct agent *find_agent(const struct message *m)
{
	unsigned method = m->data[MAD_METHOD];
	struct rpc_agent what = { .mgmt_class = m->data[MAD_CLASS],
				  .version = m->data[MAD_CLASS_VERSION],
				  .oui = get32(m->data + RMPP_HEADER_SIZE) & 0xffffff };

	for (struct umad_file *u = m->to->kernel->files; u; u = u->next)
		for (unsigned i = 0; i < AGENTS_MAX; i++) {
			struct agent *a = &u->agents[i];

			if (a->used && method < 128 && same_manager(&a->what, &what) &&
			    (a->what.methods[method / 64] >> method % 64 & 1))
				return a;
		}
	return NULL;
}

bool kernel_receive(struct message *m)
{
	struct umad_send **s;
	struct agent *a;

	if (m->forced) {
		/* Only to look at: what is asked for stays outstanding. */
		s = find_send(m->fabric, m->forced_tid, m->forced_class);
		if (*s && (*s)->agent->file->kernel->port == m->to)
			deliver((*s)->agent, m);
		return true;
	}
	if (mad_is_response(m->data)) {
		s = find_send(m->fabric, get64(m->data + MAD_TID), m->data[MAD_CLASS]);
		if (*s && (*s)->agent->file->kernel->port == m->to) {
			deliver((*s)->agent, m);
			send_free(m->fabric, s);
		} else if (m->data[MAD_METHOD] == METHOD_TRAP_REPRESS) {
			return false;
		}
		return true;
	}
	a = find_agent(m);
	if (!a)
		return false;
	deliver(a, m);
	return true;
}
