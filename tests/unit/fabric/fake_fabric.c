/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_fabric.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/bytes.h"
#include "fabric/sa.h"

/* xorshift32: the same everywhere, unlike rand(). */
static uint32_t next_random(struct fake_fabric *f)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 17;
	f->seed ^= f->seed << 5;
	return f->seed;
}

static bool happens(struct fake_fabric *f, unsigned per_thousand)
{
	return per_thousand > 0 && next_random(f) % 1000 < per_thousand;
}

struct fake_fabric *fake_fabric_new(uint32_t seed)
{
	struct fake_fabric *f = calloc(1, sizeof(*f));

	assert(f);
	f->seed = seed;
	f->latency_usec = 1000;
	f->sm_lid = 1;
	fake_fabric_add(f, false); /* us, and the administrator beside us */
	return f;
}

void fake_fabric_free(struct fake_fabric *f)
{
	for (unsigned i = 0; i < f->n_answers; i++)
		free(f->answers[i].mad);
	free(f->answers);
	free(f);
}

struct fake_node *fake_fabric_add(struct fake_fabric *f, bool target)
{
	struct fake_node *n = &f->nodes[f->n_nodes];

	assert(f->n_nodes < FAKE_NODES_MAX);
	*n = (struct fake_node){ .lid = (uint16_t)(f->n_nodes + 1),
				 .guid = UINT64_C(0x0002c90300000000) + f->n_nodes * 16,
				 .type = SA_NODE_CA,
				 .dm = target };
	f->n_nodes++;
	if (!target)
		return n;
	snprintf(n->names[0], sizeof(n->names[0]), "SRP.T10:%016" PRIx64, n->guid);
	n->unit = (struct fake_target){
		.change_id = 1,
		.max_controllers = 16,
		.n_iocs = 1,
		.iocs[0] = { .slot = 1, .guid = n->guid, .n_services = 1, .names[0] = n->names[0] },
	};
	return n;
}

struct fake_node *fake_fabric_find(struct fake_fabric *f, uint16_t lid)
{
	for (unsigned i = 0; i < f->n_nodes; i++)
		if (f->nodes[i].lid == lid)
			return &f->nodes[i];
	return NULL;
}

static void node_gid(const struct fake_node *n, uint8_t gid[static 16])
{
	put64(gid, FAKE_PREFIX);
	put64(gid + 8, n->guid);
}

static unsigned node_pkeys(const struct fake_node *n, const uint16_t **ret)
{
	static const uint16_t usual = 0xffff;

	*ret = n->n_pkeys ? n->pkeys : &usual;
	return n->n_pkeys ? n->n_pkeys : 1;
}

void fake_fabric_port(const struct fake_fabric *f, struct ibport *ret)
{
	const uint16_t *pkeys;

	*ret = (struct ibport){ .state = SA_PORT_ACTIVE,
				.lid = f->nodes[0].lid,
				.sm_lid = f->sm_lid };
	node_gid(&f->nodes[0], ret->gid);
	ret->n_pkeys = node_pkeys(&f->nodes[0], &pkeys);
	for (unsigned i = 0; i < ret->n_pkeys; i++)
		ret->pkeys[i] = (struct ibport_pkey){ .index = (uint16_t)i, .value = pkeys[i] };
}

/* Answers. */

static void arrive(struct fake_fabric *f, const struct fake_answer *a)
{
	if (f->n_answers == f->n_alloc) {
		f->n_alloc = f->n_alloc ? 2 * f->n_alloc : 64;
		f->answers = realloc(f->answers, f->n_alloc * sizeof(*f->answers));
		assert(f->answers);
	}
	f->answers[f->n_answers++] = *a;
	if (f->n_answers > f->most_flying)
		f->most_flying = f->n_answers;
}

static void answer(struct fake_fabric *f, uint16_t from, uint64_t latency, uint64_t cookie,
		   uint64_t now, const uint8_t *mad, size_t len)
{
	struct fake_answer a = {
		.due = now + latency, .sent = now, .cookie = cookie, .lid = from, .len = len
	};

	if (f->jitter_usec)
		a.due += next_random(f) % f->jitter_usec;
	for (unsigned i = 0; i < (happens(f, f->repeats) ? 2 : 1); i++) {
		a.mad = malloc(len);
		assert(a.mad);
		memcpy(a.mad, mad, len);
		arrive(f, &a);
		a.due += latency;
	}
}

static bool redirects(const struct mad_class_port_info *to)
{
	return to->redirect_qpn != 0;
}

/* The administrator. */

struct sa_answer {
	struct sa_header h;
	uint8_t *data;
	size_t len;
};

static void reply_sa(struct fake_fabric *f, uint16_t from, struct sa_answer *a, uint64_t cookie,
		     uint64_t now)
{
	size_t len = a->h.rmpp ? SA_DATA_OFFSET + a->len : MAD_SIZE;
	uint8_t *mad = calloc(1, len > MAD_SIZE ? len : MAD_SIZE);

	assert(mad);
	a->h.mad.method |= MAD_METHOD_RESPONSE_BIT;
	sa_encode_header(mad, &a->h);
	if (a->len)
		memcpy(mad + SA_DATA_OFFSET, a->data, a->len);
	answer(f, from, f->latency_usec, cookie, now, mad, len);
	free(mad);
	free(a->data);
	a->data = NULL;
}

