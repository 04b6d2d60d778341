/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for a terminal: names made harmless, columns that line up, colour where it is wanted. What
 * is shown comes from files, devices and the daemon; none of it may reach the terminal raw.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct style {
	bool colour; /* ANSI colours */
	bool utf8;   /* characters beyond ASCII */
};

/* Longest text of one cell, of one line, and longest list shown, before a cut that shows. */
#define TEXT_CELL_MAX 80
#define TEXT_LINE_MAX 1000
#define TEXT_LIST_MAX 4096

/*
 * A copy of s in which nothing can move the cursor: control characters, and what is not to be shown
 * on this terminal, as \xNN of their bytes; cut after `max` characters with an ellipsis.
 * NULL when out of memory.
 */
char *text_escape(const struct style *style, const char *s, size_t max);

/* Columns a text takes, one for each character; for text that went through text_escape(). */
size_t text_width(const char *s);

enum tone {
	TONE_PLAIN,
	TONE_GOOD,
	TONE_WARN,
	TONE_BAD,
	TONE_DIM,
	TONE_HEAD,
};
const char *tone_begin(const struct style *style, enum tone tone);
const char *tone_end(const struct style *style, enum tone tone);

#define TABLE_COLUMNS 8
/* Rows of one kind share their columns' widths; TABLE_FREE rows line up with nothing. */
enum table_kind {
	TABLE_MAIN,
	TABLE_SUB,
	TABLE_FREE,
};

struct table {
	const struct style *style;
	struct table_row *rows;
	size_t n, size;
	int error; /* sticky: -ENOMEM */
};

/* Appends a row; `indent` (trusted, may be NULL) stands before its first cell. */
void table_row(struct table *t, enum table_kind kind, const char *indent);

/* Appends a cell to the last row; s is escaped here. NULL or "" shows as "-" but in a free row. */
void table_cell(struct table *t, enum tone tone, const char *s);
__attribute__((format(printf, 3, 4))) void table_cellf(struct table *t, enum tone tone,
						       const char *fmt, ...);

/* Prints and empties the table: 0 or -ENOMEM. */
int table_print(struct table *t, FILE *f);
void table_clear(struct table *t);
