/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/log.h"
#include "supervisor/offers.h"
#include "supervisor/path.h"
#include "supervisor/registry.h"
#include "supervisor/status.h"
#include "wire/interface.h"
#include "wire/varlink.h"

#define CONNECTIONS_MAX 64
#define CONNECTIONS_USERS_MAX 32	 /* of those, for all who are not root */
#define OUTPUT_PENDING_MAX (1024 * 1024) /* more requests are read when less is unsent */
#define REQUESTS_PER_TURN 8
#define IDLE_USEC (60 * USEC_PER_SEC)

struct connection {
	LIST_ENTRY(connection) link;
	struct server *server;
	int fd;
	uid_t uid;
	bool costly; /* its last request was */
	struct varlink_stream stream;
	sd_event_source *io, *idle;
};

struct server {
	struct manager *manager;
	char path[108];
	int fd;
	sd_event_source *source;
	LIST_HEAD(, connection) connections;
	unsigned n;
};

/* A method gets the parameters and returns the whole reply object. */
typedef struct json_object *(*method_fn)(struct connection *c, struct json_object *parameters);

static struct json_object *string_error(const char *error, const char *key, const char *value)
{
	struct json_object *p = json_object_new_object();

	json_put_string(p, key, value);
	return varlink_error(error, p);
}

static struct json_object *method_info(struct connection *c, struct json_object *parameters)
{
	struct json_object *p = json_object_new_object(), *list = json_object_new_array();

	json_put_string(p, "vendor", "srpha");
	json_put_string(p, "product", "srpha");
	json_put_string(p, "version", SRPHA_VERSION);
	json_put_string(p, "url", "");
	json_object_array_add(list, json_object_new_string("org.varlink.service"));
	json_object_array_add(list, json_object_new_string("io.srpha"));
	json_object_object_add(p, "interfaces", list);
	return varlink_reply(p, false);
}

static struct json_object *method_interface(struct connection *c, struct json_object *parameters)
{
	struct json_object *p;
	const char *name;

	if (!parameters || json_get_string(parameters, "interface", &name) < 0)
		return string_error("org.varlink.service.InvalidParameter", "parameter",
				    "interface");
	if (strcmp(name, "io.srpha") != 0)
		return string_error("org.varlink.service.InterfaceNotFound", "interface", name);
	p = json_object_new_object();
	json_put_string(p, "description", io_srpha_interface);
	return varlink_reply(p, false);
}

static struct json_object *method_status(struct connection *c, struct json_object *parameters)
{
	return varlink_reply(status_format(c->server->manager), false);
}

static struct json_object *method_discover(struct connection *c, struct json_object *parameters)
{
	return varlink_reply(offers_format(c->server->manager), false);
}

static struct json_object *method_reload(struct connection *c, struct json_object *parameters)
{
	struct manager *m = c->server->manager;
	struct json_object *p, *list;

	if (manager_reload(m) >= 0)
		return varlink_reply(NULL, false);
	p = json_object_new_object();
	list = json_object_new_array();
	for (unsigned i = 0; i < m->mistakes.n; i++)
		json_object_array_add(list, json_object_new_string(m->mistakes.lines[i]));
	json_object_object_add(p, "mistakes", list);
	return varlink_error("io.srpha.ConfigInvalid", p);
}

/* The map that would lose its last usable path, or NULL. */
static bool last_path(struct manager *m, const struct path *p, struct guard_verdict *v)
{
	const struct srp_session *s = path_session(m, p);

	*v = (struct guard_verdict){};
	if (!s || path_failover(m, p)->last_path == LAST_PATH_FAIL)
		return false;
	guard_judge(&m->dm, s, devno_usable, lun_in_use, m, v);
	return v->last > 0 || v->bare > 0;
}

static struct json_object *path_method(struct connection *c, struct json_object *parameters,
				       enum path_event event, bool guard)
{
	struct manager *m = c->server->manager;
	struct guard_verdict v;
	const char *name;
	struct record *r;
	struct path *p;

	if (!parameters || json_get_string(parameters, "path", &name) < 0)
		return string_error("org.varlink.service.InvalidParameter", "parameter", "path");
	p = path_find(m, name);
	if (!p || !path_managed(m, p))
		return string_error("io.srpha.NoSuchPath", "path", name);
	if (guard && path_state_usable(p->state) && last_path(m, p, &v))
		return string_error("io.srpha.LastPath", "map", v.name);
	if (event == EVENT_DRAIN || event == EVENT_UNDRAIN) {
		r = record_find(m, p->name);
		if (!r && event == EVENT_DRAIN)
			r = record_get(m, p);
		if (r)
			r->drained = event == EVENT_DRAIN;
		m->registry_stale = true;
	}
	path_event(m, p, event, "asked for by the administrator");
	return varlink_reply(NULL, false);
}

static struct json_object *method_failover(struct connection *c, struct json_object *parameters)
{
	return path_method(c, parameters, EVENT_FAILOVER, true);
}

static struct json_object *method_drain(struct connection *c, struct json_object *parameters)
{
	return path_method(c, parameters, EVENT_DRAIN, true);
}

static struct json_object *method_undrain(struct connection *c, struct json_object *parameters)
{
	return path_method(c, parameters, EVENT_UNDRAIN, false);
}

static const struct {
	const char *name;
	method_fn fn;
	bool root;   /* changes something */
	bool costly; /* tens of milliseconds on a large fabric: one a turn */
} methods[] = {
	{ "org.varlink.service.GetInfo", method_info, false, false },
	{ "org.varlink.service.GetInterfaceDescription", method_interface, false, false },
	{ "io.srpha.Status", method_status, false, true },
	{ "io.srpha.Discover", method_discover, false, true },
	{ "io.srpha.Reload", method_reload, true, true },
	{ "io.srpha.Failover", method_failover, true, false },
	{ "io.srpha.Drain", method_drain, true, false },
	{ "io.srpha.Undrain", method_undrain, true, false },
};

