/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/uevents.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A storm (thousands of LUNs at once) must fit; needs CAP_NET_ADMIN, and without it we only lose
 * events sooner, which uevents_drain() reports. */
#define RECEIVE_BUFFER (16 * 1024 * 1024)

/* One call takes at most this many: the descriptor stays readable for the rest. */
#define DRAIN_MAX 4096

static const struct {
	const char *subsystem;
	const char *devtype;
	enum uevent_kind kind;
} interests[] = {
	{ "infiniband", NULL, UEVENT_HCA },    { "infiniband_srp", NULL, UEVENT_HCA },
	{ "scsi_host", NULL, UEVENT_SESSION }, { "srp_remote_ports", NULL, UEVENT_SESSION },
	{ "block", "disk", UEVENT_LUN },       { "scsi", "scsi_device", UEVENT_LUN },
	{ "scsi_generic", NULL, UEVENT_LUN },
};

static int monitor_setup(struct udev_monitor *m)
{
	for (unsigned i = 0; i < ARRAY_SIZE(interests); i++) {
		int r = udev_monitor_filter_add_match_subsystem_devtype(m, interests[i].subsystem,
									interests[i].devtype);

		if (r < 0)
			return r;
	}
	(void)udev_monitor_set_receive_buffer_size(m, RECEIVE_BUFFER);
	return udev_monitor_enable_receiving(m);
}

int uevents_open(struct udev_monitor **ret, int *ret_fd)
{
	/* udevd's own sign of life (systemd, libudev-monitor.c). */
	bool udevd = access("/run/udev/control", F_OK) == 0;
	struct udev *udev = udev_new();
	struct udev_monitor *m;
	int r;

	if (!udev)
		return -ENOMEM;
	m = udev_monitor_new_from_netlink(udev, udevd ? "udev" : "kernel");
	if (!m) {
		r = errno ? -errno : -ENOMEM;
		udev_unref(udev);
		return r;
	}
	r = monitor_setup(m);
	if (r < 0) {
		uevents_close(m);
		return r;
	}
	*ret = m;
	*ret_fd = udev_monitor_get_fd(m);
	return 0;
}

void uevents_close(struct udev_monitor *m)
{
	struct udev *udev;

	if (!m)
		return;
	udev = udev_monitor_get_udev(m);
	udev_monitor_unref(m);
	udev_unref(udev);
}

static int kind_of(struct udev_device *d)
{
	const char *subsystem = udev_device_get_subsystem(d);
	const char *name = udev_device_get_sysname(d);

	if (!subsystem || !name)
		return 0;
	/* Device-mapper sends a change event at every path that fails: dm events tell that. */
	if (strcmp(subsystem, "block") == 0 && strncmp(name, "sd", 2) != 0)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(interests); i++)
		if (strcmp(subsystem, interests[i].subsystem) == 0)
			return interests[i].kind;
	return 0;
}

int uevents_drain(struct udev_monitor *m)
{
	int kinds = 0;

	for (unsigned i = 0; i < DRAIN_MAX; i++) {
		struct udev_device *d;

		errno = 0;
		d = udev_monitor_receive_device(m);
		if (!d) {
			if (errno == 0 || errno == EAGAIN || errno == EINTR)
				break;
			return -errno;
		}
		kinds |= kind_of(d);
		udev_device_unref(d);
	}
	return kinds;
}
