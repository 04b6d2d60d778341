/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of the daemon as text for a human: the verdict first, then ports, targets with their
 * paths and LUNs, maps. Pure: shows what the reply says, computes no verdict of its own, and shows
 * "-" for what is absent and "?" for what is of the wrong type. The order of sections is here, the
 * tree of targets in render-paths.c.
 */
#pragma once

#include <stdio.h>

#include "ctl/text.h"
#include "wire/channel.h"

/* 0 or -ENOMEM. */
int render_status(FILE *f, const struct style *style, struct json_object *status);

/* For render.c and its parts only. */
int render_targets(FILE *f, const struct style *style, struct json_object *status);

/* The text of a field: NULL when absent or null, "?" when it is no string. */
const char *view_string(struct json_object *o, const char *key);

/* Whether the field is a number; *ret is 0 when it is not. */
bool view_u64(struct json_object *o, const char *key, uint64_t *ret);

/*
 * The array's length cut to TEXT_LIST_MAX; *ret_more how many are beyond that. 0, NULL and 0 where
 * there is no array.
 */
size_t view_list(struct json_object *o, const char *key, struct json_object **ret,
		 size_t *ret_more);

/* How long ago key was, seen from the reply's now_usec: "2h 3min", "now" or "-". */
#define AGE_MAX 32
char *view_age(struct json_object *status, struct json_object *o, const char *key,
	       char buf[static AGE_MAX]);

/* Good, transitional or bad, by the word; plain for a word not known. */
enum tone tone_of(const char *word);
