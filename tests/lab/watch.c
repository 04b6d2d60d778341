// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * watch: what the initiator's kernel thinks of its paths, and when it changed its mind.
 *
 * Samples every few milliseconds, without asking any daemon: dm-multipath path states (one
 * DM_TABLE_STATUS per map, with NOFLUSH), rport states and RDMA port states from sysfs. Prints one
 * JSON line with CLOCK_REALTIME for each change, the first sample included. With --once it prints
 * the present state and ends.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ITEMS_MAX 256
#define DM_BUFFER 16384

struct item {
	char kind[8];  /* path, rport, port */
	char name[80]; /* mpatha/8:0, port-2:1, rxe0 */
	char state[24];
	bool seen;
};

static struct item items[ITEMS_MAX];
static size_t n_items;
static double sampled_at;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void print_item(const struct item *item)
{
	printf("{\"t\":%.6f,\"kind\":\"%s\",\"name\":\"%s\",\"state\":\"%s\"}\n", sampled_at,
	       item->kind, item->name, item->state);
}

static void saw(const char *kind, const char *name, const char *state)
{
	struct item *item = NULL;

	for (size_t i = 0; i < n_items; i++)
		if (!strcmp(items[i].name, name) && !strcmp(items[i].kind, kind))
			item = &items[i];
	if (!item) {
		if (n_items == ITEMS_MAX)
			return;
		item = &items[n_items++];
		*item = (struct item){};
		snprintf(item->kind, sizeof(item->kind), "%s", kind);
		snprintf(item->name, sizeof(item->name), "%s", name);
	}
	item->seen = true;
	if (strcmp(item->state, state)) {
		snprintf(item->state, sizeof(item->state), "%s", state);
		print_item(item);
	}
}

static bool read_word(const char *path, char *word, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, word, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	word[n] = '\0';
	word[strcspn(word, "\n")] = '\0';
	return true;
}

static void sample_directory(const char *kind, const char *directory, const char *file)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		char path[512], word[64];
		const char *state;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", directory, entry->d_name, file);
		if (!read_word(path, word, sizeof(word)))
			continue;
		state = strchr(word, ':'); /* "4: ACTIVE" */
		saw(kind, entry->d_name, state ? state + 2 : word);
	}
	closedir(dir);
}

static struct dm_ioctl *dm_call(int fd, unsigned long request, const char *name, char *buffer)
{
	struct dm_ioctl *dm = (struct dm_ioctl *)buffer;

	memset(dm, 0, sizeof(*dm));
	dm->version[0] = 4;
	dm->data_size = DM_BUFFER;
	dm->data_start = sizeof(*dm);
	if (name) {
		snprintf(dm->name, sizeof(dm->name), "%s", name);
		dm->flags = DM_NOFLUSH_FLAG;
	}
	if (ioctl(fd, request, dm) < 0 || (dm->flags & DM_BUFFER_FULL_FLAG))
		return NULL;
	return dm;
}

/* Every "MAJ:MIN A|F fail_count" of a multipath status line is a path. */
static void sample_map(int fd, const char *map)
{
	char buffer[DM_BUFFER] __attribute__((aligned(8)));
	struct dm_ioctl *dm = dm_call(fd, DM_TABLE_STATUS, map, buffer);
	struct dm_target_spec *spec;
	char *word, *next, *save = NULL;

	if (!dm || !dm->target_count)
		return;
	spec = (struct dm_target_spec *)(buffer + dm->data_start);
	if (strcmp(spec->target_type, "multipath"))
		return;
	for (word = strtok_r((char *)(spec + 1), " ", &save); word; word = next) {
		char name[80];

		next = strtok_r(NULL, " ", &save);
		if (!next || !strchr(word, ':') || (strcmp(next, "A") && strcmp(next, "F")))
			continue;
		snprintf(name, sizeof(name), "%.60s/%.16s", map, word);
		saw("path", name, *next == 'A' ? "active" : "failed");
	}
}

static void sample_maps(int fd)
{
	char buffer[DM_BUFFER] __attribute__((aligned(8)));
	struct dm_ioctl *dm = dm_call(fd, DM_LIST_DEVICES, NULL, buffer);
	struct dm_name_list *list;

	if (!dm)
		return;
	list = (struct dm_name_list *)(buffer + dm->data_start);
	while (list->dev) {
		sample_map(fd, list->name);
		if (!list->next)
			break;
		list = (struct dm_name_list *)((char *)list + list->next);
	}
}

static void sample(int fd)
{
	sampled_at = now();
	for (size_t i = 0; i < n_items; i++)
		items[i].seen = false;
	sample_maps(fd);
	sample_directory("rport", "/sys/class/srp_remote_ports", "state");
	sample_directory("port", "/sys/class/infiniband", "ports/1/state");
	for (size_t i = 0; i < n_items; i++)
		if (!items[i].seen && strcmp(items[i].state, "gone")) {
			strcpy(items[i].state, "gone");
			print_item(&items[i]);
		}
}

int main(int argc, char **argv)
{
	bool once = argc > 1 && !strcmp(argv[1], "--once");
	long interval_ms = argc > 1 && !once ? strtol(argv[1], NULL, 10) : 20;
	struct timespec next;
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	if (fd < 0 || interval_ms <= 0) {
		fprintf(stderr,
			"usage: watch [--once | MILLISECONDS]; needs /dev/mapper/control\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	clock_gettime(CLOCK_MONOTONIC, &next);
	do {
		sample(fd);
		next.tv_nsec += interval_ms * 1000000;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		if (!once)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	} while (!once);
	return 0;
}
