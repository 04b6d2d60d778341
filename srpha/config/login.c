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
