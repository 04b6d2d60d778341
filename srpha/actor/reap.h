/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes ib_srp take note of the sends that completed, before its session is reset.
 *
 * ib_srp looks at its send completions only when it sends (__srp_get_tx_iu()). A reconnect over
 * RDMA/CM that fails before its new queue pair exists, which is what happens when the port is down,
 * keeps the old queue pair but puts every buffer back on the free list. The completion of a send
 * that succeeded after the last look is then found by the next reconnect, which puts its buffer on
 * the list a second time: a corrupted list, and an oops where the kernel checks its lists
 * (drivers/infiniband/ulp/srp/ib_srp.c: srp_rport_reconnect(), srp_create_ch_ib(), srp_send_done();
 * seen on 6.1, on an idle path each time). One more command on each hardware queue of the session
 * takes that look; its own send is never acknowledged on a path that is dead. Where no command can be
 * sent, the reset is given the time to get past its new queue pair (session.c), which is as good and
 * slower.
 */
#pragma once

/*
 * Starts a TEST UNIT READY on every hardware queue of the disk behind the open node `fd` of `sg`,
 * and waits for none of them. The start itself waits, beyond any signal, for a tag where stuck I/O
 * has them all: where that may be, a child makes it, for which we wait 150 ms and no longer; the
 * reset frees it. 0; -EBUSY when the child is still at it, or another negative errno: the reset goes
 * on all the same.
 */
int reap_sends(int root_fd, const char *sg, int fd);
