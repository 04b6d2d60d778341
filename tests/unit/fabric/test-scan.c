/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scan against a fabric of its own, in virtual time: what it finds, how fast, and what it keeps. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"
#include "fabric/bytes.h"
#include "fabric/sa.h"
#include "fabric/scan.h"
#include "fake_fabric.h"

#define TIMEOUT_USEC USEC_PER_SEC
#define AGEING_USEC (300 * USEC_PER_SEC)

struct fixture {
	struct fake_fabric *fabric;
	struct scan *scan;
	uint64_t now;
	struct scan_result result;
	struct offer *offers;
	unsigned n;
	bool complete;
};

static const struct scan_config config = {
	.flight = { .window = 32, .retries = 3, .timeout_usec = TIMEOUT_USEC },
	.per_peer = 4,
	.ageing_usec = AGEING_USEC,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now = 1000 * USEC_PER_SEC;
	f->fabric = fake_fabric_new(1);
	f->scan = scan_new(&config);
	assert_non_null(f->scan);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_false(f->fabric->bad_request);
	scan_free(f->scan);
	fake_fabric_free(f->fabric);
	free(f->offers);
	free(f);
	return 0;
}

static void set_port(struct fixture *f, bool again)
{
	struct ibport port;

	fake_fabric_port(f->fabric, &port);
	assert_int_equal(scan_set_port(f->scan, &port, again), 0);
}

static void send_all(struct fixture *f)
{
	struct scan_request rq;

	while (scan_next(f->scan, f->now, &rq)) {
		assert_true(rq.timeout_ms > 0);
		fake_fabric_send(f->fabric, &rq.to, rq.mad, rq.handle, f->now);
	}
}

/* On to the next thing that happens; false when nothing will, or not before `until`. */
static bool step(struct fixture *f, uint64_t until)
{
	uint64_t due = scan_due(f->scan), arrival = fake_fabric_due(f->fabric);
	struct fake_answer a;

	if (arrival < due)
		due = arrival;
	if (due > until)
		return false;
	assert_true(due >= f->now || due < f->now); /* late is as good */
	if (due > f->now)
		f->now = due;
	while (fake_fabric_next(f->fabric, f->now, &a)) {
		scan_reply(f->scan, (uint32_t)a.cookie, a.lid, a.sent, a.mad, a.len, f->now);
		free(a.mad);
		send_all(f);
	}
	scan_tick(f->scan, f->now);
	send_all(f);
	return true;
}

static void take_offers(struct fixture *f)
{
	int n;

	free(f->offers);
	n = scan_offers(f->scan, f->now, &f->offers, &f->complete);
	assert_true(n >= 0);
	f->n = (unsigned)n;
}

/* Runs for so long, whatever happens. */
static void run_for(struct fixture *f, uint64_t usec)
{
	uint64_t until = f->now + usec;
	unsigned steps = 0;

	send_all(f);
	while (step(f, until))
		assert_true(++steps < 10000000);
	f->now = until;
	take_offers(f);
}

/* A whole scan; returns what it took. */
static uint64_t scan(struct fixture *f, bool fresh)
{
	uint64_t until = f->now + 600 * USEC_PER_SEC;
	unsigned steps = 0;

	assert_true(scan_start(f->scan, fresh, f->now));
	assert_true(scan_running(f->scan));
	send_all(f);
	while (!scan_ended(f->scan, &f->result)) {
		assert_true(step(f, until)); /* it never sits there without anything to wait for */
		assert_true(++steps < 10000000);
	}
	assert_false(scan_running(f->scan));
	take_offers(f);
	return f->result.elapsed_usec;
}

static void add_nodes(struct fixture *f, unsigned nodes, unsigned targets)
{
	for (unsigned i = 0; i < nodes; i++)
		fake_fabric_add(f->fabric, i * targets / nodes != (i + 1) * targets / nodes);
}

static unsigned offers_of(const struct fixture *f, const struct fake_node *n)
{
	unsigned found = 0;

	for (unsigned i = 0; i < f->n; i++)
		found += get64(f->offers[i].gid + 8) == n->guid;
	return found;
}

static unsigned asked_targets(const struct fixture *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->fabric->n_nodes; i++)
		n += f->fabric->nodes[i].asked;
	return n;
}

/* What is found. */

