/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out what the probe state machines (fabric/probe.h) ask for: sends the Device Management
 * Gets, matches the answers, tells the supervisor. No timers of its own: the worker asks when it
 * is due.
 */
#pragma once

#include "fabric/umad.h"
#include "worker/worker.h"

/* Something it depends on has changed: the port's state, the GID, the way to it. */
void prober_update(struct worker *w, struct target_portal *tp, uint64_t now);

/* The neighbour is known again: sends what waited. */
void prober_neighbour(struct worker *w, struct target_portal *tp, uint64_t now);

uint64_t prober_due(const struct target_portal *tp);
void prober_tick(struct worker *w, struct target_portal *tp, uint64_t now);
void prober_reply(struct worker *w, struct target_portal *tp, const struct mad_reply *reply,
		  uint64_t now);

/* The supervisor's wish. */
void prober_tempo(struct worker *w, struct target_portal *tp, bool fast, uint64_t now);

/* The `stats` message of all portals. */
struct json_object *prober_stats(const struct worker *w);
