/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/channel.h"

/* As many maps as there may be, each with as many paths as a session has LUNs at most. */
#define MAPS_MAX 8192
#define MAP_PATHS_MAX 1024

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-"

static bool is_name(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len < 72 && s[0] != '.' && strspn(s, NAME_LETTERS) == len;
}

int request_name(struct json_object *o, const char *key, const char **ret)
{
	const char *s;
	int r = json_get_string(o, key, &s);

	if (r < 0)
		return r;
	if (!is_name(s))
		return -EBADMSG;
	*ret = s;
	return 0;
}

int request_deadline(const struct actor *a, struct json_object *o, uint64_t *ret)
{
	uint64_t usec;
	int r = json_get_u64(o, "deadline_usec", REQUEST_DEADLINE_MAX, &usec);

	if (r < 0)
		return r;
	*ret = a->started_usec + usec;
	return 0;
}

static int add_map(struct json_object *m, struct map_path **list, unsigned *n)
{
	struct json_object *paths;
	const char *name, *uuid;
	struct map_path *grown;
	size_t count;

	if (!json_object_is_type(m, json_type_object) || json_get_string(m, "name", &name) < 0 ||
	    json_get_string(m, "uuid", &uuid) < 0 ||
	    json_get_array(m, "paths", MAP_PATHS_MAX, &paths) < 0)
		return -EBADMSG;
	count = json_object_array_length(paths);
	grown = reallocarray(*list, *n + count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*list = grown;
	for (size_t i = 0; i < count; i++) {
		struct json_object *p = json_object_array_get_idx(paths, i);

		if (!json_object_is_type(p, json_type_string) ||
		    !is_name(json_object_get_string(p)))
			return -EBADMSG;
		grown[(*n)++] = (struct map_path){ name, uuid, json_object_get_string(p) };
	}
	return 0;
}

int request_map_paths(struct json_object *o, struct map_path **ret, unsigned *ret_n)
{
	_cleanup_free_ struct map_path *list = NULL;
	struct json_object *maps;
	unsigned n = 0;
	int r = json_get_array(o, "maps", MAPS_MAX, &maps);

	if (r < 0)
		return r;
	for (size_t i = 0; i < json_object_array_length(maps); i++) {
		r = add_map(json_object_array_get_idx(maps, i), &list, &n);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}

int request_session(const struct actor *a, struct json_object *o, struct json_object *reply,
		    struct request_session *ret)
{
	struct request_session s = { 0 };
	uint64_t wanted, instance;
	unsigned rport_host;
	int r = request_name(o, "host", &s.host);

	if (r == 0)
		r = request_name(o, "rport", &s.rport);
	if (r < 0)
		return r;
	if (sscanf(s.host, "host%u", &s.host_no) != 1 ||
	    sscanf(s.rport, "port-%u:", &rport_host) != 1 || s.host_no != rport_host)
		return -EBADMSG;
	r = json_get_u64(o, "instance", UINT64_MAX, &wanted);
	if (r == 0 &&
	    (srp_host_instance(a->root_fd, s.host, &instance) < 0 || instance != wanted)) {
		reply_error(reply, "%s is not the session that was meant any more", s.host);
		return -ESTALE;
	}
	if (r < 0 && r != -ENOENT)
		return r;
	r = json_get_string(o, "dest", &s.dest);
	if (r == 0)
		r = json_get_string(o, "gid", &s.gid);
	else if (r != -ENOENT)
		return r;
	if (s.dest && r < 0)
		return -EBADMSG;
	*ret = s;
	return 0;
}

void reply_error(struct json_object *reply, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (json_object_object_get_ex(reply, "error", NULL))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_put_string(reply, "error", text);
}

void reply_list_add(struct json_object *reply, const char *key, const char *value)
{
	struct json_object *list;

	if (!json_object_object_get_ex(reply, key, &list)) {
		list = json_object_new_array();
		json_object_object_add(reply, key, list);
	}
	if (value && !reply_list_has(reply, key, value))
		json_object_array_add(list, json_object_new_string(value));
}

bool reply_list_has(struct json_object *reply, const char *key, const char *value)
{
	struct json_object *list;

	if (!json_object_object_get_ex(reply, key, &list))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), value) == 0)
			return true;
	return false;
}
