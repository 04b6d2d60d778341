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
#include "fabric/sa.h"
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
	assert_int_equal(mad_port_register(p, MAD_CLASS_SA, 2, true), 0);
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

static const struct mad_dest sm = { .lid = 1, .sl = 3, .pkey_index = 2 };

static int setup_sa(void **state)
{
	int r = setup(state);

	if (r == 0)
		r = mad_port_register(*state, MAD_CLASS_SA, SA_CLASS_VERSION, true);
	return r;
}

/* A table is asked for; in *k is what to answer it with. */
static void ask_table(struct mad_port *p, uint64_t cookie, struct packet *k)
{
	uint8_t mad[MAD_SIZE];

	sa_encode_get_ports(mad, PORT_CAP_DEVICE_MANAGEMENT);
	assert_int_equal(mad_port_request(p, &sm, mad, cookie, T0, 500), 0);
	take(k);
	/* Byte for byte what was given, but for the transaction number. */
	assert_memory_equal(umad_of(k)->data, mad, 8);
	assert_memory_equal(umad_of(k)->data + 16, mad + 16, MAD_SIZE - 16);
	umad_of(k)->status = 0;
	umad_of(k)->data[3] = SA_METHOD_GET_TABLE_RESP;
	umad_of(k)->data[26] = 7;
}

static void a_request(void **state)
{
	struct mad_reply r;
	struct packet k;

	assert_int_equal(fake_umad.rmpp_version, 1);
	assert_int_equal(fake_umad.method_mask[0], 0);
	ask_table(*state, 5, &k);
	assert_int_equal(umad_of(&k)->agent_id, FAKE_UMAD_AGENT + 1);
	assert_int_equal(umad_of(&k)->timeout_ms, 500);
	assert_int_equal(be16toh(umad_of(&k)->addr.lid), 1);
	assert_int_equal(umad_of(&k)->addr.sl, 3);
	assert_int_equal(umad_of(&k)->addr.pkey_index, 2);
	assert_int_equal(umad_of(&k)->addr.grh_present, 0);
	assert_int_equal(be32toh(umad_of(&k)->addr.qpn), 1);

	/* The modifier may come back as it likes, the method not. */
	memset(umad_of(&k)->data + 20, 0, 4);
	umad_of(&k)->data[3] = MAD_METHOD_GET_RESP;
	give(&k, sizeof(k.bytes));
	umad_of(&k)->data[3] = SA_METHOD_GET_TABLE_RESP;
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(*state, &r), 1);
	assert_int_equal(r.cookie, 5);
	assert_int_equal(r.header.method, SA_METHOD_GET_TABLE_RESP);
	assert_int_equal(r.from_lid, 1);
	assert_false(r.report);
	assert_int_equal(mad_port_stats(*state)->unmatched, 1);
	assert_int_equal(mad_port_stats(*state)->outstanding, 0);
}

/* A Set is answered as a Get is. */
static void a_set(void **state)
{
	struct sa_inform inform;
	uint8_t mad[MAD_SIZE];
	struct mad_reply r;
	struct packet k;

	sa_inform_of_trap(&inform, 64, true);
	sa_encode_set_inform(mad, &inform);
	assert_int_equal(mad_port_request(*state, &sm, mad, 6, T0, 500), 0);
	take(&k);
	into_answer(&k);
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(*state, &r), 1);
	assert_int_equal(r.cookie, 6);
}

static void not_requests(void **state)
{
	uint8_t mad[MAD_SIZE];

	sa_encode_get_nodes(mad);
	assert_int_equal(mad_port_request(*state, &sm, mad, 0, T0, 0), -EINVAL);
	mad[3] |= MAD_METHOD_RESPONSE_BIT;
	assert_int_equal(mad_port_request(*state, &sm, mad, 0, T0, 1), -EINVAL);
	sa_encode_get_nodes(mad);
	mad[0] = 2;
	assert_int_equal(mad_port_request(*state, &sm, mad, 0, T0, 1), -EINVAL);
	sa_encode_get_nodes(mad);
	mad[1] = 4;
	assert_int_equal(mad_port_request(*state, &sm, mad, 0, T0, 1), -EPROTONOSUPPORT);
	assert_int_equal(fake_umad.sends, 0);
	assert_int_equal(mad_port_stats(*state)->outstanding, 0);
}

