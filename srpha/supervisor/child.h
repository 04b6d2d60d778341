/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process of the supervisor and its message channel: started with posix_spawn(3), talked to
 * without blocking, given a deadline, killed at it, and abandoned when even SIGKILL does not end it
 * (a process in D state). Knows nothing of what the child does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "wire/channel.h"

struct child;

struct child_ops {
	/* One message. The object is the caller's; it is put after the return. */
	void (*on_message)(struct child *c, struct json_object *message, void *userdata);
	/*
	 * The process ended (status as of waitid: CLD_EXITED and the like with its value): the last
	 * call, the callback frees the child. Or it is abandoned (code 0): it may be freed too, or
	 * kept, and then its end still comes.
	 */
	void (*on_end)(struct child *c, int code, int status, void *userdata);
};

/* Priority of its events in the loop; smaller runs first. */
int child_spawn(sd_event *event, int64_t priority, char *const argv[], const struct child_ops *ops,
		void *userdata, struct child **ret);

/* Kills without waiting; the zombie is reaped by the loop later. */
void child_free(struct child *c);

pid_t child_pid(const struct child *c);

/* 0 or negative errno of channel_send(). */
int child_send(struct child *c, struct json_object *message);

/* SIGKILL at that CLOCK_MONOTONIC time; USEC_INFINITY: never. */
int child_set_deadline(struct child *c, uint64_t at_usec);

/* To interrupt what it does; nothing where it has ended. */
void child_signal(struct child *c, int sig);

void child_kill(struct child *c);
bool child_killed(const struct child *c);