static void finds_all_fields(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;
	const struct offer *o;

	fake_fabric_add(f->fabric, false);
	n = fake_fabric_add(f->fabric, true);
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 1);
	assert_true(f->complete);
	assert_true(f->result.complete);
	assert_string_equal(f->result.why, "");
	assert_int_equal(f->result.targets, 1);
	assert_int_equal(f->result.silent, 0);
	o = &f->offers[0];
	assert_int_equal(get64(o->gid), FAKE_PREFIX);
	assert_int_equal(get64(o->gid + 8), n->guid);
	assert_int_equal(o->lid, 3);
	assert_int_equal(o->pkey, 0xffff);
	assert_string_equal(o->node_description, "node 3");
	assert_int_equal(o->change_id, 1);
	assert_int_equal(o->max_controllers, 16);
	assert_int_equal(o->slot, 1);
	assert_int_equal(o->ioc_guid, n->guid);
	assert_int_equal(o->io_class, DM_IO_CLASS_SRP_REV16A);
	assert_string_equal(o->ioc_id, "fake target");
	assert_int_equal(o->n_services, 1);
	assert_int_equal(o->entry, 0);
	assert_int_equal(o->service_id, n->guid);
	assert_int_equal(o->id_ext, n->guid);
	assert_string_equal(o->service_name, n->names[0]);
	/* Class, ports, node, path; info, profile, services. */
	assert_int_equal(f->fabric->sent, 7);
	assert_int_equal(f->result.counts.sent, 7);
	/* And then it sleeps. */
	assert_true(scan_due(f->scan) == UINT64_MAX);
	assert_true(scan_settled(f->scan));
}

static void finds_nothing(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 3, 0);
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 0);
	assert_true(f->complete);
	assert_int_equal(f->result.targets, 0);
}

static void needs_a_port(void **state)
{
	struct fixture *f = *state;
	struct ibport port;
	const uint8_t gid[16] = { 0 };

	assert_false(scan_start(f->scan, true, f->now));
	assert_int_equal(scan_inquire(f->scan, 5, gid), -ENOTCONN);
	fake_fabric_port(f->fabric, &port);
	port.sm_lid = 0;
	assert_int_equal(scan_set_port(f->scan, &port, false), 0);
	assert_false(scan_start(f->scan, true, f->now));
	assert_true(scan_due(f->scan) == UINT64_MAX);
	set_port(f, false);
	assert_true(scan_start(f->scan, true, f->now));
	assert_false(scan_start(f->scan, true, f->now));
}

/* Several controllers, empty slots, services of other kinds. */
static void many_controllers(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n = fake_fabric_add(f->fabric, true);

	n->unit.n_iocs = 3;
	n->unit.iocs[1] = (struct fake_ioc){
		.slot = 7,
		.guid = 0x77,
		.n_services = 6,
		.names = { "SRP.T10:0000000000000001", "NFS", "SRP.T10:00000000000000zz",
			   "SRP.T10:0000000000000002", "SRP.T10:0000000000000003", "SRP" }
	};
	n->unit.iocs[2] = (struct fake_ioc){ .slot = 16, .guid = 0x99, .n_services = 0 };
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 4);
	assert_true(f->complete);
	assert_int_equal(f->offers[1].slot, 7);
	assert_int_equal(f->offers[1].entry, 0);
	assert_int_equal(f->offers[1].n_services, 6);
	assert_int_equal(f->offers[2].entry, 3);
	assert_int_equal(f->offers[2].service_id, 0x77 + 3);
	assert_int_equal(f->offers[3].entry, 4);
	assert_true(n->most_flying <= 4);
}

/* A path for each P_Key that both ends have, one of them as a full member. */
static void partitions(void **state)
{
	struct fixture *f = *state;
	struct fake_node *us = &f->fabric->nodes[0], *both, *first, *limited, *other;

	us->n_pkeys = 3;
	us->pkeys[0] = 0xffff;
	us->pkeys[1] = 0x8001;
	us->pkeys[2] = 0x0002;
	both = fake_fabric_add(f->fabric, true);
	both->n_pkeys = 3;
	both->pkeys[0] = 0xffff;
	both->pkeys[1] = 0x0001;
	both->pkeys[2] = 0x8002;
	first = fake_fabric_add(f->fabric, true);
	limited = fake_fabric_add(f->fabric, true);
	limited->n_pkeys = 2;
	limited->pkeys[0] = 0x0002; /* limited as we are */
	limited->pkeys[1] = 0x8001;
	other = fake_fabric_add(f->fabric, true);
	other->n_pkeys = 1;
	other->pkeys[0] = 0x8005;
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 5);
	assert_true(f->complete);
	assert_int_equal(offers_of(f, both), 3);
	assert_int_equal(offers_of(f, first), 1);
	assert_int_equal(offers_of(f, limited), 1);
	assert_int_equal(offers_of(f, other), 0);
	assert_int_equal(f->offers[0].pkey, 0x0002);
	assert_int_equal(f->offers[1].pkey, 0x8001);
	assert_int_equal(f->offers[2].pkey, 0xffff);
	assert_int_equal(f->offers[4].pkey, 0x8001);
	/* One of our P_Keys goes, and its offers with it, at once. */
	us->n_pkeys = 2;
	set_port(f, false);
	take_offers(f);
	assert_int_equal(f->n, 4);
	/* It comes back at another index. */
	us->n_pkeys = 3;
	us->pkeys[1] = 0x0002;
	us->pkeys[2] = 0x8001;
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 5);
}

