/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where `srphactl discover` has its list from: the daemon's last scans, or scans of its own where no
 * daemon runs. Either way the same object comes back, the reply of io.srpha.Discover.
 */
#pragma once

#include <json-c/json.h>

#include "ctl/command.h"

/*
 * CTL_OK with *ret, or CTL_ERROR after a message on stderr. A port that could not be scanned has a
 * "why" and is told on stderr as well.
 */
int offers_get(const struct ctl *ctl, struct json_object **ret);
