/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/umad.h"

#include <errno.h>
#include <fcntl.h>
#include <infiniband/umad.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/parse.h"

#define CLASSES_MAX 4

/* A slot still taken after this long is the kernel's mistake, and is used again. */
#define SLOT_STALE_USEC (60 * USEC_PER_SEC)

/* Datagrams that match nothing, skipped in one call at most. */
#define SKIP_MAX 64

struct transaction {
	bool used;
	uint8_t mgmt_class;
	uint16_t attr_id;
	uint32_t tid; /* the lower half: the kernel rewrites the upper one */
	uint32_t attr_mod;
	uint64_t cookie;
	uint64_t sent_usec;
};

struct mad_port {
	int id; /* of libibumad */
	struct {
		uint8_t mgmt_class;
		uint8_t version;
		int agent;
	} classes[CLASSES_MAX];
	unsigned n_classes;
	uint32_t next_tid;
	struct mad_stats stats;
	struct transaction table[MAD_OUTSTANDING_MAX]; /* by tid modulo its size */
	/* libibumad's header and one datagram. */
	_Alignas(8) uint8_t out[sizeof(struct ib_user_mad) + MAD_SIZE];
	_Alignas(8) uint8_t in[sizeof(struct ib_user_mad) + MAD_SIZE];
};

/* libibumad returns negative numbers that are errno, or -1 with errno set, by function. */
static int umad_error(int r)
{
	if (r >= 0)
		return 0;
	if (errno > 0)
		return -errno;
	return r == -1 ? -EIO : r;
}

