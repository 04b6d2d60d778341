/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "control.h"
#include "fabric.h"

struct history {
	uint64_t end;
	char lines[HISTORY_MAX][HISTORY_LINE];
};

int history_new(struct history **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void history_free(struct history *h)
{
	free(h);
}

void history_add(struct fabric *f, const char *format, ...)
{
	uint64_t now = loop_now(f->loop);
	struct history *h = f->history;
	char *line = h->lines[h->end % HISTORY_MAX];
	va_list args;
	int n;

	n = snprintf(line, HISTORY_LINE, "%llu %llu.%06llu ", (unsigned long long)h->end,
		     (unsigned long long)(now / NSEC_PER_SEC),
		     (unsigned long long)(now % NSEC_PER_SEC / 1000));
	va_start(args, format);
	vsnprintf(line + n, HISTORY_LINE - (size_t)n, format, args);
	va_end(args);
	h->end++;
	control_on_history(f, line);
}

uint64_t history_end(const struct history *h)
{
	return h->end;
}

const char *history_line(const struct history *h, uint64_t number)
{
	if (number >= h->end || number + HISTORY_MAX < h->end)
		return NULL;
	return h->lines[number % HISTORY_MAX];
}
