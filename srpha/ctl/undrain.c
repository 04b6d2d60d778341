/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/call.h"
#include "ctl/command.h"

int command_undrain(const struct ctl *ctl)
{
	return ctl_call_path(ctl, "io.srpha.Undrain", "may come back");
}
