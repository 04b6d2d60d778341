/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* Bounded as the rest: what one I/O unit can have in all. */
#define SERVICES_MAX IOU_SERVICES_MAX

struct target *target_new(uint64_t guid)
{
	struct target *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->guid = guid;
	t->retry_usec = USEC_INFINITY;
	return t;
}

void target_free(struct target *t)
{
	if (!t)
		return;
	iou_free(t->walk);
	free(t->paths);
	free(t->services);
	free(t);
}

/* Paths. */

int target_set_pkeys(struct target *t, const struct ibport_pkey *pkeys, unsigned n)
{
	struct target_path *paths;

	paths = calloc(n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < t->n_paths; k++)
			if (t->paths[k].pkey.value == pkeys[i].value)
				paths[i] = t->paths[k];
		paths[i].pkey = pkeys[i];
		/* Their numbers are others now: what is out is of no use. */
		paths[i].record = paths[i].info = TARGET_NONE;
	}
	free(t->paths);
	t->paths = paths;
	t->n_paths = n;
	return 0;
}

void target_doubt_paths(struct target *t)
{
	for (unsigned i = 0; i < t->n_paths; i++) {
		struct target_path *p = &t->paths[i];

		p->stale = true;
		p->unlisted_usec = 0;
		p->missed_usec = 0;
	}
	for (unsigned i = 0; i < t->n_services; i++)
		t->services[i].missed_usec = 0;
	t->unlisted_usec = 0;
	t->doubt_usec = 0;
	t->retry_usec = USEC_INFINITY;
	t->backoff_usec = 0;
}

/* Beginning. */

static void begin_path(struct target *t, struct target_path *p, enum target_effort effort,
		       uint64_t now)
{
	bool old = effort == TARGET_READ || !p->answered || p->stale || p->lid != t->lid ||
		   now - p->answered_usec > TARGET_FRESH_USEC;

	p->record = p->info = TARGET_NONE;
	if (t->listed && effort != TARGET_VERIFY && old)
		p->record = TARGET_WANT;
	else if (p->good || target_path_listed(t, p))
		p->info = TARGET_WANT;
}

void target_begin(struct target *t, enum target_effort effort, uint64_t now)
{
	if (t->asked) {
		t->again = true;
		return;
	}
	t->asked = true;
	t->fresh = effort == TARGET_READ;
	t->answered = t->walked = t->redirected = t->missed = false;
	t->redirect = TARGET_NONE;
	t->redirects = 0;
	t->begun_usec = now;
	t->retry_usec = USEC_INFINITY;
	for (unsigned i = 0; i < t->n_paths; i++)
		begin_path(t, &t->paths[i], effort, now);
}

/* Requests. */

bool target_next_record(struct target *t, const uint8_t own[static 16], uint16_t slid,
			struct target_request *ret)
{
	struct sa_path want = { .slid = slid, .reversible = true, .n_paths = 1 };
	uint64_t mask = SA_PATH_SGID | SA_PATH_DGID | SA_PATH_REVERSIBLE | SA_PATH_NUMB_PATH;
	unsigned i = 0;

	memcpy(want.sgid, own, sizeof(want.sgid));
	if (t->redirect == TARGET_WANT) {
		t->redirect = TARGET_SENT;
		ret->kind = TARGET_ELSEWHERE;
		ret->item = 0;
		memcpy(want.dgid, t->elsewhere.gid, sizeof(want.dgid));
	} else {
		while (i < t->n_paths && t->paths[i].record != TARGET_WANT)
			i++;
		if (i == t->n_paths)
			return false;
		t->paths[i].record = TARGET_SENT;
		ret->kind = TARGET_PATH_RECORD;
		ret->item = i;
		want.pkey = t->paths[i].pkey.value;
		mask |= SA_PATH_PKEY;
		memcpy(want.dgid, t->gid, sizeof(want.dgid));
	}
	t->flying++;
	sa_encode_get_path(ret->mad, MAD_METHOD_GET, mask, &want);
	return true;
}

static void finish_walk(struct target *t, uint64_t now);

