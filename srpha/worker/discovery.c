/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/discovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "fabric/sa.h"
#include "worker/discovery_state.h"
#include "worker/ibportal.h"
#include "worker/worker.h"

/* After an event, sysfs may still say what was before. */
#define LOOK_AGAIN_USEC (200 * USEC_PER_MSEC)

/* An active port without an address or a manager waits for it. */
#define LOOK_UNUSABLE_USEC USEC_PER_SEC

/* The first scan is told as a whole, unless it takes longer than this. */
#define TELL_FIRST_USEC (300 * USEC_PER_MSEC)

/* A scan that failed is repeated after so long, and then after twice as long. */
#define FAILED_USEC USEC_PER_SEC

/*
 * Notices beyond what can be asked one by one have all scanned, but no more often than this: a fabric
 * that comes up tells of every port of it.
 */
#define NOTICE_GAP_USEC USEC_PER_SEC

/* Without notices and without a rescan interval. */
#define BLIND_USEC (60 * USEC_PER_SEC)

/* The kernel's memory of a subscription request: as long as ours. */
#define SUBSCRIBE_KERNEL_MS 3000

/* Notices that wait to be told: of more, those of the same place in this table are one. */
#define NOTICE_ITEMS 4096

int discovery_new(struct worker *w, struct discovery **ret)
{
	struct discovery *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	discovery_settings_default(&d->settings);
	d->settings.enabled = w->once;
	d->look_usec = d->rescan_usec = USEC_INFINITY;
	d->spread = (unsigned)(worker_now() ^ (uint64_t)getpid() * 37) & 0xff;
	subscribe_init(&d->subscribe, (uint32_t)(worker_now() ^ (uint64_t)getpid() << 16));
	*ret = d;
	return 0;
}

void discovery_free(struct discovery *d)
{
	if (!d)
		return;
	scan_free(d->scan);
	free(d->told);
	free(d);
}

static void want_scan(struct discovery *d, enum scan_reason reason, bool fresh)
{
	if (!d->settings.enabled)
		return;
	if (!d->wanted || d->wanted_reason == REASON_NOTICE)
		d->wanted_reason = reason;
	d->wanted = true;
	d->wanted_fresh = d->wanted_fresh || fresh;
}

/* The port. */

static int register_class(struct worker *w)
{
	struct discovery *d = w->discovery;

	if (d->registered)
		return 0;
	d->class_error = mad_port_register(w->mad, MAD_CLASS_SA, SA_CLASS_VERSION, true);
	d->registered = d->class_error == 0;
	if (d->registered)
		worker_problem_over(w, PROBLEM_SA);
	else
		worker_problem(w, PROBLEM_SA,
			       "%s: cannot talk to the subnet administrator (%s): no discovery",
			       w->name, strerror(-d->class_error));
	return d->class_error;
}

static void register_reports(struct worker *w)
{
	struct discovery *d = w->discovery;

	if (w->once)
		return;
	d->report_error = mad_port_register_reports(w->mad);
	if (d->report_error == 0)
		worker_problem_over(w, PROBLEM_REPORTS);
	else
		worker_problem(w, PROBLEM_REPORTS,
			       "%s: no notices of the subnet manager (%s): changes of the fabric "
			       "are found by scanning it now and then",
			       w->name,
			       d->report_error == -EEXIST
				       ? "another program receives them on this port"
				       : strerror(-d->report_error));
}

static bool port_usable(struct worker *w, struct ibport *ret)
{
	const struct discovery *d = w->discovery;
	struct mad_dest sa;

	return w->mad && port_status(w->port)->infiniband && worker_port_active(w) &&
	       (d->settings.enabled || portals_infiniband(&w->portals)) &&
	       port_infiniband(w->port, ret) == 0 && ibport_sm(ret, &sa) == 0 &&
	       register_class(w) == 0;
}

