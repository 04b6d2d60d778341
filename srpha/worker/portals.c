/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/portals.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fabric/ibport.h"
#include "wire/channel.h"
#include "wire/messages.h"

/* Bounds of what a supervisor may ask for, so that no value can make a busy loop. */
#define INTERVAL_MIN_USEC (10 * USEC_PER_MSEC)
#define INTERVAL_MAX_USEC (3600 * USEC_PER_SEC)
#define TIMEOUT_MIN_USEC USEC_PER_MSEC

/* Handles have 31 bits. */
#define GENERATION_MAX (INT32_MAX / PORTALS_MAX)

_Static_assert((PORTALS_MAX & (PORTALS_MAX - 1)) == 0, "a handle holds the slot in its low bits");

struct target_portal *portal_next(const struct portal_table *t, unsigned *i)
{
	while (*i < PORTALS_MAX) {
		struct target_portal *tp = t->slots[(*i)++];

		if (tp)
			return tp;
	}
	return NULL;
}

struct target_portal *portal_by_id(const struct portal_table *t, uint64_t id)
{
	struct target_portal *tp;
	unsigned i = 0;

	while ((tp = portal_next(t, &i)))
		if (tp->settings.id == id)
			return tp;
	return NULL;
}

struct target_portal *portal_by_handle(const struct portal_table *t, uint32_t handle)
{
	struct target_portal *tp = t->slots[handle % PORTALS_MAX];

	return tp && tp->handle == handle ? tp : NULL;
}

static void portal_free(struct target_portal *tp)
{
	if (!tp)
		return;
	iou_free(tp->walk);
	free(tp->reported);
	free(tp);
}

static int optional_guid(struct json_object *o, const char *key, bool *ret_has, uint64_t *ret)
{
	int r = json_get_guid(o, key, ret);

	*ret_has = r == 0;
	return r == -ENOENT ? 0 : r;
}

static int optional_gid(struct json_object *o, const char *key, bool *ret_has, uint8_t *ret)
{
	const char *text;
	int r = json_get_string(o, key, &text);

	*ret_has = false;
	if (r == -ENOENT)
		return 0;
	if (r < 0 || parse_gid(text, ret) < 0)
		return -EBADMSG;
	*ret_has = true;
	return 0;
}

static int optional_u64(struct json_object *o, const char *key, uint64_t max, uint64_t *value)
{
	int r = json_get_u64(o, key, max, value);

	return r == -ENOENT ? 0 : r;
}

static int optional_bool(struct json_object *o, const char *key, bool *value)
{
	int r = json_get_bool(o, key, value);

	return r == -ENOENT ? 0 : r;
}

/* Where it is: an IP address, or a target port of an InfiniBand fabric. */
static int parse_place(struct json_object *o, struct portal_settings *s, const char **ret_what)
{
	char gid[GID_STR_MAX];
	uint64_t pkey, lid = 0;
	const char *dest;
	int r;

	*ret_what = "gid";
	if (optional_gid(o, "gid", &s->has_gid, s->gid) < 0)
		return -EBADMSG;
	*ret_what = "pkey";
	r = json_get_u64(o, "pkey", UINT16_MAX, &pkey);
	if (r == -ENOENT) {
		*ret_what = "dest";
		if (json_get_string(o, "dest", &dest) < 0 || parse_portal(dest, &s->dest) < 0)
			return -EBADMSG;
		format_portal(&s->dest, s->text);
		return 0;
	}
	if (r < 0 || pkey == 0)
		return -EBADMSG;
	*ret_what = "lid";
	if (optional_u64(o, "lid", LID_UNICAST_MAX, &lid) < 0)
		return -EBADMSG;
	*ret_what = "gid";
	if (!s->has_gid)
		return -EBADMSG;
	s->infiniband = true;
	s->pkey = (uint16_t)pkey;
	s->lid = (uint16_t)lid;
	snprintf(s->text, sizeof(s->text), "%s (P_Key %04x)", format_gid(s->gid, gid), s->pkey);
	return 0;
}

