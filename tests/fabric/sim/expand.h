/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topology text to single statements: comments and blank lines go, "repeat COUNT NAME" ... "end"
 * is unrolled (NAME counts from 0), and "{NAME}", "{NAME*2+1}", "{NAME/18}", "{NAME:04x}" become
 * numbers. Operators (+ - * / %) work from left to right, without precedence.
 */
#pragma once

#include <stdio.h>

struct expand_error {
	unsigned line; /* from 1 */
	const char *text;
};

/*
 * Calls back for every statement with its line. A negative return ends it and is passed on.
 * -EINVAL with *ret_error for what expand itself does not understand.
 */
int expand_text(const char *text,
		int (*on_statement)(char *statement, unsigned line, void *userdata), void *userdata,
		struct expand_error *ret_error);
