/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actor/pin.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "fabric/gid.h"
#include "fabric/neigh.h"

#define SEQ_ROUTE 1
#define SEQ_CONFIRM 2

/* Notifications of others may come before our answer. */
#define DATAGRAMS_MAX 64

/* rtnetlink answers before the request's send returns: what is not there will not come. */
static int find_route(int fd, uint32_t id, struct neigh_event *ret)
{
	_cleanup_free_ char *buffer = malloc(NEIGH_BUFFER_SIZE);

	if (!buffer)
		return -ENOMEM;
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
		ssize_t n = neigh_recv(fd, buffer, NEIGH_BUFFER_SIZE);
		size_t offset = 0;

		if (n == -EPERM || n == -ENOBUFS)
			continue;
		if (n < 0)
			return (int)n;
		while (neigh_parse(buffer, (size_t)n, id, &offset, ret) > 0) {
			if (ret->seq != SEQ_ROUTE)
				continue;
			return ret->kind == NEIGH_ROUTE ? 0 : ret->error;
		}
	}
	return -EHOSTUNREACH;
}

int pin_neighbour(const char *dest, const char *gid)
{
	_cleanup_close_ int fd = -EBADF;
	uint8_t raw[GID_SIZE], mac[MAC_SIZE];
	struct neigh_event route;
	struct neigh_key key;
	struct portal portal;
	uint32_t id;
	int r;

	if (parse_portal(dest, &portal) < 0 || parse_gid(gid, raw) < 0 || !gid_to_mac(raw, mac))
		return -EINVAL;
	fd = neigh_open(&id);
	if (fd < 0)
		return fd;
	r = neigh_ask_route(fd, SEQ_ROUTE, &portal);
	if (r == 0)
		r = find_route(fd, id, &route);
	if (r < 0)
		return r;
	if (route.oif == 0 || route.gateway || route.local || route.unreachable)
		return -EHOSTUNREACH;
	key = neigh_key_of(route.oif, &portal);
	return neigh_confirm(fd, SEQ_CONFIRM, &key, mac, sizeof(mac));
}
