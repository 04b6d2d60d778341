/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own reconnect of paths that are down: put off while srpha watches, given back after. */
#include "base/root.h"
#include "supervisor/path.h"

/*
 * Queues the kernel's own reconnect of a path that is down anew: in `first` seconds, then at its
 * configured delay. Turning the delay off and on does that and does not sleep
 * (scsi_transport_srp.c, store_reconnect_delay()). Without `first` it is the configured delay.
 */
static void requeue_reconnect(struct manager *m, const struct path *p, const char *first)
{
	const struct srp_session *s = path_session(m, p);
	char delay[16];

	if (!s || p->actor || p->owner == OWNER_FOREIGN || path_state_usable(p->state) ||
	    s->rport_state == RPORT_RUNNING || path_timeouts(m, p)->reconnect_delay < 0)
		return;
	config_format_tmo(path_timeouts(m, p)->reconnect_delay, delay);
	if (root_writef(m->root_fd, "off", "sys/class/srp_remote_ports/%s/reconnect_delay",
			s->rport) < 0)
		return;
	if (first)
		(void)root_writef(m->root_fd, first,
				  "sys/class/srp_remote_ports/%s/reconnect_delay", s->rport);
	(void)root_writef(m->root_fd, delay, "sys/class/srp_remote_ports/%s/reconnect_delay",
			  s->rport);
}

/* A path whose return srpha watches for needs no attempts of the kernel: they only hold its mutex. */
void hold_reconnects(struct manager *m)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (p->probe.view != PROBE_UNKNOWN)
			requeue_reconnect(m, p, RECONNECT_HOLD);
}

/* With nobody left to watch, the kernel is to try by itself again. */
void release_reconnects(struct manager *m)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		requeue_reconnect(m, p, NULL);
}