static void append(struct sa_answer *a, const uint8_t *record, size_t size)
{
	a->data = realloc(a->data, a->len + size);
	assert(a->data);
	memcpy(a->data + a->len, record, size);
	a->len += size;
	a->h.attr_offset = (uint16_t)(size / 8);
}

static void append_port(struct sa_answer *a, const struct fake_node *n)
{
	uint8_t record[SA_PORT_RECORD_SIZE];

	sa_encode_port(record,
		       &(struct sa_port){ .lid = n->lid,
					  .base_lid = n->lid,
					  .port_num = 1,
					  .subnet_prefix = FAKE_PREFIX,
					  .cap_mask = n->dm ? PORT_CAP_DEVICE_MANAGEMENT : 0,
					  .state = SA_PORT_ACTIVE });
	append(a, record, sizeof(record));
}

static void append_node(struct sa_answer *a, const struct fake_node *n)
{
	uint8_t record[SA_NODE_RECORD_SIZE];
	struct sa_node node = { .lid = n->lid,
				.type = n->type,
				.port_guid = n->guid,
				.node_guid = n->guid,
				.port_num = 1 };

	snprintf(node.description, sizeof(node.description), "node %u", n->lid);
	sa_encode_node(record, &node);
	append(a, record, sizeof(record));
}

static bool shares_pkey(const struct fake_node *a, const struct fake_node *b, uint16_t pkey)
{
	const uint16_t *x, *y;
	unsigned n = node_pkeys(a, &x), m = node_pkeys(b, &y);

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < m; k++)
			if (((x[i] ^ pkey) & 0x7fff) == 0 && pkey_match(x[i], y[k]))
				return true;
	return false;
}

static void answer_path(struct fake_fabric *f, struct sa_answer *a, const uint8_t *mad)
{
	struct sa_path want, path;
	uint8_t record[SA_PATH_RECORD_SIZE];

	f->paths++;
	a->h.mad.status = SA_STATUS_NO_RECORDS;
	if (sa_decode_path(mad + SA_DATA_OFFSET, SA_PATH_RECORD_SIZE, &want) < 0)
		return;
	for (unsigned i = 0; i < f->n_nodes; i++) {
		const struct fake_node *n = &f->nodes[i];
		uint8_t gid[16];

		node_gid(n, gid);
		if (n->hidden || memcmp(gid, want.dgid, sizeof(gid)) != 0 ||
		    ((a->h.comp_mask & SA_PATH_PKEY) && !shares_pkey(&f->nodes[0], n, want.pkey)))
			continue;
		a->h.mad.status = 0;
		path = want;
		path.dlid = n->lid;
		path.slid = f->nodes[0].lid;
		path.sl = n->sl;
		sa_encode_path(record, &path);
		append(a, record, sizeof(record));
		return;
	}
}

static void answer_single(struct fake_fabric *f, struct sa_answer *a, const uint8_t *mad)
{
	const struct fake_node *n = fake_fabric_find(f, get16(mad + SA_DATA_OFFSET));

	a->h.mad.status = f->record_status;
	if (a->h.mad.status)
		return;
	if (!n || n->hidden)
		a->h.mad.status = SA_STATUS_NO_RECORDS;
	else if (a->h.mad.attr_id == SA_ATTR_NODE_RECORD)
		append_node(a, n);
	else
		append_port(a, n);
}

static void answer_table(struct fake_fabric *f, struct sa_answer *a)
{
	bool ports = a->h.mad.attr_id == SA_ATTR_PORT_INFO_RECORD;

	f->tables++;
	a->h.mad.status = ports ? f->ports_status : f->nodes_status;
	if (a->h.mad.status)
		return;
	a->h.rmpp = true;
	for (unsigned i = 0; i < f->n_nodes; i++) {
		const struct fake_node *n = &f->nodes[i];

		if (n->hidden)
			continue;
		if (!ports)
			append_node(a, n);
		else if (n->dm)
			append_port(a, n);
	}
}

static void answer_class(struct fake_fabric *f, struct sa_answer *a)
{
	uint8_t mad[MAD_SIZE] = { 0 };

	f->classes++;
	sa_encode_class_port_info(
		mad, &(struct mad_class_port_info){
			     .base_version = 1,
			     .class_version = SA_CLASS_VERSION,
			     .cap_mask = f->no_mask_match ? 0 : SA_CAP_PORT_INFO_CAP_MASK_MATCH });
	append(a, mad + SA_DATA_OFFSET, 72);
}

