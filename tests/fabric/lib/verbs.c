/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libibverbs: devices, events and tables of a host of the simulated fabric. Queue pairs are in
 * verbs_queue.c. abi_compat stays NULL, so the inline functions of the header come here.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <infiniband/verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "verbs_queue.h"

#undef ibv_query_port

#define DEVICES_MAX 64

static void device_init(struct ibv_device *d, const char *name)
{
	d->node_type = IBV_NODE_CA;
	d->transport_type = IBV_TRANSPORT_IB;
	snprintf(d->name, sizeof(d->name), "%.63s", name);
	snprintf(d->dev_name, sizeof(d->dev_name), "uverbs-%.40s", name);
	snprintf(d->ibdev_path, sizeof(d->ibdev_path), "%.128s/sys/class/infiniband/%.64s",
		 host_directory(), name);
	memcpy(d->dev_path, d->ibdev_path, sizeof(d->dev_path));
}

/* A device lives as long as the process: contexts point to it after the list was freed. */
struct ibv_device **ibv_get_device_list(int *num_devices)
{
	struct ibv_device **list = calloc(DEVICES_MAX + 1, sizeof(*list));
	static struct ibv_device devices[DEVICES_MAX];
	char path[256];
	struct dirent *e;
	DIR *dir = NULL;
	int n = 0;

	if (list && host_directory()) {
		snprintf(path, sizeof(path), "%.200s/sys/class/infiniband", host_directory());
		dir = opendir(path);
	}
	while (dir && n < DEVICES_MAX && (e = readdir(dir)) != NULL) {
		int i = 0;

		if (e->d_name[0] == '.')
			continue;
		while (i < DEVICES_MAX - 1 && devices[i].name[0] &&
		       strcmp(devices[i].name, e->d_name) != 0)
			i++;
		device_init(&devices[i], e->d_name);
		list[n++] = &devices[i];
	}
	if (dir)
		closedir(dir);
	if (num_devices)
		*num_devices = n;
	return list;
}

void ibv_free_device_list(struct ibv_device **list)
{
	free(list);
}

const char *ibv_get_device_name(struct ibv_device *device)
{
	return device->name;
}

int ibv_get_device_index(struct ibv_device *device)
{
	return -1;
}

/* cmd_fd is the connection, async_fd the channel of events. */
struct ibv_context *ibv_open_device(struct ibv_device *device)
{
	struct rpc_request request = { .op = RPC_VERBS_OPEN };
	struct ibv_context *c = calloc(1, sizeof(*c));
	struct rpc_reply reply;
	int r;

	if (!c)
		return NULL;
	snprintf(request.device, sizeof(request.device), "%s", device->name);
	c->device = device;
	c->async_fd = -1;
	c->num_comp_vectors = 1;
	pthread_mutex_init(&c->mutex, NULL);
	c->cmd_fd = rpc_connect();
	r = c->cmd_fd < 0 ? c->cmd_fd : rpc_call(c->cmd_fd, &request, &reply, &c->async_fd);
	if (r < 0 || c->async_fd < 0) {
		ibv_close_device(c);
		errno = r < 0 ? -r : EIO;
		return NULL;
	}
	queue_ops_init(&c->ops);
	return c;
}

int ibv_close_device(struct ibv_context *c)
{
	if (c->async_fd >= 0)
		close(c->async_fd);
	if (c->cmd_fd >= 0)
		close(c->cmd_fd);
	pthread_mutex_destroy(&c->mutex);
	free(c);
	return 0;
}

int ibv_get_async_event(struct ibv_context *context, struct ibv_async_event *event)
{
	struct rpc_event e;
	ssize_t n = recv(context->async_fd, &e, sizeof(e), 0);

	if (n != sizeof(e)) {
		if (n >= 0)
			errno = EIO; /* the device was removed */
		return -1;
	}
	memset(event, 0, sizeof(*event));
	event->event_type = (enum ibv_event_type)e.type;
	event->element.port_num = (int)e.port;
	return 0;
}

void ibv_ack_async_event(struct ibv_async_event *event)
{
}

static int call_device(struct ibv_context *c, const struct rpc_request *request,
		       struct rpc_reply *ret)
{
	int r;

	pthread_mutex_lock(&c->mutex);
	r = rpc_call(c->cmd_fd, request, ret, NULL);
	pthread_mutex_unlock(&c->mutex);
	if (r < 0)
		errno = -r;
	return r;
}

