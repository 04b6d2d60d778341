/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs in: writes add_target and waits for it, bounded by our alarm (its waits for path, CM and
 * mutex are interruptible: drivers/infiniband/ulp/srp/ib_srp.c, add_target_store()). The kernel
 * does not say which host came of it, so the sessions of the port are compared before and after.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actor/request.h"
#include "actor/tmo.h"
#include "base/parse.h"
#include "wire/channel.h"
#include "wire/messages.h"

/* A page is what sysfs takes. */
#define OPTIONS_MAX 4000

#define ALARM_REPEAT_USEC (100 * USEC_PER_MSEC)

struct login {
	const char *port, *options;
	char attribute[128];
	uint64_t id_ext, ioc_guid;
	struct timeouts timeouts;
	uint64_t deadline;
};

/* The value of `key` in "key=value,key=value" as a GUID. */
static int option_guid(const char *options, const char *key, uint64_t *ret)
{
	size_t key_len = strlen(key);
	char value[32];

	for (const char *p = options; p; p = strchr(p, ',')) {
		size_t len;

		p += *p == ',';
		if (strncmp(p, key, key_len) != 0 || p[key_len] != '=')
			continue;
		p += key_len + 1;
		len = strcspn(p, ",");
		if (len >= sizeof(value))
			return -EBADMSG;
		memcpy(value, p, len);
		value[len] = '\0';
		return parse_guid(value, ret) < 0 ? -EBADMSG : 0;
	}
	return -ENOENT;
}

static int attribute_path(const char *port, char *buf, size_t size)
{
	const char *colon = strrchr(port, ':');

	if (!colon || colon == port || !colon[1])
		return -EBADMSG;
	snprintf(buf, size, "sys/class/infiniband_srp/srp-%.*s-%s/add_target", (int)(colon - port),
		 port, colon + 1);
	return 0;
}

static int login_parse(const struct actor *a, struct json_object *request, struct login *l)
{
	int r = request_name(request, "port", &l->port);

	if (r == 0)
		r = json_get_string(request, "options", &l->options);
	if (r == 0 && (strlen(l->options) > OPTIONS_MAX || strpbrk(l->options, "\n ")))
		r = -EBADMSG;
	if (r == 0)
		r = request_deadline(a, request, &l->deadline);
	if (r == 0)
		r = timeouts_parse(request, &l->timeouts);
	if (r == 0)
		r = attribute_path(l->port, l->attribute, sizeof(l->attribute));
	if (r == 0)
		r = option_guid(l->options, "id_ext", &l->id_ext);
	if (r == 0)
		r = option_guid(l->options, "ioc_guid", &l->ioc_guid);
	return r;
}

/* What add_target's errors mean to an administrator (ib_srp.c, srp_cm_handler() and others). */
static const char *words_for(int error)
{
	switch (-error) {
	case EEXIST:
		return "already logged in there, or the old host is still going away";
	case EINVAL:
		return "the kernel refused the parameters; its log says which";
	case ECONNRESET:
	case ECONNREFUSED:
		return "the target did not answer or rejected the login; the kernel log has the "
		       "reason";
	case EHOSTUNREACH:
		return "no route to the target, or nothing answers there";
	case ENXIO:
		return "the target's address could not be resolved on this port";
	case ENODEV:
		return "no path to the target, or the HCA port is going away";
	case ENOENT:
	case ENOTDIR:
		return "no such HCA port, or ib_srp is not loaded";
	case ETIMEDOUT:
		return "no answer before the login timeout";
	case ENOMEM:
		return "out of memory";
	case EACCES:
	case EPERM:
		return "not permitted";
	default:
		return strerror(-error);
	}
}

static bool is_ours(const struct login *l, const struct srp_session *s)
{
	return strcmp(s->port, l->port) == 0 && s->id_ext == l->id_ext &&
	       s->ioc_guid == l->ioc_guid;
}

static bool was_there(const struct srp_view *before, const struct srp_session *s)
{
	for (unsigned i = 0; i < before->n_sessions; i++)
		if (before->sessions[i].host_no == s->host_no &&
		    before->sessions[i].instance == s->instance)
			return true;
	return false;
}

static const struct srp_session *find_new(const struct login *l, const struct srp_view *before,
					  const struct srp_view *after)
{
	for (unsigned i = 0; i < after->n_sessions; i++)
		if (is_ours(l, &after->sessions[i]) && !was_there(before, &after->sessions[i]))
			return &after->sessions[i];
	return NULL;
}

static int add_target(const struct actor *a, const struct login *l)
{
	uint64_t now = a->ops->now();
	int r;

	if (now >= l->deadline)
		return -ETIMEDOUT;
	a->ops->alarm(l->deadline - now, ALARM_REPEAT_USEC);
	r = a->ops->attr_write(a->root_fd, l->attribute, l->options);
	a->ops->alarm(0, 0);
	/* A wait that a signal ends answers with either. */
	return r == -EINTR ? -ETIMEDOUT : r;
}

static int report_new(const struct actor *a, const struct login *l, const struct srp_view *before,
		      struct json_object *reply)
{
	_cleanup_(srp_view_clear) struct srp_view after = { 0 };
	const struct srp_session *s;
	int r = srp_view_read(a->root_fd, &after);

	if (r < 0)
		return r;
	s = find_new(l, before, &after);
	if (!s) {
		reply_error(reply, "the login went through, but the kernel removed it again");
		return -ENOTCONN;
	}
	json_put_string(reply, "host", s->host);
	json_put_string(reply, "rport", s->rport);
	/* Whether they could be set is seen, and set right, by the supervisor: we are logged in. */
	(void)timeouts_apply(a, s->rport, &l->timeouts, reply);
	return 0;
}

static int login_run(struct actor *a, struct json_object *request, struct json_object *reply)
{
	_cleanup_(srp_view_clear) struct srp_view before = { 0 };
	struct login l;
	int r = login_parse(a, request, &l);

	if (r == 0)
		r = srp_view_read(a->root_fd, &before);
	if (r < 0)
		return r;
	r = add_target(a, &l);
	if (r < 0) {
		reply_error(reply, "%s", words_for(r));
		return r;
	}
	return report_new(a, &l, &before, reply);
}

const struct actor_verb verb_login = { .msg = MSG_LOGIN, .run = login_run };
