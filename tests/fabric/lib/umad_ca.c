/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "umad_ca.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <infiniband/umad.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"

#define PATH_SIZE 512
#define STATE_ACTIVE 4
#define PHYS_DISABLED 3
#define PHYS_LINK_UP 5

/* One attribute below sys/class of the host, without its newline. 0 or -1. */
__attribute__((format(printf, 3, 4))) static int read_attribute(char *ret, size_t size,
								const char *format, ...)
{
	char path[PATH_SIZE];
	const char *dir = host_directory();
	va_list args;
	ssize_t n;
	int len, fd;

	len = snprintf(path, sizeof(path), "%s/sys/class/", dir ? dir : "/nonexistent");
	if (len < 0 || (size_t)len >= sizeof(path))
		return -1;
	va_start(args, format);
	vsnprintf(path + len, sizeof(path) - (size_t)len, format, args);
	va_end(args);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, ret, size - 1);
	close(fd);
	if (n < 0)
		return -1;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

static int read_port_number(const char *ca, int port, const char *name, unsigned *ret)
{
	char text[64];

	if (read_attribute(text, sizeof(text), "infiniband/%s/ports/%d/%s", ca, port, name) < 0)
		return -1;
	*ret = (unsigned)strtoul(text, NULL, 0);
	return 0;
}

/* "5254:0000:0000:0001", and a GID likewise, to bytes as on the wire. */
static void parse_words(const char *text, uint8_t *ret, size_t size)
{
	memset(ret, 0, size);
	for (size_t i = 0; i + 1 < size && text; i += 2) {
		unsigned long word = strtoul(text, NULL, 16);

		ret[i] = (uint8_t)(word >> 8);
		ret[i + 1] = (uint8_t)word;
		text = strchr(text, ':');
		if (text)
			text++;
	}
}

static int read_guid(const char *ca, const char *name, __be64 *ret)
{
	char text[64];
	uint8_t bytes[8];

	if (read_attribute(text, sizeof(text), "infiniband/%s/%s", ca, name) < 0)
		return -EIO;
	parse_words(text, bytes, sizeof(bytes));
	memcpy(ret, bytes, sizeof(bytes));
	return 0;
}

static int read_pkeys(const char *ca, int num, umad_port_t *port)
{
	char text[64];
	unsigned n = 0;

	while (read_attribute(text, sizeof(text), "infiniband/%s/ports/%d/pkeys/%u", ca, num, n) ==
	       0)
		n++;
	if (n == 0)
		return -EIO;
	port->pkeys = calloc(n, sizeof(port->pkeys[0]));
	if (!port->pkeys)
		return -ENOMEM;
	port->pkeys_size = n;
	for (unsigned i = 0; i < n; i++)
		if (read_attribute(text, sizeof(text), "infiniband/%s/ports/%d/pkeys/%u", ca, num,
				   i) == 0)
			port->pkeys[i] = (uint16_t)strtoul(text, NULL, 0);
	return 0;
}

static int port_read(const char *ca, int num, umad_port_t *port)
{
	unsigned capmask = 0;
	char text[64];
	uint8_t gid[16];

	snprintf(port->ca_name, sizeof(port->ca_name), "%s", ca);
	port->portnum = num;
	port->pkeys = NULL;
	port->pkeys_size = 0;
	if (read_port_number(ca, num, "lid_mask_count", &port->lmc) < 0 ||
	    read_port_number(ca, num, "sm_lid", &port->sm_lid) < 0 ||
	    read_port_number(ca, num, "sm_sl", &port->sm_sl) < 0 ||
	    read_port_number(ca, num, "lid", &port->base_lid) < 0 ||
	    read_port_number(ca, num, "state", &port->state) < 0 ||
	    read_port_number(ca, num, "phys_state", &port->phys_state) < 0 ||
	    read_port_number(ca, num, "rate", &port->rate) < 0 ||
	    read_port_number(ca, num, "cap_mask", &capmask) < 0)
		return -EIO;
	port->capmask = htobe32(capmask);
	if (read_attribute(text, sizeof(text), "infiniband/%s/ports/%d/link_layer", ca, num) < 0)
		snprintf(text, sizeof(text), "IB");
	snprintf(port->link_layer, sizeof(port->link_layer), "%.19s", text);
	if (read_attribute(text, sizeof(text), "infiniband/%s/ports/%d/gids/0", ca, num) < 0)
		return -EIO;
	parse_words(text, gid, sizeof(gid));
	memcpy(&port->gid_prefix, gid, 8);
	memcpy(&port->port_guid, gid + 8, 8);
	return read_pkeys(ca, num, port);
}

