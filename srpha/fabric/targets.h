/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target ports of a scan: the table by port GUID, and two lists of those that may have something
 * to ask. Owns the targets; the scan decides what becomes of them. Pure.
 */
#pragma once

#include <stdint.h>

#include "fabric/target.h"

#define TARGETS_MAX 16384

enum target_queue {
	QUEUE_RECORDS, /* something to ask the administrator */
	QUEUE_PEERS,   /* something to ask the target */
	N_TARGET_QUEUES,
};

struct targets {
	unsigned n, n_alloc;
	struct target **list; /* by GUID */
	struct {
		struct target *head, *tail;
	} queues[N_TARGET_QUEUES];
};

void targets_clear(struct targets *ts);

struct target *targets_find(const struct targets *ts, uint64_t guid);
struct target *targets_find_lid(const struct targets *ts, uint16_t lid);

/* One that is not there yet; NULL when there are too many or memory is short. */
struct target *targets_add(struct targets *ts, uint64_t guid, const struct ibport_pkey *pkeys,
			   unsigned n_pkeys);
void targets_remove(struct targets *ts, struct target *t);

/* At the end, unless it is there already; the first of them, or NULL. */
void targets_enqueue(struct targets *ts, enum target_queue q, struct target *t);
struct target *targets_dequeue(struct targets *ts, enum target_queue q);
void targets_dequeue_all(struct targets *ts);