static void service_levels(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n = fake_fabric_add(f->fabric, true);
	struct mad_dest to;
	uint8_t gid[16];

	n->sl = 3; /* it answers nothing that comes with another */
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 1);
	put64(gid, FAKE_PREFIX);
	put64(gid + 8, n->guid);
	assert_true(scan_route(f->scan, gid, 0xffff, &to));
	assert_int_equal(to.lid, n->lid);
	assert_int_equal(to.sl, 3);
	assert_false(to.grh);
	assert_false(scan_route(f->scan, gid, 0x8001, &to));
	gid[15] ^= 1;
	assert_false(scan_route(f->scan, gid, 0xffff, &to));
}

/* How fast. */

static void big_fabric(struct fixture *f)
{
	add_nodes(f, 999, 200);
	f->fabric->latency_usec = 2000;
	set_port(f, false);
}

/* One request at a time is five for each target, with 2 ms each: 2 s. */
#define ONE_BY_ONE_USEC (UINT64_C(1002) * 2000)

static void fast(void **state)
{
	struct fixture *f = *state;
	uint64_t took;

	big_fabric(f);
	took = scan(f, true);
	print_message("200 targets of 1000 nodes: %" PRIu64 " ms, %u datagrams\n", took / 1000,
		      f->fabric->sent);
	assert_int_equal(f->n, 200);
	assert_true(f->complete);
	assert_int_equal(f->result.nodes, 1000);
	assert_int_equal(f->result.targets, 200);
	assert_true(took * 25 <= ONE_BY_ONE_USEC);
	assert_true(f->fabric->most_flying <= 32);
	for (unsigned i = 0; i < f->fabric->n_nodes; i++)
		assert_true(f->fabric->nodes[i].most_flying <= 4);
}

static void with_loss(void **state)
{
	struct fixture *f = *state;

	big_fabric(f);
	f->fabric->loss = 10;
	f->fabric->repeats = 10;
	f->fabric->jitter_usec = 1000;
	for (unsigned i = 0; i < 20; i++) {
		uint64_t took = scan(f, true);

		assert_int_equal(f->n, 200);
		assert_true(f->complete);
		assert_true(took <= 2 * ONE_BY_ONE_USEC / 25 + TIMEOUT_USEC);
		f->now += USEC_PER_SEC;
	}
	assert_true(f->fabric->lost > 20);
}

static void with_silent_ones(void **state)
{
	struct fixture *f = *state;
	unsigned silent = 0;
	uint64_t took;

	big_fabric(f);
	for (unsigned i = 0; i < f->fabric->n_nodes && silent < 20; i++)
		if (f->fabric->nodes[i].dm && i % 7 == 0) {
			f->fabric->nodes[i].silent = true;
			silent++;
		}
	assert_int_equal(silent, 20);
	took = scan(f, true);
	print_message("20 of them silent: %" PRIu64 " ms\n", took / 1000);
	assert_int_equal(f->n, 180);
	assert_int_equal(f->result.silent, 20);
	assert_true(took <= ONE_BY_ONE_USEC / 25 + TIMEOUT_USEC);
	/* They may offer what we do not know: for a while. */
	assert_false(f->complete);
	assert_string_equal(f->result.why, "20 of 200 target ports did not answer");
	run_for(f, AGEING_USEC + 61 * USEC_PER_SEC);
	assert_true(f->complete);
	/* Asked again after 1, 2, 4 s and so on, not all the time. */
	assert_true(f->fabric->sent < 2000);
	/* One is back: it need not wait for a scan. */
	for (unsigned i = 0; i < f->fabric->n_nodes; i++)
		f->fabric->nodes[i].silent = false;
	run_for(f, 61 * USEC_PER_SEC);
	assert_int_equal(f->n, 200);
	assert_true(scan_due(f->scan) == UINT64_MAX);
}

static void slow_ones(void **state)
{
	struct fixture *f = *state;

	big_fabric(f);
	for (unsigned i = 0; i < f->fabric->n_nodes; i++)
		if (i % 10 == 0)
			f->fabric->nodes[i].latency_usec = 600 * USEC_PER_MSEC;
	(void)scan(f, true);
	assert_int_equal(f->n, 200);
	assert_true(f->complete);
}

/* The administrator. */

static void without_mask_match(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 99, 20);
	f->fabric->no_mask_match = true;
	f->fabric->nodes[5].type = SA_NODE_SWITCH;
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 20);
	assert_true(f->complete);
	assert_int_equal(f->result.nodes, 100);
	assert_int_equal(f->result.targets, 20);
	assert_int_equal(f->fabric->tables, 1);
	/* The class is not asked again, until something changes. */
	(void)scan(f, true);
	assert_int_equal(f->fabric->classes, 1);
	set_port(f, true);
	(void)scan(f, true);
	assert_int_equal(f->fabric->classes, 2);
}

