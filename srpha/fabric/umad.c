/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/umad.h"

#include <errno.h>
#include <fcntl.h>
#include <infiniband/umad.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/parse.h"
#include "fabric/bytes.h"
#include "fabric/sa.h"

#define CLASSES_MAX 4

/* What stays allocated for replies from one to the next. */
#define KEPT_SIZE (64u << 10)

/* Beyond this a reply cannot even be taken from the kernel to be dropped: the device is broken. */
#define DISCARD_MAX (256u << 20)

/*
 * From one transaction number to the next, odd, so that all come round: numbers under way at the same
 * time differ in many bits, and one that a peer has mangled is not another one's. The kernel would
 * hand that one its answer, whoever it came from.
 */
#define TID_STEP 0x9e3779b1

/* Slots looked at for a free one: an answer that never comes may hold some for a while. */
#define SLOT_TRIES 64

/* A slot still taken after this long is the kernel's mistake, and is used again. */
#define SLOT_STALE_USEC (60 * USEC_PER_SEC)

/* Datagrams that match nothing, skipped in one call at most. */
#define SKIP_MAX 64

struct transaction {
	bool used;
	uint8_t mgmt_class;
	uint8_t method; /* that answers */
	uint16_t attr_id;
	uint32_t tid; /* the lower half: the kernel rewrites the upper one */
	uint32_t attr_mod;
	uint16_t lid; /* that answers; 0: anybody, or by GID */
	uint64_t cookie;
	uint64_t sent_usec;
};