static void abandon_walk(struct target *t, uint64_t now)
{
	if (!t->walk)
		return;
	iou_abandon(t->walk);
	finish_walk(t, now);
}

static void address(const struct target *t, const struct target_path *p, struct mad_dest *ret)
{
	if (t->redirected)
		*ret = t->elsewhere;
	else
		target_path_dest(t, p, ret);
}

bool target_next_peer(struct target *t, uint64_t now, struct target_request *ret)
{
	struct iou_request rq;

	if (t->redirect != TARGET_NONE)
		return false;
	for (unsigned i = 0; i < t->n_paths; i++) {
		struct target_path *p = &t->paths[i];

		if (p->info != TARGET_WANT)
			continue;
		p->info = TARGET_SENT;
		t->flying++;
		ret->kind = TARGET_INFO;
		ret->item = i;
		address(t, p, &ret->to);
		dm_encode_get(ret->mad, 0, DM_ATTR_IOU_INFO, 0);
		return true;
	}
	if (t->walk && now - t->begun_usec > TARGET_WALK_USEC)
		abandon_walk(t, now);
	if (!t->walk || !iou_next(t->walk, &rq))
		return false;
	t->flying++;
	ret->kind = TARGET_WALK;
	ret->item = 0;
	address(t, &t->paths[t->walk_path], &ret->to);
	dm_encode_get(ret->mad, 0, rq.attr_id, rq.attr_mod);
	return true;
}

/* The administrator's answers. */

void target_take_record(struct target *t, unsigned item, const struct sa_path *path, uint64_t now)
{
	struct target_path *p = item < t->n_paths ? &t->paths[item] : NULL;

	t->flying--;
	if (!p || p->record != TARGET_SENT)
		return;
	p->record = TARGET_NONE;
	p->answered = true;
	p->stale = false;
	p->answered_usec = now;
	p->lid = t->lid;
	p->listed = path;
	target_set_since(&p->unlisted_usec, !path, now);
	if (path) {
		p->dlid = path->dlid;
		p->sl = path->sl;
		p->grh = path->hop_limit > 1;
	}
	/* One that is not listed any more: is it really gone? */
	if (path || p->good)
		p->info = TARGET_WANT;
}

void target_take_elsewhere(struct target *t, const struct sa_path *path)
{
	t->flying--;
	if (t->redirect != TARGET_SENT)
		return;
	t->redirect = TARGET_NONE;
	if (!path) {
		/* No way there, and so nobody to ask: it is kept, and asked again later. */
		for (unsigned i = 0; i < t->n_paths; i++)
			t->paths[i].info = TARGET_NONE;
		return;
	}
	t->elsewhere.lid = path->dlid;
	t->elsewhere.sl = path->sl;
	t->elsewhere.grh = path->hop_limit > 1;
	t->redirected = true;
}

/* The target's answers. */

static void drop_path(struct target_path *p)
{
	p->good = false;
	p->missed_usec = 0;
}

/* It says no over this path, or nothing. Where the administrator says so too, that is the end. */
static void path_missed(struct target *t, struct target_path *p, bool refused, uint64_t now)
{
	p->refused = refused;
	/* No for an answer to the first question is no reason to ask again. */
	target_set_since(&p->missed_usec, p->good || !refused, now);
	if (!t->listed || (p->answered && !p->listed))
		drop_path(p);
}

static bool same_head(const struct target *t, const struct dm_iou *head)
{
	return t->known && t->head.change_id == head->change_id &&
	       t->head.max_controllers == head->max_controllers &&
	       memcmp(t->head.controller_list, head->controller_list,
		      sizeof(head->controller_list)) == 0;
}

static int begin_walk(struct target *t, unsigned item, const uint8_t *mad, size_t len, uint64_t now)
{
	struct iou_request info;
	int r;

	t->walk = iou_new();
	if (!t->walk)
		return -ENOMEM;
	t->walk_path = item;
	(void)iou_next(t->walk, &info);
	r = iou_reply(t->walk, mad, len);
	if (r < 0)
		iou_abandon(t->walk);
	if (iou_done(t->walk))
		finish_walk(t, now);
	return r;
}