/* One element of "portals"; *ret_what names the field that is wrong. */
static int parse_settings(struct json_object *o, struct portal_settings *ret, const char **ret_what)
{
	struct portal_settings s = { 0 };
	uint64_t misses = 3;

	s.probe.interval_usec = 100 * USEC_PER_MSEC;
	*ret_what = "id";
	if (json_get_u64(o, "id", UINT64_MAX, &s.id) < 0)
		return -EBADMSG;
	if (parse_place(o, &s, ret_what) < 0)
		return -EBADMSG;
	*ret_what = "id_ext";
	if (optional_guid(o, "id_ext", &s.has_id_ext, &s.id_ext) < 0)
		return -EBADMSG;
	*ret_what = "ioc_guid";
	if (optional_guid(o, "ioc_guid", &s.has_ioc_guid, &s.ioc_guid) < 0)
		return -EBADMSG;
	*ret_what = "answered";
	if (optional_bool(o, "answered", &s.answered) < 0)
		return -EBADMSG;
	*ret_what = "interval_usec";
	if (optional_u64(o, "interval_usec", INTERVAL_MAX_USEC, &s.probe.interval_usec) < 0 ||
	    s.probe.interval_usec < INTERVAL_MIN_USEC)
		return -EBADMSG;
	*ret_what = "timeout_usec";
	if (optional_u64(o, "timeout_usec", INTERVAL_MAX_USEC, &s.probe.timeout_usec) < 0 ||
	    (s.probe.timeout_usec > 0 && s.probe.timeout_usec < TIMEOUT_MIN_USEC))
		return -EBADMSG;
	*ret_what = "misses";
	if (optional_u64(o, "misses", 1000, &misses) < 0 || misses == 0)
		return -EBADMSG;
	s.probe.misses = (unsigned)misses;
	*ret = s;
	return 0;
}

static int portal_add(struct portal_table *t, const struct portal_settings *s,
		      const struct portal_changes *changes, void *userdata)
{
	struct target_portal *tp = calloc(1, sizeof(*tp));
	unsigned slot = 0;

	if (!tp)
		return -ENOMEM;
	while (t->slots[slot]) /* the caller has seen to it that there is room */
		slot++;
	tp->settings = *s;
	/* From 1, so that a handle is never 0; 22 bits of generation last for years. */
	t->generation = t->generation % GENERATION_MAX + 1;
	tp->handle = t->generation * PORTALS_MAX + slot;
	tp->next_usec = USEC_INFINITY;
	probe_init(&tp->probe, &s->probe);
	if (s->answered)
		probe_expect(&tp->probe);
	t->slots[slot] = tp;
	t->n++;
	changes->on_added(tp, userdata);
	return 0;
}

static void portal_drop(struct portal_table *t, struct target_portal *tp,
			const struct portal_changes *changes, void *userdata)
{
	changes->on_removed(tp, userdata);
	t->slots[tp->handle % PORTALS_MAX] = NULL;
	t->n--;
	portal_free(tp);
}

static bool same_place(const struct portal_settings *a, const struct portal_settings *b)
{
	if (a->infiniband != b->infiniband)
		return false;
	if (a->infiniband)
		return a->pkey == b->pkey && memcmp(a->gid, b->gid, sizeof(a->gid)) == 0;
	return portal_equal(&a->dest, &b->dest);
}

static bool settings_equal(const struct portal_settings *a, const struct portal_settings *b)
{
	return a->has_id_ext == b->has_id_ext && a->has_ioc_guid == b->has_ioc_guid &&
	       a->id_ext == b->id_ext && a->ioc_guid == b->ioc_guid && a->answered == b->answered &&
	       a->probe.interval_usec == b->probe.interval_usec &&
	       a->probe.timeout_usec == b->probe.timeout_usec && a->probe.misses == b->probe.misses;
}

static void portal_change(struct target_portal *tp, const struct portal_settings *s,
			  const struct portal_changes *changes, void *userdata)
{
	if (settings_equal(&tp->settings, s))
		return;
	/* Configured identifiers choose among what the target offers: choose again. */
	if (tp->settings.has_id_ext != s->has_id_ext || tp->settings.id_ext != s->id_ext ||
	    tp->settings.has_ioc_guid != s->has_ioc_guid || tp->settings.ioc_guid != s->ioc_guid)
		tp->learned = false;
	tp->settings = *s;
	probe_configure(&tp->probe, &s->probe);
	if (s->answered)
		probe_expect(&tp->probe);
	changes->on_changed(tp, userdata);
}

static const struct portal_settings *find_settings(const struct portal_settings *list, unsigned n,
						   uint64_t id)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].id == id)
			return &list[i];
	return NULL;
}

