/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The statements of a topology file: README.md has the list. Also read while the fabric runs. */
#pragma once

#include "fabric.h"

#define WORDS_MAX 64

/* Splits into words in place; double quotes hold blanks. The number, or -E2BIG. */
int split_words(char *text, char *words[WORDS_MAX]);

/* One statement. 0, or negative errno with a text. */
int topology_statement(struct fabric *f, char *statement, const char **ret_error);

/* A file. Says on standard error what is wrong with it. */
int topology_load(struct fabric *f, const char *path);
