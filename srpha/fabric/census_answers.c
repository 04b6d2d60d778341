/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/census_state.h"
#include "fabric/ibport.h"
#include "fabric/sa.h"

static int take_class(struct census *c, uint16_t status, const uint8_t *mad, size_t len)
{
	struct mad_class_port_info info;
	int r = 0;

	c->class_info = STEP_NONE;
	c->mask_match = false;
	if (status == 0) {
		r = sa_decode_class_port_info(mad, len, &info);
		c->mask_match = r == 0 && (info.cap_mask & SA_CAP_PORT_INFO_CAP_MASK_MATCH);
	}
	c->class_known = r == 0;
	if (c->mask_match)
		c->ports = STEP_WANT;
	else
		c->nodes = STEP_WANT;
	return r;
}

/* Not all of the PortInfoRecords' errors are for ever; whatever it was, a walk finds out. */
static void walk_instead(struct census *c)
{
	c->ports = STEP_NONE;
	c->class_known = false;
	c->mask_match = false;
	c->nodes = STEP_WANT;
}

static bool seen_before(uint8_t *seen, uint16_t lid)
{
	bool before = seen[lid / 8] & (1 << lid % 8);

	seen[lid / 8] |= (uint8_t)(1 << lid % 8);
	return before;
}

static void take_port_record(struct census_entry *e, const struct sa_port *port)
{
	e->dm = e->sure || (port->cap_mask & PORT_CAP_DEVICE_MANAGEMENT);
	e->prefix = port->subnet_prefix;
	e->has_prefix = true;
}

static void take_node_record(struct census_entry *e, const struct sa_node *node)
{
	e->guid = node->port_guid;
	e->has_guid = true;
	memcpy(e->description, node->description, sizeof(e->description));
}

/* A new entry of the census of all, or NULL: one that was there, or too many. */
static struct census_entry *list_entry(struct census *c, uint8_t *seen, uint16_t lid)
{
	struct census_entry *e;

	if (lid == 0 || lid > LID_UNICAST_MAX) {
		c->counts.malformed++;
		return NULL;
	}
	if (seen_before(seen, lid))
		return NULL;
	if (c->pending - c->inquiries == CENSUS_PORTS_MAX || !(e = census_add(c))) {
		c->counts.dropped++;
		return NULL;
	}
	e->lid = lid;
	return e;
}

static int take_ports(struct census *c, const uint8_t *mad, size_t len)
{
	uint8_t seen[(LID_UNICAST_MAX + 8) / 8] = { 0 };
	const uint8_t *record;
	struct sa_table t;
	size_t size;
	int r = sa_table_init(&t, mad, len);

	if (r < 0)
		return r;
	if (!sa_table_whole(&t, SA_ATTR_PORT_INFO_RECORD))
		return -EBADMSG;
	while (sa_table_next(&t, &record, &size)) {
		struct sa_port port;
		struct census_entry *e;

		if (sa_decode_port(record, size, &port) < 0) {
			c->counts.malformed++;
			continue;
		}
		if (!(port.cap_mask & PORT_CAP_DEVICE_MANAGEMENT))
			continue;
		e = list_entry(c, seen, port.lid);
		if (!e)
			continue;
		take_port_record(e, &port);
		e->node = STEP_WANT;
		c->counts.ports++;
	}
	c->ports = STEP_NONE;
	c->counts.nodes = c->counts.ports;
	if (c->counts.ports >= CENSUS_TABLE_FROM) {
		c->nodes = STEP_WANT;
		for (unsigned i = 0; i < c->n; i++)
			if (!c->entries[i].inquired)
				c->entries[i].node = STEP_SENT; /* the table answers it */
	}
	census_settle(c);
	return 0;
}

/* The table of nodes told nothing (more): the others are asked for one by one. */
static void ask_nodes_singly(struct census *c)
{
	c->nodes = STEP_NONE;
	c->next = 0;
	for (unsigned i = 0; i < c->n; i++) {
		struct census_entry *e = &c->entries[i];

		if (!e->inquired && !e->over && e->node == STEP_SENT)
			e->node = STEP_WANT;
	}
	census_settle(c);
}

