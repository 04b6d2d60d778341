/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk through one I/O unit: IOUnitInfo, the profile of each controller present, its service
 * entries in fours; the SRP services found are kept. Pure: it says which requests may be sent now
 * and takes the answers in any order, so that the caller chooses the window (one, or many at
 * once), the timeouts and the retries. Called by the worker's resolver, and by whoever scans.
 *
 *   iou_next() ── request ──► (send, retry) ──► iou_reply() or iou_give_up() ── until iou_done()
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fabric/mad.h"

#define IOU_SERVICES_MAX 1024 /* the rest of an I/O unit that has more is counted, not kept */

struct iou_service {
	uint8_t slot;
	uint8_t entry;
	uint8_t n_services; /* of its controller, SRP or not */
	uint32_t vendor_id, device_id;
	uint64_t ioc_guid;
	uint64_t id_ext;
	uint64_t service_id;
	uint16_t io_class;
	uint32_t send_size;
	uint32_t rdma_size;
	uint8_t rdma_read_depth;
	uint16_t initiators_supported;
	char id_string[65];
	char name[DM_SERVICE_NAME_SIZE + 1];
};

struct iou_request {
	uint16_t attr_id;
	uint32_t attr_mod;
};

/* What the walk has met that is not an SRP service. */
struct iou_counts {
	unsigned controllers; /* present slots */
	unsigned silent;      /* requests given up */
	unsigned refused;     /* answered with an error status */
	unsigned malformed;   /* answers and names that do not decode */
	unsigned not_srp;     /* services of other kinds */
	unsigned dropped;     /* SRP services beyond IOU_SERVICES_MAX */
	uint16_t last_status; /* of the last refusal */
};

struct iou;

struct iou *iou_new(void);
void iou_free(struct iou *u);
DEFINE_CLEANUP(struct iou *, iou_free);

/* A request that was not handed out yet; false when there is none (for now). */
bool iou_next(struct iou *u, struct iou_request *ret);

/*
 * The answer to a request that iou_next() handed out. 0, -EBADMSG for a datagram that does not
 * decode (the request then counts as answered), -ENOENT for one that was not asked for, -EAGAIN
 * where the target was busy (the request is handed out again), -ENOMEM.
 */
int iou_reply(struct iou *u, const uint8_t *mad, size_t len);

/* No answer to this request after all retries. */
void iou_give_up(struct iou *u, const struct iou_request *request);

/* Ends the walk as it is: what was not answered counts as silent. */
void iou_abandon(struct iou *u);

/* Nothing is outstanding and nothing is left to ask. */
bool iou_done(const struct iou *u);

/* Whether IOUnitInfo was answered well; *ret_change_id may be NULL. */
bool iou_known(const struct iou *u, uint16_t *ret_change_id);

/* The answer to IOUnitInfo; NULL while iou_known() is false. */
const struct dm_iou *iou_head(const struct iou *u);

/* Whether all is known of a slot: it is empty, or its profile and all its services were read. */
bool iou_slot_read(const struct iou *u, unsigned slot);

/* What was found, in order of slot and entry once the walk is done. */
const struct iou_service *iou_services(const struct iou *u, unsigned *ret_n);
const struct iou_counts *iou_counts(const struct iou *u);
