/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/errors.h"

#include <stdarg.h>
#include <string.h>

#define DISTANCE_WORD_MAX 40

void config_errors_clear(struct config_errors *e)
{
	for (unsigned i = 0; i < e->n; i++)
		free(e->lines[i]);
	*e = (struct config_errors){ 0 };
}

void config_errors_add(struct config_errors *e, const char *file, unsigned line, const char *fmt,
		       ...)
{
	_cleanup_free_ char *message = NULL;
	char *text;
	va_list ap;
	int len;

	e->total++;
	if (e->n == CONFIG_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	len = vasprintf(&message, fmt, ap);
	va_end(ap);
	if (len < 0) {
		message = NULL;
		return;
	}
	if (line > 0)
		len = asprintf(&text, "%s:%u: %s", file, line, message);
	else
		len = asprintf(&text, "%s: %s", file, message);
	if (len >= 0)
		e->lines[e->n++] = text;
}

char *config_shorten(const char *word, char buf[static CONFIG_WORD_MAX])
{
	size_t len = strlen(word);

	if (len < CONFIG_WORD_MAX)
		return strcpy(buf, word);
	len = CONFIG_WORD_MAX - sizeof("...");
	while (len > 0 && ((unsigned char)word[len] & 0xc0) == 0x80)
		len--;
	memcpy(buf, word, len);
	strcpy(buf + len, "...");
	return buf;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned config_word_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[DISTANCE_WORD_MAX];

	if (la >= DISTANCE_WORD_MAX || lb >= DISTANCE_WORD_MAX)
		return CONFIG_DISTANCE_FAR;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

bool config_word_near(unsigned distance, const char *word)
{
	return distance <= strlen(word) / 3 + 1 && distance < strlen(word);
}
