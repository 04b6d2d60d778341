/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traps of switches and channel adapters to their subnet manager, repeated until repressed. */
#pragma once

#include "fabric.h"

/* Trap 128: the state of a link of this switch port's switch changed. */
void trap_link_state(struct fabric *f, struct port *p);
/* Trap 144: the capability mask of a channel adapter's port changed. */
void trap_capability(struct fabric *f, struct port *p);
/* A TrapRepress has come. */
void trap_repressed(struct fabric *f, struct port *p, const uint8_t *notice);
