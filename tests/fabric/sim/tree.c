/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 256
#define TEMPORARY ".new"

static int make_directories(int dir_fd, const char *path)
{
	char part[PATH_SIZE];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdirat(dir_fd, part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int write_text(int dir_fd, const char *path, const char *text)
{
	char now[256];
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, now, sizeof(now));

	if (fd >= 0)
		close(fd);
	if (n >= 0 && (size_t)n == strlen(text) && memcmp(now, text, (size_t)n) == 0)
		return 0;
	fd = openat(dir_fd, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 || renameat(dir_fd, TEMPORARY, dir_fd, path) < 0 ? -errno : 0;
}

/* A file and the directories above it. `format` is of the path; then one of the text. */
__attribute__((format(printf, 3, 4))) static int put(int dir_fd, const char *path,
						     const char *format, ...)
{
	char text[256];
	va_list args;
	int r;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r = write_text(dir_fd, path, text);
	if (r != -ENOENT)
		return r;
	r = make_directories(dir_fd, path);
	return r < 0 ? r : write_text(dir_fd, path, text);
}

int tree_new(int dir_fd)
{
	static const char *const directories[] = {
		"sys/class/infiniband/",
		"sys/class/infiniband_mad/",
		"sys/class/infiniband_verbs/",
		"sys/class/infiniband_srp/",
		"sys/class/scsi_host/",
		"sys/class/srp_remote_ports/",
		"sys/class/net/",
		"dev/infiniband/",
	};
	int r = 0;

	for (unsigned i = 0; r == 0 && i < sizeof(directories) / sizeof(directories[0]); i++)
		r = make_directories(dir_fd, directories[i]);
	if (r == 0)
		r = put(dir_fd, "sys/class/infiniband_mad/abi_version", "5\n");
	if (r == 0)
		r = put(dir_fd, "sys/class/infiniband_verbs/abi_version", "6\n");
	return r;
}

static void guid_text(uint64_t guid, char ret[static 32])
{
	snprintf(ret, 32, "%04x:%04x:%04x:%04x", (unsigned)(guid >> 48 & 0xffff),
		 (unsigned)(guid >> 32 & 0xffff), (unsigned)(guid >> 16 & 0xffff),
		 (unsigned)(guid & 0xffff));
}

int tree_add_device(int dir_fd, const struct node *n, unsigned number)
{
	char path[PATH_SIZE], guid[32];
	const char *texts[][2] = {
		{ "node_type", "1: CA" }, { "node_guid", guid },    { "sys_image_guid", guid },
		{ "fw_ver", "1.0.0" },	  { "hw_rev", "0" },	    { "hca_type", "SIM5354" },
		{ "board_id", "SIM" },	  { "node_desc", n->desc },
	};
	int r = 0;

	guid_text(n->guid, guid);
	for (unsigned i = 0; r == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(path, sizeof(path), "sys/class/infiniband/%s/%s", n->device, texts[i][0]);
		r = put(dir_fd, path, "%s\n", texts[i][1]);
	}
	snprintf(path, sizeof(path), "sys/class/infiniband_verbs/uverbs%u/ibdev", number);
	return r < 0 ? r : put(dir_fd, path, "%s\n", n->device);
}

int tree_add_umad(int dir_fd, const struct port *p, unsigned number)
{
	char path[PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "sys/class/infiniband_mad/umad%u/ibdev", number);
	r = put(dir_fd, path, "%s\n", p->node->device);
	snprintf(path, sizeof(path), "sys/class/infiniband_mad/umad%u/port", number);
	if (r == 0)
		r = put(dir_fd, path, "%u\n", p->num);
	snprintf(path, sizeof(path), "dev/infiniband/issm%u", number);
	if (r == 0)
		r = put(dir_fd, path, "%s", "");
	snprintf(path, sizeof(path), "sys/class/infiniband_srp/srp-%s-%u/ibdev", p->node->device,
		 p->num);
	if (r == 0)
		r = put(dir_fd, path, "%s\n", p->node->device);
	snprintf(path, sizeof(path), "sys/class/infiniband_srp/srp-%s-%u/port", p->node->device,
		 p->num);
	if (r == 0)
		r = put(dir_fd, path, "%u\n", p->num);
	return r;
}

int tree_open_add_target(int dir_fd, const struct port *p)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "sys/class/infiniband_srp/srp-%s-%u/add_target",
		 p->node->device, p->num);
	if (mkfifoat(dir_fd, path, 0644) < 0 && errno != EEXIST)
		return -errno;
	/* With a writer of our own: so it has no end when the last other one closes. */
	fd = openat(dir_fd, path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const char *const state_names[] = { "NOP", "DOWN", "INIT", "ARMED", "ACTIVE" };
static const char *const phys_names[] = {
	"NOP", "Sleep", "Polling", "Disabled", "PortConfiguration", "LinkUp"
};

static void put_tables(int dir_fd, const struct port *p, const char *dir)
{
	char path[PATH_SIZE];

	for (unsigned i = 0; i < GIDS_MAX; i++) {
		uint8_t gid[16];
		uint16_t w[8];

		port_gid(p, i, gid);
		for (unsigned k = 0; k < 8; k++)
			w[k] = get16(gid + 2 * k);
		snprintf(path, sizeof(path), "%s/gids/%u", dir, i);
		(void)put(dir_fd, path, "%04x:%04x:%04x:%04x:%04x:%04x:%04x:%04x\n", w[0], w[1],
			  w[2], w[3], w[4], w[5], w[6], w[7]);
		snprintf(path, sizeof(path), "%s/gid_attrs/types/%u", dir, i);
		(void)put(dir_fd, path, p->ethernet ? "RoCE v2\n" : "IB/RoCE v1\n");
		snprintf(path, sizeof(path), "%s/gid_attrs/ndevs/%u", dir, i);
		if (p->ethernet)
			(void)put(dir_fd, path, "%s\n", p->netdev);
		else
			(void)unlinkat(dir_fd, path, 0);
	}
	for (unsigned i = 0; i < PKEYS_MAX; i++) {
		snprintf(path, sizeof(path), "%s/pkeys/%u", dir, i);
		(void)put(dir_fd, path, "0x%04x\n", p->pkeys[i]);
	}
}

void tree_update_port(int dir_fd, const struct port *p)
{
	char dir[PATH_SIZE / 2], path[PATH_SIZE];
	unsigned state = port_state(p), phys = port_phys_state(p);
	const struct {
		const char *name, *format;
		unsigned value;
		const char *word;
	} files[] = {
		{ "state", "%u: %s\n", state, state_names[state % 5] },
		{ "phys_state", "%u: %s\n", phys, phys_names[phys % 6] },
		{ "lid", "0x%x\n", port_lid(p), "" },
		{ "lid_mask_count", "%u\n", port_lmc(p), "" },
		{ "sm_lid", "0x%x\n", port_sm_lid(p), "" },
		{ "sm_sl", "%u\n", p->info[36] & 0xfu, "" },
		{ "cap_mask", "0x%08x\n", port_cap_mask(p), "" },
		{ "rate", "%u Gb/sec (4X EDR)\n", 100, "" },
	};

	snprintf(dir, sizeof(dir), "sys/class/infiniband/%s/ports/%u", p->node->device, p->num);
	snprintf(path, sizeof(path), "%s/link_layer", dir);
	(void)put(dir_fd, path, "%s\n", p->ethernet ? "Ethernet" : "InfiniBand");
	put_tables(dir_fd, p, dir);
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char text[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		snprintf(text, sizeof(text), files[i].format, files[i].value, files[i].word);
#pragma GCC diagnostic pop
		snprintf(path, sizeof(path), "%s/%s", dir, files[i].name);
		(void)put(dir_fd, path, "%s", text);
	}
}

static void remove_tree(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) < 0)
			remove_tree(fd, e->d_name);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	(void)unlinkat(dir_fd, path, AT_REMOVEDIR);
}

/* Directories of that class whose ibdev is the device. */
static void remove_class(int dir_fd, const char *class, const struct node *n)
{
	char path[PATH_SIZE], device[NAME_SIZE + 2];
	int fd = openat(dir_fd, class, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL) {
		ssize_t len;
		int file;

		snprintf(path, sizeof(path), "%.100s/ibdev", e->d_name);
		file = openat(fd, path, O_RDONLY | O_CLOEXEC);
		len = file < 0 ? -1 : read(file, device, sizeof(device) - 1);
		if (file >= 0)
			close(file);
		device[len > 0 ? len - 1 : 0] = '\0';
		if (e->d_name[0] != '.' && strcmp(device, n->device) == 0)
			remove_tree(fd, e->d_name);
	}
	if (dir)
		closedir(dir);
}

void tree_remove_device(int dir_fd, const struct node *n)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "sys/class/infiniband/%s", n->device);
	remove_tree(dir_fd, path);
	remove_class(dir_fd, "sys/class/infiniband_mad", n);
	remove_class(dir_fd, "sys/class/infiniband_verbs", n);
	remove_class(dir_fd, "sys/class/infiniband_srp", n);
}
