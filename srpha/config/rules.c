/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/rules.h"

#include <string.h>

#include "config/keys.h"

static bool rule_matches(const struct config_rule *r, const struct offer *o)
{
	return (!r->has_id_ext || r->id_ext == o->id_ext) &&
	       (!r->has_ioc_guid || r->ioc_guid == o->ioc_guid) &&
	       (!r->has_dgid || memcmp(r->dgid, o->gid, sizeof(r->dgid)) == 0) &&
	       (!r->has_service_id || r->service_id == o->service_id) &&
	       (!r->has_pkey || r->pkey == o->pkey);
}

static const struct config_rule *find_match(const struct config_rules *rules, const struct offer *o)
{
	for (unsigned i = 0; i < rules->n; i++)
		if (rule_matches(&rules->list[i], o))
			return &rules->list[i];
	return NULL;
}

/* The first section that names this I/O controller's service. */
static const struct config_target *find_target(const struct config *c, const struct offer *o)
{
	for (unsigned i = 0; i < c->n_targets; i++) {
		const struct config_target *t = &c->targets[i];

		if (t->has_id_ext && t->id_ext == o->id_ext &&
		    (!t->has_ioc_guid || t->ioc_guid == o->ioc_guid))
			return t;
	}
	return NULL;
}

void rules_decide(const struct config *c, const struct offer *o, struct rule_decision *ret)
{
	const struct config_rule *rule = find_match(&c->section_rules, o);

	*ret = (struct rule_decision){
		.allowed = true, .source = "default", .options = "", .login = c->login
	};
	ret->target = find_target(c, o);
	if (ret->target)
		ret->login = ret->target->login;
	if (!rule)
		rule = find_match(&c->file_rules, o);
	if (!rule)
		return;
	ret->allowed = rule->allow;
	ret->source = rule->name ? rule->name : c->discovery.rules;
	ret->line = rule->line;
	if (rule->options)
		ret->options = rule->options;
	for (unsigned k = 0; k < config_n_keys; k++)
		if (rule->keys >> k & 1)
			config_key_copy(&ret->login, rule->login, &config_keys[k]);
}
