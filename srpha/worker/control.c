/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/control.h"

#include <errno.h>
#include <string.h>

#include "wire/channel.h"
#include "wire/messages.h"
#include "worker/prober.h"
#include "worker/resolve.h"

static void on_portal_added(struct target_portal *tp, void *userdata)
{
	resolve_kick(userdata, tp, worker_now());
}

static void on_portal_changed(struct target_portal *tp, void *userdata)
{
	struct worker *w = userdata;

	resolve_kick(w, tp, worker_now());
	worker_tell_portal(w, tp);
}

static void on_portal_removed(struct target_portal *tp, void *userdata)
{
	struct worker *w = userdata;

	outbox_forget(w->out, OUTBOX_PORTAL, tp->settings.id);
	outbox_forget(w->out, OUTBOX_PROBE, tp->settings.id);
}

static const struct portal_changes portal_changes = {
	.on_added = on_portal_added,
	.on_changed = on_portal_changed,
	.on_removed = on_portal_removed,
};

static void take_config(struct worker *w, struct json_object *message)
{
	struct discovery_settings settings;
	const char *what;
	int r = discovery_settings_parse(message, &settings, &what);

	if (r == 0) {
		r = portal_table_configure(&w->portals, message, &portal_changes, w, &what);
		if (r != -EBADMSG)
			discovery_configure(w, &settings, worker_now());
	}
	if (r == -EBADMSG)
		worker_problem(w, PROBLEM_MESSAGE, "%s: config message ignored: bad %s", w->name,
			       what);
	else if (r < 0)
		worker_problem(w, PROBLEM_MESSAGE, "%s: config message only taken in part: %s",
			       w->name, strerror(-r));
	else
		worker_problem_over(w, PROBLEM_MESSAGE);
}

static void take_tempo(struct worker *w, struct json_object *message)
{
	struct target_portal *tp;
	uint64_t id, now = worker_now();
	bool fast;

	if (json_get_u64(message, "id", UINT64_MAX, &id) < 0 ||
	    json_get_bool(message, "fast", &fast) < 0) {
		worker_problem(w, PROBLEM_MESSAGE, "%s: tempo message ignored: bad field", w->name);
		return;
	}
	tp = portal_by_id(&w->portals, id);
	if (!tp)
		return; /* it was just configured away */
	prober_tempo(w, tp, fast, now);
	if (fast)
		resolve_kick(w, tp, now);
}

void control_take(struct worker *w, struct json_object *message)
{
	const char *msg;

	if (json_get_string(message, "msg", &msg) < 0)
		msg = "";
	if (strcmp(msg, MSG_CONFIG) == 0)
		take_config(w, message);
	else if (strcmp(msg, MSG_TEMPO) == 0)
		take_tempo(w, message);
	else if (strcmp(msg, MSG_RESCAN) == 0)
		discovery_request(w, worker_now());
	else
		worker_problem(w, PROBLEM_MESSAGE, "%s: unknown message \"%.32s\" ignored", w->name,
			       msg);
}
