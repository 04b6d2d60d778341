/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/log.h"
#include "base/message_ids.h"
#include "base/root.h"
#include "supervisor/actor.h"
#include "supervisor/offers.h"
#include "supervisor/path.h"
#include "supervisor/registry.h"
#include "supervisor/server.h"

#define TICK_USEC USEC_PER_SEC
#define HCAS_TICKS 10	    /* adapters are looked at anyway, should udev have told nothing */
#define HOLD_RENEW_TICKS 20 /* well within RECONNECT_HOLD */
/* udev sends a burst when a session comes or goes: one look after it is enough. */
#define SETTLE_USEC (30 * USEC_PER_MSEC)
#define SOCKET_NAME "io.srpha"

uint64_t manager_now(struct manager *m)
{
	uint64_t now = 0;

	(void)sd_event_now(m->event, CLOCK_MONOTONIC, &now);
	return now;
}

uint64_t realtime_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

void manager_dirty(struct manager *m)
{
	if (m->reconcile)
		(void)sd_event_source_set_enabled(m->reconcile, SD_EVENT_ONESHOT);
}

static void refresh_maps(struct manager *m)
{
	struct dm_view fresh = {};
	int r;

	/* Armed before the look, so that what changes meanwhile is told again. */
	if (m->dm_fd >= 0)
		(void)dm_events_arm(m->dm_fd);
	r = dm_view_read(&fresh);
	if (r < 0) {
		if (!m->dm_unreadable)
			log_error("cannot read the multipath maps: %s; trying again", strerror(-r));
		m->dm_unreadable = true;
		return;
	}
	m->dm_unreadable = false;
	dm_view_clear(&m->dm);
	m->dm = fresh;
	m->dm_stale = false;
}

/* After each burst of events: observe what is stale, act on what differs, tell what changed. */
static int on_reconcile(sd_event_source *s, void *userdata)
{
	struct manager *m = userdata;
	int r;

	if (m->stopping)
		return 0;
	if (m->hcas_stale)
		workers_sync(m);
	if (m->srp_stale)
		sessions_refresh(m);
	if (m->dm_stale)
		refresh_maps(m);
	drive_all(m);
	if (m->registry_stale) {
		r = registry_save(m);
		if (r < 0)
			log_error("cannot write the registry below %s: %s; a restart would not "
				  "know its sessions",
				  m->runtime_dir, strerror(-r));
		m->registry_stale = false;
	}
	notify_health(m);
	return 0;
}

static int on_wake(sd_event_source *s, uint64_t usec, void *userdata)
{
	manager_dirty(userdata);
	return 0;
}

static int on_tick(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	/* From here and not from the loop itself: a loop that only spins is not alive. */
	(void)sd_notify(0, "WATCHDOG=1");
	workers_tick(m);
	sessions_poll(m);
	if (m->ticks % HOLD_RENEW_TICKS == 0)
		hold_reconnects(m);
	if (m->ticks % HCAS_TICKS == 0)
		m->hcas_stale = true;
	m->ticks++;
	/* Where there are no dm events, and against one that was lost. */
	m->dm_stale = true;
	manager_dirty(m);
	(void)sd_event_source_set_time(s, manager_now(m) + TICK_USEC);
	return 0;
}

static int on_dm(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct manager *m = userdata;

	(void)dm_events_arm(m->dm_fd);
	m->dm_stale = true;
	manager_dirty(m);
	return 0;
}

static int on_settled(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	m->srp_stale = true;
	manager_dirty(m);
	return 0;
}

static int on_udev(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct manager *m = userdata;
	int enabled = SD_EVENT_OFF, kinds = uevents_drain(m->udev);

	if (kinds == -ENOBUFS)
		kinds = UEVENT_HCA | UEVENT_SESSION | UEVENT_LUN;
	if (kinds <= 0)
		return 0;
	if (kinds & UEVENT_HCA) {
		m->hcas_stale = true;
		manager_dirty(m);
	}
	if (kinds & (UEVENT_SESSION | UEVENT_LUN)) {
		(void)sd_event_source_get_enabled(m->settle, &enabled);
		if (enabled == SD_EVENT_OFF) {
			(void)sd_event_source_set_time(m->settle, manager_now(m) + SETTLE_USEC);
			(void)sd_event_source_set_enabled(m->settle, SD_EVENT_ONESHOT);
		}
	}
	return 0;
}

