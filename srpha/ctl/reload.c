/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/call.h"
#include "ctl/command.h"

int command_reload(const struct ctl *ctl)
{
	_cleanup_json_ struct json_object *reply = NULL;
	int r = ctl_call(ctl, "io.srpha.Reload", NULL, &reply);

	if (r != CTL_OK)
		return r;
	if (ctl->json)
		ctl_print_json(ctl, reply);
	else
		puts("the configuration was read again and is in use");
	return CTL_OK;
}
