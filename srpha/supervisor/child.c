/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/parse.h"
#include "wire/program.h"

/* After SIGKILL, a process that is not gone by then sits in an uninterruptible wait. */
#define ABANDON_USEC (2 * USEC_PER_SEC)

/* Messages taken from one child in a row before others get their turn. */
#define BURST 16

/* A child that sends more in a second is out of its mind: a worker of 512 portals sends some 50. */
#define MESSAGES_PER_SECOND_MAX 5000

struct child {
	const struct child_ops *ops;
	void *userdata;
	pid_t pid;
	int fd;
	bool killed;
	uint64_t second_usec; /* when the count below began */
	unsigned messages;
	sd_event *event;
	sd_event_source *io, *end, *deadline;
};

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct child *c = userdata;

	if (c->killed) {
		c->ops->on_end(c, 0, 0, c->userdata);
		return 0;
	}
	child_kill(c);
	return 0;
}

/* Whether it stays within its budget. Also told to stop: what is queued is read no more. */
static bool within_budget(struct child *c)
{
	uint64_t now = 0;

	(void)sd_event_now(c->event, CLOCK_MONOTONIC, &now);
	if (now - c->second_usec > USEC_PER_SEC) {
		c->second_usec = now;
		c->messages = 0;
	}
	return ++c->messages <= MESSAGES_PER_SECOND_MAX;
}

/* Delivers what is queued. False when the callback freed the child or the channel ended. */
static bool deliver(struct child *c, unsigned max)
{
	for (unsigned i = 0; i < max; i++) {
		_cleanup_json_ struct json_object *message = NULL;
		int r = channel_recv(c->fd, &message);

		if (r == -EAGAIN)
			return true;
		if (!within_budget(c)) {
			child_kill(c);
			return false;
		}
		if (r == -EBADMSG)
			continue;
		if (r <= 0)
			return false;
		c->ops->on_message(c, message, c->userdata);
	}
	return true;
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct child *c = userdata;

	/* At end of file its exit is near: the end source reports it. */
	if (!deliver(c, BURST))
		(void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
	return 0;
}

static int on_reaped(sd_event_source *s, const siginfo_t *si, void *userdata)
{
	struct child *c = userdata;

	/* Its last words may still be in the channel. */
	(void)deliver(c, 4 * BURST);
	c->pid = 0;
	c->ops->on_end(c, si->si_code, si->si_status, c->userdata);
	return 0;
}

int child_spawn(sd_event *event, int64_t priority, char *const argv[], const struct child_ops *ops,
		void *userdata, struct child **ret)
{
	_cleanup_close_ int theirs = -EBADF;
	struct child *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->ops = ops;
	c->userdata = userdata;
	c->event = event;
	c->fd = -EBADF;
	r = channel_pair(&c->fd, &theirs);
	if (r >= 0)
		r = program_spawn(argv, theirs, &c->pid);
	if (r >= 0)
		r = sd_event_add_child(event, &c->end, c->pid, WEXITED, on_reaped, c);
	if (r >= 0)
		r = sd_event_add_io(event, &c->io, c->fd, EPOLLIN, on_io, c);
	if (r >= 0)
		r = sd_event_add_time(event, &c->deadline, CLOCK_MONOTONIC, UINT64_MAX,
				      USEC_PER_MSEC, on_deadline, c);
	if (r < 0) {
		child_free(c);
		return r;
	}
	(void)sd_event_source_set_priority(c->io, priority);
	/* The exit after the messages, so that they come in order. */
	(void)sd_event_source_set_priority(c->end, priority + 1);
	*ret = c;
	return 0;
}

static int reap(sd_event_source *s, const siginfo_t *si, void *userdata)
{
	sd_event_source_unref(s);
	return 0;
}

void child_free(struct child *c)
{
	if (!c)
		return;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->end);
	sd_event_source_disable_unref(c->deadline);
	if (c->pid > 0) {
		sd_event_source *s;

		(void)kill(c->pid, SIGKILL);
		/* Never wait for it: whoever is left in D state is reaped when it gets out. */
		(void)sd_event_add_child(c->event, &s, c->pid, WEXITED, reap, NULL);
	}
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

pid_t child_pid(const struct child *c)
{
	return c->pid;
}

int child_send(struct child *c, struct json_object *message)
{
	return channel_send(c->fd, message);
}

int child_set_deadline(struct child *c, uint64_t at_usec)
{
	int r = sd_event_source_set_time(c->deadline, at_usec);

	return r < 0 ? r : sd_event_source_set_enabled(c->deadline, SD_EVENT_ONESHOT);
}

void child_signal(struct child *c, int sig)
{
	if (c->pid > 0)
		(void)kill(c->pid, sig);
}

void child_kill(struct child *c)
{
	uint64_t now;

	if (c->killed)
		return;
	c->killed = true;
	(void)kill(c->pid, SIGKILL);
	if (sd_event_now(c->event, CLOCK_MONOTONIC, &now) >= 0)
		(void)child_set_deadline(c, now + ABANDON_USEC);
}

bool child_killed(const struct child *c)
{
	return c->killed;
}
