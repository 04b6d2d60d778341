/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets of the hosts: requests of the replacement libraries, and what they have open. */
#pragma once

#include "host.h"

/* Opens the socket in the host's directory. Negative errno. */
int server_listen(struct host *h, int directory_fd);
/* Closes what clients have open of a device, after an event that says so. */
void server_device_gone(struct node *n);
/* At the end: closes everything of a host. */
void server_close(struct host *h);
/* An asynchronous event for the clients that have the device open. */
void server_event(struct port *p, unsigned type);
