/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree: a target, its paths, under each path what is to be said about it and its LUNs.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "ctl/render.h"

struct tree {
	const char *branch, *last, *line, *space;
};

static const struct tree *tree_of(const struct style *style)
{
	static const struct tree utf8 = { "├─ ", "└─ ", "│  ", "   " };
	static const struct tree ascii = { "|- ", "`- ", "|  ", "   " };

	return style->utf8 ? &utf8 : &ascii;
}

/* Round trips are of the order of a millisecond: one digit more than format_usec() gives. */
static void format_rtt(uint64_t usec, char buf[static AGE_MAX])
{
	if (usec >= USEC_PER_MSEC && usec < 100 * USEC_PER_MSEC)
		snprintf(buf, AGE_MAX, "%" PRIu64 ".%" PRIu64 "ms", usec / USEC_PER_MSEC,
			 usec % USEC_PER_MSEC / 100);
	else
		format_usec(usec, buf, AGE_MAX);
}

static void cell_session(struct table *t, struct json_object *path)
{
	const char *host = view_string(path, "host"), *state = view_string(path, "rport_state"),
		   *owner = view_string(path, "owner");
	const char *foreign = owner && strcmp(owner, "foreign") == 0 ? ", foreign" : "";

	if (!host && !state)
		table_cell(t, TONE_PLAIN, NULL);
	else
		table_cellf(t, tone_of(state), "%s %s%s", host ? host : "-", state ? state : "-",
			    foreign);
}

static void cell_probe(struct table *t, struct json_object *path)
{
	struct json_object *probe;
	const char *state;
	char rtt[AGE_MAX];
	uint64_t usec;

	if (json_get_object(path, "probe", &probe) < 0) {
		table_cell(t, TONE_PLAIN, NULL);
		return;
	}
	state = view_string(probe, "state");
	if (state && strcmp(state, "answering") == 0 && view_u64(probe, "srtt_usec", &usec)) {
		format_rtt(usec, rtt);
		table_cellf(t, TONE_GOOD, "answering in %s", rtt);
	} else {
		table_cell(t, tone_of(state), state);
	}
}

/* What is to be said about a path beyond its row: why it is not up, why it is not probed, timers. */
static void render_notes(struct table *t, struct json_object *path, const char *indent)
{
	const char *reason = view_string(path, "reason"), *state = view_string(path, "state"),
		   *problem = view_string(path, "problem"), *why = NULL, *fast, *delay, *loss;
	bool up = state && strcmp(state, "up") == 0;
	struct json_object *probe, *tmo;
	uint64_t failovers, rejoins;

	if (json_get_object(path, "probe", &probe) == 0)
		why = view_string(probe, "why");
	if (reason && *reason && !up) {
		table_row(t, TABLE_FREE, indent);
		table_cell(t, TONE_PLAIN, reason);
	}
	if (problem && *problem) {
		table_row(t, TABLE_FREE, indent);
		table_cellf(t, TONE_WARN, "last problem: %s", problem);
	}
	if (why && *why) {
		table_row(t, TABLE_FREE, indent);
		table_cellf(t, TONE_PLAIN, "probe: %s", why);
	}
	if (json_get_object(path, "timeouts", &tmo) < 0)
		return;
	fast = view_string(tmo, "fast_io_fail_tmo");
	delay = view_string(tmo, "reconnect_delay");
	loss = view_string(tmo, "dev_loss_tmo");
	view_u64(path, "failovers", &failovers);
	view_u64(path, "rejoins", &rejoins);
	table_row(t, TABLE_FREE, indent);
	table_cellf(t, TONE_DIM,
		    "fast_io_fail %s, reconnect %s, dev_loss %s; %" PRIu64 " failover%s, %" PRIu64
		    " rejoin%s",
		    fast ? fast : "-", delay ? delay : "-", loss ? loss : "-", failovers,
		    failovers == 1 ? "" : "s", rejoins, rejoins == 1 ? "" : "s");
}

static void render_luns(struct table *t, struct json_object *path, const char *indent)
{
	const struct tree *tree = tree_of(t->style);
	struct json_object *list;
	size_t more, n = view_list(path, "luns", &list, &more);
	char deeper[64];

	for (size_t i = 0; i < n; i++) {
		struct json_object *lun = json_object_array_get_idx(list, i);
		const char *state, *map, *why;

		if (!json_object_is_type(lun, json_type_object))
			continue;
		snprintf(deeper, sizeof(deeper), "%s%s", indent,
			 i + 1 == n && !more ? tree->last : tree->branch);
		state = view_string(lun, "dm_state");
		map = view_string(lun, "map");
		why = view_string(lun, "why");
		table_row(t, TABLE_SUB, deeper);
		table_cell(t, TONE_PLAIN, view_string(lun, "disk"));
		table_cell(t, TONE_PLAIN, view_string(lun, "devno"));
		table_cell(t, map ? TONE_PLAIN : TONE_WARN, map ? map : "no map");
		table_cell(t, tone_of(state), state);
		table_cell(t, TONE_PLAIN, view_string(lun, "wwid"));
		if (why && *why)
			table_cell(t, TONE_WARN, why);
	}
	if (more) {
		snprintf(deeper, sizeof(deeper), "%s%s", indent, tree->last);
		table_row(t, TABLE_FREE, deeper);
		table_cellf(t, TONE_DIM, "and %zu more", more);
	}
}

