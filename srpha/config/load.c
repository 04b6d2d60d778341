/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "config/errors.h"
#include "config/loader.h"

#define FILE_SIZE_MAX (1U << 20)
#define DROP_INS_MAX 256

/* The whole of a regular file; *ret_mistake says what else keeps it from being used. */
static int read_file(int root_fd, const char *path, char **ret, size_t *ret_len,
		     const char **ret_mistake)
{
	/* O_NONBLOCK: a FIFO must not hold us. */
	_cleanup_close_ int fd =
		openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t len = 0;
	ssize_t n = 0;

	*ret_mistake = NULL;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		*ret_mistake =
			S_ISDIR(st.st_mode) ? "a directory, not a file" : "not a regular file";
		return -EINVAL;
	}
	text = malloc(FILE_SIZE_MAX + 1);
	if (!text)
		return -ENOMEM;
	while (len <= FILE_SIZE_MAX) {
		n = read(fd, text + len, FILE_SIZE_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > FILE_SIZE_MAX) {
		*ret_mistake = "larger than 1 MiB";
		return -EINVAL;
	}
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

static void cannot_read(struct loader *l, const char *path, int error)
{
	config_errors_add(l->errors, path, 0, "cannot be read: %s", strerror(-error));
	if (l->error == 0)
		l->error = error;
}

static int load_file(struct loader *l, int root_fd, const char *path, bool may_miss)
{
	_cleanup_free_ char *text = NULL;
	const char *mistake;
	size_t len = 0;
	int r = read_file(root_fd, path, &text, &len, &mistake);

	if (r == -ENOENT && may_miss)
		return 0;
	if (r == -ENOMEM)
		return r;
	if (mistake)
		config_errors_add(l->errors, path, 0, "%s", mistake);
	else if (r < 0)
		cannot_read(l, path, r);
	return r < 0 ? 0 : loader_text(l, path, text, len);
}

static int is_drop_in(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_ins(struct loader *l, int root_fd, const char *dir)
{
	struct dirent **list;
	int n = scandirat(root_fd, dir, &list, is_drop_in, by_name), r = 0;

	if (n < 0) {
		if (errno == ENOMEM)
			return -ENOMEM;
		if (errno != ENOENT)
			cannot_read(l, dir, -errno);
		return 0;
	}
	if (n > DROP_INS_MAX)
		config_errors_add(l->errors, dir, 0, "more than %d *.conf files", DROP_INS_MAX);
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = NULL;

		if (r == 0 && i < DROP_INS_MAX) {
			if (asprintf(&path, "%s/%s", dir, list[i]->d_name) < 0) {
				path = NULL;
				r = -ENOMEM;
			} else
				r = load_file(l, root_fd, path, false);
		}
		free(list[i]);
	}
	free(list);
	return r;
}

/* The file srp_daemon's administrators have may be missing; one asked for by name may not. */
static int load_rules(struct loader *l, int root_fd)
{
	const struct config_key *key = config_key_find("rules", SECTION_DISCOVERY);
	const struct origin *at = &l->common.at[key - config_keys];
	const char *path = l->config->discovery.rules, *mistake;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r;

	if (!l->config->discovery.infiniband || at->bad || strcmp(path, "none") == 0)
		return 0;
	r = read_file(root_fd, path, &text, &len, &mistake);
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		return loader_rules_file(l, path, text, len);
	if (mistake)
		config_errors_add(l->errors, path, 0, "%s", mistake);
	else if (r == -ENOENT && at->line == 0)
		return 0;
	else if (r == -ENOENT)
		config_errors_add(l->errors, l->files[at->file], at->line,
				  "[discovery] rules: %s does not exist; without it every target "
				  "would be allowed",
				  path);
	else
		cannot_read(l, path, r);
	return 0;
}

int config_load(int root_fd, const char *path, struct config **ret, struct config_errors *errors)
{
	_cleanup_free_ char *dir = NULL;
	struct loader l;
	int r = loader_begin(&l, errors);

	if (r == 0 && asprintf(&dir, "%s.d", path) < 0) {
		dir = NULL;
		r = -ENOMEM;
	}
	if (r == 0)
		r = load_file(&l, root_fd, path, true);
	if (r == 0)
		r = load_drop_ins(&l, root_fd, dir);
	if (r == 0)
		r = load_rules(&l, root_fd);
	return loader_end(&l, r, ret);
}