static int on_stop(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
	struct manager *m = userdata;

	m->stopping = true;
	release_reconnects(m);
	log_info("stopping; sessions and maps stay as they are");
	(void)sd_notify(0, "STOPPING=1");
	return sd_event_exit(m->event, 0);
}

static int on_reload(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
	struct manager *m = userdata;

	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)manager_now(m));
	(void)manager_reload(m);
	(void)sd_notify(0, "READY=1");
	return 0;
}

static void tell_mistakes(const struct config_errors *e, const char *what)
{
	for (unsigned i = 0; i < e->n; i++)
		log_struct(LOG_ERR, MESSAGE_CONFIG_INVALID, e->lines[i], NULL, 0);
	if (e->total > e->n)
		log_error("and %u mistakes more", e->total - e->n);
	log_error("%s", what);
}

int manager_reload(struct manager *m)
{
	struct config_errors errors = {};
	struct config *fresh = NULL;
	int r = config_load(m->root_fd, m->config_path, &fresh, &errors);

	config_errors_clear(&m->mistakes);
	if (r < 0) {
		tell_mistakes(&errors, "configuration not taken; the old one stays in force");
		m->mistakes = errors;
		manager_dirty(m);
		return r;
	}
	config_errors_clear(&errors);
	config_free(m->config);
	m->config = fresh;
	m->config_loaded_usec = realtime_now();
	portals_sync(m);
	paths_deselect(m);
	offers_reapply(m);
	m->hcas_stale = m->srp_stale = true;
	workers_send_config(m);
	workers_rescan(m);
	manager_dirty(m);
	log_info("configuration loaded: %u targets", m->config->n_targets);
	return 0;
}

int manager_new(sd_event *event, const struct manager_setup *setup, struct manager **ret)
{
	struct config_errors errors = {};
	struct manager *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->event = sd_event_ref(event);
	m->config_path = setup->config;
	m->program_dir = setup->program_dir;
	m->runtime_dir = setup->runtime_dir;
	m->root = setup->root;
	m->dm_fd = m->lock_fd = -EBADF;
	m->root_fd = root_open(m->root);
	if (m->root_fd < 0) {
		r = m->root_fd;
		goto fail;
	}
	r = config_load(m->root_fd, m->config_path, &m->config, &errors);
	if (r < 0) {
		tell_mistakes(&errors, "not starting with a broken configuration; sessions stay");
		config_errors_clear(&errors);
		goto fail;
	}
	m->config_loaded_usec = realtime_now();
	*ret = m;
	return 0;
fail:
	manager_free(m);
	return r;
}

static int add_signals(struct manager *m)
{
	int r = sd_event_add_signal(m->event, NULL, SIGTERM, on_stop, m);

	if (r >= 0)
		r = sd_event_add_signal(m->event, NULL, SIGINT, on_stop, m);
	if (r >= 0)
		r = sd_event_add_signal(m->event, NULL, SIGHUP, on_reload, m);
	return r;
}

static int add_timers(struct manager *m)
{
	int r = sd_event_add_defer(m->event, &m->reconcile, on_reconcile, m);

	if (r >= 0)
		r = sd_event_source_set_priority(m->reconcile, PRIORITY_RECONCILE);
	if (r >= 0)
		r = sd_event_add_time(m->event, &m->wake, CLOCK_MONOTONIC, UINT64_MAX,
				      USEC_PER_MSEC, on_wake, m);
	if (r >= 0)
		r = sd_event_source_set_priority(m->wake, PRIORITY_RECONCILE);
	if (r >= 0)
		r = sd_event_add_time_relative(m->event, &m->tick, CLOCK_MONOTONIC, TICK_USEC,
					       100 * USEC_PER_MSEC, on_tick, m);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->tick, SD_EVENT_ON);
	if (r >= 0)
		r = sd_event_source_set_priority(m->tick, PRIORITY_OBSERVE);
	if (r >= 0)
		r = sd_event_add_time(m->event, &m->settle, CLOCK_MONOTONIC, UINT64_MAX,
				      USEC_PER_MSEC, on_settled, m);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->settle, SD_EVENT_OFF);
	return r;
}