static void render_path(struct table *t, struct json_object *status, struct json_object *path,
			bool last)
{
	const struct tree *tree = tree_of(t->style);
	const char *state = view_string(path, "state"), *below = last ? tree->space : tree->line;
	char age[AGE_MAX];

	table_row(t, TABLE_MAIN, last ? tree->last : tree->branch);
	table_cell(t, TONE_PLAIN, view_string(path, "name"));
	table_cell(t, tone_of(state), state);
	table_cell(t, TONE_PLAIN, view_age(status, path, "since_usec", age));
	cell_session(t, path);
	cell_probe(t, path);
	render_notes(t, path, below);
	render_luns(t, path, below);
}

/* The paths of one target in the reply's order; `shown` marks those done. */
static void render_paths_of(struct table *t, struct json_object *status, struct json_object *paths,
			    size_t n, const char *target, bool *shown)
{
	struct json_object *held = NULL;

	for (size_t i = 0; i < n; i++) {
		struct json_object *path = json_object_array_get_idx(paths, i);
		const char *of;

		if (shown[i])
			continue;
		if (!json_object_is_type(path, json_type_object)) {
			shown[i] = true;
			continue;
		}
		of = view_string(path, "target");
		if (target && (!of || strcmp(of, target) != 0))
			continue;
		shown[i] = true;
		if (held)
			render_path(t, status, held, false);
		held = path;
	}
	if (held)
		render_path(t, status, held, true);
}

static void render_target(struct table *t, struct json_object *target)
{
	const char *name = view_string(target, "name"), *id_ext = view_string(target, "id_ext"),
		   *ioc = view_string(target, "ioc_guid");
	bool configured = true;

	(void)json_get_bool(target, "configured", &configured);
	table_row(t, TABLE_FREE, NULL);
	table_cellf(t, TONE_HEAD, "%s", name ? name : "-");
	if (id_ext || ioc)
		table_cellf(t, TONE_DIM, "id_ext %s, ioc_guid %s%s", id_ext ? id_ext : "-",
			    ioc ? ioc : "-", configured ? "" : ", not configured");
	else
		table_cell(t, TONE_DIM, configured ? "not discovered yet" : "not configured");
}

static bool all_shown(const bool *shown, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!shown[i])
			return false;
	return true;
}

int render_targets(FILE *f, const struct style *style, struct json_object *status)
{
	static const char *const titles[] = { "TARGET AND PATHS", "STATE", "SINCE", "SESSION",
					      "PROBE" };
	struct table t = { .style = style };
	struct json_object *targets, *paths;
	size_t more_targets, more_paths, n = view_list(status, "targets", &targets, &more_targets),
					 n_paths = view_list(status, "paths", &paths, &more_paths);
	bool shown[TEXT_LIST_MAX] = { false };

	table_row(&t, TABLE_FREE, "");
	table_row(&t, TABLE_MAIN, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		table_cell(&t, TONE_HEAD, titles[i]);
	for (size_t i = 0; i < n; i++) {
		struct json_object *target = json_object_array_get_idx(targets, i);
		const char *name;

		if (!json_object_is_type(target, json_type_object))
			continue;
		name = view_string(target, "name");
		render_target(&t, target);
		render_paths_of(&t, status, paths, n_paths, name ? name : "", shown);
	}
	if (!all_shown(shown, n_paths)) {
		table_row(&t, TABLE_FREE, NULL);
		table_cell(&t, TONE_HEAD, "sessions of no target above");
		render_paths_of(&t, status, paths, n_paths, NULL, shown);
	}
	if (n == 0 && n_paths == 0) {
		table_row(&t, TABLE_FREE, NULL);
		table_cell(&t, TONE_DIM, "no target is configured and no session exists");
	}
	if (more_targets || more_paths) {
		table_row(&t, TABLE_FREE, NULL);
		table_cellf(&t, TONE_DIM, "and %zu more targets, %zu more paths", more_targets,
			    more_paths);
	}
	return table_print(&t, f);
}
