/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subscriptions and the Reports that come of them. The input is a list of steps: what happens (a
 * byte), how much later (a byte, squared, in ms), and for those that bring a datagram its length
 * (two bytes) and its bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/notice.h"
#include "fabric/sa.h"
#include "fabric/subscribe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum step { RESTART, STOP, ASK, REPLY, MENDED_REPLY, REPORT, MENDED_REPORT, FORGET, STEPS };

#define STEPS_MAX 4096
#define REQUESTS 8 /* that an answer may be for */

struct fuzz {
	struct subscribe s;
	struct notices n;
	struct subscribe_request asked[REQUESTS];
	unsigned n_asked;
	uint64_t now;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void ask(struct fuzz *f)
{
	struct subscribe_request rq;
	struct sa_inform inform;
	unsigned n = 0;

	while (subscribe_next(&f->s, f->now, &rq)) {
		check(++n <= SUBSCRIBE_TRAPS);
		check(sa_decode_inform(rq.mad, MAD_SIZE, &inform) == 0 && inform.subscribe);
		f->asked[f->n_asked++ % REQUESTS] = rq;
	}
	check(subscribe_due(&f->s) > f->now);
}

static void reply(struct fuzz *f, uint8_t *mad, size_t len, bool mended)
{
	const struct subscribe_request *rq;
	unsigned before = subscribe_mask(&f->s);
	int r;

	if (f->n_asked == 0 || len == 0)
		return;
	rq = &f->asked[mad[len - 1] % (f->n_asked < REQUESTS ? f->n_asked : REQUESTS)];
	if (mended && len >= SA_DATA_OFFSET + 36) {
		memcpy(mad, "\1\3\2\x81", 4);
		mad[17] = SA_ATTR_INFORM_INFO;
		mad[16] = 0;
		memcpy(mad + SA_DATA_OFFSET, rq->mad + SA_DATA_OFFSET, 30);
	}
	r = subscribe_reply(&f->s, rq->cookie, mad, len, f->now);
	check(r == 0 || r == -ESTALE || r == -EBADMSG || r == -EREMOTE);
	check(r == 0 || (subscribe_mask(&f->s) & ~before) == 0);
}

static void report(struct fuzz *f, uint8_t *mad, size_t len, bool mended)
{
	const struct notices before = f->n;
	struct notice_event e;
	int r;

	if (mended && len >= SA_DATA_OFFSET + 80) {
		memcpy(mad, "\1\3\2\6", 4);
		mad[16] = 0;
		mad[17] = SA_ATTR_NOTICE;
		mad[SA_DATA_OFFSET] |= 0x80;
	}
	r = notices_take(&f->n, mad, len, 1, f->now, &e);
	check(f->n.taken - before.taken == (r == 1));
	check(f->n.malformed - before.malformed == (r == -EBADMSG));
	if (r < 0)
		check(r == -EBADMSG);
	if (r != 1)
		return;
	check(e.kind <= NOTICE_CAPABILITY);
	/* The same at once is a repetition. */
	check(notices_take(&f->n, mad, len, 1, f->now, &e) == 0);
}

static void step(struct fuzz *f, unsigned what, uint8_t *mad, size_t len)
{
	struct subscribe_trap trap;

	switch (what) {
	case RESTART:
		subscribe_restart(&f->s);
		break;
	case STOP:
		subscribe_stop(&f->s);
		check(subscribe_due(&f->s) == UINT64_MAX && subscribe_mask(&f->s) == 0);
		break;
	case ASK:
		ask(f);
		break;
	case REPLY:
	case MENDED_REPLY:
		reply(f, mad, len, what == MENDED_REPLY);
		break;
	case REPORT:
	case MENDED_REPORT:
		report(f, mad, len, what == MENDED_REPORT);
		break;
	case FORGET:
		notices_forget(&f->n);
		break;
	}
	if (subscribe_news(&f->s, &trap) != SUBSCRIBE_NO_NEWS)
		check(subscribe_news(&f->s, &trap) == SUBSCRIBE_NO_NEWS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = calloc(1, sizeof(*f));

	if (!f)
		return 0;
	subscribe_init(&f->s, 1);
	f->now = UINT64_C(1000000);
	for (unsigned i = 0; i < STEPS_MAX && size >= 2; i++) {
		unsigned what = data[0] % STEPS;
		uint8_t *mad;
		size_t len = 0;

		f->now += (uint64_t)data[1] * data[1] * 1000;
		data += 2;
		size -= 2;
		if (what >= REPLY && what <= MENDED_REPORT && size >= 2) {
			len = (size_t)(data[0] << 8 | data[1]);
			data += 2;
			size -= 2;
			len = len < size ? len : size;
		}
		mad = malloc(len ? len : 1); /* exactly as long as what came */
		if (!mad)
			break;
		memcpy(mad, data, len);
		data += len;
		size -= len;
		step(f, what, mad, len);
		free(mad);
	}
	free(f);
	return 0;
}
