/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole state as one JSON object, for `io.srpha.Status`, and the verdict on it. Reads the
 * tables; changes nothing.
 */
#pragma once

#include <json-c/json.h>

#include "supervisor/manager.h"

enum health { HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_CRITICAL };

/* The verdict; `reasons` (may be NULL) gets a string for each thing that is wrong. */
enum health status_health(struct manager *m, struct json_object *reasons);
const char *health_name(enum health h);

/* A new object, NULL when memory is out. */
struct json_object *status_format(struct manager *m);