/* Names for the ports that are known to have Device Management. */
static int take_names(struct census *c, struct sa_table *t)
{
	_cleanup_free_ uint16_t *by_lid = calloc(LID_UNICAST_MAX + 1, sizeof(*by_lid));
	const uint8_t *record;
	size_t size;

	if (!by_lid)
		return -ENOMEM;
	for (unsigned i = 0; i < c->n; i++)
		if (!c->entries[i].inquired && !c->entries[i].over)
			by_lid[c->entries[i].lid] = (uint16_t)(i + 1);
	c->counts.nodes = 0;
	while (sa_table_next(t, &record, &size)) {
		struct sa_node node;
		struct census_entry *e;

		if (sa_decode_node(record, size, &node) < 0) {
			c->counts.malformed++;
			continue;
		}
		c->counts.nodes++;
		if (node.lid > LID_UNICAST_MAX || by_lid[node.lid] == 0)
			continue;
		e = &c->entries[by_lid[node.lid] - 1];
		if (e->over)
			continue;
		take_node_record(e, &node);
		e->node = STEP_NONE;
		census_check(c, e);
	}
	return 0;
}

/* All nodes, of which it is not known whether they have Device Management. */
static void take_strangers(struct census *c, struct sa_table *t)
{
	uint8_t seen[(LID_UNICAST_MAX + 8) / 8] = { 0 };
	const uint8_t *record;
	size_t size;

	while (sa_table_next(t, &record, &size)) {
		struct sa_node node;
		struct census_entry *e;

		if (sa_decode_node(record, size, &node) < 0) {
			c->counts.malformed++;
			continue;
		}
		e = list_entry(c, seen, node.lid);
		if (!e)
			continue;
		take_node_record(e, &node);
		e->port = STEP_WANT;
		c->counts.nodes++;
	}
}

static int take_nodes(struct census *c, const uint8_t *mad, size_t len)
{
	struct sa_table t;
	int r = sa_table_init(&t, mad, len);

	if (r < 0)
		return r;
	if (!sa_table_whole(&t, SA_ATTR_NODE_RECORD))
		return -EBADMSG;
	if (c->mask_match) {
		r = take_names(c, &t);
		ask_nodes_singly(c);
	} else {
		take_strangers(c, &t);
		c->nodes = STEP_NONE;
		census_settle(c);
	}
	return r;
}

/* Whether it is there could not be found out. */
static void abandon_entry(struct census *c, struct census_entry *e)
{
	e->unanswered = true;
	if (!e->inquired)
		c->counts.silent++;
	census_discard(c, e);
}

/* The one record of a Get. */
static const uint8_t *only_record(const uint8_t *mad, size_t len, size_t *ret_size)
{
	const uint8_t *record;
	struct sa_table t;

	return sa_table_init(&t, mad, len) == 0 && sa_table_next(&t, &record, ret_size) ? record
											: NULL;
}

static int take_port(struct census *c, struct census_entry *e, const uint8_t *record, size_t size)
{
	struct sa_port port;
	int r = record ? sa_decode_port(record, size, &port) : -EBADMSG;

	e->port = STEP_NONE;
	if (r < 0) {
		abandon_entry(c, e);
		return r;
	}
	take_port_record(e, &port);
	if (e->dm && !e->inquired)
		c->counts.ports++;
	census_check(c, e);
	return 0;
}

static int take_node(struct census *c, struct census_entry *e, const uint8_t *record, size_t size)
{
	struct sa_node node;
	int r = record ? sa_decode_node(record, size, &node) : -EBADMSG;

	e->node = STEP_NONE;
	if (r < 0) {
		abandon_entry(c, e);
		return r;
	}
	take_node_record(e, &node);
	census_check(c, e);
	return 0;
}

static int take_path(struct census *c, struct census_entry *e, const uint8_t *record, size_t size)
{
	struct sa_path path;
	int r = record ? sa_decode_path(record, size, &path) : -EBADMSG;

	e->path = STEP_NONE;
	if (r == 0 && (path.dlid == 0 || path.dlid > LID_UNICAST_MAX))
		r = -EBADMSG;
	if (r < 0) {
		abandon_entry(c, e);
		return r;
	}
	e->lid = path.dlid;
	e->port = e->node = STEP_WANT;
	census_search_from(c, e);
	return 0;
}

