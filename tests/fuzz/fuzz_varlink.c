/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The framing and parsing of varlink messages, through a socket, in reads of changing size. Its
 * bounds are small here, so that a short input reaches them.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

#include "wire/varlink.h"

#define IN_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_all(struct varlink_stream *s, struct varlink_stream *back)
{
	struct json_object *o;
	int r;

	while ((r = varlink_stream_next(s, &o)) != 0) {
		const char *method;

		if (r < 0)
			continue;
		(void)json_get_string(o, "method", &method);
		(void)varlink_stream_queue(back, o);
		json_object_put(o);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct varlink_stream s, back;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	varlink_stream_init(&s, fds[0], IN_MAX, 0);
	varlink_stream_init(&back, fds[0], 0, 4 * IN_MAX);
	while (size > 1) {
		size_t n = (size_t)data[0] + 1;
		int r;

		data++;
		size--;
		if (n > size)
			n = size;
		if (send(fds[1], data, n, 0) != (ssize_t)n)
			abort();
		data += n;
		size -= n;
		r = varlink_stream_read(&s);
		if (s.in_len > IN_MAX + 1 || s.in_size > IN_MAX + 1)
			abort();
		if (r == -E2BIG)
			break;
		if (r != 1)
			abort();
		take_all(&s, &back);
	}
	(void)varlink_stream_flush(&back);
	varlink_stream_clear(&s);
	varlink_stream_clear(&back);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
