/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/dm.h"

#include <errno.h>
#include <fcntl.h>
#include <libdevmapper.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"

#define CONTROL_NODE "/dev/mapper/control"
#define UUID_PREFIX "mpath-"

DEFINE_CLEANUP(struct dm_task *, dm_task_destroy)
#define _cleanup_task_ _cleanup_(dm_task_destroyp)

__attribute__((format(printf, 5, 6))) static void say_nothing(int level, const char *file, int line,
							      int dm_errno, const char *fmt, ...)
{
}

static int task_new(int type, struct dm_task **ret)
{
	struct dm_task *task;

	/* libdevmapper would print; this layer returns errors. Names are taken as the kernel has
	 * them: mangled ones would not be found again. Both settings are the library's own and
	 * cost nothing to repeat. */
	dm_log_with_errno_init(say_nothing);
	dm_set_name_mangling_mode(DM_STRING_MANGLING_NONE);
	/* It agrees on a version with the kernel first: without a control node there is no task. */
	task = dm_task_create(type);
	if (!task)
		return -ENODEV;
	*ret = task;
	return 0;
}

static int task_run(struct dm_task *task)
{
	int err;

	if (dm_task_run(task))
		return 0;
	/* No errno: it never came to an ioctl. */
	err = dm_task_get_errno(task);
	return err ? -err : -ENODEV;
}

static int compare_maps(const void *a, const void *b)
{
	return strcmp(((const struct dm_map *)a)->name, ((const struct dm_map *)b)->name);
}

static void map_clear(struct dm_map *m)
{
	free(m->paths);
	memset(m, 0, sizeof(*m));
}

void dm_view_clear(struct dm_view *v)
{
	for (unsigned i = 0; i < v->n_maps; i++)
		map_clear(&v->maps[i]);
	free(v->maps);
	devnos_clear(&v->devnos);
	memset(v, 0, sizeof(*v));
}

/* The first target's type and parameters; strings live as long as the task. */
static bool first_target(struct dm_task *task, const char **ret_params)
{
	uint64_t start, length;
	char *type = NULL, *params = NULL;

	(void)dm_get_next_target(task, NULL, &start, &length, &type, &params);
	if (!type || strcmp(type, "multipath") != 0 || !params)
		return false;
	*ret_params = params;
	return true;
}

static int map_task(int type, const char *name, struct dm_task **ret)
{
	_cleanup_task_ struct dm_task *task = NULL;
	int r = task_new(type, &task);

	if (r < 0)
		return r;
	if (!dm_task_set_name(task, name))
		return -ENOMEM;
	/* Neither may wait for I/O that is stuck on the paths of this very map. */
	if (!dm_task_no_flush(task) || !dm_task_no_open_count(task))
		return -EINVAL;
	r = task_run(task);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(task);
	return 0;
}

static int map_read_queueing(struct dm_map *map)
{
	_cleanup_task_ struct dm_task *task = NULL;
	const char *params;
	int r = map_task(DM_DEVICE_TABLE, map->name, &task);

	if (r < 0)
		return r;
	if (!first_target(task, &params))
		return -ENXIO;
	return dm_table_parse(params, &map->queueing);
}

/* 0, or -ENXIO where it is gone or no multipath map. */
static int map_read(const char *name, struct dm_map *ret)
{
	_cleanup_task_ struct dm_task *task = NULL;
	struct dm_map map = { 0 };
	struct dm_info info;
	const char *params, *uuid;
	int r = map_task(DM_DEVICE_STATUS, name, &task);

	if (r < 0)
		return r;
	uuid = dm_task_get_uuid(task);
	if (!dm_task_get_info(task, &info) || !info.exists || !uuid ||
	    strncmp(uuid, UUID_PREFIX, strlen(UUID_PREFIX)) != 0 ||
	    strlen(uuid) >= sizeof(map.uuid) || strlen(name) >= sizeof(map.name) ||
	    !first_target(task, &params))
		return -ENXIO;
	strcpy(map.name, name);
	strcpy(map.uuid, uuid);
	snprintf(map.devno, sizeof(map.devno), "%u:%u", info.major, info.minor);
	map.event_nr = info.event_nr;
	r = dm_status_parse(params, &map);
	if (r == 0)
		r = map_read_queueing(&map);
	if (r < 0) {
		map_clear(&map);
		return r;
	}
	*ret = map;
	return 0;
}

/* Since 4.45 an entry of the list carries its UUID: then other people's devices need no ioctl. */
static bool has_uuids(struct dm_task *task)
{
	char version[64];
	unsigned major, minor;

	return dm_task_get_driver_version(task, version, sizeof(version)) &&
	       sscanf(version, "%u.%u.", &major, &minor) == 2 &&
	       (major > 4 || (major == 4 && minor >= 45));
}

