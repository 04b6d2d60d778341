/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/log.h"
#include "wire/channel.h"
#include "wire/messages.h"
#include "worker/control.h"
#include "worker/prober.h"
#include "worker/resolve.h"

/*
 * Priorities, lower runs first: port events, then answers before the timer that would count them
 * as missed, then the rest.
 */
#define PRIORITY_MADS (SD_EVENT_PRIORITY_IMPORTANT + 10)
#define PRIORITY_ROUTES (SD_EVENT_PRIORITY_IMPORTANT + 20)
#define PRIORITY_TIMER (SD_EVENT_PRIORITY_IMPORTANT + 30)

/* Taken from one descriptor in a row, so that none starves the others. */
#define MADS_BURST 512
#define ROUTES_BURST 64

/* A host whose routes change all the time is looked at no more often than this. */
#define REQUERY_USEC (200 * USEC_PER_MSEC)

/* A problem that ended and is back is told again after this long. */
#define PROBLEM_AGAIN_USEC (600 * USEC_PER_SEC)

/*
 * While events come and the port is up, sysfs is looked at only every so many seconds: a look may
 * wait for the network's lock in the kernel, and has some drivers write to its log.
 */
#define CALM_SECONDS 5

/* And the rest of an InfiniBand port, with events, in case one was lost. */
#define LOOK_SECONDS 60

/* How long a supervisor may take to read the last message. */
#define FAREWELL_MS 1000

uint64_t worker_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

bool worker_port_active(const struct worker *w)
{
	return port_status(w->port)->state == PORT_STATE_ACTIVE;
}

static struct json_object *message_new(const char *msg)
{
	struct json_object *o = json_object_new_object();

	if (o)
		json_put_string(o, "msg", msg);
	return o;
}

void worker_problem(struct worker *w, enum worker_problem kind, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	uint64_t now = worker_now();
	struct json_object *o;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0) {
		text = NULL;
		return;
	}
	/* One that comes and goes is told now and then, not each time. */
	if (w->problems[kind].text && strcmp(w->problems[kind].text, text) == 0 &&
	    (!w->problems[kind].over || now - w->problems[kind].told_usec < PROBLEM_AGAIN_USEC)) {
		w->problems[kind].over = false;
		return;
	}
	o = message_new(MSG_PROBLEM);
	if (o)
		json_put_string(o, "text", text);
	outbox_put(w->out, OUTBOX_PROBLEM, kind, o);
	free(w->problems[kind].text);
	w->problems[kind].text = TAKE_PTR(text);
	w->problems[kind].told_usec = now;
	w->problems[kind].over = false;
}

void worker_problem_over(struct worker *w, enum worker_problem kind)
{
	w->problems[kind].over = true;
}

void worker_tell_portal(struct worker *w, struct target_portal *tp)
{
	struct json_object *o;

	if (!tp->route_known)
		return; /* nothing is known yet */
	o = portal_report(tp);
	if (o)
		outbox_put(w->out, OUTBOX_PORTAL, tp->settings.id, o);
}

void worker_end(struct worker *w)
{
	(void)sd_event_exit(w->loop, 0);
}

void worker_device_gone(struct worker *w)
{
	port_lost(w->port, PORT_SOURCE_EVENT);
}

/* The port. */

void worker_tell_port(struct worker *w, enum port_source source)
{
	const struct port_status *s = port_status(w->port);
	struct json_object *o = message_new(MSG_PORT);
	char gid[GID_STR_MAX];
	uint16_t lid, sm_lid;

	discovery_lids(w, &lid, &sm_lid);
	if (o) {
		json_put_string(o, "state", port_state_name(s->state));
		json_put_string(o, "link_layer", s->infiniband ? "InfiniBand" : "Ethernet");
		if (s->netdev[0])
			json_put_string(o, "netdev", s->netdev);
		if (s->has_gid)
			json_put_string(o, "gid", format_gid(s->gid, gid));
		json_put_string(o, "source", port_source_name(source));
		if (lid)
			json_put_u64(o, "lid", lid);
		if (sm_lid)
			json_put_u64(o, "sm_lid", sm_lid);
	}
	if (s->state == PORT_STATE_ACTIVE)
		outbox_put(w->out, OUTBOX_PORT, 0, o);
	else
		outbox_put_urgent(w->out, OUTBOX_PORT, 0, o);
}

