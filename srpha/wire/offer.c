/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/offer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "wire/channel.h"
#include "wire/messages.h"

#define PARTS_MAX ((OFFERS_MAX + OFFERS_PAGE - 1) / OFFERS_PAGE)

struct json_object *offer_to_json(const struct offer *f)
{
	struct json_object *o = json_object_new_object();
	char gid[GID_STR_MAX];

	if (!o)
		return NULL;
	json_put_string(o, "gid", format_gid(f->gid, gid));
	json_put_u64(o, "lid", f->lid);
	json_put_u64(o, "pkey", f->pkey);
	json_put_string(o, "node", f->node_description);
	json_put_u64(o, "change_id", f->change_id);
	json_put_u64(o, "max_controllers", f->max_controllers);
	json_put_u64(o, "slot", f->slot);
	json_put_guid(o, "ioc_guid", f->ioc_guid);
	json_put_u64(o, "vendor_id", f->vendor_id);
	json_put_u64(o, "device_id", f->device_id);
	json_put_u64(o, "io_class", f->io_class);
	json_put_u64(o, "send_size", f->send_size);
	json_put_u64(o, "rdma_size", f->rdma_size);
	json_put_u64(o, "n_services", f->n_services);
	json_put_string(o, "ioc_id", f->ioc_id);
	json_put_u64(o, "entry", f->entry);
	json_put_guid(o, "service_id", f->service_id);
	json_put_guid(o, "id_ext", f->id_ext);
	json_put_string(o, "service_name", f->service_name);
	return o;
}

/* Getters that remember the first failure, so that a list of fields reads as one. */
struct reader {
	struct json_object *o;
	int error;
};

static uint64_t read_u64(struct reader *r, const char *key, uint64_t max)
{
	uint64_t value = 0;

	if (json_get_u64(r->o, key, max, &value) < 0)
		r->error = -EBADMSG;
	return value;
}

static uint64_t read_guid(struct reader *r, const char *key)
{
	uint64_t value = 0;

	if (json_get_guid(r->o, key, &value) < 0)
		r->error = -EBADMSG;
	return value;
}

static void read_gid(struct reader *r, const char *key, uint8_t ret[static 16])
{
	const char *text;

	if (json_get_string(r->o, key, &text) < 0 || parse_gid(text, ret) < 0)
		r->error = -EBADMSG;
}

static void read_text(struct reader *r, const char *key, char *ret, size_t size)
{
	const char *text;
	size_t len = 0;

	if (json_get_string(r->o, key, &text) < 0) {
		r->error = -EBADMSG;
		return;
	}
	for (; text[len]; len++)
		if (len == size - 1 || text[len] < ' ' || text[len] > '~') {
			r->error = -EBADMSG;
			return;
		}
	memcpy(ret, text, len + 1);
}

int offer_from_json(struct json_object *o, struct offer *ret)
{
	struct reader r = { .o = o };
	struct offer f = { 0 };

	if (!json_object_is_type(o, json_type_object))
		return -EBADMSG;
	read_gid(&r, "gid", f.gid);
	f.lid = (uint16_t)read_u64(&r, "lid", UINT16_MAX);
	f.pkey = (uint16_t)read_u64(&r, "pkey", UINT16_MAX);
	read_text(&r, "node", f.node_description, sizeof(f.node_description));
	f.change_id = (uint16_t)read_u64(&r, "change_id", UINT16_MAX);
	f.max_controllers = (uint8_t)read_u64(&r, "max_controllers", UINT8_MAX);
	f.slot = (uint8_t)read_u64(&r, "slot", UINT8_MAX);
	f.ioc_guid = read_guid(&r, "ioc_guid");
	f.vendor_id = (uint32_t)read_u64(&r, "vendor_id", UINT32_MAX);
	f.device_id = (uint32_t)read_u64(&r, "device_id", UINT32_MAX);
	f.io_class = (uint16_t)read_u64(&r, "io_class", UINT16_MAX);
	f.send_size = (uint32_t)read_u64(&r, "send_size", UINT32_MAX);
	f.rdma_size = (uint32_t)read_u64(&r, "rdma_size", UINT32_MAX);
	f.n_services = (uint8_t)read_u64(&r, "n_services", UINT8_MAX);
	read_text(&r, "ioc_id", f.ioc_id, sizeof(f.ioc_id));
	f.entry = (uint8_t)read_u64(&r, "entry", UINT8_MAX);
	f.service_id = read_guid(&r, "service_id");
	f.id_ext = read_guid(&r, "id_ext");
	read_text(&r, "service_name", f.service_name, sizeof(f.service_name));
	if (r.error)
		return r.error;
	*ret = f;
	return 0;
}

unsigned offers_parts(unsigned n)
{
	return n == 0 ? 1 : (n + OFFERS_PAGE - 1) / OFFERS_PAGE;
}

struct json_object *offers_page(const struct offer *offers, unsigned n, unsigned part,
				uint64_t generation, bool complete)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	unsigned first = part * OFFERS_PAGE;

	if (!o || !list) {
		json_object_put(list);
		return NULL;
	}
	json_put_string(o, "msg", MSG_OFFERS);
	json_put_u64(o, "generation", generation);
	json_put_u64(o, "part", part);
	json_put_u64(o, "parts", offers_parts(n));
	json_put_bool(o, "complete", complete);
	json_object_object_add(o, "offers", list);
	for (unsigned i = first; i < n && i < first + OFFERS_PAGE; i++) {
		struct json_object *e = offer_to_json(&offers[i]);

		if (!e)
			return NULL;
		json_object_array_add(list, e);
	}
	return TAKE_PTR(o);
}

void offers_inbox_clear(struct offers_inbox *in)
{
	free(in->offers);
	*in = (struct offers_inbox){ 0 };
}

struct page {
	uint64_t generation, part, parts;
	bool complete;
	struct json_object *list;
};

static int page_read(struct json_object *o, struct page *ret)
{
	if (json_get_u64(o, "generation", UINT64_MAX, &ret->generation) < 0 ||
	    json_get_u64(o, "parts", PARTS_MAX, &ret->parts) < 0 || ret->parts == 0 ||
	    json_get_u64(o, "part", ret->parts - 1, &ret->part) < 0 ||
	    json_get_bool(o, "complete", &ret->complete) < 0 ||
	    json_get_array(o, "offers", OFFERS_PAGE, &ret->list) < 0)
		return -EBADMSG;
	return 0;
}

static int inbox_append(struct offers_inbox *in, const struct page *page)
{
	unsigned n = (unsigned)json_object_array_length(page->list);
	struct offer *grown = realloc(in->offers, (in->n + n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	in->offers = grown;
	for (unsigned i = 0; i < n; i++)
		if (offer_from_json(json_object_array_get_idx(page->list, i), &grown[in->n++]) < 0)
			return -EBADMSG;
	return 0;
}

int offers_inbox_take(struct offers_inbox *in, struct json_object *message)
{
	struct page page;
	int r = page_read(message, &page);

	if (r < 0) {
		offers_inbox_clear(in);
		return r;
	}
	if (page.part == 0) {
		in->generation = page.generation;
		in->complete = page.complete;
		in->parts = (unsigned)page.parts;
		in->part = 0;
		in->n = 0;
	} else if (page.part != in->part || page.parts != in->parts ||
		   page.generation != in->generation || page.complete != in->complete) {
		in->parts = 0; /* of another set, whose beginning we did not see */
		return 0;
	}
	r = inbox_append(in, &page);
	if (r < 0) {
		offers_inbox_clear(in);
		return r;
	}
	if (++in->part < in->parts)
		return 0;
	in->parts = 0;
	return 1;
}
