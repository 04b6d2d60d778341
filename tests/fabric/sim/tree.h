/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree in a host's directory that stands for /sys and /dev/infiniband. A file that changes is
 * replaced in one step, so a reader sees the old text or the new one.
 */
#pragma once

#include "fabric.h"

/* What is there without any device. Negative errno, as the next two. */
int tree_new(int dir_fd);
int tree_add_device(int dir_fd, const struct node *n);
/* umadN and issmN of a port. */
int tree_add_umad(int dir_fd, const struct port *p, unsigned number);
void tree_remove_device(int dir_fd, const struct node *n);
/* All that changes of a port. */
void tree_update_port(int dir_fd, const struct port *p);