/* The next entry that is a name, or NULL. */
static const char *next_name(DIR *dir)
{
	struct dirent *e;

	do
		e = dir ? readdir(dir) : NULL;
	while (e && e->d_name[0] == '.');
	return e ? e->d_name : NULL;
}

static DIR *open_class(const char *format, const char *name)
{
	char path[PATH_SIZE], sub[128];

	snprintf(sub, sizeof(sub), format, name);
	snprintf(path, sizeof(path), "%s/sys/class/%s",
		 host_directory() ? host_directory() : "/nonexistent", sub);
	return opendir(path);
}

static int ca_read(const char *name, umad_ca_t *ca)
{
	char text[64];
	const char *entry;
	DIR *dir;
	int r = 0;

	memset(ca->ports, 0, sizeof(ca->ports));
	ca->numports = 0;
	snprintf(ca->ca_name, sizeof(ca->ca_name), "%s", name);
	if (read_attribute(text, sizeof(text), "infiniband/%s/node_type", name) < 0)
		return -EIO;
	ca->node_type = (unsigned)strtoul(text, NULL, 0);
	if (read_attribute(ca->fw_ver, sizeof(ca->fw_ver), "infiniband/%s/fw_ver", name) < 0)
		ca->fw_ver[0] = '\0';
	if (read_attribute(ca->hw_ver, sizeof(ca->hw_ver), "infiniband/%s/hw_rev", name) < 0)
		ca->hw_ver[0] = '\0';
	if (read_attribute(ca->ca_type, sizeof(ca->ca_type), "infiniband/%s/hca_type", name) < 0)
		ca->ca_type[0] = '\0';
	if (read_guid(name, "node_guid", &ca->node_guid) < 0 ||
	    read_guid(name, "sys_image_guid", &ca->system_guid) < 0)
		return -EIO;
	dir = open_class("infiniband/%s/ports", name);
	if (!dir)
		return -ENOENT;
	while (r == 0 && (entry = next_name(dir)) != NULL) {
		int num = atoi(entry);

		if (num <= 0 || num >= UMAD_CA_MAX_PORTS) {
			r = -EIO;
			break;
		}
		ca->ports[num] = calloc(1, sizeof(*ca->ports[num]));
		r = ca->ports[num] ? port_read(name, num, ca->ports[num]) : -ENOMEM;
		if (ca->numports < num)
			ca->numports = num;
	}
	closedir(dir);
	if (r < 0)
		umad_release_ca(ca);
	return r;
}

static bool port_is_infiniband(const umad_port_t *p)
{
	return p && (strcmp(p->link_layer, "InfiniBand") == 0 || strcmp(p->link_layer, "IB") == 0);
}

/* How good a port is: 2 active, 1 usable, 0 not. */
static int port_rank(const umad_port_t *p)
{
	if (!port_is_infiniband(p) || p->phys_state == PHYS_DISABLED)
		return 0;
	return p->state == STATE_ACTIVE ? 2 : 1;
}

/* The best port of a device (or the one asked for) and its rank; -1 without such a device. */
static int best_port(const char *name, int *portnum)
{
	int rank = 0, up = 0, wanted = *portnum;
	umad_ca_t ca;

	if (ca_read(name, &ca) < 0)
		return -1;
	for (int i = 1; i <= ca.numports; i++) {
		int r = port_rank(ca.ports[i]) + (port_is_infiniband(ca.ports[i]) &&
						  ca.ports[i]->phys_state == PHYS_LINK_UP);

		if ((wanted > 0 && i != wanted) || r <= up)
			continue;
		up = r;
		rank = port_rank(ca.ports[i]);
		*portnum = i;
	}
	umad_release_ca(&ca);
	return rank;
}

