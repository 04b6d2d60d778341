/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/targets.h"

#include <stdlib.h>
#include <string.h>

void targets_clear(struct targets *ts)
{
	for (unsigned i = 0; i < ts->n; i++)
		target_free(ts->list[i]);
	free(ts->list);
	*ts = (struct targets){ 0 };
}

static unsigned position(const struct targets *ts, uint64_t guid)
{
	unsigned low = 0, high = ts->n;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (ts->list[mid]->guid < guid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct target *targets_find(const struct targets *ts, uint64_t guid)
{
	unsigned i = position(ts, guid);

	return i < ts->n && ts->list[i]->guid == guid ? ts->list[i] : NULL;
}

struct target *targets_find_lid(const struct targets *ts, uint16_t lid)
{
	for (unsigned i = 0; lid && i < ts->n; i++)
		if (ts->list[i]->lid == lid)
			return ts->list[i];
	return NULL;
}

struct target *targets_add(struct targets *ts, uint64_t guid, const struct ibport_pkey *pkeys,
			   unsigned n_pkeys)
{
	_cleanup_(target_freep) struct target *t = target_new(guid);
	unsigned i = position(ts, guid);

	if (!t || ts->n == TARGETS_MAX || target_set_pkeys(t, pkeys, n_pkeys) < 0)
		return NULL;
	if (ts->n == ts->n_alloc) {
		unsigned n = ts->n_alloc ? 2 * ts->n_alloc : 16;
		struct target **grown = realloc(ts->list, n * sizeof(struct target *));

		if (!grown)
			return NULL;
		ts->list = grown;
		ts->n_alloc = n;
	}
	memmove(&ts->list[i + 1], &ts->list[i], (ts->n - i) * sizeof(struct target *));
	ts->n++;
	ts->list[i] = t;
	return TAKE_PTR(t);
}

void targets_enqueue(struct targets *ts, enum target_queue q, struct target *t)
{
	if (t->queued[q])
		return;
	t->queued[q] = true;
	t->next[q] = NULL;
	if (ts->queues[q].head)
		ts->queues[q].tail->next[q] = t;
	else
		ts->queues[q].head = t;
	ts->queues[q].tail = t;
}

struct target *targets_dequeue(struct targets *ts, enum target_queue q)
{
	struct target *t = ts->queues[q].head;

	if (!t)
		return NULL;
	ts->queues[q].head = t->next[q];
	t->queued[q] = false;
	return t;
}

static void take_out(struct targets *ts, enum target_queue q, struct target *t)
{
	struct target *before = NULL, *at = ts->queues[q].head;

	for (; at && at != t; at = at->next[q])
		before = at;
	if (!at)
		return;
	if (before)
		before->next[q] = t->next[q];
	else
		ts->queues[q].head = t->next[q];
	if (ts->queues[q].tail == t)
		ts->queues[q].tail = before;
	t->queued[q] = false;
}

void targets_dequeue_all(struct targets *ts)
{
	for (unsigned q = 0; q < N_TARGET_QUEUES; q++)
		while (targets_dequeue(ts, q))
			;
}

void targets_remove(struct targets *ts, struct target *t)
{
	unsigned i = position(ts, t->guid);

	for (unsigned q = 0; q < N_TARGET_QUEUES; q++)
		take_out(ts, q, t);
	ts->n--;
	memmove(&ts->list[i], &ts->list[i + 1], (ts->n - i) * sizeof(struct target *));
	target_free(t);
}
