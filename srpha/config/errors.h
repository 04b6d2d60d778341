/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of mistakes and the words of one: for the parts of config/ alone. Callers outside see
 * struct config_errors in config.h.
 */
#pragma once

#include "config/config.h"

/* Adds "file:line: message" ("file: message" at line 0). Past CONFIG_ERRORS_MAX it only counts. */
__attribute__((format(printf, 4, 5))) void config_errors_add(struct config_errors *e,
							     const char *file, unsigned line,
							     const char *fmt, ...);

/* A user's word for a message: cut at a character's end, with "..." where it is long. */
#define CONFIG_WORD_MAX 84
char *config_shorten(const char *word, char buf[static CONFIG_WORD_MAX]);

/* How many letters differ (Levenshtein); words of 40 bytes and more are too far from anything. */
#define CONFIG_DISTANCE_FAR 1000U
unsigned config_word_distance(const char *a, const char *b);

/* Near enough to `word` to be what was meant. */
bool config_word_near(unsigned distance, const char *word);