static void port_unusable(struct worker *w, uint64_t now)
{
	struct discovery *d = w->discovery;
	bool was_up = d->up;

	d->look_usec = port_status(w->port)->infiniband && worker_port_active(w)
			       ? now + LOOK_UNUSABLE_USEC
			       : USEC_INFINITY;
	if (!was_up)
		return;
	d->up = false;
	d->wanted = d->wanted_fresh = false;
	d->rescan_usec = USEC_INFINITY;
	subscribe_stop(&d->subscribe);
	(void)scan_set_port(d->scan, NULL, false);
	if (worker_port_active(w))
		worker_tell_port(w, PORT_SOURCE_SYSFS);
	ibportal_refresh(w, now);
}

static void port_changed(struct worker *w, unsigned changes, bool was_up, bool again, uint64_t now)
{
	struct discovery *d = w->discovery;
	bool other_manager = again || !was_up || (changes & (IBPORT_SM | IBPORT_LID | IBPORT_GID));

	if (scan_set_port(d->scan, &d->port, again || !was_up) < 0)
		log_error("%s: no memory for a scan; it is tried again when the port changes",
			  w->name);
	if (other_manager) {
		(void)ibport_sm(&d->port, &d->sa);
		d->redirected = false;
		notices_forget(&d->notices);
		register_reports(w);
		if (!w->once && d->report_error == 0)
			subscribe_restart(&d->subscribe);
		else
			subscribe_stop(&d->subscribe);
	}
	d->failures = 0;
	want_scan(d, d->any_told ? REASON_PORT : REASON_START, true);
	ibportal_refresh(w, now);
	if (!was_up || (changes & (IBPORT_LID | IBPORT_SM)))
		worker_tell_port(w, was_up ? PORT_SOURCE_EVENT : PORT_SOURCE_SYSFS);
}

void discovery_look(struct worker *w, bool again, uint64_t now)
{
	struct discovery *d = w->discovery;
	bool was_up = d->up;
	struct ibport port;
	unsigned changes;

	d->look_usec = USEC_INFINITY;
	if (!port_usable(w, &port)) {
		port_unusable(w, now);
		return;
	}
	if (!d->scan) {
		d->scan = scan_new(&d->settings.scan);
		if (!d->scan)
			return;
	}
	changes = was_up ? ibport_changes(&d->port, &port) & ~IBPORT_STATE : 0;
	d->port = port;
	d->up = true;
	if (!was_up || changes || again)
		port_changed(w, changes, was_up, again, now);
}

void discovery_look_soon(struct worker *w, bool again, uint64_t now)
{
	struct discovery *d = w->discovery;

	discovery_look(w, again, now);
	if (d->up && d->look_usec == USEC_INFINITY)
		d->look_usec = now + LOOK_AGAIN_USEC;
}

void discovery_configure(struct worker *w, const struct discovery_settings *settings, uint64_t now)
{
	struct discovery *d = w->discovery;
	bool was_enabled = d->settings.enabled;

	d->settings = *settings;
	d->settings.enabled = d->settings.enabled || w->once;
	if (d->scan)
		scan_configure(d->scan, &d->settings.scan);
	if (!d->settings.enabled) {
		d->wanted = false;
		d->rescan_usec = USEC_INFINITY;
	} else if (d->rescan_usec != USEC_INFINITY && d->settings.rescan_usec > 0 &&
		   d->rescan_usec > now + d->settings.rescan_usec) {
		d->rescan_usec = now + d->settings.rescan_usec;
	}
	discovery_look(w, false, now);
	if (d->up && d->settings.enabled && !was_enabled)
		want_scan(d, REASON_START, true);
}

void discovery_request(struct worker *w, uint64_t now)
{
	want_scan(w->discovery, REASON_REQUEST, true);
}

void discovery_lids(const struct worker *w, uint16_t *ret_lid, uint16_t *ret_sm_lid)
{
	const struct discovery *d = w->discovery;

	bool known = d && d->up && worker_port_active(w);

	*ret_lid = known ? d->port.lid : 0;
	*ret_sm_lid = known ? d->port.sm_lid : 0;
}

