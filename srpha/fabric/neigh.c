/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Enough for a burst of a large subnet's notifications. */
#define RECEIVE_BUFFER (1024 * 1024)

/* The states in which the kernel sends at once (NUD_VALID of include/net/neighbour.h). */
#define STATES_VALID (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

int neigh_open(uint32_t *ret_id)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_NEIGH | RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	socklen_t len = sizeof(address);
	int size = RECEIVE_BUFFER;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	*ret_id = address.nl_pid;
	return TAKE_FD(fd);
}

struct request {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	} body;
	uint8_t attributes[64];
};

static void put_attribute(struct request *rq, uint16_t type, const void *data, size_t len)
{
	struct rtattr a = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(len) };
	uint8_t *at = (uint8_t *)rq + NLMSG_ALIGN(rq->header.nlmsg_len);

	memcpy(at, &a, sizeof(a));
	memcpy(at + RTA_LENGTH(0), data, len);
	rq->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(rq->header.nlmsg_len) + RTA_LENGTH(len));
}

static int send_request(int fd, const struct request *rq)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(fd, rq, rq->header.nlmsg_len, MSG_DONTWAIT, (struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

int neigh_ask_route(int fd, uint32_t seq, const struct portal *to)
{
	struct request rq = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			    .nlmsg_type = RTM_GETROUTE,
			    .nlmsg_flags = NLM_F_REQUEST,
			    .nlmsg_seq = seq },
		.body.route = { .rtm_family = (unsigned char)to->sa.sa_family },
	};
	int scope = 0;

	if (to->sa.sa_family == AF_INET) {
		rq.body.route.rtm_dst_len = 32;
		put_attribute(&rq, RTA_DST, &to->in.sin_addr, 4);
	} else {
		rq.body.route.rtm_dst_len = 128;
		put_attribute(&rq, RTA_DST, &to->in6.sin6_addr, 16);
		scope = (int)to->in6.sin6_scope_id;
	}
	if (scope)
		put_attribute(&rq, RTA_OIF, &scope, sizeof(scope));
	return send_request(fd, &rq);
}

int neigh_ask_neighbour(int fd, uint32_t seq, const struct neigh_key *key)
{
	struct request rq = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)),
			    .nlmsg_type = RTM_GETNEIGH,
			    .nlmsg_flags = NLM_F_REQUEST,
			    .nlmsg_seq = seq },
		.body.neighbour = { .ndm_family = (unsigned char)key->family,
				    .ndm_ifindex = (int)key->ifindex },
	};

	put_attribute(&rq, NDA_DST, key->addr, key->family == AF_INET ? 4 : 16);
	return send_request(fd, &rq);
}

int neigh_confirm(int fd, uint32_t seq, const struct neigh_key *key, const void *lladdr, size_t len)
{
	struct request rq = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)),
			    .nlmsg_type = RTM_NEWNEIGH,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE,
			    .nlmsg_seq = seq },
		.body.neighbour = { .ndm_family = (unsigned char)key->family,
				    .ndm_ifindex = (int)key->ifindex,
				    .ndm_state = NUD_REACHABLE },
	};

	if (len > NEIGH_LLADDR_MAX)
		return -EINVAL;
	put_attribute(&rq, NDA_DST, key->addr, key->family == AF_INET ? 4 : 16);
	put_attribute(&rq, NDA_LLADDR, lladdr, len);
	return send_request(fd, &rq);
}

