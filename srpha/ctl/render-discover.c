/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/render-discover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "config/login.h"
#include "wire/channel.h"
#include "wire/offer.h"

static int compare(const void *va, const void *vb)
{
	const struct discovered *a = *(const struct discovered *const *)va,
				*b = *(const struct discovered *const *)vb;
	int r = strverscmp(a->port, b->port);

	return r != 0 ? r : offer_compare(&a->offer, &b->offer);
}

static bool shown(const struct discovered *d, const struct discover_view *view)
{
	return view->all || (d->allowed && !d->connected);
}

/* What is to be shown, in order: an array of its own, NULL when memory is short. */
static const struct discovered **select_shown(const struct discovered *list, size_t n,
					      const struct discover_view *view, size_t *ret_n)
{
	const struct discovered **chosen = calloc(n + 1, sizeof(const struct discovered *));
	size_t k = 0;

	if (!chosen)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (shown(&list[i], view))
			chosen[k++] = &list[i];
	qsort(chosen, k, sizeof(*chosen), compare);
	*ret_n = k;
	return chosen;
}

static bool same_unit(const struct discovered *a, const struct discovered *b)
{
	return a && strcmp(a->port, b->port) == 0 && a->offer.pkey == b->offer.pkey &&
	       memcmp(a->offer.gid, b->offer.gid, sizeof(a->offer.gid)) == 0;
}

/* Lines up to "max controllers", and from "GUID" to each service: the layout of ibsrpdm. */
static int render_unit(FILE *f, const struct style *style, const struct discovered *d)
{
	const struct offer *o = &d->offer;
	_cleanup_free_ char *port = text_escape(style, d->port, TEXT_CELL_MAX),
			    *node = text_escape(style, o->node_description, TEXT_CELL_MAX);
	char gid[GID_STR_MAX];

	if (!port || !node)
		return -ENOMEM;
	fprintf(f, "IO Unit Info:\n");
	fprintf(f, "    port LID:        %04x\n", o->lid);
	fprintf(f, "    port GID:        %s\n", format_gid(o->gid, gid));
	fprintf(f, "    change ID:       %04x\n", o->change_id);
	fprintf(f, "    max controllers: 0x%02x\n", o->max_controllers);
	fprintf(f, "    P_Key:           %04x\n", o->pkey);
	fprintf(f, "    seen from:       %s\n", port);
	if (*node)
		fprintf(f, "    node:            %s\n", node);
	return 0;
}

static int render_controller(FILE *f, const struct style *style, const struct offer *o)
{
	_cleanup_free_ char *id = text_escape(style, o->ioc_id, TEXT_CELL_MAX);

	if (!id)
		return -ENOMEM;
	fprintf(f, "\n    controller[%3u]\n", o->slot);
	fprintf(f, "        GUID:      %016" PRIx64 "\n", o->ioc_guid);
	fprintf(f, "        vendor ID: %06" PRIx32 "\n", o->vendor_id);
	fprintf(f, "        device ID: %06" PRIx32 "\n", o->device_id);
	fprintf(f, "        IO class : %04x\n", o->io_class);
	fprintf(f, "        Maximum size of Send Messages in bytes: %" PRIu32 "\n", o->send_size);
	fprintf(f, "        ID:        %s\n", id);
	fprintf(f, "        service entries: %u\n", o->n_services);
	return 0;
}

static int render_service(FILE *f, const struct style *style, const struct discovered *d)
{
	enum tone tone = !d->allowed ? TONE_WARN : d->connected ? TONE_GOOD : TONE_PLAIN;
	_cleanup_free_ char *name = text_escape(style, d->offer.service_name, TEXT_CELL_MAX),
			    *rule = text_escape(style, d->rule, TEXT_LINE_MAX),
			    *path = text_escape(style, d->path ? d->path : "", TEXT_LINE_MAX);

	if (!name || !rule || !path)
		return -ENOMEM;
	fprintf(f, "            service[%3u]: %016" PRIx64 " / %s\n", d->offer.entry,
		d->offer.service_id, name);
	fprintf(f, "                %s%s by %s", tone_begin(style, tone),
		d->allowed ? "allowed" : "denied", rule);
	/* The section's name is where to look; its line would be in one of several files. */
	if (d->rule_line > 0 && *rule != '[')
		fprintf(f, ":%u", d->rule_line);
	fprintf(f, ", %s%s%s%s\n", d->connected ? "connected" : "not connected", *path ? ": " : "",
		path, tone_end(style, tone));
	return 0;
}

