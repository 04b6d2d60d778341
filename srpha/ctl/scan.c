/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/scan.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/root.h"
#include "config/discovery.h"
#include "observe/srp.h"
#include "wire/channel.h"
#include "wire/messages.h"
#include "wire/program.h"

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

static void port_end(struct scan_port *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -EBADF;
	if (p->pid > 0) {
		(void)kill(p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, 0);
	}
	p->pid = 0;
	p->ended = true;
}

static void port_fail(struct scan_port *p, const char *what, int error)
{
	snprintf(p->why, sizeof(p->why), "%s: %s", what, strerror(-error));
	port_end(p);
}

static struct json_object *config_message(const struct config_discovery *d)
{
	struct json_object *o = json_object_new_object();

	json_put_string(o, "msg", MSG_CONFIG);
	json_object_object_add(o, "portals", json_object_new_array());
	json_object_object_add(o, "discovery", discovery_message(d));
	return o;
}

static void port_begin(const struct scan_request *rq, struct scan_port *p)
{
	_cleanup_json_ struct json_object *message = config_message(rq->discovery);
	_cleanup_close_ int theirs = -EBADF;
	char program[512];
	char *argv[] = { program,	   (char *)"--port", p->name, (char *)"--once",
			 (char *)"--root", (char *)rq->root, NULL };
	pid_t pid;
	int r;

	snprintf(program, sizeof(program), "%s/srpha-worker", rq->program_dir);
	r = channel_pair(&p->fd, &theirs);
	if (r >= 0)
		r = program_spawn(argv, theirs, &pid);
	if (r < 0) {
		port_fail(p, "cannot start srpha-worker", r);
		return;
	}
	p->pid = pid;
	r = channel_send(p->fd, message);
	if (r < 0)
		port_fail(p, "the worker does not listen", r);
}

static void copy_field(struct json_object *o, const char *key, char *buf, size_t size)
{
	const char *s;

	if (json_get_string(o, key, &s) == 0)
		snprintf(buf, size, "%s", s);
}

static void take_offers(struct scan_port *p, struct json_object *o)
{
	struct offer *copy;

	if (offers_inbox_take(&p->inbox, o) <= 0)
		return;
	copy = reallocarray(NULL, p->inbox.n + 1, sizeof(*copy));
	if (!copy)
		return;
	if (p->inbox.n > 0)
		memcpy(copy, p->inbox.offers, p->inbox.n * sizeof(*copy));
	free(p->offers);
	p->offers = copy;
	p->n_offers = p->inbox.n;
}

static void take_message(struct scan_port *p, struct json_object *o)
{
	bool complete;
	const char *msg;

	if (json_get_string(o, "msg", &msg) < 0)
		return;
	if (strcmp(msg, MSG_PORT) == 0) {
		copy_field(o, "state", p->state, sizeof(p->state));
		copy_field(o, "link_layer", p->link_layer, sizeof(p->link_layer));
	} else if (strcmp(msg, MSG_OFFERS) == 0)
		take_offers(p, o);
	else if (strcmp(msg, MSG_PROBLEM) == 0)
		copy_field(o, "text", p->why, sizeof(p->why));
	else if (strcmp(msg, MSG_SCAN) == 0) {
		if (json_get_bool(o, "complete", &complete) == 0 && complete)
			p->why[0] = '\0';
		else
			copy_field(o, "why", p->why, sizeof(p->why));
		p->scanned = p->ended = true;
	}
}

static void port_read(struct scan_port *p)
{
	while (!p->ended) {
		_cleanup_json_ struct json_object *o = NULL;
		int r = channel_recv(p->fd, &o);

		if (r == -EAGAIN)
			return;
		if (r > 0)
			take_message(p, o);
		else if (r != -EBADMSG) {
			if (!p->why[0])
				snprintf(p->why, sizeof(p->why),
					 "the worker ended before its scan did");
			break;
		}
	}
	port_end(p);
}

static unsigned poll_ports(struct scan_result *r, uint64_t left_usec)
{
	struct pollfd fds[OBSERVE_PORTS_MAX];
	struct scan_port *of[OBSERVE_PORTS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < r->n; i++)
		if (r->ports[i].fd >= 0) {
			fds[n] = (struct pollfd){ .fd = r->ports[i].fd, .events = POLLIN };
			of[n++] = &r->ports[i];
		}
	if (n == 0 || poll(fds, n, (int)(left_usec / USEC_PER_MSEC) + 1) <= 0)
		return n;
	for (unsigned i = 0; i < n; i++)
		if (fds[i].revents)
			port_read(of[i]);
	return n;
}

static bool port_is_infiniband(int root_fd, const struct hca_port *p)
{
	char text[32];

	return root_readf(root_fd, text, sizeof(text),
			  "sys/class/infiniband/%s/ports/%u/link_layer", p->device, p->port) > 0 &&
	       strcmp(text, "InfiniBand") == 0;
}

static int choose_ports(const struct scan_request *rq, struct scan_result *ret)
{
	_cleanup_close_ int root_fd = root_open(rq->root);
	struct hca_ports hcas;
	int r = root_fd < 0 ? root_fd : hca_ports_read(root_fd, &hcas);

	if (r < 0)
		return r;
	ret->ports = calloc(hcas.n + 1, sizeof(*ret->ports));
	if (!ret->ports)
		return -ENOMEM;
	for (unsigned i = 0; i < hcas.n; i++) {
		struct scan_port *p = &ret->ports[ret->n];
		const char *name = hcas.ports[i].name;

		if (!config_port_selected(rq->globs, name) ||
		    !config_port_selected(rq->chosen, name) ||
		    !port_is_infiniband(root_fd, &hcas.ports[i]))
			continue;
		snprintf(p->name, sizeof(p->name), "%s", name);
		strcpy(p->link_layer, "InfiniBand");
		p->fd = -EBADF;
		ret->n++;
	}
	return 0;
}

int scan_run(const struct scan_request *rq, uint64_t timeout_usec, struct scan_result *ret)
{
	uint64_t now = now_usec(), until = now + timeout_usec;
	int r = choose_ports(rq, ret);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < ret->n; i++)
		port_begin(rq, &ret->ports[i]);
	while (now < until && poll_ports(ret, until - now) > 0)
		now = now_usec();
	for (unsigned i = 0; i < ret->n; i++)
		if (ret->ports[i].fd >= 0)
			port_fail(&ret->ports[i], "the scan was broken off", -ETIMEDOUT);
	return 0;
}

void scan_result_clear(struct scan_result *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		port_end(&r->ports[i]);
		offers_inbox_clear(&r->ports[i].inbox);
		free(r->ports[i].offers);
	}
	free(r->ports);
	*r = (struct scan_result){};
}
