/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FIELDS_MAX 24
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define DATAGRAM_MAX 8192

/* The process's log sink: set once at start, the one piece of global state beside errno. */
static struct {
	const char *name;
	int max_level;
	int journal; /* a socket, or negative: stderr */
	unsigned lost;
} sink = { .name = "srpha", .max_level = LOG_INFO, .journal = -EBADF };

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
	if (stderr_is_journal() && sink.journal < 0)
		sink.journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

void log_set_level(int max_level)
{
	sink.max_level = max_level;
}

/* The journal's native protocol: "NAME=value\n" each; what does not fit is cut, never split. */
static void append_field(char *buf, size_t *len, const char *name, const char *value)
{
	int n = snprintf(buf + *len, DATAGRAM_MAX - *len, "%s=%s\n", name, value);
	char *start = buf + *len + strlen(name) + 1;

	if (n < 0 || (size_t)n >= DATAGRAM_MAX - *len)
		return;
	*len += (size_t)n;
	/* A line break inside a value would begin another field. */
	for (char *p = start; p < buf + *len - 1; p++)
		if (*p == '\n')
			*p = ' ';
}

/*
 * Never waits: journald may be stuck on the very storage that a failover is about to free, and its
 * queue full. sd_journal_send() would wait. What is lost is counted and told later.
 */
static void send_to_journal(const char *buf, size_t len)
{
	const struct sockaddr_un journal = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

	if (sendto(sink.journal, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		   (const struct sockaddr *)&journal, sizeof(journal)) < 0)
		sink.lost++;
	else
		sink.lost = 0;
}

void log_struct(int level, const char *message_id, const char *message,
		const struct log_field *fields, unsigned n_fields)
{
	char priority[2] = { (char)('0' + (level & 7)), 0 };
	char buf[DATAGRAM_MAX], lost[16];
	size_t len = 0;

	if ((level & 7) > sink.max_level)
		return;
	if (sink.journal < 0) {
		fprintf(stderr, "%s: %s\n", sink.name, message);
		return;
	}
	append_field(buf, &len, "PRIORITY", priority);
	append_field(buf, &len, "SYSLOG_IDENTIFIER", sink.name);
	append_field(buf, &len, "MESSAGE", message);
	if (message_id)
		append_field(buf, &len, "MESSAGE_ID", message_id);
	for (unsigned i = 0; i < n_fields && i < FIELDS_MAX; i++)
		if (fields[i].value)
			append_field(buf, &len, fields[i].name, fields[i].value);
	if (sink.lost > 0) {
		snprintf(lost, sizeof(lost), "%u", sink.lost);
		append_field(buf, &len, "SRPHA_LINES_LOST_BEFORE", lost);
	}
	send_to_journal(buf, len);
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
