/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree in a host's directory that stands for /sys and /dev/infiniband. A file that changes is
 * replaced in one step, so a reader sees the old text or the new one.
 */
#pragma once

#include "fabric.h"

/* What is there without any device. Negative errno, as the next two. */
int tree_new(int dir_fd);
/* `number` is that of uverbsN. */
int tree_add_device(int dir_fd, const struct node *n, unsigned number);
/* umadN and issmN of a port. */
int tree_add_umad(int dir_fd, const struct port *p, unsigned number);
/* Opens the pipe that stands for ib_srp's add_target of a port. A descriptor. */
int tree_open_add_target(int dir_fd, const struct port *p);
void tree_remove_device(int dir_fd, const struct node *n);
/* All that changes of a port. */
void tree_update_port(int dir_fd, const struct port *p);