/* A table of 1,000 records, and a small answer behind it that has to wait its turn. */
static void a_long_reply(void **state)
{
	static struct {
		struct packet first;
		uint8_t rest[SA_DATA_OFFSET + 1000 * SA_NODE_RECORD_SIZE - MAD_SIZE];
	} table;
	const size_t len = SA_DATA_OFFSET + 1000 * SA_NODE_RECORD_SIZE;
	const uint8_t *record;
	struct sa_table t;
	struct mad_reply r;
	struct sa_node n;
	struct packet k;
	size_t size;

	_Static_assert(sizeof(table) >= sizeof(struct ib_user_mad) + len, "the table is cut");
	ask_table(*state, 1, &table.first);
	umad_of(&table.first)->data[45] = SA_NODE_RECORD_SIZE / 8;
	for (unsigned i = 0; i < 1000; i++)
		sa_encode_node(umad_of(&table.first)->data + SA_DATA_OFFSET +
				       (size_t)i * SA_NODE_RECORD_SIZE,
			       &(struct sa_node){ .lid = (uint16_t)(i + 1) });
	ask_table(*state, 2, &k);
	give(&table.first, sizeof(struct ib_user_mad) + len);
	give(&k, sizeof(k.bytes));

	assert_int_equal(mad_port_recv(*state, &r), 1);
	assert_int_equal(r.cookie, 1);
	assert_int_equal(r.len, len);
	assert_int_equal(sa_table_init(&t, r.mad, r.len), 0);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(sa_table_next(&t, &record, &size));
		assert_int_equal(sa_decode_node(record, size, &n), 0);
		assert_int_equal(n.lid, i + 1);
	}
	assert_false(sa_table_next(&t, &record, &size));

	assert_int_equal(mad_port_recv(*state, &r), 1);
	assert_int_equal(r.cookie, 2);
	assert_int_equal(r.len, MAD_SIZE);
	assert_int_equal(mad_port_recv(*state, &r), 0);
}

static void too_long_a_reply(void **state)
{
	struct mad_port *p = *state;
	struct mad_reply r;
	struct packet k;

	/* The longest there may be, */
	ask_table(p, 1, &k);
	fake_umad.padding = MAD_REPLY_MAX - MAD_SIZE;
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(p, &r), 1);
	assert_int_equal(r.len, MAD_REPLY_MAX);

	/* one byte more, which is taken from the kernel and dropped, */
	ask_table(p, 2, &k);
	fake_umad.padding = MAD_REPLY_MAX - MAD_SIZE + 1;
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(p, &r), 0);
	assert_int_equal(mad_port_stats(p)->oversized, 1);
	assert_int_equal(mad_port_stats(p)->malformed, 0);
	ask_table(p, 3, &k);
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(p, &r), 1);
	assert_int_equal(r.cookie, 3);

	/* and one that is beyond everything: the device is opened anew. */
	ask_table(p, 4, &k);
	fake_umad.padding = 1u << 30;
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(p, &r), -EIO);
}

static void encode_report(struct packet *k, unsigned agent)
{
	*k = (struct packet){ 0 };
	sa_encode_report(umad_of(k)->data, UINT64_C(0x02dab001),
			 &(struct sa_notice){ .trap = SA_TRAP_GID_OUT_OF_SERVICE,
					      .type = SA_NOTICE_TYPE_SUBNET });
	umad_of(k)->agent_id = agent;
	umad_of(k)->addr.lid = htobe16(1);
	umad_of(k)->addr.qpn = htobe32(1);
	umad_of(k)->addr.sl = 3;
	umad_of(k)->addr.path_bits = 1;
	umad_of(k)->addr.pkey_index = 2;
}