/* For those who want to get to a target port. */

int discovery_route(const struct worker *w, const uint8_t gid[static 16], uint16_t pkey,
		    struct mad_dest *ret)
{
	const struct discovery *d = w->discovery;

	if (!d->up)
		return -ENONET;
	for (unsigned i = 0; i < d->port.n_pkeys; i++) {
		if (d->port.pkeys[i].value != pkey)
			continue;
		if (scan_route(d->scan, gid, pkey, ret))
			return 0;
		*ret = (struct mad_dest){ .pkey_index = d->port.pkeys[i].index };
		return -ENOENT;
	}
	return -ENOKEY;
}

void discovery_inquire(struct worker *w, const uint8_t gid[static 16], uint64_t now)
{
	struct discovery *d = w->discovery;

	if (d->up && scan_inquire(d->scan, 0, gid) == -EBUSY)
		want_scan(d, REASON_NOTICE, true);
}

/* What arrives. */

void discovery_scan_reply(struct worker *w, uint64_t handle, const struct mad_reply *reply,
			  uint64_t now)
{
	/* The kernel gave up: we have our own time. */
	if (reply->error || !w->discovery->scan)
		return;
	scan_reply(w->discovery->scan, (uint32_t)handle, reply->from_lid, reply->sent_usec,
		   reply->mad, reply->len, now);
}

void discovery_subscribe_reply(struct worker *w, uint64_t handle, const struct mad_reply *reply,
			       uint64_t now)
{
	struct discovery *d = w->discovery;
	struct mad_class_port_info info;
	int pkey;

	if (reply->error ||
	    subscribe_reply(&d->subscribe, handle, reply->mad, reply->len, now) != -EREMOTE)
		return;
	/* Once, and by LID: what the scan does for itself. */
	if (d->redirected || sa_decode_class_port_info(reply->mad, reply->len, &info) < 0 ||
	    info.redirect_lid == 0)
		return;
	pkey = ibport_pkey_index(&d->port, info.redirect_pkey);
	d->redirected = true;
	if (mad_dest_redirect(&d->sa, &info, pkey < 0 ? d->sa.pkey_index : (uint16_t)pkey) == 0)
		subscribe_restart(&d->subscribe);
}

/* Anyone on the fabric can send one: only the manager's word fails a path. */
static bool is_of_manager(const struct discovery *d, const struct mad_reply *report)
{
	return report->from_lid == d->sa.lid || report->from_lid == d->port.sm_lid;
}

void discovery_report(struct worker *w, const struct mad_reply *report, uint64_t now)
{
	struct discovery *d = w->discovery;
	struct notice_event e;
	uint64_t item;
	int r;

	if (d->up && !is_of_manager(d, report)) {
		d->foreign_reports++;
		return;
	}
	(void)mad_port_answer(w->mad, report);
	if (!d->up ||
	    notices_take(&d->notices, report->mad, report->len, report->from_lid, now, &e) <= 0)
		return;
	item = e.kind == NOTICE_CAPABILITY ? e.lid : gid_interface_id(e.gid);
	outbox_put_urgent(w->out, OUTBOX_NOTICE, item % NOTICE_ITEMS * 4 + e.kind,
			  notice_message(&e, e.lid, worker_now() - now));
	if (e.kind == NOTICE_CAPABILITY)
		r = scan_inquire_capable(d->scan, e.lid, e.cap_mask, now);
	else
		r = scan_inquire(d->scan, 0, e.gid);
	if (r == -EBUSY)
		want_scan(d, REASON_NOTICE, true);
}

/* What is sent. */

static void check_send(struct worker *w, int r)
{
	if (r == -ENODEV || r == -EIO)
		worker_device_gone(w);
}