int umad_resolve(const char *ca_name, int *portnum, char *ret, size_t size)
{
	char names[UMAD_MAX_DEVICES][UMAD_CA_NAME_LEN];
	int n, best = 0;

	if (ca_name) {
		snprintf(ret, size, "%s", ca_name);
		if (!portnum || *portnum > 0)
			return 0;
		return best_port(ca_name, portnum) > 0 ? 0 : -1;
	}
	n = umad_get_cas_names(names, UMAD_MAX_DEVICES);
	for (int i = 0; i < n && best < 2; i++) {
		int num = portnum ? *portnum : 0, rank = best_port(names[i], &num);

		if (rank <= best)
			continue;
		best = rank;
		snprintf(ret, size, "%s", names[i]);
		if (portnum && rank == 2)
			*portnum = num;
	}
	if (best == 1 && portnum)
		(void)best_port(ret, portnum);
	return best > 0 ? 0 : -1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

int umad_get_cas_names(char cas[][UMAD_CA_NAME_LEN], int max)
{
	DIR *dir = open_class("infiniband%s", "");
	const char *name;
	int n = 0;

	while (n < max && (name = next_name(dir)) != NULL)
		snprintf(cas[n++], UMAD_CA_NAME_LEN, "%.19s", name);
	if (dir)
		closedir(dir);
	qsort(cas, (size_t)n, UMAD_CA_NAME_LEN, compare_names);
	return n;
}

int umad_get_ca(const char *ca_name, umad_ca_t *ca)
{
	char name[64];

	if (umad_resolve(ca_name, NULL, name, sizeof(name)) < 0)
		return -ENODEV;
	return ca_read(name, ca);
}

int umad_release_ca(umad_ca_t *ca)
{
	for (int i = 0; i <= ca->numports && i < UMAD_CA_MAX_PORTS; i++) {
		if (!ca->ports[i])
			continue;
		free(ca->ports[i]->pkeys);
		free(ca->ports[i]);
		ca->ports[i] = NULL;
	}
	return 0;
}

int umad_get_port(const char *ca_name, int portnum, umad_port_t *port)
{
	char name[64];

	if (umad_resolve(ca_name, &portnum, name, sizeof(name)) < 0)
		return -ENODEV;
	return port_read(name, portnum, port);
}

int umad_release_port(umad_port_t *port)
{
	free(port->pkeys);
	port->pkeys = NULL;
	port->pkeys_size = 0;
	return 0;
}

int umad_get_ca_portguids(const char *ca_name, __be64 *portguids, int max)
{
	umad_ca_t ca;
	int n = 0;

	if (umad_get_ca(ca_name, &ca) < 0)
		return -1;
	if (portguids && ca.numports + 1 > max)
		n = -ENOMEM;
	else if (portguids)
		for (int i = 0; i <= ca.numports; i++)
			portguids[n++] = ca.ports[i] ? ca.ports[i]->port_guid : 0;
	umad_release_ca(&ca);
	return n;
}

/* The number N of umadN that belongs to a port. */
static int umad_number(const char *ca, int portnum)
{
	char device[64], port[16];

	for (int i = 0; i < UMAD_MAX_PORTS; i++) {
		if (read_attribute(device, sizeof(device), "infiniband_mad/umad%d/ibdev", i) < 0 ||
		    read_attribute(port, sizeof(port), "infiniband_mad/umad%d/port", i) < 0)
			continue;
		if (strcmp(device, ca) == 0 && atoi(port) == portnum)
			return i;
	}
	return -1;
}

int umad_get_issm_path(const char *ca_name, int portnum, char path[], int max)
{
	char name[64];
	int id, n;

	if (umad_resolve(ca_name, &portnum, name, sizeof(name)) < 0)
		return -ENODEV;
	id = umad_number(name, portnum);
	if (id < 0 || !host_directory())
		return -EINVAL;
	n = snprintf(path, (size_t)max, "%s/dev/infiniband/issm%d", host_directory(), id);
	return n < 0 || n >= max ? -EINVAL : 0;
}

struct umad_device_node *umad_get_ca_device_list(void)
{
	char names[UMAD_MAX_DEVICES][UMAD_CA_NAME_LEN];
	struct umad_device_node *head = NULL;

	for (int i = umad_get_cas_names(names, UMAD_MAX_DEVICES); i > 0; i--) {
		struct umad_device_node *node = malloc(sizeof(*node));

		if (!node)
			break;
		*node = (struct umad_device_node){ .next = head, .ca_name = strdup(names[i - 1]) };
		head = node;
	}
	return head;
}

void umad_free_ca_device_list(struct umad_device_node *head)
{
	while (head) {
		struct umad_device_node *next = head->next;

		free((char *)head->ca_name);
		free(head);
		head = next;
	}
}

int umad_sort_ca_device_list(struct umad_device_node **head, size_t size)
{
	/* The list is made from sorted names; a caller's own list is sorted by insertion. */
	struct umad_device_node *sorted = NULL;

	while (head && *head) {
		struct umad_device_node *node = *head, **at = &sorted;

		*head = node->next;
		while (*at && strcmp((*at)->ca_name, node->ca_name) <= 0)
			at = &(*at)->next;
		node->next = *at;
		*at = node;
	}
	if (head)
		*head = sorted;
	return 0;
}
