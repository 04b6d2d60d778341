/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RMPP as two kernels do it between them: a client hands in and gets a message in one piece. Only
 * the header of the first segment and the length tell of segments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether it is a message of a class with RMPP that uses it. */
bool rmpp_is_active(const uint8_t *mad);

/* Writes the header as the receiver's kernel shows it. The length of the message. */
size_t rmpp_prepare(uint8_t *mad, size_t len);
