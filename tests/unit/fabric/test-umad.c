/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions over a libibumad of our own (fake_umad.c): what is sent, what is matched. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/parse.h"
#include "fabric/umad.h"
#include "fake_umad.h"

#define T0 (1000 * USEC_PER_SEC)

struct packet {
	_Alignas(8) uint8_t bytes[sizeof(struct ib_user_mad) + MAD_SIZE];
};

static struct ib_user_mad *umad_of(struct packet *p)
{
	return (struct ib_user_mad *)p->bytes;
}

static int setup(void **state)
{
	struct mad_port *p;

	fake_umad = (struct fake_umad){ .peer = -1 };
	assert_int_equal(mad_port_open("rxe0", 1, &p), 0);
	assert_int_equal(fake_umad.registers, 1);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	mad_port_close(*state);
	assert_int_equal(fake_umad.closes, fake_umad.opens);
	return 0;
}

static const struct mad_dest dest = { .grh = true,
				      .gid = { 0xfe, 0x80, [8] = 0x50, 0x54 },
				      .gid_index = 3 };

static int get(struct mad_port *p, uint32_t attr_mod, uint64_t cookie)
{
	return mad_port_get(p, &dest, MAD_CLASS_DM, DM_ATTR_IOC_PROFILE, attr_mod, cookie, T0,
			    2000);
}

static void take(struct packet *ret)
{
	assert_int_equal(recv(fake_umad.peer, ret->bytes, sizeof(ret->bytes), MSG_DONTWAIT),
			 sizeof(ret->bytes));
}

static void give(struct packet *p, size_t len)
{
	assert_int_equal(send(fake_umad.peer, p->bytes, len, 0), len);
}

static void into_answer(struct packet *p)
{
	umad_of(p)->data[3] = MAD_METHOD_GET_RESP;
	umad_of(p)->status = 0;
}

static void what_is_sent(void **state)
{
	struct packet k;
	struct ib_user_mad *m = umad_of(&k);

	assert_int_equal(get(*state, 5, 77), 0);
	take(&k);
	assert_int_equal(m->agent_id, FAKE_UMAD_AGENT);
	assert_int_equal(m->timeout_ms, 2000);
	assert_int_equal(m->retries, 0);
	assert_int_equal(be32toh(m->addr.qpn), 1);
	assert_int_equal(be32toh(m->addr.qkey), 0x80010000);
	assert_int_equal(m->addr.grh_present, 1);
	assert_int_equal(m->addr.gid_index, 3); /* umad_set_grh() leaves it out */
	assert_int_equal(m->addr.hop_limit, 64);
	assert_memory_equal(m->addr.gid, dest.gid, 16);
	assert_memory_equal(m->data, "\x01\x06\x01\x01", 4);
	assert_memory_equal(m->data + 16, "\x00\x11\x00\x00\x00\x00\x00\x05", 8);
	assert_int_equal(mad_port_stats(*state)->sent, 1);
	assert_int_equal(mad_port_stats(*state)->outstanding, 1);
}

static void an_answer(void **state)
{
	struct mad_reply r;
	struct packet k;

	assert_int_equal(mad_port_recv(*state, &r), 0);
	assert_int_equal(get(*state, 5, 77), 0);
	take(&k);
	into_answer(&k);
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(*state, &r), 1);
	assert_int_equal(r.cookie, 77);
	assert_int_equal(r.sent_usec, T0);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.header.attr_mod, 5);
	assert_int_equal(r.len, MAD_SIZE);
	assert_true(r.grh);
	assert_memory_equal(r.from_gid, dest.gid, 16);
	assert_int_equal(mad_port_stats(*state)->outstanding, 0);
	/* The same again matches nothing. */
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(*state, &r), 0);
	assert_int_equal(mad_port_stats(*state)->unmatched, 1);
}

static void a_timeout(void **state)
{
	struct mad_reply r;
	struct packet k;

	assert_int_equal(get(*state, 1, 8), 0);
	take(&k);
	umad_of(&k)->status = ETIMEDOUT;
	give(&k, sizeof(struct ib_user_mad) + MAD_HEADER_SIZE); /* as the kernel gives it back */
	assert_int_equal(mad_port_recv(*state, &r), 1);
	assert_int_equal(r.cookie, 8);
	assert_int_equal(r.error, -ETIMEDOUT);
	assert_int_equal(mad_port_stats(*state)->outstanding, 0);
	assert_int_equal(mad_port_stats(*state)->timeouts, 1);
}

