/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One target port, as the scan knows it: whether the subnet administrator lists it, over which
 * P_Keys there is a path, what its I/O unit offers; and the reading of it. Pure: it says what to
 * ask, takes answers in any order, and never forgets anything for a lost datagram.
 *
 *   for each local P_Key ── PathRecord ── yes ──► IOUnitInfo over it ──► good: the path counts
 *                                    └─ no                │ the first good one, of another unit than
 *                                                         ▼ the one that is known
 *                                             the walk (fabric/iou.h): profiles, services
 *
 * What ends an offer, and nothing else does:
 *   - the I/O unit answered, and it is not there any more;
 *   - the administrator says that the port or the path is gone, and the target does not answer
 *     (or refuses) over it either: at once;
 *   - only one of the two says so, for the ageing time, in which it was asked again and again;
 *   - the P_Key is no longer in the local table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fabric/ibport.h"
#include "fabric/iou.h"
#include "fabric/sa.h"
#include "fabric/umad.h"
#include "model/offer.h"

/*
 * A PathRecord, and a change_id that stays the same, are believed for so long: P_Keys of others
 * change without a notice, and some firmware's change_id never does.
 */
#define TARGET_FRESH_USEC (UINT64_C(600) * 1000000)

/* Redirections by GID alone, each with a PathRecord, in one reading. */
#define TARGET_REDIRECTS_MAX 2

/* One with very many controllers may take so long each time; the rest of it stays as it was. */
#define TARGET_WALK_USEC (UINT64_C(10) * 1000000)

/* A listed one that is silent is asked again after a second, two, and so on up to a minute. */
#define TARGET_RETRY_MIN_USEC UINT64_C(1000000)
#define TARGET_RETRY_MAX_USEC UINT64_C(60000000)

enum target_step {
	TARGET_NONE,
	TARGET_WANT,
	TARGET_SENT,
};

struct target_path {
	struct ibport_pkey pkey;
	uint8_t record, info; /* enum target_step */
	bool answered;	      /* the administrator did, about the LID below */
	bool stale;	      /* and is to be asked again */
	bool listed;	      /* that there is a path: its last word */
	bool good;	      /* the target answered over it, and nothing has ended that: offered */
	bool refused;	      /* the last answer over it was an error */
	bool grh;	      /* it leads through a router */
	uint8_t sl;
	uint16_t lid, dlid;	/* of the port that was asked for; of the path */
	uint64_t answered_usec; /* the administrator */
	uint64_t unlisted_usec; /* since when it says no; 0: it does not */
	uint64_t missed_usec;	/* since when the target does not answer over it; 0: it does */
};

struct target_service {
	struct iou_service what;
	uint64_t missed_usec; /* since when its controller cannot be read; 0: it can */
};

struct target {
	uint64_t guid; /* of the port: its key */
	uint8_t gid[16];
	uint16_t lid;
	char description[OFFER_TEXT_MAX];

	bool listed;
	bool gone;		/* its own word: what it still answers does not count */
	uint64_t unlisted_usec; /* since when it is not; 0 */
	uint64_t census;	/* in which it was listed last; the scan's */

	unsigned n_paths;
	struct target_path *paths;

	bool known; /* head is valid */
	struct dm_iou head;
	bool whole;	     /* the last walk read all of it */
	uint64_t unit_usec;  /* when that was */
	uint64_t doubt_usec; /* since when it may offer what we do not know; 0 */
	unsigned n_services;
	struct target_service *services;

	/* Under way. */
	bool asked;	 /* between target_begin() and target_end() */
	bool again;	 /* and then once more, from the beginning */
	bool fresh;	 /* read all anew */
	bool answered;	 /* it did, this time */
	bool walked;	 /* or found to be unchanged */
	bool missed;	 /* the last thing heard of it is silence: one request at a time */
	unsigned flying; /* requests out */
	uint64_t begun_usec;
	struct iou *walk;
	unsigned walk_path;
	uint8_t redirect; /* enum target_step: the path to where it is served instead */
	bool redirected;
	unsigned redirects;
	struct mad_dest elsewhere;

	uint64_t retry_usec, backoff_usec; /* USEC_INFINITY: not due */

