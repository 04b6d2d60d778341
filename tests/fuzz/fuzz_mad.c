/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes from the fabric and from rtnetlink. The first byte chooses: even, datagrams, each
 * behind a length byte pair, are given to the decoders one by one and to the walk through an I/O
 * unit in turn; odd, the rest is one rtnetlink datagram.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/iou.h"
#include "fabric/mad.h"
#include "fabric/neigh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void decode_all(const uint8_t *mad, size_t len)
{
	struct mad_header h;
	struct mad_class_port_info cpi;
	struct dm_iou iou;
	struct dm_ioc ioc;
	struct dm_service s[DM_SERVICES_PER_MAD];
	uint64_t id_ext;

	if (mad_decode_header(mad, len, &h) == 0)
		check(mad_status_text(h.status) != NULL);
	(void)dm_decode_class_port_info(mad, len, &cpi);
	if (dm_decode_iou(mad, len, &iou) == 0)
		for (unsigned i = 0; i < 300; i++)
			check(dm_iou_slot(&iou, i) == DM_SLOT_NONE ||
			      (i > 0 && i <= iou.max_controllers));
	if (dm_decode_ioc(mad, len, &ioc) == 0)
		check(strlen(ioc.id_string) < sizeof(ioc.id_string));
	for (unsigned n = 0; n <= DM_SERVICES_PER_MAD + 1; n++)
		if (dm_decode_services(mad, len, n, s) == 0)
			for (unsigned i = 0; i < n; i++)
				(void)dm_service_id_ext(&s[i], &id_ext);
}

/* The target chooses the contents and the status, the walk what is asked. */
static void walk(const uint8_t *data, size_t size)
{
	_cleanup_(iou_freep) struct iou *u = iou_new();
	const struct iou_service *services;
	struct iou_request rq;
	unsigned n, asked = 0;

	while (u && iou_next(u, &rq)) {
		size_t len = size >= 2 ? (size_t)(data[0] | (data[1] & 1) << 8) : 0;
		uint8_t *mad;

		check(++asked < 100000);
		data += size >= 2 ? 2 : size;
		size -= size >= 2 ? 2 : size;
		if (len > size)
			len = size;
		if (len == 0) {
			iou_give_up(u, &rq);
			continue;
		}
		mad = malloc(len); /* exactly as long as what came */
		if (!mad)
			return;
		memcpy(mad, data, len);
		data += len;
		size -= len;
		decode_all(mad, len);
		(void)iou_reply(u, mad, len); /* as it is: mostly not what was asked */
		if (len >= 24) {
			mad[0] = MAD_BASE_VERSION;
			mad[16] = (uint8_t)(rq.attr_id >> 8);
			mad[17] = (uint8_t)rq.attr_id;
			for (unsigned i = 0; i < 4; i++)
				mad[20 + i] = (uint8_t)(rq.attr_mod >> (24 - 8 * i));
			if (iou_reply(u, mad, len) == -EAGAIN) {
				free(mad);
				continue;
			}
		}
		free(mad);
		iou_give_up(u, &rq); /* no effect once it was answered */
	}
	if (!u)
		return;
	check(iou_done(u));
	services = iou_services(u, &n);
	check(n <= IOU_SERVICES_MAX && (n == 0 || services != NULL));
}

static void netlink(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct neigh_event e;
	size_t offset = 0;

	if (!copy)
		return;
	memcpy(copy, data, size);
	while (neigh_parse(copy, size, 0, &offset, &e) > 0) {
		check(offset > 0);
		check(e.lladdr_len <= NEIGH_LLADDR_MAX);
		check(!e.valid || e.kind == NEIGH_NEIGHBOUR);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2)
		netlink(data + 1, size - 1);
	else
		walk(data + 1, size - 1);
	return 0;
}
