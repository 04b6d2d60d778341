/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One HCA port: its state, its GIDs, its network interfaces. Learns of a change from the verbs
 * asynchronous events, at once, and from sysfs now and then in case there are no events or one
 * was lost. "Down" is believed as soon as either says so; "active" only when sysfs confirms it.
 * It reports; what follows from a change is its owner's business.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "fabric/gid.h"
#include "fabric/ibport.h"

/* The words of sysfs and of the `port` message; the numbers are those of the IBA PortState. */
enum port_state {
	PORT_STATE_UNKNOWN,
	PORT_STATE_DOWN,
	PORT_STATE_INIT,
	PORT_STATE_ARMED,
	PORT_STATE_ACTIVE,
	PORT_STATE_ACTIVE_DEFER,
	PORT_STATE_GONE,
};
const char *port_state_name(enum port_state s);

enum port_source { PORT_SOURCE_START, PORT_SOURCE_EVENT, PORT_SOURCE_SYSFS };
const char *port_source_name(enum port_source s);

struct port_status {
	enum port_state state;
	bool infiniband;	  /* link layer; otherwise Ethernet */
	char netdev[IF_NAMESIZE]; /* of the first link-local GID; may be empty */
	bool has_gid;
	uint8_t gid[GID_SIZE];
};

struct port;

struct port_ops {
	/* State, link layer, interface or GID are not what they were. */
	void (*on_status)(enum port_source source, void *userdata);
	/* The GID table, the LID, the P_Keys may have changed. again: the fabric wants a new start. */
	void (*on_table)(bool again, void *userdata);
};

/* "rxe0:1" to its parts: 0 or -EINVAL. `ca` has room for 64 bytes. */
int port_parse_name(const char *name, char ca[static 64], unsigned *ret_port);

/*
 * Reads the first status. 0, -ENODEV when there is no such port. root_fd is used only here.
 */
int port_new(struct sd_event *loop, int root_fd, const char *ca, unsigned num,
	     const struct port_ops *ops, void *userdata, struct port **ret);
void port_free(struct port *p);
DEFINE_CLEANUP(struct port *, port_free);

/* Opens verbs and listens to its events: 0, or negative errno and sysfs alone is used. */
int port_listen(struct port *p);

/* Whether those events come. */
bool port_listens(const struct port *p);

/* Now and then: reads sysfs. Once a second where there are no events. */
void port_tick(struct port *p, uint64_t now);

/* Reads the GID table anew. */
void port_reread(struct port *p);

/* Somebody found the device gone (ENODEV, EIO). */
void port_lost(struct port *p, enum port_source source);

/* Earlier than the next second, when an event said active and sysfs did not yet; or INFINITY. */
uint64_t port_due(const struct port *p);

/* 0, or why sysfs could not be read the last time: the port is then known by its events only. */
int port_error(const struct port *p);

/* The rest of an InfiniBand port, read now: 0 or negative errno. */
int port_infiniband(const struct port *p, struct ibport *ret);

const struct port_status *port_status(const struct port *p);
const struct gid_table *port_gids(const struct port *p);
