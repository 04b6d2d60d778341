/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"

#include <arpa/inet.h>
#include <byteswap.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Groups of exactly four digits, `groups` of them, separated by colons. */
static int parse_hex_groups(const char *s, unsigned groups, uint8_t *out)
{
	for (unsigned g = 0; g < groups; g++) {
		for (unsigned i = 0; i < 2; i++, s += 2) {
			int hi = hex_digit(s[0]);
			int lo = hi < 0 ? -1 : hex_digit(s[1]);

			if (lo < 0)
				return -EINVAL;
			out[g * 2 + i] = (uint8_t)(hi << 4 | lo);
		}
		if (g + 1 < groups && *s++ != ':')
			return -EINVAL;
	}
	return *s ? -EINVAL : 0;
}

static uint64_t load_be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

int parse_guid(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = 0;

	if (strchr(s, ':')) {
		uint8_t raw[8];
		int r = parse_hex_groups(s, 4, raw);

		if (r < 0)
			return r;
		*ret = load_be64(raw);
		return 0;
	}
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	for (; s[n]; n++) {
		int d = hex_digit(s[n]);

		if (d < 0)
			return -EINVAL;
		if (n == 16)
			return -ERANGE;
		v = v << 4 | (unsigned)d;
	}
	if (n == 0)
		return -EINVAL;
	*ret = v;
	return 0;
}

char *format_guid(uint64_t guid, char buf[static GUID_STR_MAX])
{
	snprintf(buf, GUID_STR_MAX, "%016" PRIx64, guid);
	return buf;
}

int parse_gid(const char *s, uint8_t ret[static 16])
{
	uint8_t raw[16];

	if (strchr(s, ':')) {
		if (inet_pton(AF_INET6, s, raw) != 1)
			return -EINVAL;
	} else {
		if (strlen(s) != 32)
			return -EINVAL;
		for (unsigned i = 0; i < 16; i++) {
			int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

			if (hi < 0 || lo < 0)
				return -EINVAL;
			raw[i] = (uint8_t)(hi << 4 | lo);
		}
	}
	memcpy(ret, raw, sizeof(raw));
	return 0;
}

char *format_gid(const uint8_t gid[static 16], char buf[static GID_STR_MAX])
{
	for (unsigned i = 0; i < 16; i++)
		snprintf(buf + 2 * i, 3, "%02x", gid[i]);
	return buf;
}

uint64_t gid_interface_id(const uint8_t gid[static 16])
{
	return load_be64(gid + 8);
}

uint64_t guid_swap(uint64_t guid)
{
	return bswap_64(guid);
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		int d = hex_digit(*s);

		if (d < 0 || (unsigned)d >= base)
			return -EINVAL;
		if (v > (UINT64_MAX - (unsigned)d) / base)
			return -ERANGE;
		v = v * base + (unsigned)d;
	}
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_usec(const char *s, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = {
		{ "", USEC_PER_SEC },	      { "us", 1 },
		{ "ms", USEC_PER_MSEC },      { "s", USEC_PER_SEC },
		{ "sec", USEC_PER_SEC },      { "min", 60 * USEC_PER_SEC },
		{ "h", 3600 * USEC_PER_SEC },
	};
	const uint64_t usec_max = UINT64_C(100) * 366 * 24 * 3600 * USEC_PER_SEC; /* a century */
	uint64_t whole = 0, fraction = 0, divisor = 1;
	bool digits = false;

	for (; *s >= '0' && *s <= '9'; s++, digits = true) {
		whole = whole * 10 + (unsigned)(*s - '0');
		if (whole > usec_max)
			return -ERANGE;
	}
	if (*s == '.' && digits)
		for (s++, digits = false; *s >= '0' && *s <= '9'; s++, digits = true)
			if (divisor < USEC_PER_SEC) {
				fraction = fraction * 10 + (unsigned)(*s - '0');
				divisor *= 10;
			}
	if (!digits)
		return -EINVAL;
	while (*s == ' ' && s[1]) /* between number and unit only */
		s++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(s, units[i].name) != 0)
			continue;
		if (whole > usec_max / units[i].usec)
			return -ERANGE;
		*ret = whole * units[i].usec + fraction * units[i].usec / divisor;
		return 0;
	}
	return -EINVAL;
}

/* "3min 20s", or "3min" where the smaller part is nothing. */
static void format_two(char *buf, size_t size, uint64_t big, const char *big_unit, uint64_t small,
		       const char *small_unit)
{
	if (small)
		snprintf(buf, size, "%" PRIu64 "%s %" PRIu64 "%s", big, big_unit, small,
			 small_unit);
	else
		snprintf(buf, size, "%" PRIu64 "%s", big, big_unit);
}

