/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GIDs: from a MAC address and back, and the table of them that a port has. Reads sysfs below
 * a directory descriptor and changes nothing; called by the worker's port watch and resolver.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define GID_SIZE 16
#define MAC_SIZE 6
#define GID_TABLE_MAX 256 /* hardware tables have up to so many entries */

enum gid_type {
	GID_IB_OR_ROCE_V1, /* sysfs calls both "IB/RoCE v1" */
	GID_ROCE_V2,
	GID_OTHER, /* a type this code does not know */
};

struct gid_entry {
	uint8_t index; /* what ib_umad and the verbs call it */
	uint8_t gid[GID_SIZE];
	enum gid_type type;
	char netdev[IF_NAMESIZE]; /* empty on InfiniBand */
};

struct gid_table {
	struct gid_entry entries[GID_TABLE_MAX];
	unsigned n;
};

/* The link-local GID with the modified EUI-64 of a MAC (RFC 4291, appendix A; IBA annex A16). */
void gid_from_mac(const uint8_t mac[static MAC_SIZE], uint8_t ret[static GID_SIZE]);

/* The MAC inside such a GID, or false when it is not one. */
bool gid_to_mac(const uint8_t gid[static GID_SIZE], uint8_t ret[static MAC_SIZE]);

bool gid_is_link_local(const uint8_t gid[static GID_SIZE]);
bool gid_is_v4_mapped(const uint8_t gid[static GID_SIZE]);

/*
 * Reads the GIDs in use of a port. `port_fd` is its directory in sysfs,
 * sys/class/infiniband/CA/ports/N. 0 with *ret set; -ENOENT when the port is gone, or what reading
 * gave, *ret untouched. An entry that vanishes meanwhile is left out.
 */
int gid_table_read(int port_fd, struct gid_table *ret);

/*
 * The link-local GIDs on `netdev` that a datagram may be sent from, best first: RoCE v2 before v1
 * (not every port speaks v1), and the one with the EUI-64 of the MAC before others. Returns how
 * many, at most `max`.
 */
unsigned gid_table_link_locals(const struct gid_table *t, const char *netdev, unsigned max,
			       const struct gid_entry **ret);

/* The first global IPv6 GID (neither link-local nor IPv4-mapped) of RoCE v2 there, or NULL. */
const struct gid_entry *gid_table_global(const struct gid_table *t, const char *netdev);

/* Whether the port has any GID on that network interface: then the interface is the port's. */
bool gid_table_has_netdev(const struct gid_table *t, const char *netdev);
