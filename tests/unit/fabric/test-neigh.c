/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rtnetlink parser on crafted buffers, and against the kernel where there is one to ask. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fabric/neigh.h"

#define ID 4711

struct message {
	_Alignas(4) uint8_t bytes[512];
	size_t len;
};

static void put_attr(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct rtattr a = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(len) };
	struct nlmsghdr h;

	memcpy(m->bytes + m->len, &a, sizeof(a));
	memcpy(m->bytes + m->len + RTA_LENGTH(0), data, len);
	m->len += RTA_SPACE(len);
	memcpy(&h, m->bytes, sizeof(h));
	h.nlmsg_len = (uint32_t)m->len;
	memcpy(m->bytes, &h, sizeof(h));
}

static struct message message(uint16_t type, uint32_t pid, uint32_t seq, const void *body,
			      size_t len)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_pid = pid, .nlmsg_seq = seq };
	struct message m = { .len = NLMSG_SPACE(len) };

	h.nlmsg_len = (uint32_t)m.len;
	memcpy(m.bytes, &h, sizeof(h));
	memcpy(m.bytes + NLMSG_HDRLEN, body, len);
	return m;
}

static struct message neighbour(uint16_t state)
{
	struct ndmsg nd = { .ndm_family = AF_INET, .ndm_ifindex = 3, .ndm_state = state };
	struct message m = message(RTM_NEWNEIGH, ID, 9, &nd, sizeof(nd));

	put_attr(&m, NDA_DST, "\x0a\x00\x00\x02", 4);
	put_attr(&m, NDA_LLADDR, "\x52\x54\x00\x12\x00\x01", 6);
	return m;
}

static int parse(const struct message *m, struct neigh_event *e)
{
	size_t offset = 0;

	return neigh_parse(m->bytes, m->len, ID, &offset, e);
}

static void neighbours(void **state)
{
	static const uint16_t valid[] = { NUD_PERMANENT, NUD_NOARP, NUD_REACHABLE,
					  NUD_PROBE,	 NUD_STALE, NUD_DELAY };
	static const uint16_t invalid[] = { NUD_INCOMPLETE, NUD_FAILED, NUD_NONE };
	struct neigh_event e;
	struct message m;

	for (unsigned i = 0; i < 6; i++) {
		m = neighbour(valid[i]);
		assert_int_equal(parse(&m, &e), 1);
		assert_int_equal(e.kind, NEIGH_NEIGHBOUR);
		assert_true(e.valid);
	}
	assert_int_equal(e.seq, 9);
	assert_int_equal(e.key.ifindex, 3);
	assert_int_equal(e.key.family, AF_INET);
	assert_memory_equal(e.key.addr, "\x0a\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00", 11);
	assert_int_equal(e.lladdr_len, 6);
	assert_memory_equal(e.lladdr, "\x52\x54\x00\x12\x00\x01", 6);
	for (unsigned i = 0; i < 3; i++) {
		m = neighbour(invalid[i]);
		assert_int_equal(parse(&m, &e), 1);
		assert_false(e.valid);
	}
	m = neighbour(NUD_REACHABLE);
	((struct nlmsghdr *)m.bytes)->nlmsg_type = RTM_DELNEIGH;
	((struct nlmsghdr *)m.bytes)->nlmsg_pid = ID + 1; /* somebody else's number */
	assert_int_equal(parse(&m, &e), 1);
	assert_int_equal(e.kind, NEIGH_NEIGHBOUR_GONE);
	assert_false(e.valid);
	assert_int_equal(e.seq, 0);
}

