/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server.h"

#include <errno.h>
#include <infiniband/verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "history.h"
#include "kernel.h"
#include "lib/protocol.h"

/* A verbs device that is open. */
struct verbs_client {
	struct channel channel; /* first */
	struct verbs_client *next;
	struct node *node;
	struct connection *connection;
};

/* One connection has one thing open, at most. */
struct connection {
	struct io io; /* first */
	struct connection *next, **at;
	struct host *host;
	struct umad_file *umad;
	struct port *umad_port;
	struct verbs_client *verbs;
};

static void connection_close(struct connection *c)
{
	if (c->umad)
		umad_file_close(c->umad);
	if (c->verbs) {
		struct verbs_client **v = &c->host->verbs;

		while (*v && *v != c->verbs)
			v = &(*v)->next;
		if (*v)
			*v = c->verbs->next;
		channel_close(&c->verbs->channel);
		free(c->verbs);
	}
	loop_remove(c->host->fabric->loop, &c->io);
	close(c->io.fd);
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	free(c);
}

static void on_umad_closed(struct umad_file *u)
{
	connection_close(u->owner);
}

static void on_verbs_readable(struct channel *channel)
{
	struct verbs_client *v = (struct verbs_client *)channel;
	void *data = NULL;
	ssize_t n = channel_pull(channel, &data);

	free(data);
	if (n == -EPIPE)
		connection_close(v->connection);
}

static int open_umad(struct connection *c, const struct rpc_request *q, int *ret_fd)
{
	struct node *n = host_device(c->host, q->device);

	if (!n || q->port < 1 || q->port > n->n_ports)
		return -EINVAL;
	c->umad_port = &n->ports[q->port];
	return umad_file_open(c->umad_port, on_umad_closed, c, &c->umad, ret_fd);
}

static int open_verbs(struct connection *c, const struct rpc_request *q, int *ret_fd)
{
	struct node *n = host_device(c->host, q->device);
	struct verbs_client *v;
	int r;

	if (!n)
		return -ENODEV;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	r = channel_open(&v->channel, c->host->fabric->loop, on_verbs_readable, ret_fd);
	if (r < 0) {
		free(v);
		return r;
	}
	v->node = n;
	v->connection = c;
	v->next = c->host->verbs;
	c->host->verbs = v;
	c->verbs = v;
	return 0;
}

static int query_port(const struct port *p, struct rpc_reply *reply)
{
	reply->n_ports = p->node->n_ports;
	reply->node_guid = htobe64(p->node->guid);
	reply->port = (struct rpc_port){
		.state = port_state(p),
		.phys_state = port_phys_state(p),
		.cap_mask = port_cap_mask(p),
		.lid = port_lid(p),
		.sm_lid = port_sm_lid(p),
		.lmc = (uint8_t)port_lmc(p),
		.sm_sl = p->info[36] & 0xf,
		.subnet_timeout = p->info[51] & 0x1f,
		.link_layer = p->ethernet ? IBV_LINK_LAYER_ETHERNET : IBV_LINK_LAYER_INFINIBAND,
		.n_gids = GIDS_MAX,
		.n_pkeys = PKEYS_MAX,
	};
	return 0;
}

static int query_device(struct connection *c, const struct rpc_request *q, struct rpc_reply *reply)
{
	const struct port *p;

	if (!c->verbs)
		return -EBADF;
	if (q->port < 1 || q->port > c->verbs->node->n_ports)
		return -EINVAL;
	p = &c->verbs->node->ports[q->port];
	if (q->op == RPC_QUERY_PORT)
		return query_port(p, reply);
	if (q->index >= (q->op == RPC_QUERY_PKEY ? PKEYS_MAX : GIDS_MAX))
		return -EINVAL;
	if (q->op == RPC_QUERY_PKEY)
		reply->pkey = htobe16(p->pkeys[q->index]);
	else
		port_gid(p, q->index, reply->gid);
	return 0;
}

static int serve(struct connection *c, const struct rpc_request *q, struct rpc_reply *reply,
		 int *ret_fd)
{
	bool open = c->umad || c->verbs;

	switch ((enum rpc_op)q->op) {
	case RPC_UMAD_OPEN:
		return open ? -EBUSY : open_umad(c, q, ret_fd);
	case RPC_VERBS_OPEN:
		return open ? -EBUSY : open_verbs(c, q, ret_fd);
	case RPC_UMAD_REGISTER:
		return c->umad ? umad_file_register(c->umad, &q->agent) : -EBADF;
	case RPC_UMAD_UNREGISTER:
		return c->umad ? umad_file_unregister(c->umad, q->index) : -EBADF;
	case RPC_QUERY_PORT:
	case RPC_QUERY_PKEY:
	case RPC_QUERY_GID:
		return query_device(c, q, reply);
	}
	return -EINVAL;
}

static void send_reply(int fd, const struct rpc_reply *reply, int attached)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { .iov_base = (void *)reply, .iov_len = sizeof(*reply) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (attached >= 0) {
		struct cmsghdr *h;

		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &attached, sizeof(attached));
	}
	(void)sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (attached >= 0)
		close(attached);
}

static void on_request(struct io *io, uint32_t events)
{
	struct connection *c = (struct connection *)io;
	struct rpc_reply reply = { .result = 0 };
	struct rpc_request q;
	int fd = -1;
	ssize_t n = recv(io->fd, &q, sizeof(q), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(q)) {
		connection_close(c);
		return;
	}
	q.device[sizeof(q.device) - 1] = '\0';
	reply.result = serve(c, &q, &reply, &fd);
	send_reply(io->fd, &reply, fd);
}

static void on_connect(struct io *io, uint32_t events)
{
	struct host *h = (struct host *)((char *)io - offsetof(struct host, socket));
	struct connection *c;
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	c->io = (struct io){ .fd = fd, .on_io = on_request };
	c->host = h;
	c->at = &h->connections;
	c->next = h->connections;
	if (c->next)
		c->next->at = &c->next;
	h->connections = c;
	if (loop_add(h->fabric->loop, &c->io, EPOLLIN) < 0)
		connection_close(c);
}

int server_listen(struct host *h, int directory_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" FABRIC_SOCKET_NAME,
		 directory_fd);
	h->socket = (struct io){
		.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		.on_io = on_connect,
	};
	if (h->socket.fd < 0 ||
	    bind(h->socket.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(h->socket.fd, 128) < 0)
		return -errno;
	/* A worker drops its privileges and may connect afterwards. */
	(void)chmod(address.sun_path, 0777);
	r = loop_add(h->fabric->loop, &h->socket, EPOLLIN);
	return r;
}

void server_event(struct port *p, unsigned type)
{
	struct rpc_event e = { .type = type, .port = p->num };

	for (struct verbs_client *v = p->node->host->verbs; v; v = v->next)
		if (v->node == p->node)
			channel_push(&v->channel, &e, sizeof(e));
}

void server_device_gone(struct node *n)
{
	struct connection *next;

	server_event(&n->ports[0], IBV_EVENT_DEVICE_FATAL);
	for (struct connection *c = n->host->connections; c; c = next) {
		next = c->next;
		if ((c->umad && c->umad_port->node == n) || (c->verbs && c->verbs->node == n))
			connection_close(c);
	}
}

void server_close(struct host *h)
{
	while (h->connections)
		connection_close(h->connections);
	if (h->socket.fd >= 0) {
		loop_remove(h->fabric->loop, &h->socket);
		close(h->socket.fd);
	}
}