static int apply(struct portal_table *t, const struct portal_settings *list, unsigned n,
		 const struct portal_changes *changes, void *userdata)
{
	struct target_portal *tp;
	unsigned i = 0;

	while ((tp = portal_next(t, &i))) {
		const struct portal_settings *s = find_settings(list, n, tp->settings.id);

		if (!s || !same_place(s, &tp->settings))
			portal_drop(t, tp, changes, userdata);
	}
	for (i = 0; i < n; i++) {
		int r;

		tp = portal_by_id(t, list[i].id);
		if (tp) {
			portal_change(tp, &list[i], changes, userdata);
			continue;
		}
		r = portal_add(t, &list[i], changes, userdata);
		if (r < 0)
			return r;
	}
	return 0;
}

int portal_table_configure(struct portal_table *t, struct json_object *config,
			   const struct portal_changes *changes, void *userdata,
			   const char **ret_what)
{
	_cleanup_free_ struct portal_settings *list = NULL;
	struct json_object *array;
	unsigned n;

	*ret_what = "portals";
	if (json_get_array(config, "portals", PORTALS_MAX, &array) < 0)
		return -EBADMSG;
	n = (unsigned)json_object_array_length(array);
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(array, i);

		if (!json_object_is_type(o, json_type_object) ||
		    parse_settings(o, &list[i], ret_what) < 0)
			return -EBADMSG;
		*ret_what = "id (twice)";
		if (find_settings(list, i, list[i].id))
			return -EBADMSG;
	}
	return apply(t, list, n, changes, userdata);
}

void portal_table_clear(struct portal_table *t)
{
	for (unsigned i = 0; i < PORTALS_MAX; i++) {
		portal_free(t->slots[i]);
		t->slots[i] = NULL;
	}
	t->n = 0;
}

bool portal_id_ext(const struct target_portal *tp, uint64_t *ret)
{
	*ret = tp->settings.has_id_ext ? tp->settings.id_ext : tp->id_ext;
	return tp->settings.has_id_ext || tp->learned;
}

bool portal_ioc_guid(const struct target_portal *tp, uint64_t *ret)
{
	*ret = tp->settings.has_ioc_guid ? tp->settings.ioc_guid : tp->ioc_guid;
	return tp->settings.has_ioc_guid || tp->learned;
}

bool portal_ids_known(const struct target_portal *tp)
{
	uint64_t guid;

	return portal_id_ext(tp, &guid) && portal_ioc_guid(tp, &guid);
}

bool portal_ids_configured(const struct target_portal *tp)
{
	return tp->settings.has_id_ext && tp->settings.has_ioc_guid;
}

bool portals_infiniband(const struct portal_table *t)
{
	struct target_portal *tp;
	unsigned i = 0;

	while ((tp = portal_next(t, &i)))
		if (tp->settings.infiniband)
			return true;
	return false;
}

bool portal_learn(struct target_portal *tp, const struct iou_service *services, unsigned n)
{
	const struct portal_settings *s = &tp->settings;

	for (unsigned i = 0; i < n; i++) {
		if ((s->has_id_ext && services[i].id_ext != s->id_ext) ||
		    (s->has_ioc_guid && services[i].ioc_guid != s->ioc_guid))
			continue;
		tp->learned = true;
		tp->id_ext = services[i].id_ext;
		tp->ioc_guid = services[i].ioc_guid;
		return true;
	}
	return false;
}

void portal_set_why(struct target_portal *tp, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(tp->why, sizeof(tp->why), fmt, ap);
	va_end(ap);
}

void portal_clear_why(struct target_portal *tp)
{
	tp->why[0] = '\0';
}

struct json_object *portal_report(struct target_portal *tp)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();
	char gid[GID_STR_MAX];
	uint64_t guid;
	const char *text;

	if (!o)
		return NULL;
	json_put_string(o, "msg", MSG_PORTAL);
	json_put_u64(o, "id", tp->settings.id);
	json_put_bool(o, "routed", tp->routed);
	if (tp->has_gid)
		json_put_string(o, "gid", format_gid(tp->gid, gid));
	if (portal_id_ext(tp, &guid))
		json_put_guid(o, "id_ext", guid);
	if (portal_ioc_guid(tp, &guid))
		json_put_guid(o, "ioc_guid", guid);
	json_put_string(o, "probe", tp->can_send ? "possible" : "impossible");
	if (tp->why[0])
		json_put_string(o, "why", tp->why);

	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	if (!text || (tp->reported && strcmp(tp->reported, text) == 0))
		return NULL;
	free(tp->reported);
	tp->reported = strdup(text);
	return TAKE_PTR(o);
}
