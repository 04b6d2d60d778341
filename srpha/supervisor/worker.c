/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One discovery worker per HCA port: started when the port exists and the configuration wants it,
 * restarted with backoff, killed when it says nothing for too long. What it reports becomes facts
 * of paths and events. A worker that is away costs news from its port, never a session.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/message_ids.h"
#include "config/discovery.h"
#include "supervisor/actor.h"
#include "supervisor/child.h"
#include "supervisor/offers.h"
#include "supervisor/path.h"
#include "supervisor/registry.h"
#include "wire/messages.h"

#define RESTART_BASE_USEC (100 * USEC_PER_MSEC)
#define RESTART_CAP_USEC (30 * USEC_PER_SEC)
/* It reports every second; ten missed reports are a hang. */
#define SILENCE_USEC (10 * USEC_PER_SEC)
/* A worker that lived so long is forgiven its earlier deaths. */
#define FORGIVE_USEC (60 * USEC_PER_SEC)

struct worker *worker_find(struct manager *m, const char *port)
{
	struct worker *w;

	LIST_FOREACH (w, &m->workers, link)
		if (strcmp(w->port, port) == 0)
			return w;
	return NULL;
}

static void copy_field(struct json_object *o, const char *key, char *buf, size_t size)
{
	const char *s;

	if (json_get_string(o, key, &s) < 0)
		s = "";
	snprintf(buf, size, "%s", s);
}

static void port_down(struct manager *m, struct worker *w, const char *source)
{
	char detail[128];
	struct path *p;

	snprintf(detail, sizeof(detail), "%s is %s", w->port, w->state);
	LIST_FOREACH (p, &m->paths, link) {
		if (strcmp(p->port, w->port) != 0)
			continue;
		/* Whatever was heard before the link went is no longer true. */
		if (p->probe.view == PROBE_ANSWERING)
			p->probe.view = PROBE_SILENT;
		if (p->state != PATH_DOWN && p->state != PATH_HELD)
			path_event(m, p, EVENT_PORT_DOWN, detail);
	}
}

static void port_up(struct manager *m, struct worker *w)
{
	struct path *p;

	w->up_since_usec = manager_now(m);
	LIST_FOREACH (p, &m->paths, link) {
		if (strcmp(p->port, w->port) != 0)
			continue;
		p->attempts = 0;
		p->retry_at_usec = 0;
		if (!path_state_usable(p->state))
			worker_send_tempo(m, p, true);
	}
}

static void on_port(struct manager *m, struct worker *w, struct json_object *o)
{
	bool was_up = w->up, first = !w->state[0];
	char source[16];

	copy_field(o, "state", w->state, sizeof(w->state));
	copy_field(o, "link_layer", w->link_layer, sizeof(w->link_layer));
	copy_field(o, "netdev", w->netdev, sizeof(w->netdev));
	copy_field(o, "gid", w->gid, sizeof(w->gid));
	copy_field(o, "source", source, sizeof(source));
	w->up = strcmp(w->state, "ACTIVE") == 0 || strcmp(w->state, "ACTIVE_DEFER") == 0;
	w->since_real_usec = realtime_now();
	if (first || was_up != w->up)
		log_info("port %s: %s (%s)", w->port, w->state, source);
	if (w->up && (first || !was_up))
		port_up(m, w);
	else if (!w->up && (first || was_up))
		port_down(m, w, source);
}

static void take_identity(struct manager *m, struct path *p, struct json_object *o)
{
	struct record *r = record_find(m, p->name);
	const char *gid;

	if (json_get_string(o, "gid", &gid) == 0 && parse_gid(gid, p->gid) == 0)
		p->has_gid = true;
	/* While a session exists its identity is what it was made with. */
	if (!p->host[0] && json_get_guid(o, "id_ext", &p->id_ext) == 0 &&
	    json_get_guid(o, "ioc_guid", &p->ioc_guid) == 0)
		p->has_identity = true;
	if (!p->has_initiator_ext && r && r->has_initiator_ext) {
		p->initiator_ext = r->initiator_ext;
		p->has_initiator_ext = true;
	}
}

