/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [rule NAME] sections, once all is read: verified, and made the rules they are. */
#include <errno.h>
#include <string.h>

#include "config/errors.h"
#include "config/loader.h"
#include "config/login.h"

#define OPTIONS_MAX 512 /* all there are, with the longest values */

static bool given(const struct rule_draft *d, const char *name)
{
	return d->scope.at[config_key_find(name, SECTION_RULE) - config_keys].line > 0;
}

static void verify(struct loader *l, const struct rule_draft *d)
{
	const struct origin *action =
		&d->scope.at[config_key_find("action", SECTION_RULE) - config_keys];

	if (action->line == 0)
		config_errors_add(l->errors, l->files[d->scope.section.file], d->scope.section.line,
				  "[rule %s]: no action: expected \"action = allow\" or \"action = "
				  "deny\"",
				  d->name);
	if (action->line == 0 || action->bad || d->rule.allow)
		return;
	for (unsigned k = 0; k < config_n_keys; k++)
		if (config_keys[k].section == SECTION_LOGIN && d->scope.at[k].line > 0)
			config_errors_add(l->errors, l->files[d->scope.at[k].file],
					  d->scope.at[k].line,
					  "[rule %s] %s: a parameter of a login, where action is "
					  "deny",
					  d->name, config_keys[k].name);
}

/* What the section sets of a login, and the same as add_target takes it. */
static int take_login(const struct rule_draft *d, struct config_rule *r)
{
	struct config_login own = LOGIN_NO_OPTIONS;
	char options[OPTIONS_MAX];

	for (unsigned k = 0; k < config_n_keys; k++) {
		const struct config_key *key = &config_keys[k];

		if (key->section != SECTION_LOGIN || d->scope.at[k].line == 0)
			continue;
		config_key_copy(&own, &d->login, key);
		r->keys |= UINT64_C(1) << k;
	}
	if (r->keys == 0)
		return 0;
	r->login = malloc(sizeof(*r->login));
	if (!r->login)
		return -ENOMEM;
	*r->login = own;
	if (login_format_options(r->login, options, sizeof(options)) < 0)
		return -EINVAL;
	r->options = strdup(options);
	return r->options ? 0 : -ENOMEM;
}

static int take(const struct rule_draft *d, struct config_rule *r)
{
	*r = d->rule;
	r->line = d->line;
	r->has_id_ext = given(d, "id_ext");
	r->has_ioc_guid = given(d, "ioc_guid");
	r->has_dgid = given(d, "dgid");
	r->has_service_id = given(d, "service_id");
	r->has_pkey = given(d, "pkey");
	if (asprintf(&r->name, "[rule %s]", d->name) < 0) {
		r->name = NULL;
		return -ENOMEM;
	}
	return take_login(d, r);
}

int rule_sections_take(struct loader *l)
{
	struct config_rules *rules = &l->config->section_rules;
	int r = 0;

	if (l->n_rules == 0)
		return 0;
	rules->list = calloc(l->n_rules, sizeof(*rules->list));
	if (!rules->list)
		return -ENOMEM;
	for (unsigned i = 0; r == 0 && i < l->n_rules; i++) {
		verify(l, &l->rules[i]);
		r = take(&l->rules[i], &rules->list[rules->n++]);
	}
	return r;
}
