/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "config/errors.h"
#include "config/loader.h"

/* SCSI_DEVICE_BLOCK_MAX_TIMEOUT of the kernel, seconds */
#define BLOCK_MAX 600

int config_timeouts_verify(const struct config_timeouts *t, const char **ret_rule)
{
	int fast = t->fast_io_fail_tmo, reconnect = t->reconnect_delay, loss = t->dev_loss_tmo;
	const char *rule = NULL;

	if (fast < 0 && reconnect < 0 && loss < 0)
		rule = "at least one of the three must not be off";
	else if (reconnect == 0)
		rule = "reconnect_delay must not be 0";
	else if (fast > BLOCK_MAX)
		rule = "fast_io_fail_tmo must be at most 600";
	else if (fast < 0 && loss > BLOCK_MAX)
		rule = "dev_loss_tmo must be at most 600 or off where fast_io_fail_tmo is off";
	else if (fast >= 0 && loss >= 0 && fast >= loss)
		rule = "fast_io_fail_tmo must be less than dev_loss_tmo";
	else if (fast >= 0 && reconnect > 0 && fast >= reconnect)
		rule = "fast_io_fail_tmo must be less than reconnect_delay, or a reconnect attempt "
		       "holds up failing I/O";
	if (ret_rule)
		*ret_rule = rule;
	return rule ? -EINVAL : 0;
}

static bool later(const struct origin *a, const struct origin *b)
{
	return a->file != b->file ? a->file > b->file : a->line > b->line;
}

/*
 * `target` is NULL for [timeouts] itself. A target that only inherits is not told again, and
 * nothing is told where one of the values is a mistake of its own.
 */
static void verify_timeouts(struct loader *l, const struct config_timeouts *t,
			    const struct scope *scope, const char *target)
{
	const struct config_key *last = NULL;
	const struct origin *at = NULL;
	const char *rule;
	char fast[16], reconnect[16], loss[16];

	for (unsigned k = 0; k < config_n_keys; k++) {
		if (config_keys[k].section != SECTION_TIMEOUTS)
			continue;
		if (scope->at[k].bad || (scope->at[k].line == 0 && l->common.at[k].bad))
			return;
		if (scope->at[k].line > 0 && (!at || later(&scope->at[k], at))) {
			at = &scope->at[k];
			last = &config_keys[k];
		}
	}
	if (!at || config_timeouts_verify(t, &rule) == 0)
		return;
	config_errors_add(l->errors, l->files[at->file], at->line,
			  "[%s%s] %s: %s (fast_io_fail_tmo = %s, reconnect_delay = %s, "
			  "dev_loss_tmo = %s)",
			  target ? "target " : "timeouts", target ? target : "", last->name, rule,
			  config_format_tmo(t->fast_io_fail_tmo, fast),
			  config_format_tmo(t->reconnect_delay, reconnect),
			  config_format_tmo(t->dev_loss_tmo, loss));
}

/* A target that one scan missed is not gone. Told where the later of the two stands. */
static void verify_ageing(struct loader *l)
{
	const struct config_discovery *d = &l->config->discovery;
	const struct config_key *key = config_key_find("ageing_time", SECTION_DISCOVERY);
	const struct config_key *other = config_key_find("rescan_interval", SECTION_DISCOVERY);
	const struct origin *at = &l->common.at[key - config_keys];
	const struct origin *other_at = &l->common.at[other - config_keys];
	char ageing[32], rescan[32];

	if (at->bad || other_at->bad || d->ageing_time_usec >= d->rescan_interval_usec)
		return;
	if (later(other_at, at)) {
		key = other;
		at = other_at;
	}
	config_errors_add(
		l->errors, l->files[at->file], at->line,
		"[discovery] %s: ageing_time must not be less than rescan_interval, or one "
		"scan that misses a target forgets it (ageing_time = %s, rescan_interval = "
		"%s)",
		key->name, format_usec(d->ageing_time_usec, ageing, sizeof(ageing)),
		format_usec(d->rescan_interval_usec, rescan, sizeof(rescan)));
}

/* No IOC can be meant by both. */
static bool targets_differ(const struct config_target *a, const struct config_target *b)
{
	return (a->has_id_ext && b->has_id_ext && a->id_ext != b->id_ext) ||
	       (a->has_ioc_guid && b->has_ioc_guid && a->ioc_guid != b->ioc_guid);
}

/* Tells of the portals of target `b` that target `a` has, too. */
static void verify_shared(struct loader *l, unsigned a, unsigned b)
{
	const struct config_target *ta = &l->config->targets[a], *tb = &l->config->targets[b];

	if (targets_differ(ta, tb))
		return;
	for (unsigned i = 0; i < ta->n_portals; i++)
		for (unsigned j = 0; j < tb->n_portals; j++)
			if (portal_equal(&ta->portals[i].dest, &tb->portals[j].dest))
				config_errors_add(
					l->errors, l->files[l->targets[b].portal_files[j]],
					tb->portals[j].line,
					"[target %s] dest: %s is also of [target %s], at %s:%u: "
					"they need an id_ext or ioc_guid each to tell them apart",
					tb->name, tb->portals[j].text, ta->name,
					l->files[l->targets[a].portal_files[i]],
					ta->portals[i].line);
}

/* All of them may be on one HCA port. Told once, at the target that goes beyond. */
static void verify_number(struct loader *l, unsigned t, unsigned *total)
{
	const struct config_target *target = &l->config->targets[t];
	unsigned before = *total;

	*total += target->n_portals;
	if (before <= CONFIG_PORTALS_ALL_MAX && *total > CONFIG_PORTALS_ALL_MAX)
		config_errors_add(l->errors, target->file, target->line,
				  "[target %s]: more than %u dest lines in all targets together",
				  target->name, CONFIG_PORTALS_ALL_MAX);
}

void config_verify(struct loader *l)
{
	struct config *c = l->config;
	unsigned portals = 0;

	verify_ageing(l);
	verify_timeouts(l, &c->timeouts, &l->common, NULL);
	for (unsigned t = 0; t < c->n_targets; t++) {
		const struct config_target *target = &c->targets[t];

		if (!l->targets[t].dest_given && !target->has_id_ext)
			config_errors_add(l->errors, target->file, target->line,
					  "[target %s]: no dest: expected at least one line "
					  "\"dest = ADDRESS:PORT\", or an id_ext where it is to be "
					  "found on InfiniBand",
					  target->name);
		verify_number(l, t, &portals);
		verify_timeouts(l, &target->timeouts, &l->targets[t], target->name);
		for (unsigned other = 0; other < t; other++)
			verify_shared(l, other, t);
	}
}
