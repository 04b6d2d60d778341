/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/srp_luns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/root.h"

#define LUN_PATH_MAX 256

struct walk {
	int root_fd;
	struct srp_session *session;
	unsigned *budget;
	char target[64]; /* "target3:0:0" */
};

/* Documentation/block/stat.rst: reads completed is the first field, writes completed the fifth,
 * requests in flight the ninth. */
int srp_disk_stat(int root_fd, const char *disk, uint64_t *ret_completed, uint64_t *ret_in_flight)
{
	uint64_t reads, writes, in_flight;
	char buf[512];
	ssize_t n = root_readf(root_fd, buf, sizeof(buf), "sys/block/%s/stat", disk);

	if (n < 0)
		return -ENOENT;
	if (sscanf(buf, "%" SCNu64 " %*u %*u %*u %" SCNu64 " %*u %*u %*u %" SCNu64, &reads, &writes,
		   &in_flight) != 3)
		return -EBADMSG;
	*ret_completed = reads + writes;
	*ret_in_flight = in_flight;
	return 0;
}

struct name {
	char *buf;
	size_t size;
};

static int take_name(const char *name, void *userdata)
{
	struct name *n = userdata;

	if (strlen(name) < n->size)
		strcpy(n->buf, name);
	return 1;
}

/* The one entry of a directory such as block/ or scsi_generic/; empty where there is none. */
static void only_entry(int root_fd, const char *path, char *buf, size_t size)
{
	struct name n = { buf, size };

	buf[0] = '\0';
	(void)root_each(root_fd, path, 1, take_name, &n);
}

/* Attributes that a device may lack, or that do not fit: an empty string. */
static void read_or_empty(int root_fd, const char *dir, const char *name, char *buf, size_t size)
{
	if (root_readf(root_fd, buf, size, "%s/%s", dir, name) < 0)
		buf[0] = '\0';
}

/* 1 where it is a disk, 0 where it is another kind of device, or its disk is not there (yet). */
static int lun_read(int root_fd, const char *dir, const char *hctl, struct srp_lun *lun)
{
	char path[LUN_PATH_MAX + 32], type[16];

	memset(lun, 0, sizeof(*lun));
	snprintf(path, sizeof(path), "%s/scsi_generic", dir);
	only_entry(root_fd, path, lun->sg, sizeof(lun->sg));
	read_or_empty(root_fd, dir, "type", type, sizeof(type));
	if (strcmp(type, "0") != 0)
		return 0;
	snprintf(path, sizeof(path), "%s/block", dir);
	only_entry(root_fd, path, lun->disk, sizeof(lun->disk));
	if (!lun->disk[0] ||
	    root_readf(root_fd, lun->devno, sizeof(lun->devno), "sys/block/%s/dev", lun->disk) < 0)
		return 0;
	strcpy(lun->hctl, hctl);
	read_or_empty(root_fd, dir, "wwid", lun->wwid, sizeof(lun->wwid));
	read_or_empty(root_fd, dir, "state", lun->state, sizeof(lun->state));
	(void)srp_disk_stat(root_fd, lun->disk, &lun->completed, &lun->in_flight);
	return 1;
}

static int add_lun(const char *name, void *userdata)
{
	struct walk *w = userdata;
	struct srp_session *s = w->session;
	struct srp_lun *luns, lun;
	char dir[LUN_PATH_MAX];
	unsigned host, channel, id;
	unsigned long long number;
	int end = 0;

	if (sscanf(name, "%u:%u:%u:%llu%n", &host, &channel, &id, &number, &end) != 4 ||
	    name[end] != '\0' || host != s->host_no || strlen(name) >= sizeof(lun.hctl))
		return 0;
	if (snprintf(dir, sizeof(dir), "sys/class/scsi_host/%s/device/%s/%s", s->host, w->target,
		     name) >= (int)sizeof(dir))
		return 0;
	if (lun_read(w->root_fd, dir, name, &lun) == 0)
		s->n_others++;
	if (!s->any_sg[0])
		strcpy(s->any_sg, lun.sg);
	if (!lun.disk[0] || !lun.hctl[0] || *w->budget == 0)
		return 0;
	luns = reallocarray(s->luns, s->n_luns + 1, sizeof(*luns));
	if (!luns)
		return -ENOMEM;
	s->luns = luns;
	s->luns[s->n_luns++] = lun;
	(*w->budget)--;
	return 0;
}

static int walk_target(const char *name, void *userdata)
{
	struct walk *w = userdata;
	char dir[LUN_PATH_MAX];

	if (strncmp(name, "target", strlen("target")) != 0 || strlen(name) >= sizeof(w->target))
		return 0;
	strcpy(w->target, name);
	snprintf(dir, sizeof(dir), "sys/class/scsi_host/%s/device/%s", w->session->host, name);
	return root_each(w->root_fd, dir, OBSERVE_LUNS_MAX, add_lun, w);
}

static int compare_luns(const void *a, const void *b)
{
	return strverscmp(((const struct srp_lun *)a)->hctl, ((const struct srp_lun *)b)->hctl);
}

int srp_luns_read(int root_fd, struct srp_session *s, unsigned *budget)
{
	struct walk w = { .root_fd = root_fd, .session = s, .budget = budget };
	char dir[LUN_PATH_MAX];
	int r;

	snprintf(dir, sizeof(dir), "sys/class/scsi_host/%s/device", s->host);
	r = root_each(root_fd, dir, OBSERVE_LUNS_MAX, walk_target, &w);
	/* A directory that goes away under us is a session that goes away. */
	if (r < 0 && r != -ENOMEM)
		r = 0;
	if (s->n_luns)
		qsort(s->luns, s->n_luns, sizeof(*s->luns), compare_luns);
	return r < 0 ? r : srp_session_index(s);
}
