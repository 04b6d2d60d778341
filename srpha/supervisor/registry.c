/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/channel.h"

#define REGISTRY_VERSION 1
#define REGISTRY_FILE "registry.json"
#define REGISTRY_SIZE_MAX (4 * 1024 * 1024)

struct record *record_find(struct manager *m, const char *path)
{
	struct record *r;

	LIST_FOREACH (r, &m->records, link)
		if (strcmp(r->path, path) == 0)
			return r;
	return NULL;
}

struct record *record_get(struct manager *m, const struct path *p)
{
	struct record *r = record_find(m, p->name);

	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return NULL;
		snprintf(r->path, sizeof(r->path), "%s", p->name);
		LIST_INSERT_HEAD(&m->records, r, link);
	}
	snprintf(r->target, sizeof(r->target), "%s", p->target);
	snprintf(r->dest, sizeof(r->dest), "%s", p->dest);
	snprintf(r->port, sizeof(r->port), "%s", p->port);
	r->has_identity = p->has_identity;
	r->has_initiator_ext = p->has_initiator_ext;
	r->id_ext = p->id_ext;
	r->ioc_guid = p->ioc_guid;
	r->initiator_ext = p->initiator_ext;
	r->answered = p->probe.view != PROBE_UNKNOWN;
	r->fabric = p->fabric;
	r->pkey = p->pkey;
	r->service_id = p->service_id;
	m->registry_stale = true;
	return r;
}

static int copy_string(struct json_object *o, const char *key, char *buf, size_t size)
{
	const char *s;
	int r = json_get_string(o, key, &s);

	if (r < 0)
		return r;
	if (strlen(s) >= size)
		return -EBADMSG;
	strcpy(buf, s);
	return 0;
}

/* Only of a path that a scan found. */
static int fabric_parse(struct json_object *o, struct record *r)
{
	uint64_t pkey;
	uint8_t gid[16];
	int k = json_get_u64(o, "pkey", UINT16_MAX, &pkey);

	if (k == -ENOENT)
		return 0;
	if (k < 0 || json_get_guid(o, "service_id", &r->service_id) < 0 ||
	    parse_gid(r->dest, gid) < 0)
		return -EBADMSG;
	r->fabric = true;
	r->pkey = (uint16_t)pkey;
	return 0;
}

static int record_parse(struct json_object *o, struct record *r)
{
	int k;

	if (copy_string(o, "path", r->path, sizeof(r->path)) < 0 ||
	    copy_string(o, "target", r->target, sizeof(r->target)) < 0 ||
	    copy_string(o, "dest", r->dest, sizeof(r->dest)) < 0 ||
	    copy_string(o, "port", r->port, sizeof(r->port)) < 0 ||
	    json_get_bool(o, "has_identity", &r->has_identity) < 0 ||
	    json_get_bool(o, "has_initiator_ext", &r->has_initiator_ext) < 0 ||
	    json_get_guid(o, "id_ext", &r->id_ext) < 0 ||
	    json_get_guid(o, "ioc_guid", &r->ioc_guid) < 0 ||
	    json_get_guid(o, "initiator_ext", &r->initiator_ext) < 0 ||
	    json_get_bool(o, "pending", &r->pending) < 0 ||
	    json_get_bool(o, "answered", &r->answered) < 0 ||
	    json_get_bool(o, "drained", &r->drained) < 0 || fabric_parse(o, r) < 0)
		return -EBADMSG;
	k = copy_string(o, "host", r->host, sizeof(r->host));
	if (k == -ENOENT)
		return 0;
	if (k < 0 || json_get_u64(o, "instance", UINT64_MAX, &r->instance) < 0)
		return -EBADMSG;
	return 0;
}

static struct json_object *record_format(const struct record *r)
{
	struct json_object *o = json_object_new_object();

	json_put_string(o, "path", r->path);
	json_put_string(o, "target", r->target);
	json_put_string(o, "dest", r->dest);
	json_put_string(o, "port", r->port);
	json_put_bool(o, "has_identity", r->has_identity);
	json_put_bool(o, "has_initiator_ext", r->has_initiator_ext);
	json_put_guid(o, "id_ext", r->id_ext);
	json_put_guid(o, "ioc_guid", r->ioc_guid);
	json_put_guid(o, "initiator_ext", r->initiator_ext);
	json_put_bool(o, "pending", r->pending);
	json_put_bool(o, "answered", r->answered);
	json_put_bool(o, "drained", r->drained);
	if (r->fabric) {
		json_put_u64(o, "pkey", r->pkey);
		json_put_guid(o, "service_id", r->service_id);
	}
	if (r->host[0]) {
		json_put_string(o, "host", r->host);
		json_put_u64(o, "instance", r->instance);
	}
	return o;
}

static int parse_records(struct manager *m, struct json_object *root)
{
	struct json_object *list;
	uint64_t version;

	if (json_get_u64(root, "version", UINT64_MAX, &version) < 0 ||
	    version != REGISTRY_VERSION || json_get_array(root, "paths", PATHS_MAX, &list) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		struct record *r;

		if (!json_object_is_type(o, json_type_object))
			return -EBADMSG;
		r = calloc(1, sizeof(*r));
		if (!r)
			return -ENOMEM;
		if (record_parse(o, r) < 0) {
			free(r);
			return -EBADMSG;
		}
		LIST_INSERT_HEAD(&m->records, r, link);
	}
	return 0;
}

/* Set aside rather than lost: somebody may want to look. */
static int refuse(struct manager *m, const char *path)
{
	char aside[512];

	registry_free(m);
	snprintf(aside, sizeof(aside), "%s.broken", path);
	(void)rename(path, aside);
	return -EBADMSG;
}

int registry_load(struct manager *m)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ struct json_object *root = NULL;
	_cleanup_close_ int fd = -EBADF;
	char path[480];
	struct stat st;
	ssize_t n;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", m->runtime_dir, REGISTRY_FILE) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > REGISTRY_SIZE_MAX)
		return refuse(m, path);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = read(fd, text, (size_t)st.st_size);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	root = json_tokener_parse(text);
	if (!json_object_is_type(root, json_type_object) || parse_records(m, root) < 0)
		return refuse(m, path);
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int registry_save(struct manager *m)
{
	_cleanup_json_ struct json_object *root = json_object_new_object();
	struct json_object *list = json_object_new_array();
	_cleanup_close_ int fd = -EBADF;
	char path[480], fresh[512];
	unsigned n = 0;
	const char *text;
	struct record *r;
	size_t len;
	int k;

	json_put_u64(root, "version", REGISTRY_VERSION);
	LIST_FOREACH (r, &m->records, link)
		if (n++ < PATHS_MAX)
			json_object_array_add(list, record_format(r));
	json_object_object_add(root, "paths", list);
	text = json_object_to_json_string_length(root, JSON_C_TO_STRING_PLAIN, &len);
	if (!text)
		return -ENOMEM;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", m->runtime_dir, REGISTRY_FILE) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	k = write_all(fd, text, len);
	if (k >= 0 && rename(fresh, path) < 0)
		k = -errno;
	if (k < 0) {
		(void)unlink(fresh);
		return k;
	}
	m->registry_stale = false;
	return 0;
}

void registry_free(struct manager *m)
{
	struct record *r;

	while ((r = LIST_FIRST(&m->records))) {
		LIST_REMOVE(r, link);
		free(r);
	}
}
