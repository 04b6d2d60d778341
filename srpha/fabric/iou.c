/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/iou.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Busy answers in a row before a request counts as refused. */
#define BUSY_MAX 8

enum step {
	STEP_NONE,    /* no controller in this slot, or all of it is known */
	STEP_PROFILE, /* its profile is to be asked */
	STEP_PROFILE_SENT,
	STEP_SERVICES, /* service entries from `first` are to be asked */
	STEP_SERVICES_SENT,
};

struct slot {
	enum step step;
	uint8_t n_services;
	uint8_t first;
	uint8_t busy;
	bool read;
	struct dm_ioc ioc;
};

struct iou {
	enum step info; /* STEP_PROFILE stands for "to be asked" */
	uint8_t busy;
	bool known;
	unsigned outstanding;
	unsigned pending; /* slots in STEP_PROFILE or STEP_SERVICES */
	struct dm_iou iou;
	struct slot *slots[DM_IOC_MAX + 1]; /* by slot number, allocated when present */
	struct iou_service *services;
	unsigned n_services, n_alloc;
	struct iou_counts counts;
};

struct iou *iou_new(void)
{
	struct iou *u = calloc(1, sizeof(*u));

	if (u)
		u->info = STEP_PROFILE;
	return u;
}

void iou_free(struct iou *u)
{
	if (!u)
		return;
	for (unsigned i = 0; i <= DM_IOC_MAX; i++)
		free(u->slots[i]);
	free(u->services);
	free(u);
}

static unsigned slot_last(const struct slot *s)
{
	unsigned last = s->first + DM_SERVICES_PER_MAD - 1u;

	return last < s->n_services ? last : s->n_services - 1u;
}

bool iou_next(struct iou *u, struct iou_request *ret)
{
	if (u->info == STEP_PROFILE) {
		u->info = STEP_PROFILE_SENT;
		u->outstanding++;
		*ret = (struct iou_request){ .attr_id = DM_ATTR_IOU_INFO };
		return true;
	}
	for (unsigned i = 1; u->pending > 0 && i <= DM_IOC_MAX; i++) {
		struct slot *s = u->slots[i];

		if (!s || (s->step != STEP_PROFILE && s->step != STEP_SERVICES))
			continue;
		if (s->step == STEP_PROFILE) {
			s->step = STEP_PROFILE_SENT;
			*ret = (struct iou_request){ DM_ATTR_IOC_PROFILE, i };
		} else {
			s->step = STEP_SERVICES_SENT;
			*ret = (struct iou_request){ DM_ATTR_SERVICE_ENTRIES,
						     dm_services_modifier(i, s->first,
									  slot_last(s)) };
		}
		u->pending--;
		u->outstanding++;
		return true;
	}
	return false;
}

/* The slot a request of this kind and modifier is outstanding for, or NULL. */
static struct slot *slot_of(struct iou *u, uint16_t attr_id, uint32_t attr_mod, unsigned *ret_i)
{
	unsigned i = attr_id == DM_ATTR_SERVICE_ENTRIES ? attr_mod >> 16 : attr_mod;
	struct slot *s = i >= 1 && i <= DM_IOC_MAX ? u->slots[i] : NULL;

	if (!s)
		return NULL;
	*ret_i = i;
	if (attr_id == DM_ATTR_IOC_PROFILE)
		return s->step == STEP_PROFILE_SENT ? s : NULL;
	if (attr_id == DM_ATTR_SERVICE_ENTRIES)
		return s->step == STEP_SERVICES_SENT &&
				       attr_mod == dm_services_modifier(i, s->first, slot_last(s))
			       ? s
			       : NULL;
	return NULL;
}

static int take_info(struct iou *u, const uint8_t *mad, size_t len)
{
	if (dm_decode_iou(mad, len, &u->iou) < 0)
		return -EBADMSG;
	u->known = true;
	for (unsigned i = 1; i <= u->iou.max_controllers; i++) {
		if (dm_iou_slot(&u->iou, i) != DM_SLOT_PRESENT)
			continue;
		u->slots[i] = calloc(1, sizeof(struct slot));
		if (!u->slots[i])
			return -ENOMEM;
		u->slots[i]->step = STEP_PROFILE;
		u->counts.controllers++;
		u->pending++;
	}
	return 0;
}

/* On to the entries from `first`, or done with this slot. */
static void slot_advance(struct iou *u, struct slot *s, unsigned first)
{
	s->busy = 0;
	if (first >= s->n_services) {
		s->step = STEP_NONE;
		s->read = true;
		return;
	}
	s->first = (uint8_t)first;
	s->step = STEP_SERVICES;
	u->pending++;
}

static int take_profile(struct iou *u, struct slot *s, const uint8_t *mad, size_t len)
{
	if (dm_decode_ioc(mad, len, &s->ioc) < 0)
		return -EBADMSG;
	s->n_services = s->ioc.n_services;
	slot_advance(u, s, 0);
	return 0;
}

/* As it came, but terminated and printable. */
static void copy_name(char ret[static DM_SERVICE_NAME_SIZE + 1], const struct dm_service *entry)
{
	size_t n = strnlen(entry->name, sizeof(entry->name));

	for (size_t i = 0; i < n; i++)
		ret[i] = entry->name[i] >= ' ' && entry->name[i] <= '~' ? entry->name[i] : '?';
	ret[n] = '\0';
}

