#pragma once
#include "config/config.h"
#include "model/offer.h"
struct rule_decision {
	bool allowed;
	const char *source;
	unsigned line;
	struct config_login login;
};
static inline void rules_decide(const struct config *c, const struct offer *o,
				struct rule_decision *ret)
{
	*ret = (struct rule_decision){ .allowed = true, .source = "default", .login = c->login };
}