	/* The scan's: lists of those that have something to ask; requests out to the target. */
	struct target *next[2];
	bool queued[2];
	unsigned out;
};

enum target_effort {
	TARGET_VERIFY, /* does it answer over the paths that it has? */
	TARGET_RENEW,  /* ask what may have changed */
	TARGET_READ,   /* ask everything */
};

struct target_request {
	enum target_kind {
		TARGET_PATH_RECORD, /* to the administrator; item: the path */
		TARGET_ELSEWHERE,   /* to the administrator */
		TARGET_INFO,	    /* item: the path */
		TARGET_WALK,	    /* item: attribute and modifier are in the datagram */
	} kind;
	uint32_t item;
	struct mad_dest to; /* of the last two */
	uint8_t mad[MAD_SIZE];
};

struct target *target_new(uint64_t guid);
void target_free(struct target *t);
DEFINE_CLEANUP(struct target *, target_free);

/* The local table: paths over other P_Keys are gone, new ones unknown. 0 or -ENOMEM. */
int target_set_pkeys(struct target *t, const struct ibport_pkey *pkeys, unsigned n);

/*
 * The local port or the administrator changed: everything about the way there is to be asked again,
 * and no silence until now means anything.
 */
void target_doubt_paths(struct target *t);

/* Begins to ask. While it does: to ask everything once more when that is over. */
void target_begin(struct target *t, enum target_effort effort, uint64_t now);

/* It said itself that it has no Device Management any more: that ends all its offers. */
void target_gone(struct target *t);

/* The next request to the administrator, and to the target; false for none for now. `own` is the
 * GID of the local port, `slid` its LID. */
bool target_next_record(struct target *t, const uint8_t own[static 16], uint16_t slid,
			struct target_request *ret);
bool target_next_peer(struct target *t, uint64_t now, struct target_request *ret);

/* Answers, by the request's kind and item. `path` NULL: there is none. */
void target_take_record(struct target *t, unsigned item, const struct sa_path *path, uint64_t now);
void target_take_elsewhere(struct target *t, const struct sa_path *path);
/* 0, or -EBADMSG for a datagram that does not decode; -ENOENT, -ENOMEM. */
int target_take_info(struct target *t, unsigned item, const uint8_t *mad, size_t len, uint64_t now);
int target_take_walk(struct target *t, const uint8_t request[static MAD_SIZE], const uint8_t *mad,
		     size_t len, uint64_t now);

/* No answer after all repeats. `request` as it was sent. */
void target_silent(struct target *t, enum target_kind kind, unsigned item,
		   const uint8_t request[static MAD_SIZE], uint64_t now);

/*
 * A request is to be asked elsewhere: 0 and it goes to *to; -EINPROGRESS when the way there has to be
 * asked for first: this request is over, and comes again; -EBADMSG when no place is named, or too
 * many: as if there was no answer.
 */
int target_redirect(struct target *t, enum target_kind kind, unsigned item,
		    const struct mad_class_port_info *info, struct mad_dest *to);

/* Nothing is out and nothing is left to ask. */
bool target_over(const struct target *t);

/* Forgets what is under way: its answers will not be given to it. */
void target_stop(struct target *t);

/* Ends the asking after target_over(): what follows from it. */
void target_end(struct target *t, uint64_t now);

/* Drops what is too old. False when nothing is left of the target. */
bool target_age(struct target *t, uint64_t now, uint64_t ageing_usec);

/* Whether it may offer what we do not know of. */
bool target_doubtful(const struct target *t, uint64_t now, uint64_t ageing_usec);

/* Appends its offers, up to `max` altogether in *n; returns how many did not fit. */
unsigned target_offers(const struct target *t, struct offer *offers, unsigned max, unsigned *n);

/* How to get there over this P_Key; false where that is not known. */
bool target_route(const struct target *t, uint16_t pkey, struct mad_dest *ret);

/* Both files': a time since when something is so, 0 while it is not; a path that both sides know. */
void target_set_since(uint64_t *since, bool is_so, uint64_t now);
bool target_path_listed(const struct target *t, const struct target_path *p);
void target_path_dest(const struct target *t, const struct target_path *p, struct mad_dest *ret);
