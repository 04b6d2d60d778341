/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libibumad: which devices and ports there are, as the host's own sysfs tree says. */
#pragma once

#include <stddef.h>

/*
 * Fills in what the caller left open: the first device with an active port where `ca_name` is NULL,
 * the first active port where *portnum is 0. 0, or -1 where there is none.
 */
int umad_resolve(const char *ca_name, int *portnum, char *ret, size_t size);
