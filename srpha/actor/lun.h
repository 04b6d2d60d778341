/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May I/O go to a LUN path? TEST UNIT READY, judged. lun_judge() is pure.
 */
#pragma once

#include "actor/session.h"

enum lun_verdict {
	LUN_READY,
	LUN_STANDBY, /* ALUA standby or unavailable: to be reinstated, dm's groups keep I/O away */
	LUN_RETRY,   /* answered, ask again: unit attention, busy, given back by a reset */
	LUN_NOT_READY,
};
enum lun_verdict lun_judge(const struct lun_answer *answer);

/* Asks until there is a verdict, at most until `deadline`: LUN_READY, LUN_STANDBY or LUN_NOT_READY
 * (also where the node cannot be opened or nothing answers). */
enum lun_verdict lun_test(const struct actor *a, const struct request_session *s, const char *sg,
			  uint64_t deadline);
