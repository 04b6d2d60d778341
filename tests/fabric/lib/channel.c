/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <infiniband/umad.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *host_directory(void)
{
	const char *dir = getenv(FABRIC_HOST_ENV);

	return dir && dir[0] ? dir : NULL;
}

int rpc_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *dir = host_directory();
	int fd, dir_fd, r = 0;

	if (!dir)
		return -ENODEV;
	/* By its descriptor: a path may be longer than an address. */
	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" FABRIC_SOCKET_NAME,
		 dir_fd);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	close(dir_fd);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

static void message_init(struct msghdr *m, struct iovec *v, void *control, size_t size)
{
	*m = (struct msghdr){
		.msg_iov = v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size
	};
}

static int message_take_fd(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int rpc_call(int fd, const struct rpc_request *request, struct rpc_reply *ret, int *ret_fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec v = { .iov_base = ret, .iov_len = sizeof(*ret) };
	struct msghdr m;
	ssize_t n;
	int got;

	do
		n = send(fd, request, sizeof(*request), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*request))
		return -EIO;
	message_init(&m, &v, control, sizeof(control));
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*ret))
		return -EIO;
	got = message_take_fd(&m);
	if (ret_fd)
		*ret_fd = got;
	else if (got >= 0)
		close(got);
	return ret->result;
}

static int send_once(int fd, const void *data, size_t len, int attached)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr m;

	message_init(&m, &v, attached < 0 ? NULL : control, attached < 0 ? 0 : sizeof(control));
	if (attached >= 0) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &attached, sizeof(int));
	}
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EPIPE || errno == ECONNRESET)
			return -EIO;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		(void)poll(&p, 1, -1);
	}
}

int channel_send(int fd, const void *data, size_t len)
{
	int file, r;

	if (len <= CHANNEL_INLINE)
		return send_once(fd, data, len, -1);
	file = memfd_create("mad", MFD_CLOEXEC);
	if (file < 0)
		return -errno;
	if (write(file, data, len) != (ssize_t)len)
		r = -ENOMEM;
	else
		r = send_once(fd, data, CHANNEL_INLINE, file);
	close(file);
	return r;
}

static ssize_t take(int fd, void *data, size_t size, size_t total)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec v = { .iov_base = data, .iov_len = size };
	struct msghdr m;
	ssize_t n;
	int file;

	message_init(&m, &v, control, sizeof(control));
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	file = message_take_fd(&m);
	if (file >= 0) {
		n = pread(file, data, total, 0) == (ssize_t)total ? (ssize_t)total : -EIO;
		close(file);
	}
	return n;
}

ssize_t channel_receive(int fd, void *data, size_t size)
{
	struct ib_user_mad head;
	size_t total;
	ssize_t n = recv(fd, &head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno == ECONNRESET ? -EIO : -errno;
	if (n < (ssize_t)sizeof(head))
		return -EIO;
	total = head.length;
	if (total < sizeof(head) || total > CHANNEL_LENGTH_MAX)
		return -EIO;
	if (total <= size)
		return take(fd, data, size, total);
	n = recv(fd, data, size, MSG_PEEK | MSG_DONTWAIT);
	return n < 0 ? -errno : (ssize_t)total;
}
