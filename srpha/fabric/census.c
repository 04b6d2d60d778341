/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/census.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/bytes.h"
#include "fabric/census_state.h"
#include "fabric/sa.h"

struct census *census_new(void)
{
	return calloc(1, sizeof(struct census));
}

void census_free(struct census *c)
{
	if (!c)
		return;
	free(c->entries);
	free(c->found);
	free(c);
}

/* When nothing is under way and all was handed out, the array can start from its beginning. */
static void compact(struct census *c)
{
	if (c->pending > 0 || c->i_found < c->n_found)
		return;
	c->n = 0;
	c->next = 0;
	c->n_found = 0;
	c->i_found = 0;
}

void census_reset(struct census *c)
{
	c->class_known = false;
	c->state = CENSUS_IDLE;
	c->class_info = c->ports = c->nodes = STEP_NONE;
	c->pending = 0;
	c->inquiries = 0;
	c->n_found = c->i_found = 0;
	compact(c);
}

struct census_entry *census_add(struct census *c)
{
	struct census_entry *entries;
	uint32_t *found;
	unsigned size;

	if (c->n == CENSUS_PORTS_MAX + CENSUS_INQUIRIES_MAX)
		return NULL;
	if (c->n == c->n_alloc) {
		size = c->n_alloc ? 2 * c->n_alloc : 32;
		entries = realloc(c->entries, size * sizeof(*entries));
		if (!entries)
			return NULL;
		c->entries = entries;
		found = realloc(c->found, size * sizeof(*found));
		if (!found)
			return NULL;
		c->found = found;
		c->n_alloc = size;
	}
	c->entries[c->n] = (struct census_entry){ 0 };
	c->pending++;
	return &c->entries[c->n++];
}

void census_settle(struct census *c)
{
	if (c->state != CENSUS_RUNNING || c->class_info != STEP_NONE || c->ports != STEP_NONE ||
	    c->nodes != STEP_NONE || c->pending > c->inquiries)
		return;
	c->state = CENSUS_COMPLETE;
	if (c->counts.silent > 0) {
		c->state = CENSUS_FAILED;
		snprintf(c->why, sizeof(c->why),
			 "the subnet administrator did not answer for %u of its end ports",
			 c->counts.silent);
	}
}

void census_fail(struct census *c, const char *what)
{
	snprintf(c->why, sizeof(c->why), "%s", what);
	c->state = CENSUS_FAILED;
	c->class_info = c->ports = c->nodes = STEP_NONE;
}

void census_close(struct census *c, struct census_entry *e)
{
	if (e->over)
		return;
	e->over = true;
	e->path = e->port = e->node = STEP_NONE;
	c->pending--;
	if (e->inquired)
		c->inquiries--;
	if (e->inquired || e->dm)
		c->found[c->n_found++] = (uint32_t)(e - c->entries);
	census_settle(c);
}

void census_check(struct census *c, struct census_entry *e)
{
	if (e->path != STEP_NONE || e->port != STEP_NONE)
		return;
	if (!e->dm || e->node == STEP_NONE)
		census_close(c, e);
}

void census_discard(struct census *c, struct census_entry *e)
{
	e->dm = false;
	census_close(c, e);
}

void census_begin(struct census *c)
{
	compact(c);
	c->state = CENSUS_RUNNING;
	c->counts.nodes = c->counts.ports = c->counts.dropped = c->counts.silent = 0;
	c->why[0] = '\0';
	if (!c->class_known)
		c->class_info = STEP_WANT;
	else if (c->mask_match)
		c->ports = STEP_WANT;
	else
		c->nodes = STEP_WANT;
}

