/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workers of InfiniBand ports find, and what becomes of it: each offer that the rules allow
 * is a path. A scan that finds less takes nothing away from a session: a path that has one stays, and
 * is judged by its probe, its port and the kernel; only a path nobody is logged in on goes.
 */
#include "supervisor/offers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/initiator-ext.h"
#include "config/login.h"
#include "config/rules.h"
#include "observe/immediate.h"
#include "supervisor/path.h"
#include "supervisor/registry.h"
#include "wire/channel.h"

/* Of one HCA port, configured portals included: a worker probes no more target ports. */
#define FABRIC_PATHS_MAX CONFIG_PORTALS_ALL_MAX

/* The P_Key every port has; membership bit left out. */
#define PKEY_DEFAULT 0x7fff
#define PKEY_MASK 0x7fff
#define PKEY_FULL 0x8000

void offers_free(struct worker *w)
{
	free(w->offers);
	w->offers = NULL;
	w->n_offers = 0;
	offers_inbox_clear(&w->inbox);
}

static void name_target(const struct config_target *t, const struct offer *o, char *buf,
			size_t size)
{
	char id_ext[GUID_STR_MAX], ioc_guid[GUID_STR_MAX];

	if (t)
		snprintf(buf, size, "%s", t->name);
	else
		snprintf(buf, size, "%s:%s", format_guid(o->id_ext, id_ext),
			 format_guid(o->ioc_guid, ioc_guid));
}

/* The kernel takes one login for each pair of ports, however many P_Keys they share. */
static bool better_pkey(uint16_t a, uint16_t b)
{
	if ((a & PKEY_FULL) != (b & PKEY_FULL))
		return a & PKEY_FULL;
	return (a & PKEY_MASK) == PKEY_DEFAULT && (b & PKEY_MASK) != PKEY_DEFAULT;
}

static bool same_path(const struct path *p, const struct offer *o)
{
	return p->fabric && p->id_ext == o->id_ext && p->ioc_guid == o->ioc_guid &&
	       memcmp(p->gid, o->gid, sizeof(p->gid)) == 0;
}

static struct path *find_path(struct manager *m, const struct worker *w, const struct offer *o)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (same_path(p, o) && strcmp(p->port, w->port) == 0)
			return p;
	return NULL;
}

static struct path *make_path(struct manager *m, struct worker *w, const struct offer *o,
			      const struct config_target *t)
{
	char target[64], gid[GID_STR_MAX];
	struct record *record;
	struct path *p;

	name_target(t, o, target, sizeof(target));
	p = path_get(m, target, format_gid(o->gid, gid), w->port, ++m->next_portal_id);
	if (!p)
		return NULL;
	p->fabric = true;
	p->desired = true;
	memcpy(p->gid, o->gid, sizeof(p->gid));
	p->has_gid = p->has_identity = true;
	p->id_ext = o->id_ext;
	p->ioc_guid = o->ioc_guid;
	record = record_find(m, p->name);
	if (record && record->has_initiator_ext) {
		p->initiator_ext = record->initiator_ext;
		p->has_initiator_ext = true;
	}
	m->srp_stale = true; /* its session may be there already, as a foreign one */
	path_event(m, p, EVENT_DESIRED, "found on the fabric");
	if (record && record->drained)
		path_event(m, p, EVENT_DRAIN, "as before");
	return p;
}

/* How to log in and where to probe, as the last scan has it. */
static void take_offer(struct path *p, const struct offer *o, const struct config_login *login,
		       uint32_t max_imm_data)
{
	p->login = login_for_offer(login, o, max_imm_data);
	p->pkey = o->pkey;
	p->lid = o->lid;
	p->service_id = o->service_id;
}

static unsigned count_paths(const struct manager *m, const struct worker *w)
{
	const struct portal_ref *ref;
	const struct path *p;
	unsigned n = 0;

	LIST_FOREACH (ref, &m->portals, link)
		n++;
	LIST_FOREACH (p, &m->paths, link)
		n += p->fabric && strcmp(p->port, w->port) == 0;
	return n;
}

