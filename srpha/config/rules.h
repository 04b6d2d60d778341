/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a fabric's offers are logged in to, and with what parameters: the [rule NAME] sections
 * in the order of the files, then the lines of the rules file. The first one that matches decides;
 * where none does, the offer is allowed. Pure. Called by the supervisor for each offer a scan
 * brings, and by `srphactl discover`.
 */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "model/offer.h"

struct rule_decision {
	bool allowed;
	const char *source;  /* "[rule NAME]", the path of the rules file, or "default" */
	unsigned line;	     /* of the source's file, 0 for the default */
	const char *options; /* the rule's own, ",max_sect=8,ch_count=2" as add_target takes them */
	const struct config_target *target; /* the [target] section that names it, or NULL */
	struct config_login
		login; /* that section's or [login], with what the rule sets in its place */
};

/* The strings are the configuration's, and live as long. */
void rules_decide(const struct config *c, const struct offer *o, struct rule_decision *ret);
