/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/actor.h"
#include "supervisor/child.h"
#include "supervisor/path.h"
#include "wire/channel.h"

#define REASONS_MAX 100

const char *health_name(enum health h)
{
	static const char *const names[] = {
		[HEALTH_HEALTHY] = "healthy",
		[HEALTH_DEGRADED] = "degraded",
		[HEALTH_CRITICAL] = "critical",
	};

	return names[h];
}

__attribute__((format(printf, 4, 5))) static void worsen(enum health *h, enum health to,
							 struct json_object *reasons,
							 const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (to > *h)
		*h = to;
	if (!reasons || json_object_array_length(reasons) >= REASONS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_array_add(reasons, json_object_new_string(text));
}

/* Whether a map has an SRP disk at all: the others are none of our business. */
static bool map_is_srp(struct manager *m, const struct dm_map *map)
{
	for (unsigned i = 0; i < map->n_paths; i++)
		if (srp_view_find_devno(&m->srp, map->paths[i].devno))
			return true;
	return false;
}

static unsigned map_usable(struct manager *m, const struct dm_map *map)
{
	unsigned n = 0;

	for (unsigned i = 0; i < map->n_paths; i++)
		n += map->paths[i].active && devno_usable(map->paths[i].devno, m);
	return n;
}

static bool target_has_path(struct manager *m, const char *name)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (strcmp(p->target, name) == 0)
			return true;
	return false;
}

enum health status_health(struct manager *m, struct json_object *reasons)
{
	enum health h = HEALTH_HEALTHY;
	struct worker *w;
	struct actor *a;
	struct path *p;

	for (unsigned i = 0; i < m->dm.n_maps; i++) {
		const struct dm_map *map = &m->dm.maps[i];
		unsigned usable;

		/* A map whose disks all went away is still somebody's storage. */
		if (map->n_paths > 0 && !map_is_srp(m, map))
			continue;
		usable = map_usable(m, map);
		if (usable == 0)
			worsen(&h, HEALTH_CRITICAL, reasons, "map %s has no usable path",
			       map->name);
		else if (usable < map->n_paths)
			worsen(&h, HEALTH_DEGRADED, reasons, "map %s has %u of %u paths usable",
			       map->name, usable, map->n_paths);
	}
	LIST_FOREACH (w, &m->workers, link) {
		if (!w->child)
			worsen(&h, HEALTH_DEGRADED, reasons, "port %s has no worker", w->port);
		else if (w->state[0] && !w->up)
			worsen(&h, HEALTH_DEGRADED, reasons, "port %s is %s", w->port, w->state);
	}
	LIST_FOREACH (p, &m->paths, link)
		if (p->owner != OWNER_FOREIGN && p->desired && !path_state_usable(p->state))
			worsen(&h, HEALTH_DEGRADED, reasons, "path %s is %s%s%s", p->name,
			       path_state_name(p->state), p->probe.why[0] ? ": " : "",
			       p->probe.why);
	for (unsigned i = 0; i < m->config->n_targets; i++)
		if (!target_has_path(m, m->config->targets[i].name))
			worsen(&h, HEALTH_DEGRADED, reasons, "target %s has no path: %s",
			       m->config->targets[i].name,
			       m->config->targets[i].n_portals > 0
				       ? "no HCA port routes to its portals"
				       : "no InfiniBand port has found it");
	LIST_FOREACH (a, &m->actors, link)
		if (a->abandoned)
			worsen(&h, HEALTH_DEGRADED, reasons,
			       "process %d (%s on %s) is stuck in the kernel",
			       (int)child_pid(a->child), a->action, a->path);
	/* Said, but storage is as well as it was: the old configuration is in force. */
	if (m->mistakes.total > 0)
		worsen(&h, HEALTH_HEALTHY, reasons,
		       "the configuration on disk has %u mistake%s and was not taken",
		       m->mistakes.total, m->mistakes.total == 1 ? "" : "s");
	if (m->dm_unreadable)
		worsen(&h, HEALTH_DEGRADED, reasons, "the multipath maps cannot be read");
	return h;
}

static struct json_object *format_config(struct manager *m)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_put_string(o, "file", m->config_path);
	json_put_u64(o, "loaded_usec", m->config_loaded_usec);
	for (unsigned i = 0; i < m->mistakes.n; i++)
		json_object_array_add(list, json_object_new_string(m->mistakes.lines[i]));
	json_object_object_add(o, "mistakes", list);
	return o;
}

static struct json_object *format_scan(const struct worker *w)
{
	struct json_object *o = json_object_new_object();

