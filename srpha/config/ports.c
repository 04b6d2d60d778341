/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/ports.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "config/config.h"

#define BLANKS " \t"
#define GLOB_MAX 96 /* a device name has at most 63 bytes (IB_DEVICE_NAME_MAX) */

/* The next item of the list into buf; 0 at its end, its length otherwise, cut at GLOB_MAX. */
static size_t next_item(const char **list, char buf[static GLOB_MAX])
{
	size_t len, kept;

	*list += strspn(*list, BLANKS);
	len = strcspn(*list, BLANKS);
	kept = len < GLOB_MAX ? len : GLOB_MAX - 1;
	memcpy(buf, *list, kept);
	buf[kept] = '\0';
	*list += len;
	return len;
}

static bool item_valid(const char *item)
{
	unsigned colons = 0;

	if (*item == '!')
		item++;
	if (!*item || *item == ':' || item[strlen(item) - 1] == ':')
		return false;
	for (; *item; item++) {
		if (!isalnum((unsigned char)*item) && !strchr("_-.:*?[]!^", *item))
			return false;
		colons += *item == ':';
	}
	return colons <= 1;
}

int ports_verify(const char *globs)
{
	char item[GLOB_MAX];
	unsigned n = 0;
	size_t len;

	while ((len = next_item(&globs, item)) > 0) {
		if (len >= GLOB_MAX || !item_valid(item))
			return -EINVAL;
		if (++n > CONFIG_PORT_GLOBS_MAX)
			return -E2BIG;
	}
	return n > 0 ? 0 : -EINVAL;
}

bool config_port_selected(const char *globs, const char *port)
{
	char item[GLOB_MAX], device[GLOB_MAX];
	size_t device_len = strcspn(port, ":");
	bool selected;

	if (!globs)
		return true;
	if (device_len >= sizeof(device))
		return false;
	memcpy(device, port, device_len);
	device[device_len] = '\0';
	selected = globs[strspn(globs, BLANKS)] == '!';
	while (next_item(&globs, item) > 0) {
		bool exclude = *item == '!';
		const char *glob = item + exclude;

		if (fnmatch(glob, strchr(glob, ':') ? port : device, 0) == 0)
			selected = !exclude;
	}
	return selected;
}
