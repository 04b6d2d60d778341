/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bad replies. A fault is a rule: which answers (by the node they come from, class, attribute), how
 * often, and what happens to them. The first rule that matches applies.
 */
#pragma once

#include <stdio.h>

#include "carry.h"

#define FAULTS_MAX 64

/*
 * Adds a rule from words: KIND [node=NAME] [class=N] [attr=N] [arg=N] [to=NODE] [data=HEX]
 * [count=N] [chance=P] [force]. 0, or -EINVAL with a text in *ret_error.
 */
int fault_add(struct fabric *f, unsigned n, char *words[], const char **ret_error);
void fault_clear(struct fabric *f);
void fault_list(const struct fabric *f, FILE *out);

/* Sends the message on its last way, as it is, changed, twice, or not at all. Consumes it. */
void fault_apply(struct message *m, uint64_t delay_nsec);
