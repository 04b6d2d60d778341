/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target's Device Management agent for tests: answers a request datagram as ib_srpt does, in the
 * bytes that fabric/mad.h encodes, with one SRP service unless told otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FAKE_TARGET_MAX_IOCS 8

struct fake_ioc {
	unsigned slot;
	uint64_t guid;
	unsigned n_services; /* claimed */
	const char *names[8];
};

struct fake_target {
	uint16_t change_id;
	uint8_t max_controllers;
	uint16_t status; /* of every answer, 0 = good */
	unsigned n_iocs;
	struct fake_ioc iocs[FAKE_TARGET_MAX_IOCS];
	unsigned asked; /* requests seen */
};

/* One controller in slot 1, one service SRP.T10:<guid>. */
void fake_target_init(struct fake_target *t, uint64_t guid);

/* Turns the request in `mad` (256 bytes) into its answer. */
void fake_target_answer(struct fake_target *t, uint8_t *mad);
