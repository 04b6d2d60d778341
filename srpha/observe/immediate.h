/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much data ib_srp may send within a command. A target whose messages are shorter has to be
 * named its limit at the login (config/login.h). Reads the module's parameters, nothing else.
 */
#pragma once

#include <stdint.h>

/* Bytes; 0 where the module is not loaded, does not know immediate data or does not use it. */
uint32_t srp_max_imm_data(int root_fd);
