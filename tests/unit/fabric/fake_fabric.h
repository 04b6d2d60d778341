/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An InfiniBand fabric for tests, in virtual time: a subnet administrator and nodes with Device
 * Management, that answer the datagrams they are sent after a while, in whatever order that makes,
 * lose some, repeat some. Everything is a function of the seed. The test is the transport: it sends
 * with fake_fabric_send() and takes what arrives with fake_fabric_next().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/ibport.h"
#include "fabric/mad.h"
#include "fabric/umad.h"
#include "fake_target.h"

#define FAKE_NODES_MAX 2048
#define FAKE_PREFIX UINT64_C(0xfe80000000000000)

struct fake_node {
	uint64_t guid; /* of its port; services and controllers have it too */
	uint16_t lid;
	uint8_t type;	       /* SA_NODE_CA ... */
	bool dm;	       /* IsDeviceManagementSupported */
	bool hidden;	       /* the administrator does not know it */
	bool silent;	       /* its management agent does not answer */
	uint64_t latency_usec; /* 0: the fabric's */
	unsigned n_pkeys;      /* 0: the default one, full */
	uint16_t pkeys[4];
	unsigned busy;			     /* so many answers are "busy" */
	struct mad_class_port_info redirect; /* lid or gid: to there */
	uint8_t sl;
	struct fake_target unit;
	char names[FAKE_TARGET_MAX_IOCS][DM_SERVICE_NAME_SIZE + 1];
	/* Seen. */
	unsigned asked, flying, most_flying;
};

struct fake_answer {
	uint64_t due, sent;
	uint64_t cookie;
	uint16_t lid; /* whom it comes from */
	uint8_t *mad;
	size_t len;
};

struct fake_fabric {
	uint32_t seed;
	uint64_t latency_usec, jitter_usec;
	unsigned loss, repeats; /* in 1000 requests, in 1000 answers */
	uint16_t sm_lid;
	bool sa_silent, no_mask_match;
	uint16_t sa_cap_mask;
	uint16_t ports_status, nodes_status; /* of these tables */
	bool tables_silent;
	uint16_t record_status; /* of single records */
	unsigned sa_busy;	/* so many answers are "busy" */
	unsigned sa_lost;	/* so many requests are lost */
	struct mad_class_port_info sa_redirect;
	uint16_t sa_redirected_lid; /* it answers there, too */
	unsigned n_nodes;
	struct fake_node nodes[FAKE_NODES_MAX];
	unsigned n_answers, n_alloc;
	struct fake_answer *answers;
	/* Seen. */
	unsigned sent, sa_sent, lost, most_flying, paths, tables, classes;
	bool bad_request;
};

struct fake_fabric *fake_fabric_new(uint32_t seed);
void fake_fabric_free(struct fake_fabric *f);

/* A node at the next LID, from 1; with `target` an SRP target of one service. */
struct fake_node *fake_fabric_add(struct fake_fabric *f, bool target);
struct fake_node *fake_fabric_find(struct fake_fabric *f, uint16_t lid);

/* The port of node 0, which is us, as it should look. */
void fake_fabric_port(const struct fake_fabric *f, struct ibport *ret);

void fake_fabric_send(struct fake_fabric *f, const struct mad_dest *to, const uint8_t *mad,
		      uint64_t cookie, uint64_t now);

/* When the next answer arrives; UINT64_MAX for none. */
uint64_t fake_fabric_due(const struct fake_fabric *f);

/* Takes what has arrived: the caller frees ret->mad. */
bool fake_fabric_next(struct fake_fabric *f, uint64_t now, struct fake_answer *ret);
