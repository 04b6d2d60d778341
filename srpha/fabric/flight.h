/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requests under way of one port: how many at once, when each is sent again, when it is given
 * up. It knows nothing of what they ask; the scan fills them in and takes them out. Pure:
 * time is an argument (microseconds of CLOCK_MONOTONIC), nothing is sent here.
 *
 *   request   1      2             3                           4            given up
 *             |--b---|-----2b------|------------4b-------------|--- - - - ----|
 *             '---------------------- timeout, of the configuration ----------'
 *
 *   b follows the round trip (srtt + 4 deviations, 50 ms at least), and is such that all repeats
 *   fit where nothing was measured yet. An answer to any of them counts. One that was sent again is
 *   overdue, and does not hold its place in the window any more: the silent ones delay nobody. To
 *   the subnet administrator it does: there, no answer is a sign of load.
 *
 *   A table may be megabytes: its b is a quarter of the timeout, and it has eight of them in all.
 *   A peer that says it is busy is asked again after 50 ms, 100 ms, ...; it too has eight timeouts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fabric/mad.h"
#include "fabric/rtt.h"
#include "fabric/umad.h"

#define FLIGHTS_MAX 1024 /* the overdue ones among them */
#define FLIGHT_WINDOW_MAX 512
#define FLIGHT_RETRIES_MAX 15
#define FLIGHT_BASE_MIN_USEC UINT64_C(50000)
#define FLIGHT_BUSY_USEC UINT64_C(50000)
#define FLIGHT_PATIENCE 8 /* timeouts, for a table and for a busy peer */
#define FLIGHT_REDIRECTS_MAX 2

struct flight_config {
	unsigned window;  /* 1..FLIGHT_WINDOW_MAX requests at once */
	unsigned retries; /* 0..FLIGHT_RETRIES_MAX repeats */
	uint64_t timeout_usec;
};

enum flight_lane {
	FLIGHT_SA,    /* to the subnet administrator: a part of the window */
	FLIGHT_TABLE, /* the same, with a long answer */
	FLIGHT_PEER,  /* to a target port */
};

struct flight {
	uint32_t handle; /* never 0 in use; another one each time */
	enum flight_lane lane;
	unsigned tries, busies, redirects;
	uint64_t begun_usec, next_usec, expire_usec, step_usec;

	/* The owner's: what was asked, where, and the datagram. */
	int kind;
	uint64_t key;
	uint32_t item;
	struct mad_dest to;
	uint8_t mad[MAD_SIZE];
};

struct flights {
	struct flight_config config;
	struct rtt sa, peers;
	unsigned used, top; /* slots in use; above the last of them */
	uint32_t generation;
	uint64_t sent, repeated, given_up; /* datagrams, datagrams, requests */
	struct flight slots[FLIGHTS_MAX];
};

/* Memory is all zero at first, and then configured; again at any time. */
void flights_configure(struct flights *f, const struct flight_config *config);

/* Forgets all that is under way. */
void flights_clear(struct flights *f);

/* Whether a request may begin now. */
bool flights_room(const struct flights *f, enum flight_lane lane);

/* Begins one, after flights_room(): its time runs from now; the owner fills in the rest and sends. */
struct flight *flight_begin(struct flights *f, enum flight_lane lane, uint64_t now);

/* NULL when it is over. */
struct flight *flight_find(struct flights *f, uint32_t handle);
void flight_end(struct flights *f, struct flight *fl);

/* It was answered after so long: the next ones are repeated accordingly. */
void flight_sample(struct flights *f, const struct flight *fl, uint64_t trip_usec);

/* The peer was busy: again later, and the request is not lost. False when its time is over. */
bool flight_busy(struct flights *f, struct flight *fl, uint64_t now);

/* It is to be sent elsewhere (the owner has changed `to`), now. False after too many of these. */
bool flight_redirect(struct flights *f, struct flight *fl, uint64_t now);

/* The next one that is to be sent again now (and counts as sent), or NULL. */
struct flight *flights_repeat(struct flights *f, uint64_t now);

/* The next one whose time is over, or NULL. The caller ends it. */
struct flight *flights_expired(struct flights *f, uint64_t now);

/* When one of the two has something; USEC_INFINITY without any. */
uint64_t flights_due(const struct flights *f);