static bool has_reported(const struct worker *w, uint64_t id)
{
	for (unsigned i = 0; i < w->n_reported; i++)
		if (w->reported[i] == id)
			return true;
	return false;
}

static void note_reported(struct worker *w, uint64_t id)
{
	uint64_t *more;

	if (has_reported(w, id))
		return;
	more = reallocarray(w->reported, w->n_reported + 1, sizeof(*more));
	if (!more)
		return;
	w->reported = more;
	w->reported[w->n_reported++] = id;
	w->manager->srp_stale = true;
}

bool worker_reported_all(struct manager *m, const char *port, const char *target)
{
	const struct worker *w = worker_find(m, port);
	struct portal_ref *ref;

	LIST_FOREACH (ref, &m->portals, link)
		if (ref->configured && strcmp(ref->target, target) == 0 &&
		    (!w || !has_reported(w, ref->id)))
			return false;
	return true;
}

static void take_probe(struct path *p, struct json_object *o)
{
	const char *probe;

	p->probe.possible =
		json_get_string(o, "probe", &probe) == 0 && strcmp(probe, "possible") == 0;
	copy_field(o, "why", p->probe.why, sizeof(p->probe.why));
}

static void on_portal(struct manager *m, struct worker *w, struct json_object *o)
{
	struct portal_ref *ref;
	struct record *drained;
	struct path *p;
	bool routed, new_path;
	uint64_t id;

	if (json_get_u64(o, "id", UINT64_MAX, &id) < 0 || json_get_bool(o, "routed", &routed) < 0)
		return;
	p = path_find_portal(m, id, w->port);
	if (p && p->fabric) {
		take_probe(p, o);
		manager_dirty(m);
		return;
	}
	ref = portal_find(m, id);
	if (!ref || !ref->configured)
		return;
	note_reported(w, id);
	if (!routed) {
		/* A route that went with its link does not take a path with it. */
		if (p && p->state == PATH_WANTED && w->up) {
			path_remove(m, p);
			manager_dirty(m);
		}
		return;
	}
	new_path = !p;
	p = path_get(m, ref->target, ref->dest, w->port, id);
	if (!p) {
		log_error("too many paths: %s on %s is left out", ref->dest, w->port);
		return;
	}
	p->desired = true;
	take_identity(m, p, o);
	take_probe(p, o);
	if (new_path) {
		m->srp_stale = true;
		path_event(m, p, EVENT_DESIRED, NULL);
		drained = record_find(m, p->name);
		if (drained && drained->drained)
			path_event(m, p, EVENT_DRAIN, "as before");
	}
	if (p->probe.why[0] && p->state == PATH_WANTED && w->up)
		path_tell(m, p, LOG_NOTICE, NULL, "%s; srpha keeps trying", p->probe.why);
	manager_dirty(m);
}

/* Kept for a supervisor that is restarted while the target is silent. */
static void note_answered(struct manager *m, const struct path *p)
{
	struct record *r = record_find(m, p->name);

	if (r && !r->answered) {
		r->answered = true;
		m->registry_stale = true;
	}
}

