/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last-path guard: which maps would be left without a usable path if the LUN paths of one
 * session went away. Pure: it reads a view of device-mapper and asks the caller about the others.
 */
#pragma once

#include <stdbool.h>

#include "observe/dm.h"
#include "observe/srp.h"

/* Whether the disk `devno`, not of the session in question, can be expected to serve I/O. */
typedef bool (*guard_usable_fn)(const char *devno, void *userdata);

/* Whether somebody uses a LUN path that is in no map: mounted, or held by LVM or md. */
typedef bool (*guard_in_use_fn)(const struct srp_lun *lun, void *userdata);

struct guard_verdict {
	unsigned maps;	/* maps that hold a LUN path of the session */
	unsigned last;	/* of those, maps for which the session is the last usable path */
	unsigned bare;	/* LUN paths in no map at all: nothing else reaches those disks */
	char name[129]; /* the first map, or else disk, that would be lost; empty where none */
};

void guard_judge(const struct dm_view *maps, const struct srp_session *session,
		 guard_usable_fn usable, guard_in_use_fn in_use, void *userdata,
		 struct guard_verdict *ret);

/* Whether `map` has a usable path that is not of `session`. */
bool guard_map_has_other(const struct dm_map *map, const struct srp_session *session,
			 guard_usable_fn usable, void *userdata);
