/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The actor's operations without a kernel: a clock that moves only when somebody waits, a log of
 * every call in order, and scripts of what the next calls answer. Closing it fails the test when
 * part of a script was never asked for.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "actor/actor.h"
#include "fake_sysfs.h"

/* One answer. For reset: the result, the rport's state after it, and how long it took. */
struct fake_answer {
	int result;
	const char *state; /* NULL: as before */
	uint64_t usec;
	struct lun_answer lun;
};

/* What dm says to the next messages for a path; then 0. */
struct fake_dm {
	const char *uuid, *devno;
	int result;
	unsigned times;
};

#define FAKE_ANSWERS_MAX 16

struct fake_kernel {
	struct fake_sysfs sysfs;
	uint64_t now;
	bool stopped;
	unsigned stop_after_resets; /* SIGTERM comes in this reset; 0 never */
	unsigned resets;

	struct fake_answer reset[FAKE_ANSWERS_MAX];
	unsigned n_reset, at_reset;
	/* TEST UNIT READY, whichever the LUN; good when the script has ended. */
	struct fake_answer ready[FAKE_ANSWERS_MAX];
	unsigned n_ready, at_ready;
	struct fake_dm dm[FAKE_ANSWERS_MAX];
	unsigned n_dm;
	int multipathd_result;
	const char *sg_missing; /* this node cannot be opened */
	int reap_result;
	int add_target_result;
	const struct fake_session *add_target_makes;
	int write_error; /* for writes to attributes whose path ends in write_error_of */
	const char *write_error_of;

	char log[16384];
};

extern const struct actor_ops fake_ops;

void fake_kernel_open(struct fake_kernel *k);
void fake_kernel_close(struct fake_kernel *k);

void fake_kernel_next_reset(struct fake_kernel *k, int result, const char *state, uint64_t usec);
void fake_kernel_next_ready(struct fake_kernel *k, int result, const struct lun_answer *answer);
void fake_kernel_next_dm(struct fake_kernel *k, const char *uuid, const char *devno, int result,
			 unsigned times);

/* How often a log line begins with this. */
unsigned fake_kernel_count(const struct fake_kernel *k, const char *prefix);

/* The whole protocol: sends the text, expects `started`, returns `done` (the caller puts it). */
struct json_object *fake_kernel_ask(struct fake_kernel *k, const char *request);

/* Fields of a reply; they assert that it is there. */
bool reply_ok(struct json_object *done);
const char *reply_string(struct json_object *done, const char *key);
/* An array of strings as "a b c". */
const char *reply_list(struct json_object *done, const char *key);
