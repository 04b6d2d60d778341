/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must survive a restart of the daemon and cannot be read back from the kernel: which path a
 * session belongs to, and the initiator_ext of each path. One JSON file below the runtime directory
 * (a tmpfs: it dies with the sessions, at reboot), versioned, replaced atomically. An intent is
 * written before each login, so that a supervisor killed in the middle of one finds the session
 * that came of it.
 */
#pragma once

#include "supervisor/manager.h"

struct record {
	LIST_ENTRY(record) link;
	char path[PATH_NAME_MAX];
	char target[64], dest[PORTAL_STR_MAX], port[72];
	bool has_identity, has_initiator_ext; /* whether the following are known */
	uint64_t id_ext, ioc_guid, initiator_ext;
	char host[24]; /* empty: no session */
	uint64_t instance;
	bool pending;  /* a login was begun and its end not seen */
	bool answered; /* its probe was answered once: silence then says something */
	bool drained;  /* by the administrator: survives a restart, not a reboot */
	bool fabric;   /* found by a scan: dest is a GID, and these say how to log in again */
	uint16_t pkey;
	uint64_t service_id;
};

struct record *record_find(struct manager *m, const char *path);

/* Finds or makes the record of a path and takes over its names and identity. NULL: no memory. */
struct record *record_get(struct manager *m, const struct path *p);

/* A missing file is an empty registry; a broken one is set aside and reported by -EBADMSG. */
int registry_load(struct manager *m);

/* Writes it where it changed: 0 or negative errno. */
int registry_save(struct manager *m);
void registry_free(struct manager *m);