int mad_port_open(const char *ca, unsigned port, struct mad_port **ret)
{
	_cleanup_(mad_port_closep) struct mad_port *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->id = -1;
	if (umad_init() < 0)
		return -ENOENT;
	errno = 0;
	p->id = umad_open_port(ca, (int)port);
	if (p->id < 0)
		return umad_error(p->id);
	/* umad_size() follows the ABI, which the first open finds out; ours must fit it. */
	if (umad_size() != sizeof(struct ib_user_mad))
		return -EPROTO;
	r = fcntl(umad_get_fd(p->id), F_GETFL);
	if (r < 0 || fcntl(umad_get_fd(p->id), F_SETFL, r | O_NONBLOCK) < 0)
		return -errno;
	/* Numbers of a predecessor on this port must not match ours. */
	if (getrandom(&p->next_tid, sizeof(p->next_tid), GRND_NONBLOCK) < 0)
		p->next_tid = 1;
	r = mad_port_register(p, MAD_CLASS_DM, DM_CLASS_VERSION);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

void mad_port_close(struct mad_port *p)
{
	if (!p)
		return;
	if (p->id >= 0)
		umad_close_port(p->id); /* and with it its agents */
	free(p);
}

int mad_port_register(struct mad_port *p, uint8_t mgmt_class, uint8_t version)
{
	int agent;

	if (p->n_classes == CLASSES_MAX)
		return -E2BIG;
	errno = 0;
	agent = umad_register(p->id, mgmt_class, version, 0, NULL);
	if (agent < 0)
		return umad_error(agent);
	p->classes[p->n_classes].mgmt_class = mgmt_class;
	p->classes[p->n_classes].version = version;
	p->classes[p->n_classes++].agent = agent;
	return 0;
}

int mad_port_fd(const struct mad_port *p)
{
	return umad_get_fd(p->id);
}

const struct mad_stats *mad_port_stats(const struct mad_port *p)
{
	return &p->stats;
}

static void set_address(void *umad, const struct mad_dest *to)
{
	umad_set_addr(umad, to->lid, MAD_QPN, to->sl, (int)MAD_QKEY);
	umad_set_pkey(umad, to->pkey_index);
	if (to->grh) {
		ib_mad_addr_t grh = { .grh_present = 1,
				      .gid_index = to->gid_index,
				      .hop_limit = 64 };

		memcpy(grh.gid, to->gid, sizeof(grh.gid));
		umad_set_grh(umad, &grh);
		/* libibumad 44 leaves the index out, and index 0 may be of another family. */
		((struct ib_user_mad *)umad)->addr.gid_index = to->gid_index;
	} else {
		umad_set_grh(umad, NULL);
	}
}

static struct transaction *take_slot(struct mad_port *p, uint64_t now)
{
	struct transaction *t = &p->table[p->next_tid % MAD_OUTSTANDING_MAX];

	if (t->used && now - t->sent_usec < SLOT_STALE_USEC)
		return NULL;
	if (!t->used)
		p->stats.outstanding++;
	*t = (struct transaction){ .used = true, .tid = p->next_tid++, .sent_usec = now };
	return t;
}

static void free_slot(struct mad_port *p, struct transaction *t)
{
	t->used = false;
	p->stats.outstanding--;
}

int mad_port_get(struct mad_port *p, const struct mad_dest *to, uint8_t mgmt_class,
		 uint16_t attr_id, uint32_t attr_mod, uint64_t cookie, uint64_t now,
		 unsigned timeout_ms)
{
	struct transaction *t;
	unsigned c = 0;
	int r;

	while (c < p->n_classes && p->classes[c].mgmt_class != mgmt_class)
		c++;
	if (c == p->n_classes)
		return -EPROTONOSUPPORT;
	t = take_slot(p, now);
	if (!t)
		return -EBUSY;
	t->mgmt_class = mgmt_class;
	t->attr_id = attr_id;
	t->attr_mod = attr_mod;
	t->cookie = cookie;

	memset(p->out, 0, sizeof(p->out));
	mad_encode_header(umad_get_mad(p->out), &(struct mad_header){
							.mgmt_class = mgmt_class,
							.class_version = p->classes[c].version,
							.method = MAD_METHOD_GET,
							.tid = t->tid,
							.attr_id = attr_id,
							.attr_mod = attr_mod,
						});
	set_address(p->out, to);
	errno = 0;
	r = umad_send(p->id, p->classes[c].agent, p->out, MAD_SIZE, (int)timeout_ms, 0);
	if (r != 0) {
		free_slot(p, t);
		return umad_error(-1);
	}
	p->stats.sent++;
	return 0;
}

static struct transaction *find_transaction(struct mad_port *p, const struct mad_header *h)
{
	uint32_t tid = (uint32_t)h->tid;
	struct transaction *t = &p->table[tid % MAD_OUTSTANDING_MAX];

	return t->used && t->tid == tid && t->mgmt_class == h->mgmt_class ? t : NULL;
}

/* The kernel returns our own datagram when it gave up on it. */
static bool take_timeout(struct mad_port *p, const struct mad_header *h, struct mad_reply *ret)
{
	struct transaction *t = find_transaction(p, h);

	if (!t)
		return false;
	*ret = (struct mad_reply){ .cookie = t->cookie,
				   .sent_usec = t->sent_usec,
				   .error = -ETIMEDOUT };
	p->stats.timeouts++;
	free_slot(p, t);
	return true;
}

static bool take_answer(struct mad_port *p, const struct mad_header *h, size_t len,
			struct mad_reply *ret)
{
	const struct ib_user_mad *umad = (const struct ib_user_mad *)p->in;
	struct transaction *t = find_transaction(p, h);

	/* An answer of another kind leaves the transaction: the right one may follow. */
	if (!t || h->method != MAD_METHOD_GET_RESP || t->attr_id != h->attr_id ||
	    t->attr_mod != h->attr_mod) {
		p->stats.unmatched++;
		return false;
	}
	*ret = (struct mad_reply){
		.cookie = t->cookie,
		.sent_usec = t->sent_usec,
		.header = *h,
		.grh = umad->addr.grh_present,
		.from_lid = be16toh(umad->addr.lid),
		.len = len,
		.mad = umad_get_mad(p->in),
	};
	memcpy(ret->from_gid, umad->addr.gid, sizeof(ret->from_gid));
	p->stats.received++;
	free_slot(p, t);
	return true;
}

int mad_port_recv(struct mad_port *p, struct mad_reply *ret)
{
	for (unsigned i = 0; i < SKIP_MAX; i++) {
		int len = MAD_SIZE, r;
		struct mad_header h;

		errno = 0;
		r = umad_recv(p->id, p->in, &len, 0);
		if (r < 0) {
			r = umad_error(r);
			if (r == -EAGAIN || r == -EINTR)
				return 0;
			return r == -ENODEV ? r : -EIO;
		}
		if (len < 0 || len > MAD_SIZE ||
		    mad_decode_header(umad_get_mad(p->in), (size_t)len, &h) < 0) {
			p->stats.malformed++;
			continue;
		}
		if (umad_status(p->in) ? take_timeout(p, &h, ret)
				       : take_answer(p, &h, (size_t)len, ret))
			return 1;
	}
	return 0;
}