static void ask_administrator(struct fake_fabric *f, uint16_t lid, const uint8_t *mad,
			      uint64_t cookie, uint64_t now)
{
	struct sa_answer a = { 0 };
	bool table;

	f->sa_sent++;
	if (f->sa_silent)
		return;
	if (f->sa_lost > 0) {
		f->sa_lost--;
		return;
	}
	if (sa_decode_header(mad, MAD_SIZE, &a.h) < 0) {
		f->bad_request = true;
		return;
	}
	a.h.rmpp = false;
	table = a.h.mad.method == SA_METHOD_GET_TABLE;
	if (redirects(&f->sa_redirect) && lid == f->sm_lid) {
		uint8_t info[MAD_SIZE] = { 0 };

		a.h.mad.status = MAD_STATUS_REDIRECT;
		sa_encode_class_port_info(info, &f->sa_redirect);
		append(&a, info + SA_DATA_OFFSET, 72);
	} else if (f->sa_busy > 0) {
		f->sa_busy--;
		a.h.mad.status = MAD_STATUS_BUSY;
	} else if (a.h.mad.attr_id == SA_ATTR_CLASS_PORT_INFO) {
		answer_class(f, &a);
	} else if (a.h.mad.attr_id == SA_ATTR_PATH_RECORD) {
		answer_path(f, &a, mad);
	} else if (table) {
		if (f->tables_silent)
			return;
		answer_table(f, &a);
	} else {
		answer_single(f, &a, mad);
	}
	reply_sa(f, lid, &a, cookie, now);
}

/* The nodes. */

static bool carries(const struct fake_fabric *f, const struct fake_node *n, uint16_t pkey_index)
{
	const uint16_t *pkeys, *theirs;
	unsigned n_ours = node_pkeys(&f->nodes[0], &pkeys), n_theirs = node_pkeys(n, &theirs);

	if (pkey_index >= n_ours)
		return false;
	for (unsigned i = 0; i < n_theirs; i++)
		if (pkey_match(pkeys[pkey_index], theirs[i]))
			return true;
	return false;
}

static void ask_node(struct fake_fabric *f, const struct mad_dest *to, const uint8_t *mad,
		     uint64_t cookie, uint64_t now)
{
	struct fake_node *n = fake_fabric_find(f, to->lid);
	uint8_t reply[MAD_SIZE];
	struct mad_header h;

	if (!n || mad_decode_header(mad, MAD_SIZE, &h) < 0 || h.mgmt_class != MAD_CLASS_DM) {
		f->bad_request = f->bad_request || n;
		return;
	}
	n->asked++;
	n->flying++;
	if (n->flying > n->most_flying)
		n->most_flying = n->flying;
	if (n->silent || !carries(f, n, to->pkey_index) || n->sl != to->sl)
		return;
	memcpy(reply, mad, sizeof(reply));
	h.method = MAD_METHOD_GET_RESP;
	if (redirects(&n->redirect)) {
		h.status = MAD_STATUS_REDIRECT;
		mad_encode_header(reply, &h);
		dm_encode_class_port_info(reply, &n->redirect);
	} else if (n->busy > 0) {
		n->busy--;
		h.status = MAD_STATUS_BUSY;
		mad_encode_header(reply, &h);
	} else if (!n->dm) {
		h.status = MAD_STATUS_UNSUPPORTED_METHOD_ATTR;
		mad_encode_header(reply, &h);
	} else {
		fake_target_answer(&n->unit, reply);
	}
	answer(f, n->lid, n->latency_usec ? n->latency_usec : f->latency_usec, cookie, now, reply,
	       sizeof(reply));
}

void fake_fabric_send(struct fake_fabric *f, const struct mad_dest *to, const uint8_t *mad,
		      uint64_t cookie, uint64_t now)
{
	f->sent++;
	if (happens(f, f->loss)) {
		f->lost++;
		return;
	}
	/* One LID may be a node's and the administrator's: the class tells. */
	if (mad[1] == MAD_CLASS_SA &&
	    (to->lid == f->sm_lid || (f->sa_redirected_lid && to->lid == f->sa_redirected_lid)))
		ask_administrator(f, to->lid, mad, cookie, now);
	else
		ask_node(f, to, mad, cookie, now);
}

uint64_t fake_fabric_due(const struct fake_fabric *f)
{
	uint64_t due = UINT64_MAX;

	for (unsigned i = 0; i < f->n_answers; i++)
		if (f->answers[i].due < due)
			due = f->answers[i].due;
	return due;
}

bool fake_fabric_next(struct fake_fabric *f, uint64_t now, struct fake_answer *ret)
{
	unsigned first = f->n_answers;
	struct fake_node *n;

	for (unsigned i = 0; i < f->n_answers; i++)
		if (f->answers[i].due <= now &&
		    (first == f->n_answers || f->answers[i].due < f->answers[first].due))
			first = i;
	if (first == f->n_answers)
		return false;
	*ret = f->answers[first];
	f->answers[first] = f->answers[--f->n_answers];
	n = ret->mad[1] == MAD_CLASS_DM ? fake_fabric_find(f, ret->lid) : NULL;
	if (n && n->flying > 0)
		n->flying--;
	return true;
}