static void on_port_status(enum port_source source, void *userdata)
{
	struct worker *w = userdata;

	worker_tell_port(w, source); /* first: this is what a failover waits for */
	if (port_status(w->port)->state == PORT_STATE_GONE) {
		worker_end(w);
		return;
	}
	discovery_look_soon(w, false, worker_now());
	resolve_port_changed(w, worker_port_active(w), worker_now());
}

static void on_port_table(bool again, void *userdata)
{
	struct worker *w = userdata;

	port_reread(w->port);
	discovery_look_soon(w, again, worker_now());
	resolve_table_changed(w, worker_now());
}

static const struct port_ops port_ops = { .on_status = on_port_status, .on_table = on_port_table };

/* Answers. */

static void take_mad(struct worker *w, const struct mad_reply *reply)
{
	uint64_t kind = reply->cookie & COOKIE_KIND, number = reply->cookie & ~COOKIE_KIND;
	struct target_portal *tp;

	if (reply->report) {
		discovery_report(w, reply, worker_now());
		return;
	}
	if (kind == COOKIE_SCAN) {
		discovery_scan_reply(w, number, reply, worker_now());
		return;
	}
	if (kind == COOKIE_SUBSCRIBE) {
		discovery_subscribe_reply(w, number, reply, worker_now());
		return;
	}
	tp = portal_by_handle(&w->portals, (uint32_t)number);
	if (!tp)
		return;
	if (kind == COOKIE_QUERY)
		resolve_reply(w, tp, reply, worker_now());
	else
		prober_reply(w, tp, reply, worker_now());
}

static void drain_mads(struct worker *w)
{
	struct mad_reply reply;
	int r = 1;

	for (unsigned i = 0; w->mad && i < MADS_BURST && r > 0; i++) {
		r = mad_port_recv(w->mad, &reply);
		if (r < 0)
			worker_device_gone(w);
		if (r > 0)
			take_mad(w, &reply);
	}
}

static int on_mads(struct sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct worker *w = userdata;

	if (revents & (EPOLLERR | EPOLLHUP) && !(revents & EPOLLIN))
		worker_device_gone(w);
	else
		drain_mads(w);
	return 0;
}

/* Routes and neighbours. */

static void requery_soon(struct worker *w, uint64_t now)
{
	if (w->requery_usec == USEC_INFINITY)
		w->requery_usec = now + REQUERY_USEC;
}

static void take_routes(struct worker *w, size_t len, uint64_t now)
{
	struct neigh_event e;
	size_t offset = 0;

	while (neigh_parse(w->buffer, len, w->netlink_id, &offset, &e) > 0) {
		if (e.kind == NEIGH_LINK || e.kind == NEIGH_OVERRUN ||
		    (e.kind == NEIGH_ROUTE && e.seq == 0))
			requery_soon(w, now);
		else
			resolve_event(w, &e, now);
	}
}

static int on_routes(struct sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct worker *w = userdata;

	for (unsigned i = 0; i < ROUTES_BURST; i++) {
		ssize_t n = neigh_recv(fd, w->buffer, NEIGH_BUFFER_SIZE);

		if (n == -ENOBUFS) /* some were lost: ask again for what matters */
			resolve_port_changed(w, worker_port_active(w), worker_now());
		else if (n == -EPERM)
			continue;
		else if (n < 0)
			break;
		else
			take_routes(w, (size_t)n, worker_now());
	}
	return 0;
}

/* Time. */

static void run_due(struct worker *w, uint64_t now)
{
	struct target_portal *tp;
	unsigned i = 0;

	if (now >= w->requery_usec) {
		w->requery_usec = USEC_INFINITY;
		port_tick(w->port, now); /* a carrier is also a port's */
		on_port_table(false, w);
	}
	if (now >= port_due(w->port))
		port_tick(w->port, now);
	while ((tp = portal_next(&w->portals, &i))) {
		if (now >= resolve_due(tp))
			resolve_tick(w, tp, now);
		if (now >= prober_due(tp))
			prober_tick(w, tp, now);
	}
}

