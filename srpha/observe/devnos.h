/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sorted index of device numbers: which thing a "8:16" belongs to, among thousands. Filled once,
 * sorted, then asked; for the views of sessions and maps. Pure.
 */
#pragma once

#include <stdint.h>

struct devnos {
	struct devno_entry {
		uint64_t devno;
		uint32_t owner, item; /* the caller's numbers */
	} * entries;
	unsigned n, size;
};

/* A text that is no device number is left out. 0 or -ENOMEM. */
int devnos_add(struct devnos *d, const char *devno, unsigned owner, unsigned item);

/* After the last addition. */
void devnos_sort(struct devnos *d);

/* The entry with the smallest owner, or NULL. */
const struct devno_entry *devnos_find(const struct devnos *d, const char *devno);

void devnos_clear(struct devnos *d);
