/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor/session.h"

#include <errno.h>
#include <string.h>

/*
 * Where ib_srp could not be made to look at its completed sends, the reset must get as far as its new
 * queue pair (reap.h): past blocking the devices and resolving the portal's address, which the kernel
 * does from its tables, with the port down too.
 */
#define UNSEEN_USEC UINT64_C(400000)

/* A reload of a map suspends it for a moment. */
#define BUSY_RETRY_USEC UINT64_C(2000)

int session_sg_open(const struct actor *a, const struct request_session *s, const char *sg)
{
	_cleanup_close_ int fd = a->ops->sg_open(sg);
	unsigned host_no;

	if (fd < 0)
		return fd;
	/* After the open, which pins the device: the number of the node can be given to no other. */
	if (srp_sg_host(a->root_fd, sg, &host_no) < 0)
		return -ENODEV;
	if (host_no != s->host_no)
		return -ESTALE;
	return TAKE_FD(fd);
}

bool session_sg_gone(int error)
{
	return error == -ENODEV || error == -ENXIO || error == -ENOENT || error == -ESTALE ||
	       error == -EBUSY;
}

int session_reset(const struct actor *a, const struct request_session *s, struct json_object *nodes,
		  uint64_t alarm_usec)
{
	int r = -ENODEV;

	/* It helps where it can be done (pin.h); where not, the reset is what it always was. */
	if (s->dest)
		(void)a->ops->pin_neighbour(s->dest, s->gid);
	for (size_t i = 0; i < json_object_array_length(nodes); i++) {
		const char *sg = json_object_get_string(json_object_array_get_idx(nodes, i));
		_cleanup_close_ int fd = session_sg_open(a, s, sg);

		if (fd < 0) {
			r = fd;
		} else {
			/* Only a session that runs can send, and only its sends can be unseen. */
			bool unseen = srp_rport_state(a->root_fd, s->rport) == RPORT_RUNNING &&
				      a->ops->reap_sends(a->root_fd, sg, fd) < 0;

			/* Repeated: a first signal that came before the ioctl would be lost. */
			a->ops->alarm(unseen && alarm_usec < UNSEEN_USEC ? UNSEEN_USEC : alarm_usec,
				      RETRY_USEC);
			r = a->ops->sg_reset(fd);
			a->ops->alarm(0, 0);
		}
		if (!session_sg_gone(r))
			return r;
	}
	return r;
}

int session_dm_message(const struct actor *a, int (*send)(const char *uuid, const char *devno),
		       const struct map_path *p, uint64_t until_usec)
{
	int r;

	while ((r = send(p->uuid, p->devno)) == -EBUSY && a->ops->now() < until_usec &&
	       !a->ops->stopped())
		a->ops->sleep(BUSY_RETRY_USEC);
	return r;
}
