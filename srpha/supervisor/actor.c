/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/actor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/message_ids.h"
#include "supervisor/child.h"
#include "supervisor/path.h"
#include "wire/messages.h"

#define IDLE_MIN 2
#define IDLE_MAX 16
#define ACTORS_MAX 256

/* Abandoned ones of one path: a login or reset may be stuck, and the next may get through. */
#define STUCK_MAX 2

/* Actors that die before they were asked for anything are replaced at this pace. */
#define FILL_BASE_USEC (20 * USEC_PER_MSEC)
#define FILL_CAP_USEC (30 * USEC_PER_SEC)

static unsigned actors_count(struct manager *m, bool busy)
{
	struct actor *a;
	unsigned n = 0;

	LIST_FOREACH (a, &m->actors, link)
		n += a->busy == busy;
	return n;
}

static void on_message(struct child *c, struct json_object *message, void *userdata)
{
	struct actor *a = userdata;
	const char *msg;

	if (json_get_string(message, "msg", &msg) < 0)
		return;
	if (a->busy && strcmp(msg, MSG_DONE) == 0 && !a->result)
		a->result = json_object_get(message);
}

static void actor_free(struct actor *a)
{
	LIST_REMOVE(a, link);
	sd_event_source_disable_unref(a->interrupt);
	child_free(a->child);
	json_object_put(a->result);
	free(a);
}

bool actors_stuck(struct manager *m, const struct path *p)
{
	struct actor *a;
	unsigned n = 0;

	LIST_FOREACH (a, &m->actors, link)
		n += a->abandoned && strcmp(a->path, p->name) == 0;
	return n >= STUCK_MAX;
}

static void tell_abandoned(const struct actor *a)
{
	char text[PATH_NAME_MAX + 160];

	snprintf(text, sizeof(text),
		 "actor %d (%s on %s) sits in an uninterruptible kernel call: abandoned",
		 (int)child_pid(a->child), a->action, a->path);
	log_struct(LOG_WARNING, MESSAGE_ACTOR_ABANDONED, text, NULL, 0);
}

/* It was never asked for anything. */
static void idle_end(struct manager *m, int code, int status)
{
	uint64_t delay = backoff_usec(m->actor_deaths++, FILL_BASE_USEC, FILL_CAP_USEC, 0);

	m->actor_retry_usec = manager_now(m) + delay;
	if (m->actor_deaths == 1)
		log_warning("an idle actor ended with %s %d; starting another",
			    code == CLD_EXITED ? "status" : "signal", status);
}

static void on_end(struct child *c, int code, int status, void *userdata)
{
	struct actor *a = userdata;
	struct manager *m = a->manager;
	_cleanup_json_ struct json_object *result = TAKE_PTR(a->result);
	struct path *p = a->path[0] ? path_find(m, a->path) : NULL;
	char action[sizeof(a->action)];
	bool mine = p && p->actor == a;

	memcpy(action, a->action, sizeof(action));
	if (a->busy)
		m->actor_deaths = 0;
	else if (!m->stopping)
		idle_end(m, code, status);
	if (code == 0) {
		tell_abandoned(a);
		a->abandoned = true;
		a->interrupt = sd_event_source_disable_unref(a->interrupt);
	} else
		actor_free(a);
	if (mine) {
		p->actor = NULL;
		drive_actor_done(m, p, action, result);
	}
	manager_dirty(m);
}

static const struct child_ops ops = { .on_message = on_message, .on_end = on_end };

static struct actor *actor_start(struct manager *m)
{
	char program[512];
	char *argv[] = { program, (char *)"--root", (char *)m->root, NULL };
	struct actor *a;
	int r;

	if ((unsigned)snprintf(program, sizeof(program), "%s/srpha-actor", m->program_dir) >=
	    sizeof(program))
		return NULL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->manager = m;
	r = child_spawn(m->event, PRIORITY_ACTOR, argv, &ops, a, &a->child);
	if (r < 0) {
		m->actor_retry_usec =
			manager_now(m) +
			backoff_usec(m->actor_deaths++, FILL_BASE_USEC, FILL_CAP_USEC, 0);
		if (m->actor_deaths == 1)
			log_error("cannot start %s: %s; failing and rejoining paths waits for it",
				  program, strerror(-r));
		free(a);
		return NULL;
	}
	LIST_INSERT_HEAD(&m->actors, a, link);
	return a;
}

void actors_fill(struct manager *m)
{
	unsigned idle = actors_count(m, false), busy = actors_count(m, true);
	unsigned wanted = m->n_paths + 1;

	if (m->stopping || manager_now(m) < m->actor_retry_usec)
		return;
	if (wanted < IDLE_MIN)
		wanted = IDLE_MIN;
	if (wanted > IDLE_MAX)
		wanted = IDLE_MAX;
	for (; idle < wanted && idle + busy < ACTORS_MAX; idle++)
		if (!actor_start(m))
			return;
}

void actors_free(struct manager *m)
{
	struct actor *a;

	while ((a = LIST_FIRST(&m->actors)))
		actor_free(a);
}

/* The oldest idle one: it has had the time to get ready. The list has the newest first. */
static struct actor *actor_ready(struct manager *m)
{
	struct actor *a, *ready = NULL;

	LIST_FOREACH (a, &m->actors, link)
		if (!a->busy && !child_killed(a->child))
			ready = a;
	if (!ready && actors_count(m, true) < ACTORS_MAX)
		ready = actor_start(m);
	return ready;
}

int actor_run(struct manager *m, struct path *p, const char *action, struct json_object *request,
	      uint64_t deadline_usec)
{
	struct actor *a;

	for (;;) {
		int r;

		a = actor_ready(m);
		if (!a)
			return -EAGAIN;
		r = child_send(a->child, request);
		if (r >= 0)
			break;
		if (r != -EPIPE)
			return r;
		/* It died while idle: its end is reported soon; take another. */
		child_kill(a->child);
	}
	a->busy = true;
	a->busy_since_usec = manager_now(m);
	snprintf(a->action, sizeof(a->action), "%s", action);
	snprintf(a->path, sizeof(a->path), "%s", p->name);
	p->actor = a;
	(void)child_set_deadline(a->child, a->busy_since_usec + deadline_usec);
	return 0;
}

void actor_cancel(struct path *p)
{
	if (p->actor)
		child_kill(p->actor->child);
}