static void tables_refused(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 199, 100);
	set_port(f, false);
	/* Of ports: a walk instead. */
	f->fabric->ports_status = MAD_STATUS_UNSUPPORTED_METHOD_ATTR;
	(void)scan(f, true);
	assert_int_equal(f->n, 100);
	assert_true(f->complete);
	/* Of nodes: one by one. */
	f->fabric->ports_status = 0;
	f->fabric->nodes_status = SA_STATUS_TOO_MANY_RECORDS;
	(void)scan(f, true);
	assert_int_equal(f->n, 100);
	assert_true(f->complete);
	/* Of both: what is known stays, and it is said. */
	f->fabric->ports_status = SA_STATUS_REQ_DENIED;
	(void)scan(f, true);
	assert_int_equal(f->n, 100);
	assert_false(f->complete);
	assert_non_null(strstr(f->result.why, "refuses its list of nodes"));
	/* No records is an empty list. */
	f->fabric->ports_status = SA_STATUS_NO_RECORDS;
	(void)scan(f, true);
	assert_int_equal(f->result.targets, 0);
	assert_true(f->result.complete);
}

static void administrator_is_silent(void **state)
{
	struct fixture *f = *state;
	uint64_t took;

	add_nodes(f, 9, 3);
	set_port(f, false);
	f->fabric->sa_silent = true;
	took = scan(f, true);
	assert_int_equal(took, TIMEOUT_USEC);
	assert_false(f->complete);
	assert_string_equal(f->result.why, "the subnet administrator does not answer");
	assert_int_equal(f->fabric->sent, 4); /* and three repeats */
	f->fabric->sa_silent = false;
	(void)scan(f, true);
	assert_int_equal(f->n, 3);
	assert_true(f->complete);
	/* Nothing is lost with it. */
	f->fabric->sa_silent = true;
	took = scan(f, true);
	assert_true(took <= FLIGHT_PATIENCE * TIMEOUT_USEC);
	assert_int_equal(f->n, 3);
	assert_false(f->complete);
}

/* It stops half-way: the paths are missing. */
static void administrator_dies(void **state)
{
	struct fixture *f = *state;
	unsigned before;
	uint64_t took;

	add_nodes(f, 999, 200);
	set_port(f, false);
	assert_true(scan_start(f->scan, true, f->now));
	send_all(f);
	while (f->fabric->paths < 50)
		assert_true(step(f, UINT64_MAX - 1));
	f->fabric->sa_silent = true;
	before = f->fabric->sa_sent;
	took = f->now;
	while (!scan_ended(f->scan, &f->result))
		assert_true(step(f, UINT64_MAX - 1));
	took = f->now - took;
	take_offers(f);
	assert_true(f->n >= 50 - 16);
	assert_true(f->n < 200);
	assert_false(f->complete);
	assert_true(took <= 2 * TIMEOUT_USEC);
	assert_true(f->fabric->sa_sent - before < 200); /* it is left alone */
	f->fabric->sa_silent = false;
	(void)scan(f, false);
	assert_int_equal(f->n, 200);
	assert_true(f->complete);
}

static void administrator_is_busy(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 9, 3);
	set_port(f, false);
	f->fabric->sa_busy = 5;
	(void)scan(f, true);
	assert_int_equal(f->n, 3);
	assert_true(f->complete);
	assert_true(f->fabric->sent < 50);
	f->fabric->record_status = SA_STATUS_NO_RESOURCES;
	(void)scan(f, true);
	assert_int_equal(f->n, 3);
	assert_false(f->complete);
}

static void administrator_is_elsewhere(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 9, 3);
	f->fabric->sa_redirected_lid = 500;
	f->fabric->sa_redirect = (struct mad_class_port_info){ .redirect_lid = 500,
							       .redirect_qpn = 1,
							       .redirect_qkey = MAD_QKEY,
							       .redirect_pkey = 0xffff };
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 3);
	assert_true(f->complete);
	/* Nobody there. */
	f->fabric->sa_redirected_lid = 0;
	set_port(f, true);
	(void)scan(f, true);
	assert_int_equal(f->n, 3);
	assert_false(f->complete);
	/* In a circle. */
	f->fabric->sa_redirect.redirect_lid = f->fabric->sm_lid;
	set_port(f, true);
	(void)scan(f, true);
	assert_false(f->complete);
}

/* What is kept. */

static struct fake_node *first_target(struct fixture *f)
{
	for (unsigned i = 0; i < f->fabric->n_nodes; i++)
		if (f->fabric->nodes[i].dm)
			return &f->fabric->nodes[i];
	fail();
	return NULL;
}

static void silence_is_no_end(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;
	uint64_t until;

	add_nodes(f, 20, 5);
	set_port(f, false);
	(void)scan(f, true);
	n = first_target(f);
	n->silent = true;
	(void)scan(f, true);
	assert_int_equal(f->n, 5);
	assert_true(f->complete); /* all is known */
	assert_int_equal(f->result.silent, 1);
	until = f->now + AGEING_USEC;
	while (f->now + 60 * USEC_PER_SEC < until) {
		run_for(f, 60 * USEC_PER_SEC);
		assert_int_equal(f->n, 5);
		(void)scan(f, false);
		assert_int_equal(f->n, 5);
	}
	run_for(f, 122 * USEC_PER_SEC); /* the next retry after the ageing time */
	assert_int_equal(f->n, 4);
	assert_int_equal(offers_of(f, n), 0);
	n->silent = false;
	run_for(f, 61 * USEC_PER_SEC);
	assert_int_equal(f->n, 5);
}

