/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Talking to multipathd through libmpathcmd's socket, bounded. multipathd can take minutes while it
 * reconfigures: so only actors call this, never the supervisor.
 */
#pragma once

#include <stdint.h>

/* "reinstate path sdb": 0, -ETIMEDOUT, -ECONNREFUSED (not running), -EREMOTEIO (it said no). */
int multipathd_reinstate(const char *disk, uint64_t timeout_usec);
