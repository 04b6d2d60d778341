/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/prober.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "wire/channel.h"
#include "wire/messages.h"
#include "worker/ibportal.h"
#include "worker/resolve.h"

/*
 * When the kernel forgets a probe. Much longer than any timeout of ours, because a late answer
 * still counts; short enough that a dead portal does not fill the table of transactions.
 */
#define KERNEL_TIMEOUT_MS 2000

/* A portal that was asked for so long and never answered gets words in its report. */
#define SILENT_USEC (3 * USEC_PER_SEC)

static const char *result_name(enum probe_result r)
{
	switch (r) {
	case PROBE_ANSWERED:
		return "answered";
	case PROBE_MISSED:
		return "miss";
	case PROBE_DIED:
		return "dead";
	case PROBE_NOTHING:
		break;
	}
	return NULL;
}

static void tell(struct worker *w, struct target_portal *tp, const struct probe_report *report)
{
	struct json_object *o;

	if (report->result == PROBE_NOTHING)
		return;
	o = json_object_new_object();
	if (o) {
		json_put_string(o, "msg", MSG_PROBE);
		json_put_u64(o, "id", tp->settings.id);
		json_put_string(o, "result", result_name(report->result));
		json_put_u64(o, "misses", report->misses);
		json_put_u64(o, "elapsed_usec", report->elapsed_usec);
	}
	if (report->result == PROBE_DIED)
		outbox_put_urgent(w->out, OUTBOX_PROBE, tp->settings.id, o);
	else
		outbox_put(w->out, OUTBOX_PROBE, tp->settings.id, o);
}

/* Once an outage, the evidence. What follows from it is the supervisor's to log. */
static void log_death(const struct worker *w, const struct target_portal *tp,
		      const struct probe_report *report)
{
	const struct probe *p = &tp->probe;
	char elapsed[32], timeout[32], trip[32], longest[32];

	if (report->result != PROBE_DIED || report->misses > p->config.misses)
		return;
	log_info("%s: %s does not answer: %u probes missed in %s, timeout %s, round trip %s, "
		 "longest %s, %u waits extended",
		 w->name, tp->settings.text, report->misses,
		 format_usec(report->elapsed_usec, elapsed, sizeof(elapsed)),
		 format_usec(probe_timeout(p), timeout, sizeof(timeout)),
		 format_usec(p->rtt.srtt_usec, trip, sizeof(trip)),
		 format_usec(p->rtt.max_usec, longest, sizeof(longest)), p->extensions);
}

void prober_update(struct worker *w, struct target_portal *tp, uint64_t now)
{
	bool want = tp->can_send && worker_port_active(w);

	if (want == !tp->probe.paused)
		return;
	if (want) {
		tp->probing_usec = now;
		probe_resume(&tp->probe, now);
	} else {
		tp->unsent = false;
		probe_pause(&tp->probe);
	}
}

static void send_probe(struct worker *w, struct target_portal *tp, uint64_t now)
{
	int r;

	/* Sending to an unknown neighbour would block in the kernel (fabric/umad.h). */
	if (tp->needs_neighbour && !tp->neighbour_valid) {
		tp->unsent = true;
		resolve_solicit(w, tp, now);
		return;
	}
	r = mad_port_get(w->mad, &tp->dest, MAD_CLASS_DM, DM_ATTR_IOU_INFO, 0,
			 COOKIE_PROBE | tp->handle, now, KERNEL_TIMEOUT_MS);
	tp->unsent = r < 0;
	if (r == -ENODEV || r == -EIO)
		worker_device_gone(w);
	else if (r < 0)
		worker_problem(w, PROBLEM_SEND, "%s: cannot send probes: %s", w->name,
			       strerror(-r));
	else
		worker_problem_over(w, PROBLEM_SEND);
}

uint64_t prober_due(const struct target_portal *tp)
{
	return probe_due(&tp->probe);
}

static void note_silence(struct worker *w, struct target_portal *tp, uint64_t now)
{
	if (tp->probe.state != PROBE_NEW || tp->silent || now - tp->probing_usec < SILENT_USEC)
		return;
	tp->silent = true;
	if (!tp->why[0]) {
		portal_set_why(tp, "its Device Management agent does not answer: not watched");
		worker_tell_portal(w, tp);
	}
}

void prober_tick(struct worker *w, struct target_portal *tp, uint64_t now)
{
	struct probe_report report;
	bool send = probe_tick(&tp->probe, now, &report);

	tell(w, tp, &report);
	log_death(w, tp, &report);
	if (send)
		send_probe(w, tp, now);
	note_silence(w, tp, now);
}

void prober_neighbour(struct worker *w, struct target_portal *tp, uint64_t now)
{
	if (tp->unsent && !tp->probe.paused && tp->probe.n_pending > 0) {
		probe_delayed(&tp->probe, now);
		send_probe(w, tp, now);
	} else {
		probe_hint(&tp->probe, now);
	}
}

void prober_reply(struct worker *w, struct target_portal *tp, const struct mad_reply *reply,
		  uint64_t now)
{
	struct probe_report report;
	struct dm_iou iou;
	bool good, redirected, was_dead = tp->probe.state == PROBE_DEAD;

	if (reply->error) /* our own timer has long decided */
		return;
	if (tp->dest.grh && reply->grh && memcmp(reply->from_gid, tp->dest.gid, GID_SIZE) != 0)
		return; /* from where the portal was before */
	redirected = (reply->header.status & (MAD_STATUS_REDIRECT | MAD_STATUS_BUSY)) ==
		     MAD_STATUS_REDIRECT;
	/* Served elsewhere, it lives; the scan follows it there, a probe need not. */
	good = redirected ||
	       (reply->header.status == 0 && dm_decode_iou(reply->mad, reply->len, &iou) == 0);
	probe_answer(&tp->probe, reply->sent_usec, now, good, &report);
	tell(w, tp, &report);
	if (!good)
		return;
	if (tp->silent) {
		tp->silent = false;
		portal_clear_why(tp);
		worker_tell_portal(w, tp);
	}
	if (redirected)
		return;
	if (tp->settings.infiniband) {
		if (was_dead || (tp->change_known && iou.change_id != tp->change_id))
			ibportal_changed(w, tp, now);
		tp->change_known = true;
		tp->change_id = iou.change_id;
		return;
	}
	/* Another target may have come up under the address, or other services. */
	if (was_dead || !tp->learned || iou.change_id != tp->change_id)
		resolve_requery(w, tp, now);
}

void prober_tempo(struct worker *w, struct target_portal *tp, bool fast, uint64_t now)
{
	probe_set_fast(&tp->probe, fast, now);
}

struct json_object *prober_stats(const struct worker *w)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct target_portal *tp;
	unsigned i = 0;

	if (!o || !list) {
		json_object_put(list);
		return NULL;
	}
	json_put_string(o, "msg", MSG_STATS);
	json_object_object_add(o, "portals", list);
	while ((tp = portal_next(&w->portals, &i))) {
		struct json_object *e = json_object_new_object();
		const struct probe *p = &tp->probe;

		if (!e)
			return NULL;
		json_put_u64(e, "id", tp->settings.id);
		json_put_u64(e, "sent", p->n_sent);
		json_put_u64(e, "answered", p->n_answered);
		json_put_u64(e, "missed", p->n_missed);
		json_put_u64(e, "srtt_usec", p->rtt.srtt_usec);
		json_put_u64(e, "timeout_usec", probe_timeout(p));
		json_put_u64(e, "max_usec", p->rtt.max_usec);
		json_object_array_add(list, e);
	}
	return TAKE_PTR(o);
}
