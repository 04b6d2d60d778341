/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration while it is being put together: what was said where, so that defaults reach the
 * targets whatever the order of sections and files, and verification can name a line. For the
 * parts of config/ and its tests alone; callers outside use config.h.
 */
#pragma once

#include "config/config.h"
#include "config/keys.h"

/* Where a key was last given; line 0 is nowhere. */
struct origin {
	unsigned file, line;
	bool bad; /* a mistake, told already: the field was not set */
};

/* One for the sections for all, one for each target. Indexed as config_keys. */
struct scope {
	struct origin at[CONFIG_KEYS_MAX];
	struct origin section;			   /* a target's, where it last began */
	bool dest_given;			   /* right or wrong */
	unsigned portal_files[CONFIG_PORTALS_MAX]; /* the line is in struct config_portal */
};

/* A [rule NAME] section; rule_sections_take() makes a rule of it. */
struct rule_draft {
	char name[CONFIG_NAME_MAX];
	unsigned line; /* where it first began */
	struct config_rule rule;
	struct config_login login;
	struct scope scope;
};

struct loader {
	struct config *config;
	struct config_errors *errors;
	unsigned errors_before;
	struct scope common;
	struct scope *targets; /* config->n_targets of them */
	struct rule_draft *rules;
	unsigned n_rules;
	char **files;	  /* names for messages */
	unsigned n_files; /* the last is being read */
	int error;	  /* -ENOMEM, or the first file that could not be read */

	enum config_section section; /* what the reader stands in */
	unsigned target, rule;
};

void config_defaults(struct config *c);

/* In this order; loader_end() always, with the worst of what the others returned. */
int loader_begin(struct loader *l, struct config_errors *errors);
int loader_text(struct loader *l, const char *name, const char *text, size_t len);
int loader_rules_file(struct loader *l, const char *name, const char *text, size_t len);
int loader_end(struct loader *l, int r, struct config **ret); /* inherits, verifies, hands over */

/* Every rule that ties more than one key, once all is read and inherited. verify.c */
void config_verify(struct loader *l);

/* The [rule NAME] sections, verified, become config->section_rules. rule-sections.c */
int rule_sections_take(struct loader *l);

/* config_load() of one text, without a rules file; `name` stands for the file in messages. For tests and fuzzers. */
int config_load_text(const char *name, const char *text, size_t len, struct config **ret,
		     struct config_errors *errors);