static void on_probe(struct manager *m, struct worker *w, struct json_object *o)
{
	uint64_t id, misses = 0, elapsed = 0;
	char detail[96], span[32];
	const char *result;
	struct path *p;

	if (json_get_u64(o, "id", UINT64_MAX, &id) < 0 || json_get_string(o, "result", &result) < 0)
		return;
	p = path_find_portal(m, id, w->port);
	if (!p)
		return;
	(void)json_get_u64(o, "misses", UINT32_MAX, &misses);
	(void)json_get_u64(o, "elapsed_usec", UINT64_MAX, &elapsed);
	p->probe.misses = misses;
	if (strcmp(result, "answered") == 0) {
		if (p->probe.view != PROBE_ANSWERING) {
			p->attempts = 0;
			p->retry_at_usec = 0;
			note_answered(m, p);
		}
		p->probe.view = PROBE_ANSWERING;
		p->probe.marked = p->probe.distrusted = false;
		path_event(m, p, EVENT_PROBE_ANSWERED, NULL);
	} else if (!p->probe.distrusted) {
		/* The worker reports no silence of one that never answered. */
		drive_probe_mark(m, p);
		snprintf(detail, sizeof(detail), "%u missed in %s", (unsigned)misses,
			 format_usec(elapsed, span, sizeof(span)));
		path_event(m, p, EVENT_PROBE_MISSED, detail);
		if (strcmp(result, "dead") == 0)
			drive_probe_dead(m, p);
	}
	manager_dirty(m);
}

static void on_stats(struct manager *m, struct worker *w, struct json_object *o)
{
	struct json_object *list;

	if (json_get_array(o, "portals", CONFIG_TARGETS_MAX * CONFIG_PORTALS_MAX, &list) < 0)
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *e = json_object_array_get_idx(list, i);
		uint64_t id, answered;
		struct path *p;

		if (!json_object_is_type(e, json_type_object) ||
		    json_get_u64(e, "id", UINT64_MAX, &id) < 0)
			continue;
		p = path_find_portal(m, id, w->port);
		if (!p)
			continue;
		/* Its first answer may have been told before the path was known. */
		if (p->probe.view == PROBE_UNKNOWN && !p->probe.distrusted &&
		    json_get_u64(e, "answered", UINT64_MAX, &answered) == 0 && answered > 0) {
			p->probe.view = PROBE_ANSWERING;
			note_answered(m, p);
		}
		(void)json_get_u64(e, "sent", UINT64_MAX, &p->probe.sent);
		(void)json_get_u64(e, "missed", UINT64_MAX, &p->probe.missed);
		(void)json_get_u64(e, "srtt_usec", UINT64_MAX, &p->probe.srtt_usec);
		(void)json_get_u64(e, "timeout_usec", UINT64_MAX, &p->probe.timeout_usec);
	}
}

void worker_send_config(struct manager *m, struct worker *w)
{
	_cleanup_json_ struct json_object *message = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct portal_ref *ref;
	int r;

	if (!w->child || !w->ready) {
		json_object_put(list);
		return; /* it gets all of it when it says hello */
	}
	json_put_string(message, "msg", MSG_CONFIG);
	json_object_object_add(message, "discovery", discovery_message(&m->config->discovery));
	LIST_FOREACH (ref, &m->portals, link) {
		const struct config_target *t = target_find(m, ref->target);
		char gid[GID_STR_MAX];
		struct json_object *o;
		struct path *p;

		if (!t || (t->ports && !config_port_selected(t->ports, w->port)))
			continue;
		o = json_object_new_object();
		json_put_u64(o, "id", ref->id);
		json_put_string(o, "dest", ref->dest);
		if (t->has_id_ext)
			json_put_guid(o, "id_ext", t->id_ext);
		if (t->has_ioc_guid)
			json_put_guid(o, "ioc_guid", t->ioc_guid);
		json_put_u64(o, "interval_usec", t->failover.probe_interval_usec);
		json_put_u64(o, "timeout_usec", t->failover.probe_timeout_usec);
		json_put_u64(o, "misses", t->failover.probe_misses);
		p = path_find_portal(m, ref->id, w->port);
		/* What was known of it before this worker, or even this supervisor, lived. */
		json_put_bool(o, "answered", p && p->probe.view != PROBE_UNKNOWN);
		if (p && p->has_gid)
			json_put_string(o, "gid", format_gid(p->gid, gid));
		json_object_array_add(list, o);
	}
	offers_put_portals(m, w, list);
	json_object_object_add(message, "portals", list);
	r = child_send(w->child, message);
	/* One that has just ended is known soon. */
	if (r < 0 && r != -EPIPE) {
		log_error("worker %s does not take its configuration: %s; restarting it", w->port,
			  strerror(-r));
		child_kill(w->child);
	}
}

