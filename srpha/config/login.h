/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text written to add_target of ib_srp: configuration and the target port's address in, one
 * line of options out. Pure. Formats: srp_parse_options() in drivers/infiniband/ulp/srp/ib_srp.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

/* One page, NUL included: what one write to sysfs can carry. */
#define LOGIN_STR_MAX 4096

/*
 * Over RDMA/CM give `dest` ("10.0.0.2:5555"), over InfiniBand `dgid` and `service_id`; the other
 * is NULL. InfiniBand needs l->pkey. `initiator_ext` is the value to send: l's mode has been
 * resolved by the caller. Options l leaves at LOGIN_UNSET are not sent.
 * 0; -EINVAL where neither or both addresses are given, `dest` is not one word, or the P_Key is
 * missing; -ENOBUFS where it does not fit in `size` or in a page. buf is then undefined.
 */
int login_format(const struct config_login *l, uint64_t id_ext, uint64_t ioc_guid,
		 uint64_t initiator_ext, const char *dest, const uint8_t *dgid, uint64_t service_id,
		 char *buf, size_t size);
