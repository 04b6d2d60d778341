/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules file in srp_daemon's format, taken and refused line by line as srp_daemon of rdma-core
 * 44 does; man/srpha.conf.5 describes it. Pure. For the parts of config/ and its tests alone.
 *
 *   - a line is an "a" or a "d" (either case), then key=value pairs with blanks or a comma after
 *     each; "#" is a comment at the start of a line alone, and an empty line has not even a blank;
 *   - a part of 254 bytes without a newline is a line of its own, whatever the administrator meant;
 *   - keys to match: hexadecimal digits, at most as many as the key can have (pkey: 9, of which the
 *     lowest four count); an empty value takes an earlier one of the line back;
 *   - options, on "a" lines alone: at most 16 decimal digits each, 127 bytes in all.
 *
 * One thing is not as there: srp_daemon reads on past the end of a line that lacks its newline, in
 * what happens to lie there. Such a line is refused, as srp_daemon does unless it is unlucky.
 */
#pragma once

#include <stddef.h>

#include "config/config.h"

/*
 * Adds a rule a line to *rules. Mistakes go to *errors, with `name` for the file, the first one of
 * each line. 0 or -ENOMEM.
 */
int rules_file_parse(const char *name, const char *text, size_t len, struct config_rules *rules,
		     struct config_errors *errors);
