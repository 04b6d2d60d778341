/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/notice.h"

#include <errno.h>
#include <string.h>

#include "fabric/sa.h"

static bool to_event(const struct sa_notice *from, struct notice_event *ret)
{
	*ret = (struct notice_event){ 0 };
	switch (from->trap) {
	case SA_TRAP_GID_IN_SERVICE:
		ret->kind = NOTICE_GID_IN;
		break;
	case SA_TRAP_GID_OUT_OF_SERVICE:
		ret->kind = NOTICE_GID_OUT;
		break;
	case SA_TRAP_CAPABILITY:
		ret->kind = NOTICE_CAPABILITY;
		break;
	default:
		return false;
	}
	memcpy(ret->gid, from->gid, sizeof(ret->gid));
	ret->lid = from->lid;
	ret->cap_mask = from->cap_mask;
	return true;
}

static bool same_event(const struct notice_event *a, const struct notice_event *b)
{
	return a->kind == b->kind && a->lid == b->lid && a->cap_mask == b->cap_mask &&
	       memcmp(a->gid, b->gid, sizeof(a->gid)) == 0;
}

static bool is_repetition(const struct notices *n, const struct notice_seen *s)
{
	for (unsigned i = 0; i < NOTICE_RING; i++) {
		const struct notice_seen *o = &n->ring[i];

		if (o->at && s->at - o->at < NOTICE_REPEAT_USEC && o->tid == s->tid &&
		    o->from_lid == s->from_lid && same_event(&o->event, &s->event))
			return true;
	}
	return false;
}

int notices_take(struct notices *n, const uint8_t *mad, size_t len, uint16_t from_lid, uint64_t now,
		 struct notice_event *ret)
{
	struct notice_seen s = { .at = now, .from_lid = from_lid };
	struct sa_notice notice;
	struct sa_header h;

	if (sa_decode_header(mad, len, &h) < 0 || h.mad.method != MAD_METHOD_REPORT ||
	    h.mad.attr_id != SA_ATTR_NOTICE || sa_decode_notice(mad, len, &notice) < 0) {
		n->malformed++;
		return -EBADMSG;
	}
	s.tid = h.mad.tid;
	if (!to_event(&notice, &s.event)) {
		n->other++;
		return 0;
	}
	if (is_repetition(n, &s)) {
		n->repeated++;
		return 0;
	}
	n->ring[n->next++ % NOTICE_RING] = s;
	n->taken++;
	*ret = s.event;
	return 1;
}

void notices_forget(struct notices *n)
{
	memset(n->ring, 0, sizeof(n->ring));
}
