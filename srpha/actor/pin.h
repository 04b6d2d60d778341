/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the neighbour of a portal into the kernel's table before a reset, so that ib_srp's
 * reconnect over RDMA/CM need not ask for it: when a link is back, the kernel may wait for up to a
 * second before it asks again. The MAC address is the one in the target port's GID, which the worker
 * keeps up to date.
 */
#pragma once

/*
 * dest "10.0.0.2:5555", gid 32 hexadecimal digits. 0; -EHOSTUNREACH where the portal is not on a
 * link of ours; -EINVAL where the GID holds no MAC; another negative errno. Bounded, sends nothing
 * on the wire.
 */
int pin_neighbour(const char *dest, const char *gid);
