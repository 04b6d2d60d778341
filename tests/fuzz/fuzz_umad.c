/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ib_umad gives: datagrams of any length and content, to any agent, as answers, as Reports,
 * as the kernel's own timeouts, longer than the buffer or than anything that is taken. The input
 * is a list of steps: a byte for what happens and, where a datagram comes, its length (two bytes)
 * and its bytes; the device is libibumad's fake of the unit tests.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "fabric/sa.h"
#include "fabric/umad.h"
#include "fake_umad.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum step { GET, TABLE, INFORM, REPORTS, GIVE, GIVE_ANSWER, GIVE_TIMEOUT, GIVE_LONG, STEPS };

#define STEPS_MAX 256

struct fuzz {
	struct mad_port *port;
	uint64_t cookie, answered, now;
	_Alignas(8) uint8_t last[sizeof(struct ib_user_mad) + MAD_SIZE]; /* that was asked */
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void ask(struct fuzz *f, unsigned what)
{
	const struct mad_dest to = { .lid = 1 };
	struct sa_inform inform;
	uint8_t mad[MAD_SIZE];
	int r;

	f->cookie++;
	f->now += 1000;
	if (what == GET) {
		r = mad_port_get(f->port, &to, MAD_CLASS_DM, DM_ATTR_IOC_PROFILE, 1, f->cookie,
				 f->now, 100);
	} else {
		sa_inform_of_trap(&inform, SA_TRAP_CAPABILITY, true);
		if (what == TABLE)
			sa_encode_get_nodes(mad);
		else
			sa_encode_set_inform(mad, &inform);
		r = mad_port_request(f->port, &to, mad, f->cookie, f->now, 100);
	}
	check(r == 0 || r == -EAGAIN);
	if (r == 0)
		check(recv(fake_umad.peer, f->last, sizeof(f->last), MSG_DONTWAIT) > 0);
}

/* All of it can be read. */
static uint64_t touch(const uint8_t *mad, size_t len)
{
	uint64_t sum = mad[len - 1];

	for (size_t i = 0; i < len; i += 4096)
		sum += mad[i];
	return sum;
}

static void take(struct fuzz *f)
{
	const struct mad_stats *st = mad_port_stats(f->port);
	struct mad_reply reply;
	int r;

	while ((r = mad_port_recv(f->port, &reply)) > 0) {
		check(st->outstanding <= f->cookie);
		if (reply.report) {
			check(reply.len == MAD_SIZE);
			if (mad_port_answer(f->port, &reply) == 0)
				check(recv(fake_umad.peer, f->last, sizeof(f->last), MSG_DONTWAIT) >
				      0);
			continue;
		}
		check(reply.cookie > 0 && reply.cookie <= f->cookie);
		check(reply.sent_usec > 0 && reply.sent_usec <= f->now);
		f->answered++;
		if (reply.error)
			continue;
		check(reply.len >= MAD_HEADER_SIZE && reply.len <= MAD_REPLY_MAX);
		check(touch(reply.mad, reply.len) != UINT64_MAX);
	}
	check(r == 0 || r == -EIO);
	check(f->answered + st->outstanding <= f->cookie);
}

static const size_t paddings[] = { 1, 200, 4096, 1u << 16, MAD_REPLY_MAX, 1u << 30 };

/* A datagram of `len` bytes as it is, or made fit for what was asked last. */
static void give(struct fuzz *f, unsigned what, const uint8_t *data, size_t len)
{
	struct ib_user_mad *m;
	size_t size = sizeof(*m) + len;

	m = calloc(1, size);
	if (!m)
		return;
	if (len)
		memcpy(m->data, data, len);
	m->agent_id = FAKE_UMAD_AGENT + (len ? data[len - 1] % 4 : 0);
	if (what != GIVE && len >= MAD_HEADER_SIZE) {
		const uint8_t *asked = ((struct ib_user_mad *)f->last)->data;
		uint8_t method = m->data[3], status[2] = { m->data[4], m->data[5] };

		memcpy(m->data, asked, MAD_HEADER_SIZE);
		m->data[3] = method % 4 ? (asked[3] == 2 ? 0x81 : asked[3] | 0x80) : method;
		memcpy(m->data + 4, status, 2);
	}
	m->status = what == GIVE_TIMEOUT ? ETIMEDOUT : 0;
	if (what == GIVE_LONG && len > 0)
		fake_umad.padding = paddings[data[0] % ARRAY_SIZE(paddings)];
	(void)!send(fake_umad.peer, m, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(m);
	take(f);
	fake_umad.padding = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .now = 1 };

	fake_umad = (struct fake_umad){ .peer = -1 };
	if (mad_port_open("fuzz0", 1, &f.port) < 0)
		return 0;
	check(mad_port_register(f.port, MAD_CLASS_SA, SA_CLASS_VERSION, true) == 0);
	for (unsigned i = 0; i < STEPS_MAX && size > 0; i++) {
		unsigned what = data[0] % STEPS;
		size_t len;

		data++;
		size--;
		if (what < REPORTS) {
			ask(&f, what);
		} else if (what == REPORTS) {
			check(mad_port_register_reports(f.port) == 0);
		} else if (size >= 2) {
			len = (size_t)(data[0] << 8 | data[1]) % 4096;
			data += 2;
			size -= 2;
			len = len < size ? len : size;
			give(&f, what, data, len);
			data += len;
			size -= len;
		}
	}
	mad_port_close(f.port);
	return 0;
}
