/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text written to add_target of ib_srp: configuration and the target port's address in, one
 * line of options out. Pure. Formats: srp_parse_options() in drivers/infiniband/ulp/srp/ib_srp.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "model/offer.h"

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

/*
 * The options of `l` alone, each with a comma before it: ",max_sect=8,ch_count=2"; "" where there
 * are none. 0 or -ENOBUFS.
 */
int login_format_options(const struct config_login *l, char *buf, size_t size);

/*
 * The parameters of a login to what a scan found: `l` (of rules_decide()) with the offer's P_Key,
 * its I/O class where that is not the kernel's default and l leaves it open, and the longest
 * message it takes where l leaves that open and the kernel might send a longer one: max_imm_data
 * (bytes of immediate data ib_srp may send, 0 for none; its parameters use_imm_data and
 * max_imm_data) is more than that.
 */
struct config_login login_for_offer(const struct config_login *l, const struct offer *o,
				    uint32_t max_imm_data);

/* A text of srp_daemon has less than 255 bytes; longer ones it drops. */
#define CONNECTION_STR_MAX 1024

struct connection_parts {
	bool initiator_ext; /* as srp_daemon -n; ibsrpdm -c has none */
	uint64_t initiator_ext_value;
	const char *options;   /* of rule_decision */
	uint32_t max_imm_data; /* as above */
};

/*
 * The text `ibsrpdm -c` and `srp_daemon -c` of rdma-core print for an offer, byte for byte:
 * id_ext,ioc_guid,dgid,pkey,service_id, then io_class unless it is 0100, initiator_ext, the rule's
 * options, and max_it_iu_size. No newline. 0 or -ENOBUFS.
 */
int offer_connection(const struct offer *o, const struct connection_parts *parts, char *buf,
		     size_t size);