static int add_observers(struct manager *m)
{
	int fd, r = uevents_open(&m->udev, &fd);

	if (r < 0) {
		log_error("cannot listen to udev: %s", strerror(-r));
		return r;
	}
	r = sd_event_add_io(m->event, &m->udev_source, fd, EPOLLIN, on_udev, m);
	if (r >= 0)
		r = sd_event_source_set_priority(m->udev_source, PRIORITY_OBSERVE);
	if (r < 0)
		return r;
	m->dm_fd = dm_events_open();
	if (m->dm_fd < 0) {
		log_warning("no device-mapper events (%s): looking every second instead",
			    strerror(-m->dm_fd));
		return 0;
	}
	(void)dm_events_arm(m->dm_fd);
	r = sd_event_add_io(m->event, &m->dm_source, m->dm_fd, EPOLLIN, on_dm, m);
	if (r >= 0)
		r = sd_event_source_set_priority(m->dm_source, PRIORITY_OBSERVE);
	return r;
}

/* Two of us would fail and rejoin the same sessions against each other. */
static int take_lock(struct manager *m)
{
	char path[256];

	if ((size_t)snprintf(path, sizeof(path), "%s/lock", m->runtime_dir) >= sizeof(path))
		return -ENAMETOOLONG;
	m->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->lock_fd < 0) {
		log_error("cannot open %s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(m->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		log_error("another srpha runs already: %s is locked", path);
		return -errno;
	}
	return 0;
}

int manager_start(struct manager *m)
{
	char socket[256];
	int r = take_lock(m);

	if (r < 0)
		return r;
	r = registry_load(m);
	if (r == -EBADMSG)
		log_warning("the registry below %s is broken: set aside; sessions are matched by "
			    "what the kernel shows",
			    m->runtime_dir);
	else if (r < 0)
		return r;
	r = add_signals(m);
	if (r >= 0)
		r = add_timers(m);
	if (r >= 0)
		r = add_observers(m);
	if (r < 0)
		return r;
	portals_sync(m);
	sessions_restore(m);
	refresh_maps(m);
	sessions_refresh(m);
	snprintf(socket, sizeof(socket), "%s/%s", m->runtime_dir, SOCKET_NAME);
	r = server_new(m, socket, &m->server);
	if (r < 0) {
		log_error("cannot listen on %s: %s", socket, strerror(-r));
		return r;
	}
	workers_sync(m);
	actors_fill(m);
	manager_dirty(m);
	return 0;
}

void manager_free(struct manager *m)
{
	struct portal_ref *ref;

	if (!m)
		return;
	m->stopping = true;
	server_free(m->server);
	if (m->registry_stale)
		(void)registry_save(m);
	workers_free(m);
	actors_free(m);
	paths_free(m);
	registry_free(m);
	while ((ref = LIST_FIRST(&m->portals))) {
		LIST_REMOVE(ref, link);
		free(ref);
	}
	sd_event_source_disable_unref(m->reconcile);
	sd_event_source_disable_unref(m->wake);
	sd_event_source_disable_unref(m->tick);
	sd_event_source_disable_unref(m->settle);
	sd_event_source_disable_unref(m->dm_source);
	sd_event_source_disable_unref(m->udev_source);
	if (m->udev)
		uevents_close(m->udev);
	srp_view_clear(&m->srp);
	dm_view_clear(&m->dm);
	config_errors_clear(&m->mistakes);
	config_free(m->config);
	if (m->dm_fd >= 0)
		close(m->dm_fd);
	if (m->lock_fd >= 0)
		close(m->lock_fd);
	if (m->root_fd >= 0)
		close(m->root_fd);
	sd_event_unref(m->event);
	free(m);
}
