/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The three timeouts of a session, written in an order the kernel accepts: each write is checked
 * against the other two values as they are at that moment.
 */
#pragma once

#include "actor/actor.h"

enum tmo_field { TMO_RECONNECT_DELAY, TMO_FAST_IO_FAIL, TMO_DEV_LOSS, TMO_N };

/* Seconds; -1 is off. Indexed by enum tmo_field. */
struct timeouts {
	int value[TMO_N];
};

struct tmo_step {
	enum tmo_field field;
	int value;
};

/* The longest detour: reconnect_delay and dev_loss_tmo twice. */
#define TMO_STEPS_MAX 5

/* srp_tmo_valid() of drivers/scsi/scsi_transport_srp.c, restated. */
bool timeouts_valid(const struct timeouts *t);

/*
 * Pure: the writes that lead from `current` to `wanted` over valid combinations only, fewest
 * first. Returns how many, or -EINVAL where `wanted` is not valid itself.
 */
int timeouts_plan(const struct timeouts *current, const struct timeouts *wanted,
		  struct tmo_step steps[static TMO_STEPS_MAX]);

/* Reads fast_io_fail_tmo, reconnect_delay and dev_loss_tmo of a request. 0, -ENOENT, -EBADMSG. */
int timeouts_parse(struct json_object *request, struct timeouts *ret);

/* Brings a session's timeouts to `wanted`; words go to reply. 0 or negative errno. */
int timeouts_apply(const struct actor *a, const char *rport, const struct timeouts *wanted,
		   struct json_object *reply);