static void a_report(void **state)
{
	struct mad_port *p = *state;
	struct packet k, answer;
	struct mad_reply r;
	struct sa_notice n;

	/* None was asked for. */
	encode_report(&k, FAKE_UMAD_AGENT + 1);
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(p, &r), 0);
	assert_int_equal(mad_port_stats(p)->unmatched, 1);

	assert_int_equal(mad_port_register_reports(p), 0);
	assert_int_equal(fake_umad.rmpp_version, 1);
	assert_int_equal(fake_umad.method_mask[0], 1 << 6);
	assert_int_equal(mad_port_register_reports(p), 0); /* no second agent */
	assert_int_equal(fake_umad.registers, 3);

	encode_report(&k, FAKE_UMAD_AGENT + 2);
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(p, &r), 1);
	assert_true(r.report);
	assert_int_equal(r.from_lid, 1);
	assert_int_equal(sa_decode_notice(r.mad, r.len, &n), 0);
	assert_int_equal(n.trap, SA_TRAP_GID_OUT_OF_SERVICE);
	assert_int_equal(mad_port_stats(p)->reports, 1);

	assert_int_equal(mad_port_answer(p, &r), 0);
	take(&answer);
	assert_int_equal(umad_of(&answer)->agent_id, FAKE_UMAD_AGENT + 2);
	assert_int_equal(umad_of(&answer)->timeout_ms, 0);
	assert_int_equal(be16toh(umad_of(&answer)->addr.lid), 1);
	assert_int_equal(be32toh(umad_of(&answer)->addr.qpn), 1);
	assert_int_equal(be32toh(umad_of(&answer)->addr.qkey), 0x80010000);
	assert_int_equal(umad_of(&answer)->addr.sl, 3);
	assert_int_equal(umad_of(&answer)->addr.path_bits, 1);
	assert_int_equal(umad_of(&answer)->addr.pkey_index, 2);
	assert_int_equal(umad_of(&answer)->data[3], MAD_METHOD_REPORT_RESP);
	assert_memory_equal(umad_of(&answer)->data + 12, umad_of(&k)->data + 12, MAD_SIZE - 12);

	/* The answer to a request is no Report, and a Report that was given before has gone. */
	ask_table(p, 1, &k);
	give(&k, sizeof(k.bytes));
	assert_int_equal(mad_port_recv(p, &r), 1);
	assert_false(r.report);
	assert_int_equal(mad_port_answer(p, &r), -EINVAL);
}

/* What comes to the agent of the Reports and is none. */
static void not_reports(void **state)
{
	struct mad_port *p = *state;
	struct mad_reply r;
	struct packet k;

	assert_int_equal(mad_port_register_reports(p), 0);
	for (unsigned i = 0; i < 4; i++) {
		encode_report(&k, FAKE_UMAD_AGENT + 2);
		if (i == 0)
			umad_of(&k)->data[1] = MAD_CLASS_DM;
		else if (i == 1)
			umad_of(&k)->data[2] = 1; /* class version */
		else if (i == 2)
			umad_of(&k)->data[3] = MAD_METHOD_REPORT_RESP;
		give(&k, i == 3 ? sizeof(k.bytes) - 1 : sizeof(k.bytes));
	}
	assert_int_equal(mad_port_recv(p, &r), 0);
	assert_int_equal(mad_port_stats(p)->unmatched, 4);
	assert_int_equal(mad_port_stats(p)->reports, 0);
}

/* Another agent has the Reports of this port: ib_register_mad_agent() says EINVAL. */
static void reports_of_another(void **state)
{
	struct mad_port *p = *state;

	fake_umad.register_error = EINVAL;
	assert_int_equal(mad_port_register_reports(p), -EEXIST);
	fake_umad.register_error = ENOMEM;
	assert_int_equal(mad_port_register_reports(p), -ENOMEM);
	/* Until it is gone. */
	fake_umad.register_error = 0;
	assert_int_equal(mad_port_register_reports(p), 0);
}

