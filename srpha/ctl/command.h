/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of srphactl: one file each, one row each in the table of main.c. A command prints
 * its result on stdout, what went wrong on stderr, and returns the exit status.
 */
#pragma once

#include <stdbool.h>

#include "ctl/text.h"

/* Exit statuses, the same for every command; a monitoring plugin depends on them. */
enum ctl_exit {
	CTL_OK = 0,    /* done; for status: healthy */
	CTL_ERROR = 1, /* not running, refused, misused */
	CTL_DEGRADED = 3,
	CTL_CRITICAL = 4, /* a map without a usable path */
};

struct ctl {
	const char *socket;
	const char *config; /* check: the file */
	bool json;
	bool watch;
	/* discover */
	bool all, connection, initiator_ext, fresh;
	const char *port;	 /* globs, or NULL */
	const char *program_dir; /* of srpha-worker */
	const char *root;	 /* "/" */
	struct style style;
	char **args; /* the command's arguments, as many as its row says */
};

int command_status(const struct ctl *ctl);
int command_failover(const struct ctl *ctl);
int command_drain(const struct ctl *ctl);
int command_undrain(const struct ctl *ctl);
int command_reload(const struct ctl *ctl);
int command_discover(const struct ctl *ctl);
int command_check(const struct ctl *ctl);