int render_discovered(FILE *f, const struct style *style, const struct discovered *list, size_t n,
		      const struct discover_view *view)
{
	size_t n_chosen = 0;
	_cleanup_free_ const struct discovered **chosen = select_shown(list, n, view, &n_chosen);
	const struct discovered *last = NULL;
	int r = chosen ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n_chosen; last = chosen[i++]) {
		const struct discovered *d = chosen[i];
		bool unit = !same_unit(last, d);

		if (unit && last)
			fputc('\n', f);
		if (unit)
			r = render_unit(f, style, d);
		if (r == 0 && (unit || last->offer.slot != d->offer.slot))
			r = render_controller(f, style, &d->offer);
		if (r == 0)
			r = render_service(f, style, d);
	}
	if (last)
		fputc('\n', f);
	return r;
}

static int connection(const struct discovered *d, const struct discover_view *view,
		      char buf[static CONNECTION_STR_MAX])
{
	const struct connection_parts parts = {
		.initiator_ext = view->initiator_ext,
		.initiator_ext_value = d->initiator_ext,
		.options = d->options,
		.max_imm_data = view->max_imm_data,
	};

	return offer_connection(&d->offer, &parts, buf, CONNECTION_STR_MAX);
}

int render_connections(FILE *f, const struct discovered *list, size_t n,
		       const struct discover_view *view)
{
	size_t n_chosen = 0;
	_cleanup_free_ const struct discovered **chosen = select_shown(list, n, view, &n_chosen);
	char text[CONNECTION_STR_MAX];

	if (!chosen)
		return -ENOMEM;
	for (size_t i = 0; i < n_chosen; i++)
		if (chosen[i]->allowed && connection(chosen[i], view, text) == 0)
			fprintf(f, "%s\n", text);
	return 0;
}

static struct json_object *format_one(const struct discovered *d, const struct discover_view *view)
{
	struct json_object *o = json_object_new_object(), *fields = offer_to_json(&d->offer);
	char text[CONNECTION_STR_MAX];

	if (!o || !fields) {
		json_object_put(o);
		json_object_put(fields);
		return NULL;
	}
	json_put_string(o, "port", d->port);
	json_object_object_foreach(fields, key, value)
		json_object_object_add(o, key, json_object_get(value));
	json_object_put(fields);
	json_put_bool(o, "allowed", d->allowed);
	json_put_string(o, "rule", d->rule);
	if (d->rule_line > 0)
		json_put_u64(o, "rule_line", d->rule_line);
	json_put_string(o, "options", d->options ? d->options : "");
	json_put_guid(o, "initiator_ext", d->initiator_ext);
	json_put_bool(o, "connected", d->connected);
	json_put_string(o, "path", d->path);
	if (connection(d, view, text) == 0)
		json_put_string(o, "connection", text);
	return o;
}

struct json_object *format_discovered(const struct discovered *list, size_t n,
				      const struct discover_view *view)
{
	size_t n_chosen = 0;
	_cleanup_free_ const struct discovered **chosen = select_shown(list, n, view, &n_chosen);
	_cleanup_json_ struct json_object *o = json_object_new_object();
	struct json_object *offers = json_object_new_array(), *one;

	if (!chosen || !o || !offers) {
		json_object_put(offers);
		return NULL;
	}
	json_object_object_add(o, "offers", offers);
	for (size_t i = 0; i < n_chosen; i++) {
		one = format_one(chosen[i], view);
		if (!one)
			return NULL;
		json_object_array_add(offers, one);
	}
	return TAKE_PTR(o);
}
