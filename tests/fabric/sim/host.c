/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history.h"
#include "kernel.h"
#include "server.h"
#include "tree.h"

#define ISSM_MAX (sizeof(((struct host *)0)->issm) / sizeof(struct port *))

struct host *host_find(const struct fabric *f, const char *name)
{
	for (unsigned i = 0; i < f->n_hosts; i++)
		if (strcmp(f->hosts[i]->name, name) == 0)
			return f->hosts[i];
	return NULL;
}

static int host_new(struct fabric *f, const char *name, struct host **ret)
{
	struct host **hosts = realloc(f->hosts, (f->n_hosts + 1) * sizeof(struct host *));
	struct host *h;

	if (!hosts)
		return -ENOMEM;
	f->hosts = hosts;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	snprintf(h->name, sizeof(h->name), "%s", name);
	h->fabric = f;
	h->directory_fd = -1;
	h->socket.fd = -1;
	h->watch.fd = -1;
	f->hosts[f->n_hosts++] = h;
	*ret = h;
	return 0;
}

int host_add_device(struct fabric *f, const char *host, const char *device, struct node *n)
{
	struct host *h = host_find(f, host);
	int r = 0;

	if (!device[0] || strchr(device, '/') || strlen(device) >= sizeof(n->device) ||
	    strchr(host, '/') || host[0] == '.')
		return -EINVAL;
	if (!h)
		r = host_new(f, host, &h);
	if (r < 0)
		return r;
	if (h->n_devices == HOST_DEVICES_MAX)
		return -E2BIG;
	n->host = h;
	snprintf(n->device, sizeof(n->device), "%s", device);
	h->devices[h->n_devices++] = n;
	for (unsigned i = 1; i <= n->n_ports; i++) {
		n->ports[i].kernel = calloc(1, sizeof(struct kernel_port));
		if (!n->ports[i].kernel)
			return -ENOMEM;
		n->ports[i].kernel->port = &n->ports[i];
		n->ports[i].kernel->add_target.fd = -1;
	}
	return h->directory_fd >= 0 ? host_device_added(n) : 0;
}

struct node *host_device(const struct host *h, const char *name)
{
	for (unsigned i = 0; i < h->n_devices; i++)
		if (strcmp(h->devices[i]->device, name) == 0 && !h->devices[i]->removed)
			return h->devices[i];
	return NULL;
}

/* An issm device is open as long as a subnet manager runs: the port says so in its capabilities. */
static void on_issm(struct io *io, uint32_t events)
{
	struct host *h = (struct host *)((char *)io - offsetof(struct host, watch));
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t n = read(io->fd, buffer, sizeof(buffer));
	const struct inotify_event *e;

	for (ssize_t at = 0; n > 0 && at + (ssize_t)sizeof(*e) <= n;
	     at += (ssize_t)(sizeof(*e) + e->len)) {
		struct port *p;

		e = (const struct inotify_event *)(buffer + at);
		if (e->wd < 0 || (size_t)e->wd >= ISSM_MAX || !h->issm[e->wd])
			continue;
		p = h->issm[e->wd];
		if (e->mask & IN_OPEN) {
			h->issm_opens[e->wd]++;
			port_change_cap_mask(h->fabric, p, CAP_IS_SM, 0);
		} else if (h->issm_opens[e->wd] > 0 && --h->issm_opens[e->wd] == 0) {
			port_change_cap_mask(h->fabric, p, 0, CAP_IS_SM);
		}
	}
}

static void watch_issm(struct host *h, struct port *p, unsigned number)
{
	char path[64];
	int wd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/dev/infiniband/issm%u", h->directory_fd,
		 number);
	wd = inotify_add_watch(h->watch.fd, path, IN_OPEN | IN_CLOSE);
	if (wd >= 0 && (size_t)wd < ISSM_MAX)
		h->issm[wd] = p;
}

