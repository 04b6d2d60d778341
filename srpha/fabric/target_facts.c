/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/parse.h"
#include "fabric/target.h"

void target_set_since(uint64_t *since, bool is_so, uint64_t now)
{
	if (!is_so)
		*since = 0;
	else if (*since == 0)
		*since = now ? now : 1;
}

bool target_path_listed(const struct target *t, const struct target_path *p)
{
	return t->listed && p->answered && p->listed;
}

void target_path_dest(const struct target *t, const struct target_path *p, struct mad_dest *ret)
{
	*ret = (struct mad_dest){
		.lid = p->dlid ? p->dlid : t->lid,
		.sl = p->sl,
		.pkey_index = p->pkey.index,
		.grh = p->grh,
	};
	memcpy(ret->gid, t->gid, sizeof(ret->gid));
}

bool target_route(const struct target *t, uint16_t pkey, struct mad_dest *ret)
{
	for (unsigned i = 0; i < t->n_paths; i++) {
		const struct target_path *p = &t->paths[i];

		if (p->pkey.value != pkey || (!p->good && !p->listed))
			continue;
		target_path_dest(t, p, ret);
		return true;
	}
	return false;
}

static bool has_good_path(const struct target *t)
{
	for (unsigned i = 0; i < t->n_paths; i++)
		if (t->paths[i].good)
			return true;
	return false;
}

/* Whether something is listed of which nothing is known. */
static bool has_doubt(const struct target *t)
{
	if (!t->listed)
		return false;
	for (unsigned i = 0; i < t->n_paths; i++) {
		const struct target_path *p = &t->paths[i];

		if (!p->answered || (p->listed && !p->good && !p->refused))
			return true;
	}
	return has_good_path(t) && !t->whole;
}

void target_end(struct target *t, uint64_t now)
{
	bool doubt = has_doubt(t), again = doubt;

	t->asked = false;
	target_set_since(&t->doubt_usec, doubt, now);
	target_set_since(&t->unlisted_usec, !t->listed, now);
	/* Also what only one of the two says. */
	if (!t->listed)
		again = has_good_path(t);
	else
		for (unsigned i = 0; i < t->n_paths; i++)
			again = again || t->paths[i].missed_usec;
	if (!again) {
		t->backoff_usec = 0;
		return;
	}
	t->backoff_usec = t->backoff_usec ? 2 * t->backoff_usec : TARGET_RETRY_MIN_USEC;
	if (t->backoff_usec > TARGET_RETRY_MAX_USEC)
		t->backoff_usec = TARGET_RETRY_MAX_USEC;
	t->retry_usec = now + t->backoff_usec;
}

static bool is_old(uint64_t since, uint64_t now, uint64_t ageing_usec)
{
	return since > 0 && now - since > ageing_usec;
}

bool target_age(struct target *t, uint64_t now, uint64_t ageing_usec)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n_paths; i++) {
		struct target_path *p = &t->paths[i];

		if (is_old(p->missed_usec, now, ageing_usec) ||
		    is_old(p->unlisted_usec, now, ageing_usec) ||
		    is_old(t->unlisted_usec, now, ageing_usec))
			p->good = false;
		if (!p->good && !target_path_listed(t, p))
			p->missed_usec = 0;
	}
	for (unsigned i = 0; i < t->n_services; i++)
		if (!is_old(t->services[i].missed_usec, now, ageing_usec))
			t->services[n++] = t->services[i];
	t->n_services = n;
	return t->listed || has_good_path(t);
}

bool target_doubtful(const struct target *t, uint64_t now, uint64_t ageing_usec)
{
	return has_doubt(t) && !is_old(t->doubt_usec, now, ageing_usec);
}

/* Offers. */

static void fill_offer(const struct target *t, const struct target_path *p,
		       const struct iou_service *s, struct offer *ret)
{
	*ret = (struct offer){
		.lid = t->lid,
		.pkey = p->pkey.value,
		.change_id = t->head.change_id,
		.max_controllers = t->head.max_controllers,
		.slot = s->slot,
		.ioc_guid = s->ioc_guid,
		.vendor_id = s->vendor_id,
		.device_id = s->device_id,
		.io_class = s->io_class,
		.send_size = s->send_size,
		.rdma_size = s->rdma_size,
		.n_services = s->n_services,
		.entry = s->entry,
		.service_id = s->service_id,
		.id_ext = s->id_ext,
	};
	memcpy(ret->gid, t->gid, sizeof(ret->gid));
	memcpy(ret->node_description, t->description, sizeof(ret->node_description));
	memcpy(ret->ioc_id, s->id_string, sizeof(ret->ioc_id));
	memcpy(ret->service_name, s->name, sizeof(ret->service_name));
}

unsigned target_offers(const struct target *t, struct offer *offers, unsigned max, unsigned *n)
{
	unsigned dropped = 0;

	for (unsigned i = 0; i < t->n_paths; i++) {
		if (!t->paths[i].good)
			continue;
		for (unsigned k = 0; k < t->n_services; k++)
			if (*n < max)
				fill_offer(t, &t->paths[i], &t->services[k].what, &offers[(*n)++]);
			else
				dropped++;
	}
	return dropped;
}