/* The port was down for longer than that: what is old is not yet gone. */
static void ageing_counts_while_asking(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;

	add_nodes(f, 20, 5);
	set_port(f, false);
	(void)scan(f, true);
	n = first_target(f);
	n->silent = true;
	(void)scan(f, true);
	assert_int_equal(scan_set_port(f->scan, NULL, false), 0);
	assert_true(scan_due(f->scan) == UINT64_MAX);
	run_for(f, 10 * AGEING_USEC);
	assert_int_equal(f->n, 5);
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 5);
}

/* The administrator says that it is gone, and it says nothing. */
static void gone_for_both(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;

	add_nodes(f, 20, 5);
	set_port(f, false);
	(void)scan(f, true);
	n = first_target(f);
	n->silent = n->hidden = true;
	assert_true(scan(f, true) <= TIMEOUT_USEC + 100 * USEC_PER_MSEC);
	assert_int_equal(f->n, 4);
	assert_true(f->complete);
	n->silent = n->hidden = false;
	(void)scan(f, true);
	assert_int_equal(f->n, 5);
	/* It has no Device Management any more, and refuses it. */
	n->dm = false;
	(void)scan(f, true);
	assert_int_equal(f->n, 4);
	assert_true(scan_due(f->scan) == UINT64_MAX);
}

/* The administrator says so, but it answers. */
static void gone_for_one(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;

	add_nodes(f, 20, 5);
	set_port(f, false);
	(void)scan(f, true);
	n = first_target(f);
	n->hidden = true;
	(void)scan(f, true);
	assert_int_equal(f->n, 5);
	run_for(f, AGEING_USEC / 2);
	assert_int_equal(f->n, 5);
	run_for(f, AGEING_USEC / 2 + 61 * USEC_PER_SEC);
	assert_int_equal(f->n, 4);
	assert_true(scan_due(f->scan) == UINT64_MAX);
}

/* A P_Key of the target goes: the path with it, when the target does not answer over it either. */
static void path_is_gone(void **state)
{
	struct fixture *f = *state;
	struct fake_node *us = &f->fabric->nodes[0], *n = fake_fabric_add(f->fabric, true);

	us->n_pkeys = n->n_pkeys = 2;
	us->pkeys[0] = n->pkeys[0] = 0xffff;
	us->pkeys[1] = n->pkeys[1] = 0x8001;
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 2);
	n->n_pkeys = 1;
	/* A scan that believes what it knows is not told, but the path is silent: kept. */
	(void)scan(f, false);
	assert_int_equal(f->n, 2);
	(void)scan(f, true);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->offers[0].pkey, 0xffff);
	assert_true(f->complete);
	run_for(f, 120 * USEC_PER_SEC);
	assert_true(scan_due(f->scan) == UINT64_MAX);
}

static void unchanged_is_not_read_again(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;
	unsigned asked, paths;

	add_nodes(f, 99, 20);
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(asked_targets(f), 60);
	asked = asked_targets(f);
	paths = f->fabric->paths;
	(void)scan(f, false);
	assert_int_equal(asked_targets(f), asked + 20);
	assert_int_equal(f->fabric->paths, paths);
	assert_int_equal(f->n, 20);
	/* One has changed. */
	n = first_target(f);
	n->unit.change_id++;
	n->unit.n_iocs = 2;
	n->unit.iocs[1] = n->unit.iocs[0];
	n->unit.iocs[1].slot = 3;
	asked = asked_targets(f);
	(void)scan(f, false);
	assert_int_equal(asked_targets(f), asked + 20 + 4);
	assert_int_equal(f->n, 21);
	/* Its controller is gone: at once. */
	n->unit.change_id++;
	n->unit.n_iocs = 0;
	(void)scan(f, false);
	assert_int_equal(f->n, 19);
	assert_true(f->complete);
	/* All is believed for a while only. */
	f->now += TARGET_FRESH_USEC + 1;
	asked = asked_targets(f);
	(void)scan(f, false);
	assert_int_equal(f->fabric->paths, paths + 20);
	assert_int_equal(asked_targets(f), asked + 1 + 19 * 3);
}

/* Half of a big I/O unit cannot be read: what is known of it stays. */
static void part_of_a_unit(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n = fake_fabric_add(f->fabric, true);
	struct scan_request rq;

	n->unit.n_iocs = 2;
	n->unit.iocs[1] = n->unit.iocs[0];
	n->unit.iocs[1].slot = 2;
	n->unit.iocs[1].guid = 5;
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 2);
	/* It dies after IOUnitInfo and one profile. */
	n->unit.change_id++;
	n->asked = 0;
	assert_true(scan_start(f->scan, true, f->now));
	while (!scan_ended(f->scan, &f->result)) {
		while (scan_next(f->scan, f->now, &rq))
			fake_fabric_send(f->fabric, &rq.to, rq.mad, rq.handle, f->now);
		n->silent = n->asked >= 2;
		assert_true(step(f, UINT64_MAX - 1));
	}
	take_offers(f);
	assert_int_equal(f->n, 2);
	assert_false(f->complete); /* it may offer more than we know */
	n->silent = false;
	run_for(f, 2 * USEC_PER_SEC);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->offers[0].change_id, 2);
	assert_true(f->complete);
}

