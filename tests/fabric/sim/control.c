/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "history.h"

#define LINE_MAX_SIZE 4096
#define BACKLOG_MAX (64u << 20) /* of one client that does not read */

struct control_client {
	struct io io; /* first */
	struct control_client *next, **at;
	struct fabric *fabric;
	bool watches;
	char in[LINE_MAX_SIZE];
	size_t n_in;
	char *out; /* what it has not taken yet */
	size_t n_out;
};

struct control {
	struct io io; /* first */
	struct fabric *fabric;
	struct control_client *clients;
};

static void client_close(struct control_client *c)
{
	loop_remove(c->fabric->loop, &c->io);
	close(c->io.fd);
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	free(c->out);
	free(c);
}

static void client_flush(struct control_client *c)
{
	while (c->n_out > 0) {
		ssize_t n = send(c->io.fd, c->out, c->n_out, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n <= 0)
			break;
		c->n_out -= (size_t)n;
		memmove(c->out, c->out + n, c->n_out);
	}
	loop_change(c->fabric->loop, &c->io, EPOLLIN | (c->n_out > 0 ? EPOLLOUT : 0));
}

static void client_write(struct control_client *c, const char *text, size_t len)
{
	char *out;

	if (c->n_out + len > BACKLOG_MAX)
		return;
	out = realloc(c->out, c->n_out + len);
	if (!out)
		return;
	memcpy(out + c->n_out, text, len);
	c->out = out;
	c->n_out += len;
	client_flush(c);
}

/* "watch [FROM]": the history from there on, and every line as it comes. */
static void client_watch(struct control_client *c, const char *from)
{
	struct history *h = c->fabric->history;
	uint64_t number = *from ? strtoull(from, NULL, 10) : history_end(h);

	c->watches = true;
	for (; number < history_end(h); number++) {
		const char *line = history_line(h, number);

		if (!line)
			continue;
		client_write(c, line, strlen(line));
		client_write(c, "\n", 1);
	}
}

static void client_line(struct control_client *c, char *line)
{
	char *text = NULL;
	size_t size = 0;
	const char *error = "";
	FILE *out;
	int r;

	if (strncmp(line, "watch", 5) == 0) {
		client_watch(c, line + 5);
		return;
	}
	out = open_memstream(&text, &size);
	if (!out)
		return;
	r = control_command(c->fabric, line, out, &error);
	if (r < 0)
		fprintf(out, "error %s\n", error);
	else
		fprintf(out, "ok\n");
	fclose(out);
	client_write(c, text, size);
	free(text);
}

static void on_client(struct io *io, uint32_t events)
{
	struct control_client *c = (struct control_client *)io;
	char *end;
	ssize_t n;

	if (events & EPOLLOUT)
		client_flush(c);
	if (!(events & (EPOLLIN | EPOLLHUP)))
		return;
	n = recv(io->fd, c->in + c->n_in, sizeof(c->in) - c->n_in, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(c);
		return;
	}
	c->n_in += (size_t)n;
	while ((end = memchr(c->in, '\n', c->n_in)) != NULL) {
		size_t len = (size_t)(end - c->in) + 1;
		char line[LINE_MAX_SIZE];

		*end = '\0';
		memcpy(line, c->in, len);
		c->n_in -= len;
		memmove(c->in, end + 1, c->n_in);
		client_line(c, line);
	}
	if (c->n_in == sizeof(c->in))
		client_close(c);
}

static void on_connect(struct io *io, uint32_t events)
{
	struct control *control = (struct control *)io;
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct control_client *c = fd < 0 ? NULL : calloc(1, sizeof(*c));

	if (!c) {
		if (fd >= 0)
			close(fd);
		return;
	}
	c->io = (struct io){ .fd = fd, .on_io = on_client };
	c->fabric = control->fabric;
	c->at = &control->clients;
	c->next = control->clients;
	if (c->next)
		c->next->at = &c->next;
	control->clients = c;
	if (loop_add(c->fabric->loop, &c->io, EPOLLIN) < 0)
		client_close(c);
}

int control_new(struct fabric *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	f->control = c;
	c->fabric = f;
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", f->directory) >=
	    (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	c->io = (struct io){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
			     .on_io = on_connect };
	if (c->io.fd < 0 || bind(c->io.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(c->io.fd, 16) < 0)
		return -errno;
	return loop_add(f->loop, &c->io, EPOLLIN);
}

void control_free(struct fabric *f)
{
	struct control *c = f->control;

	if (!c)
		return;
	while (c->clients)
		client_close(c->clients);
	if (c->io.fd >= 0)
		close(c->io.fd);
	free(c);
	f->control = NULL;
}

void control_on_history(struct fabric *f, const char *line)
{
	struct control_client *c = f->control ? f->control->clients : NULL;

	for (; c; c = c->next)
		if (c->watches) {
			client_write(c, line, strlen(line));
			client_write(c, "\n", 1);
		}
}