ssize_t neigh_recv(int fd, void *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (from.nl_pid != 0)
		return -EPERM;
	if (msg.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	return n;
}

/*
 * The attribute of `type` in [p, p + len): its payload and size, or NULL. -1 in *ret_len where
 * the list itself is broken.
 */
static const uint8_t *find_attribute(const uint8_t *p, size_t len, uint16_t type, long *ret_len)
{
	struct rtattr a;

	*ret_len = 0;
	while (len >= sizeof(a)) {
		memcpy(&a, p, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > len) {
			*ret_len = -1;
			return NULL;
		}
		if ((a.rta_type & NLA_TYPE_MASK) == type) {
			*ret_len = (long)(a.rta_len - RTA_LENGTH(0));
			return p + RTA_LENGTH(0);
		}
		if (RTA_ALIGN(a.rta_len) >= len)
			break;
		p += RTA_ALIGN(a.rta_len);
		len -= RTA_ALIGN(a.rta_len);
	}
	return NULL;
}

static size_t address_size(int family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static int parse_neighbour(const uint8_t *body, size_t len, bool gone, struct neigh_event *ret)
{
	struct ndmsg nd;
	const uint8_t *a;
	long n;

	if (len < NLMSG_ALIGN(sizeof(nd)))
		return -EBADMSG;
	memcpy(&nd, body, sizeof(nd));
	body += NLMSG_ALIGN(sizeof(nd));
	len -= NLMSG_ALIGN(sizeof(nd));
	if (address_size(nd.ndm_family) == 0) /* a bridge's entry */
		return 0;
	a = find_attribute(body, len, NDA_DST, &n);
	if (!a)
		return n < 0 ? -EBADMSG : 0;
	if ((size_t)n != address_size(nd.ndm_family))
		return -EBADMSG;
	ret->kind = gone ? NEIGH_NEIGHBOUR_GONE : NEIGH_NEIGHBOUR;
	ret->key =
		(struct neigh_key){ .ifindex = (unsigned)nd.ndm_ifindex, .family = nd.ndm_family };
	memcpy(ret->key.addr, a, (size_t)n);
	a = find_attribute(body, len, NDA_LLADDR, &n);
	if (n < 0 || n > NEIGH_LLADDR_MAX)
		return -EBADMSG;
	if (a) {
		memcpy(ret->lladdr, a, (size_t)n);
		ret->lladdr_len = (unsigned)n;
	}
	ret->valid = !gone && (nd.ndm_state & STATES_VALID) && ret->lladdr_len > 0;
	return 1;
}

static int parse_route(const uint8_t *body, size_t len, struct neigh_event *ret)
{
	struct rtmsg rt;
	const uint8_t *a;
	uint32_t oif;
	long n;

	if (len < NLMSG_ALIGN(sizeof(rt)))
		return -EBADMSG;
	memcpy(&rt, body, sizeof(rt));
	body += NLMSG_ALIGN(sizeof(rt));
	len -= NLMSG_ALIGN(sizeof(rt));
	ret->kind = NEIGH_ROUTE;
	ret->family = rt.rtm_family;
	ret->local = rt.rtm_type == RTN_LOCAL;
	ret->unreachable = rt.rtm_type == RTN_UNREACHABLE || rt.rtm_type == RTN_PROHIBIT ||
			   rt.rtm_type == RTN_BLACKHOLE;
	a = find_attribute(body, len, RTA_OIF, &n);
	if (n < 0 || (a && n != sizeof(oif)))
		return -EBADMSG;
	if (a) {
		memcpy(&oif, a, sizeof(oif));
		ret->oif = oif;
	}
	if (find_attribute(body, len, RTA_GATEWAY, &n) || find_attribute(body, len, RTA_VIA, &n))
		ret->gateway = true;
	a = find_attribute(body, len, RTA_PREFSRC, &n);
	if (a && (size_t)n == address_size(rt.rtm_family))
		memcpy(ret->source, a, (size_t)n);
	return 1;
}

static int parse_error(const uint8_t *body, size_t len, struct neigh_event *ret)
{
	struct nlmsgerr e;

	if (len < sizeof(e.error))
		return -EBADMSG;
	memcpy(&e.error, body, sizeof(e.error));
	if (e.error >= 0) /* an acknowledgement */
		return 0;
	ret->kind = NEIGH_ERROR;
	ret->error = e.error;
	return 1;
}

static int parse_message(const struct nlmsghdr *h, const uint8_t *body, size_t len, uint32_t id,
			 struct neigh_event *ret)
{
	/* What others asked for or changed carries their number, or none. */
	*ret = (struct neigh_event){ .seq = h->nlmsg_pid == id ? h->nlmsg_seq : 0 };
	switch (h->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return parse_neighbour(body, len, h->nlmsg_type == RTM_DELNEIGH, ret);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return parse_route(body, len, ret);
	case RTM_NEWLINK:
	case RTM_DELLINK:
	case RTM_NEWADDR:
	case RTM_DELADDR:
		ret->kind = NEIGH_LINK;
		return 1;
	case NLMSG_ERROR:
		return parse_error(body, len, ret);
	case NLMSG_OVERRUN:
		ret->kind = NEIGH_OVERRUN;
		return 1;
	default:
		return 0;
	}
}

int neigh_parse(const void *buf, size_t len, uint32_t id, size_t *offset, struct neigh_event *ret)
{
	struct nlmsghdr h;

	while (*offset + sizeof(h) <= len) {
		const uint8_t *at = (const uint8_t *)buf + *offset;
		int r;

		memcpy(&h, at, sizeof(h));
		if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > len - *offset)
			return -EBADMSG;
		*offset += NLMSG_ALIGN(h.nlmsg_len);
		r = parse_message(&h, at + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN, id, ret);
		if (r != 0)
			return r;
	}
	return *offset >= len ? 0 : -EBADMSG;
}

bool neigh_key_equal(const struct neigh_key *a, const struct neigh_key *b)
{
	return a->ifindex == b->ifindex && a->family == b->family &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

struct neigh_key neigh_key_of(unsigned ifindex, const struct portal *p)
{
	struct neigh_key k = { .ifindex = ifindex, .family = p->sa.sa_family };

	if (p->sa.sa_family == AF_INET)
		memcpy(k.addr, &p->in.sin_addr, 4);
	else
		memcpy(k.addr, &p->in6.sin6_addr, 16);
	return k;
}

struct neigh_key neigh_key_of_gid(unsigned ifindex, const uint8_t gid[static 16])
{
	struct neigh_key k = { .ifindex = ifindex, .family = AF_INET6 };

	memcpy(k.addr, gid, 16);
	return k;
}