int census_inquire(struct census *c, uint16_t lid, const uint8_t gid[static 16],
		   const uint8_t own[static 16], bool dm)
{
	struct census_entry *e;

	compact(c);
	for (unsigned i = 0; i < c->n; i++) {
		e = &c->entries[i];
		/* What was asked and not yet sent will be new enough. */
		if (!e->over && e->inquired &&
		    (lid ? e->port == STEP_WANT && e->lid == lid
			 : e->path == STEP_WANT && memcmp(e->gid, gid, sizeof(e->gid)) == 0)) {
			e->sure = e->sure || dm;
			return 0;
		}
	}
	if (c->inquiries == CENSUS_INQUIRIES_MAX)
		return -EBUSY;
	e = census_add(c);
	if (!e)
		return -ENOMEM;
	c->inquiries++;
	e->inquired = true;
	e->sure = dm;
	e->lid = lid;
	if (lid) {
		e->port = e->node = STEP_WANT;
	} else {
		e->has_gid = true;
		memcpy(e->gid, gid, sizeof(e->gid));
		memcpy(e->own, own, sizeof(e->own));
		e->path = STEP_WANT;
	}
	if (c->next >= c->n)
		c->next = c->n - 1;
	return 0;
}

/* Questions. */

static void ask_path(uint8_t mad[static MAD_SIZE], const struct census_entry *e)
{
	struct sa_path want = { .reversible = true, .n_paths = 1 };

	memcpy(want.dgid, e->gid, sizeof(want.dgid));
	memcpy(want.sgid, e->own, sizeof(want.sgid));
	sa_encode_get_path(mad, MAD_METHOD_GET,
			   SA_PATH_DGID | SA_PATH_SGID | SA_PATH_REVERSIBLE | SA_PATH_NUMB_PATH,
			   &want);
}

static bool next_single(struct census *c, struct census_request *ret)
{
	for (; c->next < c->n; c->next++) {
		struct census_entry *e = &c->entries[c->next];

		ret->item = c->next;
		if (e->path == STEP_WANT) {
			e->path = STEP_SENT;
			ret->what = CENSUS_PATH;
			ask_path(ret->mad, e);
			return true;
		}
		if (e->port == STEP_WANT) {
			e->port = STEP_SENT;
			ret->what = CENSUS_PORT;
			sa_encode_get_port(ret->mad, e->lid);
			return true;
		}
		if (e->node == STEP_WANT) {
			e->node = STEP_SENT;
			ret->what = CENSUS_NODE;
			sa_encode_get_node(ret->mad, e->lid);
			return true;
		}
	}
	return false;
}

void census_search_from(struct census *c, const struct census_entry *e)
{
	unsigned i = (unsigned)(e - c->entries);

	if (c->next > i)
		c->next = i;
}

bool census_next(struct census *c, struct census_request *ret)
{
	ret->item = 0;
	if (c->class_info == STEP_WANT) {
		c->class_info = STEP_SENT;
		ret->what = CENSUS_CLASS;
		sa_encode_get_class_port_info(ret->mad);
		return true;
	}
	if (c->ports == STEP_WANT) {
		c->ports = STEP_SENT;
		ret->what = CENSUS_PORTS;
		sa_encode_get_ports(ret->mad, PORT_CAP_DEVICE_MANAGEMENT);
		return true;
	}
	if (c->nodes == STEP_WANT) {
		c->nodes = STEP_SENT;
		ret->what = CENSUS_NODES;
		sa_encode_get_nodes(ret->mad);
		return true;
	}
	return next_single(c, ret);
}

bool census_found(struct census *c, struct census_port *ret)
{
	const struct census_entry *e;

	if (c->i_found == c->n_found)
		return false;
	e = &c->entries[c->found[c->i_found++]];
	*ret = (struct census_port){
		.finding = e->unanswered ? CENSUS_UNKNOWN
			   : e->dm	 ? CENSUS_PRESENT
					 : CENSUS_ABSENT,
		.inquired = e->inquired,
		.lid = e->lid,
		.has_gid = e->has_gid || (e->has_prefix && e->has_guid),
	};
	memcpy(ret->gid, e->gid, sizeof(ret->gid));
	if (e->has_prefix && e->has_guid) {
		put64(ret->gid, e->prefix);
		put64(ret->gid + 8, e->guid);
	}
	memcpy(ret->description, e->description, sizeof(ret->description));
	return true;
}

enum census_state census_state(const struct census *c)
{
	return c->state;
}

const char *census_why(const struct census *c)
{
	return c->why;
}

bool census_idle(const struct census *c)
{
	return c->state != CENSUS_RUNNING && c->pending == 0 && c->i_found == c->n_found;
}

const struct census_counts *census_counts(const struct census *c)
{
	return &c->counts;
}
