/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/message_ids.h"
#include "supervisor/actor.h"

/* Probe closely for so long after a path went down or its port came back. */
#define TEMPO_FAST_USEC (15 * USEC_PER_SEC)

struct path *path_find(struct manager *m, const char *name)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

struct path *path_find_portal(struct manager *m, uint64_t portal_id, const char *port)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (p->portal_id == portal_id && strcmp(p->port, port) == 0)
			return p;
	return NULL;
}

static struct path *path_new(struct manager *m, const char *name)
{
	struct path *p;

	if (m->n_paths >= PATHS_MAX)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->since_usec = manager_now(m);
	p->since_real_usec = realtime_now();
	p->returnable_since_usec = USEC_INFINITY;
	LIST_INSERT_HEAD(&m->paths, p, link);
	m->n_paths++;
	return p;
}

struct path *path_get(struct manager *m, const char *target, const char *dest, const char *port,
		      uint64_t portal_id)
{
	char name[PATH_NAME_MAX];
	struct path *p;

	snprintf(name, sizeof(name), "%s/%s@%s", target, dest, port);
	p = path_find(m, name);
	if (!p)
		p = path_new(m, name);
	if (!p)
		return NULL;
	snprintf(p->target, sizeof(p->target), "%s", target);
	snprintf(p->dest, sizeof(p->dest), "%s", dest);
	snprintf(p->port, sizeof(p->port), "%s", port);
	p->portal_id = portal_id;
	return p;
}

struct path *path_get_foreign(struct manager *m, const struct srp_session *s)
{
	char name[PATH_NAME_MAX];
	struct path *p;

	snprintf(name, sizeof(name), "%s@%s", s->host, s->port);
	p = path_find(m, name);
	if (p)
		return p;
	p = path_new(m, name);
	if (!p)
		return NULL;
	snprintf(p->port, sizeof(p->port), "%s", s->port);
	p->owner = OWNER_FOREIGN;
	p->has_identity = true;
	p->id_ext = s->id_ext;
	p->ioc_guid = s->ioc_guid;
	return p;
}

void path_remove(struct manager *m, struct path *p)
{
	if (p->actor)
		p->actor->path[0] = '\0';
	LIST_REMOVE(p, link);
	m->n_paths--;
	free(p);
}

void paths_free(struct manager *m)
{
	struct path *p;

	while ((p = LIST_FIRST(&m->paths)))
		path_remove(m, p);
}

static const char *state_message_id(enum path_state old, enum path_state state)
{
	if (old == PATH_CONNECTING && state == PATH_UP)
		return MESSAGE_LOGIN_OK;
	if (state == PATH_DOWN)
		return MESSAGE_PATH_FAILED;
	if (state == PATH_UP)
		return MESSAGE_PATH_REJOINED;
	if (state == PATH_HELD)
		return MESSAGE_PATH_HELD;
	return MESSAGE_STATE_CHANGE;
}

static void log_move(const struct path *p, enum path_state old, enum path_state next,
		     enum path_event event, const char *detail)
{
	/* A single missed probe is ordinary on a busy fabric. */
	bool attempt = event == EVENT_LOGIN_STARTED || event == EVENT_LOGIN_FAILED ||
		       event == EVENT_REJOIN_STARTED || event == EVENT_REJOIN_FAILED;
	/* Nor is the second attempt of a series news. */
	bool wish = event == EVENT_DESIRED || event == EVENT_UNDESIRED;
	bool quiet = wish || next == PATH_SUSPECT || (old == PATH_SUSPECT && next == PATH_UP) ||
		     (attempt && p->attempts > 1);
	char text[PATH_NAME_MAX + 300];
	const struct log_field fields[] = {
		{ "SRPHA_PATH", p->name },
		{ "SRPHA_PORT", p->port },
		{ "SRPHA_TARGET", p->target[0] ? p->target : NULL },
		{ "SRPHA_HOST", p->host[0] ? p->host : NULL },
		{ "SRPHA_OLD_STATE", path_state_name(old) },
		{ "SRPHA_EVENT", path_event_name(event) },
		{ "SRPHA_NEW_STATE", path_state_name(next) },
	};

	snprintf(text, sizeof(text), "path %s: %s -> %s: %s%s%s", p->name, path_state_name(old),
		 path_state_name(next), path_event_name(event), detail ? ", " : "",
		 detail ? detail : "");
	log_struct(quiet ? LOG_DEBUG : LOG_NOTICE, state_message_id(old, next), text, fields,
		   ARRAY_SIZE(fields));
}

static void note_failure(struct path *p, uint64_t now)
{
	p->failures[p->n_failures++ % FAILURES_KEPT] = now;
	p->failovers++;
}

unsigned path_recent_failures(const struct path *p, uint64_t now, uint64_t window)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAILURES_KEPT && i < p->n_failures; i++)
		n += now - p->failures[i] <= window;
	return n;
}

