/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/gid.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/root.h"

void gid_from_mac(const uint8_t mac[static MAC_SIZE], uint8_t ret[static GID_SIZE])
{
	const uint8_t gid[GID_SIZE] = {
		0xfe, 0x80, [8] = mac[0] ^ 0x02, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]
	};

	memcpy(ret, gid, GID_SIZE);
}

bool gid_to_mac(const uint8_t gid[static GID_SIZE], uint8_t ret[static MAC_SIZE])
{
	if (gid[11] != 0xff || gid[12] != 0xfe)
		return false;
	ret[0] = gid[8] ^ 0x02;
	ret[1] = gid[9];
	ret[2] = gid[10];
	memcpy(ret + 3, gid + 13, 3);
	return true;
}

bool gid_is_link_local(const uint8_t gid[static GID_SIZE])
{
	return gid[0] == 0xfe && (gid[1] & 0xc0) == 0x80;
}

bool gid_is_v4_mapped(const uint8_t gid[static GID_SIZE])
{
	static const uint8_t prefix[12] = { [10] = 0xff, 0xff };

	return memcmp(gid, prefix, sizeof(prefix)) == 0;
}

static enum gid_type parse_type(const char *s)
{
	if (strcmp(s, "RoCE v2") == 0)
		return GID_ROCE_V2;
	return strcmp(s, "IB/RoCE v1") == 0 ? GID_IB_OR_ROCE_V1 : GID_OTHER;
}

struct reader {
	int port_fd;
	struct gid_table *table;
};

static int read_entry(const char *name, void *userdata)
{
	static const uint8_t zero[GID_SIZE], empty_ib[8];
	const struct reader *rd = userdata;
	struct gid_entry *e = &rd->table->entries[rd->table->n];
	char text[64];
	uint64_t index;

	if (rd->table->n == GID_TABLE_MAX || parse_u64(name, 0, 255, &index) < 0)
		return 0;
	*e = (struct gid_entry){ .index = (uint8_t)index, .type = GID_OTHER };
	if (root_readf(rd->port_fd, text, sizeof(text), "gids/%s", name) < 0 ||
	    parse_gid(text, e->gid) < 0)
		return 0;
	/* An unused entry: all zero, or an InfiniBand one with nothing but the prefix. */
	if (memcmp(e->gid, zero, GID_SIZE) == 0 || memcmp(e->gid + 8, empty_ib, 8) == 0)
		return 0;
	if (root_readf(rd->port_fd, text, sizeof(text), "gid_attrs/types/%s", name) > 0)
		e->type = parse_type(text);
	if (root_readf(rd->port_fd, text, sizeof(text), "gid_attrs/ndevs/%s", name) > 0 &&
	    strlen(text) < sizeof(e->netdev))
		memcpy(e->netdev, text, strlen(text) + 1);
	rd->table->n++;
	return 0;
}

static void sort_by_index(struct gid_table *t)
{
	for (unsigned i = 1; i < t->n; i++)
		for (unsigned k = i; k > 0 && t->entries[k - 1].index > t->entries[k].index; k--) {
			struct gid_entry e = t->entries[k];

			t->entries[k] = t->entries[k - 1];
			t->entries[k - 1] = e;
		}
}

int gid_table_read(int port_fd, struct gid_table *ret)
{
	struct gid_table t = { .n = 0 };
	struct reader rd = { .port_fd = port_fd, .table = &t };
	struct stat st;
	int r;

	/* A missing directory is an empty one to root_each(): not here. */
	if (fstatat(port_fd, "gids", &st, 0) < 0)
		return -errno;
	r = root_each(port_fd, "gids", 4 * GID_TABLE_MAX, read_entry, &rd);
	if (r < 0)
		return r;
	sort_by_index(&t);
	*ret = t;
	return 0;
}

static bool on_netdev(const struct gid_entry *e, const char *netdev)
{
	return netdev[0] && strcmp(e->netdev, netdev) == 0;
}

unsigned gid_table_link_locals(const struct gid_table *t, const char *netdev, unsigned max,
			       const struct gid_entry **ret)
{
	static const struct {
		enum gid_type type;
		bool eui64;
	} order[] = {
		{ GID_ROCE_V2, true },
		{ GID_ROCE_V2, false },
		{ GID_IB_OR_ROCE_V1, true },
		{ GID_IB_OR_ROCE_V1, false },
	};
	uint8_t mac[MAC_SIZE];
	unsigned n = 0;

	for (unsigned o = 0; o < ARRAY_SIZE(order); o++)
		for (unsigned i = 0; i < t->n && n < max; i++) {
			const struct gid_entry *e = &t->entries[i];

			if (e->type == order[o].type && on_netdev(e, netdev) &&
			    gid_is_link_local(e->gid) && gid_to_mac(e->gid, mac) == order[o].eui64)
				ret[n++] = e;
		}
	return n;
}

const struct gid_entry *gid_table_global(const struct gid_table *t, const char *netdev)
{
	for (unsigned i = 0; i < t->n; i++) {
		const struct gid_entry *e = &t->entries[i];

		if (e->type == GID_ROCE_V2 && on_netdev(e, netdev) && !gid_is_link_local(e->gid) &&
		    !gid_is_v4_mapped(e->gid))
			return e;
	}
	return NULL;
}

bool gid_table_has_netdev(const struct gid_table *t, const char *netdev)
{
	for (unsigned i = 0; i < t->n; i++)
		if (on_netdev(&t->entries[i], netdev))
			return true;
	return false;
}
