/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libibverbs: names for numbers. */
#include <infiniband/verbs.h>

int ibv_rate_to_mult(enum ibv_rate rate)
{
	return -1;
}

enum ibv_rate mult_to_ibv_rate(int mult)
{
	return IBV_RATE_MAX;
}

const char *ibv_node_type_str(enum ibv_node_type node_type)
{
	return node_type == IBV_NODE_CA ? "InfiniBand channel adapter" : "unknown";
}

const char *ibv_port_state_str(enum ibv_port_state port_state)
{
	static const char *const names[] = { "no state change (NOP)", "down", "init", "armed",
					     "active" };

	return (unsigned)port_state < 5 ? names[port_state] : "unknown";
}

const char *ibv_wc_status_str(enum ibv_wc_status status)
{
	return status == IBV_WC_SUCCESS ? "success" : "error";
}

const char *ibv_event_type_str(enum ibv_event_type event)
{
	switch ((int)event) {
	case IBV_EVENT_DEVICE_FATAL:
		return "local catastrophic error";
	case IBV_EVENT_PORT_ACTIVE:
		return "port active";
	case IBV_EVENT_PORT_ERR:
		return "port error";
	case IBV_EVENT_LID_CHANGE:
		return "LID change";
	case IBV_EVENT_PKEY_CHANGE:
		return "P_Key change";
	case IBV_EVENT_SM_CHANGE:
		return "SM change";
	case IBV_EVENT_CLIENT_REREGISTER:
		return "client reregistration";
	case IBV_EVENT_GID_CHANGE:
		return "GID table change";
	default:
		return "unknown";
	}
}
