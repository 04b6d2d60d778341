/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An offer: one SRP service of one I/O controller, reached at one target port over one P_Key. What a
 * scan finds, what the rules decide on, what a path is made of and what `srphactl discover` lists.
 * Plain data; names and numbers as the InfiniBand Architecture Specification and add_target have
 * them, all in host byte order but the GID.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OFFER_TEXT_MAX 65    /* 64 characters of an id string or node description, and the NUL */
#define OFFER_SERVICE_MAX 41 /* 40 characters of a service name, and the NUL */

struct offer {
	/* The target port. */
	uint8_t gid[16];
	uint16_t lid;
	uint16_t pkey;			       /* as in the local table, membership bit included */
	char node_description[OFFER_TEXT_MAX]; /* may be empty */

	/* Its I/O unit. */
	uint16_t change_id;
	uint8_t max_controllers;

	/* The I/O controller. */
	uint8_t slot; /* from 1 */
	uint64_t ioc_guid;
	uint32_t vendor_id, device_id;
	uint16_t io_class;  /* 0xff00: SRP revision 10; 0x0100: 16A */
	uint32_t send_size; /* bytes, of the longest message: max_it_iu_size */
	uint32_t rdma_size;
	uint8_t n_services;
	char ioc_id[OFFER_TEXT_MAX];

	/* The service. */
	uint8_t entry; /* from 0 */
	uint64_t service_id;
	uint64_t id_ext;
	char service_name[OFFER_SERVICE_MAX];
};

bool offer_equal(const struct offer *a, const struct offer *b);

/* By target port, P_Key, slot, entry: the order in which offers are listed. <0, 0, >0. */
int offer_compare(const struct offer *a, const struct offer *b);
