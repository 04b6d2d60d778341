/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes I/O off a path: dm fail_path for what is new, the interrupted host reset for what is in
 * flight. The reset makes ib_srp disconnect and give back every command; its reconnect is
 * interrupted by our alarm, and srp_reconnect_rport() failing while `running` enters fail-fast at
 * once, whatever fast_io_fail_tmo says (drivers/scsi/scsi_transport_srp.c).
 *
 *   dm fail_path ──► reset ···· alarm ──► -EIO ──► fail-fast       the rule
 *                      │                    └────► running         came before the rport's mutex
 *                      │                                           was ours: again, later alarm
 *                      ├─► -EAGAIN  error recovery runs: again in 10 ms
 *                      └─► 0        the target answered in time: running, and that is reported
 *
 * Then, where the supervisor knows itself when the target is back ("reconnect_hold", seconds), the
 * kernel's own reconnect is put off by so long: an attempt at a target that is silent holds the
 * rport's mutex until its login times out (4 s a try, 70 s in all), and a rejoin has to wait for it.
 */
#include "actor/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/root.h"
#include "wire/channel.h"
#include "wire/messages.h"

#define INTERRUPT_DEFAULT_USEC UINT64_C(20000)
#define INTERRUPT_MAX_USEC UINT64_C(1000000)

/* How long a suspended map is waited for, after the reset. */
#define BUSY_USEC UINT64_C(500000)

struct fail {
	struct request_session session;
	struct map_path *paths;
	unsigned n_paths;
	struct json_object *sg;
	bool reset;
	const char *hold; /* NULL: leave the kernel's reconnect where it is */
	uint64_t interrupt_usec, deadline;
};

static int fail_parse(struct actor *a, struct json_object *request, struct json_object *reply,
		      struct fail *f)
{
	int r = request_session(a, request, reply, &f->session), hold;

	if (r == 0)
		r = request_deadline(a, request, &f->deadline);
	if (r == 0)
		r = json_get_bool(request, "reset", &f->reset);
	if (r == 0)
		r = json_get_array(request, "sg", REQUEST_SG_MAX, &f->sg);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_object_array_length(f->sg); i++)
		if (!json_object_is_type(json_object_array_get_idx(f->sg, i), json_type_string))
			return -EBADMSG;
	f->interrupt_usec = INTERRUPT_DEFAULT_USEC;
	r = json_get_u64(request, "interrupt_usec", INTERRUPT_MAX_USEC, &f->interrupt_usec);
	if (r == -EBADMSG)
		return r;
	if (f->interrupt_usec == 0)
		f->interrupt_usec = INTERRUPT_DEFAULT_USEC;
	r = json_get_string(request, "reconnect_hold", &f->hold);
	if (r == -EBADMSG || (r == 0 && (srp_tmo_parse(f->hold, &hold) < 0 || hold <= 0)))
		return -EBADMSG;
	return request_map_paths(request, &f->paths, &f->n_paths);
}

/* One round over all maps; a suspended one is left for the round after the reset, which may be
 * what frees the I/O the suspend waits for. */
static int fail_paths(const struct actor *a, const struct fail *f, struct json_object *reply,
		      uint64_t until_usec)
{
	int result = 0;

	for (unsigned i = 0; i < f->n_paths; i++) {
		const struct map_path *p = &f->paths[i];
		int r = session_dm_message(a, a->ops->dm_fail_path, p, until_usec);

		if (r == 0)
			reply_list_add(reply, "failed", p->devno);
		else if (r != -ESTALE && r != -ENOENT)
			result = r;
		/* A map that is gone, or has let go of the path, sends nothing there. */
	}
	return result;
}

static int reset_until_off(const struct actor *a, const struct fail *f, enum rport_state *ret)
{
	uint64_t interrupt = f->interrupt_usec;

	for (;;) {
		enum rport_state state = srp_rport_state(a->root_fd, f->session.rport);
		int r;

		*ret = state;
		/* Fail-fast, lost, gone: nothing is in flight. Blocked: the transport was faster; a
		 * reset cannot take it further, its fast_io_fail timer will. */
		if (state != RPORT_RUNNING)
			return 0;
		r = session_reset(a, &f->session, f->sg, interrupt);
		*ret = srp_rport_state(a->root_fd, f->session.rport);
		if (r == 0 || *ret != RPORT_RUNNING)
			return 0;
		if (r != -EAGAIN && r != -EIO && r != -EINTR)
			return r;
		if (a->ops->now() >= f->deadline || a->ops->stopped())
			return -ETIMEDOUT;
		if (r != -EAGAIN && interrupt < INTERRUPT_MAX_USEC)
			interrupt *= 2;
		a->ops->sleep(RETRY_USEC);
	}
}

static int fail_reset(const struct actor *a, const struct fail *f, struct json_object *reply)
{
	uint64_t start = a->ops->now();
	enum rport_state state;
	int r = reset_until_off(a, f, &state);

	json_put_u64(reply, "reset_usec", a->ops->now() - start);
	json_put_string(reply, "rport_state", rport_state_name(state));
	if (r < 0)
		reply_error(reply,
			    "%s could not be reset (%s); the path's I/O waits for the kernel",
			    f->session.host, strerror(-r));
	return r;
}

/*
 * Three writes (store_reconnect_delay()): `off` cancels the queued reconnect, a delay after `off`
 * queues one anew that far away, and the old value is then only stored. So nothing is left to be
 * put right, and a host without srpha still reconnects some time. Best effort.
 */
static void hold_reconnect(const struct actor *a, const struct fail *f)
{
	enum rport_state state = srp_rport_state(a->root_fd, f->session.rport);
	char path[128], delay[32];

	if (!f->hold || (state != RPORT_BLOCKED && state != RPORT_FAIL_FAST))
		return;
	snprintf(path, sizeof(path), "sys/class/srp_remote_ports/%s/reconnect_delay",
		 f->session.rport);
	if (root_read(a->root_fd, path, delay, sizeof(delay)) < 0 || strcmp(delay, "off") == 0)
		return;
	if (a->ops->attr_write(a->root_fd, path, "off") < 0)
		return;
	(void)a->ops->attr_write(a->root_fd, path, f->hold);
	(void)a->ops->attr_write(a->root_fd, path, delay);
}

static int fail_all(const struct actor *a, const struct fail *f, struct json_object *reply)
{
	uint64_t start = a->ops->now();
	int dm = fail_paths(a, f, reply, 0);
	int r = 0;

	json_put_u64(reply, "dm_usec", a->ops->now() - start);
	if (f->reset)
		r = fail_reset(a, f, reply);
	else
		json_put_string(reply, "rport_state",
				rport_state_name(srp_rport_state(a->root_fd, f->session.rport)));
	if (dm == -EBUSY)
		dm = fail_paths(a, f, reply, a->ops->now() + BUSY_USEC);
	if (dm < 0)
		reply_error(reply, "device-mapper did not fail every path (%s)", strerror(-dm));
	hold_reconnect(a, f);
	return r < 0 ? r : dm;
}

static int fail_run(struct actor *a, struct json_object *request, struct json_object *reply)
{
	struct fail f = { 0 };
	int r = fail_parse(a, request, reply, &f);

	reply_list_add(reply, "failed", NULL);
	if (r == 0)
		r = fail_all(a, &f, reply);
	free(f.paths);
	return r;
}

const struct actor_verb verb_fail = { .msg = MSG_FAIL, .run = fail_run };
