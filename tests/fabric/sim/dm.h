/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device Management: I/O units, their controllers and services, and the agent that answers. */
#pragma once

#include "carry.h"

#define IOC_SLOTS_MAX 255
#define SERVICES_MAX 255

struct service {
	char name[40]; /* as on the wire: need not be terminated */
	uint64_t id;
};

struct ioc {
	uint64_t guid;
	uint32_t vendor_id, device_id;
	uint16_t device_version, io_class, io_subclass, protocol, protocol_version;
	uint32_t send_size, rdma_size;
	uint16_t send_depth;
	uint8_t rdma_depth, controller_ops;
	char id[64];
	int claimed_services; /* what the profile says, or -1 for the truth */
	unsigned n_services;
	struct service services[SERVICES_MAX];
};

enum slot_state { SLOT_EMPTY = 0, SLOT_PRESENT = 1, SLOT_ABSENT = 15 };

struct iou {
	uint16_t change_id;
	uint8_t n_slots;
	uint8_t slot_state[IOC_SLOTS_MAX + 1]; /* from 1 */
	struct ioc *iocs[IOC_SLOTS_MAX + 1];
};

/* The unit of a node, which is made (with no slots) when it has none. NULL: no memory. */
struct iou *iou_of(struct node *n);
/* Makes the slot's controller, growing the unit. */
struct ioc *iou_add_ioc(struct iou *u, unsigned slot);
void iou_remove_ioc(struct iou *u, unsigned slot);
int ioc_add_service(struct ioc *c, const char *name, uint64_t id);

void iou_free(struct iou *u);

void dm_receive(const struct message *m);
