/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What systemd shows in `systemctl status srpha`, told when it changes. */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "supervisor/path.h"
#include "supervisor/status.h"

void notify_health(struct manager *m)
{
	const char *health = health_name(status_health(m, NULL));
	unsigned paths = 0, up = 0;
	char text[sizeof(m->told_status)];
	struct path *p;

	LIST_FOREACH (p, &m->paths, link) {
		if (p->owner == OWNER_FOREIGN)
			continue;
		paths++;
		up += path_state_usable(p->state);
	}
	snprintf(text, sizeof(text), "%s: %u of %u paths up", health, up, paths);
	if (strcmp(text, m->told_status) == 0)
		return;
	memcpy(m->told_status, text, sizeof(text));
	(void)sd_notifyf(0, "STATUS=%s", text);
	if (strcmp(health, m->health) == 0)
		return;
	if (m->health[0])
		log_notice("health: %s -> %s", m->health, health);
	snprintf(m->health, sizeof(m->health), "%s", health);
}
