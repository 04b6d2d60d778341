/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager: owner of every table and of the loop. All state and all policy of the daemon live
 * here and in the files of this folder; workers, actors and clients only report and ask. One
 * thread; nothing here may block: no MAD, no attribute that sleeps, no wait for a daemon.
 *
 *   worker.c    children per HCA port, and what they report       -> path events
 *   session.c   what the kernel shows, matched to paths           -> path events
 *   path.c      the path table; the only place that changes a state
 *   drive.c     facts -> reconcile/plan.h -> actors               -> path events
 *   actor.c     the pool of pre-started actors
 *   registry.c  what must survive a restart, under /run/srpha
 *   portal.c    configured portals and their numbers
 *   offers.c    what InfiniBand scans find, made into paths
 *   status.c, server.c, notify.c   what is told to whom
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "config/config.h"
#include "model/path_state.h"
#include "observe/dm.h"
#include "observe/srp.h"
#include "observe/uevents.h"
#include "reconcile/guard.h"
#include "reconcile/plan.h"
#include "wire/offer.h"

/* Loop priorities in one place: what saves I/O first, what only tells last. */
enum {
	PRIORITY_WORKER = -20,
	PRIORITY_ACTOR = -10,
	PRIORITY_RECONCILE = 0,
	PRIORITY_OBSERVE = 10,
	PRIORITY_CONTROL = 20,
};

/*
 * Seconds by which the kernel's own reconnect is put off while srpha watches for a path's return: it
 * would hold the rport's mutex for as long as a silent target takes not to answer. Renewed while it
 * lasts; after a srpha that died, the kernel is back at work this much later.
 */
#define RECONNECT_HOLD "60"

#define PATH_NAME_MAX 232
#define PATHS_MAX 4096
#define FAILURES_KEPT 16

struct child;
struct actor;
struct server;
struct record;

/* A configured portal: `id` names it towards the workers, the same across reloads. */
struct portal_ref {
	LIST_ENTRY(portal_ref) link;
	uint64_t id;
	char target[64];
	char dest[PORTAL_STR_MAX];
	bool configured;
};

enum path_owner {
	OWNER_SRPHA,	  /* srpha logged it in */
	OWNER_CONFIGURED, /* somebody else did, and the configuration describes it */
	OWNER_FOREIGN,	  /* not ours in any way: watched, not touched */
};

/* Of a path on InfiniBand: what the last scan says of it. */
enum path_offered { OFFERED_NOT, OFFERED_DENIED, OFFERED_YES };

struct path_probe {
	enum probe_view view;
	bool possible;
	uint64_t misses, sent, missed, srtt_usec, timeout_usec;
	uint64_t completed_mark; /* I/O completed when the misses began */
	bool marked;
	bool distrusted; /* the path works though its agent is silent: until it answers again */
	char why[160];
};

struct path {
	LIST_ENTRY(path) link;
	char name[PATH_NAME_MAX]; /* "lab/10.0.0.2:5555@rxe0:1"; foreign: "host3@rxe0:1" */
	char target[64], dest[PORTAL_STR_MAX], port[72];
	uint64_t portal_id; /* 0: foreign */
	bool fabric;	    /* found on an InfiniBand fabric: dest is its GID */
	enum path_offered offered;
	uint16_t pkey, lid; /* fabric: as the last scan has them */
	uint64_t service_id;
	struct config_login login; /* fabric: with the options of its rule */
	enum path_owner owner;

	enum path_state state;
	uint64_t since_usec, since_real_usec; /* CLOCK_MONOTONIC, CLOCK_REALTIME */
	char reason[192];

	bool desired;
	bool has_identity, has_initiator_ext, has_gid;
	uint64_t id_ext, ioc_guid, initiator_ext;
	uint8_t gid[16];

	char host[24]; /* its session, empty: none; looked up in the view by host and instance */
	uint64_t instance;

	struct path_probe probe;
	bool tempo_fast;
	uint64_t returnable_since_usec;
	uint64_t return_mark; /* I/O completed when it became returnable */

	struct actor *actor; /* at work on it, or NULL */
	bool drill;	     /* it fails on the administrator's word: its target lives */
	bool off;	     /* the fail action was seen to succeed since it began failing */
	unsigned attempts;
	uint64_t retry_at_usec;
	uint64_t failures[FAILURES_KEPT]; /* when it last failed, a ring */
	unsigned n_failures;
	uint64_t failovers, rejoins, logins;
	bool guard_told, broken_told;
	char last_problem[192]; /* told once until it changes */
};

/* What a worker told of its last scan. */
struct scan_view {
	uint64_t generation, elapsed_usec, nodes, sent, timeouts, malformed;
	uint64_t ended_usec; /* CLOCK_REALTIME; 0: none yet */
	bool complete;
};

