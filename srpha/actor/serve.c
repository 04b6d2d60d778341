/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "actor/request.h"
#include "base/log.h"
#include "wire/channel.h"
#include "wire/messages.h"

static const struct actor_verb *const verbs[] = {
	&verb_login, &verb_fail, &verb_rejoin, &verb_timeouts, &verb_logout,
};

static const struct actor_verb *find_verb(struct json_object *request)
{
	const char *msg;

	if (json_get_string(request, "msg", &msg) < 0)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i]->msg, msg) == 0)
			return verbs[i];
	return NULL;
}

static int receive(int fd, struct json_object **ret)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = channel_recv(fd, ret);

		if (r != -EAGAIN)
			return r;
		/* A signal while idle asks us to end: there is nothing to finish. */
		if (poll(&p, 1, -1) < 0)
			return errno == EINTR ? 0 : -errno;
	}
}

/* The receiver may be slow for a moment; what it must know is worth a bounded wait. */
static int send_patiently(int fd, struct json_object *message)
{
	int r = -EAGAIN;

	for (unsigned i = 0; i < 100 && r == -EAGAIN; i++) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		r = channel_send(fd, message);
		if (r == -EAGAIN)
			(void)poll(&p, 1, 100);
	}
	return r;
}

static int send_started(int fd)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();

	if (!o)
		return -ENOMEM;
	json_put_string(o, "msg", MSG_STARTED);
	json_put_u64(o, "pid", (uint64_t)getpid());
	return channel_send(fd, o);
}

static void reply_finish(const struct actor *a, struct json_object *reply, int r)
{
	json_put_string(reply, "msg", MSG_DONE);
	json_put_bool(reply, "ok", r >= 0);
	if (r < 0) {
		json_put_u64(reply, "errno", (uint64_t)-r);
		reply_error(reply, "%s",
			    r == -EBADMSG ? "a field of the request is wrong" : strerror(-r));
	}
	json_put_u64(reply, "elapsed_usec", a->ops->now() - a->started_usec);
}

int actor_serve(struct actor *a, int fd)
{
	_cleanup_json_ struct json_object *request = NULL, *reply = NULL;
	const struct actor_verb *verb;
	int r = receive(fd, &request);

	if (r <= 0)
		return r;
	a->started_usec = a->ops->now();
	verb = find_verb(request);
	reply = json_object_new_object();
	if (!reply)
		return -ENOMEM;
	/* Not worth giving the action up for: the supervisor asked for it. */
	(void)send_started(fd);
	if (verb) {
		r = verb->run(a, request, reply);
	} else {
		reply_error(reply, "no such action");
		r = -EBADMSG;
	}
	reply_finish(a, reply, r);
	r = send_patiently(fd, reply);
	if (verb && verb->after)
		verb->after(a, request, reply);
	return r;
}
