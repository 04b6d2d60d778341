/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scan whose replies are damaged: by the input, from a fabric that gives good ones. The first byte
 * chooses the fabric. Then for each reply: a byte of what happens to it, and what that needs: its new
 * length, or up to 15 bytes that are written into it. When the input ends, replies are good.
 */
#include <stdint.h>
#include <string.h>

#include "base/parse.h"
#include "fabric/scan.h"
#include "fake_fabric.h"

#define STEPS_MAX 3000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

static unsigned take(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->data++;
}

/* Changes a reply; false when it is lost. */
static bool damage(struct input *in, struct fake_answer *a)
{
	unsigned how = take(in);

	for (unsigned i = 0; i < (how & 15); i++) {
		size_t at = take(in);

		if (how & 16)
			at = at << 8 | take(in);
		if (at < a->len)
			a->mad[at] = (uint8_t)take(in);
	}
	if (how & 32)
		a->len = (take(in) << 8 | take(in)) % (a->len + 1);
	return !(how & 64);
}

static void send_all(struct scan *s, struct fake_fabric *f, uint64_t now)
{
	struct scan_request rq;

	while (scan_next(s, now, &rq))
		fake_fabric_send(f, &rq.to, rq.mad, rq.handle, now);
}

static void deliver(struct scan *s, struct input *in, struct fake_answer *a, uint64_t now)
{
	/* Exactly as long as it is, so that a byte too far is seen. */
	if (damage(in, a)) {
		uint8_t *cut = malloc(a->len ? a->len : 1);

		memcpy(cut, a->mad, a->len);
		scan_reply(s, (uint32_t)a->cookie, a->lid, a->sent, cut, a->len, now);
		free(cut);
	}
	free(a->mad);
}

static void run(struct scan *s, struct fake_fabric *f, struct input *in, uint64_t *now)
{
	struct scan_result result;

	send_all(s, f, *now);
	for (unsigned i = 0; i < STEPS_MAX && !scan_ended(s, &result); i++) {
		uint64_t due = scan_due(s), arrival = fake_fabric_due(f);
		struct fake_answer a;

		if (due == USEC_INFINITY && arrival == USEC_INFINITY)
			abort(); /* it would never end */
		due = arrival < due ? arrival : due;
		*now = due > *now ? due : *now;
		while (fake_fabric_next(f, *now, &a))
			deliver(s, in, &a, *now);
		scan_tick(s, *now);
		send_all(s, f, *now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan_config config = {
		.flight = { .window = 32, .retries = 2, .timeout_usec = USEC_PER_SEC },
		.per_peer = 4,
		.ageing_usec = 300 * USEC_PER_SEC,
	};
	struct scan *s = scan_new(&config);
	struct fake_fabric *f = fake_fabric_new(1);
	struct input in = { data, size };
	unsigned kind = take(&in);
	uint64_t now = USEC_PER_SEC;
	struct offer *offers;
	struct ibport port;
	bool complete;

	for (unsigned i = 0; i < (kind & 1 ? 70 : 3); i++)
		fake_fabric_add(f, true)->n_pkeys = 0;
	f->no_mask_match = kind & 2;
	if (kind & 4)
		f->nodes[0].pkeys[f->nodes[0].n_pkeys++] = 0xffff;
	if (kind & 4)
		f->nodes[0].pkeys[f->nodes[0].n_pkeys++] = 0x8001;
	fake_fabric_port(f, &port);
	if (!s || scan_set_port(s, &port, false) < 0)
		abort();
	for (unsigned i = 0; i < 2; i++) {
		(void)scan_start(s, i == 0, now);
		if (kind & 8)
			(void)scan_inquire(s, 2, port.gid);
		run(s, f, &in, &now);
		if (scan_offers(s, now, &offers, &complete) < 0)
			abort();
		free(offers);
	}
	scan_free(s);
	fake_fabric_free(f);
	return 0;
}
