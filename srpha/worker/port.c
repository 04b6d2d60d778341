/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/port.h"

#include <errno.h>
#include <fcntl.h>
#include <infiniband/verbs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/root.h"

#define PORT_DIR "sys/class/infiniband/%s/ports/%u"

/* After a port error sysfs may say "active" for a moment; an event may contradict it sooner. */
#define DISBELIEF_USEC (500 * USEC_PER_MSEC)

/* After an active event sysfs is read so often until it agrees. */
#define CONFIRM_USEC (10 * USEC_PER_MSEC)

struct port {
	struct sd_event *loop;
	int fd; /* its directory in sysfs: opened as root, read as nobody, wherever "/" is closed */
	char ca[64];
	unsigned num;
	const struct port_ops *ops;
	void *userdata;
	struct ibv_context *verbs;
	struct sd_event_source *events;
	struct port_status status;
	struct gid_table gids;
	uint64_t disbelief_usec; /* until then sysfs cannot say active */
	uint64_t confirm_usec;	 /* next early look at sysfs */
	unsigned confirms;	 /* left */
	int error;		 /* of the last look at sysfs */
};

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

const char *port_state_name(enum port_state s)
{
	static const char *const names[] = {
		[PORT_STATE_UNKNOWN] = "DOWN",	[PORT_STATE_DOWN] = "DOWN",
		[PORT_STATE_INIT] = "INIT",	[PORT_STATE_ARMED] = "ARMED",
		[PORT_STATE_ACTIVE] = "ACTIVE", [PORT_STATE_ACTIVE_DEFER] = "ACTIVE_DEFER",
		[PORT_STATE_GONE] = "GONE",
	};

	return names[s];
}

const char *port_source_name(enum port_source s)
{
	static const char *const names[] = { [PORT_SOURCE_START] = "start",
					     [PORT_SOURCE_EVENT] = "event",
					     [PORT_SOURCE_SYSFS] = "sysfs" };

	return names[s];
}

int port_parse_name(const char *name, char ca[static 64], unsigned *ret_port)
{
	const char *colon = strrchr(name, ':');
	uint64_t num;

	if (!colon || colon == name || colon - name >= 64 || strchr(name, '/') || name[0] == '.' ||
	    parse_u64(colon + 1, 1, 255, &num) < 0)
		return -EINVAL;
	memcpy(ca, name, (size_t)(colon - name));
	ca[colon - name] = '\0';
	*ret_port = (unsigned)num;
	return 0;
}

static bool is_gone(int error)
{
	return error == -ENOENT || error == -ENODEV || error == -ENXIO;
}

static enum port_state state_of(unsigned number)
{
	return number >= PORT_STATE_DOWN && number <= PORT_STATE_ACTIVE_DEFER
		       ? (enum port_state)number
		       : PORT_STATE_UNKNOWN;
}

/* "4: ACTIVE"; or what the device says where sysfs may not be read. */
static int read_state(struct port *p, enum port_state *ret)
{
	struct ibv_port_attr attr;
	char text[64];
	ssize_t n = root_read(p->fd, "state", text, sizeof(text));

	p->error = n < 0 ? (int)n : 0;
	if (n > 1 && text[1] == ':') {
		*ret = state_of((unsigned)(text[0] - '0'));
		return 0;
	}
	if (is_gone(p->error) || !p->verbs)
		return n < 0 ? (int)n : -EBADMSG;
	if (ibv_query_port(p->verbs, (uint8_t)p->num, &attr) != 0)
		return p->error ? p->error : -EIO;
	*ret = state_of((unsigned)attr.state);
	return 0;
}

static bool link_is_infiniband(const struct port *p)
{
	char text[64];

	if (root_read(p->fd, "link_layer", text, sizeof(text)) <= 0)
		return p->status.infiniband;
	return strcmp(text, "InfiniBand") == 0;
}

