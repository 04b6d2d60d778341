/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/offers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/root.h"
#include "config/initiator-ext.h"
#include "config/rules.h"
#include "ctl/call.h"
#include "ctl/client.h"
#include "ctl/scan.h"
#include "observe/srp.h"
#include "wire/offer.h"

static struct json_object *format_offer(const struct config *config, const struct srp_view *view,
					const char *port, const struct offer *o)
{
	struct json_object *j = offer_to_json(o);
	struct rule_decision d;

	if (!j)
		return NULL;
	rules_decide(config, o, &d);
	json_put_bool(j, "allowed", d.allowed);
	json_put_string(j, "rule", d.source);
	if (d.line > 0)
		json_put_u64(j, "rule_line", d.line);
	json_put_string(j, "options", d.options);
	json_put_guid(j, "initiator_ext", initiator_ext_of(&d.login, gid_interface_id(o->gid)));
	json_put_bool(j, "connected",
		      srp_view_has_login(view, port, o->id_ext, o->ioc_guid, o->gid));
	return j;
}

static struct json_object *format_port(const struct config *config, const struct srp_view *view,
				       const struct scan_port *p)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_put_string(o, "name", p->name);
	json_put_string(o, "state", p->state[0] ? p->state : "unknown");
	json_put_string(o, "link_layer", p->link_layer);
	json_put_bool(o, "scanned", p->scanned);
	json_put_bool(o, "complete", p->scanned && !p->why[0]);
	json_put_string(o, "why", p->why[0] ? p->why : NULL);
	for (unsigned i = 0; i < p->n_offers; i++)
		json_object_array_add(list, format_offer(config, view, p->name, &p->offers[i]));
	json_object_object_add(o, "offers", list);
	return o;
}

static void tell_incomplete(const struct scan_result *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->ports[i].why[0])
			fprintf(stderr, "srphactl: %s: %s\n", r->ports[i].name, r->ports[i].why);
}

/* Without a daemon: scans of our own, and the rules as the file has them. */
static int scan_now(const struct ctl *ctl, const struct config *config, struct json_object **ret)
{
	const struct scan_request request = { .program_dir = ctl->program_dir,
					      .root = ctl->root,
					      .globs = config->ports,
					      .chosen = ctl->port,
					      .discovery = &config->discovery };
	_cleanup_(scan_result_clear) struct scan_result result = {};
	_cleanup_(srp_view_clear) struct srp_view view = {};
	_cleanup_close_ int root_fd = root_open(ctl->root);
	struct json_object *ports;
	int r = root_fd < 0 ? root_fd : srp_view_read(root_fd, &view);

	if (r >= 0)
		r = scan_run(&request, SCAN_TIMEOUT_USEC, &result);
	if (r < 0) {
		fprintf(stderr, "srphactl: cannot scan: %s\n", strerror(-r));
		return CTL_ERROR;
	}
	if (result.n == 0) {
		fprintf(stderr, "srphactl: no InfiniBand port %s\n",
			ctl->port ? "of that name" : "is chosen by the configuration");
		return CTL_ERROR;
	}
	tell_incomplete(&result);
	ports = json_object_new_array();
	for (unsigned i = 0; i < result.n; i++)
		json_object_array_add(ports, format_port(config, &view, &result.ports[i]));
	*ret = json_object_new_object();
	json_object_object_add(*ret, "ports", ports);
	return CTL_OK;
}

static int load_and_scan(const struct ctl *ctl, struct json_object **ret)
{
	_cleanup_(config_errors_clear) struct config_errors errors = {};
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_close_ int root = root_open(ctl->config[0] == '/' ? "/" : ".");
	int r = root < 0 ? root : config_load(root, ctl->config, &config, &errors);

	for (unsigned i = 0; i < errors.n; i++)
		fprintf(stderr, "%s\n", errors.lines[i]);
	if (r < 0) {
		fprintf(stderr, "srphactl: cannot use %s: %s\n", ctl->config,
			errors.total ? "it has mistakes" : strerror(-r));
		return CTL_ERROR;
	}
	return scan_now(ctl, config, ret);
}

int offers_get(const struct ctl *ctl, struct json_object **ret)
{
	struct client_reply reply = {};
	int r = ctl->fresh ? -ENOENT
			   : client_call(ctl->socket, "io.srpha.Discover", NULL,
					 CLIENT_TIMEOUT_USEC, &reply);

	if (r == -ENOENT || r == -ECONNREFUSED)
		return load_and_scan(ctl, ret);
	if (r < 0) {
		call_print_failure(stderr, &ctl->style, ctl->socket, r);
		return CTL_ERROR;
	}
	if (reply.error) {
		call_print_error(stderr, &ctl->style, reply.error, reply.parameters);
		client_reply_clear(&reply);
		return CTL_ERROR;
	}
	*ret = json_object_get(reply.parameters);
	client_reply_clear(&reply);
	return CTL_OK;
}
