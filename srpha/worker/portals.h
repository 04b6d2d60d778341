/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The portals this worker was told of, and what it knows of each: the table, the comparison of a
 * new list with it, and the `portal` message. No input or output and no time of its own: the
 * resolver fills in what it finds, the prober what answers; the worker joins them.
 */
#pragma once

#include <json-c/json.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/parse.h"
#include "fabric/gid.h"
#include "fabric/iou.h"
#include "fabric/neigh.h"
#include "fabric/probe.h"
#include "fabric/umad.h"

#define PORTALS_MAX 512
#define PORTAL_WHY_MAX 256

/* Device Management requests of one portal at a time, so that one with many IOCs delays nobody. */
#define PORTAL_WINDOW 8

/* As the supervisor configures it. */
struct portal_settings {
	uint64_t id;
	bool infiniband; /* by gid and pkey, and nothing of dest */
	uint16_t pkey;
	uint16_t lid; /* where it was last, 0: nobody knows */
	struct portal dest;
	char text[PORTAL_STR_MAX];
	bool has_id_ext, has_ioc_guid, has_gid, answered;
	uint64_t id_ext, ioc_guid;
	uint8_t gid[GID_SIZE]; /* where it was last, a hint until the neighbour tells */
	struct probe_config probe;
};

/* What the resolver is doing (resolve.c has the chart). */
enum resolve_step {
	RESOLVE_IDLE, /* known, or waiting for the next attempt */
	RESOLVE_ROUTE,
	RESOLVE_NEIGHBOUR,
	RESOLVE_QUERY,
};

struct portal_request {
	bool used;
	unsigned tries;
	uint64_t deadline_usec;
	struct iou_request what;
};

struct target_portal {
	uint32_t handle; /* ours, 31 bits: in transaction cookies and netlink numbers */
	struct portal_settings settings;

	/* What the network stack says. */
	bool route_known, routed, gateway;
	unsigned strikes; /* answers in a row that contradict `routed` */
	unsigned ifindex;
	char netdev[IF_NAMESIZE];
	uint8_t source[4]; /* our IPv4 address towards it */
	struct neigh_key ip_key;

	/* The target port. */
	bool has_gid;
	uint8_t gid[GID_SIZE];

	/* How datagrams get there. */
	bool can_send;
	unsigned choice; /* of the local GIDs that could be used */
	struct mad_dest dest;
	uint8_t mac[MAC_SIZE]; /* ours on that interface */
	bool needs_neighbour;  /* a send would block while the neighbour is unknown */
	bool neighbour_valid;
	struct neigh_key gid_key;

	/* What its Device Management agent says. */
	bool learned;
	bool ask_again; /* what was learned is of another port or another time */
	uint64_t id_ext, ioc_guid;
	uint16_t change_id;
	bool change_known; /* on InfiniBand, where the scan learns the rest */

	/* Resolving. */
	enum resolve_step step;
	uint64_t next_usec, backoff_usec;
	struct iou *walk;
	struct portal_request requests[PORTAL_WINDOW];
	char why[PORTAL_WHY_MAX]; /* empty: nothing is missing */

	/* Probing. */
	struct probe probe;
	bool unsent;	       /* the probe that is due waits for the neighbour */
	bool silent;	       /* it should have answered once by now */
	uint64_t provoke_usec; /* not before then */
	uint64_t probing_usec; /* since when, for `silent` */

	char *reported; /* the last `portal` message, to tell changes */
};

struct portal_table {
	struct target_portal *slots[PORTALS_MAX];
	unsigned n; /* slots in use are not contiguous */
	uint32_t generation;
};

/* The next portal; *i starts at 0. The one returned may be removed before the next call. */
struct target_portal *portal_next(const struct portal_table *t, unsigned *i);

struct portal_changes {
	void (*on_added)(struct target_portal *tp, void *userdata);
	void (*on_changed)(struct target_portal *tp,
			   void *userdata); /* ids, pace: not the address */
	void (*on_removed)(struct target_portal *tp, void *userdata); /* just before it is freed */
};

/*
 * Takes a `config` message: all of it, or nothing and -EBADMSG with *ret_what = the field; -ENOMEM.
 * A portal whose address changed is a removed and an added one.
 */
int portal_table_configure(struct portal_table *t, struct json_object *config,
			   const struct portal_changes *changes, void *userdata,
			   const char **ret_what);
void portal_table_clear(struct portal_table *t);

struct target_portal *portal_by_id(const struct portal_table *t, uint64_t id);
struct target_portal *portal_by_handle(const struct portal_table *t, uint32_t handle);

/* The configured value where there is one, else the one learned. */
bool portal_id_ext(const struct target_portal *tp, uint64_t *ret);
bool portal_ioc_guid(const struct target_portal *tp, uint64_t *ret);

/* Both of them: configured or learned, and configured. */
bool portal_ids_known(const struct target_portal *tp);
bool portal_ids_configured(const struct target_portal *tp);

/* Whether there is one of an InfiniBand port. */
bool portals_infiniband(const struct portal_table *t);

/* Takes what an I/O unit offers: the first SRP service that the configuration does not exclude. */
bool portal_learn(struct target_portal *tp, const struct iou_service *services, unsigned n);

/* Words for the administrator: what is missing. Empty when nothing is. */
__attribute__((format(printf, 2, 3))) void portal_set_why(struct target_portal *tp, const char *fmt,
							  ...);
void portal_clear_why(struct target_portal *tp);

/* The `portal` message, or NULL when it says what the last one said (or memory is short). */
struct json_object *portal_report(struct target_portal *tp);