static void routes(void **state)
{
	struct rtmsg rt = { .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_type = RTN_UNICAST };
	struct message m = message(RTM_NEWROUTE, ID, 5, &rt, sizeof(rt));
	struct neigh_event e;
	uint32_t oif = 7;

	put_attr(&m, RTA_DST, "\x0a\x00\x00\x02", 4);
	put_attr(&m, RTA_OIF, &oif, 4);
	put_attr(&m, RTA_PREFSRC, "\x0a\x00\x00\x01", 4);
	assert_int_equal(parse(&m, &e), 1);
	assert_int_equal(e.kind, NEIGH_ROUTE);
	assert_int_equal(e.seq, 5);
	assert_int_equal(e.oif, 7);
	assert_false(e.gateway || e.local || e.unreachable);
	assert_memory_equal(e.source, "\x0a\x00\x00\x01", 4);
	put_attr(&m, RTA_GATEWAY, "\x0a\x00\x00\xfe", 4);
	assert_int_equal(parse(&m, &e), 1);
	assert_true(e.gateway);

	rt.rtm_type = RTN_LOCAL;
	m = message(RTM_NEWROUTE, ID, 5, &rt, sizeof(rt));
	put_attr(&m, RTA_VIA, "\x0a\x00\x00\x00\x00\x00", 6);
	assert_int_equal(parse(&m, &e), 1);
	assert_true(e.local);
	assert_true(e.gateway);
	rt.rtm_type = RTN_UNREACHABLE;
	m = message(RTM_NEWROUTE, ID, 5, &rt, sizeof(rt));
	assert_int_equal(parse(&m, &e), 1);
	assert_true(e.unreachable);
	assert_int_equal(e.oif, 0);
}

static void others(void **state)
{
	struct nlmsgerr err = { .error = -ENETUNREACH };
	struct ifinfomsg ifi = { 0 };
	struct message m = message(NLMSG_ERROR, ID, 12, &err, sizeof(err));
	struct neigh_event e;

	assert_int_equal(parse(&m, &e), 1);
	assert_int_equal(e.kind, NEIGH_ERROR);
	assert_int_equal(e.seq, 12);
	assert_int_equal(e.error, -ENETUNREACH);
	err.error = 0; /* an acknowledgement: nothing */
	m = message(NLMSG_ERROR, ID, 12, &err, sizeof(err));
	assert_int_equal(parse(&m, &e), 0);
	m = message(RTM_NEWLINK, 0, 0, &ifi, sizeof(ifi));
	assert_int_equal(parse(&m, &e), 1);
	assert_int_equal(e.kind, NEIGH_LINK);
	m = message(NLMSG_OVERRUN, 0, 0, &ifi, 0);
	assert_int_equal(parse(&m, &e), 1);
	assert_int_equal(e.kind, NEIGH_OVERRUN);
	m = message(RTM_NEWRULE, 0, 0, &ifi, sizeof(ifi));
	assert_int_equal(parse(&m, &e), 0);
}

static void several_in_one(void **state)
{
	struct message a = neighbour(NUD_REACHABLE), b = neighbour(NUD_FAILED);
	struct neigh_event e;
	uint8_t buf[1024];
	size_t offset = 0;

	memcpy(buf, a.bytes, a.len);
	memcpy(buf + a.len, b.bytes, b.len);
	assert_int_equal(neigh_parse(buf, a.len + b.len, ID, &offset, &e), 1);
	assert_true(e.valid);
	assert_int_equal(neigh_parse(buf, a.len + b.len, ID, &offset, &e), 1);
	assert_false(e.valid);
	assert_int_equal(neigh_parse(buf, a.len + b.len, ID, &offset, &e), 0);
}