	json_put_u64(o, "ended_usec", w->scan.ended_usec);
	json_put_u64(o, "elapsed_usec", w->scan.elapsed_usec);
	json_put_bool(o, "complete", w->scan.complete);
	json_put_u64(o, "nodes", w->scan.nodes);
	json_put_u64(o, "offers", w->n_offers);
	json_put_u64(o, "sent", w->scan.sent);
	json_put_u64(o, "timeouts", w->scan.timeouts);
	json_put_u64(o, "malformed", w->scan.malformed);
	return o;
}

static struct json_object *format_ports(struct manager *m)
{
	struct json_object *list = json_object_new_array();
	struct worker *w;

	LIST_FOREACH (w, &m->workers, link) {
		struct json_object *o = json_object_new_object();

		json_put_string(o, "name", w->port);
		json_put_string(o, "state", w->state[0] ? w->state : "unknown");
		json_put_string(o, "link_layer", w->link_layer);
		json_put_string(o, "netdev", w->netdev[0] ? w->netdev : NULL);
		json_put_string(o, "worker",
				w->ready   ? "ready"
				: w->child ? "starting"
					   : "backoff");
		if (w->child)
			json_put_u64(o, "worker_pid", (uint64_t)child_pid(w->child));
		json_put_u64(o, "restarts", w->restarts);
		json_put_u64(o, "since_usec", w->since_real_usec);
		if (w->scan.ended_usec > 0)
			json_object_object_add(o, "scan", format_scan(w));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *format_target(const char *name, bool configured, const struct path *p)
{
	struct json_object *o = json_object_new_object();

	json_put_string(o, "name", name);
	json_put_bool(o, "configured", configured);
	if (p) {
		json_put_guid(o, "id_ext", p->id_ext);
		json_put_guid(o, "ioc_guid", p->ioc_guid);
	}
	return o;
}

/* The first path in the table to a target, with its identity known; NULL: none yet. */
static const struct path *first_path(const struct manager *m, const char *target)
{
	const struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (strcmp(p->target, target) == 0 && p->has_identity)
			return p;
	return NULL;
}

static struct json_object *format_targets(struct manager *m)
{
	struct json_object *list = json_object_new_array();
	const struct path *p;

	for (unsigned i = 0; i < m->config->n_targets; i++) {
		const char *name = m->config->targets[i].name;

		json_object_array_add(list, format_target(name, true, first_path(m, name)));
	}
	LIST_FOREACH (p, &m->paths, link)
		if (p->fabric && !target_find(m, p->target) && first_path(m, p->target) == p)
			json_object_array_add(list, format_target(p->target, false, p));
	return list;
}

static const char *probe_state(const struct path *p)
{
	switch (p->probe.view) {
	case PROBE_ANSWERING:
		return p->probe.marked ? "missing" : "answering";
	case PROBE_SILENT:
		return "dead";
	case PROBE_UNKNOWN:
		break;
	}
	return p->portal_id == 0 ? "unknown" : p->probe.possible ? "never answered" : "impossible";
}

static struct json_object *format_probe(const struct path *p)
{
	struct json_object *o = json_object_new_object();

	json_put_string(o, "state", probe_state(p));
	json_put_string(o, "why", p->probe.why[0] ? p->probe.why : NULL);
	json_put_u64(o, "srtt_usec", p->probe.srtt_usec);
	json_put_u64(o, "timeout_usec", p->probe.timeout_usec);
	json_put_u64(o, "sent", p->probe.sent);
	json_put_u64(o, "missed", p->probe.missed);
	return o;
}

static struct json_object *format_luns(struct manager *m, const struct srp_session *s)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < s->n_luns; i++) {
		const struct srp_lun *l = &s->luns[i];
		struct json_object *o = json_object_new_object();
		const struct dm_path *dp = NULL;
		const struct dm_map *map = dm_view_find_path(&m->dm, l->devno, &dp);

		json_put_string(o, "disk", l->disk);
		json_put_string(o, "devno", l->devno);
		json_put_string(o, "hctl", l->hctl);
		json_put_string(o, "wwid", l->wwid);
		json_put_string(o, "scsi_state", l->state);
		json_put_string(o, "map", map ? map->name : NULL);
		json_put_string(o, "dm_state", !map ? "none" : dp->active ? "active" : "failed");
		json_object_array_add(list, o);
	}
	return list;
}

