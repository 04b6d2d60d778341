/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways that are not by LID: directed routes, and Ethernet by GID. */
#pragma once

#include "fabric.h"

/*
 * Follows the initial path and writes the return path. The port it arrives at: on a switch the one
 * it came in by. NULL when it is lost.
 */
struct port *route_directed(const struct port *from, uint8_t *mad);
/* The way back of an answer, by its return path. */
struct port *route_directed_back(const struct port *from, uint8_t *mad);

/* All Ethernet ports are on one segment. */
struct port *route_gid(const struct fabric *f, const struct port *from, const uint8_t *gid);