int target_take_info(struct target *t, unsigned item, const uint8_t *mad, size_t len, uint64_t now)
{
	struct target_path *p = item < t->n_paths ? &t->paths[item] : NULL;
	struct mad_header h;
	struct dm_iou head;
	int r;

	t->flying--;
	if (!p || p->info != TARGET_SENT)
		return -ENOENT;
	p->info = TARGET_NONE;
	t->answered = true;
	t->missed = false;
	r = mad_decode_header(mad, len, &h);
	if (r == 0 && h.status == 0)
		r = dm_decode_iou(mad, len, &head);
	if (r < 0 || h.status) {
		path_missed(t, p, true, now);
		return r;
	}
	p->good = !t->gone;
	p->refused = false;
	p->missed_usec = 0;
	if (t->walk || t->walked)
		return 0;
	/* Not all firmware changes its change_id: now and then read it all the same. */
	if (!t->fresh && t->whole && same_head(t, &head) &&
	    now - t->unit_usec < TARGET_FRESH_USEC) {
		t->walked = true;
		return 0;
	}
	return begin_walk(t, item, mad, len, now);
}

int target_take_walk(struct target *t, const uint8_t request[static MAD_SIZE], const uint8_t *mad,
		     size_t len, uint64_t now)
{
	struct mad_header h;
	int r;

	t->flying--;
	if (!t->walk)
		return -ENOENT;
	t->missed = false;
	r = iou_reply(t->walk, mad, len);
	/* A reply to something else leaves the request without one. */
	if (mad_decode_header(request, MAD_SIZE, &h) == 0)
		iou_give_up(t->walk, &(struct iou_request){ h.attr_id, h.attr_mod });
	if (iou_done(t->walk))
		finish_walk(t, now);
	return r;
}

static int compare_services(const void *a, const void *b)
{
	const struct target_service *x = a, *y = b;

	if (x->what.slot != y->what.slot)
		return x->what.slot - y->what.slot;
	return x->what.entry - y->what.entry;
}

/* What was read, and of what could not be read what is known from before. */
static struct target_service *merge_services(const struct target *t, unsigned *ret_n, uint64_t now)
{
	unsigned n_new, n = 0;
	const struct iou_service *new = iou_services(t->walk, &n_new);
	struct target_service *list = calloc(n_new + t->n_services + 1, sizeof(*list));

	if (!list)
		return NULL;
	for (unsigned i = 0; i < n_new && n < SERVICES_MAX; i++)
		if (iou_slot_read(t->walk, new[i].slot))
			list[n++].what = new[i];
	for (unsigned i = 0; i < t->n_services && n < SERVICES_MAX; i++) {
		if (iou_slot_read(t->walk, t->services[i].what.slot))
			continue;
		list[n] = t->services[i];
		target_set_since(&list[n++].missed_usec, true, now);
	}
	/* Of a slot that was read in part: what is new in it. */
	for (unsigned i = 0; i < n_new && n < SERVICES_MAX; i++) {
		bool known = iou_slot_read(t->walk, new[i].slot);

		for (unsigned k = 0; k < n && !known; k++)
			known = list[k].what.slot == new[i].slot &&list[k].what.entry ==
				new[i].entry;
		if (!known)
			list[n++] = (struct target_service){ .what = new[i],
							     .missed_usec = now ? now : 1 };
	}
	qsort(list, n, sizeof(*list), compare_services);
	*ret_n = n;
	return list;
}

static void finish_walk(struct target *t, uint64_t now)
{
	_cleanup_(iou_freep) struct iou *walk = t->walk;
	struct target_service *list = NULL;
	unsigned n = 0;

	t->walked = true;
	if (iou_head(walk))
		list = merge_services(t, &n, now);
	t->walk = NULL;
	if (!list) {
		t->whole = false;
		return;
	}
	free(t->services);
	t->services = list;
	t->n_services = n;
	t->head = *iou_head(walk);
	t->known = true;
	t->whole = iou_counts(walk)->silent == 0;
	t->unit_usec = now;
}