static void moved(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;

	add_nodes(f, 20, 5);
	set_port(f, false);
	(void)scan(f, true);
	n = first_target(f);
	n->lid = 300;
	(void)scan(f, false);
	assert_int_equal(f->n, 5);
	assert_int_equal(f->offers[0].lid, 300);
	assert_true(f->complete);
	/* Two change places. */
	f->fabric->nodes[8].lid = 13;
	f->fabric->nodes[12].lid = 9;
	assert_true(f->fabric->nodes[8].dm && f->fabric->nodes[12].dm);
	(void)scan(f, false);
	assert_int_equal(f->n, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(get64(f->offers[i].gid + 8), f->offers[i].id_ext);
	assert_true(f->complete);
}

/* The local port changes in the middle of a scan. */
static void new_administrator(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 99, 20);
	set_port(f, false);
	(void)scan(f, true);
	f->fabric->jitter_usec = 500;
	assert_true(scan_start(f->scan, true, f->now));
	send_all(f);
	for (unsigned i = 0; i < 10; i++)
		assert_true(step(f, UINT64_MAX - 1));
	f->fabric->sm_lid = 7;
	set_port(f, false);
	assert_false(scan_running(f->scan));
	assert_false(scan_ended(f->scan, &f->result));
	take_offers(f);
	assert_int_equal(f->n, 20);
	(void)scan(f, true);
	assert_int_equal(f->n, 20);
	assert_true(f->complete);
	/* Answers of the time before were not taken for new ones. */
	assert_true(f->result.counts.late > 0);
	/* Nothing new: nothing happens. */
	assert_true(scan_start(f->scan, true, f->now));
	set_port(f, false);
	assert_true(scan_running(f->scan));
}

/* Single ports. */

static void gid_of(const struct fake_node *n, uint8_t gid[static 16])
{
	put64(gid, FAKE_PREFIX);
	put64(gid + 8, n->guid);
}

static void comes_in(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;
	uint8_t gid[16];
	uint64_t revision;
	unsigned sent;

	add_nodes(f, 99, 20);
	set_port(f, false);
	(void)scan(f, true);
	n = fake_fabric_add(f->fabric, true);
	gid_of(n, gid);
	revision = scan_revision(f->scan);
	sent = f->fabric->sent;
	assert_int_equal(scan_inquire(f->scan, 0, gid), 0);
	assert_int_equal(scan_inquire(f->scan, 0, gid), 0); /* once is enough */
	assert_false(scan_settled(f->scan));
	run_for(f, 100 * USEC_PER_MSEC);
	assert_true(scan_settled(f->scan));
	assert_true(scan_revision(f->scan) != revision);
	assert_int_equal(f->n, 21);
	assert_true(f->complete);
	assert_string_equal(f->offers[20].node_description, "node 101");
	/* Where, port, node, path; info, profile, services. */
	assert_int_equal(f->fabric->sent - sent, 7);
}

static void capability_changes(void **state)
{
	struct fixture *f = *state;
	static const uint8_t none[16];
	struct fake_node *n;

	add_nodes(f, 99, 20);
	set_port(f, false);
	(void)scan(f, true);
	n = &f->fabric->nodes[1];
	assert_false(n->dm);
	assert_int_equal(scan_inquire(f->scan, n->lid, none), 0);
	run_for(f, 100 * USEC_PER_MSEC);
	assert_int_equal(f->n, 20);
	fake_fabric_add(f->fabric, true);
	f->fabric->nodes[100].lid = 2;
	n->lid = 600;
	assert_int_equal(scan_inquire(f->scan, 2, none), 0);
	run_for(f, 100 * USEC_PER_MSEC);
	assert_int_equal(f->n, 21);
	/* And it ends. */
	f->fabric->nodes[100].dm = false;
	assert_int_equal(scan_inquire(f->scan, 2, none), 0);
	run_for(f, 100 * USEC_PER_MSEC);
	assert_int_equal(f->n, 20);
	/* The change_id says nothing after a notice: all is read again. */
	n = first_target(f);
	n->unit.iocs[0].guid = 0x4711;
	assert_int_equal(scan_inquire(f->scan, n->lid, none), 0);
	run_for(f, 100 * USEC_PER_MSEC);
	assert_int_equal(f->offers[0].ioc_guid, 0x4711);
}

