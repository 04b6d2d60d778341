/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What InfiniBand fabrics offer, in three forms: the words of ibsrpdm with the decision on each
 * service, the texts of ibsrpdm -c and srp_daemon -c for add_target, and JSON. Pure. Called by
 * `srphactl discover` with what the daemon, or a scan of its own, has found.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/text.h"
#include "model/offer.h"

struct discovered {
	const char *port; /* "mlx5_0:1" */
	struct offer offer;
	bool allowed;
	const char *rule;	/* "[rule NAME]", a file, or "default" */
	unsigned rule_line;	/* 0: none */
	const char *options;	/* the rule's, ",max_sect=8"; NULL is "" */
	uint64_t initiator_ext; /* by the convention configured */
	bool connected;
	const char *path; /* of srpha, or NULL */
};

struct discover_view {
	bool all;	    /* also what is connected or denied; no text ever has what is denied */
	bool initiator_ext; /* in the texts for add_target, as srp_daemon -n */
	uint32_t max_imm_data; /* srp_max_imm_data() */
};

/*
 * All three show the ports in the order of their names and offers in that of offer_compare(),
 * whatever the order of `list`; nothing where there is nothing to show (JSON: an empty list).
 */

/* 0 or -ENOMEM. */
int render_discovered(FILE *f, const struct style *style, const struct discovered *list, size_t n,
		      const struct discover_view *view);

/* One line each. 0 or -ENOMEM. */
int render_connections(FILE *f, const struct discovered *list, size_t n,
		       const struct discover_view *view);

/*
 * { offers: [ { port, the fields of wire/offer.h, allowed, rule, rule_line?, options, initiator_ext,
 * connected, path, connection: the text for add_target } ... ] }, or NULL when memory is short.
 */
struct json_object *format_discovered(const struct discovered *list, size_t n,
				      const struct discover_view *view);
