/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offers as messages: one offer to JSON and back, a set of them to pages and back. The worker makes
 * them, the supervisor and `srphactl discover` take them; neither trusts the other, so every field
 * is checked and every list bounded. Pure.
 *
 * The fields of an offer, in the words of model/offer.h:
 *   { gid: gid, lid, pkey, node: string, change_id, max_controllers, slot, ioc_guid: guid,
 *     vendor_id, device_id, io_class, send_size, rdma_size, n_services, ioc_id: string, entry,
 *     service_id: guid, id_ext: guid, service_name: string }
 * All of them are there; strings are printable ASCII.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/offer.h"

#define OFFERS_MAX 8192 /* of one HCA port; more are counted and dropped by the worker */

/* So that a page is below CHANNEL_MESSAGE_MAX whatever its strings are (a test holds it). */
#define OFFERS_PAGE 128

/* NULL when memory is short. The caller's. */
struct json_object *offer_to_json(const struct offer *offer);

/* 0, or -EBADMSG and *ret is untouched. */
int offer_from_json(struct json_object *o, struct offer *ret);

/* How many pages a set has: 1 for an empty one. */
unsigned offers_parts(unsigned n);

/*
 * The `offers` message with page `part`, from 0 to offers_parts(n) - 1. NULL when memory is short.
 */
struct json_object *offers_page(const struct offer *offers, unsigned n, unsigned part,
				uint64_t generation, bool complete);

/* A set being put together; all zero at first. */
struct offers_inbox {
	uint64_t generation;
	unsigned parts, part; /* the next one to come; parts is 0 outside of a set */
	bool complete;
	unsigned n;
	struct offer *offers;
};

/*
 * Takes a page. 1 when it was the last one: generation, complete, n and offers of the inbox are
 * the whole set until the next call. 0 when there are more to come, also for a page that does not
 * continue what came before (its set is incomplete and of no use). -EBADMSG for a message with a
 * bad field: what was collected is dropped. -ENOMEM.
 */
int offers_inbox_take(struct offers_inbox *in, struct json_object *message);
void offers_inbox_clear(struct offers_inbox *in);
