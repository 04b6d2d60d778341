/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libibumad: ports, agents, sending and receiving. What the kernel's ib_umad does (transaction
 * numbers, timeouts, retries, RMPP, who gets what) is done by the simulator; here is only the way
 * there. The lengths and errors are those of ib_umad's read and write.
 */
#include <errno.h>
#include <fcntl.h>
#include <infiniband/umad.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "umad_ca.h"

#define MAD_SIZE 256
#define OPENIB_OUI 0x001405u
#define PORTS_MAX 1024 /* descriptors of channels are below this */

/* The connection that belongs to the channel of that number. */
static int connections[PORTS_MAX];
static pthread_mutex_t connections_lock = PTHREAD_MUTEX_INITIALIZER;

int umad_init(void)
{
	return 0;
}

int umad_done(void)
{
	return 0;
}

static int connection_of(int portid)
{
	return portid >= 0 && portid < PORTS_MAX && connections[portid] > 0 ? connections[portid]
									    : -1;
}

int umad_open_port(const char *ca_name, int portnum)
{
	struct rpc_request request = { .op = RPC_UMAD_OPEN };
	struct rpc_reply reply;
	int connection, channel = -1, r;

	if (umad_resolve(ca_name, &portnum, request.device, sizeof(request.device)) < 0)
		return -ENODEV;
	request.port = (uint32_t)portnum;
	connection = rpc_connect();
	if (connection < 0)
		return -EIO;
	r = rpc_call(connection, &request, &reply, &channel);
	if (r < 0 || channel < 0 || channel >= PORTS_MAX) {
		if (channel >= 0)
			close(channel);
		close(connection);
		errno = r < 0 ? -r : EIO;
		return r == -EINVAL ? r : -EIO;
	}
	(void)fcntl(channel, F_SETFL, O_NONBLOCK);
	pthread_mutex_lock(&connections_lock);
	connections[channel] = connection;
	pthread_mutex_unlock(&connections_lock);
	return channel;
}

int umad_close_port(int portid)
{
	pthread_mutex_lock(&connections_lock);
	if (connection_of(portid) >= 0) {
		close(connections[portid]);
		connections[portid] = 0;
	}
	close(portid);
	pthread_mutex_unlock(&connections_lock);
	return 0;
}

static int call_port(int portid, struct rpc_request *request)
{
	struct rpc_reply reply;
	int r;

	pthread_mutex_lock(&connections_lock);
	r = connection_of(portid) < 0 ? -EBADF
				      : rpc_call(connections[portid], request, &reply, NULL);
	pthread_mutex_unlock(&connections_lock);
	return r;
}

static int register_agent(int portid, struct rpc_request *request, const void *method_mask)
{
	int r;

	request->op = RPC_UMAD_REGISTER;
	if (method_mask)
		memcpy(request->agent.methods, method_mask, sizeof(request->agent.methods));
	r = call_port(portid, request);
	if (r < 0)
		errno = -r;
	return r;
}

int umad_register(int portid, int mgmt_class, int mgmt_version, uint8_t rmpp_version,
		  long method_mask[16 / sizeof(long)])
{
	struct rpc_request request = { .agent = { .mgmt_class = (uint8_t)mgmt_class,
						  .version = (uint8_t)mgmt_version,
						  .rmpp_version = rmpp_version,
						  .oui = OPENIB_OUI } };
	int r = register_agent(portid, &request, method_mask);

	return r < 0 ? -EPERM : r;
}

int umad_register_oui(int portid, int mgmt_class, uint8_t rmpp_version, uint8_t oui[3],
		      long method_mask[16 / sizeof(long)])
{
	struct rpc_request request = { .agent = { .mgmt_class = (uint8_t)mgmt_class,
						  .version = 1,
						  .rmpp_version = rmpp_version } };
	int r;

	if (mgmt_class < 0x30 || mgmt_class > 0x4f)
		return -EINVAL;
	request.agent.oui = (uint32_t)(oui[0] << 16 | oui[1] << 8 | oui[2]);
	r = register_agent(portid, &request, method_mask);
	return r < 0 ? -EPERM : r;
}

