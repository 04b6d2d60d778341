/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text to number and back for the field's own notations: GUID, GID, time spans, IP portals. Pure.
 * Every parser takes the whole string or nothing: 0, or -EINVAL (malformed) or -ERANGE (out of
 * range), and leaves *ret untouched on error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

/* No limit, "off" or "never", depending on the field. */
#define USEC_INFINITY UINT64_MAX

/* A GUID: 1 to 16 hexadecimal digits, "0x" allowed; or the xxxx:xxxx:xxxx:xxxx form of sysfs. */
int parse_guid(const char *s, uint64_t *ret);

/* Exactly 16 lower-case digits and a NUL. */
#define GUID_STR_MAX 17
char *format_guid(uint64_t guid, char buf[static GUID_STR_MAX]);

/* A GID: 32 hexadecimal digits, the sysfs form with seven colons, or an IPv6 address text. */
int parse_gid(const char *s, uint8_t ret[static 16]);

/* Exactly 32 lower-case digits, as add_target's dgid wants them, and a NUL. */
#define GID_STR_MAX 33
char *format_gid(const uint8_t gid[static 16], char buf[static GID_STR_MAX]);

/* The interface identifier (last 64 bits) of a GID: the port GUID where the GID is an EUI-64 one. */
uint64_t gid_interface_id(const uint8_t gid[static 16]);

/* Byte order of a GUID turned round: the OFED manual's initiator_ext convention. */
uint64_t guid_swap(uint64_t guid);

/* A decimal (or 0x hexadecimal) number in [min, max]; no sign, no blanks. */
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

/* A time span: number with unit us, ms, s, min, h; no unit means seconds. Fractions allowed. */
int parse_usec(const char *s, uint64_t *ret);

/* A short form of a time span such as "350ms", "2.5s", "3min": at least 32 bytes in buf. */
char *format_usec(uint64_t usec, char *buf, size_t size);

/* A device number as the kernel writes it, "8:16": major << 32 | minor. */
int parse_devno(const char *s, uint64_t *ret);

/* yes/no/true/false/on/off/1/0. */
int parse_bool(const char *s, bool *ret);

/* An IP portal, "10.0.0.2:5555" or "[fd00::2]:5555" (an interface scope, %eth0 or its index, is allowed). */
struct portal {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};
int parse_portal(const char *s, struct portal *ret);

/* The canonical text of a portal, as add_target's dest wants it. */
#define PORTAL_STR_MAX 80
char *format_portal(const struct portal *p, char buf[static PORTAL_STR_MAX]);

bool portal_equal(const struct portal *a, const struct portal *b);
