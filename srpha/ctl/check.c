/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/root.h"
#include "config/config.h"
#include "ctl/call.h"
#include "ctl/command.h"

static int print_check_json(const struct ctl *ctl, const struct config_errors *errors)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < errors->n; i++)
		json_object_array_add(list, json_object_new_string(errors->lines[i]));
	json_put_string(o, "file", ctl->config);
	json_object_object_add(o, "mistakes", list);
	ctl_print_json(ctl, o);
	return errors->total ? CTL_ERROR : CTL_OK;
}

/* Reads the configuration as the daemon would, without asking it: also before it first starts. */
int command_check(const struct ctl *ctl)
{
	_cleanup_(config_errors_clear) struct config_errors errors = { 0 };
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_close_ int root = root_open(ctl->config[0] == '/' ? "/" : ".");
	unsigned rules;
	int r = root < 0 ? root : config_load(root, ctl->config, &config, &errors);

	if (r < 0 && errors.total == 0) {
		fprintf(stderr, "srphactl: cannot read %s: %s\n", ctl->config, strerror(-r));
		return CTL_ERROR;
	}
	if (ctl->json)
		return print_check_json(ctl, &errors);
	for (unsigned i = 0; i < errors.n; i++) {
		_cleanup_free_ char *line =
			text_escape(&ctl->style, errors.lines[i], TEXT_LINE_MAX);

		fprintf(stderr, "%s\n", line ? line : "?");
	}
	if (errors.total > errors.n)
		fprintf(stderr, "and %u more\n", errors.total - errors.n);
	if (r < 0)
		return CTL_ERROR;
	printf("%s: no mistakes, %u target%s", ctl->config, config->n_targets,
	       config->n_targets == 1 ? "" : "s");
	rules = config->section_rules.n + config->file_rules.n;
	if (rules > 0)
		printf(", %u rule%s", rules, rules == 1 ? "" : "s");
	putchar('\n');
	return CTL_OK;
}
