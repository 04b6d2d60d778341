/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fabric/mad.h"

void fake_target_init(struct fake_target *t, uint64_t guid)
{
	static char name[DM_SERVICE_NAME_SIZE];

	snprintf(name, sizeof(name), "SRP.T10:%016" PRIx64, guid);
	*t = (struct fake_target){
		.change_id = 1,
		.max_controllers = 16,
		.n_iocs = 1,
		.iocs[0] = { .slot = 1, .guid = guid, .n_services = 1, .names[0] = name },
	};
}

static struct fake_ioc *find_ioc(struct fake_target *t, unsigned slot)
{
	for (unsigned i = 0; i < t->n_iocs; i++)
		if (t->iocs[i].slot == slot)
			return &t->iocs[i];
	return NULL;
}

static void answer_iou(const struct fake_target *t, uint8_t *mad)
{
	struct dm_iou iou = { .change_id = t->change_id, .max_controllers = t->max_controllers };

	for (unsigned i = 0; i < t->n_iocs; i++)
		dm_iou_set_slot(&iou, t->iocs[i].slot, DM_SLOT_PRESENT);
	dm_encode_iou(mad, &iou);
}

static void answer_services(const struct fake_ioc *ioc, uint32_t mod, uint8_t *mad)
{
	struct dm_service entries[DM_SERVICES_PER_MAD] = { 0 };
	unsigned first = mod & 0xff, last = mod >> 8 & 0xff;

	for (unsigned i = first; i <= last && i - first < DM_SERVICES_PER_MAD; i++) {
		entries[i - first].id = ioc->guid + i;
		if (i < 8 && ioc->names[i])
			memcpy(entries[i - first].name, ioc->names[i],
			       strnlen(ioc->names[i], DM_SERVICE_NAME_SIZE));
	}
	dm_encode_services(mad, DM_SERVICES_PER_MAD, entries);
}

void fake_target_answer(struct fake_target *t, uint8_t *mad)
{
	struct mad_header h;
	struct fake_ioc *ioc;

	t->asked++;
	if (mad_decode_header(mad, MAD_SIZE, &h) < 0)
		return;
	h.method = MAD_METHOD_GET_RESP;
	h.status = t->status;
	ioc = find_ioc(t, h.attr_id == DM_ATTR_SERVICE_ENTRIES ? h.attr_mod >> 16 : h.attr_mod);
	if (h.attr_id != DM_ATTR_IOU_INFO && !ioc && !h.status)
		h.status = DM_STATUS_NO_IOC;
	mad_encode_header(mad, &h);
	if (h.status)
		return;
	if (h.attr_id == DM_ATTR_IOU_INFO)
		answer_iou(t, mad);
	else if (h.attr_id == DM_ATTR_IOC_PROFILE)
		dm_encode_ioc(mad, &(struct dm_ioc){ .guid = ioc->guid,
						     .io_class = DM_IO_CLASS_SRP_REV16A,
						     .protocol = 0x0108,
						     .n_services = (uint8_t)ioc->n_services,
						     .id_string = "fake target" });
	else if (h.attr_id == DM_ATTR_SERVICE_ENTRIES)
		answer_services(ioc, h.attr_mod, mad);
}
