/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator's event loop: descriptors and timers, both embedded in their owners. A timer is
 * also the delay of a datagram, so setting one costs no system call and no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC UINT64_C(1000000000)

struct loop;

struct io {
	int fd;
	void (*on_io)(struct io *io, uint32_t events);
};

struct timer {
	uint64_t at_nsec; /* CLOCK_MONOTONIC */
	uint64_t order;	  /* of two with the same time, the one set first comes first */
	uint32_t slot;	  /* 0 when not set */
	void (*on_time)(struct timer *t);
};

/* Negative errno. */
int loop_new(struct loop **ret);
void loop_free(struct loop *l);

/* When the loop last woke: the time of everything that happens until it waits again. */
uint64_t loop_now(const struct loop *l);

int loop_add(struct loop *l, struct io *io, uint32_t events);
void loop_change(struct loop *l, struct io *io, uint32_t events);
/* Forgets it; it is safe within any callback. Does not close. */
void loop_remove(struct loop *l, struct io *io);

/* Sets (anew) or clears. */
void timer_set(struct loop *l, struct timer *t, uint64_t at_nsec);
void timer_clear(struct loop *l, struct timer *t);

/* Any timer that is still set, cleared; NULL when none is. For the end. */
struct timer *loop_take_timer(struct loop *l);

/* Runs until loop_stop(). 0 or negative errno. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);