/* The entry a single question is open for. */
static struct census_entry *open_entry(struct census *c, enum census_question what, uint32_t item)
{
	struct census_entry *e = item < c->n ? &c->entries[item] : NULL;

	if (!e || e->over)
		return NULL;
	if (what == CENSUS_PATH)
		return e->path == STEP_SENT ? e : NULL;
	if (what == CENSUS_PORT)
		return e->port == STEP_SENT ? e : NULL;
	return e->node == STEP_SENT ? e : NULL;
}

static int reply_single(struct census *c, enum census_question what, uint32_t item, uint16_t status,
			const uint8_t *mad, size_t len)
{
	struct census_entry *e = open_entry(c, what, item);
	const uint8_t *record;
	size_t size = 0;

	if (!e)
		return -ENOENT;
	if (status) {
		/* No such record is an answer; no resources is none. */
		if (status == SA_STATUS_NO_RESOURCES)
			abandon_entry(c, e);
		else
			census_discard(c, e);
		return 0;
	}
	record = only_record(mad, len, &size);
	if (what == CENSUS_PATH)
		return take_path(c, e, record, size);
	if (what == CENSUS_PORT)
		return take_port(c, e, record, size);
	return take_node(c, e, record, size);
}

static void fail_status(struct census *c, uint16_t status)
{
	char text[sizeof(c->why)];

	snprintf(text, sizeof(text), "the subnet administrator refuses its list of nodes: %s",
		 sa_status_text(status));
	census_fail(c, text);
}

static int reply_table(struct census *c, enum census_question what, uint16_t status,
		       const uint8_t *mad, size_t len)
{
	int r = 0;

	if (what == CENSUS_PORTS) {
		if (c->ports != STEP_SENT)
			return -ENOENT;
		/* Some say of an empty table that there are no records. */
		if (status == SA_STATUS_NO_RECORDS) {
			c->ports = STEP_NONE;
			census_settle(c);
			return 0;
		}
		r = status ? -EPROTO : take_ports(c, mad, len);
		if (r < 0)
			walk_instead(c);
		return status ? 0 : r;
	}
	if (c->nodes != STEP_SENT)
		return -ENOENT;
	r = status ? -EPROTO : take_nodes(c, mad, len);
	if (c->nodes == STEP_SENT) { /* nothing of it could be used */
		if (c->mask_match)
			ask_nodes_singly(c);
		else if (status)
			fail_status(c, status);
		else
			census_fail(c, "the subnet administrator's list of nodes cannot be read");
	}
	return status ? 0 : r;
}

int census_reply(struct census *c, enum census_question what, uint32_t item, uint16_t status,
		 const uint8_t *mad, size_t len)
{
	int r = -ENOENT;

	switch (what) {
	case CENSUS_CLASS:
		r = c->class_info == STEP_SENT ? take_class(c, status, mad, len) : -ENOENT;
		break;
	case CENSUS_PORTS:
	case CENSUS_NODES:
		r = reply_table(c, what, status, mad, len);
		break;
	case CENSUS_PORT:
	case CENSUS_NODE:
	case CENSUS_PATH:
		r = reply_single(c, what, item, status, mad, len);
		break;
	}
	if (r == -EBADMSG)
		c->counts.malformed++;
	return r;
}

void census_give_up(struct census *c, enum census_question what, uint32_t item)
{
	struct census_entry *e;

	switch (what) {
	case CENSUS_CLASS:
		if (c->class_info == STEP_SENT)
			census_fail(c, "the subnet administrator does not answer");
		break;
	case CENSUS_PORTS:
		if (c->ports == STEP_SENT)
			census_fail(
				c,
				"the subnet administrator does not answer for the list of ports");
		break;
	case CENSUS_NODES:
		if (c->nodes != STEP_SENT)
			break;
		if (c->mask_match)
			ask_nodes_singly(c);
		else
			census_fail(
				c,
				"the subnet administrator does not answer for the list of nodes");
		break;
	case CENSUS_PORT:
	case CENSUS_NODE:
	case CENSUS_PATH:
		e = open_entry(c, what, item);
		if (e)
			abandon_entry(c, e);
		break;
	}
}
