/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expand.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 4
#define NAME_MAX 16
#define COUNT_MAX 100000
#define STATEMENT_MAX 1024

struct variable {
	char name[NAME_MAX];
	long value;
};

struct expansion {
	int (*on_statement)(char *statement, unsigned line, void *userdata);
	void *userdata;
	struct expand_error *error;
	struct variable variables[DEPTH_MAX];
	unsigned n_variables;
};

static int wrong(struct expansion *x, unsigned line, const char *text)
{
	*x->error = (struct expand_error){ .line = line, .text = text };
	return -EINVAL;
}

/* A number or a variable; moves on. */
static bool read_term(const struct expansion *x, const char **p, long *ret)
{
	size_t n = 0;
	char *end;

	if (isdigit((unsigned char)**p)) {
		*ret = strtol(*p, &end, 0);
		*p = end;
		return true;
	}
	while (isalnum((unsigned char)(*p)[n]) || (*p)[n] == '_')
		n++;
	for (unsigned i = 0; n > 0 && i < x->n_variables; i++)
		if (strlen(x->variables[i].name) == n && memcmp(x->variables[i].name, *p, n) == 0) {
			*ret = x->variables[i].value;
			*p += n;
			return true;
		}
	return false;
}

static bool apply(char op, long b, long *a)
{
	switch (op) {
	case '+':
		*a += b;
		return true;
	case '-':
		*a -= b;
		return true;
	case '*':
		*a *= b;
		return true;
	case '/':
		*a = b ? *a / b : 0;
		return b != 0;
	case '%':
		*a = b ? *a % b : 0;
		return b != 0;
	default:
		return false;
	}
}

/* What is between the braces; *p is at the closing one afterwards. */
static bool evaluate(const struct expansion *x, const char **p, char ret[static 32])
{
	bool zeros = false, hex = false;
	long value, b;
	int width = 0;

	if (!read_term(x, p, &value))
		return false;
	while (**p && strchr("+-*/%", **p)) {
		char op = *(*p)++;

		if (!read_term(x, p, &b) || !apply(op, b, &value))
			return false;
	}
	if (**p == ':') {
		char *end;

		zeros = *++*p == '0';
		width = (int)strtol(*p, &end, 10);
		*p = end;
		hex = **p == 'x';
		if (**p == 'x' || **p == 'd')
			++*p;
	}
	if (**p != '}' || width < 0 || width > 20)
		return false;
	if (hex)
		snprintf(ret, 32, zeros ? "%0*lx" : "%*lx", width, value);
	else
		snprintf(ret, 32, zeros ? "%0*ld" : "%*ld", width, value);
	return true;
}

static int expand_line(struct expansion *x, const char *text, size_t len, unsigned line)
{
	char out[STATEMENT_MAX], number[32];
	size_t n = 0;

	for (const char *p = text; p < text + len; p++) {
		const char *add = p;
		size_t size = 1;

		if (*p == '{') {
			p++;
			if (!evaluate(x, &p, number))
				return wrong(x, line, "a term in braces is not understood");
			add = number;
			size = strlen(number);
		}
		if (n + size >= sizeof(out))
			return wrong(x, line, "the line is too long");
		memcpy(out + n, add, size);
		n += size;
	}
	out[n] = '\0';
	return x->on_statement(out, line, x->userdata);
}

/* Without leading blanks, comment and newline. */
static size_t trim(const char **line, const char *next)
{
	bool quoted = false;
	const char *p;

	while (**line == ' ' || **line == '\t')
		++*line;
	for (p = *line; p < next && *p != '\n' && (quoted || *p != '#'); p++)
		quoted ^= *p == '"';
	while (p > *line && isspace((unsigned char)p[-1]))
		p--;
	return (size_t)(p - *line);
}

static bool is_word(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && memcmp(line, word, n) == 0 &&
	       (len == n || isspace((unsigned char)line[n]));
}

static const char *next_line(const char *p)
{
	const char *end = strchr(p, '\n');

	return end ? end + 1 : p + strlen(p);
}

static int expand_block(struct expansion *x, const char **at, unsigned *line, bool nested,
			bool skip);

/* "repeat COUNT NAME" and its block. */
static int expand_repeat(struct expansion *x, const char *text, const char **at, unsigned *line)
{
	struct variable *v = &x->variables[x->n_variables];
	const char *begin = *at;
	unsigned first = *line;
	char number[32], *end;
	long count;
	int r = 0;

	text += strlen("repeat");
	while (*text == ' ')
		text++;
	if (*text == '{') {
		text++;
		if (!evaluate(x, &text, number))
			return wrong(x, *line, "a term in braces is not understood");
		count = strtol(number, NULL, 10);
		end = (char *)text + 1;
	} else {
		count = strtol(text, &end, 0);
		if (end == text)
			count = -1;
	}
	if (count < 0 || count > COUNT_MAX || x->n_variables == DEPTH_MAX)
		return wrong(x, *line, "repeat: a bad count, or too deep");
	if (sscanf(end, " %15[a-z_]", v->name) != 1)
		return wrong(x, *line, "repeat COUNT NAME");
	x->n_variables++;
	for (v->value = 0; r == 0 && v->value < count; v->value++) {
		*at = begin;
		*line = first;
		r = expand_block(x, at, line, true, false);
	}
	x->n_variables--;
	if (r == 0 && count == 0)
		r = expand_block(x, at, line, true, true);
	return r;
}

/* Up to the end of the text or of the block. `skip`: only finds the end. */
static int expand_block(struct expansion *x, const char **at, unsigned *line, bool nested,
			bool skip)
{
	int r = 0;

	while (r == 0 && **at) {
		const char *text = *at;
		size_t len;

		*at = next_line(text);
		++*line;
		len = trim(&text, *at);
		if (len == 0)
			continue;
		if (is_word(text, len, "end"))
			return nested ? 0 : wrong(x, *line, "end without repeat");
		if (is_word(text, len, "repeat"))
			r = skip ? expand_block(x, at, line, true, true)
				 : expand_repeat(x, text, at, line);
		else if (!skip)
			r = expand_line(x, text, len, *line);
	}
	if (r == 0 && nested)
		return wrong(x, *line, "repeat without end");
	return r;
}

int expand_text(const char *text,
		int (*on_statement)(char *statement, unsigned line, void *userdata), void *userdata,
		struct expand_error *ret_error)
{
	struct expansion x = { .on_statement = on_statement,
			       .userdata = userdata,
			       .error = ret_error };
	unsigned line = 0;

	return expand_block(&x, &text, &line, false, false);
}
