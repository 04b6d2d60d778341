/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/render.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

#define REASONS_MAX 8

const char *view_string(struct json_object *o, const char *key)
{
	const char *s = NULL;

	return json_get_string(o, key, &s) == -EBADMSG ? "?" : s;
}

bool view_u64(struct json_object *o, const char *key, uint64_t *ret)
{
	*ret = 0;
	return json_get_u64(o, key, UINT64_MAX, ret) == 0;
}

size_t view_list(struct json_object *o, const char *key, struct json_object **ret, size_t *ret_more)
{
	size_t n;

	*ret = NULL;
	*ret_more = 0;
	if (json_get_array(o, key, SIZE_MAX, ret) < 0)
		return 0;
	n = json_object_array_length(*ret);
	if (n > TEXT_LIST_MAX) {
		*ret_more = n - TEXT_LIST_MAX;
		n = TEXT_LIST_MAX;
	}
	return n;
}

char *view_age(struct json_object *status, struct json_object *o, const char *key,
	       char buf[static AGE_MAX])
{
	uint64_t now, then;

	if (!view_u64(status, "now_usec", &now) || !view_u64(o, key, &then))
		return strcpy(buf, "-");
	if (then >= now || now - then < USEC_PER_MSEC)
		return strcpy(buf, "now");
	return format_usec(now - then, buf, AGE_MAX);
}

enum tone tone_of(const char *word)
{
	static const struct {
		const char *word;
		enum tone tone;
	} words[] = {
		{ "healthy", TONE_GOOD },   { "degraded", TONE_WARN }, { "critical", TONE_BAD },
		{ "ACTIVE", TONE_GOOD },    { "DOWN", TONE_BAD },      { "GONE", TONE_BAD },
		{ "ready", TONE_GOOD },	    { "starting", TONE_WARN }, { "backoff", TONE_BAD },
		{ "up", TONE_GOOD },	    { "wanted", TONE_WARN },   { "connecting", TONE_WARN },
		{ "suspect", TONE_WARN },   { "failing", TONE_BAD },   { "down", TONE_BAD },
		{ "rejoining", TONE_WARN }, { "held", TONE_BAD },      { "drained", TONE_WARN },
		{ "leaving", TONE_WARN },   { "running", TONE_GOOD },  { "blocked", TONE_WARN },
		{ "fail-fast", TONE_BAD },  { "lost", TONE_BAD },      { "answering", TONE_GOOD },
		{ "missing", TONE_WARN },   { "dead", TONE_BAD },      { "active", TONE_GOOD },
		{ "failed", TONE_BAD },
	};

	for (size_t i = 0; word && i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].tone;
	return TONE_PLAIN;
}

