/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LUN paths below one SCSI host: the part of srp.c that walks targets and devices. Called by
 * srp.c only.
 */
#pragma once

#include "observe/srp.h"

/* Fills luns, n_luns, n_others and any_sg of a session whose `host` is set. *budget is how many
 * LUNs may still be taken; 0 left means the rest was left out. 0 or -ENOMEM. */
int srp_luns_read(int root_fd, struct srp_session *s, unsigned *budget);

/* The counters of sys/block/<disk>/stat: 0, -ENOENT where it is gone, -EBADMSG. */
int srp_disk_stat(int root_fd, const char *disk, uint64_t *ret_completed, uint64_t *ret_in_flight);
