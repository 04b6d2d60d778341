/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/root.h"

#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s: %m\n", __FILE__, __LINE__, #condition);        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

void fake_sysfs_open(struct fake_sysfs *f)
{
	strcpy(f->dir, "/tmp/srpha-sysfs-XXXXXX");
	must(mkdtemp(f->dir));
	f->root_fd = root_open(f->dir);
	must(f->root_fd >= 0);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(const char *path)
{
	must(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

void fake_sysfs_close(struct fake_sysfs *f)
{
	close(f->root_fd);
	remove_tree(f->dir);
}

static void make_parents(struct fake_sysfs *f, const char *path)
{
	char dir[PATH_MAX];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		must(mkdirat(f->root_fd, dir, 0755) == 0 || errno == EEXIST);
	}
}

static void set_path(struct fake_sysfs *f, const char *value, const char *path)
{
	int fd;

	make_parents(f, path);
	fd = openat(f->root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0);
	must(dprintf(fd, "%s\n", value) >= 0);
	close(fd);
}

void fake_sysfs_set(struct fake_sysfs *f, const char *value, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	set_path(f, value, path);
}

void fake_sysfs_remove(struct fake_sysfs *f, const char *fmt, ...)
{
	char path[PATH_MAX], full[PATH_MAX + 64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	snprintf(full, sizeof(full), "%s/%s", f->dir, path);
	remove_tree(full);
}

const char *fake_sysfs_get(struct fake_sysfs *f, const char *fmt, ...)
{
	static char value[256];
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	must(root_read(f->root_fd, path, value, sizeof(value)) >= 0);
	return value;
}

static void add_link(struct fake_sysfs *f, const char *to, const char *path)
{
	make_parents(f, path);
	must(symlinkat(to, f->root_fd, path) == 0);
}

void fake_sysfs_add_port(struct fake_sysfs *f, const char *device, unsigned port, int srp)
{
	fake_sysfs_set(f, "4: ACTIVE", "sys/class/infiniband/%s/ports/%u/state", device, port);
	if (srp)
		fake_sysfs_set(f, "", "sys/class/infiniband_srp/srp-%s-%u/add_target", device,
			       port);
}

static void set_number(struct fake_sysfs *f, unsigned n, const char *path)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "%u", n);
	set_path(f, buf, path);
}

static void add_host(struct fake_sysfs *f, const struct fake_session *s)
{
	char dir[128], path[192], buf[32];

	snprintf(dir, sizeof(dir), "sys/class/scsi_host/host%u", s->host);
	fake_sysfs_set(f, s->device, "%s/local_ib_device", dir);
	snprintf(path, sizeof(path), "%s/local_ib_port", dir);
	set_number(f, s->port, path);
	snprintf(buf, sizeof(buf), "0x%016" PRIx64, s->id_ext);
	fake_sysfs_set(f, buf, "%s/id_ext", dir);
	snprintf(buf, sizeof(buf), "0x%016" PRIx64, s->ioc_guid);
	fake_sysfs_set(f, buf, "%s/ioc_guid", dir);
	fake_sysfs_set(f, "fe80:0000:0000:0000:5054:00ff:fe00:0001", "%s/sgid", dir);
	if (s->dgid)
		fake_sysfs_set(f, s->dgid, "%s/dgid", dir);
	/* The link that holds targets and devices: a directory serves as well. */
	fake_sysfs_set(f, "", "%s/device/uevent", dir);
}

void fake_sysfs_add_session(struct fake_sysfs *f, const struct fake_session *s)
{
	char dir[128];

	add_host(f, s);
	snprintf(dir, sizeof(dir), "sys/class/srp_remote_ports/port-%u:1", s->host);
	fake_sysfs_set(f, s->state ? s->state : "running", "%s/state", dir);
	fake_sysfs_set(f, "0", "%s/failed_reconnects", dir);
	fake_sysfs_set(f, s->reconnect_delay ? s->reconnect_delay : "10", "%s/reconnect_delay",
		       dir);
	fake_sysfs_set(f, s->fast_io_fail_tmo ? s->fast_io_fail_tmo : "5", "%s/fast_io_fail_tmo",
		       dir);
	fake_sysfs_set(f, s->dev_loss_tmo ? s->dev_loss_tmo : "off", "%s/dev_loss_tmo", dir);
	fake_sysfs_set(f, "", "%s/delete", dir);
}

void fake_sysfs_remove_session(struct fake_sysfs *f, unsigned host)
{
	fake_sysfs_remove(f, "sys/class/srp_remote_ports/port-%u:1", host);
	fake_sysfs_remove(f, "sys/class/scsi_host/host%u", host);
}

void fake_sysfs_add_disk(struct fake_sysfs *f, const struct fake_disk *d)
{
	char hctl[32], dir[160], buf[192];

	snprintf(hctl, sizeof(hctl), "%u:0:0:%u", d->host, d->lun);
	snprintf(dir, sizeof(dir), "sys/class/scsi_host/host%u/device/target%u:0:0/%s", d->host,
		 d->host, hctl);
	fake_sysfs_set(f, d->type ? d->type : "0", "%s/type", dir);
	fake_sysfs_set(f, "running", "%s/state", dir);
	if (d->wwid)
		fake_sysfs_set(f, d->wwid, "%s/wwid", dir);
	if (d->sg) {
		char link[96];

		fake_sysfs_set(f, "", "%s/scsi_generic/%s/uevent", dir, d->sg);
		snprintf(buf, sizeof(buf), "../../../devices/virtual/host%u/%s", d->host, hctl);
		snprintf(link, sizeof(link), "sys/class/scsi_generic/%s/device", d->sg);
		add_link(f, buf, link);
	}
	if (d->disk) {
		fake_sysfs_set(f, "", "%s/block/%s/uevent", dir, d->disk);
		fake_sysfs_set(f, d->devno, "sys/block/%s/dev", d->disk);
		snprintf(buf, sizeof(buf), "%8u 1 2 3 %8u 5 6 7 %8u 9 10 0 0 0 0 3 0", d->reads,
			 d->writes, d->in_flight);
		fake_sysfs_set(f, buf, "sys/block/%s/stat", d->disk);
	}
}
