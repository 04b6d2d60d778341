/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/offer.h"

#include <string.h>

bool offer_equal(const struct offer *a, const struct offer *b)
{
	return memcmp(a->gid, b->gid, sizeof(a->gid)) == 0 && a->lid == b->lid &&
	       a->pkey == b->pkey && strcmp(a->node_description, b->node_description) == 0 &&
	       a->change_id == b->change_id && a->max_controllers == b->max_controllers &&
	       a->slot == b->slot && a->ioc_guid == b->ioc_guid && a->vendor_id == b->vendor_id &&
	       a->device_id == b->device_id && a->io_class == b->io_class &&
	       a->send_size == b->send_size && a->rdma_size == b->rdma_size &&
	       a->n_services == b->n_services && strcmp(a->ioc_id, b->ioc_id) == 0 &&
	       a->entry == b->entry && a->service_id == b->service_id && a->id_ext == b->id_ext &&
	       strcmp(a->service_name, b->service_name) == 0;
}

int offer_compare(const struct offer *a, const struct offer *b)
{
	int r = memcmp(a->gid, b->gid, sizeof(a->gid));

	if (r != 0)
		return r;
	if (a->pkey != b->pkey)
		return a->pkey < b->pkey ? -1 : 1;
	if (a->slot != b->slot)
		return a->slot - b->slot;
	return a->entry - b->entry;
}
