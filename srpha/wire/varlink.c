/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/varlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A status reply nests eight deep; the rest is room for callers of our own interface. */
#define DEPTH_MAX 32

#define BUFFER_MIN 4096
/* A buffer that grew beyond this for one message is given back once it is empty. */
#define BUFFER_KEEP (64 * 1024)

void varlink_stream_init(struct varlink_stream *s, int fd, size_t in_max, size_t out_max)
{
	*s = (struct varlink_stream){ .fd = fd, .in_max = in_max, .out_max = out_max };
}

void varlink_stream_clear(struct varlink_stream *s)
{
	free(s->in);
	free(s->out);
	varlink_stream_init(s, -EBADF, s->in_max, s->out_max);
}

/* Makes *buf hold at least `need` bytes, doubling up to `limit` (need <= limit). */
static int reserve(char **buf, size_t *size, size_t need, size_t limit)
{
	size_t n = *size ? *size : BUFFER_MIN;
	char *p;

	if (need <= *size)
		return 0;
	while (n < need)
		n *= 2;
	if (n > limit)
		n = limit;
	p = realloc(*buf, n);
	if (!p)
		return -ENOMEM;
	*buf = p;
	*size = n;
	return 0;
}

static void release(char **buf, size_t *size)
{
	if (*size <= BUFFER_KEEP)
		return;
	free(*buf);
	*buf = NULL;
	*size = 0;
}

int varlink_stream_read(struct varlink_stream *s)
{
	const size_t limit = s->in_max + 1; /* the longest message and its NUL */
	ssize_t n;
	int r;

	if (s->in_len == limit) /* whole messages the caller has not taken yet */
		return memchr(s->in, '\0', s->in_len) ? -ENOBUFS : -E2BIG;
	r = reserve(&s->in, &s->in_size, s->in_len + 1, limit);
	if (r < 0)
		return r;
	do
		n = recv(s->fd, s->in + s->in_len, s->in_size - s->in_len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (n == 0)
		return 0;
	s->in_len += (size_t)n;
	if (s->in_len == limit && !memchr(s->in, '\0', s->in_len))
		return -E2BIG;
	return 1;
}

/* One whole object, nothing after it. As json_parse_object(), for messages as long as in_max. */
static int parse_message(const char *text, size_t len, struct json_object **ret)
{
	struct json_tokener *tok;
	struct json_object *o;
	bool whole;

	if (len > INT32_MAX)
		return -EBADMSG;
	tok = json_tokener_new_ex(DEPTH_MAX);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	whole = json_tokener_get_error(tok) == json_tokener_success &&
		json_tokener_get_parse_end(tok) == len;
	json_tokener_free(tok);
	if (!whole || !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return -EBADMSG;
	}
	*ret = o;
	return 0;
}

int varlink_stream_next(struct varlink_stream *s, struct json_object **ret)
{
	char *end = s->in_len ? memchr(s->in, '\0', s->in_len) : NULL;
	size_t taken;
	int r;

	if (!end)
		return 0;
	r = parse_message(s->in, (size_t)(end - s->in), ret);
	taken = (size_t)(end - s->in) + 1;
	s->in_len -= taken;
	memmove(s->in, end + 1, s->in_len);
	if (s->in_len == 0)
		release(&s->in, &s->in_size);
	return r < 0 ? r : 1;
}

int varlink_stream_queue(struct varlink_stream *s, struct json_object *message)
{
	size_t len, pending = s->out_len - s->out_pos;
	const char *text = json_object_to_json_string_length(message, JSON_C_TO_STRING_PLAIN, &len);
	int r;

	if (!text)
		return -ENOMEM;
	len++; /* its NUL ends the message */
	if (len > s->out_max || pending > s->out_max - len)
		return -ENOBUFS;
	if (s->out_pos > 0) {
		memmove(s->out, s->out + s->out_pos, pending);
		s->out_pos = 0;
		s->out_len = pending;
	}
	r = reserve(&s->out, &s->out_size, pending + len, s->out_max);
	if (r < 0)
		return r;
	memcpy(s->out + s->out_len, text, len);
	s->out_len += len;
	return 0;
}

int varlink_stream_flush(struct varlink_stream *s)
{
	while (s->out_pos < s->out_len) {
		ssize_t n = send(s->fd, s->out + s->out_pos, s->out_len - s->out_pos,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n < 0)
			return -errno;
		s->out_pos += (size_t)n;
	}
	s->out_pos = s->out_len = 0;
	release(&s->out, &s->out_size);
	return 1;
}

static struct json_object *message_new(const char *key, const char *name,
				       struct json_object *parameters)
{
	struct json_object *o = json_object_new_object();

	if (!parameters)
		parameters = json_object_new_object();
	if (!o || !parameters) {
		json_object_put(o);
		json_object_put(parameters);
		return NULL;
	}
	if (key)
		json_put_string(o, key, name);
	json_object_object_add(o, "parameters", parameters);
	return o;
}

struct json_object *varlink_reply(struct json_object *parameters, bool continues)
{
	struct json_object *o = message_new(NULL, NULL, parameters);

	if (o && continues)
		json_put_bool(o, "continues", true);
	return o;
}

struct json_object *varlink_error(const char *name, struct json_object *parameters)
{
	return message_new("error", name, parameters);
}

struct json_object *varlink_call(const char *method, struct json_object *parameters)
{
	return message_new("method", method, parameters);
}
