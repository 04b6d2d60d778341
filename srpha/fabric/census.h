/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is on the fabric: asks the subnet administrator which end ports support Device Management,
 * and for the port GUID and name of each. For all of them, or for single ports that a notice was
 * about. Pure: it says what to ask, takes answers in any order, hands out what it found.
 *
 *   all:  ClassPortInfo ── can match capability masks ──► PortInfoRecords with IsDM (a table)
 *              │                                             │  few: NodeRecord, each by its LID
 *              │ cannot, or will not                         └─ many: NodeRecords (a table)
 *              └──► NodeRecords (a table) ──► PortInfoRecord, each by its LID
 *   one:  [GID: PathRecord ──►] LID: PortInfoRecord and NodeRecord
 *
 * A table that fails is replaced by single questions where there is another way; where there is
 * none, the census has failed and says why. Duplicates are dropped, all lists are bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fabric/mad.h"

#define CENSUS_PORTS_MAX 16384 /* end ports in question at a time; of more, the rest is counted */
#define CENSUS_INQUIRIES_MAX 256
#define CENSUS_TABLE_FROM 64 /* so many NodeRecords, and one table costs less than each of them */

enum census_question {
	CENSUS_CLASS,
	CENSUS_PORTS, /* a table */
	CENSUS_NODES, /* a table */
	CENSUS_PORT,  /* by LID */
	CENSUS_NODE,  /* by LID */
	CENSUS_PATH,  /* by GID: its LID */
};

struct census_request {
	enum census_question what;
	uint32_t item; /* comes back with the answer */
	uint8_t mad[MAD_SIZE];
};

/* An end port with Device Management, or what an inquiry found out about another. */
enum census_finding {
	CENSUS_PRESENT,
	CENSUS_ABSENT,	/* not there, or without Device Management */
	CENSUS_UNKNOWN, /* the administrator did not answer */
};
struct census_port {
	enum census_finding finding;
	bool inquired; /* not of the census of all */
	uint16_t lid;  /* 0: not known */
	uint8_t gid[16];
	bool has_gid;
	char description[65];
};

enum census_state {
	CENSUS_IDLE,
	CENSUS_RUNNING,
	CENSUS_COMPLETE, /* all that the administrator lists was handed out */
	CENSUS_FAILED,	 /* not so: census_why() */
};

struct census;

struct census *census_new(void);
void census_free(struct census *c);
DEFINE_CLEANUP(struct census *, census_free);

/* Another administrator, or perhaps: forgets all that is under way, and what the last one can do. */
void census_reset(struct census *c);

/* A census of all, when none is RUNNING. Inquiries go on. */
void census_begin(struct census *c);

/*
 * Asks for a single port: by LID, or by GID where `lid` is 0. `dm`: it is known to have Device
 * Management, though the administrator may not have seen that yet. -EBUSY when there are too many: a
 * census of all will have to do; -ENOMEM. `own` is the GID of the local port.
 */
int census_inquire(struct census *c, uint16_t lid, const uint8_t gid[static 16],
		   const uint8_t own[static 16], bool dm);

/* A question that was not handed out yet; false when there is none for now. */
bool census_next(struct census *c, struct census_request *ret);

/*
 * The answer; `status` of its header. -EBADMSG where it does not decode (as if it were refused),
 * -ENOENT where it is no longer asked for, -ENOMEM.
 */
int census_reply(struct census *c, enum census_question what, uint32_t item, uint16_t status,
		 const uint8_t *mad, size_t len);

/* No answer after all repeats. */
void census_give_up(struct census *c, enum census_question what, uint32_t item);

/* The next finding, or false. */
bool census_found(struct census *c, struct census_port *ret);

/* Of the census of all; COMPLETE and FAILED hold until the next one begins. */
enum census_state census_state(const struct census *c);
const char *census_why(const struct census *c);

/* No question is open, of whatever kind, and nothing waits in census_found(). */
bool census_idle(const struct census *c);

struct census_counts {
	unsigned nodes;	    /* end ports that were listed in the last census */
	unsigned ports;	    /* of those, with Device Management */
	unsigned dropped;   /* beyond CENSUS_PORTS_MAX */
	unsigned silent;    /* single questions that were given up: something may be missing */
	uint64_t malformed; /* answers and records that do not decode, ever */
};
const struct census_counts *census_counts(const struct census *c);
