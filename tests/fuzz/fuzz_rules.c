/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a rules file of srp_daemon's: a verdict, never a crash; no refusal without a word;
 * and of each rule taken what it promises: options within their bound, a login where there are any.
 */
#include <stdlib.h>
#include <string.h>

#include "config/loader.h"
#include "config/rules-file.h"
#include "config/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rule(const struct config_rule *r, unsigned lines)
{
	if (!r->options != !r->login || (r->options && (!r->allow || strlen(r->options) > 127)) ||
	    r->line == 0 || r->line > lines || r->pkey > 0xffff || r->name)
		abort();
}

static void check_decision(const struct config *c)
{
	const struct offer offer = { .pkey = 0xffff, .id_ext = 1, .ioc_guid = 2, .service_id = 3 };
	struct rule_decision d;

	rules_decide(c, &offer, &d);
	if ((strcmp(d.source, "default") == 0) != (d.line == 0) || (!d.allowed && *d.options))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors errors = { 0 };
	struct config *config = NULL;
	struct loader l;
	unsigned lines = 1;
	int r = loader_begin(&l, &errors);

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (r == 0)
		r = loader_rules_file(&l, "rules", (const char *)data, size);
	if (r == 0)
		for (unsigned i = 0; i < l.config->file_rules.n; i++)
			check_rule(&l.config->file_rules.list[i], lines);
	r = loader_end(&l, r, &config);
	if ((r == 0) != (config != NULL) || (r != 0) != (errors.total > 0))
		abort();
	if (config)
		check_decision(config);
	config_errors_clear(&errors);
	config_free(config);
	return 0;
}
