/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/guard.h"

#include <stdio.h>
#include <string.h>

static bool map_holds(const struct dm_map *map, const struct srp_session *session)
{
	for (unsigned i = 0; i < map->n_paths; i++)
		if (session_has_devno(session, map->paths[i].devno))
			return true;
	return false;
}

bool guard_map_has_other(const struct dm_map *map, const struct srp_session *session,
			 guard_usable_fn usable, void *userdata)
{
	for (unsigned i = 0; i < map->n_paths; i++) {
		const struct dm_path *p = &map->paths[i];

		if (p->active && !session_has_devno(session, p->devno) &&
		    usable(p->devno, userdata))
			return true;
	}
	return false;
}

static void name_first(struct guard_verdict *v, const char *name)
{
	if (!v->name[0])
		snprintf(v->name, sizeof(v->name), "%s", name);
}

void guard_judge(const struct dm_view *maps, const struct srp_session *session,
		 guard_usable_fn usable, guard_in_use_fn in_use, void *userdata,
		 struct guard_verdict *ret)
{
	*ret = (struct guard_verdict){};
	for (unsigned i = 0; i < maps->n_maps; i++) {
		const struct dm_map *map = &maps->maps[i];

		if (!map_holds(map, session))
			continue;
		ret->maps++;
		if (!guard_map_has_other(map, session, usable, userdata)) {
			ret->last++;
			name_first(ret, map->name);
		}
	}
	for (unsigned i = 0; i < session->n_luns; i++) {
		const struct dm_path *path;

		if (!dm_view_find_path(maps, session->luns[i].devno, &path) &&
		    in_use(&session->luns[i], userdata)) {
			ret->bare++;
			name_first(ret, session->luns[i].disk);
		}
	}
}
