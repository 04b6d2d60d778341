/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The insides of struct census, for census.c (its course and its questions) and census_answers.c.
 * Nobody else includes this.
 */
#pragma once

#include "fabric/census.h"

enum census_step {
	STEP_NONE, /* not to be asked, or answered */
	STEP_WANT,
	STEP_SENT,
};

/* An end port in question. Its number in the array is the item of its questions. */
struct census_entry {
	uint8_t path, port, node; /* enum census_step */
	bool inquired, sure, over, dm, unanswered, has_gid, has_guid, has_prefix;
	uint16_t lid;
	uint64_t prefix, guid;
	uint8_t gid[16], own[16]; /* of an inquiry by GID */
	char description[65];
};

struct census {
	bool class_known, mask_match;
	enum census_state state;
	enum census_step class_info, ports, nodes;
	unsigned pending;   /* entries that are not over */
	unsigned inquiries; /* of those, inquired */
	unsigned n, n_alloc, next;
	struct census_entry *entries;
	uint32_t *found; /* entries to be handed out; as many as entries */
	unsigned n_found, i_found;
	struct census_counts counts;
	char why[128];
};

/* A new entry, not over; NULL when there are too many or memory is short. */
struct census_entry *census_add(struct census *c);

/* Nothing more is to be asked about this one; it is told of where somebody wants to know. */
void census_close(struct census *c, struct census_entry *e);

/* The same if all is answered. */
void census_check(struct census *c, struct census_entry *e);

/* It is not there, or nobody says what it is. */
void census_discard(struct census *c, struct census_entry *e);

/* It has something to ask again, though the search has passed it. */
void census_search_from(struct census *c, const struct census_entry *e);

/* After anything that may have ended the census of all. */
void census_settle(struct census *c);
void census_fail(struct census *c, const char *what);