char *format_usec(uint64_t usec, char *buf, size_t size)
{
	const uint64_t min = 60 * USEC_PER_SEC, hour = 60 * min, day = 24 * hour;

	if (usec == USEC_INFINITY)
		snprintf(buf, size, "off");
	else if (usec < USEC_PER_MSEC)
		snprintf(buf, size, "%" PRIu64 "us", usec);
	else if (usec < USEC_PER_SEC)
		snprintf(buf, size, "%" PRIu64 "ms", usec / USEC_PER_MSEC);
	else if (usec < min) {
		uint64_t tenths = usec / (USEC_PER_SEC / 10);

		if (tenths % 10)
			snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "s", tenths / 10, tenths % 10);
		else
			snprintf(buf, size, "%" PRIu64 "s", tenths / 10);
	} else if (usec < hour)
		format_two(buf, size, usec / min, "min", usec / USEC_PER_SEC % 60, "s");
	else if (usec < 2 * day)
		format_two(buf, size, usec / hour, "h", usec / min % 60, "min");
	else
		format_two(buf, size, usec / day, "d", usec / hour % 24, "h");
	return buf;
}

int parse_devno(const char *s, uint64_t *ret)
{
	uint64_t part[2] = {};

	for (unsigned i = 0; i < 2; i++) {
		const char *first = s;

		for (; *s >= '0' && *s <= '9' && s - first < 9; s++)
			part[i] = part[i] * 10 + (unsigned)(*s - '0');
		if (s == first || *s != (i == 0 ? ':' : '\0'))
			return -EINVAL;
		s++;
	}
	*ret = part[0] << 32 | part[1];
	return 0;
}

int parse_bool(const char *s, bool *ret)
{
	static const char *const words[][2] = {
		{ "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" }
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (unsigned v = 0; v < 2; v++)
			if (strcasecmp(s, words[i][v]) == 0) {
				*ret = v;
				return 0;
			}
	return -EINVAL;
}

/* The address part of "[address]:port"; `len` without the brackets. */
static int parse_portal6(const char *s, size_t len, uint64_t port, struct portal *ret)
{
	char host[64], *scope;
	struct portal p = { .in6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons((uint16_t)port) } };

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, len);
	host[len] = '\0';
	scope = strchr(host, '%');
	if (scope) {
		*scope++ = '\0';
		p.in6.sin6_scope_id = if_nametoindex(scope);
		if (p.in6.sin6_scope_id == 0) { /* its number, as format_portal() may write it */
			uint64_t index;

			if (parse_u64(scope, 1, INT32_MAX, &index) < 0)
				return -EINVAL;
			p.in6.sin6_scope_id = (uint32_t)index;
		}
	}
	if (inet_pton(AF_INET6, host, &p.in6.sin6_addr) != 1)
		return -EINVAL;
	*ret = p;
	return 0;
}

int parse_portal(const char *s, struct portal *ret)
{
	const char *colon = strrchr(s, ':');
	uint64_t port;
	char host[INET_ADDRSTRLEN];
	struct portal p = { .in = { .sin_family = AF_INET } };
	int r;

	if (!colon)
		return -EINVAL;
	r = parse_u64(colon + 1, 1, 65535, &port);
	if (r < 0)
		return r;
	if (s[0] == '[') {
		if (colon == s + 1 || colon[-1] != ']')
			return -EINVAL;
		return parse_portal6(s + 1, (size_t)(colon - s) - 2, port, ret);
	}
	if ((size_t)(colon - s) >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = '\0';
	if (inet_pton(AF_INET, host, &p.in.sin_addr) != 1)
		return -EINVAL;
	p.in.sin_port = htons((uint16_t)port);
	*ret = p;
	return 0;
}

char *format_portal(const struct portal *p, char buf[static PORTAL_STR_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?", scope[IF_NAMESIZE + 1] = "";

	if (p->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &p->in.sin_addr, host, sizeof(host));
		snprintf(buf, PORTAL_STR_MAX, "%s:%u", host, ntohs(p->in.sin_port));
		return buf;
	}
	inet_ntop(AF_INET6, &p->in6.sin6_addr, host, sizeof(host));
	if (p->in6.sin6_scope_id) {
		scope[0] = '%';
		if (!if_indextoname(p->in6.sin6_scope_id, scope + 1))
			snprintf(scope + 1, sizeof(scope) - 1, "%u", p->in6.sin6_scope_id);
	}
	snprintf(buf, PORTAL_STR_MAX, "[%s%s]:%u", host, scope, ntohs(p->in6.sin6_port));
	return buf;
}

bool portal_equal(const struct portal *a, const struct portal *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->in6.sin6_port == b->in6.sin6_port &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(struct in6_addr)) == 0;
}
