/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/ibport.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/root.h"
#include "fabric/sa.h"

/* A number as drivers/infiniband/core/sysfs.c writes it: "4", "0x2a", "4: ACTIVE". */
static int read_number(int port_fd, const char *name, uint64_t max, uint64_t *ret)
{
	char text[64];
	ssize_t n = root_read(port_fd, name, text, sizeof(text));

	if (n < 0)
		return (int)n;
	text[strcspn(text, ":")] = '\0';
	return parse_u64(text, 0, max, ret) < 0 ? -EBADMSG : 0;
}

struct reader {
	int port_fd;
	struct ibport *port;
};

static int read_pkey(const char *name, void *userdata)
{
	const struct reader *rd = userdata;
	uint64_t index, value;
	char text[16];

	if (rd->port->n_pkeys == IBPORT_PKEYS_MAX || parse_u64(name, 0, UINT16_MAX, &index) < 0)
		return 0;
	if (root_readf(rd->port_fd, text, sizeof(text), "pkeys/%s", name) < 0 ||
	    parse_u64(text, 0, UINT16_MAX, &value) < 0)
		return 0;
	/* 10.9.1.2: no partition has the number 0, whatever the membership. */
	if ((value & PKEY_PARTITION) == 0)
		return 0;
	rd->port->pkeys[rd->port->n_pkeys++] =
		(struct ibport_pkey){ .index = (uint16_t)index, .value = (uint16_t)value };
	return 0;
}

/* Names come in the order of text. */
static void sort_by_index(struct ibport *p)
{
	for (unsigned i = 1; i < p->n_pkeys; i++)
		for (unsigned k = i; k > 0 && p->pkeys[k - 1].index > p->pkeys[k].index; k--) {
			struct ibport_pkey e = p->pkeys[k];

			p->pkeys[k] = p->pkeys[k - 1];
			p->pkeys[k - 1] = e;
		}
}

int ibport_read(int port_fd, struct ibport *ret)
{
	static const struct {
		const char *name;
		uint64_t max;
	} files[] = {
		{ "state", 5 },		  { "lid", UINT16_MAX }, { "lid_mask_count", 7 },
		{ "sm_lid", UINT16_MAX }, { "sm_sl", 15 },	 { "cap_mask", UINT32_MAX },
	};
	uint64_t v[ARRAY_SIZE(files)];
	struct ibport p = { 0 };
	struct reader rd = { .port_fd = port_fd, .port = &p };
	char text[64];
	int r;

	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		r = read_number(port_fd, files[i].name, files[i].max, &v[i]);
		if (r < 0)
			return r;
	}
	p.state = (uint8_t)v[0];
	p.lid = (uint16_t)v[1];
	p.lmc = (uint8_t)v[2];
	p.sm_lid = (uint16_t)v[3];
	p.sm_sl = (uint8_t)v[4];
	p.cap_mask = (uint32_t)v[5];
	if (root_read(port_fd, "gids/0", text, sizeof(text)) < 0 || parse_gid(text, p.gid) < 0)
		memset(p.gid, 0, sizeof(p.gid));
	r = root_each(port_fd, "pkeys", 4 * IBPORT_PKEYS_MAX, read_pkey, &rd);
	if (r < 0)
		return r;
	sort_by_index(&p);
	*ret = p;
	return 0;
}

static bool same_pkeys(const struct ibport *a, const struct ibport *b)
{
	if (a->n_pkeys != b->n_pkeys)
		return false;
	for (unsigned i = 0; i < a->n_pkeys; i++)
		if (a->pkeys[i].index != b->pkeys[i].index ||
		    a->pkeys[i].value != b->pkeys[i].value)
			return false;
	return true;
}

unsigned ibport_changes(const struct ibport *a, const struct ibport *b)
{
	unsigned mask = 0;

	if (a->state != b->state)
		mask |= IBPORT_STATE;
	if (a->lid != b->lid || a->lmc != b->lmc)
		mask |= IBPORT_LID;
	if (a->sm_lid != b->sm_lid || a->sm_sl != b->sm_sl)
		mask |= IBPORT_SM;
	if (!same_pkeys(a, b))
		mask |= IBPORT_PKEYS;
	if (memcmp(a->gid, b->gid, sizeof(a->gid)) != 0)
		mask |= IBPORT_GID;
	return mask;
}

int ibport_pkey_index(const struct ibport *p, uint16_t pkey)
{
	int other = -ENOENT;

	for (unsigned i = 0; i < p->n_pkeys; i++) {
		if (p->pkeys[i].value == pkey)
			return p->pkeys[i].index;
		if (other < 0 && (p->pkeys[i].value & PKEY_PARTITION) == (pkey & PKEY_PARTITION))
			other = p->pkeys[i].index;
	}
	return other;
}

bool pkey_match(uint16_t a, uint16_t b)
{
	return (a & PKEY_PARTITION) == (b & PKEY_PARTITION) && (a & PKEY_PARTITION) &&
	       ((a | b) & PKEY_FULL_MEMBER);
}

int ibport_sm(const struct ibport *p, struct mad_dest *ret)
{
	int pkey = ibport_pkey_index(p, PKEY_DEFAULT | PKEY_FULL_MEMBER);

	if (p->state != SA_PORT_ACTIVE || p->lid == 0 || p->sm_lid == 0 ||
	    p->sm_lid > LID_UNICAST_MAX)
		return -EADDRNOTAVAIL;
	*ret = (struct mad_dest){
		.lid = p->sm_lid,
		.sl = p->sm_sl,
		.pkey_index = pkey < 0 ? 0 : (uint16_t)pkey,
	};
	return 0;
}
