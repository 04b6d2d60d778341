/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INI text to sections and values: what is a line, a comment, a section; inih takes "key = value"
 * apart. Knows no key. Independent of how the distribution compiled inih: sections, comments,
 * continuation and length limits are decided here, so that no line is ever cut or joined in
 * silence, every bad line is told (inih tells only the first), and line numbers are exact.
 *
 *   - a comment begins at "#" or ";" at the start of a line or after a blank;
 *   - leading blanks mean nothing: there are no continuation lines;
 *   - a byte order mark at the start and a CR at a line's end are passed over.
 */
#pragma once

#include <stddef.h>

/* Bytes of a line without its comment and outer blanks: Debian's INI_MAX_LINE of 200 minus "\n\0". */
#define CONFIG_LINE_MAX 198

/* Strings are UTF-8 without control characters (tabs apart), valid during the call only. */
struct lines_handler {
	void (*on_section)(char *name, unsigned line, void *userdata); /* between the brackets */
	void (*on_value)(const char *key, const char *value, unsigned line, void *userdata);
	void (*on_mistake)(const char *what, unsigned line, void *userdata);
};

/* 0, or -ENOMEM. Text ends at the first NUL byte, which is a mistake. */
int lines_parse(const char *text, size_t len, const struct lines_handler *handler, void *userdata);