void worker_send_tempo(struct manager *m, const struct path *p, bool fast)
{
	_cleanup_json_ struct json_object *message = NULL;
	struct worker *w = worker_find(m, p->port);
	struct path *self = (struct path *)p;

	if (!w || !w->child || !w->ready || p->portal_id == 0)
		return;
	if (!fast && !p->tempo_fast)
		return;
	message = json_object_new_object();
	json_put_string(message, "msg", MSG_TEMPO);
	json_put_u64(message, "id", p->portal_id);
	json_put_bool(message, "fast", fast);
	/* Lost when its queue is full: the normal interval finds out as well, only later. */
	(void)child_send(w->child, message);
	self->tempo_fast = fast;
}

void workers_rescan(struct manager *m)
{
	_cleanup_json_ struct json_object *message = json_object_new_object();
	struct worker *w;

	json_put_string(message, "msg", MSG_RESCAN);
	/* One that does not take it scans in its usual time. */
	LIST_FOREACH (w, &m->workers, link)
		if (w->child && w->ready)
			(void)child_send(w->child, message);
}

static void on_message(struct child *c, struct json_object *o, void *userdata)
{
	struct worker *w = userdata;
	struct manager *m = w->manager;
	const char *msg;

	w->heard_usec = manager_now(m);
	if (json_get_string(o, "msg", &msg) < 0)
		return;
	if (strcmp(msg, MSG_HELLO) == 0) {
		w->ready = true;
		worker_send_config(m, w);
	} else if (strcmp(msg, MSG_PORT) == 0)
		on_port(m, w, o);
	else if (strcmp(msg, MSG_PORTAL) == 0)
		on_portal(m, w, o);
	else if (strcmp(msg, MSG_PROBE) == 0)
		on_probe(m, w, o);
	else if (strcmp(msg, MSG_STATS) == 0)
		on_stats(m, w, o);
	else if (strcmp(msg, MSG_OFFERS) == 0)
		offers_take(m, w, o);
	else if (strcmp(msg, MSG_SCAN) == 0)
		offers_take_scan(m, w, o);
	else if (strcmp(msg, MSG_NOTICE) == 0)
		offers_take_notice(m, w, o);
	else if (strcmp(msg, MSG_PROBLEM) == 0) {
		char text[256];

		copy_field(o, "text", text, sizeof(text));
		log_notice("port %s: %s", w->port, text);
	}
}

/* The next worker starts at the normal pace: it is told anew. */
static void forget_tempo(struct manager *m, const struct worker *w)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (strcmp(p->port, w->port) == 0)
			p->tempo_fast = false;
}

static void on_end(struct child *c, int code, int status, void *userdata)
{
	struct worker *w = userdata;
	struct manager *m = w->manager;
	uint64_t now = manager_now(m), delay;
	bool gone = strcmp(w->state, "GONE") == 0;
	char text[200], span[32];

	child_free(w->child);
	w->child = NULL;
	w->ready = false;
	w->state[0] = '\0';
	w->n_reported = 0;
	forget_tempo(m, w);
	if (now - w->started_usec > FORGIVE_USEC)
		w->failures = 0;
	delay = backoff_usec(w->failures++, RESTART_BASE_USEC, RESTART_CAP_USEC,
			     (unsigned)(now % 1000));
	w->restart_at_usec = now + delay;
	w->restarts++;
	m->hcas_stale = true;
	manager_dirty(m);
	if (gone || m->stopping)
		return;
	snprintf(text, sizeof(text),
		 "worker of port %s ended (%s %d); sessions go on, restarting it in %s", w->port,
		 code == CLD_EXITED ? "exit status"
		 : code == 0	    ? "stuck"
				    : "signal",
		 status, format_usec(delay, span, sizeof(span)));
	log_struct(LOG_WARNING, MESSAGE_WORKER_DIED, text, NULL, 0);
}

