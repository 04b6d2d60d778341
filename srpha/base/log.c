/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FIELDS_MAX 24

/* The process's log sink: set once at start, the one piece of global state beside errno. */
static struct {
	const char *name;
	int max_level;
	bool journal;
} sink = { .name = "srpha", .max_level = LOG_INFO };

/* JOURNAL_STREAM holds "device:inode" of stderr when systemd connected it to the journal. */
static bool stderr_is_journal(void)
{
	const char *e = getenv("JOURNAL_STREAM");
	unsigned long dev, ino;
	struct stat st;

	return e && sscanf(e, "%lu:%lu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_open(const char *name, int max_level)
{
	sink.name = name;
	sink.max_level = max_level;
	sink.journal = stderr_is_journal();
}

void log_set_level(int max_level)
{
	sink.max_level = max_level;
}

static bool append_field(struct iovec *iov, unsigned *n, const char *name, const char *value)
{
	char *text;
	int len = asprintf(&text, "%s=%s", name, value);

	if (len < 0)
		return false;
	iov[(*n)++] = (struct iovec){ .iov_base = text, .iov_len = (size_t)len };
	return true;
}

void log_struct(int level, const char *message_id, const char *message,
		const struct log_field *fields, unsigned n_fields)
{
	struct iovec iov[FIELDS_MAX + 4];
	char priority[2] = { (char)('0' + (level & 7)), 0 };
	unsigned n = 0;

	if ((level & 7) > sink.max_level)
		return;
	if (!sink.journal) {
		fprintf(stderr, "%s: %s\n", sink.name, message);
		return;
	}
	append_field(iov, &n, "PRIORITY", priority);
	append_field(iov, &n, "SYSLOG_IDENTIFIER", sink.name);
	append_field(iov, &n, "MESSAGE", message);
	if (message_id)
		append_field(iov, &n, "MESSAGE_ID", message_id);
	for (unsigned i = 0; i < n_fields && i < FIELDS_MAX; i++)
		if (fields[i].value)
			append_field(iov, &n, fields[i].name, fields[i].value);
	(void)sd_journal_sendv(iov, (int)n);
	for (unsigned i = 0; i < n; i++)
		free(iov[i].iov_base);
}

void log_write(int level, const char *fmt, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;
	int len;

	if ((level & 7) > sink.max_level)
		return;
	va_start(ap, fmt);
	len = vasprintf(&message, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	log_struct(level, NULL, message, NULL, 0);
}
