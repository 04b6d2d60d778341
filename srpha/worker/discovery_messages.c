/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/discovery_messages.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "fabric/flight.h"
#include "wire/channel.h"
#include "wire/messages.h"

#define PEER_WINDOW_MAX 64
#define TIMEOUT_MIN_USEC (10 * USEC_PER_MSEC)
#define TIMEOUT_MAX_USEC (60 * USEC_PER_SEC)
#define RESCAN_MIN_USEC USEC_PER_SEC
#define SPAN_MAX_USEC (24 * 3600 * USEC_PER_SEC)

void discovery_settings_default(struct discovery_settings *ret)
{
	*ret = (struct discovery_settings){
		.enabled = true,
		.scan = {
			.flight = { .window = 32, .retries = 3, .timeout_usec = USEC_PER_SEC },
			.per_peer = 4,
			.ageing_usec = 300 * USEC_PER_SEC,
		},
		.rescan_usec = 60 * USEC_PER_SEC,
	};
}

/* An optional number: *value stays where it is absent. */
static bool read_number(struct json_object *o, const char *key, uint64_t min, uint64_t max,
			uint64_t *value, const char **ret_what)
{
	int r = json_get_u64(o, key, max, value);

	*ret_what = key;
	return r == -ENOENT || (r == 0 && *value >= min);
}

static bool read_unsigned(struct json_object *o, const char *key, unsigned min, unsigned max,
			  unsigned *value, const char **ret_what)
{
	uint64_t v = *value;
	bool good = read_number(o, key, min, max, &v, ret_what);

	if (good)
		*value = (unsigned)v;
	return good;
}

int discovery_settings_parse(struct json_object *config, struct discovery_settings *ret,
			     const char **ret_what)
{
	struct discovery_settings s;
	struct flight_config *f = &s.scan.flight;
	struct json_object *o;
	int r;

	discovery_settings_default(&s);
	*ret_what = "discovery";
	r = json_get_object(config, "discovery", &o);
	if (r == -ENOENT) {
		s.enabled = false;
		*ret = s;
		return 0;
	}
	if (r < 0)
		return -EBADMSG;
	*ret_what = "enabled";
	if (json_get_bool(o, "enabled", &s.enabled) < 0 ||
	    !read_unsigned(o, "window", 1, FLIGHT_WINDOW_MAX, &f->window, ret_what) ||
	    !read_unsigned(o, "window_per_peer", 1, PEER_WINDOW_MAX, &s.scan.per_peer, ret_what) ||
	    !read_number(o, "mad_timeout_usec", TIMEOUT_MIN_USEC, TIMEOUT_MAX_USEC,
			 &f->timeout_usec, ret_what) ||
	    !read_unsigned(o, "mad_retries", 0, FLIGHT_RETRIES_MAX, &f->retries, ret_what) ||
	    !read_number(o, "rescan_usec", 0, SPAN_MAX_USEC, &s.rescan_usec, ret_what) ||
	    (s.rescan_usec > 0 && s.rescan_usec < RESCAN_MIN_USEC) ||
	    !read_number(o, "ageing_usec", RESCAN_MIN_USEC, SPAN_MAX_USEC, &s.scan.ageing_usec,
			 ret_what))
		return -EBADMSG;
	*ret = s;
	return 0;
}

static const char *reason_name(enum scan_reason r)
{
	static const char *const names[] = {
		[REASON_START] = "start", [REASON_PORT] = "port",     [REASON_REQUEST] = "request",
		[REASON_TIMER] = "timer", [REASON_NOTICE] = "notice",
	};

	return names[r];
}

struct json_object *scan_message(const struct scan_result *r, enum scan_reason reason,
				 uint64_t generation, unsigned n_offers, bool notices)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_put_string(o, "msg", MSG_SCAN);
	json_put_u64(o, "generation", generation);
	json_put_u64(o, "elapsed_usec", r->elapsed_usec);
	json_put_u64(o, "nodes", r->nodes);
	json_put_u64(o, "targets", r->targets);
	json_put_u64(o, "silent", r->silent);
	json_put_u64(o, "sent", r->counts.sent);
	json_put_u64(o, "timeouts", r->counts.timeouts);
	json_put_u64(o, "malformed", r->counts.malformed);
	json_put_u64(o, "offers", n_offers);
	json_put_bool(o, "complete", r->complete);
	json_put_string(o, "reason", reason_name(reason));
	json_put_bool(o, "notices", notices);
	if (r->why[0])
		json_put_string(o, "why", r->why);
	return o;
}

struct json_object *notice_message(const struct notice_event *e, uint16_t lid,
				   uint64_t elapsed_usec)
{
	static const char *const kinds[] = {
		[NOTICE_GID_IN] = "in-service",
		[NOTICE_GID_OUT] = "out-of-service",
		[NOTICE_CAPABILITY] = "capability",
	};
	struct json_object *o = json_object_new_object();
	char gid[GID_STR_MAX];

	if (!o)
		return NULL;
	json_put_string(o, "msg", MSG_NOTICE);
	json_put_string(o, "kind", kinds[e->kind]);
	if (e->kind != NOTICE_CAPABILITY)
		json_put_string(o, "gid", format_gid(e->gid, gid));
	if (lid)
		json_put_u64(o, "lid", lid);
	json_put_u64(o, "elapsed_usec", elapsed_usec);
	return o;
}
