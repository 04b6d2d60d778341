/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel attributes below a root directory. Everything that reads or writes sysfs goes through a
 * root descriptor ("/" in production), so that a test hands in a directory of its own. Paths are
 * relative to it ("sys/class/srp_remote_ports").
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Opens a root directory; negative errno on failure. */
int root_open(const char *path);

/*
 * Reads a small attribute into buf as a string without trailing white space.
 * Returns its length, or negative errno; -E2BIG where it does not fit.
 */
ssize_t root_read(int root_fd, const char *path, char *buf, size_t size);

/* Writes a value with one write(2), no newline added. Returns 0 or negative errno. */
int root_write(int root_fd, const char *path, const char *value);

/* printf-style path variants. */
__attribute__((format(printf, 4, 5))) ssize_t root_readf(int root_fd, char *buf, size_t size,
							 const char *fmt, ...);
__attribute__((format(printf, 3, 4))) int root_writef(int root_fd, const char *value,
						      const char *fmt, ...);

/*
 * Calls fn for every entry of a directory but "." and "..", in name order, at most `max` of them.
 * A missing directory is an empty one. Stops when fn returns non-zero and returns that.
 */
int root_each(int root_fd, const char *path, unsigned max,
	      int (*fn)(const char *name, void *userdata), void *userdata);