static int keep_service(struct iou *u, unsigned i, const struct slot *s, unsigned entry,
			const struct dm_service *service, uint64_t id_ext)
{
	struct iou_service *grown;

	if (u->n_services == IOU_SERVICES_MAX) {
		u->counts.dropped++;
		return 0;
	}
	if (u->n_services == u->n_alloc) {
		grown = realloc(u->services, (u->n_alloc + 16) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		u->services = grown;
		u->n_alloc += 16;
	}
	u->services[u->n_services++] = (struct iou_service){
		.slot = (uint8_t)i,
		.entry = (uint8_t)entry,
		.n_services = s->n_services,
		.vendor_id = s->ioc.vendor_id,
		.device_id = s->ioc.device_id,
		.ioc_guid = s->ioc.guid,
		.id_ext = id_ext,
		.service_id = service->id,
		.io_class = s->ioc.io_class,
		.send_size = s->ioc.send_size,
		.rdma_size = s->ioc.rdma_size,
		.rdma_read_depth = s->ioc.rdma_read_depth,
		.initiators_supported = s->ioc.initiators_supported,
	};
	memcpy(u->services[u->n_services - 1].id_string, s->ioc.id_string,
	       sizeof(s->ioc.id_string));
	copy_name(u->services[u->n_services - 1].name, service);
	return 0;
}

static int take_services(struct iou *u, unsigned i, struct slot *s, const uint8_t *mad, size_t len)
{
	struct dm_service entries[DM_SERVICES_PER_MAD];
	unsigned n = slot_last(s) - s->first + 1u;
	int r = dm_decode_services(mad, len, n, entries);

	if (r < 0)
		return r;
	for (unsigned k = 0; k < n && r == 0; k++) {
		uint64_t id_ext;

		switch (dm_service_id_ext(&entries[k], &id_ext)) {
		case 0:
			r = keep_service(u, i, s, s->first + k, &entries[k], id_ext);
			break;
		case -ENOENT:
			u->counts.not_srp++;
			break;
		default:
			u->counts.malformed++;
			break;
		}
	}
	slot_advance(u, s, s->first + n);
	return r;
}

/* Busy is asked again some times, then it is a refusal as any other. */
static bool still_busy(uint16_t status, uint8_t *busy)
{
	if (!(status & MAD_STATUS_BUSY) || *busy >= BUSY_MAX)
		return false;
	(*busy)++;
	return true;
}

static int reply_info(struct iou *u, const struct mad_header *h, const uint8_t *mad, size_t len)
{
	int r;

	if (u->info != STEP_PROFILE_SENT)
		return -ENOENT;
	u->outstanding--;
	if (still_busy(h->status, &u->busy)) {
		u->info = STEP_PROFILE;
		return -EAGAIN;
	}
	u->info = STEP_NONE;
	if (h->status) {
		u->counts.refused++;
		u->counts.last_status = h->status;
		return 0;
	}
	r = take_info(u, mad, len);
	if (r == -EBADMSG)
		u->counts.malformed++;
	return r;
}

int iou_reply(struct iou *u, const uint8_t *mad, size_t len)
{
	struct mad_header h;
	struct slot *s;
	unsigned i = 0;
	int r;

	if (mad_decode_header(mad, len, &h) < 0)
		return -EBADMSG;
	if (h.attr_id == DM_ATTR_IOU_INFO)
		return reply_info(u, &h, mad, len);
	s = slot_of(u, h.attr_id, h.attr_mod, &i);
	if (!s)
		return -ENOENT;
	u->outstanding--;
	if (still_busy(h.status, &s->busy)) {
		s->step = s->step == STEP_PROFILE_SENT ? STEP_PROFILE : STEP_SERVICES;
		u->pending++;
		return -EAGAIN;
	}
	if (h.status) {
		u->counts.refused++;
		u->counts.last_status = h.status;
		r = 0;
	} else if (s->step == STEP_PROFILE_SENT) {
		r = take_profile(u, s, mad, len);
	} else {
		r = take_services(u, i, s, mad, len);
	}
	if (r == -EBADMSG)
		u->counts.malformed++;
	/* Refused or malformed: with this slot we are done. */
	if (s->step == STEP_PROFILE_SENT || s->step == STEP_SERVICES_SENT)
		s->step = STEP_NONE;
	return r;
}

void iou_give_up(struct iou *u, const struct iou_request *request)
{
	struct slot *s;
	unsigned i;

	if (request->attr_id == DM_ATTR_IOU_INFO) {
		if (u->info != STEP_PROFILE_SENT)
			return;
		u->info = STEP_NONE;
	} else {
		s = slot_of(u, request->attr_id, request->attr_mod, &i);
		if (!s)
			return;
		s->step = STEP_NONE;
	}
	u->outstanding--;
	u->counts.silent++;
}

void iou_abandon(struct iou *u)
{
	if (iou_done(u))
		return;
	for (unsigned i = 1; i <= DM_IOC_MAX; i++)
		if (u->slots[i])
			u->slots[i]->step = STEP_NONE;
	u->info = STEP_NONE;
	u->counts.silent += u->outstanding + u->pending;
	u->outstanding = 0;
	u->pending = 0;
}

bool iou_done(const struct iou *u)
{
	return u->info == STEP_NONE && u->outstanding == 0 && u->pending == 0;
}

bool iou_known(const struct iou *u, uint16_t *ret_change_id)
{
	if (u->known && ret_change_id)
		*ret_change_id = u->iou.change_id;
	return u->known;
}

const struct dm_iou *iou_head(const struct iou *u)
{
	return u->known ? &u->iou : NULL;
}

bool iou_slot_read(const struct iou *u, unsigned slot)
{
	if (!u->known)
		return false;
	if (slot > u->iou.max_controllers || dm_iou_slot(&u->iou, slot) != DM_SLOT_PRESENT)
		return true;
	return u->slots[slot] && u->slots[slot]->read;
}

const struct iou_service *iou_services(const struct iou *u, unsigned *ret_n)
{
	*ret_n = u->n_services;
	return u->services;
}

const struct iou_counts *iou_counts(const struct iou *u)
{
	return &u->counts;
}
