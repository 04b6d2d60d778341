/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "config/loader.h"
#include "config/ports.h"

#define SHARED_RULE(key, kind, section_id, part, in_rule, min, max)                                \
	{                                                                                          \
#key, SECTION_##section_id, KEY_##kind, min, max, offsetof(struct config, part),   \
			offsetof(struct config_target, part), in_rule,                             \
			sizeof(((struct config *)NULL)->part)                                      \
	}
#define SHARED(key, kind, section_id, part, min, max)                                              \
	SHARED_RULE(key, kind, section_id, part, 0, min, max)
#define LOGIN(key, kind, min, max)                                                                 \
	SHARED_RULE(key, kind, LOGIN, login.key, offsetof(struct rule_draft, login.key), min, max)
#define TMO(key, min, max) SHARED(key, TMO, TIMEOUTS, timeouts.key, min, max)
#define FAILOVER(key, field, kind, min, max) SHARED(key, kind, FAILOVER, failover.field, min, max)
#define DISCOVERY(key, field, kind, min, max)                                                      \
	{                                                                                          \
#key, SECTION_DISCOVERY, KEY_##kind, min, max,                                     \
			offsetof(struct config, discovery.field), 0, 0,                            \
			sizeof(((struct config *)NULL)->discovery.field)                           \
	}
#define TARGET(key, kind)                                                                          \
	{                                                                                          \
#key, SECTION_TARGET, KEY_##kind, 0, 0, 0, offsetof(struct config_target, key), 0, \
			sizeof(((struct config_target *)NULL)->key)                                \
	}

#define RULE(key, field, kind, min, max)                                                           \
	{                                                                                          \
#key, SECTION_RULE, KEY_##kind, min, max, 0, 0,                                    \
			offsetof(struct rule_draft, rule.field),                                   \
			sizeof(((struct config_rule *)NULL)->field)                                \
	}

#define MSEC USEC_PER_MSEC
#define SEC USEC_PER_SEC
#define DAY (24 * 3600 * SEC)

/* cmd_per_lun of struct Scsi_Host is a short, and queue_size is stored there, too. */
#define QUEUE_MAX SHRT_MAX
/* Below, the block layer warns and corrects (BLK_MIN_SEGMENT_SIZE, one page). */
#define SECT_MIN 8
/* SCSI_DEVICE_BLOCK_MAX_TIMEOUT */
#define FAST_IO_FAIL_MAX 600

/* Both fields of initiator_ext are one value: set and inherited together. */
struct initiator_ext {
	enum initiator_ext_mode mode;
	uint64_t value;
};
_Static_assert(offsetof(struct config_login, initiator_ext) -
			       offsetof(struct config_login, initiator_ext_mode) ==
		       offsetof(struct initiator_ext, value),
	       "mode and value of initiator_ext stand together");