/* A login, as whoever wrote it meant it. There is no session: tests make these themselves. */
static void on_add_target(struct io *io, uint32_t events)
{
	struct kernel_port *k =
		(struct kernel_port *)((char *)io - offsetof(struct kernel_port, add_target));
	char text[4096], name[NAME_SIZE + 8];
	ssize_t n = read(io->fd, text, sizeof(text) - 1);
	size_t len;

	text[n > 0 ? n : 0] = '\0';
	for (const char *p = text; *p; p += len + strspn(p + len, "\n")) {
		const char *next = strstr(p + 1, "id_ext=");

		len = strcspn(p, "\n");
		/* Two logins may come in one read, without a newline between them. */
		while (next && next < p + len && next[-1] == ',')
			next = strstr(next + 1, "id_ext=");
		if (next && next < p + len)
			len = (size_t)(next - p);
		history_add(k->port->node->fabric, "login %s %.*s", port_name(k->port, name),
			    (int)len, p);
	}
}

static int open_add_target(struct host *h, struct port *p)
{
	int fd = tree_open_add_target(h->directory_fd, p);

	if (fd < 0)
		return fd;
	p->kernel->add_target = (struct io){ .fd = fd, .on_io = on_add_target };
	return loop_add(h->fabric->loop, &p->kernel->add_target, EPOLLIN);
}

static void close_add_target(struct host *h, struct port *p)
{
	if (p->kernel->add_target.fd < 0)
		return;
	loop_remove(h->fabric->loop, &p->kernel->add_target);
	close(p->kernel->add_target.fd);
	p->kernel->add_target.fd = -1;
}

static unsigned device_number(const struct node *n)
{
	unsigned i = 0;

	while (n->host->devices[i] != n)
		i++;
	return i;
}

int host_device_added(struct node *n)
{
	struct host *h = n->host;
	int r = tree_add_device(h->directory_fd, n, device_number(n));

	if (r < 0)
		return r;
	for (unsigned i = 1; i <= n->n_ports; i++) {
		r = tree_add_umad(h->directory_fd, &n->ports[i], h->n_umads);
		if (r == 0)
			r = open_add_target(h, &n->ports[i]);
		if (r < 0)
			return r;
		watch_issm(h, &n->ports[i], h->n_umads++);
		tree_update_port(h->directory_fd, &n->ports[i]);
	}
	return 0;
}

int host_publish(struct host *h)
{
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s/%s", h->fabric->directory, h->name);
	if (mkdir(path, 0755) < 0)
		return -errno;
	h->directory_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->directory_fd < 0)
		return -errno;
	h->watch = (struct io){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .on_io = on_issm };
	if (h->watch.fd < 0)
		return -errno;
	r = tree_new(h->directory_fd);
	for (unsigned i = 0; r == 0 && i < h->n_devices; i++)
		r = host_device_added(h->devices[i]);
	if (r == 0)
		r = loop_add(h->fabric->loop, &h->watch, EPOLLIN);
	return r < 0 ? r : server_listen(h, h->directory_fd);
}

void host_device_removed(struct node *n)
{
	server_device_gone(n);
	for (unsigned i = 1; i <= n->n_ports; i++)
		close_add_target(n->host, &n->ports[i]);
	tree_remove_device(n->host->directory_fd, n);
}

void host_port_changed(struct port *p)
{
	if (p->node->host && p->node->host->directory_fd >= 0 && p->num > 0 && !p->node->removed)
		tree_update_port(p->node->host->directory_fd, p);
}

void host_event(struct port *p, unsigned type)
{
	if (p->node->host)
		server_event(p, type);
}

void host_free(struct host *h)
{
	server_close(h);
	for (unsigned i = 0; i < h->n_devices; i++)
		for (unsigned k = 1; k <= h->devices[i]->n_ports; k++) {
			close_add_target(h, &h->devices[i]->ports[k]);
			free(h->devices[i]->ports[k].kernel);
		}
	if (h->watch.fd >= 0)
		close(h->watch.fd);
	if (h->directory_fd >= 0)
		close(h->directory_fd);
	free(h);
}
