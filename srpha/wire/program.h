/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts a program of the project (worker, actor) with its end of a channel where it expects it
 * (CHILD_SOCKET_FD of wire/messages.h), and with no signal blocked or handled.
 */
#pragma once

#include <sys/types.h>

/* argv[0] is the path; `channel` stays the caller's. 0 with *ret, or negative errno. */
int program_spawn(char *const argv[], int channel, pid_t *ret);