/* A port's own word (trap 144) is newer than what the administrator has seen. */
static void says_so_itself(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;

	add_nodes(f, 99, 20);
	set_port(f, false);
	(void)scan(f, true);
	n = first_target(f);
	assert_int_equal(scan_inquire_capable(f->scan, n->lid, 0, f->now), 0);
	take_offers(f);
	assert_int_equal(f->n, 19);
	assert_true(f->complete);
	assert_int_equal(scan_inquire_capable(f->scan, 9999, 0, f->now), 0);
	/* While it is being asked. */
	assert_int_equal(scan_inquire_capable(f->scan, n->lid, PORT_CAP_DEVICE_MANAGEMENT, f->now),
			 0);
	run_for(f, 2500);
	assert_int_equal(f->n, 19);
	assert_int_equal(scan_inquire_capable(f->scan, n->lid, 0, f->now), 0);
	run_for(f, 100 * USEC_PER_MSEC);
	assert_int_equal(f->n, 19);
	assert_true(scan_due(f->scan) == UINT64_MAX);
	/* The administrator does not know yet that there is something. */
	n->dm = false;
	n->unit.status = 0;
	assert_int_equal(scan_inquire_capable(f->scan, n->lid, PORT_CAP_DEVICE_MANAGEMENT, f->now),
			 0);
	run_for(f, 1500);
	n->dm = true; /* its agent answers */
	run_for(f, 100 * USEC_PER_MSEC);
	assert_int_equal(f->n, 20);
}

static void goes_out(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;
	uint8_t gid[16];

	add_nodes(f, 99, 20);
	set_port(f, false);
	(void)scan(f, true);
	n = first_target(f);
	n->hidden = n->silent = true;
	gid_of(n, gid);
	assert_int_equal(scan_inquire(f->scan, 0, gid), 0);
	run_for(f, TIMEOUT_USEC + 100 * USEC_PER_MSEC);
	assert_int_equal(f->n, 19);
	assert_true(f->complete);
	/* No answer is not the same as no. */
	n = first_target(f) + 5;
	assert_true(n->dm);
	f->fabric->sa_silent = n->silent = true;
	gid_of(n, gid);
	assert_int_equal(scan_inquire(f->scan, 0, gid), 0);
	run_for(f, 10 * TIMEOUT_USEC);
	assert_int_equal(f->n, 19);
	/* One that nobody knows. */
	f->fabric->sa_silent = false;
	gid[15] ^= 0xff;
	assert_int_equal(scan_inquire(f->scan, 0, gid), 0);
	run_for(f, TIMEOUT_USEC);
	assert_int_equal(f->n, 19);
}

static void too_many_inquiries(void **state)
{
	struct fixture *f = *state;
	static const uint8_t none[16];
	int r = 0;
	unsigned n;

	add_nodes(f, 999, 100);
	set_port(f, false);
	for (n = 1; n < 1000 && r == 0; n++)
		r = scan_inquire(f->scan, (uint16_t)n, none);
	assert_int_equal(r, -EBUSY);
	run_for(f, 2 * USEC_PER_SEC);
	assert_in_range(f->n, 20, 30); /* a tenth of those that could be asked for */
	assert_int_equal(scan_inquire(f->scan, 5, none), 0);
	run_for(f, 2 * USEC_PER_SEC);
	(void)scan(f, false);
	assert_int_equal(f->n, 100);
}

/* An inquiry while everything is scanned. */
static void inquiry_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct fake_node *n;
	uint8_t gid[16];

	add_nodes(f, 999, 200);
	set_port(f, false);
	f->fabric->jitter_usec = 500;
	assert_true(scan_start(f->scan, true, f->now));
	send_all(f);
	for (unsigned i = 0; i < 100; i++)
		assert_true(step(f, UINT64_MAX - 1));
	n = fake_fabric_add(f->fabric, true);
	gid_of(n, gid);
	assert_int_equal(scan_inquire(f->scan, 0, gid), 0);
	while (!scan_ended(f->scan, &f->result))
		assert_true(step(f, UINT64_MAX - 1));
	take_offers(f);
	assert_int_equal(f->n, 201);
	assert_true(f->complete);
}

/* Targets that make trouble. */

static void busy_targets(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 99, 20);
	for (unsigned i = 0; i < f->fabric->n_nodes; i++)
		f->fabric->nodes[i].busy = 3;
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, 20);
	assert_true(f->complete);
	assert_int_equal(asked_targets(f), 20 * 6);
	/* For ever. */
	for (unsigned i = 0; i < f->fabric->n_nodes; i++)
		f->fabric->nodes[i].busy = 1000000;
	assert_true(scan(f, true) <= FLIGHT_PATIENCE * TIMEOUT_USEC + USEC_PER_SEC);
	assert_int_equal(f->n, 20);
	assert_int_equal(asked_targets(f) - 20 * 6 <= 20 * 30, 1);
}

