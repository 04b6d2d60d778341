/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The extension of the initiator port's identifier: what each convention makes of a target port.
 * Pure. The target port GUID is the interface identifier of the port's GID (gid_interface_id()).
 *
 *   target-port-guid           as it stands: srp_daemon -n of rdma-core
 *   target-port-guid-swapped   its eight bytes turned round: the example of the OFED manual
 *   a fixed value              what the configuration says
 *   none                       0, the kernel's own where the login names none: ibsrpdm -c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/* What `l` sends to a target port. */
uint64_t initiator_ext_of(const struct config_login *l, uint64_t port_guid);

/*
 * Whether a session to this target port that has `value` is the same path under any convention: one
 * of the above, the fixed value being that of `l` (NULL: no such).
 */
bool initiator_ext_recognised(const struct config_login *l, uint64_t port_guid, uint64_t value);
