/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One kernel action: a request is read, done within its deadline, answered, and the process ends.
 * A verb has a file of its own; what it may touch of the kernel is the table of operations below
 * (tests hand in their own) and sysfs below a root descriptor. An actor keeps nothing, decides
 * nothing and starts nothing after its answer but the courtesy call to multipathd.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "observe/srp.h"

/* What a LUN said to TEST UNIT READY. */
struct lun_answer {
	unsigned status;      /* SCSI status */
	unsigned host_status; /* DID_... of the Linux SCSI layer */
	uint8_t sense[32];
	unsigned sense_len;
};

struct actor_ops {
	uint64_t (*now)(void);	      /* monotonic, microseconds */
	void (*sleep)(uint64_t usec); /* may end early */
	/* SIGALRM after `first`, then `every` microseconds, which interrupts a call below; 0, 0
	 * disarms it. */
	void (*alarm)(uint64_t first_usec, uint64_t every_usec);
	bool (*stopped)(void); /* we were asked to end (SIGTERM) */

	/* As root_write(). */
	int (*attr_write)(int root_fd, const char *path, const char *value);
	/* As in observe/dm.h and observe/multipathd.h. */
	int (*dm_fail_path)(const char *uuid, const char *devno);
	int (*dm_reinstate_path)(const char *uuid, const char *devno);
	int (*multipathd_reinstate)(const char *disk, uint64_t timeout_usec);

	/* Opens /dev/<sg> so that an offline device opens too. A descriptor or negative errno. */
	int (*sg_open)(const char *sg);
	/* SG_SCSI_RESET of the host: 0; -EAGAIN while the host is in recovery; -EIO when the
	 * reconnect failed or was interrupted; other errno. */
	int (*sg_reset)(int fd);
	/* As in actor/reap.h. */
	int (*reap_sends)(int root_fd, const char *sg, int fd);
	/* As in actor/pin.h. */
	int (*pin_neighbour)(const char *dest, const char *gid);
	/* TEST UNIT READY: 0 with an answer, -EINTR, other errno. */
	int (*sg_test_ready)(int fd, struct lun_answer *ret);
};

extern const struct actor_ops actor_kernel_ops;

/* Handlers for SIGALRM and SIGTERM without SA_RESTART, nothing blocked. */
int actor_signals_setup(void);

struct actor {
	int root_fd;
	const struct actor_ops *ops;
	uint64_t started_usec; /* when the request was read */
};

struct actor_verb {
	const char *msg;
	/* Fills the `done` message's fields. 0, or negative errno: then `done` is not ok. */
	int (*run)(struct actor *a, struct json_object *request, struct json_object *reply);
	/* After `done` was sent; may be NULL. */
	void (*after)(struct actor *a, struct json_object *request, struct json_object *reply);
};

extern const struct actor_verb verb_login, verb_fail, verb_rejoin, verb_timeouts, verb_logout;

/*
 * Waits on fd for one request, answers `started` and `done`. 0 also at end of file before a
 * request; negative errno when the peer sent garbage or went away.
 */
int actor_serve(struct actor *a, int fd);