static void apply_offer(struct manager *m, struct worker *w, const struct offer *o,
			uint32_t max_imm_data, bool *changed)
{
	struct path *p = find_path(m, w, o);
	struct rule_decision d;

	rules_decide(m->config, o, &d);
	if (!d.allowed) {
		/* Unless another of its P_Keys is allowed. */
		if (p && p->offered == OFFERED_NOT)
			p->offered = OFFERED_DENIED;
		return;
	}
	if (!p) {
		if (count_paths(m, w) >= FABRIC_PATHS_MAX || !(p = make_path(m, w, o, d.target))) {
			if (!w->full_told)
				log_error(
					"port %s: more than %u target ports: the rest of what the "
					"fabric offers is left out; narrow it with rules",
					w->port, FABRIC_PATHS_MAX);
			w->full_told = true;
			return;
		}
		*changed = true;
	} else if (p->offered == OFFERED_YES && !better_pkey(o->pkey, p->pkey))
		return;
	if (p->pkey != o->pkey || p->lid != o->lid)
		*changed = true;
	p->offered = OFFERED_YES;
	take_offer(p, o, &d.login, max_imm_data);
}

/* What is offered no longer goes, unless somebody is logged in on it. */
static void drop_paths(struct manager *m, struct worker *w, bool *changed)
{
	struct path *p, *next;

	for (p = LIST_FIRST(&m->paths); p; p = next) {
		next = LIST_NEXT(p, link);
		if (!p->fabric || p->offered == OFFERED_YES || strcmp(p->port, w->port) != 0)
			continue;
		if (p->offered == OFFERED_NOT && (p->host[0] || p->actor || !w->complete))
			continue;
		*changed = true;
		path_drop(m, p,
			  p->offered == OFFERED_DENIED ? "denied by a rule" : "no longer offered");
	}
}

void offers_apply(struct manager *m, struct worker *w)
{
	uint32_t max_imm_data = srp_max_imm_data(m->root_fd);
	bool changed = false;
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (p->fabric && strcmp(p->port, w->port) == 0)
			p->offered = OFFERED_NOT;
	for (unsigned i = 0; i < w->n_offers && m->config->discovery.login; i++)
		apply_offer(m, w, &w->offers[i], max_imm_data, &changed);
	drop_paths(m, w, &changed);
	if (!changed)
		return;
	worker_send_config(m, w);
	manager_dirty(m);
}

void offers_reapply(struct manager *m)
{
	struct worker *w;

	LIST_FOREACH (w, &m->workers, link)
		if (w->scanned)
			offers_apply(m, w);
}

void offers_take(struct manager *m, struct worker *w, struct json_object *o)
{
	struct offers_inbox *in = &w->inbox;
	struct offer *copy;
	int r = offers_inbox_take(in, o);

	if (r < 0)
		log_error("port %s: a list of offers is dropped (%s); the next scan brings another",
			  w->port, strerror(-r));
	if (r <= 0)
		return;
	copy = reallocarray(NULL, in->n + 1, sizeof(*copy));
	if (!copy)
		return;
	if (in->n > 0)
		memcpy(copy, in->offers, in->n * sizeof(*copy));
	free(w->offers);
	w->offers = copy;
	w->n_offers = in->n;
	w->complete = in->complete;
	w->scanned = true;
	offers_inbox_clear(in);
	log_debug("port %s: %u offers%s", w->port, w->n_offers, w->complete ? "" : " so far");
	offers_apply(m, w);
}

void offers_take_scan(struct manager *m, struct worker *w, struct json_object *o)
{
	struct scan_view *v = &w->scan;

	(void)json_get_u64(o, "generation", UINT64_MAX, &v->generation);
	(void)json_get_u64(o, "elapsed_usec", UINT64_MAX, &v->elapsed_usec);
	(void)json_get_u64(o, "nodes", UINT64_MAX, &v->nodes);
	(void)json_get_u64(o, "sent", UINT64_MAX, &v->sent);
	(void)json_get_u64(o, "timeouts", UINT64_MAX, &v->timeouts);
	(void)json_get_u64(o, "malformed", UINT64_MAX, &v->malformed);
	(void)json_get_bool(o, "complete", &v->complete);
	v->ended_usec = realtime_now();
	log_debug("port %s: scan %llu: %u offers in %llu us", w->port,
		  (unsigned long long)v->generation, w->n_offers,
		  (unsigned long long)v->elapsed_usec);
}

static void target_port_out(struct manager *m, struct worker *w, const uint8_t gid[static 16])
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link) {
		if (!p->fabric || strcmp(p->port, w->port) != 0 ||
		    memcmp(p->gid, gid, sizeof(p->gid)) != 0)
			continue;
		/* Whoever answers from now on brings it back. */
		p->probe.view = PROBE_SILENT;
		path_event(m, p, EVENT_OUT_OF_SERVICE, "the subnet manager says so");
	}
}