/* Whose answer is all there is to it. */
static bool only_reads(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return !methods[i].root;
	return true;
}

static void connection_free(struct connection *c)
{
	LIST_REMOVE(c, link);
	c->server->n--;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->idle);
	varlink_stream_clear(&c->stream);
	close(c->fd);
	free(c);
}

static struct json_object *dispatch(struct connection *c, const char *name,
				    struct json_object *parameters)
{
	for (unsigned i = 0; i < ARRAY_SIZE(methods); i++) {
		if (strcmp(methods[i].name, name) != 0)
			continue;
		c->costly = methods[i].costly;
		if (methods[i].root && c->uid != 0)
			return varlink_error("org.varlink.service.PermissionDenied", NULL);
		return methods[i].fn(c, parameters);
	}
	return string_error("org.varlink.service.MethodNotFound", "method", name);
}

/* Answers one request. Negative errno: drop the client. */
static int serve(struct connection *c, struct json_object *request)
{
	_cleanup_json_ struct json_object *reply = NULL;
	struct json_object *parameters = NULL;
	bool oneway = false;
	const char *name;
	int r;

	if (json_get_string(request, "method", &name) < 0)
		return -EBADMSG;
	r = json_get_object(request, "parameters", &parameters);
	if (r < 0 && r != -ENOENT)
		return r;
	(void)json_get_bool(request, "oneway", &oneway);
	c->costly = false;
	if (oneway && only_reads(name))
		return 0; /* nobody waits for it: it costs nothing */
	reply = dispatch(c, name, parameters);
	if (!reply)
		return -ENOMEM;
	return oneway ? 0 : varlink_stream_queue(&c->stream, reply);
}

static size_t unsent(const struct connection *c)
{
	return c->stream.out_len - c->stream.out_pos;
}

static int on_client(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct connection *c = userdata;
	unsigned served = 0;
	uint32_t events;
	bool more = true;
	int r = 0;

	if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		r = varlink_stream_read(&c->stream);
		if (r == 0 || (r < 0 && r != -EAGAIN))
			goto drop;
	}
	for (; served < REQUESTS_PER_TURN && unsent(c) < OUTPUT_PENDING_MAX; served++) {
		_cleanup_json_ struct json_object *request = NULL;

		r = varlink_stream_next(&c->stream, &request);
		more = r != 0;
		if (r == 0)
			break;
		if (r < 0 || serve(c, request) < 0)
			goto drop;
		/* Whatever matters more gets its turn first, and then every other client. */
		if (c->costly)
			break;
	}
	r = varlink_stream_flush(&c->stream);
	if (r < 0)
		goto drop;
	/*
	 * Who does not read its answers is asked for no more questions. More requests already read:
	 * come again even if nothing arrives.
	 */
	events = r == 0 ? EPOLLOUT : EPOLLIN;
	if (more)
		events |= EPOLLOUT;
	(void)sd_event_source_set_io_events(c->io, events);
	(void)sd_event_source_set_time_relative(c->idle, IDLE_USEC);
	return 0;
drop:
	connection_free(c);
	return 0;
}

static int on_idle(sd_event_source *s, uint64_t usec, void *userdata)
{
	connection_free(userdata);
	return 0;
}

static uid_t peer_uid(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 ? cred.uid : (uid_t)-1;
}

static int connection_new(struct server *s, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->server = s;
	c->fd = fd;
	c->uid = peer_uid(fd);
	varlink_stream_init(&c->stream, fd, VARLINK_REQUEST_MAX, VARLINK_REPLY_MAX);
	LIST_INSERT_HEAD(&s->connections, c, link);
	s->n++;
	r = sd_event_add_io(s->manager->event, &c->io, fd, EPOLLIN, on_client, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->io, PRIORITY_CONTROL);
	if (r >= 0)
		r = sd_event_add_time_relative(s->manager->event, &c->idle, CLOCK_MONOTONIC,
					       IDLE_USEC, USEC_PER_SEC, on_idle, c);
	if (r < 0)
		connection_free(c);
	return r;
}

static int on_accept(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct server *s = userdata;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client < 0)
		return 0;
	if (s->n >= CONNECTIONS_MAX || (peer_uid(client) != 0 && s->n >= CONNECTIONS_USERS_MAX)) {
		close(client);
		return 0;
	}
	(void)connection_new(s, client);
	return 0;
}

int server_new(struct manager *m, const char *path, struct server **ret)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct server *s;
	int r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->manager = m;
	s->fd = -EBADF;
	strcpy(s->path, path);
	strcpy(sa.sun_path, path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0) {
		r = -errno;
		goto fail;
	}
	(void)unlink(path);
	if (bind(s->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || chmod(path, 0666) < 0 ||
	    listen(s->fd, CONNECTIONS_MAX) < 0) {
		r = -errno;
		goto fail;
	}
	r = sd_event_add_io(m->event, &s->source, s->fd, EPOLLIN, on_accept, s);
	if (r < 0)
		goto fail;
	(void)sd_event_source_set_priority(s->source, PRIORITY_CONTROL);
	*ret = s;
	return 0;
fail:
	server_free(s);
	return r;
}

void server_free(struct server *s)
{
	struct connection *c;

	if (!s)
		return;
	while ((c = LIST_FIRST(&s->connections)))
		connection_free(c);
	sd_event_source_disable_unref(s->source);
	if (s->fd >= 0) {
		close(s->fd);
		(void)unlink(s->path);
	}
	free(s);
}
