/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies of the Subnet Administrator, of any length: the header, the records of a table or of a
 * Get, ClassPortInfo, InformInfo. As it came, and once more with a header that lets it in, so that
 * the rest is reached at once. What decodes is encoded and decoded again: it must be the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/sa.h"
#include "fabric/umad.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void node(const uint8_t *record, size_t size)
{
	uint8_t again[SA_NODE_RECORD_SIZE];
	struct sa_node a, b;

	if (sa_decode_node(record, size, &a) < 0)
		return;
	check(size >= 108 && strlen(a.description) < sizeof(a.description));
	sa_encode_node(again, &a);
	check(sa_decode_node(again, sizeof(again), &b) == 0);
	check(a.lid == b.lid && a.type == b.type && a.n_ports == b.n_ports &&
	      a.sys_guid == b.sys_guid && a.node_guid == b.node_guid &&
	      a.port_guid == b.port_guid && a.device_id == b.device_id &&
	      a.vendor_id == b.vendor_id && a.port_num == b.port_num &&
	      strcmp(a.description, b.description) == 0);
}

static void port(const uint8_t *record, size_t size)
{
	uint8_t again[SA_PORT_RECORD_SIZE];
	struct sa_port a, b;

	if (sa_decode_port(record, size, &a) < 0)
		return;
	check(size >= 58 && a.state <= 15 && a.lmc <= 7 && a.sm_sl <= 15);
	sa_encode_port(again, &a);
	check(sa_decode_port(again, sizeof(again), &b) == 0);
	check(a.lid == b.lid && a.port_num == b.port_num && a.subnet_prefix == b.subnet_prefix &&
	      a.base_lid == b.base_lid && a.sm_lid == b.sm_lid && a.cap_mask == b.cap_mask &&
	      a.state == b.state && a.lmc == b.lmc && a.sm_sl == b.sm_sl);
}

static void path(const uint8_t *record, size_t size)
{
	uint8_t again[SA_PATH_RECORD_SIZE];
	struct sa_path a, b;

	if (sa_decode_path(record, size, &a) < 0)
		return;
	check(size >= SA_PATH_RECORD_SIZE && a.flow_label <= 0xfffff && a.sl <= 15);
	sa_encode_path(again, &a);
	check(sa_decode_path(again, sizeof(again), &b) == 0);
	check(a.service_id == b.service_id && a.dlid == b.dlid && a.slid == b.slid &&
	      a.raw_traffic == b.raw_traffic && a.flow_label == b.flow_label &&
	      a.hop_limit == b.hop_limit && a.traffic_class == b.traffic_class &&
	      a.reversible == b.reversible && a.n_paths == b.n_paths && a.pkey == b.pkey &&
	      a.sl == b.sl && a.mtu == b.mtu && a.rate == b.rate && a.life_time == b.life_time &&
	      a.preference == b.preference && memcmp(a.dgid, b.dgid, 16) == 0 &&
	      memcmp(a.sgid, b.sgid, 16) == 0);
}

static void table(const uint8_t *mad, size_t len)
{
	const uint8_t *record, *expected = mad + SA_DATA_OFFSET;
	struct sa_table t;
	size_t sum = 0, size;

	if (sa_table_init(&t, mad, len) < 0)
		return;
	check(len >= SA_DATA_OFFSET && t.left <= len - SA_DATA_OFFSET);
	while (sa_table_next(&t, &record, &size)) {
		check(record == expected && size > 0);
		expected += size;
		sum += size;
		check(sum <= len - SA_DATA_OFFSET);
		node(record, size);
		port(record, size);
		path(record, size);
	}
	check(!sa_table_next(&t, &record, &size));
}

static void attributes(const uint8_t *mad, size_t len)
{
	struct mad_dest to = { .gid_index = 1 };
	struct mad_class_port_info info, again;
	uint8_t back[MAD_SIZE];
	struct sa_inform a, b;
	struct sa_header h;

	if (sa_decode_header(mad, len, &h) == 0) {
		check(sa_status_text(h.mad.status) != NULL);
		sa_encode_header(back, &h);
		check(memcmp(back, mad, 4) == 0 && memcmp(back + 36, mad + 36, 10) == 0);
	}
	if (sa_decode_class_port_info(mad, len, &info) == 0) {
		sa_encode_class_port_info(back, &info);
		check(sa_decode_class_port_info(back, MAD_SIZE, &again) == 0);
		check(info.cap_mask == again.cap_mask && info.cap_mask2 == again.cap_mask2 &&
		      info.redirect_qpn == again.redirect_qpn);
		if (mad_dest_redirect(&to, &info, 0) == 0)
			check((to.lid || to.grh) && to.qpn && to.qpn <= 0xffffff);
	}
	if (sa_decode_inform(mad, len, &a) == 0) {
		sa_encode_set_inform(back, &a);
		check(sa_decode_inform(back, MAD_SIZE, &b) == 0);
		check(a.lid_begin == b.lid_begin && a.lid_end == b.lid_end && a.type == b.type &&
		      a.subscribe == b.subscribe && a.trap == b.trap && a.qpn == b.qpn &&
		      a.resp_time == b.resp_time && a.producer == b.producer);
	}
}

static void decode_all(const uint8_t *mad, size_t len)
{
	table(mad, len);
	attributes(mad, len);
	node(mad, len);
	port(mad, len);
	path(mad, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *mad = malloc(size ? size : 1); /* exactly as long as what came */

	if (!mad)
		return 0;
	memcpy(mad, data, size);
	decode_all(mad, size);
	if (size >= SA_DATA_OFFSET) {
		mad[0] = MAD_BASE_VERSION;
		mad[1] = MAD_CLASS_SA;
		mad[2] = SA_CLASS_VERSION;
		mad[3] = mad[3] % 2 ? SA_METHOD_GET_TABLE_RESP : MAD_METHOD_GET_RESP;
		mad[26] |= 1;
		decode_all(mad, size);
	}
	free(mad);
	return 0;
}