/* Ranges of [login]: srp_parse_options() in drivers/infiniband/ulp/srp/ib_srp.c. */
const struct config_key config_keys[] = {
	{ "ports", SECTION_DISCOVERY, KEY_PORTS, 0, 0, offsetof(struct config, ports), 0, 0,
	  sizeof(char *) },
	DISCOVERY(infiniband, infiniband, BOOL, 0, 0),
	DISCOVERY(login, login, BOOL, 0, 0),
	DISCOVERY(window, window, NUMBER, 1, 512),
	DISCOVERY(window_per_peer, window_per_peer, NUMBER, 1, 64),
	DISCOVERY(mad_timeout, mad_timeout_usec, TIME, 10 * MSEC, 60 * SEC),
	DISCOVERY(mad_retries, mad_retries, NUMBER, 0, 15),
	DISCOVERY(rescan_interval, rescan_interval_usec, TIME_OFF, 1 * SEC, DAY),
	DISCOVERY(ageing_time, ageing_time_usec, TIME, 1 * SEC, DAY),
	DISCOVERY(rules, rules, FILE, 0, 0),

	{ "initiator_ext", SECTION_LOGIN, KEY_INITIATOR_EXT, 0, 0,
	  offsetof(struct config, login.initiator_ext_mode),
	  offsetof(struct config_target, login.initiator_ext_mode),
	  offsetof(struct rule_draft, login.initiator_ext_mode), sizeof(struct initiator_ext) },
	SHARED_RULE(login_timeout, TIME, LOGIN, login.login_timeout_usec,
		    offsetof(struct rule_draft, login.login_timeout_usec), 100 * MSEC, 600 * SEC),
	SHARED(pkey, OPTION_HEX, LOGIN, login.pkey, 1, 0xffff),
	LOGIN(max_sect, OPTION, SECT_MIN, INT_MAX),
	LOGIN(max_cmd_per_lun, OPTION, 1, QUEUE_MAX),
	LOGIN(target_can_queue, OPTION, 1, INT_MAX),
	LOGIN(io_class, IO_CLASS, 0, 0),
	LOGIN(cmd_sg_entries, OPTION, 1, 255),
	LOGIN(allow_ext_sg, OPTION, 0, 1),
	LOGIN(sg_tablesize, OPTION, 1, 2048),
	LOGIN(comp_vector, OPTION, 0, INT_MAX),
	LOGIN(tl_retry_count, OPTION, 2, 7),
	LOGIN(queue_size, OPTION, 1, QUEUE_MAX),
	LOGIN(max_it_iu_size, OPTION, 0, INT_MAX),
	LOGIN(ch_count, OPTION, 1, 1024),

	TMO(fast_io_fail_tmo, 0, FAST_IO_FAIL_MAX),
	TMO(reconnect_delay, 1, INT_MAX),
	TMO(dev_loss_tmo, 1, INT_MAX),

	FAILOVER(probe_interval, probe_interval_usec, TIME, 10 * MSEC, 60 * SEC),
	FAILOVER(probe_timeout, probe_timeout_usec, TIME_AUTO, 1 * MSEC, 60 * SEC),
	FAILOVER(probe_misses, probe_misses, NUMBER, 1, 100),
	FAILOVER(last_path, last_path, LAST_PATH, 0, 0),
	FAILOVER(foreign, foreign, BOOL, 0, 0),
	FAILOVER(hold_failures, hold_failures, NUMBER, 0, 16),
	FAILOVER(hold_window, hold_window_usec, TIME, 1 * SEC, DAY),
	FAILOVER(hold_time, hold_time_usec, TIME, 1 * SEC, DAY),

	TARGET(id_ext, GUID),
	TARGET(ioc_guid, GUID),
	TARGET(ports, PORTS),
	{ "dest", SECTION_TARGET, KEY_DEST, 0, 0, 0, 0, 0, 0 },

	RULE(action, allow, ACTION, 0, 0),
	RULE(id_ext, id_ext, GUID, 0, 0),
	RULE(ioc_guid, ioc_guid, GUID, 0, 0),
	RULE(dgid, dgid, GID, 0, 0),
	RULE(service_id, service_id, GUID, 0, 0),
	RULE(pkey, pkey, HEX, 1, 0xffff),
};
const unsigned config_n_keys = ARRAY_SIZE(config_keys);
_Static_assert(ARRAY_SIZE(config_keys) <= CONFIG_KEYS_MAX, "raise CONFIG_KEYS_MAX");

const char *config_section_name(enum config_section s)
{
	switch (s) {
	case SECTION_NONE:
	case SECTION_UNKNOWN:
		break;
	case SECTION_DISCOVERY:
		return "discovery";
	case SECTION_LOGIN:
		return "login";
	case SECTION_TIMEOUTS:
		return "timeouts";
	case SECTION_FAILOVER:
		return "failover";
	case SECTION_TARGET:
		return "target";
	case SECTION_RULE:
		return "rule";
	}
	return "";
}

bool config_key_belongs(const struct config_key *key, enum config_section section)
{
	return key->section == section ||
	       (section == SECTION_TARGET &&
		(key->section == SECTION_LOGIN || key->section == SECTION_TIMEOUTS ||
		 key->section == SECTION_FAILOVER)) ||
	       (section == SECTION_RULE && key->in_rule > 0);
}

const struct config_key *config_key_find(const char *name, enum config_section section)
{
	for (unsigned i = 0; i < config_n_keys; i++)
		if (strcmp(config_keys[i].name, name) == 0 &&
		    config_key_belongs(&config_keys[i], section))
			return &config_keys[i];
	return NULL;
}

