/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line a fact, structured for the journal when there is one, plain on stderr otherwise.
 * Supervisor, worker, actor and ctl log; base, model, config, wire, fabric, observe and reconcile
 * never do: they return errors.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

/*
 * Chooses the sink: the journal when stderr is connected to it, otherwise stderr.
 * `name` is SYSLOG_IDENTIFIER. `max_level` is a syslog level, LOG_INFO by default.
 */
void log_open(const char *name, int max_level);
void log_set_level(int max_level);

__attribute__((format(printf, 2, 3))) void log_write(int level, const char *fmt, ...);

/*
 * The same with fields: NULL-terminated pairs of name and value strings after the message id
 * (32 hexadecimal digits, or NULL). The message is already formatted.
 */
struct log_field {
	const char *name;
	const char *value;
};
void log_struct(int level, const char *message_id, const char *message,
		const struct log_field *fields, unsigned n_fields);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERR, __VA_ARGS__)
