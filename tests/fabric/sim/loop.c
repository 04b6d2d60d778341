/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 64

struct loop {
	int epoll_fd;
	int timer_fd;
	bool stop;
	uint64_t now_nsec;
	uint64_t armed_nsec; /* what timer_fd is set to; 0 when to nothing */
	uint64_t order;
	struct timer **heap; /* from 1 */
	uint32_t n_heap, size_heap;
	struct epoll_event events[EVENTS_MAX];
	int n_events, next_event;
};

int loop_new(struct loop **ret)
{
	struct loop *l = calloc(1, sizeof(*l));
	struct epoll_event e = { .events = EPOLLIN };

	if (!l)
		return -ENOMEM;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->timer_fd < 0 ||
	    epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->timer_fd, &e) < 0) {
		loop_free(l);
		return -errno;
	}
	*ret = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	if (l->timer_fd >= 0)
		close(l->timer_fd);
	free(l->heap);
	free(l);
}

static uint64_t clock_nsec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

uint64_t loop_now(const struct loop *l)
{
	return l->now_nsec ? l->now_nsec : clock_nsec();
}

int loop_add(struct loop *l, struct io *io, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = io };

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, io->fd, &e) < 0 ? -errno : 0;
}

void loop_change(struct loop *l, struct io *io, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = io };

	(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, io->fd, &e);
}

void loop_remove(struct loop *l, struct io *io)
{
	(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	for (int i = l->next_event; i < l->n_events; i++)
		if (l->events[i].data.ptr == io)
			l->events[i].data.ptr = NULL;
}

static bool earlier(const struct timer *a, const struct timer *b)
{
	return a->at_nsec != b->at_nsec ? a->at_nsec < b->at_nsec : a->order < b->order;
}

static void heap_put(struct loop *l, uint32_t slot, struct timer *t)
{
	l->heap[slot] = t;
	t->slot = slot;
}

static void heap_up(struct loop *l, uint32_t slot, struct timer *t)
{
	for (; slot > 1 && earlier(t, l->heap[slot / 2]); slot /= 2)
		heap_put(l, slot, l->heap[slot / 2]);
	heap_put(l, slot, t);
}

static void heap_down(struct loop *l, uint32_t slot, struct timer *t)
{
	for (uint32_t child = slot * 2; child <= l->n_heap; child = slot * 2) {
		if (child < l->n_heap && earlier(l->heap[child + 1], l->heap[child]))
			child++;
		if (!earlier(l->heap[child], t))
			break;
		heap_put(l, slot, l->heap[child]);
		slot = child;
	}
	heap_put(l, slot, t);
}

void timer_clear(struct loop *l, struct timer *t)
{
	struct timer *last;
	uint32_t slot = t->slot;

	if (slot == 0)
		return;
	t->slot = 0;
	last = l->heap[l->n_heap--];
	if (last == t)
		return;
	if (slot > 1 && earlier(last, l->heap[slot / 2]))
		heap_up(l, slot, last);
	else
		heap_down(l, slot, last);
}

void timer_set(struct loop *l, struct timer *t, uint64_t at_nsec)
{
	timer_clear(l, t);
	if (l->n_heap + 1 >= l->size_heap) {
		uint32_t size = l->size_heap ? l->size_heap * 2 : 1024;
		struct timer **heap = realloc(l->heap, size * sizeof(*heap));

		if (!heap)
			abort();
		l->heap = heap;
		l->size_heap = size;
	}
	t->at_nsec = at_nsec;
	t->order = ++l->order;
	heap_up(l, ++l->n_heap, t);
}

struct timer *loop_take_timer(struct loop *l)
{
	struct timer *t = l->n_heap > 0 ? l->heap[l->n_heap] : NULL;

	if (t)
		timer_clear(l, t);
	return t;
}

static void run_timers(struct loop *l)
{
	uint64_t until = l->order;

	/* What is set meanwhile waits for the next round, so descriptors get their turn. */
	while (l->n_heap > 0 && l->heap[1]->at_nsec <= l->now_nsec && l->heap[1]->order <= until) {
		struct timer *t = l->heap[1];

		timer_clear(l, t);
		t->on_time(t);
	}
}

static void arm(struct loop *l)
{
	struct itimerspec s = { .it_value = { 0 } };
	uint64_t at = l->n_heap > 0 ? l->heap[1]->at_nsec : 0;

	if (at == l->armed_nsec)
		return;
	l->armed_nsec = at;
	s.it_value.tv_sec = (time_t)(at / NSEC_PER_SEC);
	s.it_value.tv_nsec = (long)(at % NSEC_PER_SEC);
	(void)timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &s, NULL);
}

static void run_descriptors(struct loop *l)
{
	for (l->next_event = 0; l->next_event < l->n_events;) {
		struct epoll_event *e = &l->events[l->next_event++];
		struct io *io = e->data.ptr;

		if (io)
			io->on_io(io, e->events);
	}
}

int loop_run(struct loop *l)
{
	while (!l->stop) {
		bool due;

		l->now_nsec = clock_nsec();
		run_timers(l);
		due = l->n_heap > 0 && l->heap[1]->at_nsec <= l->now_nsec;
		if (!due)
			arm(l);
		l->n_events = epoll_wait(l->epoll_fd, l->events, EVENTS_MAX, due ? 0 : -1);
		if (l->n_events < 0 && errno != EINTR)
			return -errno;
		l->now_nsec = clock_nsec();
		if (l->armed_nsec && l->armed_nsec <= l->now_nsec)
			l->armed_nsec = UINT64_MAX; /* spent, and readable until set anew */
		run_descriptors(l);
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
