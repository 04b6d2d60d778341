/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What device-mapper says of multipath maps, through libdevmapper: names, paths, states. Reading
 * is one ioctl a map and does not sleep on I/O (DM_DEVICE_STATUS with noflush). Changing goes
 * through the two messages below and belongs in an actor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "observe/devnos.h"

#define OBSERVE_MAPS_MAX 8192
#define OBSERVE_MAP_PATHS_MAX 1024

struct dm_path {
	char devno[16]; /* "8:16" */
	bool active;	/* 'A' in the status line, 'F' is failed */
	unsigned failures;
};

struct dm_map {
	char name[129];
	char uuid[130];	   /* "mpath-<wwid>" */
	char devno[16];	   /* "254:0" */
	bool queueing;	   /* queue_if_no_path is on (from the table line) */
	uint32_t event_nr; /* for telling a change */
	struct dm_path *paths;
	unsigned n_paths;
};

struct dm_view {
	struct dm_map *maps; /* sorted by name */
	unsigned n_maps;
	struct devnos devnos; /* of all paths; owner: in maps, item: in its paths */
};

/*
 * Opens device-mapper's control node, agrees on a version with the kernel and sends a message to
 * nobody, so that the first real one does not pay for it. 0, or -ENODEV where there is no
 * device-mapper.
 */
int dm_warm(void);

/*
 * All maps with a multipath target whose UUID begins with "mpath-". 0 or negative errno; -ENODEV
 * where there is no device-mapper.
 */
int dm_view_read(struct dm_view *ret);
void dm_view_clear(struct dm_view *v);

/* Makes its paths findable; dm_view_read() has done it. 0 or -ENOMEM. */
int dm_view_index(struct dm_view *v);
const struct dm_map *dm_view_find_path(const struct dm_view *v, const char *devno,
				       const struct dm_path **ret_path);

/*
 * Parses one status line of the multipath target into paths and n_paths: pure, bounded. 0,
 * -EBADMSG or -ENOMEM. `map` is to be zeroed, or to hold paths of its own, which are freed; it has
 * no paths after an error.
 */
int dm_status_parse(const char *params, struct dm_map *map);

/*
 * Parses the features of one table line: the status line does not tell queue_if_no_path (the first
 * feature there is QUEUE_IO: drivers/md/dm-mpath.c, multipath_status()). 0 or -EBADMSG.
 */
int dm_table_parse(const char *params, bool *ret_queueing);

/*
 * A descriptor that polls readable (EPOLLIN) when any dm device changed (/dev/mapper/control,
 * DM_DEV_ARM_POLL): arm it again before reading the view. Negative errno where unsupported.
 */
int dm_events_open(void);
int dm_events_arm(int fd);

/*
 * fail_path / reinstate_path messages, addressed by the UUID alone (names are reused). 0, -ESTALE
 * where no map has that UUID or it is not a multipath one, -ENOENT where the map does not hold the
 * path, -EBUSY while the map is suspended (multipathd reloads it: try again), other errno.
 */
int dm_fail_path(const char *uuid, const char *devno);
int dm_reinstate_path(const char *uuid, const char *devno);
