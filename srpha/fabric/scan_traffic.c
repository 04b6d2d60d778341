/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "fabric/bytes.h"
#include "fabric/sa.h"
#include "fabric/scan_state.h"

/* What a flight asked: a question of the census, or of a target. */
#define KIND_TARGET 16

/* The kernel remembers a request for longer than we wait: a late answer is one. */
#define KERNEL_EXTRA_MS 1000

/* Requests. */

static bool is_table(enum census_question what)
{
	return what == CENSUS_PORTS || what == CENSUS_NODES;
}

static void hand_out(const struct scan *s, const struct flight *fl, struct scan_request *ret)
{
	uint64_t patience = fl->lane == FLIGHT_TABLE ? FLIGHT_PATIENCE : 1;

	*ret = (struct scan_request){
		.handle = fl->handle,
		.to = fl->to,
		.mad = fl->mad,
		.timeout_ms = KERNEL_EXTRA_MS +
			      (unsigned)(patience * s->config.flight.timeout_usec / USEC_PER_MSEC),
	};
}

static struct flight *begin_flight(struct scan *s, enum flight_lane lane, int kind, uint64_t key,
				   uint32_t item, const struct mad_dest *to,
				   const uint8_t mad[static MAD_SIZE], uint64_t now)
{
	struct flight *fl = flight_begin(&s->flights, lane, now);

	fl->kind = kind;
	fl->key = key;
	fl->item = item;
	fl->to = *to;
	memcpy(fl->mad, mad, sizeof(fl->mad));
	return fl;
}

static bool next_repeat(struct scan *s, uint64_t now, struct scan_request *ret)
{
	struct flight *fl = flights_repeat(&s->flights, now);
	struct target *t;

	if (!fl)
		return false;
	t = fl->lane == FLIGHT_PEER ? targets_find(&s->targets, fl->key) : NULL;
	if (t && fl->tries > 1)
		t->missed = true;
	hand_out(s, fl, ret);
	return true;
}

static bool next_peer(struct scan *s, uint64_t now, struct scan_request *ret)
{
	struct target_request rq;
	struct target *t;

	if (!s->targets.queues[QUEUE_PEERS].head || !flights_room(&s->flights, FLIGHT_PEER))
		return false;
	while ((t = targets_dequeue(&s->targets, QUEUE_PEERS))) {
		/* It comes back here when one of its requests is over. */
		if (t->out >= (t->missed ? 1 : s->config.per_peer))
			continue;
		if (!target_next_peer(t, now, &rq)) {
			scan_settle_target(s, t, now);
			continue;
		}
		t->out++;
		targets_enqueue(&s->targets, QUEUE_PEERS, t);
		hand_out(s,
			 begin_flight(s, FLIGHT_PEER, KIND_TARGET + (int)rq.kind, t->guid, rq.item,
				      &rq.to, rq.mad, now),
			 ret);
		return true;
	}
	return false;
}

static bool next_question(struct scan *s, uint64_t now, struct scan_request *ret)
{
	struct census_request rq;
	enum flight_lane lane;

	/* The census goes first: with it, others have something to do. */
	if (!census_next(s->census, &rq))
		return false;
	lane = is_table(rq.what) ? FLIGHT_TABLE : FLIGHT_SA;
	hand_out(s, begin_flight(s, lane, (int)rq.what, 0, rq.item, &s->sa, rq.mad, now), ret);
	return true;
}

static bool next_record(struct scan *s, uint64_t now, struct scan_request *ret)
{
	struct target_request rq;
	struct target *t;

	while ((t = targets_dequeue(&s->targets, QUEUE_RECORDS))) {
		if (!target_next_record(t, s->port.gid, s->port.lid, &rq)) {
			scan_settle_target(s, t, now);
			continue;
		}
		targets_enqueue(&s->targets, QUEUE_RECORDS, t);
		hand_out(s,
			 begin_flight(s, FLIGHT_SA, KIND_TARGET + (int)rq.kind, t->guid, rq.item,
				      &s->sa, rq.mad, now),
			 ret);
		return true;
	}
	return false;
}

/* It was silent for all repeats of one request, and said nothing else meanwhile: leave it alone. */
static void give_up_questions(struct scan *s, uint64_t now)
{
	struct census_request rq;
	struct target_request trq;
	struct target *t;

	while (census_next(s->census, &rq))
		census_give_up(s->census, rq.what, rq.item);
	while ((t = targets_dequeue(&s->targets, QUEUE_RECORDS))) {
		while (target_next_record(t, s->port.gid, s->port.lid, &trq))
			target_silent(t, trq.kind, trq.item, trq.mad, now);
		targets_enqueue(&s->targets, QUEUE_PEERS, t);
		scan_settle_target(s, t, now);
	}
}