struct mad_port {
	int id; /* of libibumad */
	struct {
		uint8_t mgmt_class;
		int agent;
	} classes[CLASSES_MAX];
	unsigned n_classes;
	int report_agent; /* -1 without one */
	uint32_t next_tid;
	struct mad_stats stats;
	struct transaction table[MAD_OUTSTANDING_MAX]; /* by tid modulo its size */
	/* libibumad's header and one datagram. */
	_Alignas(8) uint8_t out[sizeof(struct ib_user_mad) + MAD_SIZE];
	struct ib_user_mad *in;
	size_t in_size; /* of the datagram behind the header */
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

static int resize_in(struct mad_port *p, size_t size)
{
	void *in = realloc(p->in, sizeof(*p->in) + size);

	if (!in)
		return -ENOMEM;
	p->in = in;
	p->in_size = size;
	return 0;
}

int mad_port_open(const char *ca, unsigned port, struct mad_port **ret)
{
	_cleanup_(mad_port_closep) struct mad_port *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->id = -1;
	p->report_agent = -1;
	r = resize_in(p, MAD_SIZE);
	if (r < 0)
		return r;
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
	r = mad_port_register(p, MAD_CLASS_DM, DM_CLASS_VERSION, false);
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
	free(p->in);
	free(p);
}

int mad_port_register(struct mad_port *p, uint8_t mgmt_class, uint8_t version, bool rmpp)
{
	int agent;

	if (p->n_classes == CLASSES_MAX)
		return -E2BIG;
	errno = 0;
	agent = umad_register(p->id, mgmt_class, version, rmpp ? 1 : 0, NULL);
	if (agent < 0)
		return umad_error(agent);
	p->classes[p->n_classes].mgmt_class = mgmt_class;
	p->classes[p->n_classes++].agent = agent;
	return 0;
}

int mad_port_register_reports(struct mad_port *p)
{
	long methods[16 / sizeof(long)] = { 1L << MAD_METHOD_REPORT };
	int agent, r;

	if (p->report_agent >= 0)
		return 0;
	errno = 0;
	agent = umad_register(p->id, MAD_CLASS_SA, SA_CLASS_VERSION, 1, methods);
	if (agent < 0) {
		r = umad_error(agent);
		/* What ib_register_mad_agent() says to a method that is in use. */
		return r == -EINVAL || r == -EBUSY ? -EEXIST : r;
	}
	p->report_agent = agent;
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

int mad_dest_redirect(struct mad_dest *to, const struct mad_class_port_info *info,
		      uint16_t pkey_index)
{
	bool grh = memcmp(info->redirect_gid, (uint8_t[16]){ 0 }, 16) != 0;

	if ((info->redirect_lid == 0 && !grh) || info->redirect_qpn == 0)
		return -EBADMSG;
	*to = (struct mad_dest){
		.grh = grh,
		.gid_index = to->gid_index,
		.traffic_class = info->redirect_tclass,
		.flow_label = info->redirect_flow_label,
		.lid = info->redirect_lid,
		.sl = info->redirect_sl,
		.pkey_index = pkey_index,
		.qpn = info->redirect_qpn,
		.qkey = info->redirect_qkey,
	};
	memcpy(to->gid, info->redirect_gid, sizeof(to->gid));
	return 0;
}

static void set_address(void *umad, const struct mad_dest *to)
{
	umad_set_addr(umad, to->lid, (int)(to->qpn ? to->qpn : MAD_QPN), to->sl,
		      (int)(to->qpn ? to->qkey : MAD_QKEY));
	umad_set_pkey(umad, to->pkey_index);
	if (to->grh) {
		ib_mad_addr_t grh = { .grh_present = 1,
				      .gid_index = to->gid_index,
				      .hop_limit = 64,
				      .traffic_class = to->traffic_class,
				      .flow_label = to->flow_label };

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
	for (unsigned i = 0; i < SLOT_TRIES; i++) {
		uint32_t tid = p->next_tid;
		struct transaction *t = &p->table[tid % MAD_OUTSTANDING_MAX];

		p->next_tid += TID_STEP;

		if (t->used && now - t->sent_usec < SLOT_STALE_USEC)
			continue;
		if (!t->used)
			p->stats.outstanding++;
		*t = (struct transaction){ .used = true, .tid = tid, .sent_usec = now };
		return t;
	}
	return NULL;
}

static void free_slot(struct mad_port *p, struct transaction *t)
{
	t->used = false;
	p->stats.outstanding--;
}

/* 13.4.5: a Set is answered as a Get is, any other request by the same method with the bit set. */
static uint8_t answering_method(uint8_t method)
{
	return method == MAD_METHOD_SET ? MAD_METHOD_GET_RESP : method | MAD_METHOD_RESPONSE_BIT;
}

int mad_port_request(struct mad_port *p, const struct mad_dest *to,
		     const uint8_t mad[static MAD_SIZE], uint64_t cookie, uint64_t now,
		     unsigned timeout_ms)
{
	struct transaction *t;
	struct mad_header h;
	unsigned c = 0;

	if (mad_decode_header(mad, MAD_SIZE, &h) < 0 || (h.method & MAD_METHOD_RESPONSE_BIT) ||
	    timeout_ms == 0)
		return -EINVAL;
	while (c < p->n_classes && p->classes[c].mgmt_class != h.mgmt_class)
		c++;
	if (c == p->n_classes)
		return -EPROTONOSUPPORT;
	t = take_slot(p, now);
	if (!t)
		return -EBUSY;
	t->mgmt_class = h.mgmt_class;
	t->method = answering_method(h.method);
	t->attr_id = h.attr_id;
	t->attr_mod = h.attr_mod;
	/* An administrator may answer from another of its LIDs. */
	t->lid = to->grh || h.mgmt_class == MAD_CLASS_SA ? 0 : to->lid;
	t->cookie = cookie;

	memset(p->out, 0, sizeof(struct ib_user_mad));
	memcpy(umad_get_mad(p->out), mad, MAD_SIZE);
	put64((uint8_t *)umad_get_mad(p->out) + 8, t->tid);
	set_address(p->out, to);
	errno = 0;
	if (umad_send(p->id, p->classes[c].agent, p->out, MAD_SIZE, (int)timeout_ms, 0) != 0) {
		free_slot(p, t);
		return umad_error(-1);
	}
	p->stats.sent++;
	return 0;
}

int mad_port_get(struct mad_port *p, const struct mad_dest *to, uint8_t mgmt_class,
		 uint16_t attr_id, uint32_t attr_mod, uint64_t cookie, uint64_t now,
		 unsigned timeout_ms)
{
	uint8_t mad[MAD_SIZE];

	mad_encode_header(mad,
			  &(struct mad_header){
				  .mgmt_class = mgmt_class,
				  .class_version = mgmt_class == MAD_CLASS_SA ? SA_CLASS_VERSION
									      : DM_CLASS_VERSION,
				  .method = MAD_METHOD_GET,
				  .attr_id = attr_id,
				  .attr_mod = attr_mod,
			  });
	return mad_port_request(p, to, mad, cookie, now, timeout_ms);
}

int mad_port_answer(struct mad_port *p, const struct mad_reply *report)
{
	struct ib_user_mad *umad = (struct ib_user_mad *)p->out;

	if (!report->report || report->mad != umad_get_mad(p->in) || report->len != MAD_SIZE)
		return -EINVAL;
	/* The way it came; the kernel does not tell the Q_Key. */
	*umad = (struct ib_user_mad){ .addr = p->in->addr };
	umad->addr.qkey = htobe32(MAD_QKEY);
	sa_encode_report_resp(umad_get_mad(p->out), report->mad);
	errno = 0;
	/* No answer follows an answer: no timeout. */
	if (umad_send(p->id, p->report_agent, p->out, MAD_SIZE, 0, 0) != 0)
		return umad_error(-1);
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

/*
 * An administrator may give back another modifier than it was asked with. A redirection is a
 * ClassPortInfo, under its own name or that of what was asked for.
 */
static bool answers(const struct transaction *t, const struct mad_header *h)
{
	if (h->method == t->method && h->attr_id == DM_ATTR_CLASS_PORT_INFO &&
	    (h->status & MAD_STATUS_REDIRECT))
		return true;
	return h->method == t->method && h->attr_id == t->attr_id &&
	       (h->attr_mod == t->attr_mod || t->mgmt_class == MAD_CLASS_SA);
}

/* What a datagram of any kind says of itself and its sender. */
static void fill_reply(struct mad_port *p, const struct mad_header *h, size_t len,
		       struct mad_reply *ret)
{
	const ib_mad_addr_t *from = &p->in->addr;

	*ret = (struct mad_reply){
		.header = *h,
		.grh = from->grh_present,
		.from_lid = be16toh(from->lid),
		.len = len,
		.mad = umad_get_mad(p->in),
	};
	memcpy(ret->from_gid, from->gid, sizeof(ret->from_gid));
}

static bool is_report(const struct mad_port *p, const struct mad_header *h)
{
	return p->report_agent >= 0 && p->in->agent_id == (uint32_t)p->report_agent &&
	       h->mgmt_class == MAD_CLASS_SA && h->class_version == SA_CLASS_VERSION &&
	       h->method == MAD_METHOD_REPORT;
}

static bool take_answer(struct mad_port *p, const struct mad_header *h, size_t len,
			struct mad_reply *ret)
{
	struct transaction *t;

	if (is_report(p, h) && len == MAD_SIZE) {
		fill_reply(p, h, len, ret);
		ret->report = true;
		p->stats.reports++;
		return true;
	}
	/* An answer of another kind leaves the transaction: the right one may follow. */
	t = find_transaction(p, h);
	if (!t || !answers(t, h) || (t->lid && t->lid != be16toh(p->in->addr.lid))) {
		p->stats.unmatched++;
		return false;
	}
	fill_reply(p, h, len, ret);
	ret->cookie = t->cookie;
	ret->sent_usec = t->sent_usec;
	p->stats.received++;
	free_slot(p, t);
	return true;
}

/* Takes a reply of `len` bytes from the kernel, which keeps it until it was read whole. */
static int discard(struct mad_port *p, size_t len)
{
	size_t size = sizeof(struct ib_user_mad) + len;
	void *to;
	int n = (int)len, r;

	if (len > DISCARD_MAX)
		return -EIO;
	to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		  -1, 0);
	if (to == MAP_FAILED)
		return -EIO;
	errno = 0;
	r = umad_recv(p->id, to, &n, 0);
	munmap(to, size);
	if (r < 0)
		return umad_error(r);
	p->stats.oversized++;
	return -EMSGSIZE;
}

/* The next datagram into p->in: its length, -EMSGSIZE where it was dropped, or negative errno. */
static int receive(struct mad_port *p)
{
	int len = (int)p->in_size, r;

	errno = 0;
	r = umad_recv(p->id, p->in, &len, 0);
	if (r >= 0)
		return len >= 0 && (size_t)len <= p->in_size ? len : 0;
	r = umad_error(r);
	/* A table that is longer than the buffer stays where it is; `len` is what it needs. */
	if (r != -ENOSPC)
		return r;
	if (len <= (int)p->in_size)
		return -EIO;
	if ((unsigned)len > MAD_REPLY_MAX)
		return discard(p, (size_t)len);
	r = resize_in(p, (size_t)len);
	if (r < 0)
		return r;
	errno = 0;
	r = umad_recv(p->id, p->in, &len, 0);
	if (r < 0)
		return umad_error(r);
	return len >= 0 && (size_t)len <= p->in_size ? len : 0;
}

int mad_port_recv(struct mad_port *p, struct mad_reply *ret)
{
	/* The datagram of the last call is no longer anybody's. */
	if (p->in_size > KEPT_SIZE)
		(void)resize_in(p, MAD_SIZE);
	for (unsigned i = 0; i < SKIP_MAX; i++) {
		int len = receive(p);
		struct mad_header h;

		if (len == -EAGAIN || len == -EINTR)
			return 0;
		if (len == -EMSGSIZE)
			continue;
		if (len < 0)
			return len == -ENODEV || len == -ENOMEM ? len : -EIO;
		if (mad_decode_header(umad_get_mad(p->in), (size_t)len, &h) < 0) {
			p->stats.malformed++;
			continue;
		}
		if (umad_status(p->in) ? take_timeout(p, &h, ret)
				       : take_answer(p, &h, (size_t)len, ret))
			return 1;
	}
	return 0;
}
