/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subnet management agent of every node: what the subnet manager reads and sets. */
#pragma once

#include "carry.h"

/* Answers a subnet management datagram. False when it is for a subnet manager on that host. */
bool sma_receive(const struct message *m);

/* Set(PortInfo), as the subnet manager would; `data` is 64 bytes. 0 or a MAD status. */
uint16_t sma_set_port_info(struct fabric *f, struct port *p, const uint8_t *data);
