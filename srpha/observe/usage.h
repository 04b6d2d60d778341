/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether somebody uses a disk directly, without a multipath map above it: a holder (LVM, md, dm)
 * of it or of one of its partitions, or a mount. Reads sysfs and /proc/self/mountinfo, bounded.
 */
#pragma once

#include <stdbool.h>

/* Where it cannot be told, the answer is yes: the cautious one. */
bool disk_in_use(int root_fd, const char *disk, const char *devno);
