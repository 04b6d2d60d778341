/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: a line is a command, the answer is lines of text and at last "ok" or
 * "error TEXT". README.md has the commands.
 */
#pragma once

#include <stdio.h>

#include "fabric.h"

/* Listens on DIRECTORY/control. Negative errno. */
int control_new(struct fabric *f);
void control_free(struct fabric *f);

/* A line was added to the history: those who watch get it. */
void control_on_history(struct fabric *f, const char *line);

/* One command. 0 or -EINVAL with a text; what it has to say goes to `out`. */
int control_command(struct fabric *f, char *line, FILE *out, const char **ret_error);