/* Every way to cut a message, in a block exactly that long; and every length field broken. */
static void broken(void **state)
{
	struct message m = neighbour(NUD_REACHABLE), w;
	struct neigh_event e;

	for (size_t len = 0; len < m.len; len++) {
		uint8_t *p = malloc(len ? len : 1);
		size_t offset = 0;

		assert_non_null(p);
		memcpy(p, m.bytes, len);
		assert_int_equal(neigh_parse(p, len, ID, &offset, &e), len == 0 ? 0 : -EBADMSG);
		free(p);
	}
	for (size_t len = 0; len <= m.len; len++) { /* the header says it is shorter */
		w = m;
		((struct nlmsghdr *)w.bytes)->nlmsg_len = (uint32_t)len;
		size_t offset = 0;

		while (neigh_parse(w.bytes, w.len, ID, &offset, &e) > 0)
			assert_true(offset <= w.len + 4);
	}
	for (unsigned at = 28; at < m.len; at += at == 28 ? 8 : 12) /* the two attributes */
		for (unsigned v = 0; v < 300; v++) {
			size_t offset = 0;
			uint16_t len = (uint16_t)v;
			int r;

			w = m;
			memcpy(w.bytes + at, &len, 2);
			r = neigh_parse(w.bytes, w.len, ID, &offset, &e);
			assert_true(r == 1 || r == 0 || r == -EBADMSG);
			if (v < 4)
				assert_int_equal(r, -EBADMSG);
			if (r == 1)
				assert_true(e.lladdr_len <= NEIGH_LLADDR_MAX);
		}
}

static void keys(void **state)
{
	struct portal p4, p6;
	struct neigh_key a, b;

	assert_int_equal(parse_portal("10.0.0.2:5555", &p4), 0);
	assert_int_equal(parse_portal("[fd00::2]:5555", &p6), 0);
	a = neigh_key_of(3, &p4);
	b = neigh_key_of(3, &p4);
	assert_true(neigh_key_equal(&a, &b));
	b.ifindex = 4;
	assert_false(neigh_key_equal(&a, &b));
	a = neigh_key_of(3, &p6);
	b = neigh_key_of_gid(3, p6.in6.sin6_addr.s6_addr);
	assert_true(neigh_key_equal(&a, &b));
}

/* The answer with our number; notifications of a busy host may come between. */
static void await(int fd, uint32_t id, uint32_t seq, struct neigh_event *e)
{
	static uint8_t buf[NEIGH_BUFFER_SIZE];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		size_t offset = 0;
		ssize_t n;

		assert_int_equal(poll(&p, 1, 10000), 1);
		n = neigh_recv(fd, buf, sizeof(buf));
		assert_true(n > 0);
		while (neigh_parse(buf, (size_t)n, id, &offset, e) > 0)
			if (e->seq == seq)
				return;
	}
}

static void the_kernel(void **state)
{
	struct portal lo, lo6;
	struct neigh_event e;
	struct neigh_key k;
	uint32_t id;
	int fd = neigh_open(&id);

	if (fd < 0) {
		print_message("no rtnetlink here (%s): not tested\n", strerror(-fd));
		skip();
	}
	assert_int_equal(neigh_recv(fd, &e, sizeof(e)), -EAGAIN);
	assert_int_equal(parse_portal("127.0.0.1:1", &lo), 0);
	assert_int_equal(neigh_ask_route(fd, 21, &lo), 0);
	await(fd, id, 21, &e);
	assert_int_equal(e.kind, NEIGH_ROUTE);
	assert_true(e.local);
	assert_int_equal(e.oif, 1);
	assert_int_equal(parse_portal("[::1]:1", &lo6), 0);
	assert_int_equal(neigh_ask_route(fd, 22, &lo6), 0);
	await(fd, id, 22, &e);
	assert_true(e.kind == NEIGH_ROUTE || e.kind == NEIGH_ERROR); /* without IPv6 */
	k = neigh_key_of(0x7ffffff0, &lo);
	assert_int_equal(neigh_ask_neighbour(fd, 23, &k), 0);
	await(fd, id, 23, &e);
	assert_int_equal(e.kind, NEIGH_ERROR);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours), cmocka_unit_test(routes),
		cmocka_unit_test(others),     cmocka_unit_test(several_in_one),
		cmocka_unit_test(broken),     cmocka_unit_test(keys),
		cmocka_unit_test(the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
