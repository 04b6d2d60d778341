/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/call.h"
#include "ctl/command.h"
#include "ctl/render.h"

#define WATCH_SECONDS 1
#define CLEAR_SCREEN "\033[H\033[J"

/* The daemon's verdict as an exit status; nothing is judged here. */
static int exit_status(struct json_object *status)
{
	const char *health = view_string(status, "health");

	if (health && strcmp(health, "healthy") == 0)
		return CTL_OK;
	if (health && strcmp(health, "degraded") == 0)
		return CTL_DEGRADED;
	if (health && strcmp(health, "critical") == 0)
		return CTL_CRITICAL;
	fprintf(stderr, "srphactl: srpha's answer names no health; is it another version?\n");
	return CTL_ERROR;
}

/* Written in one piece, so that a watched screen does not flicker. */
static int print_text(const struct ctl *ctl, struct json_object *status)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int r = f ? render_status(f, &ctl->style, status) : -errno;

	if (f && fclose(f) != 0 && r == 0)
		r = -errno;
	if (r < 0) {
		fprintf(stderr, "srphactl: cannot show the status: %s\n", strerror(-r));
		return r;
	}
	if (ctl->watch && isatty(STDOUT_FILENO))
		fputs(CLEAR_SCREEN, stdout);
	fwrite(text, 1, size, stdout);
	return 0;
}

static int status_once(const struct ctl *ctl)
{
	_cleanup_json_ struct json_object *status = NULL;
	int r = ctl_call(ctl, "io.srpha.Status", NULL, &status);

	if (r != CTL_OK)
		return r;
	if (ctl->json)
		ctl_print_json(ctl, status);
	else if (print_text(ctl, status) < 0)
		return CTL_ERROR;
	return exit_status(status);
}

int command_status(const struct ctl *ctl)
{
	int r = status_once(ctl);

	while (ctl->watch && fflush(stdout) == 0) {
		sleep(WATCH_SECONDS);
		r = status_once(ctl);
	}
	return r;
}
