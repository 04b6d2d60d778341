/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/call.h"
#include "ctl/command.h"

int command_drain(const struct ctl *ctl)
{
	return ctl_call_path(ctl, "io.srpha.Drain",
			     "is drained; bring it back with srphactl undrain");
}
