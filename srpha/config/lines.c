/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/lines.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct reader {
	const char *pos, *end;
	unsigned line;
	bool pending; /* inih was given a line and has not yet called back for it */
	const struct lines_handler *handler;
	void *userdata;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void trim(const char **start, const char **end)
{
	while (*start < *end && is_blank(**start))
		(*start)++;
	while (*end > *start && is_blank((*end)[-1]))
		(*end)--;
}

static const char *find_comment(const char *start, const char *end)
{
	for (const char *p = start; p < end; p++)
		if ((*p == '#' || *p == ';') && (p == start || is_blank(p[-1])))
			return p;
	return end;
}

/* Length of the UTF-8 character at p (RFC 3629: shortest form, no surrogates), or 0. */
static unsigned utf8_length(const unsigned char *p, size_t left)
{
	unsigned n;

	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
		return 0;
	for (unsigned i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static const char *text_mistake(const char *start, const char *end)
{
	for (const char *p = start; p < end;) {
		const unsigned char *u = (const unsigned char *)p;
		unsigned n = utf8_length(u, (size_t)(end - p));

		if (n == 0)
			return "not valid UTF-8";
		if ((*u < 0x20 && *u != '\t') || *u == 0x7f)
			return "holds a control character";
		p += n;
	}
	return NULL;
}

static void tell(struct reader *r, const char *what)
{
	r->handler->on_mistake(what, r->line, r->userdata);
}

/* Called when inih asks for the next line: had it no use for the last one? */
static void settle(struct reader *r)
{
	if (r->pending)
		tell(r, "expected \"key = value\", [section] or a comment");
	r->pending = false;
}

static void take_section(struct reader *r, const char *start, const char *end)
{
	char name[CONFIG_LINE_MAX + 1];

	if (end[-1] != ']') {
		tell(r, "a section must end with \"]\", and the line with it");
		return;
	}
	start++;
	end--;
	trim(&start, &end);
	memcpy(name, start, (size_t)(end - start));
	name[end - start] = '\0';
	r->handler->on_section(name, r->line, r->userdata);
}

/* Whether [start, end), comment and outer blanks gone, is for inih. */
static bool judge(struct reader *r, const char *start, const char *end, size_t max)
{
	const char *mistake = text_mistake(start, end);
	char what[96];

	if (mistake) {
		tell(r, mistake);
		return false;
	}
	if ((size_t)(end - start) > max) {
		snprintf(what, sizeof(what),
			 "line too long: %zu bytes without comment, at most %zu",
			 (size_t)(end - start), max);
		tell(r, what);
		return false;
	}
	if (*start == '[') {
		take_section(r, start, end);
		return false;
	}
	return true;
}

/* fgets() for inih: always one whole line with its newline, or an empty line in its place. */
static char *read_line(char *buf, int size, void *stream)
{
	struct reader *r = stream;
	size_t max = size < CONFIG_LINE_MAX + 2 ? (size_t)size - 2 : CONFIG_LINE_MAX;
	const char *start = r->pos, *end, *newline;

	settle(r);
	if (start == r->end || size < 2)
		return NULL;
	r->line++;
	newline = memchr(start, '\n', (size_t)(r->end - start));
	end = newline ? newline : r->end;
	r->pos = newline ? newline + 1 : r->end;
	if (memchr(start, '\0', (size_t)(end - start))) {
		tell(r, "holds a NUL byte: not a text file, not read further");
		r->pos = r->end;
		return NULL;
	}
	if (end > start && end[-1] == '\r')
		end--;
	end = find_comment(start, end);
	trim(&start, &end);
	if (start == end || !judge(r, start, end, max))
		return strcpy(buf, "\n");
	memcpy(buf, start, (size_t)(end - start));
	strcpy(buf + (end - start), "\n");
	r->pending = true;
	return buf;
}

#if INI_HANDLER_LINENO
static int on_pair(void *user, const char *section, const char *key, const char *value, int lineno)
#else
static int on_pair(void *user, const char *section, const char *key, const char *value)
#endif
{
	struct reader *r = user;

	if (!key || !*key || !value)
		return 1; /* settle() tells */
	r->pending = false;
	r->handler->on_value(key, value, r->line, r->userdata);
	return 1;
}

int lines_parse(const char *text, size_t len, const struct lines_handler *handler, void *userdata)
{
	struct reader r = {
		.pos = text, .end = text + len, .handler = handler, .userdata = userdata
	};

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.pos += 3;
	/* Its own count of bad lines is of no use: settle() saw each. -2 is "out of memory". */
	return ini_parse_stream(read_line, &r, on_pair, &r) == -2 ? -ENOMEM : 0;
}
