/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

struct table_cell {
	char *text;
	enum tone tone;
};

struct table_row {
	enum table_kind kind;
	char *indent;
	struct table_cell cells[TABLE_COLUMNS];
	unsigned n;
};

/* Decodes one UTF-8 character: its length, or 0 when it is not one (RFC 3629, section 4). */
static unsigned utf8_decode(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
	uint32_t c;

	if (len == 0 || s[0] > 0xf4)
		return 0;
	if (len == 1) {
		*ret = s[0];
		return 1;
	}
	c = s[0] & (0xffU >> (len + 1));
	for (unsigned i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

/* Controls, and the format characters that reorder, hide or break a line. */
static bool harmless(const struct style *style, uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f && c != '\\';
	if (!style->utf8 || c < 0xa0 || c == 0xad || c == 0xfeff)
		return false;
	return !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2060 && c <= 0x206f) && !(c >= 0xe000 && c <= 0xf8ff) && c < 0xe0000;
}

char *text_escape(const struct style *style, const char *s, size_t max)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len = strnlen(s, max * 4 + 4), shown = 0, n = 0;
	char *out = malloc(len * 4 + 8); /* a byte becomes four at most; the ellipsis; the NUL */

	if (!out)
		return NULL;
	while (*p && shown < max) {
		uint32_t c = 0;
		unsigned l = utf8_decode(p, &c);

		if (l && harmless(style, c)) {
			memcpy(out + n, p, l);
			n += l;
		} else {
			l = l ? l : 1;
			for (unsigned i = 0; i < l; i++)
				n += (size_t)sprintf(out + n, c == '\\' ? "\\\\" : "\\x%02x", p[i]);
		}
		p += l;
		shown++;
	}
	strcpy(out + n, !*p ? "" : style->utf8 ? "…" : "...");
	return out;
}

size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

const char *tone_begin(const struct style *style, enum tone tone)
{
	static const char *const codes[] = {
		[TONE_PLAIN] = "",	   [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
		[TONE_BAD] = "\033[1;31m", [TONE_DIM] = "\033[2m",   [TONE_HEAD] = "\033[1m",
	};

	return style->colour ? codes[tone] : "";
}

const char *tone_end(const struct style *style, enum tone tone)
{
	return style->colour && tone != TONE_PLAIN ? "\033[0m" : "";
}

void table_row(struct table *t, enum table_kind kind, const char *indent)
{
	struct table_row *row;

	if (t->error)
		return;
	if (t->n == t->size) {
		size_t size = t->size ? t->size * 2 : 32;
		struct table_row *rows = reallocarray(t->rows, size, sizeof(*rows));

		if (!rows) {
			t->error = -ENOMEM;
			return;
		}
		t->rows = rows;
		t->size = size;
	}
	row = &t->rows[t->n++];
	*row = (struct table_row){ .kind = kind, .indent = strdup(indent ? indent : "") };
	if (!row->indent)
		t->error = -ENOMEM;
}

void table_cell(struct table *t, enum tone tone, const char *s)
{
	struct table_row *row = t->n ? &t->rows[t->n - 1] : NULL;
	char *text;

	if (t->error || !row || row->n == TABLE_COLUMNS)
		return;
	if (row->kind == TABLE_FREE)
		text = text_escape(t->style, s ? s : "", TEXT_LINE_MAX);
	else
		text = text_escape(t->style, s && *s ? s : "-", TEXT_CELL_MAX);
	if (!text) {
		t->error = -ENOMEM;
		return;
	}
	row->cells[row->n++] = (struct table_cell){ .text = text, .tone = tone };
}

void table_cellf(struct table *t, enum tone tone, const char *fmt, ...)
{
	_cleanup_free_ char *s = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (r < 0) {
		s = NULL;
		t->error = -ENOMEM;
		return;
	}
	table_cell(t, tone, s);
}

static size_t cell_width(const struct table_row *row, unsigned column)
{
	return text_width(row->cells[column].text) + (column == 0 ? text_width(row->indent) : 0);
}

static void print_row(const struct table *t, const struct table_row *row, const size_t *widths,
		      FILE *f)
{
	fputs(row->indent, f);
	for (unsigned i = 0; i < row->n; i++) {
		const struct table_cell *c = &row->cells[i];

		fprintf(f, "%s%s%s", tone_begin(t->style, c->tone), c->text,
			tone_end(t->style, c->tone));
		if (i + 1 == row->n)
			break;
		fprintf(f, "%*s",
			row->kind == TABLE_FREE ? 2 : (int)(widths[i] - cell_width(row, i)) + 2,
			"");
	}
	fputc('\n', f);
}

int table_print(struct table *t, FILE *f)
{
	size_t widths[TABLE_FREE + 1][TABLE_COLUMNS] = { 0 };
	int r = t->error;

	for (size_t i = 0; !r && i < t->n; i++)
		for (unsigned c = 0; t->rows[i].kind != TABLE_FREE && c < t->rows[i].n; c++) {
			size_t w = cell_width(&t->rows[i], c);

			if (w > widths[t->rows[i].kind][c])
				widths[t->rows[i].kind][c] = w;
		}
	for (size_t i = 0; !r && i < t->n; i++)
		print_row(t, &t->rows[i], widths[t->rows[i].kind], f);
	table_clear(t);
	return r;
}

void table_clear(struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		for (unsigned c = 0; c < t->rows[i].n; c++)
			free(t->rows[i].cells[c].text);
		free(t->rows[i].indent);
	}
	free(t->rows);
	*t = (struct table){ .style = t->style };
}
