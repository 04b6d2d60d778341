/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sysfs of our own in a temporary directory, in the words of the field: ports, sessions, disks.
 * Every call asserts; a test never sees an error of the builder.
 */
#pragma once

#include <stdint.h>

struct fake_sysfs {
	char dir[64];
	int root_fd;
};

void fake_sysfs_open(struct fake_sysfs *f);
void fake_sysfs_close(struct fake_sysfs *f);

void fake_sysfs_add_port(struct fake_sysfs *f, const char *device, unsigned port, int srp);

struct fake_session {
	unsigned host;
	const char *device; /* "rxe0" */
	unsigned port;
	uint64_t id_ext, ioc_guid;
	const char *dgid;					       /* NULL: RDMA/CM */
	const char *state;					       /* NULL: running */
	const char *reconnect_delay, *fast_io_fail_tmo, *dev_loss_tmo; /* NULL: 10, 5, off */
};
void fake_sysfs_add_session(struct fake_sysfs *f, const struct fake_session *s);
void fake_sysfs_remove_session(struct fake_sysfs *f, unsigned host);

struct fake_disk {
	unsigned host, lun;
	const char *disk; /* NULL: no block device (yet) */
	const char *devno;
	const char *sg;	  /* NULL: none */
	const char *wwid; /* NULL: the attribute cannot be read */
	const char *type; /* NULL: 0 */
	unsigned reads, writes, in_flight;
};
void fake_sysfs_add_disk(struct fake_sysfs *f, const struct fake_disk *d);

/* One attribute, made with its directories; the file holds exactly `value` and a newline. */
__attribute__((format(printf, 3, 4))) void fake_sysfs_set(struct fake_sysfs *f, const char *value,
							  const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void fake_sysfs_remove(struct fake_sysfs *f, const char *fmt,
							     ...);
/* Its text without the newline, in a buffer that lives until the next call. */
__attribute__((format(printf, 2, 3))) const char *fake_sysfs_get(struct fake_sysfs *f,
								 const char *fmt, ...);
