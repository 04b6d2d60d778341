/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libibumad: names for numbers, for messages of the tools. */
#include <arpa/inet.h>
#include <infiniband/umad_str.h>
#include <infiniband/umad_types.h>

const char *umad_class_str(uint8_t mgmt_class)
{
	switch (mgmt_class) {
	case 0x01:
		return "Subn";
	case 0x81:
		return "SubnDirectedRoute";
	case 0x03:
		return "SubnAdm";
	case 0x04:
		return "Perf";
	case 0x05:
		return "BM";
	case 0x06:
		return "DevMgt";
	case 0x07:
		return "ComMgt";
	case 0x08:
		return "SNMP";
	case 0x21:
		return "CC";
	default:
		return "<unknown>";
	}
}

const char *umad_method_str(uint8_t mgmt_class, uint8_t method)
{
	switch (method) {
	case 0x01:
		return "Get";
	case 0x02:
		return "Set";
	case 0x03:
		return "Send";
	case 0x05:
		return "Trap";
	case 0x06:
		return "Report";
	case 0x07:
		return "TrapRepress";
	case 0x12:
		return "GetTable";
	case 0x15:
		return "Delete";
	case 0x81:
		return "GetResp";
	case 0x86:
		return "ReportResp";
	case 0x92:
		return "GetTableResp";
	case 0x95:
		return "DeleteResp";
	default:
		return "<unknown>";
	}
}

const char *umad_attribute_str(uint8_t mgmt_class, __be16 attr_id)
{
	switch (ntohs(attr_id)) {
	case 0x01:
		return "ClassPortInfo";
	case 0x02:
		return "Notice";
	case 0x03:
		return "InformInfo";
	default:
		return "<unknown>";
	}
}

const char *umad_common_mad_status_str(__be16 status)
{
	unsigned s = ntohs(status);

	if (s & 1)
		return "Busy";
	if (s & 2)
		return "Redirection required";
	switch (s >> 2 & 7) {
	case 1:
		return "Bad version";
	case 2:
		return "Method not supported";
	case 3:
		return "Method / attribute combination not supported";
	case 7:
		return "Invalid attribute / modifier value";
	default:
		return s & 0x1c ? "<unknown>" : "Success";
	}
}

const char *umad_sa_mad_status_str(__be16 status)
{
	static const char *const names[] = {
		"Success",	     "No resources", "Request invalid",		"No records",
		"Too many records",  "Invalid GID",  "Insufficient components", "Request denied",
		"Priority suggested"
	};
	unsigned s = ntohs(status) >> 8;

	return s < sizeof(names) / sizeof(names[0]) ? names[s] : "<unknown>";
}
