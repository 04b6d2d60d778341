/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/subscribe.h"

#include <errno.h>

#include "fabric/sa.h"

/* What is lost costs most where a path is: that first. */
static const uint16_t traps[SUBSCRIBE_TRAPS] = {
	SA_TRAP_GID_OUT_OF_SERVICE,
	SA_TRAP_GID_IN_SERVICE,
	SA_TRAP_CAPABILITY,
};

#define ALL ((1u << SUBSCRIBE_TRAPS) - 1)

void subscribe_init(struct subscribe *s, uint32_t seed)
{
	*s = (struct subscribe){ .spread = seed | 1 };
	for (unsigned i = 0; i < SUBSCRIBE_TRAPS; i++)
		s->traps[i].trap = traps[i];
}

void subscribe_restart(struct subscribe *s)
{
	s->running = true;
	s->generation++;
	for (unsigned i = 0; i < SUBSCRIBE_TRAPS; i++)
		s->traps[i] = (struct subscribe_trap){ .trap = traps[i] };
}

void subscribe_stop(struct subscribe *s)
{
	subscribe_restart(s); /* what is under way no longer counts */
	s->running = false;
}

/* Up to a quarter more (Marsaglia, xorshift, 2003). */
static uint64_t spread(struct subscribe *s, uint64_t usec)
{
	s->spread ^= s->spread << 13;
	s->spread ^= s->spread >> 17;
	s->spread ^= s->spread << 5;
	return usec + usec / 4 * (s->spread & 0xff) / 0xff;
}

static uint64_t wait_of(const struct subscribe_trap *t)
{
	uint64_t usec = SUBSCRIBE_FIRST_USEC;

	for (unsigned i = 0; i < t->failures && usec < SUBSCRIBE_LAST_USEC; i++)
		usec *= 2;
	return usec < SUBSCRIBE_LAST_USEC ? usec : SUBSCRIBE_LAST_USEC;
}

static void failed(struct subscribe_trap *t, uint16_t status)
{
	t->asked = false;
	t->status = status;
	if (t->failures < UINT32_MAX)
		t->failures++;
	/* One that was confirmed and is to be renewed may be lost by now. */
	if (t->failures >= SUBSCRIBE_PATIENCE)
		t->subscribed = false;
}

bool subscribe_next(struct subscribe *s, uint64_t now, struct subscribe_request *ret)
{
	if (!s->running)
		return false;
	for (unsigned i = 0; i < SUBSCRIBE_TRAPS; i++) {
		struct subscribe_trap *t = &s->traps[i];
		struct sa_inform inform;

		if (t->due > now)
			continue;
		if (t->asked)
			failed(t, 0);
		/* The wait for the answer is the pause before the next try, too. */
		t->asked = true;
		t->due = now + spread(s, wait_of(t));
		sa_inform_of_trap(&inform, t->trap, true);
		sa_encode_set_inform(ret->mad, &inform);
		ret->cookie = (uint64_t)s->generation << 8 | i;
		return true;
	}
	return false;
}

int subscribe_reply(struct subscribe *s, uint64_t cookie, const uint8_t *mad, size_t len,
		    uint64_t now)
{
	struct subscribe_trap *t;
	struct sa_inform inform;
	struct sa_header h;

	if (!s->running || cookie >> 8 != s->generation || (cookie & 0xff) >= SUBSCRIBE_TRAPS)
		return -ESTALE;
	t = &s->traps[cookie & 0xff];
	if (sa_decode_header(mad, len, &h) < 0 || h.mad.method != MAD_METHOD_GET_RESP ||
	    h.mad.attr_id != SA_ATTR_INFORM_INFO)
		return -EBADMSG;
	if (h.mad.status == 0) {
		if (sa_decode_inform(mad, len, &inform) < 0 || inform.trap != t->trap ||
		    !inform.subscribe)
			return -EBADMSG;
		*t = (struct subscribe_trap){ .trap = t->trap,
					      .subscribed = true,
					      .due = now + spread(s, SUBSCRIBE_RENEW_USEC) };
		return 0;
	}
	/* A refusal that comes after a later try, or twice, is not one more. */
	if (t->asked)
		failed(t, h.mad.status);
	return h.mad.status & MAD_STATUS_REDIRECT ? -EREMOTE : 0;
}

uint64_t subscribe_due(const struct subscribe *s)
{
	uint64_t due = UINT64_MAX;

	for (unsigned i = 0; s->running && i < SUBSCRIBE_TRAPS; i++)
		if (s->traps[i].due < due)
			due = s->traps[i].due;
	return due;
}

unsigned subscribe_mask(const struct subscribe *s)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < SUBSCRIBE_TRAPS; i++)
		mask |= (unsigned)s->traps[i].subscribed << i;
	return mask;
}

enum subscribe_news subscribe_news(struct subscribe *s, struct subscribe_trap *ret)
{
	if (!s->running)
		return SUBSCRIBE_NO_NEWS;
	if (subscribe_mask(s) == ALL) {
		bool told = s->told_subscribed;

		s->told_subscribed = true;
		s->told_trouble = false;
		*ret = s->traps[0];
		return told ? SUBSCRIBE_NO_NEWS : SUBSCRIBE_SUBSCRIBED;
	}
	for (unsigned i = 0; i < SUBSCRIBE_TRAPS && !s->told_trouble; i++) {
		const struct subscribe_trap *t = &s->traps[i];

		if (t->failures < SUBSCRIBE_PATIENCE)
			continue;
		s->told_trouble = true;
		s->told_subscribed = false;
		*ret = *t;
		return t->status ? SUBSCRIBE_REFUSED : SUBSCRIBE_SILENT;
	}
	return SUBSCRIBE_NO_NEWS;
}