static int parse_option(const struct config_key *key, const char *value, uint64_t *ret)
{
	uint64_t v;
	int r;

	if (key->kind != KEY_HEX && strcmp(value, "kernel") == 0) {
		*ret = LOGIN_UNSET;
		return 0;
	}
	if (key->kind == KEY_OPTION)
		return parse_u64(value, key->min, key->max, ret);
	r = strchr(value, ':') ? -EINVAL : parse_guid(value, &v); /* digits without a colon */
	if (r < 0)
		return r;
	if (key->kind == KEY_IO_CLASS ? v != 0xff00 && v != 0x0100 : v < key->min || v > key->max)
		return -ERANGE;
	*ret = v;
	return 0;
}

static int parse_time(const struct config_key *key, const char *value, uint64_t *ret)
{
	uint64_t v;
	int r;

	if ((key->kind == KEY_TIME_AUTO && strcmp(value, "auto") == 0) ||
	    (key->kind == KEY_TIME_OFF && strcmp(value, "off") == 0)) {
		*ret = 0;
		return 0;
	}
	r = parse_usec(value, &v);
	if (r < 0)
		return r;
	if (v < key->min || v > key->max)
		return -ERANGE;
	*ret = v;
	return 0;
}

static int parse_tmo(const struct config_key *key, const char *value, int *ret)
{
	uint64_t v;
	int r;

	if (strcmp(value, "off") == 0) {
		*ret = TMO_OFF;
		return 0;
	}
	r = parse_u64(value, key->min, key->max, &v);
	if (r < 0)
		return r;
	*ret = (int)v;
	return 0;
}

static int parse_initiator_ext(const char *value, void *field)
{
	struct initiator_ext v = { 0 };
	int r;

	if (strcmp(value, "target-port-guid") == 0)
		v.mode = INITIATOR_EXT_TARGET_PORT_GUID;
	else if (strcmp(value, "target-port-guid-swapped") == 0)
		v.mode = INITIATOR_EXT_TARGET_PORT_GUID_SWAPPED;
	else {
		v.mode = INITIATOR_EXT_FIXED;
		r = parse_guid(value, &v.value);
		if (r < 0)
			return r;
	}
	memcpy(field, &v, sizeof(v));
	return 0;
}

static int parse_last_path(const char *value, enum last_path_policy *ret)
{
	if (strcmp(value, "keep") == 0)
		*ret = LAST_PATH_KEEP;
	else if (strcmp(value, "fail") == 0)
		*ret = LAST_PATH_FAIL;
	else
		return -EINVAL;
	return 0;
}

static int parse_action(const char *value, bool *ret_allow)
{
	bool allow = strcmp(value, "allow") == 0;

	if (!allow && strcmp(value, "deny") != 0)
		return -EINVAL;
	*ret_allow = allow;
	return 0;
}

/* Adds to what the field holds. */
static int parse_ports(const char *value, char **field)
{
	_cleanup_free_ char *all = NULL;
	int r = ports_verify(value);

	if (r < 0)
		return r;
	if (asprintf(&all, "%s%s%s", *field ? *field : "", *field ? " " : "", value) < 0) {
		all = NULL;
		return -ENOMEM;
	}
	r = ports_verify(all);
	if (r < 0)
		return r;
	free(*field);
	*field = TAKE_PTR(all);
	return 0;
}

