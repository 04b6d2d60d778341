/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to ask a portal whether it lives, and what its silence means. One `struct probe` a portal;
 * the worker's prober sends what probe_tick() asks for and feeds the answers back. Pure: time is
 * an argument (microseconds of CLOCK_MONOTONIC), nothing is sent or logged here.
 *
 * The target's cable is pulled at X (interval i = 100 ms, timeout T about 50 ms, 3 misses):
 *
 *   probe   P1      P2      P3              P4    P5 P6
 *           |       |       |               |     |  |
 *   ----|---+-------+-------+----X----------+-----+--+--+--+---------> time
 *           A1      A2      A3   :          <--T--><--T-->  :
 *   state   ALIVE                :                SUSPECT   DEAD
 *   report  answered             :                miss  miss  dead
 *                                <---- i at most ---><- 1.5 T ->    dead after i + 2.5 T at most
 *
 *   After a miss the next probe leaves at once, and those that the verdict still needs follow half
 *   a timeout apart: they overlap, and each has its full timeout. Any answer, however late, proves
 *   that the target lived when that probe was sent, ends the suspicion and is a round trip sample.
 *   T follows the measured round trip (rtt.h).
 *
 *   The loop was late (a busy host did not run us): the caller has drained the receive queue
 *   before it calls probe_tick(), but the answer may sit in the kernel still:
 *
 *   ----+-----------|===== not running =====|-----------+---------> time
 *       P      deadline               tick: extend by T  miss at the earliest here
 *
 *   once an episode of silence (up to three times where the stall was longer than T).
 *
 *   A dead portal is asked at a rate that follows its silence, 50 ms at the least: 1/1024 of it
 *   where somebody waits for its return, so that a pull of a minute is noticed to be over within
 *   60 ms; 1/64 of it otherwise.
 *
 *   DEAD  |-50ms-|-50ms-|- - -|--100ms--|- - -|---------1s---------|- - -
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fabric/rtt.h"

#define PROBE_FAST_USEC UINT64_C(50000)
#define PROBE_SLOW_USEC UINT64_C(1000000)     /* a dead portal, at the slowest */
#define PROBE_NEW_SLOW_USEC UINT64_C(5000000) /* one that never answered */
#define PROBE_CLOSE_DIVISOR 1024
#define PROBE_DEAD_DIVISOR 64
#define PROBE_LATE_USEC UINT64_C(20000) /* a tick later than this was a stall of ours */

/* Undecided at a time; of more, the oldest counts as missed. */
#define PROBE_PENDING_MAX 8

enum probe_state {
	PROBE_NEW, /* it never answered: its silence means nothing */
	PROBE_ALIVE,
	PROBE_SUSPECT, /* one miss or more, fewer than the configured number */
	PROBE_DEAD,
};

enum probe_result {
	PROBE_NOTHING,	/* nothing to report */
	PROBE_ANSWERED, /* the first answer, or the first after a miss */
	PROBE_MISSED,
	PROBE_DIED, /* the configured number of misses, and each multiple of it */
};

struct probe_config {
	uint64_t interval_usec;
	uint64_t timeout_usec; /* 0: follows the round trip */
	unsigned misses;       /* 1 or more */
};

/* elapsed_usec: the round trip of an answer; else since the first probe of the silence was sent. */
struct probe_report {
	enum probe_result result;
	unsigned misses;
	uint64_t elapsed_usec;
};

struct probe {
	struct probe_config config;
	struct rtt rtt;
	enum probe_state state;
	bool fast;		/* the supervisor wants it close */
	bool paused;		/* no probes: the port is down, or there is no GID */
	bool announce;		/* report the next answer though it ends no silence ... */
	uint64_t announce_usec; /* ... to a probe sent since then */
	unsigned misses;	/* in a row */
	unsigned extensions;	/* in this silence */
	/* Sent, neither answered nor missed; the oldest first. */
	struct {
		uint64_t sent_usec, deadline_usec;
	} pending[PROBE_PENDING_MAX];
	unsigned n_pending;
	uint64_t sent_usec;   /* the newest */
	uint64_t next_usec;   /* when to send; USEC_INFINITY: when a pending one is decided */
	uint64_t silent_usec; /* when the first probe of this silence was sent, 0: no silence */
	uint64_t n_sent, n_answered, n_missed;
};

/* Paused, never answered. */
void probe_init(struct probe *p, const struct probe_config *config);

/* New parameters; state and round trips stay. */
void probe_configure(struct probe *p, const struct probe_config *config);

/*
 * The target answered somebody before (a worker that is gone): its silence counts from now on.
 * Its next answer is reported. No effect on a probe that has had answers.
 */
void probe_expect(struct probe *p);

/* No probes until probe_resume(). One that answered before counts as dead from here, unreported. */
void probe_pause(struct probe *p);

/* The first probe is due at once. */
void probe_resume(struct probe *p, uint64_t now);

/*
 * Close or normal pace. Close also means at once, and that the next answer is reported: whoever
 * asks for it wants to know.
 */
void probe_set_fast(struct probe *p, bool fast, uint64_t now);

/* Something says that a silent target may be back: the next probe of a dead or new one is due. */
void probe_hint(struct probe *p, uint64_t now);

/* When probe_tick() is wanted next; USEC_INFINITY while paused. */
uint64_t probe_due(const struct probe *p);

/*
 * To be called when due (earlier is harmless), after the receive queue was drained. True: send a
 * probe now. *report says what is to be told.
 */
bool probe_tick(struct probe *p, uint64_t now, struct probe_report *report);

/* The probe that probe_tick() asked for could only now be sent: its time counts from here. */
void probe_delayed(struct probe *p, uint64_t now);

/*
 * An answer to a probe sent at `sent_usec`. `good`: with a success status. Any answer shows that
 * the path carries; one that is not good does not bring a dead or new target to life, because
 * the kernel of a target answers for a management agent that is not loaded.
 */
void probe_answer(struct probe *p, uint64_t sent_usec, uint64_t now, bool good,
		  struct probe_report *report);

/* How long an answer may take now. */
uint64_t probe_timeout(const struct probe *p);
