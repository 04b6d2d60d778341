/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor/tmo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actor/request.h"
#include "base/root.h"
#include "wire/channel.h"

/* include/scsi/scsi_device.h, SCSI_DEVICE_BLOCK_MAX_TIMEOUT, seconds. */
#define BLOCK_MAX 600

/* Seconds; the kernel's own default. */
#define RECONNECT_LENT 10

static const char *const field_names[TMO_N] = {
	[TMO_RECONNECT_DELAY] = "reconnect_delay",
	[TMO_FAST_IO_FAIL] = "fast_io_fail_tmo",
	[TMO_DEV_LOSS] = "dev_loss_tmo",
};

bool timeouts_valid(const struct timeouts *t)
{
	int reconnect = t->value[TMO_RECONNECT_DELAY];
	int fast_fail = t->value[TMO_FAST_IO_FAIL], loss = t->value[TMO_DEV_LOSS];

	if (reconnect < 0 && fast_fail < 0 && loss < 0)
		return false;
	if (reconnect == 0 || fast_fail > BLOCK_MAX)
		return false;
	if (fast_fail < 0 && loss > BLOCK_MAX)
		return false;
	return fast_fail < 0 || loss < 0 || fast_fail < loss;
}

/* Takes the fields in this order, writing those that differ; false where a step is not valid. */
static bool try_order(const struct timeouts *current, const struct timeouts *wanted,
		      const enum tmo_field *order, unsigned n_order, struct tmo_step *steps,
		      unsigned *n_steps)
{
	struct timeouts t = *current;
	unsigned n = 0;

	for (unsigned i = 0; i < n_order; i++) {
		enum tmo_field f = order[i];

		if (t.value[f] == wanted->value[f])
			continue;
		t.value[f] = wanted->value[f];
		if (!timeouts_valid(&t))
			return false;
		steps[n++] = (struct tmo_step){ f, t.value[f] };
	}
	*n_steps = n;
	return true;
}

static void add_step(struct tmo_step *steps, int *n, enum tmo_field field, int value)
{
	steps[(*n)++] = (struct tmo_step){ field, value };
}

/*
 * With a reconnect_delay, the other two may go any way over "dev_loss off". Needed where neither
 * of them may be written first. Where no reconnect_delay is on, now or as wanted, one is lent: the
 * last resort, as it starts a reconnect where the session is down.
 */
static int plan_detour(const struct timeouts *current, const struct timeouts *wanted,
		       struct tmo_step *steps)
{
	int reconnect = wanted->value[TMO_RECONNECT_DELAY];
	int via = current->value[TMO_RECONNECT_DELAY];
	int n = 0;

	if (via < 0) {
		via = reconnect > 0 ? reconnect : RECONNECT_LENT;
		add_step(steps, &n, TMO_RECONNECT_DELAY, via);
	}
	add_step(steps, &n, TMO_DEV_LOSS, -1);
	add_step(steps, &n, TMO_FAST_IO_FAIL, wanted->value[TMO_FAST_IO_FAIL]);
	if (wanted->value[TMO_DEV_LOSS] >= 0)
		add_step(steps, &n, TMO_DEV_LOSS, wanted->value[TMO_DEV_LOSS]);
	if (via != reconnect)
		add_step(steps, &n, TMO_RECONNECT_DELAY, reconnect);
	return n;
}

int timeouts_plan(const struct timeouts *current, const struct timeouts *wanted,
		  struct tmo_step steps[static TMO_STEPS_MAX])
{
	static const enum tmo_field orders[][TMO_N] = {
		{ TMO_RECONNECT_DELAY, TMO_FAST_IO_FAIL, TMO_DEV_LOSS },
		{ TMO_RECONNECT_DELAY, TMO_DEV_LOSS, TMO_FAST_IO_FAIL },
		{ TMO_FAST_IO_FAIL, TMO_DEV_LOSS, TMO_RECONNECT_DELAY },
		{ TMO_DEV_LOSS, TMO_FAST_IO_FAIL, TMO_RECONNECT_DELAY },
		{ TMO_FAST_IO_FAIL, TMO_RECONNECT_DELAY, TMO_DEV_LOSS },
		{ TMO_DEV_LOSS, TMO_RECONNECT_DELAY, TMO_FAST_IO_FAIL },
	};
	unsigned n;

	if (!timeouts_valid(wanted))
		return -EINVAL;
	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++)
		if (try_order(current, wanted, orders[i], TMO_N, steps, &n))
			return (int)n;
	return plan_detour(current, wanted, steps);
}

int timeouts_parse(struct json_object *request, struct timeouts *ret)
{
	for (unsigned f = 0; f < TMO_N; f++) {
		const char *text;
		int r = json_get_string(request, field_names[f], &text);

		if (r < 0)
			return r;
		if (srp_tmo_parse(text, &ret->value[f]) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int timeouts_read(const struct actor *a, const char *rport, struct timeouts *ret)
{
	for (unsigned f = 0; f < TMO_N; f++) {
		char buf[32];
		ssize_t n = root_readf(a->root_fd, buf, sizeof(buf),
				       "sys/class/srp_remote_ports/%s/%s", rport, field_names[f]);

		if (n < 0)
			return (int)n;
		if (srp_tmo_parse(buf, &ret->value[f]) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int step_write(const struct actor *a, const char *rport, const struct tmo_step *s)
{
	char path[160], value[16];

	snprintf(path, sizeof(path), "sys/class/srp_remote_ports/%s/%s", rport,
		 field_names[s->field]);
	snprintf(value, sizeof(value), s->value < 0 ? "off" : "%d", s->value);
	return a->ops->attr_write(a->root_fd, path, value);
}

int timeouts_apply(const struct actor *a, const char *rport, const struct timeouts *wanted,
		   struct json_object *reply)
{
	struct tmo_step steps[TMO_STEPS_MAX];
	struct timeouts current;
	int n, r = timeouts_read(a, rport, &current);

	if (r < 0) {
		reply_error(reply, "the timeouts of %s cannot be read (%s)", rport, strerror(-r));
		return r;
	}
	n = timeouts_plan(&current, wanted, steps);
	if (n < 0) {
		reply_error(reply, "the kernel does not take these timeouts together");
		return n;
	}
	for (int i = 0; i < n; i++) {
		r = step_write(a, rport, &steps[i]);
		if (r < 0) {
			reply_error(reply, "%s of %s could not be set (%s)",
				    field_names[steps[i].field], rport, strerror(-r));
			return r;
		}
	}
	return 0;
}