static int parse_file(const char *value, char **field)
{
	char *copy;

	if (*value != '/' && strcmp(value, "none") != 0)
		return -EINVAL;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

int config_key_parse(const struct config_key *key, const char *value, void *field)
{
	switch (key->kind) {
	case KEY_NUMBER:
		return parse_u64(value, key->min, key->max, field);
	case KEY_OPTION:
	case KEY_OPTION_HEX:
	case KEY_HEX:
	case KEY_IO_CLASS:
		return parse_option(key, value, field);
	case KEY_TIME:
	case KEY_TIME_AUTO:
	case KEY_TIME_OFF:
		return parse_time(key, value, field);
	case KEY_TMO:
		return parse_tmo(key, value, field);
	case KEY_BOOL:
		return parse_bool(value, field);
	case KEY_GUID:
		return parse_guid(value, field);
	case KEY_GID:
		return parse_gid(value, field);
	case KEY_ACTION:
		return parse_action(value, field);
	case KEY_INITIATOR_EXT:
		return parse_initiator_ext(value, field);
	case KEY_LAST_PATH:
		return parse_last_path(value, field);
	case KEY_PORTS:
		return parse_ports(value, field);
	case KEY_FILE:
		return parse_file(value, field);
	case KEY_DEST:
		break;
	}
	return -EINVAL;
}

static void expect_time(const struct config_key *key, const char *also,
			char buf[static CONFIG_EXPECTED_MAX])
{
	char min[32], max[32];

	snprintf(buf, CONFIG_EXPECTED_MAX, "a time from %s to %s, such as \"250ms\" or \"10s\"%s",
		 format_usec(key->min, min, sizeof(min)), format_usec(key->max, max, sizeof(max)),
		 also);
}

char *config_key_expected(const struct config_key *key, char buf[static CONFIG_EXPECTED_MAX])
{
	const char *text = NULL;

	switch (key->kind) {
	case KEY_NUMBER:
		snprintf(buf, CONFIG_EXPECTED_MAX, "%" PRIu64 "..%" PRIu64, key->min, key->max);
		break;
	case KEY_OPTION:
		snprintf(buf, CONFIG_EXPECTED_MAX, "%" PRIu64 "..%" PRIu64 " or \"kernel\"",
			 key->min, key->max);
		break;
	case KEY_OPTION_HEX:
		snprintf(buf, CONFIG_EXPECTED_MAX,
			 "hexadecimal %" PRIx64 "..%" PRIx64 " or \"kernel\"", key->min, key->max);
		break;
	case KEY_HEX:
		snprintf(buf, CONFIG_EXPECTED_MAX, "hexadecimal %" PRIx64 "..%" PRIx64, key->min,
			 key->max);
		break;
	case KEY_TMO:
		snprintf(buf, CONFIG_EXPECTED_MAX, "%" PRIu64 "..%" PRIu64 " seconds or \"off\"",
			 key->min, key->max);
		break;
	case KEY_TIME:
		expect_time(key, "", buf);
		break;
	case KEY_TIME_AUTO:
		expect_time(key, ", or \"auto\"", buf);
		break;
	case KEY_TIME_OFF:
		expect_time(key, ", or \"off\"", buf);
		break;
	case KEY_IO_CLASS:
		text = "\"ff00\", \"0100\" or \"kernel\"";
		break;
	case KEY_BOOL:
		text = "\"yes\" or \"no\"";
		break;
	case KEY_GUID:
		text = "1 to 16 hexadecimal digits";
		break;
	case KEY_GID:
		text = "32 hexadecimal digits, or an IPv6 address";
		break;
	case KEY_ACTION:
		text = "\"allow\" or \"deny\"";
		break;
	case KEY_INITIATOR_EXT:
		text = "\"target-port-guid\", \"target-port-guid-swapped\" or 1 to 16 hexadecimal "
		       "digits";
		break;
	case KEY_LAST_PATH:
		text = "\"keep\" or \"fail\"";
		break;
	case KEY_PORTS:
		text = "globs of DEVICE or DEVICE:PORT between blanks, such as \"mlx5_*:1 "
		       "!mlx4_0\"";
		break;
	case KEY_FILE:
		text = "an absolute path or \"none\"";
		break;
	case KEY_DEST:
		text = "ADDRESS:PORT, such as \"10.0.0.2:5555\" or \"[fd00::2]:5555\"";
		break;
	}
	if (text)
		snprintf(buf, CONFIG_EXPECTED_MAX, "%s", text);
	return buf;
}

static size_t place_in_login(const struct config_key *key)
{
	return key->in_config - offsetof(struct config, login);
}

void config_key_set(struct config_login *l, const struct config_key *key, const void *value)
{
	memcpy((char *)l + place_in_login(key), value, key->size);
}

void config_key_copy(struct config_login *to, const struct config_login *from,
		     const struct config_key *key)
{
	config_key_set(to, key, (const char *)from + place_in_login(key));
}