/* Of one that never answers a probe the subnet manager's word has to do. */
static void target_port_in(struct manager *m, struct worker *w, const uint8_t gid[static 16])
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link) {
		if (!p->fabric || strcmp(p->port, w->port) != 0 ||
		    memcmp(p->gid, gid, sizeof(p->gid)) != 0 || p->probe.view != PROBE_SILENT)
			continue;
		if (!p->probe.possible)
			p->probe.view = PROBE_UNKNOWN;
		p->attempts = 0;
		p->retry_at_usec = 0;
		worker_send_tempo(m, p, true);
	}
}

/* A fabric that comes up has a notice for each of its ports: only targets' are news. */
static bool offers_gid(const struct worker *w, const uint8_t gid[static 16])
{
	for (unsigned i = 0; i < w->n_offers; i++)
		if (memcmp(w->offers[i].gid, gid, sizeof(w->offers[i].gid)) == 0)
			return true;
	return false;
}

void offers_take_notice(struct manager *m, struct worker *w, struct json_object *o)
{
	const char *kind, *text;
	uint8_t gid[16];

	if (json_get_string(o, "kind", &kind) < 0)
		return;
	if (json_get_string(o, "gid", &text) < 0 || parse_gid(text, gid) < 0) {
		log_debug("port %s: the subnet manager reports %s", w->port, kind);
		return;
	}
	if (offers_gid(w, gid))
		log_info("port %s: the subnet manager reports %s of %s", w->port, kind, text);
	else
		log_debug("port %s: the subnet manager reports %s of %s", w->port, kind, text);
	if (strcmp(kind, "out-of-service") == 0)
		target_port_out(m, w, gid);
	else if (strcmp(kind, "in-service") == 0)
		target_port_in(m, w, gid);
	manager_dirty(m);
}

/* The target ports of this HCA port, to be probed. */
void offers_put_portals(struct manager *m, const struct worker *w, struct json_object *list)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link) {
		const struct config_failover *f = path_failover(m, p);
		char gid[GID_STR_MAX];
		struct json_object *o;

		if (!p->fabric || !p->desired || strcmp(p->port, w->port) != 0)
			continue;
		o = json_object_new_object();
		json_put_u64(o, "id", p->portal_id);
		json_put_string(o, "gid", format_gid(p->gid, gid));
		json_put_u64(o, "pkey", p->pkey);
		json_put_u64(o, "lid", p->lid);
		json_put_u64(o, "interval_usec", f->probe_interval_usec);
		json_put_u64(o, "timeout_usec", f->probe_timeout_usec);
		json_put_u64(o, "misses", f->probe_misses);
		json_put_bool(o, "answered", p->probe.view != PROBE_UNKNOWN);
		json_object_array_add(list, o);
	}
}

static struct json_object *format_offer(struct manager *m, const struct worker *w,
					const struct offer *o)
{
	struct json_object *j = offer_to_json(o);
	struct rule_decision d;
	struct path *p;

	rules_decide(m->config, o, &d);
	json_put_bool(j, "allowed", d.allowed);
	json_put_string(j, "rule", d.source);
	if (d.line > 0)
		json_put_u64(j, "rule_line", d.line);
	json_put_string(j, "options", d.options);
	json_put_guid(j, "initiator_ext", initiator_ext_of(&d.login, gid_interface_id(o->gid)));
	json_put_bool(j, "connected",
		      srp_view_has_login(&m->srp, w->port, o->id_ext, o->ioc_guid, o->gid));
	p = find_path(m, w, o);
	json_put_string(j, "path", p && p->pkey == o->pkey ? p->name : NULL);
	return j;
}

struct json_object *offers_format(struct manager *m)
{
	struct json_object *o = json_object_new_object(), *ports = json_object_new_array();
	struct worker *w;

	LIST_FOREACH (w, &m->workers, link) {
		struct json_object *port = json_object_new_object(),
				   *list = json_object_new_array();

		json_put_string(port, "name", w->port);
		json_put_string(port, "state", w->state[0] ? w->state : "unknown");
		json_put_string(port, "link_layer", w->link_layer);
		json_put_bool(port, "scanned", w->scanned);
		json_put_bool(port, "complete", w->complete);
		for (unsigned i = 0; i < w->n_offers; i++)
			json_object_array_add(list, format_offer(m, w, &w->offers[i]));
		json_object_object_add(port, "offers", list);
		json_object_array_add(ports, port);
	}
	json_object_object_add(o, "ports", ports);
	return o;
}
