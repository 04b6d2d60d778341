/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel.h"

#include <errno.h>
#include <infiniband/umad.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/protocol.h"

struct channel_item {
	struct channel_item *next;
	size_t len;
	uint8_t data[];
};

/* 0, -EAGAIN, or another error when the client is gone. */
static int send_now(struct channel *c, const void *data, size_t len)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int file = -1, r = 0;

	if (len > CHANNEL_INLINE) {
		struct cmsghdr *h;

		file = memfd_create("mad", MFD_CLOEXEC);
		if (file < 0 || write(file, data, len) != (ssize_t)len) {
			if (file >= 0)
				close(file);
			return -ENOMEM;
		}
		v.iov_len = CHANNEL_INLINE;
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &file, sizeof(file));
	}
	if (sendmsg(c->io.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		r = -errno;
	if (file >= 0)
		close(file);
	return r;
}

static void flush(struct channel *c)
{
	while (c->head) {
		struct channel_item *item = c->head;

		if (send_now(c, item->data, item->len) == -EAGAIN)
			return;
		c->head = item->next;
		c->n_items--;
		free(item);
	}
	c->tail = &c->head;
	loop_change(c->loop, &c->io, EPOLLIN);
}

static void on_io(struct io *io, uint32_t events)
{
	struct channel *c = (struct channel *)io;

	if (events & EPOLLOUT)
		flush(c);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		c->on_readable(c); /* may close and free it */
}

int channel_open(struct channel *c, struct loop *loop, void (*on_readable)(struct channel *c),
		 int *ret_client)
{
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*c = (struct channel){
		.io = { .fd = fds[0], .on_io = on_io },
		.loop = loop,
		.on_readable = on_readable,
	};
	c->tail = &c->head;
	r = loop_add(loop, &c->io, EPOLLIN);
	if (r < 0) {
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	*ret_client = fds[1];
	return 0;
}

void channel_close(struct channel *c)
{
	if (c->io.fd < 0)
		return;
	while (c->head) {
		struct channel_item *item = c->head;

		c->head = item->next;
		free(item);
	}
	loop_remove(c->loop, &c->io);
	close(c->io.fd);
	c->io.fd = -1;
}

void channel_push(struct channel *c, const void *data, size_t len)
{
	struct channel_item *item;

	if (c->io.fd < 0 || c->n_items >= CHANNEL_QUEUE_MAX)
		return;
	if (!c->head && send_now(c, data, len) != -EAGAIN)
		return;
	item = malloc(sizeof(*item) + len);
	if (!item)
		return;
	item->next = NULL;
	item->len = len;
	memcpy(item->data, data, len);
	if (!c->head)
		loop_change(c->loop, &c->io, EPOLLIN | EPOLLOUT);
	*c->tail = item;
	c->tail = &item->next;
	c->n_items++;
}

static ssize_t read_file(int file, size_t len, void **ret)
{
	struct stat st;
	void *data;

	if (len > CHANNEL_LENGTH_MAX || fstat(file, &st) < 0 || (size_t)st.st_size < len)
		return -EBADMSG;
	data = malloc(len);
	if (!data)
		return -ENOMEM;
	if (pread(file, data, len, 0) != (ssize_t)len) {
		free(data);
		return -EBADMSG;
	}
	*ret = data;
	return (ssize_t)len;
}

ssize_t channel_pull(struct channel *c, void **ret)
{
	char control[CMSG_SPACE(sizeof(int))];
	uint8_t buffer[CHANNEL_INLINE];
	struct ib_user_mad *head = (struct ib_user_mad *)buffer;
	struct iovec v = { .iov_base = buffer, .iov_len = sizeof(buffer) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(c->io.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *h;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	if (n == 0)
		return -EPIPE;
	h = CMSG_FIRSTHDR(&m);
	if (h && h->cmsg_type == SCM_RIGHTS) {
		int file;

		memcpy(&file, CMSG_DATA(h), sizeof(file));
		n = n >= (ssize_t)sizeof(*head) ? read_file(file, head->length, ret) : -EBADMSG;
		close(file);
		return n;
	}
	*ret = malloc((size_t)n);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, buffer, (size_t)n);
	return n;
}
