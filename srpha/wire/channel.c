/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/parse.h"

/* Deep enough for every message, shallow enough that a hostile one cannot exhaust the stack. */
#define JSON_DEPTH_MAX 16

int channel_pair(int *ret_ours, int *ret_theirs)
{
	int fds[2], size = 2 * CHANNEL_MESSAGE_MAX;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	for (unsigned i = 0; i < 2; i++)
		if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
			(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	return 0;
}

int channel_send(int fd, struct json_object *message)
{
	size_t len;
	const char *text = json_object_to_json_string_length(message, JSON_C_TO_STRING_PLAIN, &len);

	if (!text)
		return -ENOMEM;
	if (len > CHANNEL_MESSAGE_MAX)
		return -E2BIG;
	if (send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return errno == ECONNRESET ? -EPIPE : errno == EMSGSIZE ? -E2BIG : -errno;
	return 0;
}

/* Of the next message: 0 at end of file, negative errno (-EAGAIN: there is none). */
static ssize_t message_length(int fd)
{
	ssize_t n;

	do
		n = recv(fd, NULL, 0, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	return n;
}

int channel_recv(int fd, struct json_object **ret)
{
	_cleanup_free_ char *buf = NULL;
	struct iovec iov = {};
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = message_length(fd);
	int r;

	if (n <= 0)
		return (int)n;
	/* One that is too long is taken all the same, and dropped. */
	iov.iov_len = n > CHANNEL_MESSAGE_MAX ? 0 : (size_t)n;
	iov.iov_base = buf = malloc(iov.iov_len + 1);
	if (!buf)
		return -ENOMEM;
	n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EBADMSG;
	r = json_parse_object(buf, (size_t)n, ret);
	return r < 0 ? -EBADMSG : 1;
}

int json_parse_object(const char *text, size_t len, struct json_object **ret)
{
	struct json_tokener *tok;
	struct json_object *o;
	enum json_tokener_error err;
	size_t end;

	if (len > CHANNEL_MESSAGE_MAX)
		return -E2BIG;
	tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	err = json_tokener_get_error(tok);
	end = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	if (err != json_tokener_success || end != len ||
	    !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return -EBADMSG;
	}
	*ret = o;
	return 0;
}

static int get_typed(struct json_object *o, const char *key, enum json_type type,
		     struct json_object **ret)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !v)
		return -ENOENT;
	if (!json_object_is_type(v, type))
		return -EBADMSG;
	*ret = v;
	return 0;
}

int json_get_string(struct json_object *o, const char *key, const char **ret)
{
	struct json_object *v;
	int r = get_typed(o, key, json_type_string, &v);

	if (r < 0)
		return r;
	/* An embedded NUL would make two readers see two strings. */
	if (strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
		return -EBADMSG;
	*ret = json_object_get_string(v);
	return 0;
}

int json_get_u64(struct json_object *o, const char *key, uint64_t max, uint64_t *ret)
{
	struct json_object *v;
	int r = get_typed(o, key, json_type_int, &v);

	if (r < 0)
		return r;
	/* json-c gives 0 for a negative value: tell it from a real zero by the signed reading. */
	if (json_object_get_int64(v) < 0 || json_object_get_uint64(v) > max)
		return -EBADMSG;
	*ret = json_object_get_uint64(v);
	return 0;
}

int json_get_bool(struct json_object *o, const char *key, bool *ret)
{
	struct json_object *v;
	int r = get_typed(o, key, json_type_boolean, &v);

	if (r < 0)
		return r;
	*ret = json_object_get_boolean(v);
	return 0;
}

int json_get_array(struct json_object *o, const char *key, size_t max, struct json_object **ret)
{
	struct json_object *v;
	int r = get_typed(o, key, json_type_array, &v);

	if (r < 0)
		return r;
	if (json_object_array_length(v) > max)
		return -EBADMSG;
	*ret = v;
	return 0;
}

int json_get_object(struct json_object *o, const char *key, struct json_object **ret)
{
	return get_typed(o, key, json_type_object, ret);
}

void json_put_string(struct json_object *o, const char *key, const char *value)
{
	if (value)
		json_object_object_add(o, key, json_object_new_string(value));
}

void json_put_u64(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

void json_put_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

void json_put_guid(struct json_object *o, const char *key, uint64_t guid)
{
	char buf[GUID_STR_MAX];

	json_put_string(o, key, format_guid(guid, buf));
}

int json_get_guid(struct json_object *o, const char *key, uint64_t *ret)
{
	const char *s;
	int r = json_get_string(o, key, &s);

	if (r < 0)
		return r;
	return parse_guid(s, ret) < 0 ? -EBADMSG : 0;
}