/* The beginning of struct ibv_port_attr: what programs of any age have. */
int ibv_query_port(struct ibv_context *context, uint8_t port_num,
		   struct _compat_ibv_port_attr *port_attr)
{
	struct ibv_port_attr *a = (struct ibv_port_attr *)port_attr;
	struct rpc_request request = { .op = RPC_QUERY_PORT, .port = port_num };
	struct rpc_reply reply;
	int r = call_device(context, &request, &reply);

	if (r < 0)
		return -r;
	a->state = (enum ibv_port_state)reply.port.state;
	a->max_mtu = IBV_MTU_4096;
	a->active_mtu = IBV_MTU_4096;
	a->gid_tbl_len = (int)reply.port.n_gids;
	a->port_cap_flags = reply.port.cap_mask;
	a->max_msg_sz = 1u << 30;
	a->bad_pkey_cntr = 0;
	a->qkey_viol_cntr = 0;
	a->pkey_tbl_len = (uint16_t)reply.port.n_pkeys;
	a->lid = reply.port.lid;
	a->sm_lid = reply.port.sm_lid;
	a->lmc = reply.port.lmc;
	a->max_vl_num = 4;
	a->sm_sl = reply.port.sm_sl;
	a->subnet_timeout = reply.port.subnet_timeout;
	a->init_type_reply = 0;
	a->active_width = 2;
	a->active_speed = 32;
	a->phys_state = (uint8_t)reply.port.phys_state;
	a->link_layer = reply.port.link_layer;
	return 0;
}

int ibv_query_pkey(struct ibv_context *context, uint8_t port_num, int index, __be16 *pkey)
{
	struct rpc_request request = { .op = RPC_QUERY_PKEY,
				       .port = port_num,
				       .index = (uint32_t)index };
	struct rpc_reply reply;

	if (index < 0 || call_device(context, &request, &reply) < 0)
		return -1;
	*pkey = reply.pkey;
	return 0;
}

int ibv_get_pkey_index(struct ibv_context *context, uint8_t port_num, __be16 pkey)
{
	__be16 p;

	for (int i = 0; ibv_query_pkey(context, port_num, i, &p) == 0; i++)
		if (p == pkey)
			return i;
	return -1;
}

int ibv_query_gid(struct ibv_context *context, uint8_t port_num, int index, union ibv_gid *gid)
{
	struct rpc_request request = { .op = RPC_QUERY_GID,
				       .port = port_num,
				       .index = (uint32_t)index };
	struct rpc_reply reply;

	if (index < 0 || call_device(context, &request, &reply) < 0)
		return -1;
	memcpy(gid->raw, reply.gid, sizeof(gid->raw));
	return 0;
}

int _ibv_query_gid_ex(struct ibv_context *context, uint32_t port_num, uint32_t gid_index,
		      struct ibv_gid_entry *entry, uint32_t flags, size_t entry_size)
{
	return EOPNOTSUPP;
}

ssize_t _ibv_query_gid_table(struct ibv_context *context, struct ibv_gid_entry *entries,
			     size_t max_entries, uint32_t flags, size_t entry_size)
{
	return -EOPNOTSUPP;
}

int ibv_query_device(struct ibv_context *context, struct ibv_device_attr *a)
{
	struct rpc_request request = { .op = RPC_QUERY_PORT, .port = 1 };
	struct rpc_reply reply;
	int r = call_device(context, &request, &reply);

	if (r < 0)
		return -r;
	memset(a, 0, sizeof(*a));
	snprintf(a->fw_ver, sizeof(a->fw_ver), "1.0.0");
	a->node_guid = reply.node_guid;
	a->sys_image_guid = reply.node_guid;
	a->max_pkeys = (uint16_t)reply.port.n_pkeys;
	a->phys_port_cnt = reply.n_ports;
	a->max_qp = 1024;
	a->max_cq = 1024;
	return 0;
}

__be64 ibv_get_device_guid(struct ibv_device *device)
{
	struct ibv_device_attr a = { .node_guid = 0 };
	struct ibv_context *c = ibv_open_device(device);

	if (c) {
		(void)ibv_query_device(c, &a);
		ibv_close_device(c);
	}
	return a.node_guid;
}
