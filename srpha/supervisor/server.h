/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control server: Varlink on a unix socket below the runtime directory. Reading is for
 * everyone, changing needs root (peer credentials). Bounded: connections, request size, and how
 * long a silent client may stay.
 */
#pragma once

#include "supervisor/manager.h"

struct server;

/* Listens on `path`, replacing a stale socket. 0 or negative errno. */
int server_new(struct manager *m, const char *path, struct server **ret);
void server_free(struct server *s);
