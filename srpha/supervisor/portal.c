/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "supervisor/path.h"

struct portal_ref *portal_find(struct manager *m, uint64_t id)
{
	struct portal_ref *r;

	LIST_FOREACH (r, &m->portals, link)
		if (r->id == id)
			return r;
	return NULL;
}

static struct portal_ref *portal_get(struct manager *m, const char *target, const char *dest)
{
	struct portal_ref *r;

	LIST_FOREACH (r, &m->portals, link)
		if (strcmp(r->target, target) == 0 && strcmp(r->dest, dest) == 0)
			return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->id = ++m->next_portal_id;
	snprintf(r->target, sizeof(r->target), "%s", target);
	snprintf(r->dest, sizeof(r->dest), "%s", dest);
	LIST_INSERT_HEAD(&m->portals, r, link);
	return r;
}

void path_drop(struct manager *m, struct path *p, const char *why)
{
	p->desired = false;
	path_event(m, p, EVENT_UNDESIRED, why);
	/* With an actor at work it goes when that has ended (drive.c). */
	if (!p->actor) {
		path_remove(m, p);
		m->srp_stale = true;
	}
}

void paths_deselect(struct manager *m)
{
	struct path *p, *next;

	for (p = LIST_FIRST(&m->paths); p; p = next) {
		const struct config_target *t = target_find(m, p->target);

		next = LIST_NEXT(p, link);
		if (p->portal_id != 0 && (!config_port_selected(m->config->ports, p->port) ||
					  (t && !config_port_selected(t->ports, p->port))))
			path_drop(m, p, "its port is not chosen");
	}
}

static void drop_paths(struct manager *m, const struct portal_ref *r)
{
	struct path *p, *next;

	for (p = LIST_FIRST(&m->paths); p; p = next) {
		next = LIST_NEXT(p, link);
		if (p->portal_id != r->id)
			continue;
		path_drop(m, p, "no longer configured");
	}
}

void portals_sync(struct manager *m)
{
	struct portal_ref *r, *next;

	LIST_FOREACH (r, &m->portals, link)
		r->configured = false;
	for (unsigned t = 0; t < m->config->n_targets; t++)
		for (unsigned i = 0; i < m->config->targets[t].n_portals; i++) {
			r = portal_get(m, m->config->targets[t].name,
				       m->config->targets[t].portals[i].text);
			if (r)
				r->configured = true;
		}
	for (r = LIST_FIRST(&m->portals); r; r = next) {
		next = LIST_NEXT(r, link);
		if (r->configured)
			continue;
		drop_paths(m, r);
		LIST_REMOVE(r, link);
		free(r);
	}
}

const struct config_target *target_find(const struct manager *m, const char *name)
{
	for (unsigned i = 0; i < m->config->n_targets; i++)
		if (strcmp(m->config->targets[i].name, name) == 0)
			return &m->config->targets[i];
	return NULL;
}