/* The GID and interface to tell of: the first link-local one, else the first. */
static void pick_gid(const struct gid_table *t, struct port_status *s)
{
	const struct gid_entry *e = t->n > 0 ? &t->entries[0] : NULL;

	for (unsigned i = 0; i < t->n; i++)
		if (gid_is_link_local(t->entries[i].gid)) {
			e = &t->entries[i];
			break;
		}
	s->has_gid = e;
	s->netdev[0] = '\0';
	if (!e) {
		memset(s->gid, 0, sizeof(s->gid));
		return;
	}
	memcpy(s->gid, e->gid, sizeof(s->gid));
	memcpy(s->netdev, e->netdev, sizeof(s->netdev));
}

static bool status_equal(const struct port_status *a, const struct port_status *b)
{
	return a->state == b->state && a->infiniband == b->infiniband && a->has_gid == b->has_gid &&
	       memcmp(a->gid, b->gid, sizeof(a->gid)) == 0 && strcmp(a->netdev, b->netdev) == 0;
}

static void port_become(struct port *p, const struct port_status *s, enum port_source source)
{
	if (p->status.state == PORT_STATE_GONE || status_equal(&p->status, s))
		return;
	p->status = *s;
	p->ops->on_status(source, p->userdata);
}

static void port_become_state(struct port *p, enum port_state state, enum port_source source)
{
	struct port_status s = p->status;

	s.state = state;
	port_become(p, &s, source);
}

void port_lost(struct port *p, enum port_source source)
{
	port_become_state(p, PORT_STATE_GONE, source);
}

/* The state as sysfs has it, and the GIDs when the port has just become active. */
static void look_at_sysfs(struct port *p, enum port_source source)
{
	struct port_status s = p->status;
	int r = read_state(p, &s.state);

	if (r < 0) {
		if (is_gone(r))
			port_lost(p, source);
		return;
	}
	if (s.state == PORT_STATE_ACTIVE && p->status.state != PORT_STATE_ACTIVE) {
		if (now_usec() < p->disbelief_usec)
			return;
		(void)gid_table_read(p->fd, &p->gids);
		pick_gid(&p->gids, &s);
	}
	s.infiniband = link_is_infiniband(p);
	port_become(p, &s, source);
}

void port_reread(struct port *p)
{
	struct port_status s = p->status;
	int r = gid_table_read(p->fd, &p->gids);

	if (is_gone(r)) {
		port_lost(p, PORT_SOURCE_SYSFS);
		return;
	}
	if (r < 0) { /* what was read before stays */
		p->error = r;
		return;
	}
	pick_gid(&p->gids, &s);
	port_become(p, &s, PORT_SOURCE_SYSFS);
}

void port_tick(struct port *p, uint64_t now)
{
	if (p->status.state == PORT_STATE_GONE)
		return;
	look_at_sysfs(p, p->confirms > 0 ? PORT_SOURCE_EVENT : PORT_SOURCE_SYSFS);
	if (p->status.state == PORT_STATE_ACTIVE || p->confirms == 0) {
		p->confirms = 0;
		p->confirm_usec = USEC_INFINITY;
	} else {
		p->confirms--;
		p->confirm_usec = now + CONFIRM_USEC;
	}
}

uint64_t port_due(const struct port *p)
{
	return p->confirm_usec;
}

static void port_event(struct port *p, enum ibv_event_type type)
{
	switch ((int)type) { /* newer headers have more of them */
	case IBV_EVENT_PORT_ERR:
		p->disbelief_usec = now_usec() + DISBELIEF_USEC;
		p->confirms = 0;
		p->confirm_usec = USEC_INFINITY;
		port_become_state(p, PORT_STATE_DOWN, PORT_SOURCE_EVENT);
		break;
	case IBV_EVENT_PORT_ACTIVE:
		p->disbelief_usec = 0;
		p->confirms = 100;
		port_tick(p, now_usec());
		break;
	case IBV_EVENT_DEVICE_FATAL:
		port_lost(p, PORT_SOURCE_EVENT);
		break;
	case IBV_EVENT_SM_CHANGE:
	case IBV_EVENT_CLIENT_REREGISTER:
		p->ops->on_table(true, p->userdata);
		break;
	case IBV_EVENT_LID_CHANGE:
	case IBV_EVENT_PKEY_CHANGE:
	case IBV_EVENT_GID_CHANGE:
		p->ops->on_table(false, p->userdata);
		break;
	default: /* queue pairs and the like: not ours */
		break;
	}
}

