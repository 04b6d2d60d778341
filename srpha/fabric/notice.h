/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a Report of the Subnet Administrator to an event of the fabric. An administrator repeats a
 * Report until it gets the answer, so one that was lost, or was late, would make an event happen
 * twice, and after its opposite: a ring of what came lately keeps repetitions out. Pure; called by
 * the worker for each Report. It answers nothing: that is the transport's (mad_port_answer()), and
 * is due for every Report, new or not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTICE_RING 256

/* opensm gives up after 3 repetitions of 200 ms; others are slower. */
#define NOTICE_REPEAT_USEC UINT64_C(60000000)

enum notice_kind {
	NOTICE_GID_IN,	   /* a port came into the subnet: trap 64 */
	NOTICE_GID_OUT,	   /* it is gone: trap 65 */
	NOTICE_CAPABILITY, /* what a port can, or something else local to it, changed: trap 144 */
};

struct notice_event {
	enum notice_kind kind;
	uint8_t gid[16];   /* NOTICE_GID_* */
	uint16_t lid;	   /* NOTICE_CAPABILITY, as cap_mask */
	uint32_t cap_mask; /* PORT_CAP_* */
};

/* As it came in: what tells one Report from another. */
struct notice_seen {
	uint64_t at; /* 0: unused */
	uint64_t tid;
	uint16_t from_lid;
	struct notice_event event;
};

struct notices {
	struct notice_seen ring[NOTICE_RING];
	unsigned next;
	uint64_t taken, repeated, other, malformed;
};

/*
 * 1 with *ret for a new event; 0 for a repetition and for a trap that srpha did not subscribe to;
 * -EBADMSG for what is no Report of a notice. `now` counts from 1.
 */
int notices_take(struct notices *n, const uint8_t *mad, size_t len, uint16_t from_lid, uint64_t now,
		 struct notice_event *ret);

/* Another manager, or the same one anew: its transaction numbers start again. */
void notices_forget(struct notices *n);