static void redirection(void **state)
{
	struct mad_class_port_info info = { .redirect_gid = { 0xfe, 0x80, [15] = 9 },
					    .redirect_tclass = 0x5a,
					    .redirect_sl = 4,
					    .redirect_flow_label = 0xabcde,
					    .redirect_lid = 42,
					    .redirect_qpn = 0x123456,
					    .redirect_qkey = 0x80020000 };
	struct mad_dest to = sm;
	uint8_t mad[MAD_SIZE];
	struct packet k;

	assert_int_equal(mad_dest_redirect(&to, &info, 7), 0);
	sa_encode_get_nodes(mad);
	assert_int_equal(mad_port_request(*state, &to, mad, 1, T0, 1), 0);
	take(&k);
	assert_int_equal(be16toh(umad_of(&k)->addr.lid), 42);
	assert_int_equal(umad_of(&k)->addr.sl, 4);
	assert_int_equal(umad_of(&k)->addr.pkey_index, 7);
	assert_int_equal(be32toh(umad_of(&k)->addr.qpn), 0x123456);
	assert_int_equal(be32toh(umad_of(&k)->addr.qkey), 0x80020000);
	assert_int_equal(umad_of(&k)->addr.grh_present, 1);
	assert_int_equal(umad_of(&k)->addr.traffic_class, 0x5a);
	assert_int_equal(be32toh(umad_of(&k)->addr.flow_label), 0xabcde);
	assert_memory_equal(umad_of(&k)->addr.gid, info.redirect_gid, 16);

	/* By LID alone, by GID alone; nowhere. */
	memset(info.redirect_gid, 0, 16);
	assert_int_equal(mad_dest_redirect(&to, &info, 0), 0);
	assert_false(to.grh);
	info.redirect_gid[0] = 0xfe;
	info.redirect_lid = 0;
	assert_int_equal(mad_dest_redirect(&to, &info, 0), 0);
	assert_int_equal(to.lid, 0);
	assert_true(to.grh);
	info.redirect_gid[0] = 0;
	assert_int_equal(mad_dest_redirect(&to, &info, 0), -EBADMSG);
	info.redirect_lid = 42;
	info.redirect_qpn = 0;
	assert_int_equal(mad_dest_redirect(&to, &info, 0), -EBADMSG);
}

/* A request whose answer never comes does not stand in the way of 4,095 others. */
static void a_stuck_slot(void **state)
{
	struct mad_port *p = *state;
	struct mad_reply r;
	struct packet k;

	assert_int_equal(get(p, 0, 1), 0);
	take(&k);
	for (unsigned i = 0; i < 2 * MAD_OUTSTANDING_MAX; i++) {
		assert_int_equal(get(p, 0, i), 0);
		take(&k);
		into_answer(&k);
		give(&k, sizeof(k.bytes));
		assert_int_equal(mad_port_recv(p, &r), 1);
		assert_int_equal(r.cookie, i);
	}
	assert_int_equal(mad_port_stats(p)->outstanding, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SA_CASE(name) cmocka_unit_test_setup_teardown(name, setup_sa, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_is_sent),
		CASE(an_answer),
		CASE(a_timeout),
		CASE(many_at_once),
		CASE(bounded),
		CASE(a_stuck_slot),
		CASE(errors),
		SA_CASE(a_request),
		SA_CASE(a_set),
		SA_CASE(not_requests),
		SA_CASE(a_long_reply),
		SA_CASE(too_long_a_reply),
		SA_CASE(a_report),
		SA_CASE(not_reports),
		SA_CASE(reports_of_another),
		SA_CASE(redirection),
		cmocka_unit_test(cannot_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
