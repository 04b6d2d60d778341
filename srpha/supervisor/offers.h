/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scans of the InfiniBand ports offer: kept with the worker that told it, decided on by the
 * rules, made into paths. Called by worker.c for the messages, and by whoever shows or reloads.
 */
#pragma once

#include <json-c/json.h>

#include "model/offer.h"
#include "supervisor/manager.h"

/* Messages of a worker. */
void offers_take(struct manager *m, struct worker *w, struct json_object *o);
void offers_take_scan(struct manager *m, struct worker *w, struct json_object *o);
void offers_take_notice(struct manager *m, struct worker *w, struct json_object *o);

/* Makes the paths of a port what its offers and the rules say; all ports, after a reload. */
void offers_apply(struct manager *m, struct worker *w);
void offers_reapply(struct manager *m);

/* The target ports of a worker's `config` message, among its portals. */
void offers_put_portals(struct manager *m, const struct worker *w, struct json_object *list);

/* The answer of io.srpha.Discover. */
struct json_object *offers_format(struct manager *m);

void offers_free(struct worker *w);