/* A state that waits for the path's return probes it closely at first. */
static bool wants_fast(const struct path *p, uint64_t now)
{
	bool waiting =
		p->state == PATH_FAILING || p->state == PATH_DOWN || p->state == PATH_REJOINING;

	return waiting && now < p->since_usec + TEMPO_FAST_USEC;
}

void path_tempo(struct manager *m, struct path *p)
{
	bool fast = wants_fast(p, manager_now(m));

	if (fast != p->tempo_fast)
		worker_send_tempo(m, p, fast);
}

static void path_enter(struct manager *m, struct path *p, enum path_state next,
		       enum path_event event, const char *detail)
{
	uint64_t now = manager_now(m);
	enum path_state old = p->state;

	log_move(p, old, next, event, detail);
	p->state = next;
	/* A missed probe ends no time of service, and an answer after it begins none. */
	if (!path_state_usable(old) || !path_state_usable(next)) {
		p->since_usec = now;
		p->since_real_usec = realtime_now();
	}
	snprintf(p->reason, sizeof(p->reason), "%s%s%s", path_event_name(event), detail ? ": " : "",
		 detail ? detail : "");
	/* Attempts that fail one after the other keep their backoff; news start afresh. */
	if (event != EVENT_LOGIN_STARTED && event != EVENT_LOGIN_FAILED &&
	    event != EVENT_REJOIN_STARTED && event != EVENT_REJOIN_FAILED) {
		p->attempts = 0;
		p->retry_at_usec = 0;
	}
	p->guard_told = false;
	if (next == PATH_FAILING) {
		p->last_problem[0] = '\0'; /* what was wrong before is not what is now */
		p->off = false;
		p->drill = event == EVENT_FAILOVER;
	}
	if (event == EVENT_FAILED)
		note_failure(p, now);
	if (event == EVENT_REJOINED) {
		p->rejoins++;
		p->last_problem[0] = '\0';
		/* It works although its management agent is silent: that says nothing any more. */
		if (p->probe.view == PROBE_SILENT) {
			p->probe.view = PROBE_UNKNOWN;
			p->probe.distrusted = true;
		}
	}
	/* A reconnect under way for a path that just failed again only stands in the way. */
	if (old == PATH_REJOINING && next == PATH_FAILING)
		actor_cancel(p);
	/* Also where it is fast already: it asks for a probe at once. */
	worker_send_tempo(m, p, wants_fast(p, now));
	if (next == PATH_FAILING)
		m->dm_stale =
			true; /* the guard must not judge by what multipathd has just changed */
	manager_dirty(m);
}

void path_event(struct manager *m, struct path *p, enum path_event event, const char *detail)
{
	struct path_step step = path_step(p->state, event);

	switch (step.kind) {
	case STEP_MOVE:
		path_enter(m, p, step.next, event, detail);
		break;
	case STEP_STAY:
		break;
	case STEP_IMPOSSIBLE:
		log_error("path %s: event \"%s\" is impossible in state %s: a fault of srpha, "
			  "please report it",
			  p->name, path_event_name(event), path_state_name(p->state));
		break;
	}
}

void path_tell(struct manager *m, struct path *p, int level, const char *message_id,
	       const char *fmt, ...)
{
	char text[sizeof(p->last_problem)];
	char line[PATH_NAME_MAX + sizeof(text) + 8];
	const struct log_field fields[] = {
		{ "SRPHA_PATH", p->name },
		{ "SRPHA_PORT", p->port },
		{ "SRPHA_TARGET", p->target[0] ? p->target : NULL },
	};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (strcmp(text, p->last_problem) == 0)
		return;
	memcpy(p->last_problem, text, sizeof(text));
	snprintf(line, sizeof(line), "path %s: %s", p->name, text);
	log_struct(level, message_id, line, fields, ARRAY_SIZE(fields));
}

const struct config_login *path_login(const struct manager *m, const struct path *p)
{
	const struct config_target *t = target_find(m, p->target);

	if (p->fabric)
		return &p->login;
	return t ? &t->login : &m->config->login;
}

const struct config_timeouts *path_timeouts(const struct manager *m, const struct path *p)
{
	const struct config_target *t = target_find(m, p->target);

	return t ? &t->timeouts : &m->config->timeouts;
}

const struct config_failover *path_failover(const struct manager *m, const struct path *p)
{
	const struct config_target *t = target_find(m, p->target);

	return t ? &t->failover : &m->config->failover;
}

bool path_managed(const struct manager *m, const struct path *p)
{
	return p->owner != OWNER_FOREIGN || m->config->failover.foreign;
}

const char *path_owner_name(enum path_owner o)
{
	static const char *const names[] = {
		[OWNER_SRPHA] = "srpha",
		[OWNER_CONFIGURED] = "configured",
		[OWNER_FOREIGN] = "foreign",
	};

	return names[o];
}