struct worker {
	LIST_ENTRY(worker) link;
	struct manager *manager;
	struct child *child;
	char port[72];
	char state[16], link_layer[16], netdev[32], gid[40];
	bool up, ready, present;
	uint64_t since_real_usec, started_usec, up_since_usec, heard_usec, restart_at_usec;
	unsigned restarts, failures;
	uint64_t *reported; /* ids of the portals this worker has reported on */
	unsigned n_reported;

	/* offers.c */
	struct offers_inbox inbox;
	struct offer *offers; /* of the last scan that ended */
	unsigned n_offers;
	bool scanned, complete; /* whether there is a list, and nothing else is offered */
	bool full_told;
	struct scan_view scan;
};

struct manager {
	sd_event *event;
	int root_fd;
	const char *config_path, *program_dir, *runtime_dir, *root;

	struct config *config;
	struct config_errors mistakes; /* of the last reload that was refused */
	uint64_t config_loaded_usec;

	LIST_HEAD(, portal_ref) portals;
	LIST_HEAD(, path) paths;
	unsigned n_paths;
	LIST_HEAD(, worker) workers;
	LIST_HEAD(, actor) actors;
	LIST_HEAD(, record) records;
	uint64_t next_portal_id;

	struct srp_view srp;
	struct dm_view dm;
	bool srp_stale, dm_stale, hcas_stale, registry_stale;
	bool dm_unreadable; /* told once until it works again */
	int dm_fd;
	struct udev_monitor *udev;
	struct server *server;

	int lock_fd;
	unsigned ticks;
	unsigned actor_deaths; /* in a row, while idle */
	uint64_t actor_retry_usec;

	sd_event_source *reconcile, *tick, *wake, *dm_source, *udev_source, *settle;
	char health[16];
	char told_status[256];
	bool stopping;
};

/* main.c's part of the life: set up, run by sd_event_loop(), torn down. */
struct manager_setup {
	const char *config;	 /* file */
	const char *program_dir; /* of srpha-worker and srpha-actor */
	const char *runtime_dir; /* registry, lock and control socket */
	const char *root;	 /* below which sysfs is looked for: "/" */
};
int manager_new(sd_event *event, const struct manager_setup *setup, struct manager **ret);
int manager_start(struct manager *m);
void manager_free(struct manager *m);
DEFINE_CLEANUP(struct manager *, manager_free);

/* CLOCK_MONOTONIC of this turn of the loop, and CLOCK_REALTIME; microseconds. */
uint64_t manager_now(struct manager *m);
uint64_t realtime_now(void);

/* Something changed: reconcile at the end of this burst. Cheap, may be called many times. */
void manager_dirty(struct manager *m);

/* Loads the configuration anew: 0, or -EINVAL with the mistakes kept, and nothing changed. */
int manager_reload(struct manager *m);

/* portal.c */
void portals_sync(struct manager *m);
void paths_deselect(struct manager *m); /* those on ports that are chosen no longer */
/* A path that is not wanted any more: its session, if any, goes on as a foreign one. */
void path_drop(struct manager *m, struct path *p, const char *why);
struct portal_ref *portal_find(struct manager *m, uint64_t id);
const struct config_target *target_find(const struct manager *m, const char *name);

/* worker.c */
void workers_sync(struct manager *m);
void workers_send_config(struct manager *m);
void workers_rescan(struct manager *m);
void worker_send_config(struct manager *m, struct worker *w);
void workers_tick(struct manager *m);
void worker_send_tempo(struct manager *m, const struct path *p, bool fast);
struct worker *worker_find(struct manager *m, const char *port);
/* Whether the port's worker has reported on every configured portal of a target. */
bool worker_reported_all(struct manager *m, const char *port, const char *target);
void workers_free(struct manager *m);

/* session.c */
void sessions_restore(struct manager *m); /* paths of the registry, before anything is observed */
void sessions_refresh(struct manager *m); /* reads all anew */
void sessions_poll(struct manager *m);	  /* reads only transport states: no event tells of them */
void session_refresh(struct manager *m, struct path *p); /* the same for one path */
struct srp_session *path_session(struct manager *m, const struct path *p);
bool devno_usable(const char *devno, void *manager);
bool lun_in_use(const struct srp_lun *lun, void *manager);

/* drive.c */
void drive_all(struct manager *m);
/* A probe came to its full count of misses: fails the path unless I/O completed meanwhile. */
void drive_probe_dead(struct manager *m, struct path *p);
void drive_probe_mark(struct manager *m, struct path *p);

/* hold.c */
void hold_reconnects(struct manager *m);
void release_reconnects(struct manager *m);

/* notify.c */
void notify_health(struct manager *m);
