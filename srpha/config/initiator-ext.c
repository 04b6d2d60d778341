/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/initiator-ext.h"

uint64_t initiator_ext_of(const struct config_login *l, uint64_t port_guid)
{
	switch (l->initiator_ext_mode) {
	case INITIATOR_EXT_FIXED:
		return l->initiator_ext;
	case INITIATOR_EXT_TARGET_PORT_GUID_SWAPPED:
		return guid_swap(port_guid);
	case INITIATOR_EXT_TARGET_PORT_GUID:
		break;
	}
	return port_guid;
}

bool initiator_ext_recognised(const struct config_login *l, uint64_t port_guid, uint64_t value)
{
	return value == 0 || value == port_guid || value == guid_swap(port_guid) ||
	       (l && l->initiator_ext_mode == INITIATOR_EXT_FIXED && value == l->initiator_ext);
}