static const struct child_ops ops = { .on_message = on_message, .on_end = on_end };

static void worker_start(struct manager *m, struct worker *w)
{
	char program[512];
	char *argv[] = {
		program, (char *)"--port", w->port, (char *)"--root", (char *)m->root, NULL
	};
	uint64_t now = manager_now(m);
	int r;

	snprintf(program, sizeof(program), "%s/srpha-worker", m->program_dir);
	w->started_usec = w->heard_usec = now;
	r = child_spawn(m->event, PRIORITY_WORKER, argv, &ops, w, &w->child);
	if (r < 0) {
		w->child = NULL;
		w->restart_at_usec = now + backoff_usec(w->failures++, RESTART_BASE_USEC,
							RESTART_CAP_USEC, (unsigned)(now % 1000));
		if (w->failures == 1)
			log_error("cannot start %s for port %s: %s; srpha keeps trying", program,
				  w->port, strerror(-r));
	}
}

static void worker_remove(struct manager *m, struct worker *w)
{
	LIST_REMOVE(w, link);
	child_free(w->child);
	offers_free(w);
	free(w->reported);
	free(w);
}

/* By name, as they are shown. */
static void insert_sorted(struct manager *m, struct worker *w)
{
	struct worker *after = NULL, *other;

	LIST_FOREACH (other, &m->workers, link)
		if (strverscmp(other->port, w->port) < 0)
			after = other;
	if (after)
		LIST_INSERT_AFTER(after, w, link);
	else
		LIST_INSERT_HEAD(&m->workers, w, link);
}

/* HCA ports as they are now against the workers that run. */
void workers_sync(struct manager *m)
{
	struct worker *w, *next;
	struct hca_ports hcas;
	int r = hca_ports_read(m->root_fd, &hcas);

	if (r < 0) {
		log_error("cannot read the HCA ports: %s; trying again", strerror(-r));
		return;
	}
	LIST_FOREACH (w, &m->workers, link)
		w->present = false;
	for (unsigned i = 0; i < hcas.n; i++) {
		const char *name = hcas.ports[i].name;

		if (!config_port_selected(m->config->ports, name))
			continue;
		w = worker_find(m, name);
		if (!w) {
			w = calloc(1, sizeof(*w));
			if (!w)
				return;
			w->manager = m;
			snprintf(w->port, sizeof(w->port), "%s", name);
			w->since_real_usec = realtime_now();
			insert_sorted(m, w);
			log_info("port %s: found", name);
		}
		w->present = true;
	}
	for (w = LIST_FIRST(&m->workers); w; w = next) {
		next = LIST_NEXT(w, link);
		if (w->present)
			continue;
		log_info("port %s: gone or no longer wanted", w->port);
		worker_remove(m, w);
	}
	m->hcas_stale = false;
	workers_tick(m);
}

void workers_send_config(struct manager *m)
{
	struct worker *w;

	LIST_FOREACH (w, &m->workers, link)
		worker_send_config(m, w);
}

void workers_tick(struct manager *m)
{
	uint64_t now = manager_now(m);
	struct worker *w;

	LIST_FOREACH (w, &m->workers, link) {
		if (!w->child && !m->stopping) {
			if (now >= w->restart_at_usec)
				worker_start(m, w);
		} else if (w->child && now - w->heard_usec > SILENCE_USEC &&
			   !child_killed(w->child)) {
			log_warning("worker of port %s is silent for %u s; killing it", w->port,
				    (unsigned)((now - w->heard_usec) / USEC_PER_SEC));
			child_kill(w->child);
		}
	}
}

void workers_free(struct manager *m)
{
	struct worker *w;

	while ((w = LIST_FIRST(&m->workers)))
		worker_remove(m, w);
}
