/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The resolver of a portal on an InfiniBand port: a target port by its GID, over a P_Key. There is
 * nothing to be found out but the way, which the scan knows, or finds out for it. The prober then
 * does as for any other portal.
 */
#pragma once

#include "worker/worker.h"

/* Finds the way anew, now: after a change, or when it is due. */
void ibportal_resolve(struct worker *w, struct target_portal *tp, uint64_t now);

/* The same for all of them: the port has changed, or what the scan knows. */
void ibportal_refresh(struct worker *w, uint64_t now);

/* Its answers say that something about the target has changed. */
void ibportal_changed(struct worker *w, struct target_portal *tp, uint64_t now);