static size_t count(struct json_object *status, const char *key)
{
	struct json_object *list;

	return json_get_array(status, key, SIZE_MAX, &list) < 0 ? 0
								: json_object_array_length(list);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* An entry of a list of strings; what is none shows as "?". */
static char *list_string(const struct style *style, struct json_object *list, size_t i)
{
	struct json_object *v = json_object_array_get_idx(list, i);

	return text_escape(
		style, json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "?",
		TEXT_LINE_MAX);
}

static int render_verdict(FILE *f, const struct style *style, struct json_object *status)
{
	const char *health = view_string(status, "health");
	_cleanup_free_ char *word = text_escape(style, health ? health : "unknown", TEXT_CELL_MAX);
	size_t more, ports = count(status, "ports"), paths = count(status, "paths"),
		     maps = count(status, "maps");
	struct json_object *reasons;
	size_t n = view_list(status, "reasons", &reasons, &more);

	if (!word)
		return -ENOMEM;
	fprintf(f, "%s%s%s: ", tone_begin(style, tone_of(health)), word,
		tone_end(style, tone_of(health)));
	if (n == 0)
		fprintf(f, "%zu port%s, %zu path%s, %zu map%s\n", ports, plural(ports), paths,
			plural(paths), maps, plural(maps));
	for (size_t i = 0; i < n && i < REASONS_MAX; i++) {
		_cleanup_free_ char *reason = list_string(style, reasons, i);

		if (!reason)
			return -ENOMEM;
		fprintf(f, "%*s%s\n", i ? (int)text_width(word) + 2 : 0, "", reason);
	}
	if (n > REASONS_MAX)
		fprintf(f, "%*sand %zu more reasons\n", (int)text_width(word) + 2, "",
			n + more - REASONS_MAX);
	return 0;
}

static int render_daemon(FILE *f, const struct style *style, struct json_object *status)
{
	struct table t = { .style = style };
	struct json_object *config = NULL, *mistakes;
	const char *version = view_string(status, "version"), *file = NULL;
	char age[AGE_MAX] = "-";
	uint64_t pid;
	size_t n = 0, more = 0;

	view_u64(status, "pid", &pid);
	if (json_get_object(status, "config", &config) == 0) {
		file = view_string(config, "file");
		view_age(status, config, "loaded_usec", age);
		n = view_list(config, "mistakes", &mistakes, &more);
	}
	table_row(&t, TABLE_FREE, NULL);
	table_cellf(&t, TONE_DIM, "srpha %s, process %" PRIu64 ", configuration %s read %s%s",
		    version ? version : "-", pid, file ? file : "-", age,
		    strcmp(age, "now") == 0 || strcmp(age, "-") == 0 ? "" : " ago");
	if (n) {
		table_row(&t, TABLE_FREE, NULL);
		table_cell(&t, TONE_WARN,
			   "the configuration has mistakes now; the one in use stays:");
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(mistakes, i);

		table_row(&t, TABLE_FREE, "  ");
		table_cell(&t, TONE_PLAIN,
			   json_object_is_type(v, json_type_string) ? json_object_get_string(v)
								    : "?");
	}
	return table_print(&t, f);
}

/* A heading row: the titles of a table's columns. */
static void table_titles(struct table *t, const char *const titles[])
{
	table_row(t, TABLE_FREE, "");
	table_row(t, TABLE_MAIN, NULL);
	for (unsigned i = 0; titles[i]; i++)
		table_cell(t, TONE_HEAD, titles[i]);
}

static void table_more(struct table *t, size_t more)
{
	if (!more)
		return;
	table_row(t, TABLE_FREE, NULL);
	table_cellf(t, TONE_DIM, "and %zu more", more);
}

static void render_worker(struct table *t, struct json_object *port)
{
	const char *worker = view_string(port, "worker");
	uint64_t restarts;

	view_u64(port, "restarts", &restarts);
	if (restarts)
		table_cellf(t, tone_of(worker), "%s, %" PRIu64 " restart%s", worker ? worker : "-",
			    restarts, plural(restarts));
	else
		table_cell(t, tone_of(worker), worker);
}

/* What an InfiniBand port found in its last scan. */
static void render_scan(struct table *t, struct json_object *status, struct json_object *port)
{
	uint64_t offers, nodes, elapsed;
	struct json_object *scan;
	char age[AGE_MAX], span[32];
	bool complete = false;

	if (json_get_object(port, "scan", &scan) < 0)
		return;
	view_u64(scan, "offers", &offers);
	view_u64(scan, "nodes", &nodes);
	view_u64(scan, "elapsed_usec", &elapsed);
	(void)json_get_bool(scan, "complete", &complete);
	view_age(status, scan, "ended_usec", age);
	table_row(t, TABLE_FREE, "  ");
	table_cellf(t, complete ? TONE_DIM : TONE_WARN,
		    "scan: %" PRIu64 " offer%s on %" PRIu64 " end port%s in %s, %s%s%s", offers,
		    plural(offers), nodes, plural(nodes), format_usec(elapsed, span, sizeof(span)),
		    age, strcmp(age, "now") == 0 || strcmp(age, "-") == 0 ? "" : " ago",
		    complete ? "" : "; not complete");
}

static int render_ports(FILE *f, const struct style *style, struct json_object *status)
{
	static const char *const titles[] = { "PORT",	"STATE",  "SINCE", "LINK",
					      "NETDEV", "WORKER", NULL };
	struct table t = { .style = style };
	struct json_object *list;
	size_t more, n = view_list(status, "ports", &list, &more);
	char age[AGE_MAX];

	table_titles(&t, titles);
	for (size_t i = 0; i < n; i++) {
		struct json_object *p = json_object_array_get_idx(list, i);
		const char *state;

		if (!json_object_is_type(p, json_type_object))
			continue;
		state = view_string(p, "state");
		table_row(&t, TABLE_MAIN, NULL);
		table_cell(&t, TONE_PLAIN, view_string(p, "name"));
		table_cell(&t, tone_of(state), state);
		table_cell(&t, TONE_PLAIN, view_age(status, p, "since_usec", age));
		table_cell(&t, TONE_PLAIN, view_string(p, "link_layer"));
		table_cell(&t, TONE_PLAIN, view_string(p, "netdev"));
		render_worker(&t, p);
		render_scan(&t, status, p);
	}
	if (n == 0) {
		table_row(&t, TABLE_FREE, NULL);
		table_cell(&t, TONE_DIM, "no port of an adapter is chosen or present");
	}
	table_more(&t, more);
	return table_print(&t, f);
}

static void render_map(struct table *t, struct json_object *map)
{
	uint64_t usable, total;
	bool known, queueing = false;
	const char *note = "";
	enum tone tone;

	known = view_u64(map, "usable", &usable) && view_u64(map, "total", &total);
	(void)json_get_bool(map, "queueing", &queueing);
	if (!known)
		total = 0;
	tone = !known		? TONE_PLAIN
	       : usable == 0	? TONE_BAD
	       : usable < total ? TONE_WARN
				: TONE_GOOD;
	if (known && usable == 0)
		note = queueing ? "I/O waits for a path" : "I/O fails";
	table_row(t, TABLE_MAIN, NULL);
	table_cell(t, TONE_PLAIN, view_string(map, "name"));
	table_cell(t, TONE_PLAIN, view_string(map, "devno"));
	if (known)
		table_cellf(t, tone, "%" PRIu64 " of %" PRIu64, usable, total);
	else
		table_cell(t, TONE_PLAIN, "?");
	table_cell(t, TONE_PLAIN, view_string(map, "uuid"));
	if (*note)
		table_cell(t, TONE_BAD, note);
}

static int render_maps(FILE *f, const struct style *style, struct json_object *status)
{
	static const char *const titles[] = { "MAP", "DEVICE", "USABLE", "UUID", NULL };
	struct table t = { .style = style };
	struct json_object *list;
	size_t more, n = view_list(status, "maps", &list, &more);

	table_titles(&t, titles);
	for (size_t i = 0; i < n; i++) {
		struct json_object *map = json_object_array_get_idx(list, i);

		if (json_object_is_type(map, json_type_object))
			render_map(&t, map);
	}
	if (n == 0) {
		table_row(&t, TABLE_FREE, NULL);
		table_cell(&t, TONE_DIM, "no map holds a path of an SRP session");
	}
	table_more(&t, more);
	return table_print(&t, f);
}

/* Only what runs: idle actors are of no interest to a human. */
static int render_actors(FILE *f, const struct style *style, struct json_object *status)
{
	struct table t = { .style = style };
	struct json_object *list;
	size_t more, n = view_list(status, "actors", &list, &more);

	for (size_t i = 0; i < n; i++) {
		struct json_object *a = json_object_array_get_idx(list, i);
		const char *action, *path;
		bool busy = false;
		uint64_t pid;

		if (!json_object_is_type(a, json_type_object) ||
		    json_get_bool(a, "busy", &busy) < 0 || !busy)
			continue;
		action = view_string(a, "action");
		path = view_string(a, "path");
		view_u64(a, "pid", &pid);
		if (t.n == 0)
			table_row(&t, TABLE_FREE, "");
		table_row(&t, TABLE_FREE, NULL);
		table_cellf(&t, TONE_WARN, "at work: %s %s, process %" PRIu64,
			    action ? action : "-", path ? path : "-", pid);
	}
	return table_print(&t, f);
}

int render_status(FILE *f, const struct style *style, struct json_object *status)
{
	static int (*const parts[])(FILE *, const struct style *, struct json_object *) = {
		render_verdict, render_daemon, render_ports,
		render_targets, render_maps,   render_actors,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = parts[i](f, style, status);

		if (r < 0)
			return r;
	}
	return 0;
}
