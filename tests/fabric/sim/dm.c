/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dm.h"

#include <errno.h>
#include <stdlib.h>

#define STATUS_NO_IOC 0x0100
#define SERVICE_SIZE 48
#define SERVICES_A_MAD 4
#define DM_DATA_SIZE 192

struct iou *iou_of(struct node *n)
{
	if (!n->iou)
		n->iou = calloc(1, sizeof(*n->iou));
	if (n->iou && n->iou->change_id == 0)
		n->iou->change_id = 1;
	return n->iou;
}

struct ioc *iou_add_ioc(struct iou *u, unsigned slot)
{
	struct ioc *c = calloc(1, sizeof(*c));

	if (!c || slot < 1 || slot > IOC_SLOTS_MAX) {
		free(c);
		return NULL;
	}
	c->claimed_services = -1;
	free(u->iocs[slot]);
	u->iocs[slot] = c;
	u->slot_state[slot] = SLOT_PRESENT;
	if (slot > u->n_slots)
		u->n_slots = (uint8_t)slot;
	return c;
}

void iou_remove_ioc(struct iou *u, unsigned slot)
{
	free(u->iocs[slot]);
	u->iocs[slot] = NULL;
	u->slot_state[slot] = SLOT_EMPTY;
}

void iou_free(struct iou *u)
{
	if (!u)
		return;
	for (unsigned i = 0; i <= IOC_SLOTS_MAX; i++)
		free(u->iocs[i]);
	free(u);
}

int ioc_add_service(struct ioc *c, const char *name, uint64_t id)
{
	struct service *s = &c->services[c->n_services];

	if (c->n_services == SERVICES_MAX)
		return -E2BIG;
	strncpy(s->name, name, sizeof(s->name));
	s->id = id;
	c->n_services++;
	return 0;
}

static uint16_t class_port_info(uint8_t *d)
{
	d[0] = 1;  /* base version */
	d[1] = 1;  /* class version */
	d[7] = 20; /* response time: 4 seconds at most */
	return 0;
}

static uint16_t io_unit_info(const struct iou *u, uint8_t *d)
{
	put16(d, u->change_id);
	d[2] = u->n_slots;
	for (unsigned slot = 1; slot <= IOC_SLOTS_MAX; slot++) {
		unsigned state = slot <= u->n_slots ? u->slot_state[slot] : SLOT_EMPTY;

		d[4 + (slot - 1) / 2] |= (uint8_t)(state << ((slot & 1) ? 4 : 0));
	}
	return 0;
}

static const struct ioc *ioc_at(const struct iou *u, unsigned slot)
{
	return slot >= 1 && slot <= IOC_SLOTS_MAX ? u->iocs[slot] : NULL;
}

static uint16_t ioc_profile(const struct iou *u, uint32_t mod, uint8_t *d)
{
	const struct ioc *c = ioc_at(u, mod & 0xff);

	if (mod < 1 || mod > IOC_SLOTS_MAX)
		return STATUS_BAD_VALUE;
	if (!c)
		return STATUS_NO_IOC;
	put64(d, c->guid);
	put32(d + 8, c->vendor_id << 8);
	put32(d + 12, c->device_id);
	put16(d + 16, c->device_version);
	put32(d + 20, c->vendor_id << 8); /* of the subsystem */
	put32(d + 24, c->device_id);
	put16(d + 28, c->io_class);
	put16(d + 30, c->io_subclass);
	put16(d + 32, c->protocol);
	put16(d + 34, c->protocol_version);
	put16(d + 40, c->send_depth);
	d[43] = c->rdma_depth;
	put32(d + 44, c->send_size);
	put32(d + 48, c->rdma_size);
	d[52] = c->controller_ops;
	d[54] = (uint8_t)(c->claimed_services >= 0 ? (unsigned)c->claimed_services : c->n_services);
	memcpy(d + 64, c->id, sizeof(c->id));
	return 0;
}

static uint16_t service_entries(const struct iou *u, uint32_t mod, uint8_t *d)
{
	unsigned slot = mod >> 16, begin = mod & 0xff, end = mod >> 8 & 0xff;
	const struct ioc *c = ioc_at(u, slot);

	if (slot < 1 || begin > end || end - begin >= SERVICES_A_MAD)
		return STATUS_BAD_VALUE;
	if (!c || begin >= c->n_services)
		return STATUS_NO_IOC;
	for (unsigned i = begin; i <= end && i < c->n_services; i++, d += SERVICE_SIZE) {
		memcpy(d, c->services[i].name, sizeof(c->services[i].name));
		put64(d + 40, c->services[i].id);
	}
	return 0;
}

static uint16_t answer(struct node *n, uint16_t attr, uint32_t mod, uint8_t *d)
{
	switch (attr) {
	case ATTR_CLASS_PORT_INFO:
		n->dm_queries[0]++;
		return class_port_info(d);
	case ATTR_IO_UNIT_INFO:
		n->dm_queries[1]++;
		return io_unit_info(n->iou, d);
	case ATTR_IOC_PROFILE:
		n->dm_queries[2]++;
		return ioc_profile(n->iou, mod, d);
	case ATTR_SERVICE_ENTRIES:
		n->dm_queries[3]++;
		return service_entries(n->iou, mod, d);
	default:
		return STATUS_BAD_ATTRIBUTE;
	}
}

void dm_receive(const struct message *m)
{
	uint8_t mad[MAD_SIZE];
	uint16_t attr = get16(m->data + MAD_ATTR), status;

	memcpy(mad, m->data, sizeof(mad));
	if (mad[MAD_METHOD] == METHOD_GET) {
		memset(mad + SMP_DATA, 0, DM_DATA_SIZE);
		status = answer(m->to->node, attr, get32(mad + MAD_ATTR_MOD), mad + SMP_DATA);
	} else if (mad[MAD_METHOD] == METHOD_SET && attr == ATTR_CLASS_PORT_INFO) {
		status = 0; /* a trap receiver: taken, and never used */
	} else {
		status = STATUS_BAD_ATTRIBUTE;
	}
	mad[MAD_METHOD] = METHOD_GET_RESP;
	put16(mad + MAD_STATUS, status);
	carry_reply(m, mad, sizeof(mad));
}