static bool event_is_of_port(const struct ibv_async_event *e, unsigned num)
{
	return e->event_type == IBV_EVENT_DEVICE_FATAL || (unsigned)e->element.port_num == num;
}

static int on_async(struct sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct port *p = userdata;
	struct ibv_async_event e;

	while (p->status.state != PORT_STATE_GONE) {
		errno = 0;
		if (ibv_get_async_event(p->verbs, &e) < 0) {
			if (errno == EAGAIN || errno == EINTR)
				break;
			port_lost(p, PORT_SOURCE_EVENT); /* EIO: the device was removed */
			break;
		}
		ibv_ack_async_event(&e);
		if (event_is_of_port(&e, p->num))
			port_event(p, e.event_type);
	}
	if (p->status.state == PORT_STATE_GONE)
		(void)sd_event_source_set_enabled(p->events, SD_EVENT_OFF);
	return 0;
}

static struct ibv_context *open_verbs(const char *ca)
{
	int n;
	struct ibv_device **list = ibv_get_device_list(&n);
	struct ibv_context *context = NULL;

	if (!list)
		return NULL;
	errno = ENODEV;
	for (int i = 0; i < n; i++)
		if (strcmp(ibv_get_device_name(list[i]), ca) == 0) {
			context = ibv_open_device(list[i]);
			break;
		}
	ibv_free_device_list(list);
	return context;
}

int port_listen(struct port *p)
{
	int flags, r;

	errno = ENODEV;
	p->verbs = open_verbs(p->ca);
	if (!p->verbs)
		return errno > 0 ? -errno : -ENODEV;
	flags = fcntl(p->verbs->async_fd, F_GETFL);
	if (flags < 0 || fcntl(p->verbs->async_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	r = sd_event_add_io(p->loop, &p->events, p->verbs->async_fd, EPOLLIN, on_async, p);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(p->events, "verbs-events");
	/* Before everything else: this is where a failover starts. */
	return sd_event_source_set_priority(p->events, SD_EVENT_PRIORITY_IMPORTANT);
}

int port_new(struct sd_event *loop, int root_fd, const char *ca, unsigned num,
	     const struct port_ops *ops, void *userdata, struct port **ret)
{
	_cleanup_(port_freep) struct port *p = calloc(1, sizeof(*p));
	char dir[128];
	int r;

	if (!p)
		return -ENOMEM;
	p->fd = -EBADF;
	p->loop = loop;
	snprintf(p->ca, sizeof(p->ca), "%s", ca);
	p->num = num;
	p->ops = ops;
	p->userdata = userdata;
	p->confirm_usec = USEC_INFINITY;
	snprintf(dir, sizeof(dir), PORT_DIR, ca, num);
	p->fd = openat(root_fd, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0)
		return is_gone(-errno) ? -ENODEV : -errno;
	r = read_state(p, &p->status.state);
	if (r < 0)
		return is_gone(r) ? -ENODEV : r;
	p->status.infiniband = link_is_infiniband(p);
	(void)gid_table_read(p->fd, &p->gids);
	pick_gid(&p->gids, &p->status);
	*ret = TAKE_PTR(p);
	return 0;
}

void port_free(struct port *p)
{
	if (!p)
		return;
	sd_event_source_unref(p->events);
	if (p->verbs)
		ibv_close_device(p->verbs);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

bool port_listens(const struct port *p)
{
	return p->events;
}

int port_error(const struct port *p)
{
	return p->error;
}

int port_infiniband(const struct port *p, struct ibport *ret)
{
	return ibport_read(p->fd, ret);
}

const struct port_status *port_status(const struct port *p)
{
	return &p->status;
}

const struct gid_table *port_gids(const struct port *p)
{
	return &p->gids;
}