static void format_session(struct manager *m, struct json_object *o, const struct srp_session *s)
{
	struct json_object *t = json_object_new_object();
	char buf[16];

	json_put_string(o, "host", s->host);
	json_put_string(o, "rport", s->rport);
	json_put_string(o, "rport_state", rport_state_name(s->rport_state));
	json_put_string(t, "fast_io_fail_tmo", config_format_tmo(s->fast_io_fail_tmo, buf));
	json_put_string(t, "reconnect_delay", config_format_tmo(s->reconnect_delay, buf));
	json_put_string(t, "dev_loss_tmo", config_format_tmo(s->dev_loss_tmo, buf));
	json_object_object_add(o, "timeouts", t);
	json_object_object_add(o, "luns", format_luns(m, s));
}

static struct json_object *format_path(struct manager *m, const struct path *p)
{
	struct json_object *o = json_object_new_object();
	const struct srp_session *s = path_session(m, p);
	char gid[GID_STR_MAX];

	json_put_string(o, "name", p->name);
	json_put_string(o, "port", p->port);
	json_put_string(o, "target", p->target);
	json_put_string(o, "dest", p->dest[0] ? p->dest : NULL);
	json_put_string(o, "gid", p->has_gid ? format_gid(p->gid, gid) : NULL);
	json_put_string(o, "owner", path_owner_name(p->owner));
	json_put_string(o, "state", path_state_name(p->state));
	json_put_u64(o, "since_usec", p->since_real_usec);
	json_put_string(o, "reason", p->reason);
	json_put_string(o, "problem", p->last_problem[0] ? p->last_problem : NULL);
	if (p->has_identity) {
		json_put_guid(o, "id_ext", p->id_ext);
		json_put_guid(o, "ioc_guid", p->ioc_guid);
	}
	if (p->has_initiator_ext)
		json_put_guid(o, "initiator_ext", p->initiator_ext);
	json_object_object_add(o, "probe", format_probe(p));
	json_put_u64(o, "failovers", p->failovers);
	json_put_u64(o, "rejoins", p->rejoins);
	json_put_u64(o, "logins", p->logins);
	if (s)
		format_session(m, o, s);
	else
		json_object_object_add(o, "luns", json_object_new_array());
	return o;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp((*(const struct path *const *)a)->name,
		      (*(const struct path *const *)b)->name);
}

static struct json_object *format_paths(struct manager *m)
{
	struct json_object *list = json_object_new_array();
	_cleanup_free_ struct path **sorted = calloc(m->n_paths + 1, sizeof(*sorted));
	struct path *p;
	unsigned n = 0;

	if (!sorted)
		return list;
	LIST_FOREACH (p, &m->paths, link)
		sorted[n++] = p;
	qsort(sorted, n, sizeof(*sorted), compare_paths);
	for (unsigned i = 0; i < n; i++)
		json_object_array_add(list, format_path(m, sorted[i]));
	return list;
}

static struct json_object *format_maps(struct manager *m)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < m->dm.n_maps; i++) {
		const struct dm_map *map = &m->dm.maps[i];
		struct json_object *o;

		if (map->n_paths > 0 && !map_is_srp(m, map))
			continue;
		o = json_object_new_object();
		json_put_string(o, "name", map->name);
		json_put_string(o, "uuid", map->uuid);
		json_put_string(o, "devno", map->devno);
		json_put_u64(o, "usable", map_usable(m, map));
		json_put_u64(o, "total", map->n_paths);
		json_put_bool(o, "queueing", map->queueing);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *format_actors(struct manager *m)
{
	struct json_object *list = json_object_new_array();
	struct actor *a;

	LIST_FOREACH (a, &m->actors, link) {
		struct json_object *o = json_object_new_object();

		json_put_u64(o, "pid", (uint64_t)child_pid(a->child));
		json_put_bool(o, "busy", a->busy);
		json_put_bool(o, "abandoned", a->abandoned);
		if (a->busy) {
			json_put_string(o, "action", a->action);
			json_put_string(o, "path", a->path);
		}
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *status_format(struct manager *m)
{
	struct json_object *o = json_object_new_object(), *reasons = json_object_new_array();

	json_put_string(o, "version", SRPHA_VERSION);
	json_put_string(o, "health", health_name(status_health(m, reasons)));
	json_object_object_add(o, "reasons", reasons);
	json_put_u64(o, "now_usec", realtime_now());
	json_put_u64(o, "pid", (uint64_t)getpid());
	json_object_object_add(o, "config", format_config(m));
	json_object_object_add(o, "ports", format_ports(m));
	json_object_object_add(o, "targets", format_targets(m));
	json_object_object_add(o, "paths", format_paths(m));
	json_object_object_add(o, "maps", format_maps(m));
	json_object_object_add(o, "actors", format_actors(m));
	return o;
}
