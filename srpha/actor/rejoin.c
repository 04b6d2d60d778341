/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings a path back. The kernel's own reconnect_work is taken out of the way first: a forced
 * reconnect does not cancel it, and it would later reconnect the healthy session; writing `off` to
 * reconnect_delay does (drivers/scsi/scsi_transport_srp.c, store_reconnect_delay()).
 *
 *   reconnect_delay off ─► host reset until running ─► reconnect_delay as asked, always
 *     ─► each LUN: TEST UNIT READY ─► dm reinstate_path in every map ─► done ─► multipathd
 *
 * An actor that is killed in between leaves `off` behind: the supervisor audits the timeouts.
 */
#include "actor/lun.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "wire/channel.h"
#include "wire/messages.h"

#define LUNS_MAX REQUEST_SG_MAX

/* Between reconnects that the target did not take: it may just be coming up. */
#define RECONNECT_RETRY_USEC (50 * USEC_PER_MSEC)
#define RECONNECT_RETRY_MAX_USEC (500 * USEC_PER_MSEC)

#define BUSY_USEC (500 * USEC_PER_MSEC)

/* multipathd is told out of courtesy: it may be busy for minutes. */
#define MULTIPATHD_USEC (500 * USEC_PER_MSEC)
#define MULTIPATHD_ALL_USEC (2 * USEC_PER_SEC)

struct lun {
	const char *sg, *devno, *disk;
};

struct rejoin {
	struct request_session session;
	bool reconnect, force;
	const char *reconnect_delay;
	uint64_t deadline;
	struct map_path *paths;
	unsigned n_paths;
	struct lun *luns;
	unsigned n_luns;
	struct json_object *nodes; /* their sg nodes */
};

static void rejoin_clear(struct rejoin *j)
{
	free(j->paths);
	free(j->luns);
	json_object_put(j->nodes);
}

static int parse_luns(struct json_object *request, struct rejoin *j)
{
	struct json_object *list;
	int r = json_get_array(request, "luns", LUNS_MAX, &list);

	if (r < 0)
		return r;
	j->luns = calloc(json_object_array_length(list) + 1, sizeof(*j->luns));
	j->nodes = json_object_new_array();
	if (!j->luns || !j->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		struct lun *l = &j->luns[j->n_luns++];

		if (!json_object_is_type(o, json_type_object) ||
		    request_name(o, "sg", &l->sg) < 0 || request_name(o, "devno", &l->devno) < 0 ||
		    request_name(o, "disk", &l->disk) < 0)
			return -EBADMSG;
		json_object_array_add(j->nodes, json_object_new_string(l->sg));
	}
	return 0;
}

static int rejoin_parse(struct actor *a, struct json_object *request, struct json_object *reply,
			struct rejoin *j)
{
	int r = request_session(a, request, reply, &j->session), tmo;

	if (r == 0)
		r = request_deadline(a, request, &j->deadline);
	if (r == 0)
		r = json_get_bool(request, "reconnect", &j->reconnect);
	if (r == 0) {
		r = json_get_bool(request, "force", &j->force);
		if (r == -ENOENT)
			r = 0;
	}
	if (r == 0)
		r = json_get_string(request, "reconnect_delay", &j->reconnect_delay);
	if (r == 0 && srp_tmo_parse(j->reconnect_delay, &tmo) < 0)
		r = -EBADMSG;
	if (r == 0)
		r = parse_luns(request, j);
	return r < 0 ? r : request_map_paths(request, &j->paths, &j->n_paths);
}

static int write_reconnect_delay(const struct actor *a, const struct rejoin *j, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/class/srp_remote_ports/%s/reconnect_delay",
		 j->session.rport);
	return a->ops->attr_write(a->root_fd, path, value);
}

static enum rport_state state_of(const struct actor *a, const struct rejoin *j)
{
	return srp_rport_state(a->root_fd, j->session.rport);
}

/* Resets until the session runs, or the deadline. */
static int reset_until_running(const struct actor *a, const struct rejoin *j)
{
	uint64_t pause = RECONNECT_RETRY_USEC;
	bool force = j->force;

	while (force || state_of(a, j) != RPORT_RUNNING) {
		uint64_t now = a->ops->now();
		int r;

		if (a->ops->stopped())
			return -EINTR;
		if (now >= j->deadline)
			return -ETIMEDOUT;
		r = session_reset(a, &j->session, j->nodes, j->deadline - now);
		if (r < 0 && r != -EAGAIN && r != -EIO && r != -EINTR)
			return r;
		/* One that runs in name only counts as running once a reset took it down, or went
		 * through; -EIO while it still runs was an interrupt before the rport's mutex. */
		force = force && r < 0 && state_of(a, j) == RPORT_RUNNING;
		if (!force && state_of(a, j) == RPORT_RUNNING)
			break;
		if (r == -EAGAIN) {
			a->ops->sleep(RETRY_USEC);
		} else {
			a->ops->sleep(pause);
			pause = 2 * pause < RECONNECT_RETRY_MAX_USEC ? 2 * pause
								     : RECONNECT_RETRY_MAX_USEC;
		}
	}
	return 0;
}

