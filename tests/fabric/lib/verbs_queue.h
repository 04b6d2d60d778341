/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libibverbs: objects of queues, which carry nothing. */
#pragma once

#include <infiniband/verbs.h>

void queue_ops_init(struct ibv_context_ops *ops);