static bool may_be_multipath(const struct dm_names *n)
{
	size_t end = offsetof(struct dm_names, name) + strlen(n->name) + 1;
	const char *extension = (const char *)n + ((end + 7) & ~(size_t)7);
	uint32_t flags;

	memcpy(&flags, extension + sizeof(uint32_t), sizeof(flags));
	if (flags & DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID)
		return false;
	return !(flags & DM_NAME_LIST_FLAG_HAS_UUID) ||
	       strncmp(extension + 2 * sizeof(uint32_t), UUID_PREFIX, strlen(UUID_PREFIX)) == 0;
}

static int view_add(struct dm_view *v, const char *name)
{
	struct dm_map *maps = reallocarray(v->maps, v->n_maps + 1, sizeof(*maps));
	int r;

	if (!maps)
		return -ENOMEM;
	v->maps = maps;
	r = map_read(name, &v->maps[v->n_maps]);
	/* Gone meanwhile, or a line that is not understood: the other maps are needed all the same. */
	if (r == -ENXIO || r == -EBADMSG)
		return 0;
	if (r < 0)
		return r;
	v->n_maps++;
	return 0;
}

int dm_view_index(struct dm_view *v)
{
	int r = 0;

	for (unsigned i = 0; i < v->n_maps && r >= 0; i++)
		for (unsigned k = 0; k < v->maps[i].n_paths && r >= 0; k++)
			r = devnos_add(&v->devnos, v->maps[i].paths[k].devno, i, k);
	devnos_sort(&v->devnos);
	return r;
}

int dm_view_read(struct dm_view *ret)
{
	_cleanup_task_ struct dm_task *task = NULL;
	_cleanup_(dm_view_clear) struct dm_view v = { 0 };
	const struct dm_names *n;
	bool uuids;
	int r = task_new(DM_DEVICE_LIST, &task);

	if (r < 0)
		return r;
	r = task_run(task);
	if (r < 0)
		return r;
	uuids = has_uuids(task);
	n = dm_task_get_names(task);
	/* dev 0 is the one entry of an empty list. */
	while (n && n->dev && v.n_maps < OBSERVE_MAPS_MAX) {
		if (!uuids || may_be_multipath(n))
			r = view_add(&v, n->name);
		if (r < 0)
			return r;
		n = n->next ? (const struct dm_names *)((const char *)n + n->next) : NULL;
	}
	if (v.n_maps)
		qsort(v.maps, v.n_maps, sizeof(*v.maps), compare_maps);
	r = dm_view_index(&v);
	if (r < 0)
		return r;
	*ret = v;
	v = (struct dm_view){ 0 };
	return 0;
}

const struct dm_map *dm_view_find_path(const struct dm_view *v, const char *devno,
				       const struct dm_path **ret_path)
{
	const struct devno_entry *e = devnos_find(&v->devnos, devno);

	if (!e)
		return NULL;
	if (ret_path)
		*ret_path = &v->maps[e->owner].paths[e->item];
	return &v->maps[e->owner];
}

int dm_events_open(void)
{
	int fd = open(CONTROL_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return -errno;
	r = dm_events_arm(fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int dm_events_arm(int fd)
{
	/* The version is checked by the kernel against its own: 4.37 brought ARM_POLL. */
	struct dm_ioctl arm = {
		.version = { DM_VERSION_MAJOR, 37, 0 },
		.data_size = sizeof(arm),
		.data_start = sizeof(arm),
	};

	return ioctl(fd, DM_DEV_ARM_POLL, &arm) < 0 ? -errno : 0;
}

static int path_message(const char *verb, const char *uuid, const char *devno)
{
	_cleanup_task_ struct dm_task *task = NULL;
	char message[64];
	int r;

	if (strncmp(uuid, UUID_PREFIX, strlen(UUID_PREFIX)) != 0)
		return -ESTALE;
	if (snprintf(message, sizeof(message), "%s %s", verb, devno) >= (int)sizeof(message))
		return -EINVAL;
	r = task_new(DM_DEVICE_TARGET_MSG, &task);
	if (r < 0)
		return r;
	if (!dm_task_set_uuid(task, uuid) || !dm_task_set_sector(task, 0) ||
	    !dm_task_set_message(task, message))
		return -ENOMEM;
	r = task_run(task);
	if (r == -ENXIO)
		return -ESTALE;
	return r == -EINVAL ? -ENOENT : r;
}

int dm_fail_path(const char *uuid, const char *devno)
{
	return path_message("fail_path", uuid, devno);
}

int dm_reinstate_path(const char *uuid, const char *devno)
{
	return path_message("reinstate_path", uuid, devno);
}

int dm_warm(void)
{
	/* A message to a map that cannot be (no WWID) takes the whole way but the last step. */
	int r = dm_fail_path(UUID_PREFIX, "0:0");

	return r == -ESTALE ? 0 : r;
}
