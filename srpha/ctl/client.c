/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "wire/varlink.h"

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void client_reply_clear(struct client_reply *r)
{
	free(r->error);
	json_object_put(r->parameters);
	*r = (struct client_reply){ 0 };
}

/* A full backlog makes connect() of a unix socket wait; SO_SNDTIMEO bounds that wait. */
static int client_connect(const char *path, uint64_t timeout_usec)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = (time_t)(timeout_usec / 1000000),
			      .tv_usec = (suseconds_t)(timeout_usec % 1000000) };
	_cleanup_close_ int fd = -EBADF;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return TAKE_FD(fd);
}

static int wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = now_usec();
	int r;

	if (now >= deadline)
		return -ETIMEDOUT;
	r = poll(&p, 1, (int)((deadline - now + 999) / 1000));
	if (r < 0 && errno != EINTR)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

static int send_call(struct varlink_stream *s, const char *method, struct json_object *parameters,
		     uint64_t deadline)
{
	_cleanup_json_ struct json_object *call = varlink_call(method, parameters);
	int r;

	if (!call)
		return -ENOMEM;
	r = varlink_stream_queue(s, call);
	if (r < 0)
		return r;
	for (;;) {
		r = varlink_stream_flush(s);
		if (r != 0)
			return r < 0 ? r : 0;
		r = wait_for(s->fd, POLLOUT, deadline);
		if (r < 0)
			return r;
	}
}

static int receive(struct varlink_stream *s, uint64_t deadline, struct json_object **ret)
{
	int r;

	for (;;) {
		r = varlink_stream_next(s, ret);
		if (r != 0)
			return r < 0 ? r : 0;
		r = varlink_stream_read(s);
		if (r == 0 || r == -ECONNRESET)
			return -EPIPE;
		if (r < 0 && r != -EAGAIN)
			return r;
		if (r == -EAGAIN) {
			r = wait_for(s->fd, POLLIN, deadline);
			if (r < 0)
				return r;
		}
	}
}

static int take_reply(struct json_object *message, struct client_reply *ret)
{
	struct json_object *parameters = NULL;
	const char *error = NULL;
	int r;

	r = json_get_string(message, "error", &error);
	if (r < 0 && r != -ENOENT)
		return r;
	r = json_get_object(message, "parameters", &parameters);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = (struct client_reply){
		.error = error ? strdup(error) : NULL,
		.parameters = parameters ? json_object_get(parameters) : json_object_new_object(),
	};
	if (!ret->parameters || (error && !ret->error)) {
		client_reply_clear(ret);
		return -ENOMEM;
	}
	return 0;
}

int client_call(const char *socket_path, const char *method, struct json_object *parameters,
		uint64_t timeout_usec, struct client_reply *ret)
{
	_cleanup_json_ struct json_object *message = NULL, *params = parameters;
	_cleanup_(varlink_stream_clear) struct varlink_stream s = { 0 };
	uint64_t deadline = now_usec() + timeout_usec;
	_cleanup_close_ int fd = -EBADF;
	int r;

	fd = client_connect(socket_path, timeout_usec);
	if (fd < 0)
		return fd;
	varlink_stream_init(&s, fd, VARLINK_REPLY_MAX, VARLINK_REQUEST_MAX);
	r = send_call(&s, method, TAKE_PTR(params), deadline);
	if (r < 0 &&
	    r != -EPIPE) /* a daemon that refuses may hang up early and still have said why */
		return r;
	r = receive(&s, deadline, &message);
	return r < 0 ? r : take_reply(message, ret);
}
