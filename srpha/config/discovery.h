/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wishes of [discovery] as a worker is told of them: `discovery` of the `config` message
 * (wire/messages.h). For the supervisor and for `srphactl discover`. Pure.
 */
#pragma once

#include <json-c/json.h>

#include "config/config.h"

/* NULL when memory is short. The caller's. */
struct json_object *discovery_message(const struct config_discovery *d);