/* In any order, and past what does not belong to us. */
static void many_at_once(void **state)
{
	struct packet k[20], bad;
	struct mad_reply r;

	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(get(*state, i, 100 + i), 0);
		take(&k[i]);
		into_answer(&k[i]);
	}
	for (unsigned i = 0; i < 6; i++) {
		bad = k[0];
		if (i == 0)
			umad_of(&bad)->data[15] ^= 0x40; /* another transaction */
		else if (i == 1)
			umad_of(&bad)->data[1] = 0x03; /* another class */
		else if (i == 2)
			umad_of(&bad)->data[17] = 0x10; /* another attribute */
		else if (i == 3)
			umad_of(&bad)->data[23] = 9; /* another modifier */
		else if (i == 4)
			umad_of(&bad)->data[3] = MAD_METHOD_GET; /* not an answer */
		else
			umad_of(&bad)->data[0] = 0x80; /* another base version */
		give(&bad, sizeof(bad.bytes));
	}
	give(&bad, sizeof(struct ib_user_mad) + 10); /* less than a header */
	give(&bad, 20);				     /* less than libibumad's */
	for (unsigned i = 20; i-- > 0;)
		give(&k[i], sizeof(k[i].bytes));
	for (unsigned i = 20; i-- > 0;) {
		assert_int_equal(mad_port_recv(*state, &r), 1);
		assert_int_equal(r.cookie, 100 + i);
	}
	assert_int_equal(mad_port_recv(*state, &r), 0);
	assert_int_equal(mad_port_stats(*state)->unmatched, 5);
	assert_int_equal(mad_port_stats(*state)->malformed, 3);
	assert_int_equal(mad_port_stats(*state)->outstanding, 0);
}

static void bounded(void **state)
{
	struct mad_port *p = *state;
	struct packet k;

	for (unsigned i = 0; i < MAD_OUTSTANDING_MAX; i++) {
		assert_int_equal(get(p, 0, i), 0);
		take(&k);
	}
	assert_int_equal(get(p, 0, 0), -EBUSY);
	assert_int_equal(mad_port_stats(p)->outstanding, MAD_OUTSTANDING_MAX);
	/* The kernel forgot them: after a minute they are taken over. */
	assert_int_equal(mad_port_get(p, &dest, MAD_CLASS_DM, DM_ATTR_IOU_INFO, 0, 1,
				      T0 + 61 * USEC_PER_SEC, 1),
			 0);
	assert_int_equal(mad_port_stats(p)->outstanding, MAD_OUTSTANDING_MAX);
}

static void errors(void **state)
{
	struct mad_port *p = *state;
	struct mad_reply r;
	struct packet k;

	assert_int_equal(mad_port_get(p, &dest, MAD_CLASS_SA, 1, 0, 0, T0, 1), -EPROTONOSUPPORT);
	fake_umad.send_error = EHOSTUNREACH;
	assert_int_equal(get(p, 0, 0), -EHOSTUNREACH);
	assert_int_equal(mad_port_stats(p)->outstanding, 0);
	fake_umad.send_error = 0;
	assert_int_equal(mad_port_register(p, MAD_CLASS_SA, 2), 0);
	assert_int_equal(
		mad_port_get(p, &(struct mad_dest){ .lid = 4 }, MAD_CLASS_SA, 1, 0, 0, T0, 1), 0);
	take(&k);
	assert_int_equal(umad_of(&k)->addr.grh_present, 0);
	assert_int_equal(be16toh(umad_of(&k)->addr.lid), 4);
	assert_int_equal(umad_of(&k)->data[2], 2);
	/* The device is removed. */
	assert_int_equal(shutdown(fake_umad.peer, SHUT_RDWR), 0);
	assert_int_equal(mad_port_recv(p, &r), -EIO);
}

static void cannot_open(void **state)
{
	struct mad_port *p = NULL;

	fake_umad = (struct fake_umad){ .peer = -1, .open_error = EACCES };
	assert_int_equal(mad_port_open("rxe0", 1, &p), -EACCES);
	fake_umad = (struct fake_umad){ .peer = -1, .register_error = EPERM };
	assert_int_equal(mad_port_open("rxe0", 1, &p), -EPERM);
	assert_int_equal(fake_umad.closes, 1);
	assert_null(p);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_is_sent),
		CASE(an_answer),
		CASE(a_timeout),
		CASE(many_at_once),
		CASE(bounded),
		CASE(errors),
		cmocka_unit_test(cannot_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