static void send_requests(struct worker *w, uint64_t now)
{
	struct discovery *d = w->discovery;
	struct subscribe_request subscription;
	struct scan_request rq;

	while (scan_next(d->scan, now, &rq))
		check_send(w, mad_port_request(w->mad, &rq.to, rq.mad, COOKIE_SCAN | rq.handle, now,
					       rq.timeout_ms));
	while (subscribe_next(&d->subscribe, now, &subscription))
		check_send(w, mad_port_request(w->mad, &d->sa, subscription.mad,
					       COOKIE_SUBSCRIBE | subscription.cookie, now,
					       SUBSCRIBE_KERNEL_MS));
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t discovery_due(const struct worker *w)
{
	const struct discovery *d = w->discovery;
	uint64_t due = d->look_usec;

	if (!d->up)
		return due;
	due = min_u64(due, min_u64(scan_due(d->scan), subscribe_due(&d->subscribe)));
	due = min_u64(due, d->rescan_usec);
	if (d->wanted && d->wanted_reason == REASON_NOTICE && !scan_running(d->scan))
		due = min_u64(due, d->ended_usec + NOTICE_GAP_USEC);
	if (scan_revision(d->scan) != d->revision)
		due = min_u64(due, d->tell_usec);
	return due;
}

static void set_rescan(struct discovery *d, bool failed, uint64_t now)
{
	uint64_t wait = d->settings.rescan_usec;

	if (wait == 0 && !discovery_has_notices(d))
		wait = BLIND_USEC;
	d->failures = failed ? d->failures + 1 : 0;
	if (failed && d->failures < 20 && (wait == 0 || FAILED_USEC << (d->failures - 1) < wait))
		wait = FAILED_USEC << (d->failures - 1);
	/* Up to an eighth later than asked for. */
	d->rescan_usec = wait ? now + wait + wait / 8 * d->spread / 256 : USEC_INFINITY;
}

static bool wait_for_notices(const struct discovery *d, uint64_t now)
{
	return d->wanted && d->wanted_reason == REASON_NOTICE &&
	       now < d->ended_usec + NOTICE_GAP_USEC;
}

static void begin_scan(struct worker *w, uint64_t now)
{
	struct discovery *d = w->discovery;

	if (now >= d->rescan_usec) {
		d->rescan_usec = USEC_INFINITY;
		if (d->report_error != 0) /* whoever had them may be gone */
			discovery_look(w, false, now);
		want_scan(d, REASON_TIMER, false);
	}
	if (wait_for_notices(d, now) || !d->wanted || !d->up ||
	    !scan_start(d->scan, d->wanted_fresh, now))
		return;
	d->strange = discovery_count_strange(w);
	d->reason = d->wanted_reason;
	d->wanted = d->wanted_fresh = false;
	d->rescan_usec = USEC_INFINITY;
	if (!d->any_told)
		d->tell_usec = now + TELL_FIRST_USEC;
}

void discovery_run(struct worker *w, uint64_t now)
{
	struct discovery *d = w->discovery;
	struct scan_result result;

	if (now >= d->look_usec)
		discovery_look(w, false, now);
	if (!d->up) {
		if (w->once && w->started)
			discovery_tell_no_scan(w);
		return;
	}
	scan_tick(d->scan, now);
	begin_scan(w, now);
	send_requests(w, now);
	discovery_tell_subscription(w);
	if (scan_ended(d->scan, &result)) {
		d->ended_usec = now;
		ibportal_refresh(w, now);
		discovery_tell_offers(w, now);
		discovery_tell_scan(w, &result);
		/* Targets that are silent are asked again by themselves. */
		set_rescan(d, !result.listed, now);
		begin_scan(w, now);
		send_requests(w, now);
	} else if (scan_revision(d->scan) != d->revision &&
		   (now >= d->tell_usec || scan_settled(d->scan))) {
		ibportal_refresh(w, now);
		discovery_tell_offers(w, now);
	}
}