static void silent_path(struct target *t, struct target_path *p, uint64_t now)
{
	p->info = TARGET_NONE;
	path_missed(t, p, false, now);
	/* A listed target that says nothing at all: it is asked again later, not everywhere now. */
	for (unsigned i = 0; i < t->n_paths && t->listed && !t->answered; i++)
		if (t->paths[i].info == TARGET_WANT) {
			t->paths[i].info = TARGET_NONE;
			path_missed(t, &t->paths[i], false, now);
		}
}

void target_silent(struct target *t, enum target_kind kind, unsigned item,
		   const uint8_t request[static MAD_SIZE], uint64_t now)
{
	struct target_path *p = item < t->n_paths ? &t->paths[item] : NULL;

	switch (kind) {
	case TARGET_PATH_RECORD:
		t->flying--;
		if (!p || p->record != TARGET_SENT)
			break;
		p->record = TARGET_NONE;
		if (p->good)
			p->info = TARGET_WANT;
		break;
	case TARGET_ELSEWHERE:
		target_take_elsewhere(t, NULL);
		break;
	case TARGET_INFO:
		t->flying--;
		t->missed = true;
		if (p && p->info == TARGET_SENT)
			silent_path(t, p, now);
		break;
	case TARGET_WALK:
		t->flying--;
		t->missed = true;
		abandon_walk(t, now);
		break;
	}
}

/* By GID alone: the way there comes first, and then the request again. */
static int redirect_by_gid(struct target *t, enum target_kind kind, unsigned item,
			   const struct mad_dest *there)
{
	/* The walk comes after IOUnitInfo, which would have been redirected before. */
	if (kind != TARGET_INFO || item >= t->n_paths || t->paths[item].info != TARGET_SENT)
		return -EBADMSG;
	if (t->redirect == TARGET_NONE) {
		if (t->redirects == TARGET_REDIRECTS_MAX)
			return -EBADMSG;
		t->redirects++;
		t->redirect = TARGET_WANT;
		t->elsewhere = *there;
	}
	t->flying--;
	t->paths[item].info = TARGET_WANT;
	return -EINPROGRESS;
}

int target_redirect(struct target *t, enum target_kind kind, unsigned item,
		    const struct mad_class_port_info *info, struct mad_dest *to)
{
	uint16_t index = to->pkey_index;
	struct mad_dest there = *to;
	int r;

	for (unsigned i = 0; i < t->n_paths; i++)
		if (((t->paths[i].pkey.value ^ info->redirect_pkey) & PKEY_PARTITION) == 0)
			index = t->paths[i].pkey.index;
	r = mad_dest_redirect(&there, info, index);
	if (r < 0)
		return r;
	if (there.lid == 0)
		return redirect_by_gid(t, kind, item, &there);
	t->elsewhere = there;
	t->redirected = true;
	*to = there;
	return 0;
}

/* The end. */

void target_gone(struct target *t)
{
	t->gone = true;
	t->listed = false;
	t->again = false;
	for (unsigned i = 0; i < t->n_paths; i++) {
		struct target_path *p = &t->paths[i];

		drop_path(p);
		if (p->record == TARGET_WANT)
			p->record = TARGET_NONE;
		if (p->info == TARGET_WANT)
			p->info = TARGET_NONE;
	}
}

void target_stop(struct target *t)
{
	t->asked = t->again = false;
	t->flying = 0;
	t->redirect = TARGET_NONE;
	iou_free(t->walk);
	t->walk = NULL;
	for (unsigned i = 0; i < t->n_paths; i++)
		t->paths[i].record = t->paths[i].info = TARGET_NONE;
}

bool target_over(const struct target *t)
{
	if (t->flying > 0 || t->walk || t->redirect != TARGET_NONE)
		return false;
	for (unsigned i = 0; i < t->n_paths; i++)
		if (t->paths[i].record != TARGET_NONE || t->paths[i].info != TARGET_NONE)
			return false;
	return true;
}
