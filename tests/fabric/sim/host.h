/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host: one or more channel adapters that clients (opensm, srpha, the tools) see as local
 * devices. Its directory holds the tree that stands for /sys, dev/infiniband/issmN, and the socket
 * of the replacement libraries.
 */
#pragma once

#include <stdbool.h>

#include "fabric.h"

#define HOST_DEVICES_MAX 16

struct host {
	char name[NAME_SIZE];
	struct fabric *fabric;
	struct node *devices[HOST_DEVICES_MAX];
	unsigned n_devices;
	unsigned n_umads; /* umadN given out */
	struct io socket; /* of server.c */
	struct connection *connections;
	struct verbs_client *verbs;
	int directory_fd;			  /* -1 before host_publish() */
	struct io watch;			  /* inotify: who has an issm device open */
	struct port *issm[HOST_DEVICES_MAX * 16]; /* by watch descriptor */
	unsigned issm_opens[HOST_DEVICES_MAX * 16];
};

/* Makes a node a device of a host, which is made when it is the first. Before host_publish(). */
int host_add_device(struct fabric *f, const char *host, const char *device, struct node *n);
struct host *host_find(const struct fabric *f, const char *name);
/* The device of that name which is in the fabric, or NULL. */
struct node *host_device(const struct host *h, const char *name);

/* Writes the tree of all devices and opens the socket. */
int host_publish(struct host *h);
/* The device appears or disappears, with its sessions of umad and verbs. */
void host_device_removed(struct node *n);
int host_device_added(struct node *n);

/* At the end. */
void host_free(struct host *h);

/* The tables or the state of a port changed: the tree follows. */
void host_port_changed(struct port *p);
/* An asynchronous event (enum ibv_event_type) for everyone who has the device open. */
void host_event(struct port *p, unsigned type);
