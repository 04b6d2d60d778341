/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker of one HCA port: owns the loop's sources, the port, the transactions, the netlink
 * socket and the table of portals, and joins them. Resolver and prober are given it as their
 * surroundings; they never call each other's insides, but tell each other through the table.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "fabric/solicit.h"
#include "fabric/umad.h"
#include "worker/discovery.h"
#include "worker/outbox.h"
#include "worker/port.h"
#include "worker/portals.h"

/* What may be wrong with the worker itself; each is told once until its words change. */
enum worker_problem {
	PROBLEM_VERBS,
	PROBLEM_SYSFS,
	PROBLEM_UMAD,
	PROBLEM_NETLINK,
	PROBLEM_SOLICIT,
	PROBLEM_MESSAGE,
	PROBLEM_SEND,
	PROBLEM_SA,
	PROBLEM_REPORTS,
	PROBLEM_SUBSCRIBE,
	PROBLEM_MALFORMED,
	N_PROBLEMS,
};

/* What a reply belongs to, above the number that its owner gave it. */
#define COOKIE_KIND (UINT64_C(0xff) << 56)
#define COOKIE_PROBE (UINT64_C(0) << 56)     /* a portal's handle */
#define COOKIE_QUERY (UINT64_C(1) << 56)     /* the same */
#define COOKIE_SCAN (UINT64_C(2) << 56)	     /* of fabric/scan.h */
#define COOKIE_SUBSCRIBE (UINT64_C(3) << 56) /* of fabric/subscribe.h */

struct worker {
	struct sd_event *loop;
	int channel;
	char name[80]; /* "rxe0:1" */
	char ca[64];
	unsigned num;

	struct outbox *out;
	struct port *port;
	struct mad_port *mad; /* NULL: could not be opened, mad_error says why */
	int mad_error;
	int netlink; /* negative errno: could not be opened */
	uint32_t netlink_id;
	struct solicit solicit;
	struct portal_table portals;
	struct discovery *discovery;
	bool once;    /* scan once, and end */
	bool started; /* all sources are there */

	struct sd_event_source *timer, *second, *control, *mads, *routes;
	uint64_t requery_usec; /* the host's network has changed: look again then */
	struct {
		char *text; /* the last one told */
		uint64_t told_usec;
		bool over;
	} problems[N_PROBLEMS];
	unsigned seconds;
	uint8_t *buffer; /* NEIGH_BUFFER_SIZE, for netlink */
};

/*
 * Says hello and opens all that needs privileges: what cannot be opened is a problem to be told, not
 * an error. `once`: to scan the fabric once and end. -ENODEV when there is no such port: the supervisor was told that it is gone.
 */
int worker_new(const char *name, int root_fd, int channel, bool once, struct worker **ret);
void worker_free(struct worker *w);
DEFINE_CLEANUP(struct worker *, worker_free);

/* Runs until the supervisor is gone or the port is: 0, or a negative errno. */
int worker_run(struct worker *w);

/* For resolver, prober and discovery. */
uint64_t worker_now(void);
bool worker_port_active(const struct worker *w);
void worker_tell_portal(struct worker *w, struct target_portal *tp);
void worker_tell_port(struct worker *w, enum port_source source);
void worker_end(struct worker *w);
void worker_device_gone(struct worker *w);
__attribute__((format(printf, 3, 4))) void worker_problem(struct worker *w,
							  enum worker_problem kind, const char *fmt,
							  ...);
void worker_problem_over(struct worker *w, enum worker_problem kind);