static int on_timer(struct sd_event_source *s, uint64_t usec, void *userdata)
{
	struct worker *w = userdata;

	/* An answer that came while we did not run is an answer. */
	drain_mads(w);
	run_due(w, worker_now());
	return 0;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* After every burst of events: sets the one timer to what is due next. */
static int on_post(struct sd_event_source *s, void *userdata)
{
	struct worker *w = userdata;
	uint64_t due = min_u64(w->requery_usec, port_due(w->port));
	struct target_portal *tp;
	unsigned i = 0;

	discovery_run(w, worker_now());
	due = min_u64(due, discovery_due(w));
	while ((tp = portal_next(&w->portals, &i)))
		due = min_u64(due, min_u64(resolve_due(tp), prober_due(tp)));
	if (due == USEC_INFINITY)
		return sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	(void)sd_event_source_set_time(w->timer, due);
	return sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static int on_second(struct sd_event_source *s, uint64_t usec, void *userdata)
{
	struct worker *w = userdata;
	uint64_t now = worker_now();

	w->seconds++;
	if (!port_listens(w->port) || !worker_port_active(w) || w->seconds % CALM_SECONDS == 0)
		port_tick(w->port, now);
	if (port_status(w->port)->state == PORT_STATE_GONE)
		return 0;
	/* Its LIDs, P_Keys and manager, where no event may tell. */
	if (w->seconds % (port_listens(w->port) ? LOOK_SECONDS : CALM_SECONDS) == 0)
		discovery_look(w, false, now);
	if (port_error(w->port) < 0)
		worker_problem(w, PROBLEM_SYSFS, "%s: cannot read its state in sysfs: %s", w->name,
			       strerror(-port_error(w->port)));
	else
		worker_problem_over(w, PROBLEM_SYSFS);
	/* Also without portals: it is the sign of life that the supervisor waits for. */
	outbox_put(w->out, OUTBOX_STATS, 0, prober_stats(w));
	(void)sd_event_source_set_time(s, now + USEC_PER_SEC);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

/* The supervisor. */

static int on_control(struct sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct worker *w = userdata;
	_cleanup_json_ struct json_object *message = NULL;
	int r = channel_recv(fd, &message);

	if (r > 0)
		control_take(w, message);
	else if (r == -EBADMSG)
		worker_problem(w, PROBLEM_MESSAGE, "%s: message ignored: not a JSON object",
			       w->name);
	else if (r != -EAGAIN)
		return sd_event_exit(w->loop, 0); /* the supervisor is gone */
	return 0;
}

static void on_broken(int error, void *userdata)
{
	struct worker *w = userdata;

	if (error != -EPIPE && error != -ECONNREFUSED && error != -ENOTCONN)
		log_error("%s: cannot write to the supervisor: %s; ending", w->name,
			  strerror(-error));
	(void)sd_event_exit(w->loop, error == -EPIPE ? 0 : error);
}

/* Beginning and end. */

static int on_terminate(struct sd_event_source *s, const struct signalfd_siginfo *si,
			void *userdata)
{
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int add_io(struct worker *w, struct sd_event_source **ret, int fd, sd_event_io_handler_t fn,
		  int64_t priority)
{
	int r = sd_event_add_io(w->loop, ret, fd, EPOLLIN, fn, w);

	return r < 0 ? r : sd_event_source_set_priority(*ret, priority);
}

static void say_hello(struct worker *w)
{
	struct json_object *o = message_new(MSG_HELLO);

	if (o) {
		json_put_u64(o, "pid", (uint64_t)getpid());
		json_put_string(o, "port", w->name);
	}
	outbox_put(w->out, OUTBOX_HELLO, 0, o);
}

/* There never was such a port, or it went between the supervisor's look and ours. */
static void tell_no_port(struct worker *w)
{
	struct json_object *o = message_new(MSG_PORT);

	if (o) {
		json_put_string(o, "state", port_state_name(PORT_STATE_GONE));
		json_put_string(o, "link_layer", "Ethernet");
		json_put_string(o, "source", port_source_name(PORT_SOURCE_START));
	}
	outbox_put_urgent(w->out, OUTBOX_PORT, 0, o);
}

/* What the port can do without: each failure is told, none ends the worker. */
static int open_optional(struct worker *w)
{
	int r = port_listen(w->port);

	if (r < 0)
		worker_problem(w, PROBLEM_VERBS,
			       "%s: no verbs events (%s): port changes are found by reading sysfs "
			       "once a second",
			       w->name, strerror(-r));
	w->mad_error = mad_port_open(w->ca, w->num, &w->mad);
	if (w->mad_error < 0) {
		worker_problem(w, PROBLEM_UMAD,
			       "%s: no ib_umad device (%s): no discovery and no probes on this "
			       "port; is the module ib_umad loaded?",
			       w->name, strerror(-w->mad_error));
	} else {
		r = add_io(w, &w->mads, mad_port_fd(w->mad), on_mads, PRIORITY_MADS);
		if (r < 0)
			return r;
	}
	w->netlink = neigh_open(&w->netlink_id);
	if (w->netlink < 0) {
		worker_problem(w, PROBLEM_NETLINK, "%s: no rtnetlink socket (%s): no portals",
			       w->name, strerror(-w->netlink));
	} else {
		r = add_io(w, &w->routes, w->netlink, on_routes, PRIORITY_ROUTES);
		if (r < 0)
			return r;
	}
	r = solicit_open(&w->solicit);
	if (r < 0)
		log_debug("%s: no raw sockets (%s): a returning target is found a second later",
			  w->name, strerror(-r));
	return 0;
}

static int add_sources(struct worker *w)
{
	sigset_t term;
	int r;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigaddset(&term, SIGINT);
	if (sigprocmask(SIG_BLOCK, &term, NULL) < 0)
		return -errno;
	if ((r = sd_event_add_signal(w->loop, NULL, SIGTERM, on_terminate, NULL)) < 0 ||
	    (r = sd_event_add_signal(w->loop, NULL, SIGINT, on_terminate, NULL)) < 0 ||
	    (r = add_io(w, &w->control, w->channel, on_control, SD_EVENT_PRIORITY_NORMAL)) < 0 ||
	    (r = sd_event_add_time(w->loop, &w->timer, CLOCK_MONOTONIC, 0, 1, on_timer, w)) < 0 ||
	    (r = sd_event_source_set_priority(w->timer, PRIORITY_TIMER)) < 0 ||
	    (r = sd_event_add_time(w->loop, &w->second, CLOCK_MONOTONIC,
				   worker_now() + USEC_PER_SEC, 1, on_second, w)) < 0 ||
	    (r = sd_event_add_post(w->loop, NULL, on_post, w)) < 0)
		return r;
	return 0;
}

int worker_new(const char *name, int root_fd, int channel, bool once, struct worker **ret)
{
	_cleanup_(worker_freep) struct worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->channel = channel;
	w->once = once;
	w->netlink = -EBADF;
	w->solicit = (struct solicit){ -EBADF, -EBADF, -EBADF, -EBADF };
	w->requery_usec = USEC_INFINITY;
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->buffer = malloc(NEIGH_BUFFER_SIZE);
	if (!w->buffer)
		return -ENOMEM;
	r = port_parse_name(name, w->ca, &w->num);
	if (r < 0)
		return r;
	r = sd_event_new(&w->loop);
	if (r < 0)
		return r;
	r = outbox_new(w->loop, channel, on_broken, w, &w->out);
	if (r < 0)
		return r;
	say_hello(w);
	r = port_new(w->loop, root_fd, w->ca, w->num, &port_ops, w, &w->port);
	if (r == -ENODEV)
		tell_no_port(w);
	if (r < 0)
		return r;
	worker_tell_port(w, PORT_SOURCE_START);
	r = discovery_new(w, &w->discovery);
	if (r < 0)
		return r;
	r = add_sources(w);
	if (r < 0)
		return r;
	r = open_optional(w);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(w);
	return 0;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	portal_table_clear(&w->portals);
	discovery_free(w->discovery);
	sd_event_source_unref(w->timer);
	sd_event_source_unref(w->second);
	sd_event_source_unref(w->control);
	sd_event_source_unref(w->mads);
	sd_event_source_unref(w->routes);
	mad_port_close(w->mad);
	port_free(w->port);
	outbox_free(w->out);
	if (w->netlink >= 0)
		close(w->netlink);
	solicit_close(&w->solicit);
	for (unsigned i = 0; i < N_PROBLEMS; i++)
		free(w->problems[i].text);
	free(w->buffer);
	sd_event_unref(w->loop);
	free(w);
}

/* The last words, GONE among them, are worth a moment. */
static void say_farewell(struct worker *w)
{
	struct pollfd pfd = { .fd = w->channel, .events = POLLOUT };
	uint64_t until = worker_now() + FAREWELL_MS * USEC_PER_MSEC;

	while (!outbox_flush(w->out)) {
		uint64_t now = worker_now();

		if (now >= until || poll(&pfd, 1, (int)((until - now) / USEC_PER_MSEC) + 1) <= 0)
			return;
	}
}

int worker_run(struct worker *w)
{
	int r;

	discovery_look(w, false, worker_now());
	w->started = true;
	(void)on_post(NULL, w);
	r = sd_event_loop(w->loop);
	say_farewell(w);
	return r;
}
