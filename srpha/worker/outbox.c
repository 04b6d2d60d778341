/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "wire/channel.h"

struct waiting {
	enum outbox_kind kind;
	bool urgent;
	uint64_t item;
	struct json_object *message;
	TAILQ_ENTRY(waiting) link;
};

struct outbox {
	int fd;
	bool broken;
	void (*on_broken)(int error, void *userdata);
	void *userdata;
	struct sd_event_source *writable;
	TAILQ_HEAD(, waiting) queue; /* by kind, urgent ones of a kind first */
};

static void waiting_free(struct outbox *o, struct waiting *m)
{
	TAILQ_REMOVE(&o->queue, m, link);
	json_object_put(m->message);
	free(m);
}

static void outbox_break(struct outbox *o, int error)
{
	if (o->broken)
		return;
	o->broken = true;
	o->on_broken(error, o->userdata);
}

bool outbox_flush(struct outbox *o)
{
	struct waiting *m;

	while (!o->broken && (m = TAILQ_FIRST(&o->queue))) {
		int r = channel_send(o->fd, m->message);

		if (r == -EAGAIN)
			return false;
		if (r < 0 && r != -E2BIG)
			outbox_break(o, r);
		waiting_free(o, m); /* one that is too big can never be sent */
	}
	return true;
}

static int on_writable(struct sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct outbox *o = userdata;

	if (outbox_flush(o))
		(void)sd_event_source_set_enabled(o->writable, SD_EVENT_OFF);
	return 0;
}

int outbox_new(struct sd_event *loop, int fd, void (*on_broken)(int error, void *userdata),
	       void *userdata, struct outbox **ret)
{
	_cleanup_(outbox_freep) struct outbox *o = calloc(1, sizeof(*o));
	int r, own;

	if (!o)
		return -ENOMEM;
	TAILQ_INIT(&o->queue);
	o->fd = fd;
	o->on_broken = on_broken;
	o->userdata = userdata;
	/* A descriptor of its own: epoll takes each one only once, and the reader has this one. */
	own = dup(fd);
	if (own < 0)
		return -errno;
	r = sd_event_add_io(loop, &o->writable, own, EPOLLOUT, on_writable, o);
	if (r < 0) {
		close(own);
		return r;
	}
	(void)sd_event_source_set_io_fd_own(o->writable, 1);
	r = sd_event_source_set_enabled(o->writable, SD_EVENT_OFF);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(o);
	return 0;
}

void outbox_free(struct outbox *o)
{
	if (!o)
		return;
	while (!TAILQ_EMPTY(&o->queue))
		waiting_free(o, TAILQ_FIRST(&o->queue));
	sd_event_source_unref(o->writable);
	free(o);
}

static void queue_message(struct outbox *o, enum outbox_kind kind, uint64_t item, bool urgent,
			  struct json_object *message)
{
	struct waiting *m = calloc(1, sizeof(*m)), *at;

	if (!m) {
		json_object_put(message);
		outbox_break(o, -ENOMEM);
		return;
	}
	*m = (struct waiting){ .kind = kind, .item = item, .urgent = urgent, .message = message };
	TAILQ_FOREACH (at, &o->queue, link)
		if (at->kind > kind || (at->kind == kind && urgent && !at->urgent))
			break;
	if (at)
		TAILQ_INSERT_BEFORE(at, m, link);
	else
		TAILQ_INSERT_TAIL(&o->queue, m, link);
}

static void drop_waiting(struct outbox *o, enum outbox_kind kind, uint64_t item, bool urgent_too)
{
	struct waiting *m = TAILQ_FIRST(&o->queue), *next;

	for (; m; m = next) {
		next = TAILQ_NEXT(m, link);
		if (m->kind == kind && m->item == item && (urgent_too || !m->urgent))
			waiting_free(o, m);
	}
}

static void put(struct outbox *o, enum outbox_kind kind, uint64_t item, bool urgent,
		struct json_object *message)
{
	if (o->broken) {
		json_object_put(message);
		return;
	}
	if (!message) {
		outbox_break(o, -ENOMEM);
		return;
	}
	/* What an urgent message supersedes includes an urgent one: both say the same. */
	drop_waiting(o, kind, item, urgent);
	queue_message(o, kind, item, urgent, message);
	if (!outbox_flush(o))
		(void)sd_event_source_set_enabled(o->writable, SD_EVENT_ON);
}

void outbox_put(struct outbox *o, enum outbox_kind kind, uint64_t item, struct json_object *message)
{
	put(o, kind, item, false, message);
}

void outbox_put_urgent(struct outbox *o, enum outbox_kind kind, uint64_t item,
		       struct json_object *message)
{
	put(o, kind, item, true, message);
}

void outbox_forget(struct outbox *o, enum outbox_kind kind, uint64_t item)
{
	drop_waiting(o, kind, item, true);
}
