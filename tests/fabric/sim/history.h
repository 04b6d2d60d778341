/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened, a line each, for `fabric-ctl history` and for tests that wait for an event. */
#pragma once

#include <stdint.h>

struct fabric;
struct history;

#define HISTORY_MAX 16384 /* lines kept */
#define HISTORY_LINE 512

int history_new(struct history **ret);
void history_free(struct history *h);

/* Adds a line "SEQUENCE SECONDS.MICROSECONDS text". */
__attribute__((format(printf, 2, 3))) void history_add(struct fabric *f, const char *format, ...);

/* The number the next line will have; lines older than HISTORY_MAX are gone. */
uint64_t history_end(const struct history *h);
/* A line, or NULL. */
const char *history_line(const struct history *h, uint64_t number);
