/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The path table, and the one place where a path's state changes: path_event() asks the pure table
 * of model/path_state.h, path_enter() makes the move, logs "old -> new: event" and does what every
 * change entails (time, counters, tempo of the probe). It starts no action: drive.c does.
 */
#pragma once

#include "supervisor/manager.h"

/* Finds or makes. A new one is absent; NULL when the table is full or memory is out. */
struct path *path_get(struct manager *m, const char *target, const char *dest, const char *port,
		      uint64_t portal_id);
struct path *path_get_foreign(struct manager *m, const struct srp_session *s);
struct path *path_find(struct manager *m, const char *name);
struct path *path_find_portal(struct manager *m, uint64_t portal_id, const char *port);
void path_remove(struct manager *m, struct path *p);
void paths_free(struct manager *m);

/* Feeds one event; `detail` (may be NULL) is words for the log and for `status`. */
void path_event(struct manager *m, struct path *p, enum path_event event, const char *detail);

/* Tells the worker the pace the path's state asks for, where it changed. */
void path_tempo(struct manager *m, struct path *p);

/* A line about a path, at most once until the text changes. */
__attribute__((format(printf, 5, 6))) void path_tell(struct manager *m, struct path *p, int level,
						     const char *message_id, const char *fmt, ...);

const struct config_login *path_login(const struct manager *m, const struct path *p);
const struct config_timeouts *path_timeouts(const struct manager *m, const struct path *p);
const struct config_failover *path_failover(const struct manager *m, const struct path *p);
bool path_managed(const struct manager *m, const struct path *p);

/* Failures within the last `window` microseconds. */
unsigned path_recent_failures(const struct path *p, uint64_t now, uint64_t window);

const char *path_owner_name(enum path_owner o);
