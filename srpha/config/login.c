/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/login.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct text {
	char *buf;
	size_t size, len;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->size - t->len)
		t->full = true;
	else
		t->len += (size_t)n;
}

/*
 * In the order of sending. max_cmd_per_lun must stand before queue_size, which would overwrite it.
 * max_it_iu_size is last: a kernel that does not know an option stops reading there.
 */
static const struct {
	const char *name;
	size_t offset;
	bool hex;
} options[] = {
	{ "max_sect", offsetof(struct config_login, max_sect), false },
	{ "max_cmd_per_lun", offsetof(struct config_login, max_cmd_per_lun), false },
	{ "target_can_queue", offsetof(struct config_login, target_can_queue), false },
	{ "io_class", offsetof(struct config_login, io_class), true },
	{ "cmd_sg_entries", offsetof(struct config_login, cmd_sg_entries), false },
	{ "allow_ext_sg", offsetof(struct config_login, allow_ext_sg), false },
	{ "sg_tablesize", offsetof(struct config_login, sg_tablesize), false },
	{ "comp_vector", offsetof(struct config_login, comp_vector), false },
	{ "tl_retry_count", offsetof(struct config_login, tl_retry_count), false },
	{ "queue_size", offsetof(struct config_login, queue_size), false },
	{ "ch_count", offsetof(struct config_login, ch_count), false },
	{ "max_it_iu_size", offsetof(struct config_login, max_it_iu_size), false },
};

static void append_options(struct text *t, const struct config_login *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		uint64_t value;

		memcpy(&value, (const char *)l + options[i].offset, sizeof(value));
		if (value == LOGIN_UNSET)
			continue;
		if (options[i].hex)
			append(t, ",%s=%04" PRIx64, options[i].name, value);
		else
			append(t, ",%s=%" PRIu64, options[i].name, value);
	}
}

int login_format_options(const struct config_login *l, char *buf, size_t size)
{
	struct text t = { .buf = buf, .size = size };

	append(&t, "%s", "");
	append_options(&t, l);
	return t.full ? -ENOBUFS : 0;
}

int login_format(const struct config_login *l, uint64_t id_ext, uint64_t ioc_guid,
		 uint64_t initiator_ext, const char *dest, const uint8_t *dgid, uint64_t service_id,
		 char *buf, size_t size)
{
	struct text t = { .buf = buf, .size = size < LOGIN_STR_MAX ? size : LOGIN_STR_MAX };
	char gid[GID_STR_MAX];

	if (!dest == !dgid || (dgid && l->pkey == LOGIN_UNSET))
		return -EINVAL;
	if (dest && (!*dest || strpbrk(dest, ", \t\r\n")))
		return -EINVAL;
	append(&t, "id_ext=%016" PRIx64 ",ioc_guid=%016" PRIx64, id_ext, ioc_guid);
	if (dest)
		append(&t, ",dest=%s", dest);
	else
		append(&t, ",dgid=%s", format_gid(dgid, gid));
	if (l->pkey != LOGIN_UNSET)
		append(&t, ",pkey=%04" PRIx64, l->pkey);
	if (dgid)
		append(&t, ",service_id=%016" PRIx64, service_id);
	append(&t, ",initiator_ext=%016" PRIx64, initiator_ext);
	append_options(&t, l);
	return t.full ? -ENOBUFS : 0;
}

/* SRP revision 16A, what ib_srp takes for granted */
#define IO_CLASS_DEFAULT 0x0100

struct config_login login_for_offer(const struct config_login *l, const struct offer *o,
				    uint32_t max_imm_data)
{
	struct config_login login = *l;

	login.pkey = o->pkey;
	if (login.io_class == LOGIN_UNSET && o->io_class != IO_CLASS_DEFAULT)
		login.io_class = o->io_class;
	if (login.max_it_iu_size == LOGIN_UNSET && max_imm_data > o->send_size)
		login.max_it_iu_size = o->send_size;
	return login;
}

/*
 * srp_daemon passes on the digits of the service's name as they stand, capitals and all: up to 16
 * bytes that are not white space, after white space (scanf's "%16s").
 */
static void append_id_ext(struct text *t, const struct offer *o)
{
	static const char prefix[] = "SRP.T10:", space[] = " \t\n\v\f\r";
	const char *id = o->service_name;
	size_t len;

	if (strncmp(id, prefix, strlen(prefix)) == 0) {
		id += strlen(prefix);
		id += strspn(id, space);
		len = strcspn(id, space);
		if (len > 0) {
			append(t, "id_ext=%.*s", len < 16 ? (int)len : 16, id);
			return;
		}
	}
	append(t, "id_ext=%016" PRIx64, o->id_ext);
}

/* Whether ",name=" is among the options. */
static bool has_option(const char *list, const char *name)
{
	char word[32];

	snprintf(word, sizeof(word), ",%s=", name);
	return strstr(list, word);
}

int offer_connection(const struct offer *o, const struct connection_parts *parts, char *buf,
		     size_t size)
{
	struct text t = { .buf = buf, .size = size };
	const char *own = parts->options ? parts->options : "";
	char gid[GID_STR_MAX];

	append_id_ext(&t, o);
	append(&t, ",ioc_guid=%016" PRIx64 ",dgid=%s,pkey=%04x,service_id=%016" PRIx64, o->ioc_guid,
	       format_gid(o->gid, gid), o->pkey, o->service_id);
	if (o->io_class != IO_CLASS_DEFAULT && !has_option(own, "io_class"))
		append(&t, ",io_class=%04x", o->io_class);
	if (parts->initiator_ext)
		append(&t, ",initiator_ext=%016" PRIx64, parts->initiator_ext_value);
	append(&t, "%s", own);
	if (parts->max_imm_data > o->send_size && !has_option(own, "max_it_iu_size"))
		append(&t, ",max_it_iu_size=%" PRIu32, o->send_size);
	return t.full ? -ENOBUFS : 0;
}