/* Positive errors, as the real one. */
int umad_register2(int port_fd, struct umad_reg_attr *attr, uint32_t *agent_id)
{
	struct rpc_request request = { .op = 0 };
	int r;

	if (!attr || !agent_id)
		return EINVAL;
	if (attr->mgmt_class >= 0x30 && attr->mgmt_class <= 0x4f &&
	    ((attr->oui & 0xffffff) == 0 || attr->oui > 0xffffff))
		return EINVAL;
	if (attr->flags & ~(uint32_t)UMAD_USER_RMPP) {
		attr->flags = UMAD_USER_RMPP;
		return EINVAL;
	}
	request.agent = (struct rpc_agent){ .mgmt_class = attr->mgmt_class,
					    .version = attr->mgmt_class_version,
					    .rmpp_version = attr->rmpp_version,
					    .user_rmpp = (attr->flags & UMAD_USER_RMPP) != 0,
					    .oui = attr->oui };
	r = register_agent(port_fd, &request, attr->method_mask);
	if (r < 0)
		return -r;
	*agent_id = (uint32_t)r;
	return 0;
}

int umad_unregister(int portid, int agentid)
{
	struct rpc_request request = { .op = RPC_UMAD_UNREGISTER, .index = (uint32_t)agentid };
	int r = call_port(portid, &request);

	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

int umad_get_fd(int portid)
{
	return portid;
}

int umad_send(int portid, int agentid, void *umad, int length, int timeout_ms, int retries)
{
	struct ib_user_mad *m = umad;
	struct ib_user_mad *copy;
	size_t total = sizeof(*m) + (size_t)length;
	int r;

	errno = 0;
	m->timeout_ms = (uint32_t)timeout_ms;
	m->retries = (uint32_t)retries;
	m->agent_id = (uint32_t)agentid;
	/* The caller's length field is the kernel's to write on receiving; the channel needs it. */
	copy = malloc(total);
	if (!copy) {
		errno = ENOMEM;
		return -EIO;
	}
	memcpy(copy, m, total);
	copy->length = (uint32_t)total;
	r = channel_send(portid, copy, total);
	free(copy);
	if (r < 0)
		errno = -r;
	return r < 0 ? -EIO : 0;
}

int umad_poll(int portid, int timeout_ms)
{
	struct pollfd p = { .fd = portid, .events = POLLIN };
	int n = poll(&p, 1, timeout_ms);

	if (n == 1)
		return 0;
	return n == 0 ? -ETIMEDOUT : -EIO;
}

int umad_recv(int portid, void *umad, int *length, int timeout_ms)
{
	struct ib_user_mad *m = umad;
	ssize_t n;
	int r;

	errno = 0;
	if (!umad || !length) {
		errno = EINVAL;
		return -EINVAL;
	}
	if (timeout_ms) {
		r = umad_poll(portid, timeout_ms);
		if (r < 0) {
			if (!errno)
				errno = -r;
			return r;
		}
	}
	n = channel_receive(portid, umad, sizeof(*m) + (size_t)*length);
	if (n < 0) {
		errno = (int)-n;
		/* A caller that waits for ever would call again at once: the device is gone. */
		if (n == -EIO && timeout_ms < 0)
			(void)poll(NULL, 0, 100);
		*length = 0;
		return (int)n;
	}
	if ((size_t)n > sizeof(*m) + (size_t)*length) {
		/* A longer message than one datagram, of which one fits: ib_umad's copy_recv_mad(). */
		errno = *length >= MAD_SIZE && (size_t)n > sizeof(*m) + MAD_SIZE ? ENOSPC : EINVAL;
		*length = (int)(m->length - sizeof(*m));
		return -errno;
	}
	*length = (int)((size_t)n - sizeof(*m));
	return (int)m->agent_id;
}
