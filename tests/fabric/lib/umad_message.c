/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libibumad: the parts that only read and write the buffer of a datagram. */
#include <arpa/inet.h>
#include <infiniband/umad.h>
#include <stdio.h>
#include <string.h>

static int debug_level;

void *umad_get_mad(void *umad)
{
	return ((struct ib_user_mad *)umad)->data;
}

size_t umad_size(void)
{
	return sizeof(struct ib_user_mad);
}

int umad_status(void *umad)
{
	return (int)((struct ib_user_mad *)umad)->status;
}

ib_mad_addr_t *umad_get_mad_addr(void *umad)
{
	return &((struct ib_user_mad *)umad)->addr;
}

/* Leaves gid_index alone, as libibumad 44 does. */
int umad_set_grh(void *umad, void *mad_addr)
{
	struct ib_user_mad *m = umad;
	const ib_mad_addr_t *a = mad_addr;

	m->addr.grh_present = a != NULL;
	if (a) {
		memcpy(m->addr.gid, a->gid, sizeof(m->addr.gid));
		m->addr.flow_label = htonl((uint32_t)a->flow_label);
		m->addr.hop_limit = a->hop_limit;
		m->addr.traffic_class = a->traffic_class;
	}
	return 0;
}

int umad_set_pkey(void *umad, int pkey_index)
{
	((struct ib_user_mad *)umad)->addr.pkey_index = (uint16_t)pkey_index;
	return 0;
}

int umad_get_pkey(void *umad)
{
	return ((struct ib_user_mad *)umad)->addr.pkey_index;
}

int umad_set_addr(void *umad, int dlid, int dqp, int sl, int qkey)
{
	return umad_set_addr_net(umad, htons((uint16_t)dlid), htonl((uint32_t)dqp), sl,
				 htonl((uint32_t)qkey));
}

int umad_set_addr_net(void *umad, __be16 dlid, __be32 dqp, int sl, __be32 qkey)
{
	struct ib_user_mad *m = umad;

	m->addr.lid = dlid;
	m->addr.qpn = dqp;
	m->addr.sl = (uint8_t)sl;
	m->addr.qkey = qkey;
	return 0;
}

int umad_debug(int level)
{
	if (level >= 0)
		debug_level = level;
	return debug_level;
}

void umad_addr_dump(ib_mad_addr_t *a)
{
	char gid[INET6_ADDRSTRLEN] = "";

	inet_ntop(AF_INET6, a->gid, gid, sizeof(gid));
	fprintf(stderr, "qpn %u qkey 0x%x lid %u sl %u grh %u gid_index %u gid %s pkey_index %u\n",
		ntohl(a->qpn), ntohl(a->qkey), ntohs(a->lid), a->sl, a->grh_present, a->gid_index,
		gid, a->pkey_index);
}

void umad_dump(void *umad)
{
	struct ib_user_mad *m = umad;

	fprintf(stderr, "agent %u status %u timeout %u length %u\n", m->agent_id, m->status,
		m->timeout_ms, m->length);
	umad_addr_dump(&m->addr);
}
