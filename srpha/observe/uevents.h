/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel device events through libudev: which of the things srpha watches may have changed. The
 * reader looks the facts up in sysfs again; the event only says when.
 */
#pragma once

#include <libudev.h>

enum uevent_kind {
	UEVENT_HCA = 1 << 0,	 /* infiniband, infiniband_srp: ports came or went */
	UEVENT_SESSION = 1 << 1, /* scsi_host, srp_remote_ports: sessions came or went */
	UEVENT_LUN = 1 << 2,	 /* block, scsi_device, scsi_generic: LUN paths came or went */
};

/* Opens a monitor on the "udev" stream (after rules ran) or "kernel" where udevd is not running. */
int uevents_open(struct udev_monitor **ret, int *ret_fd);
void uevents_close(struct udev_monitor *m);

/* Drains it: a set of enum uevent_kind, 0 when nothing of interest came, or negative errno;
 * -ENOBUFS when events were lost (treat as: everything may have changed). */
int uevents_drain(struct udev_monitor *m);
