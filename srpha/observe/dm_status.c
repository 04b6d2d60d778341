/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/dm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* More words than any feature, hardware handler or path selector of the kernel has. */
#define WORDS_MAX 64
#define GROUPS_MAX 1024
#define WORD_LEN_MAX 63

struct words {
	const char *at;
};

static int next_word(struct words *w, char word[static WORD_LEN_MAX + 1])
{
	size_t len;

	w->at += strspn(w->at, " ");
	len = strcspn(w->at, " ");
	if (len == 0 || len > WORD_LEN_MAX)
		return -EBADMSG;
	memcpy(word, w->at, len);
	word[len] = '\0';
	w->at += len;
	return 0;
}

static int next_number(struct words *w, unsigned max, unsigned *ret)
{
	char word[WORD_LEN_MAX + 1];
	uint64_t n;

	if (next_word(w, word) < 0 || strspn(word, "0123456789") != strlen(word) ||
	    parse_u64(word, 0, max, &n) < 0)
		return -EBADMSG;
	*ret = (unsigned)n;
	return 0;
}

/* A letter of `set` that stands alone. */
static int next_letter(struct words *w, const char *set, char *ret)
{
	char word[WORD_LEN_MAX + 1];

	if (next_word(w, word) < 0 || word[1] != '\0' || !strchr(set, word[0]))
		return -EBADMSG;
	*ret = word[0];
	return 0;
}

static int skip_words(struct words *w, unsigned n)
{
	char word[WORD_LEN_MAX + 1];

	for (unsigned i = 0; i < n; i++)
		if (next_word(w, word) < 0)
			return -EBADMSG;
	return 0;
}

/* "<n> <word> ...": features, hardware handler, arguments of a selector. */
static int skip_counted(struct words *w)
{
	unsigned n;

	if (next_number(w, WORDS_MAX, &n) < 0)
		return -EBADMSG;
	return skip_words(w, n);
}

/* "8:16", as dm_get_device() names a path's device. */
static int next_devno(struct words *w, char devno[static 16])
{
	char word[WORD_LEN_MAX + 1];
	size_t major, minor;

	if (next_word(w, word) < 0)
		return -EBADMSG;
	major = strspn(word, "0123456789");
	if (major == 0 || major > 4 || word[major] != ':')
		return -EBADMSG;
	minor = strspn(word + major + 1, "0123456789");
	if (minor == 0 || minor > 7 || word[major + 1 + minor] != '\0')
		return -EBADMSG;
	memcpy(devno, word, major + 1 + minor + 1);
	return 0;
}

static int next_path(struct words *w, unsigned n_args, struct dm_map *map)
{
	struct dm_path *paths;
	struct dm_path path = { 0 };
	char state;

	if (next_devno(w, path.devno) < 0 || next_letter(w, "AF", &state) < 0 ||
	    next_number(w, UINT32_MAX, &path.failures) < 0 || skip_words(w, n_args) < 0 ||
	    map->n_paths == OBSERVE_MAP_PATHS_MAX)
		return -EBADMSG;
	path.active = state == 'A';
	paths = reallocarray(map->paths, map->n_paths + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	map->paths = paths;
	map->paths[map->n_paths++] = path;
	return 0;
}

/* "<D|A|E> <n> <selector status> ... <paths> <words a path> <path> ..." */
static int next_group(struct words *w, struct dm_map *map)
{
	unsigned n_paths, n_args;
	char state;

	if (next_letter(w, "DAE", &state) < 0 || skip_counted(w) < 0 ||
	    next_number(w, OBSERVE_MAP_PATHS_MAX, &n_paths) < 0 ||
	    next_number(w, WORDS_MAX, &n_args) < 0)
		return -EBADMSG;
	for (unsigned i = 0; i < n_paths; i++) {
		int r = next_path(w, n_args, map);

		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_status(struct words *w, struct dm_map *map)
{
	unsigned n_groups, next_group_no;

	if (skip_counted(w) < 0 || skip_counted(w) < 0 ||
	    next_number(w, GROUPS_MAX, &n_groups) < 0 ||
	    next_number(w, n_groups, &next_group_no) < 0)
		return -EBADMSG;
	for (unsigned i = 0; i < n_groups; i++) {
		int r = next_group(w, map);

		if (r < 0)
			return r;
	}
	w->at += strspn(w->at, " ");
	return *w->at ? -EBADMSG : 0;
}

int dm_status_parse(const char *params, struct dm_map *map)
{
	struct words w = { params };
	int r;

	free(map->paths);
	map->paths = NULL;
	map->n_paths = 0;
	r = parse_status(&w, map);
	if (r < 0) {
		free(map->paths);
		map->paths = NULL;
		map->n_paths = 0;
	}
	return r;
}

int dm_table_parse(const char *params, bool *ret_queueing)
{
	struct words w = { params };
	char word[WORD_LEN_MAX + 1];
	bool queueing = false;
	unsigned n;

	if (next_number(&w, WORDS_MAX, &n) < 0)
		return -EBADMSG;
	for (unsigned i = 0; i < n; i++) {
		if (next_word(&w, word) < 0)
			return -EBADMSG;
		if (strcmp(word, "queue_if_no_path") == 0)
			queueing = true;
	}
	*ret_queueing = queueing;
	return 0;
}