static int reconnect(const struct actor *a, const struct rejoin *j, struct json_object *reply)
{
	/* -EINVAL: the kernel keeps one of the three timeouts on, and this is the last one. Then
	 * the queued reconnect stays, and will reconnect once more. */
	int off = write_reconnect_delay(a, j, "off");
	int restored = 0, r;

	if (off < 0 && off != -EINVAL) {
		reply_error(reply, "reconnect_delay of %s cannot be written (%s)", j->session.rport,
			    strerror(-off));
		return off;
	}
	r = reset_until_running(a, j);
	if (off == 0)
		restored = write_reconnect_delay(a, j, j->reconnect_delay);
	if (r < 0)
		reply_error(reply, "%s did not reconnect (%s)", j->session.host, strerror(-r));
	else if (restored < 0)
		reply_error(reply, "reconnect_delay of %s is off and could not be set to %s (%s)",
			    j->session.rport, j->reconnect_delay, strerror(-restored));
	return r;
}

/* Reinstates one LUN path in every map that holds it. */
static int reinstate(const struct actor *a, const struct rejoin *j, const struct lun *l,
		     struct json_object *reply)
{
	int result = 0;

	for (unsigned i = 0; i < j->n_paths; i++) {
		const struct map_path *p = &j->paths[i];
		int r;

		if (strcmp(p->devno, l->devno) != 0)
			continue;
		r = session_dm_message(a, a->ops->dm_reinstate_path, p, a->ops->now() + BUSY_USEC);
		if (r == 0)
			reply_list_add(reply, "reinstated", l->devno);
		else if (r != -ESTALE && r != -ENOENT)
			result = r;
	}
	if (result < 0)
		reply_error(reply, "device-mapper did not reinstate %s (%s)", l->disk,
			    strerror(-result));
	return result;
}

/* Each LUN as soon as it answers: a slow one does not hold the others. */
static int bring_luns(const struct actor *a, const struct rejoin *j, struct json_object *reply)
{
	unsigned usable = 0;
	int result = 0;

	for (unsigned i = 0; i < j->n_luns; i++) {
		const struct lun *l = &j->luns[i];
		int r;

		if (lun_test(a, &j->session, l->sg, j->deadline) == LUN_NOT_READY) {
			reply_list_add(reply, "not_ready", l->devno);
			continue;
		}
		usable++;
		r = reinstate(a, j, l, reply);
		if (r < 0)
			result = r;
	}
	if (j->n_luns > 0 && usable == 0) {
		reply_error(reply, "%s runs, but no LUN of it answers TEST UNIT READY",
			    j->session.host);
		return -EIO;
	}
	return result;
}

static int rejoin_all(const struct actor *a, const struct rejoin *j, struct json_object *reply)
{
	enum rport_state state = state_of(a, j);
	int r = 0;

	/* A session that runs was reconnected by the kernel meanwhile: a reset would disturb it,
	 * unless it is known to run in name only. */
	if (j->reconnect && (j->force || state != RPORT_RUNNING))
		r = reconnect(a, j, reply);
	state = state_of(a, j);
	if (r == 0 && state != RPORT_RUNNING) {
		reply_error(reply, "%s is %s", j->session.rport, rport_state_name(state));
		r = -ENOTCONN;
	}
	if (r == 0)
		r = bring_luns(a, j, reply);
	json_put_string(reply, "rport_state", rport_state_name(state_of(a, j)));
	return r;
}

static int rejoin_run(struct actor *a, struct json_object *request, struct json_object *reply)
{
	_cleanup_(rejoin_clear) struct rejoin j = { 0 };
	int r = rejoin_parse(a, request, reply, &j);

	reply_list_add(reply, "reinstated", NULL);
	reply_list_add(reply, "not_ready", NULL);
	return r < 0 ? r : rejoin_all(a, &j, reply);
}

static void rejoin_after(struct actor *a, struct json_object *request, struct json_object *reply)
{
	uint64_t until = a->ops->now() + MULTIPATHD_ALL_USEC;
	_cleanup_(rejoin_clear) struct rejoin j = { 0 };
	bool wanted;

	if (json_get_bool(request, "multipathd", &wanted) < 0 || !wanted ||
	    parse_luns(request, &j) < 0)
		return;
	for (unsigned i = 0; i < j.n_luns && a->ops->now() < until; i++) {
		int r;

		if (!reply_list_has(reply, "reinstated", j.luns[i].devno))
			continue;
		r = a->ops->multipathd_reinstate(j.luns[i].disk, MULTIPATHD_USEC);
		if (r == -ECONNREFUSED)
			return;
		if (r < 0)
			log_info("multipathd was not told of %s (%s); its checker will see it",
				 j.luns[i].disk, strerror(-r));
	}
}

const struct actor_verb verb_rejoin = {
	.msg = MSG_REJOIN,
	.run = rejoin_run,
	.after = rejoin_after,
};
