/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor says: takes its messages apart and has the worker do it. A message with a bad
 * field is dropped and reported, and changes nothing.
 */
#pragma once

#include <json-c/json.h>

#include "worker/worker.h"

void control_take(struct worker *w, struct json_object *message);