/* What ends makes others begin: those that the lists of nodes do not have any more, for one. */
static bool has_more(const struct scan *s)
{
	return (s->targets.queues[QUEUE_PEERS].head && flights_room(&s->flights, FLIGHT_PEER)) ||
	       (s->targets.queues[QUEUE_RECORDS].head &&
		(s->sa_silent || flights_room(&s->flights, FLIGHT_SA)));
}

bool scan_next(struct scan *s, uint64_t now, struct scan_request *ret)
{
	if (!s->has_port)
		return false;
	do {
		scan_take_findings(s, now);
		if (s->sa_silent)
			give_up_questions(s, now);
		if (next_repeat(s, now, ret) || next_peer(s, now, ret))
			return true;
		if (!s->sa_silent && flights_room(&s->flights, FLIGHT_SA) &&
		    (next_question(s, now, ret) || next_record(s, now, ret)))
			return true;
		scan_check_end(s, now);
	} while (has_more(s));
	return false;
}

/* Answers. */

static void count_malformed(struct scan *s, int r)
{
	if (r == -EBADMSG)
		s->malformed++;
}

static void answer_record(struct scan *s, struct target *t, const struct flight *fl,
			  uint16_t status, const uint8_t *mad, size_t len, uint64_t now)
{
	struct sa_path path;
	const uint8_t *record;
	struct sa_table table;
	bool elsewhere = fl->kind == KIND_TARGET + TARGET_ELSEWHERE;
	size_t size;
	int r = -ENOENT;

	if (status == 0) {
		r = -EBADMSG;
		if (sa_table_init(&table, mad, len) == 0 && sa_table_next(&table, &record, &size))
			r = sa_decode_path(record, size, &path);
		count_malformed(s, r);
	}
	if (elsewhere)
		target_take_elsewhere(t, r == 0 ? &path : NULL);
	else if (r == -EBADMSG || status == SA_STATUS_NO_RESOURCES)
		target_silent(t, TARGET_PATH_RECORD, fl->item, fl->mad, now);
	else
		target_take_record(t, fl->item, r == 0 ? &path : NULL, now);
}

/* The flight is over; `fl` is valid until the next one begins. */
static void answer(struct scan *s, const struct flight *fl, uint16_t status, const uint8_t *mad,
		   size_t len, uint64_t now)
{
	struct target *t;

	if (fl->kind < KIND_TARGET) {
		(void)census_reply(s->census, (enum census_question)fl->kind, fl->item, status, mad,
				   len);
		scan_take_findings(s, now);
		return;
	}
	t = targets_find(&s->targets, fl->key);
	if (!t)
		return;
	switch ((enum target_kind)(fl->kind - KIND_TARGET)) {
	case TARGET_PATH_RECORD:
	case TARGET_ELSEWHERE:
		answer_record(s, t, fl, status, mad, len, now);
		break;
	case TARGET_INFO:
		t->out--;
		count_malformed(s, target_take_info(t, fl->item, mad, len, now));
		break;
	case TARGET_WALK:
		t->out--;
		count_malformed(s, target_take_walk(t, fl->mad, mad, len, now));
		break;
	}
	scan_queue_target(s, t);
	scan_settle_target(s, t, now);
}

static void silence(struct scan *s, const struct flight *fl, uint64_t now)
{
	struct target *t;

	if (fl->lane != FLIGHT_PEER && s->sa_heard_usec <= fl->begun_usec)
		s->sa_silent = true;
	if (fl->kind < KIND_TARGET) {
		census_give_up(s->census, (enum census_question)fl->kind, fl->item);
		scan_take_findings(s, now);
		return;
	}
	t = targets_find(&s->targets, fl->key);
	if (!t)
		return;
	if (fl->lane == FLIGHT_PEER)
		t->out--;
	target_silent(t, (enum target_kind)(fl->kind - KIND_TARGET), fl->item, fl->mad, now);
	scan_queue_target(s, t);
	scan_settle_target(s, t, now);
}

/* The administrator is elsewhere: this request and all that follow go there. */
static bool redirect_sa(struct scan *s, struct flight *fl, const uint8_t *mad, size_t len,
			uint64_t now)
{
	struct mad_class_port_info info;
	struct mad_dest there = fl->to;
	uint16_t index = s->sa.pkey_index;
	int r;

	if (sa_decode_class_port_info(mad, len, &info) < 0)
		return false;
	r = ibport_pkey_index(&s->port, info.redirect_pkey);
	if (r >= 0)
		index = (uint16_t)r;
	if (mad_dest_redirect(&there, &info, index) < 0 || there.lid == 0 ||
	    !flight_redirect(&s->flights, fl, now))
		return false;
	fl->to = s->sa = there;
	return true;
}

