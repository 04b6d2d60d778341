/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/root.h"
#include "config/config.h"
#include "ctl/call.h"
#include "ctl/command.h"
#include "ctl/offers.h"
#include "ctl/render-discover.h"
#include "ctl/render.h"
#include "observe/immediate.h"
#include "observe/srp.h"
#include "wire/offer.h"

/* What came in the reply, as the renderers take it: strings are the reply's. */
struct found {
	struct discovered *list;
	size_t n;
	bool partial; /* there may be more */
};

static void found_clear(struct found *f)
{
	free(f->list);
}

static int add_offer(struct found *f, const char *port, struct json_object *o)
{
	struct discovered *d = &f->list[f->n];
	uint64_t line;
	int r = offer_from_json(o, &d->offer);

	if (r < 0)
		return r;
	d->port = port;
	d->rule = view_string(o, "rule");
	d->path = view_string(o, "path");
	d->options = view_string(o, "options");
	view_u64(o, "rule_line", &line);
	d->rule_line = (unsigned)line;
	if (!d->rule || json_get_bool(o, "allowed", &d->allowed) < 0 ||
	    json_get_bool(o, "connected", &d->connected) < 0 ||
	    json_get_guid(o, "initiator_ext", &d->initiator_ext) < 0)
		return -EBADMSG;
	f->n++;
	return 0;
}

static int add_port(struct found *f, struct json_object *port)
{
	const char *name = view_string(port, "name");
	struct json_object *list;
	struct discovered *more;
	size_t n;
	int r = 0;

	if (!name || json_get_array(port, "offers", OFFERS_MAX, &list) < 0)
		return -EBADMSG;
	n = json_object_array_length(list);
	more = reallocarray(f->list, f->n + n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	f->list = more;
	memset(f->list + f->n, 0, (n + 1) * sizeof(*more));
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_offer(f, name, json_object_array_get_idx(list, i));
	return r;
}

/* The daemon has every port; a scan of our own was told which. */
static bool port_wanted(const struct ctl *ctl, struct json_object *port)
{
	const char *name = view_string(port, "name");

	return !name || config_port_selected(ctl->port, name);
}

/* A port of which nothing, or not all, is known: what is shown is not everything. */
static bool tell_unknown(struct json_object *port)
{
	const char *link = view_string(port, "link_layer"), *name = view_string(port, "name");
	bool scanned = false, complete = false;

	if (!name || !link || strcmp(link, "InfiniBand") != 0)
		return false;
	if (view_string(port, "why"))
		return true; /* and was told */
	(void)json_get_bool(port, "scanned", &scanned);
	(void)json_get_bool(port, "complete", &complete);
	if (!scanned)
		fprintf(stderr, "srphactl: %s: not scanned yet\n", name);
	else if (!complete)
		fprintf(stderr, "srphactl: %s: the last scan was not complete\n", name);
	return !complete;
}

static int collect(const struct ctl *ctl, struct json_object *reply, struct found *ret)
{
	struct json_object *ports;
	int r = json_get_array(reply, "ports", OBSERVE_PORTS_MAX, &ports);

	for (size_t i = 0; r == 0 && i < json_object_array_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);

		if (!json_object_is_type(port, json_type_object))
			return -EBADMSG;
		if (!port_wanted(ctl, port))
			continue;
		ret->partial |= tell_unknown(port);
		r = add_port(ret, port);
	}
	return r;
}

static int show(const struct ctl *ctl, const struct found *f)
{
	_cleanup_close_ int root_fd = root_open(ctl->root);
	const struct discover_view view = {
		.all = ctl->all,
		.initiator_ext = ctl->initiator_ext,
		.max_imm_data = root_fd < 0 ? 0 : srp_max_imm_data(root_fd),
	};

	if (ctl->json) {
		_cleanup_json_ struct json_object *o = format_discovered(f->list, f->n, &view);

		if (!o)
			return -ENOMEM;
		ctl_print_json(ctl, o);
		return 0;
	}
	return ctl->connection ? render_connections(stdout, f->list, f->n, &view)
			       : render_discovered(stdout, &ctl->style, f->list, f->n, &view);
}

int command_discover(const struct ctl *ctl)
{
	_cleanup_json_ struct json_object *reply = NULL;
	_cleanup_(found_clear) struct found found = {};
	int r = offers_get(ctl, &reply);

	if (r != CTL_OK)
		return r;
	r = collect(ctl, reply, &found);
	if (r == 0)
		r = show(ctl, &found);
	if (r < 0) {
		fprintf(stderr, "srphactl: cannot show the offers: %s\n",
			r == -EBADMSG ? "srpha's answer is not understood; is it another version?"
				      : strerror(-r));
		return CTL_ERROR;
	}
	return found.partial ? CTL_DEGRADED : CTL_OK;
}
