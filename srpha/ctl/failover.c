/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/call.h"
#include "ctl/command.h"

int command_failover(const struct ctl *ctl)
{
	return ctl_call_path(ctl, "io.srpha.Failover",
			     "is being taken out; it comes back when it answers");
}
