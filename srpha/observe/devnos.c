/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/devnos.h"

#include <errno.h>
#include <stdlib.h>

#include "base/parse.h"

int devnos_add(struct devnos *d, const char *devno, unsigned owner, unsigned item)
{
	uint64_t value;

	if (parse_devno(devno, &value) < 0)
		return 0;
	if (d->n == d->size) {
		unsigned size = d->size ? 2 * d->size : 64;
		struct devno_entry *more = reallocarray(d->entries, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		d->entries = more;
		d->size = size;
	}
	d->entries[d->n++] = (struct devno_entry){ value, owner, item };
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct devno_entry *x = a, *y = b;

	if (x->devno != y->devno)
		return x->devno < y->devno ? -1 : 1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

void devnos_sort(struct devnos *d)
{
	if (d->n > 0)
		qsort(d->entries, d->n, sizeof(*d->entries), compare);
}

const struct devno_entry *devnos_find(const struct devnos *d, const char *devno)
{
	unsigned low = 0, high = d->n;
	uint64_t value;

	if (parse_devno(devno, &value) < 0)
		return NULL;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (d->entries[middle].devno < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < d->n && d->entries[low].devno == value ? &d->entries[low] : NULL;
}

void devnos_clear(struct devnos *d)
{
	free(d->entries);
	*d = (struct devnos){};
}
