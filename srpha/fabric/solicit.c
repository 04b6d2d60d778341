/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/solicit.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DISCARD_PORT 9

static int open_icmp6(void)
{
	struct icmp6_filter none;
	int hops = 255, fd; /* RFC 4861, 4.3: anything else is dropped by the receiver */

	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (fd < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&none);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof(none)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int socket_or_errno(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	return fd < 0 ? -errno : fd;
}

int solicit_open(struct solicit *s)
{
	*s = (struct solicit){
		.udp4 = socket_or_errno(AF_INET, SOCK_DGRAM, 0),
		.udp6 = socket_or_errno(AF_INET6, SOCK_DGRAM, 0),
		.arp = socket_or_errno(AF_PACKET, SOCK_DGRAM, 0), /* 0: receives nothing */
		.icmp6 = open_icmp6(),
	};
	return s->arp < 0 ? s->arp : s->icmp6 < 0 ? s->icmp6 : 0;
}

void solicit_close(struct solicit *s)
{
	int *fds[] = { &s->udp4, &s->udp6, &s->arp, &s->icmp6 };

	for (unsigned i = 0; i < 4; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -EBADF;
	}
}

/* Sends through one interface, whatever the route says. */
static int send_through(int fd, unsigned ifindex, const void *to, socklen_t to_len,
			const void *data, size_t len)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_name = (void *)to,
			      .msg_namelen = to_len,
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control };
	struct cmsghdr *c = &control.header;

	if (((const struct sockaddr *)to)->sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_ifindex = (int)ifindex };

		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(info)),
				       .cmsg_level = IPPROTO_IP,
				       .cmsg_type = IP_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		msg.msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = ifindex };

		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(info)),
				       .cmsg_level = IPPROTO_IPV6,
				       .cmsg_type = IPV6_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		msg.msg_controllen = CMSG_SPACE(sizeof(info));
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int solicit_provoke(const struct solicit *s, const struct neigh_key *who)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(DISCARD_PORT) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(DISCARD_PORT),
				    .sin6_scope_id = who->ifindex };

	if (who->family == AF_INET) {
		memcpy(&in.sin_addr, who->addr, 4);
		return send_through(s->udp4, who->ifindex, &in, sizeof(in), NULL, 0);
	}
	memcpy(&in6.sin6_addr, who->addr, 16);
	return send_through(s->udp6, who->ifindex, &in6, sizeof(in6), NULL, 0);
}

/* RFC 826, to everyone on the link. */
static int ask_arp(int fd, const struct neigh_key *who, const uint8_t *mac, const uint8_t *source)
{
	struct {
		struct arphdr header;
		uint8_t sender_mac[MAC_SIZE], sender_ip[4], target_mac[MAC_SIZE], target_ip[4];
	} __attribute__((packed)) request = {
		.header = { .ar_hrd = htons(ARPHRD_ETHER),
			    .ar_pro = htons(ETH_P_IP),
			    .ar_hln = MAC_SIZE,
			    .ar_pln = 4,
			    .ar_op = htons(ARPOP_REQUEST) },
	};
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ARP),
				  .sll_ifindex = (int)who->ifindex,
				  .sll_halen = MAC_SIZE };

	memset(to.sll_addr, 0xff, MAC_SIZE);
	memcpy(request.sender_mac, mac, MAC_SIZE);
	memcpy(request.sender_ip, source, 4);
	memcpy(request.target_ip, who->addr, 4);
	if (sendto(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

/* RFC 4861, 4.3, to the solicited-node group of the address; the kernel fills in the checksum. */
static int ask_icmp6(int fd, const struct neigh_key *who, const uint8_t *mac)
{
	struct {
		struct nd_neighbor_solicit ns;
		struct nd_opt_hdr option;
		uint8_t mac[MAC_SIZE];
	} __attribute__((packed)) request = {
		.ns = { .nd_ns_hdr = { .icmp6_type = ND_NEIGHBOR_SOLICIT } },
		.option = { .nd_opt_type = ND_OPT_SOURCE_LINKADDR, .nd_opt_len = 1 },
	};
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_addr.s6_addr = { 0xff, 0x02, [11] = 0x01, 0xff },
		.sin6_scope_id = who->ifindex,
	};

	memcpy(&request.ns.nd_ns_target, who->addr, 16);
	memcpy(request.mac, mac, MAC_SIZE);
	memcpy(to.sin6_addr.s6_addr + 13, who->addr + 13, 3);
	return send_through(fd, who->ifindex, &to, sizeof(to), &request, sizeof(request));
}

int solicit_ask(const struct solicit *s, const struct neigh_key *who,
		const uint8_t mac[static MAC_SIZE], const uint8_t source[static 4])
{
	int fd = who->family == AF_INET ? s->arp : s->icmp6;

	if (fd < 0)
		return -EBADF;
	return who->family == AF_INET ? ask_arp(fd, who, mac, source) : ask_icmp6(fd, who, mac);
}