static void redirected(void **state)
{
	struct fixture *f = *state;
	struct fake_node *a = fake_fabric_add(f->fabric, true),
			 *b = fake_fabric_add(f->fabric, false),
			 *c = fake_fabric_add(f->fabric, true);

	/* b is the agent of a, by its LID, and of c, by its GID. */
	b->unit = a->unit;
	b->sl = 4;
	a->redirect = (struct mad_class_port_info){ .redirect_lid = b->lid,
						    .redirect_sl = 4,
						    .redirect_qpn = 1,
						    .redirect_qkey = MAD_QKEY,
						    .redirect_pkey = 0xffff };
	c->redirect = (struct mad_class_port_info){ .redirect_qpn = 1,
						    .redirect_qkey = MAD_QKEY,
						    .redirect_pkey = 0xffff };
	gid_of(b, c->redirect.redirect_gid);
	b->dm = true;
	b->hidden = false;
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(offers_of(f, a), 1);
	assert_int_equal(offers_of(f, c), 1);
	assert_true(f->complete);
	/* In circles, and to where nobody is. */
	a->redirect.redirect_lid = a->lid;
	a->redirect.redirect_sl = 0;
	gid_of(c, c->redirect.redirect_gid);
	b->redirect = (struct mad_class_port_info){ .redirect_lid = 999, .redirect_qpn = 5 };
	assert_true(scan(f, true) <= 4 * TIMEOUT_USEC);
	assert_int_equal(f->n, 3); /* nothing is lost */
	c->redirect.redirect_gid[15] ^= 0x80;
	assert_true(scan(f, true) <= 4 * TIMEOUT_USEC);
	assert_int_equal(f->n, 3);
}

/* 255 controllers with 255 services each, and one that stays alive but takes its time. */
static void endless_units(void **state)
{
	struct fixture *f = *state;
	static const char *const name = "SRP.T10:00000000000000aa";
	struct fake_node *n = NULL;
	uint64_t took;

	for (unsigned i = 0; i < 20; i++) {
		n = fake_fabric_add(f->fabric, true);
		n->unit.max_controllers = 255;
		n->unit.n_iocs = FAKE_TARGET_MAX_IOCS;
		for (unsigned k = 0; k < FAKE_TARGET_MAX_IOCS; k++) {
			n->unit.iocs[k] =
				(struct fake_ioc){ .slot = 255 - k, .guid = k, .n_services = 255 };
			for (unsigned e = 0; e < 8; e++)
				n->unit.iocs[k].names[e] = name;
		}
	}
	n->latency_usec = 900 * USEC_PER_MSEC;
	fake_fabric_add(f->fabric, true);
	set_port(f, false);
	took = scan(f, true);
	assert_true(took <= TARGET_WALK_USEC + 2 * TIMEOUT_USEC);
	assert_true(f->n >= 19 * 64 + 1);
	assert_false(f->complete);
}

/* More offers than can be kept. */
static void too_many_offers(void **state)
{
	struct fixture *f = *state;
	static const char *const name = "SRP.T10:00000000000000aa";

	for (unsigned i = 0; i < 200; i++) {
		struct fake_node *n = fake_fabric_add(f->fabric, true);

		n->unit.n_iocs = FAKE_TARGET_MAX_IOCS;
		for (unsigned k = 0; k < FAKE_TARGET_MAX_IOCS; k++) {
			n->unit.iocs[k] =
				(struct fake_ioc){ .slot = k + 1, .guid = k, .n_services = 8 };
			for (unsigned e = 0; e < 8; e++)
				n->unit.iocs[k].names[e] = name;
		}
	}
	set_port(f, false);
	(void)scan(f, true);
	assert_int_equal(f->n, SCAN_OFFERS_MAX);
	assert_false(f->complete);
	assert_int_equal(f->result.dropped, 200 * 64 - SCAN_OFFERS_MAX);
	assert_string_equal(f->result.why, "4608 end ports or offers more than can be kept");
}

/* Everything at once, again and again: it ends, and finds what is there. */
static void storms(void **state)
{
	struct fixture *f = *state;

	add_nodes(f, 299, 60);
	set_port(f, false);
	for (uint32_t seed = 1; seed <= 30; seed++) {
		f->fabric->seed = seed * 2654435761u;
		f->fabric->loss = 100;
		f->fabric->repeats = 200;
		f->fabric->jitter_usec = 40 * USEC_PER_MSEC;
		f->fabric->no_mask_match = seed % 3 == 0;
		set_port(f, seed % 2);
		(void)scan(f, seed % 4 == 0);
		assert_true(f->n <= 60);
		f->now += 10 * USEC_PER_SEC;
	}
	f->fabric->loss = 0;
	(void)scan(f, false);
	assert_int_equal(f->n, 60);
	assert_true(f->complete);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(finds_all_fields),
		T(finds_nothing),
		T(needs_a_port),
		T(many_controllers),
		T(partitions),
		T(service_levels),
		T(fast),
		T(with_loss),
		T(with_silent_ones),
		T(slow_ones),
		T(without_mask_match),
		T(tables_refused),
		T(administrator_is_silent),
		T(administrator_dies),
		T(administrator_is_busy),
		T(administrator_is_elsewhere),
		T(silence_is_no_end),
		T(ageing_counts_while_asking),
		T(gone_for_both),
		T(gone_for_one),
		T(path_is_gone),
		T(unchanged_is_not_read_again),
		T(part_of_a_unit),
		T(moved),
		T(new_administrator),
		T(comes_in),
		T(capability_changes),
		T(says_so_itself),
		T(goes_out),
		T(too_many_inquiries),
		T(inquiry_meanwhile),
		T(busy_targets),
		T(redirected),
		T(endless_units),
		T(too_many_offers),
		T(storms),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