/* True when the request goes on elsewhere, or comes again. */
static bool redirect_peer(struct scan *s, struct flight *fl, const uint8_t *mad, size_t len,
			  uint64_t now)
{
	struct target *t = targets_find(&s->targets, fl->key);
	struct mad_class_port_info info;
	int r;

	if (!t || dm_decode_class_port_info(mad, len, &info) < 0)
		return false;
	r = target_redirect(t, (enum target_kind)(fl->kind - KIND_TARGET), fl->item, &info,
			    &fl->to);
	if (r == 0)
		return flight_redirect(&s->flights, fl, now);
	if (r != -EINPROGRESS)
		return false;
	flight_end(&s->flights, fl);
	t->out--;
	scan_queue_target(s, t);
	return true;
}

/*
 * Whether it is about what was asked. Transaction numbers follow each other: one that was mangled is
 * another one's.
 */
static bool is_about(const struct flight *fl, uint16_t lid, const struct mad_header *h,
		     const uint8_t *mad, size_t len)
{
	struct sa_path asked, path;

	if (fl->lane == FLIGHT_PEER)
		return fl->to.grh || lid == fl->to.lid;
	if (h->status || len < SA_DATA_OFFSET + SA_PATH_RECORD_SIZE)
		return true; /* others judge that */
	switch (fl->kind) {
	case CENSUS_PORT:
	case CENSUS_NODE:
		return get16(mad + SA_DATA_OFFSET) == get16(fl->mad + SA_DATA_OFFSET);
	case CENSUS_PATH:
	case KIND_TARGET + TARGET_PATH_RECORD:
	case KIND_TARGET + TARGET_ELSEWHERE:
		return sa_decode_path(fl->mad + SA_DATA_OFFSET, SA_PATH_RECORD_SIZE, &asked) < 0 ||
		       sa_decode_path(mad + SA_DATA_OFFSET, SA_PATH_RECORD_SIZE, &path) < 0 ||
		       (memcmp(asked.dgid, path.dgid, sizeof(asked.dgid)) == 0 &&
			(asked.pkey == 0 || ((asked.pkey ^ path.pkey) & PKEY_PARTITION) == 0));
	default:
		return true;
	}
}

void scan_reply(struct scan *s, uint32_t handle, uint16_t lid, uint64_t sent_usec,
		const uint8_t *mad, size_t len, uint64_t now)
{
	struct flight *fl = flight_find(&s->flights, handle);
	struct mad_header h;
	bool sa;

	if (!fl) {
		s->late++;
		return;
	}
	if (mad_decode_header(mad, len, &h) < 0 || !is_about(fl, lid, &h, mad, len)) {
		s->malformed++;
		return; /* the right one may follow, or it is sent again */
	}
	sa = fl->lane != FLIGHT_PEER;
	if (sa) {
		s->sa_heard_usec = now;
		s->sa_silent = false;
	}
	flight_sample(&s->flights, fl, now > sent_usec ? now - sent_usec : 0);
	if ((h.status & MAD_STATUS_BUSY) && flight_busy(&s->flights, fl, now))
		return;
	if ((h.status & MAD_STATUS_REDIRECT) && !(h.status & MAD_STATUS_BUSY) &&
	    (sa ? redirect_sa(s, fl, mad, len, now) : redirect_peer(s, fl, mad, len, now)))
		return;
	flight_end(&s->flights, fl);
	if (h.status & (MAD_STATUS_BUSY | MAD_STATUS_REDIRECT))
		silence(s, fl, now); /* it may well be there, but not for us, now */
	else
		answer(s, fl, h.status, mad, len, now);
	scan_check_end(s, now);
}

/* Time. */

static void retry_targets(struct scan *s, uint64_t now)
{
	uint64_t next = USEC_INFINITY;

	for (unsigned i = 0; i < s->targets.n; i++) {
		struct target *t = s->targets.list[i];

		if (!t->asked && now >= t->retry_usec)
			scan_ask_target(s, t, t->listed ? TARGET_RENEW : TARGET_VERIFY, now);
		else if (t->retry_usec < next)
			next = t->retry_usec;
	}
	s->retry_usec = next;
}

void scan_tick(struct scan *s, uint64_t now)
{
	struct flight *fl;

	if (!s->has_port)
		return;
	while ((fl = flights_expired(&s->flights, now))) {
		flight_end(&s->flights, fl);
		silence(s, fl, now);
	}
	if (now >= s->retry_usec)
		retry_targets(s, now);
	scan_check_end(s, now);
}

uint64_t scan_due(const struct scan *s)
{
	uint64_t due = flights_due(&s->flights);

	return s->has_port && s->retry_usec < due ? s->retry_usec : due;
}
