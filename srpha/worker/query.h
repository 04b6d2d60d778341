/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The resolver's last step: asks the Device Management agent of a portal which SRP services it
 * offers (fabric/iou.h walks, this sends, repeats and gives up). Called by resolve.c, which is told
 * of the end through resolve_done() and resolve_failed().
 */
#pragma once

#include "worker/worker.h"

/* Begins; waits for the neighbour first where it is unknown. */
void query_begin(struct worker *w, struct target_portal *tp, uint64_t now);

/* What is due: repeats, or the end. Also when the neighbour did not appear in time. */
void query_tick(struct worker *w, struct target_portal *tp, uint64_t now);

/* The neighbour has appeared. */
void query_neighbour(struct worker *w, struct target_portal *tp, uint64_t now);

void query_reply(struct worker *w, struct target_portal *tp, const struct mad_reply *reply,
		 uint64_t now);

/* Forgets what is under way. */
void query_drop(struct target_portal *tp);
