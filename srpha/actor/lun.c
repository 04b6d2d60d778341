/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor/lun.h"

#include <errno.h>

#include "base/parse.h"

/* Unit attentions queue up: power on, LUNs changed, mode parameters, ALUA state. */
#define TRIES 8

/* A path that answered the login answers this, or it is not ready. */
#define ANSWER_USEC (1500 * USEC_PER_MSEC)

/* SAM-5 5.3.1 */
#define STATUS_GOOD 0x00
#define STATUS_CHECK_CONDITION 0x02
#define STATUS_BUSY 0x08
#define STATUS_RESERVATION_CONFLICT 0x18
#define STATUS_TASK_SET_FULL 0x28

/* include/scsi/scsi_status.h */
#define DID_BUS_BUSY 0x02
#define DID_RESET 0x08
#define DID_SOFT_ERROR 0x0b
#define DID_IMM_RETRY 0x0c
#define DID_REQUEUE 0x0d
#define DID_TRANSPORT_DISRUPTED 0x0e

/* SPC-5 4.4 */
#define KEY_RECOVERED 0x1
#define KEY_NOT_READY 0x2
#define KEY_UNIT_ATTENTION 0x6
#define KEY_ABORTED_COMMAND 0xb

struct sense {
	unsigned key, asc, ascq;
};

static bool sense_parse(const struct lun_answer *a, struct sense *ret)
{
	unsigned code = a->sense_len > 0 ? a->sense[0] & 0x7f : 0;

	if ((code == 0x70 || code == 0x71) && a->sense_len >= 14)
		*ret = (struct sense){ a->sense[2] & 0xf, a->sense[12], a->sense[13] };
	else if ((code == 0x72 || code == 0x73) && a->sense_len >= 4)
		*ret = (struct sense){ a->sense[1] & 0xf, a->sense[2], a->sense[3] };
	else
		return false;
	return true;
}

static enum lun_verdict judge_sense(const struct lun_answer *a)
{
	struct sense s;

	if (!sense_parse(a, &s))
		return LUN_NOT_READY;
	if (s.key == KEY_UNIT_ATTENTION || s.key == KEY_ABORTED_COMMAND)
		return LUN_RETRY;
	if (s.key == KEY_RECOVERED)
		return LUN_READY;
	/* 04/0b: target port in standby state, 04/0c: in unavailable state (SPC-5, ALUA). */
	if (s.key == KEY_NOT_READY && s.asc == 0x04 && (s.ascq == 0x0b || s.ascq == 0x0c))
		return LUN_STANDBY;
	return LUN_NOT_READY;
}

static enum lun_verdict judge_host(unsigned host_status)
{
	switch (host_status) {
	case DID_BUS_BUSY:
	case DID_RESET:
	case DID_SOFT_ERROR:
	case DID_IMM_RETRY:
	case DID_REQUEUE:
	case DID_TRANSPORT_DISRUPTED:
		return LUN_RETRY;
	default:
		return LUN_NOT_READY;
	}
}

enum lun_verdict lun_judge(const struct lun_answer *answer)
{
	if (answer->host_status != 0)
		return judge_host(answer->host_status);
	switch (answer->status) {
	case STATUS_GOOD:
	/* Another initiator's reservation: the path works (multipath's checker says so too). */
	case STATUS_RESERVATION_CONFLICT:
		return LUN_READY;
	case STATUS_BUSY:
	case STATUS_TASK_SET_FULL:
		return LUN_RETRY;
	case STATUS_CHECK_CONDITION:
		return judge_sense(answer);
	default:
		return LUN_NOT_READY;
	}
}

/* 0, or -EINTR when nothing came in time, or another errno. */
static int ask(const struct actor *a, int fd, uint64_t deadline, struct lun_answer *ret)
{
	uint64_t now = a->ops->now(), wait = ANSWER_USEC;
	int r;

	if (now >= deadline)
		return -ETIMEDOUT;
	if (deadline - now < wait)
		wait = deadline - now;
	a->ops->alarm(wait, RETRY_USEC);
	r = a->ops->sg_test_ready(fd, ret);
	a->ops->alarm(0, 0);
	return r;
}

enum lun_verdict lun_test(const struct actor *a, const struct request_session *s, const char *sg,
			  uint64_t deadline)
{
	_cleanup_close_ int fd = session_sg_open(a, s, sg);

	if (fd < 0)
		return LUN_NOT_READY;
	for (unsigned i = 0; i < TRIES && !a->ops->stopped(); i++) {
		struct lun_answer answer;
		enum lun_verdict verdict;

		if (ask(a, fd, deadline, &answer) < 0)
			return LUN_NOT_READY;
		verdict = lun_judge(&answer);
		if (verdict != LUN_RETRY)
			return verdict;
		/* The first unit attention is cleared by having been reported: no wait for it. */
		if (i > 0)
			a->ops->sleep(RETRY_USEC);
	}
	return LUN_NOT_READY;
}
