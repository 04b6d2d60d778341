// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * strike: kill -9 of every process of one program at a chosen moment of a failover.
 *
 * strike PORT STATE DELAY_MS PROGRAM waits (at most a minute) until RDMA port PORT reads STATE
 * ("-" waits for nothing), then DELAY_MS, then sends SIGKILL to every process whose executable is
 * PROGRAM, and prints when it did and to whom, as JSON. A delay of up to a millisecond is noise.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int wait_for_port(const char *port, const char *state)
{
	char path[256], text[64];
	double end = now() + 60;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/1/state", port);
	while (now() < end) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (fd >= 0)
			close(fd);
		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, state))
			return 0;
		usleep(1000);
	}
	fprintf(stderr, "strike: %s did not become %s within 60 s\n", port, state);
	return -1;
}

static void kill_program(const char *program)
{
	const char *separator = "";
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	printf("{\"t\":%.6f,\"killed\":[", now());
	while (dir && (entry = readdir(dir))) {
		char path[300], exe[512];
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		ssize_t n;

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		n = readlink(path, exe, sizeof(exe) - 1);
		if (n <= 0)
			continue;
		exe[n] = '\0';
		if (!strcmp(exe, program) && !kill(pid, SIGKILL)) {
			printf("%s%d", separator, (int)pid);
			separator = ",";
		}
	}
	printf("]}\n");
	if (dir)
		closedir(dir);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: strike PORT|- STATE DELAY_MS PROGRAM\n");
		return 2;
	}
	if (strcmp(argv[1], "-") && wait_for_port(argv[1], argv[2]) < 0)
		return 1;
	usleep((useconds_t)strtoul(argv[3], NULL, 10) * 1000);
	kill_program(argv[4]);
	return 0;
}
