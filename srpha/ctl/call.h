/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call with words: what every command does to reach the daemon, and the text for each way in
 * which that can fail.
 */
#pragma once

#include <stdio.h>

#include "ctl/command.h"
#include "wire/channel.h"

/*
 * Takes `parameters` (may be NULL). Returns CTL_OK with *ret set to the reply's parameters, or
 * CTL_ERROR after printing one message on stderr (and, with --json, the error reply on stdout).
 */
int ctl_call(const struct ctl *ctl, const char *method, struct json_object *parameters,
	     struct json_object **ret);

/* A call of a method that takes one path and returns nothing worth printing but `done`. */
int ctl_call_path(const struct ctl *ctl, const char *method, const char *done);

/* Prints an object as --json does. */
void ctl_print_json(const struct ctl *ctl, struct json_object *o);

/* One varlink error in words, for stderr. */
void call_print_error(FILE *f, const struct style *style, const char *name,
		      struct json_object *parameters);

/* The same for a call that failed before there was a reply; `error` as of client_call(). */
void call_print_failure(FILE *f, const struct style *style, const char *socket_path, int error);
