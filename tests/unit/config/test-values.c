/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration without a mistake means: defaults, every key, inheritance, spelling. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/loader.h"

static struct config *load(const char *text)
{
	struct config_errors e = { 0 };
	struct config *c = NULL;
	int r = config_load_text("f", text, strlen(text), &c, &e);

	if (r < 0 || e.n > 0)
		fail_msg("%s\nreturned %d, %s", text, r, e.n > 0 ? e.lines[0] : "-");
	return c;
}

static void test_defaults(void **state)
{
	_cleanup_(config_freep) struct config *c = load("");

	assert_string_equal(c->ports, "*");
	assert_int_equal(c->n_targets, 0);
	assert_true(c->discovery.infiniband);
	assert_true(c->discovery.login);
	assert_string_equal(c->discovery.rules, "/etc/srp_daemon.conf");
	assert_int_equal(c->discovery.window, 32);
	assert_int_equal(c->discovery.window_per_peer, 4);
	assert_int_equal(c->discovery.mad_timeout_usec, 1000000);
	assert_int_equal(c->discovery.mad_retries, 3);
	assert_int_equal(c->discovery.rescan_interval_usec, 60000000);
	assert_int_equal(c->discovery.ageing_time_usec, 300000000);
	assert_int_equal(c->login.initiator_ext_mode, INITIATOR_EXT_TARGET_PORT_GUID);
	assert_int_equal(c->login.login_timeout_usec, 10000000);
	assert_int_equal(c->login.pkey, 0xffff);
	assert_int_equal(c->login.max_sect, LOGIN_UNSET);
	assert_int_equal(c->login.max_cmd_per_lun, LOGIN_UNSET);
	assert_int_equal(c->login.target_can_queue, LOGIN_UNSET);
	assert_int_equal(c->login.io_class, LOGIN_UNSET);
	assert_int_equal(c->login.cmd_sg_entries, LOGIN_UNSET);
	assert_int_equal(c->login.allow_ext_sg, LOGIN_UNSET);
	assert_int_equal(c->login.sg_tablesize, LOGIN_UNSET);
	assert_int_equal(c->login.comp_vector, LOGIN_UNSET);
	assert_int_equal(c->login.tl_retry_count, 2);
	assert_int_equal(c->login.queue_size, LOGIN_UNSET);
	assert_int_equal(c->login.max_it_iu_size, LOGIN_UNSET);
	assert_int_equal(c->login.ch_count, 2);
	assert_int_equal(c->timeouts.fast_io_fail_tmo, 5);
	assert_int_equal(c->timeouts.reconnect_delay, 10);
	assert_int_equal(c->timeouts.dev_loss_tmo, TMO_OFF);
	assert_int_equal(c->failover.probe_interval_usec, 100000);
	assert_int_equal(c->failover.probe_timeout_usec, 0);
	assert_int_equal(c->failover.probe_misses, 3);
	assert_int_equal(c->failover.last_path, LAST_PATH_KEEP);
	assert_false(c->failover.foreign);
	assert_int_equal(c->failover.hold_failures, 5);
	assert_int_equal(c->failover.hold_window_usec, 60000000);
	assert_int_equal(c->failover.hold_time_usec, 30000000);
	assert_int_equal(config_timeouts_verify(&c->timeouts, NULL), 0);
}

/* Every scalar key, once for all and once for a target, at both ends of its range. */
#define LOGIN_KEY(key)                                                                             \
	"login", #key, offsetof(struct config, login.key), offsetof(struct config_target, login.key)
#define TMO_KEY(key)                                                                               \
	"timeouts", #key, offsetof(struct config, timeouts.key),                                   \
		offsetof(struct config_target, timeouts.key)
#define FAILOVER_KEY(key, field)                                                                   \
	"failover", #key, offsetof(struct config, failover.field),                                 \
		offsetof(struct config_target, failover.field)

static const struct key_case {
	const char *section, *name;
	size_t in_config, in_target, size;
	const char *text;
	uint64_t value;
	const char *also; /* another line that makes it valid */
} key_cases[] = {
	{ "login", "login_timeout", offsetof(struct config, login.login_timeout_usec),
	  offsetof(struct config_target, login.login_timeout_usec), 8, "100ms", 100000 },
	{ "login", "login_timeout", offsetof(struct config, login.login_timeout_usec),
	  offsetof(struct config_target, login.login_timeout_usec), 8, "10min", 600000000 },
	{ LOGIN_KEY(pkey), 8, "1", 1 },
	{ LOGIN_KEY(pkey), 8, "0x8001", 0x8001 },
	{ LOGIN_KEY(pkey), 8, "ffff", 0xffff },
	{ LOGIN_KEY(pkey), 8, "kernel", LOGIN_UNSET },
	{ LOGIN_KEY(max_sect), 8, "8", 8 },
	{ LOGIN_KEY(max_sect), 8, "0x400", 1024 },
	{ LOGIN_KEY(max_cmd_per_lun), 8, "32767", 32767 },
	{ LOGIN_KEY(target_can_queue), 8, "2147483647", INT32_MAX },
	{ LOGIN_KEY(io_class), 8, "ff00", 0xff00 },
	{ LOGIN_KEY(io_class), 8, "100", 0x100 },
	{ LOGIN_KEY(io_class), 8, "0100", 0x100 },
	{ LOGIN_KEY(io_class), 8, "kernel", LOGIN_UNSET },
	{ LOGIN_KEY(cmd_sg_entries), 8, "255", 255 },
	{ LOGIN_KEY(allow_ext_sg), 8, "0", 0 },
	{ LOGIN_KEY(allow_ext_sg), 8, "1", 1 },
	{ LOGIN_KEY(sg_tablesize), 8, "2048", 2048 },
	{ LOGIN_KEY(comp_vector), 8, "0", 0 },
	{ LOGIN_KEY(tl_retry_count), 8, "7", 7 },
	{ LOGIN_KEY(tl_retry_count), 8, "kernel", LOGIN_UNSET },
	{ LOGIN_KEY(queue_size), 8, "1", 1 },
	{ LOGIN_KEY(max_it_iu_size), 8, "8260", 8260 },
	{ LOGIN_KEY(ch_count), 8, "1", 1 },
	{ LOGIN_KEY(ch_count), 8, "1024", 1024 },
	{ TMO_KEY(fast_io_fail_tmo), 4, "0", 0 },
	{ TMO_KEY(fast_io_fail_tmo), 4, "600", 600, "reconnect_delay = 601" },
	{ TMO_KEY(fast_io_fail_tmo), 4, "off", UINT32_MAX },
	{ TMO_KEY(reconnect_delay), 4, "1", 1, "fast_io_fail_tmo = 0" },
	{ TMO_KEY(reconnect_delay), 4, "off", UINT32_MAX },
	{ TMO_KEY(dev_loss_tmo), 4, "2147483647", INT32_MAX },
	{ TMO_KEY(dev_loss_tmo), 4, "6", 6 },
	{ FAILOVER_KEY(probe_interval, probe_interval_usec), 8, "10ms", 10000 },
	{ FAILOVER_KEY(probe_interval, probe_interval_usec), 8, "1min", 60000000 },
	{ FAILOVER_KEY(probe_timeout, probe_timeout_usec), 8, "1ms", 1000 },
	{ FAILOVER_KEY(probe_timeout, probe_timeout_usec), 8, "auto", 0 },
	{ FAILOVER_KEY(probe_misses, probe_misses), 8, "100", 100 },
	{ FAILOVER_KEY(last_path, last_path), 4, "fail", LAST_PATH_FAIL },
	{ FAILOVER_KEY(last_path, last_path), 4, "keep", LAST_PATH_KEEP },
	{ FAILOVER_KEY(foreign, foreign), 1, "yes", true },
	{ FAILOVER_KEY(foreign, foreign), 1, "no", false },
	{ FAILOVER_KEY(hold_failures, hold_failures), 8, "0", 0 },
	{ FAILOVER_KEY(hold_window, hold_window_usec), 8, "1.5s", 1500000 },
	{ FAILOVER_KEY(hold_time, hold_time_usec), 8, "24h", UINT64_C(86400000000) },
};

static uint64_t field(const void *base, size_t offset, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, (const char *)base + offset, size); /* little endian, as all we build for */
	return v;
}

static void test_keys(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_cases); i++) {
		const struct key_case *k = &key_cases[i];
		_cleanup_(config_freep) struct config *common = NULL, *own = NULL;
		char text[256];
		uint64_t got[3];

		snprintf(text, sizeof(text), "[target a]\ndest = 1.2.3.4:5\n[%s]\n%s = %s\n%s\n",
			 k->section, k->name, k->text, k->also ? k->also : "");
		common = load(text);
		got[0] = field(common, k->in_config, k->size);
		got[1] = field(&common->targets[0], k->in_target, k->size);
		snprintf(text, sizeof(text), "[target a]\ndest = 1.2.3.4:5\n%s = %s\n%s\n", k->name,
			 k->text, k->also ? k->also : "");
		own = load(text);
		got[2] = field(&own->targets[0], k->in_target, k->size);
		for (unsigned g = 0; g < 3; g++)
			if (got[g] != k->value)
				fail_msg("%s = %s: %" PRIu64 " in place %u", k->name, k->text,
					 got[g], g);
	}
}

#define DISCOVERY_KEY(key, field) "discovery", #key, offsetof(struct config, discovery.field), 0

/* The same for sections that no target has. */
static const struct key_case common_cases[] = {
	{ DISCOVERY_KEY(infiniband, infiniband), 1, "no", false },
	{ DISCOVERY_KEY(infiniband, infiniband), 1, "yes", true },
	{ DISCOVERY_KEY(login, login), 1, "no", false },
	{ DISCOVERY_KEY(login, login), 1, "yes", true },
	{ DISCOVERY_KEY(window, window), 8, "1", 1 },
	{ DISCOVERY_KEY(window, window), 8, "512", 512 },
	{ DISCOVERY_KEY(window_per_peer, window_per_peer), 8, "1", 1 },
	{ DISCOVERY_KEY(window_per_peer, window_per_peer), 8, "64", 64 },
	{ DISCOVERY_KEY(mad_timeout, mad_timeout_usec), 8, "10ms", 10000 },
	{ DISCOVERY_KEY(mad_timeout, mad_timeout_usec), 8, "60s", 60000000 },
	{ DISCOVERY_KEY(mad_retries, mad_retries), 8, "0", 0 },
	{ DISCOVERY_KEY(mad_retries, mad_retries), 8, "15", 15 },
	{ DISCOVERY_KEY(rescan_interval, rescan_interval_usec), 8, "1s", 1000000 },
	{ DISCOVERY_KEY(rescan_interval, rescan_interval_usec), 8, "24h", UINT64_C(86400000000),
	  "ageing_time = 24h" },
	{ DISCOVERY_KEY(rescan_interval, rescan_interval_usec), 8, "off", 0, "ageing_time = 1s" },
	{ DISCOVERY_KEY(ageing_time, ageing_time_usec), 8, "1min", 60000000 },
	{ DISCOVERY_KEY(ageing_time, ageing_time_usec), 8, "24h", UINT64_C(86400000000) },
};

static void test_common_keys(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(common_cases); i++) {
		const struct key_case *k = &common_cases[i];
		_cleanup_(config_freep) struct config *c = NULL;
		char text[256];
		uint64_t got;

		snprintf(text, sizeof(text), "[%s]\n%s = %s\n%s\n", k->section, k->name, k->text,
			 k->also ? k->also : "");
		c = load(text);
		got = field(c, k->in_config, k->size);
		if (got != k->value)
			fail_msg("%s = %s: %" PRIu64, k->name, k->text, got);
	}
}

/* Each key of the table is in a case above, or in the list of those tested by hand. */
static void test_keys_are_all(void **state)
{
	static const char *const by_hand[] = { "ports",	   "initiator_ext", "id_ext",
					       "ioc_guid", "dest",	    "rules",
					       "action",   "dgid",	    "service_id" };

	for (unsigned k = 0; k < config_n_keys; k++) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(key_cases); i++)
			found |= strcmp(config_keys[k].name, key_cases[i].name) == 0;
		for (size_t i = 0; i < ARRAY_SIZE(common_cases); i++)
			found |= strcmp(config_keys[k].name, common_cases[i].name) == 0;
		for (size_t i = 0; i < ARRAY_SIZE(by_hand); i++)
			found |= strcmp(config_keys[k].name, by_hand[i]) == 0;
		if (!found)
			fail_msg("%s is not tested", config_keys[k].name);
	}
}

static void test_initiator_ext(void **state)
{
	static const struct {
		const char *text;
		enum initiator_ext_mode mode;
		uint64_t value;
	} cases[] = {
		{ "target-port-guid", INITIATOR_EXT_TARGET_PORT_GUID, 0 },
		{ "target-port-guid-swapped", INITIATOR_EXT_TARGET_PORT_GUID_SWAPPED, 0 },
		{ "1", INITIATOR_EXT_FIXED, 1 },
		{ "0x0002c90200402bed", INITIATOR_EXT_FIXED, 0x0002c90200402bed },
		{ "0002:c902:0040:2bed", INITIATOR_EXT_FIXED, 0x0002c90200402bed },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(config_freep) struct config *c = NULL;
		char text[256];

		snprintf(text, sizeof(text),
			 "[login]\ninitiator_ext = %s\n[target a]\ndest = 1.2.3.4:5\n"
			 "[target b]\ndest = 1.2.3.5:5\ninitiator_ext = 77\n",
			 cases[i].text);
		c = load(text);
		assert_int_equal(c->login.initiator_ext_mode, cases[i].mode);
		assert_int_equal(c->login.initiator_ext, cases[i].value);
		assert_int_equal(c->targets[0].login.initiator_ext_mode, cases[i].mode);
		assert_int_equal(c->targets[0].login.initiator_ext, cases[i].value);
		assert_int_equal(c->targets[1].login.initiator_ext_mode, INITIATOR_EXT_FIXED);
		assert_int_equal(c->targets[1].login.initiator_ext, 0x77);
	}
}

static void test_targets(void **state)
{
	_cleanup_(config_freep) struct config *c = load("[target lab]\n"
							"dest = 10.0.0.2:5555\n"
							"dest = [FD00::2]:5555\n"
							"fast_io_fail_tmo = 3\n"
							"ch_count = kernel\n"
							"\n"
							"[timeouts]\n"
							"fast_io_fail_tmo = 4\n"
							"[target\t other-1.x_Y ]\n"
							"id_ext = 0x12\n"
							"ioc_guid = 0002:c902:0040:2bed\n"
							"dest = 10.0.0.2:5556\n"
							"ports = mlx5_0:1\n"
							"ports = mlx5_1\n"
							"[login]\n"
							"ch_count = 3\n");
	const struct config_target *lab, *other;

	assert_int_equal(c->n_targets, 2);
	lab = &c->targets[0];
	other = &c->targets[1];
	assert_string_equal(lab->name, "lab");
	assert_string_equal(lab->file, "f");
	assert_int_equal(lab->line, 1);
	assert_false(lab->has_id_ext);
	assert_false(lab->has_ioc_guid);
	assert_null(lab->ports);
	assert_int_equal(lab->n_portals, 2);
	assert_string_equal(lab->portals[0].text, "10.0.0.2:5555");
	assert_int_equal(lab->portals[0].line, 2);
	assert_string_equal(lab->portals[1].text, "[fd00::2]:5555");
	assert_int_equal(lab->portals[1].dest.sa.sa_family, AF_INET6);
	assert_int_equal(lab->timeouts.fast_io_fail_tmo, 3);
	assert_int_equal(lab->login.ch_count, LOGIN_UNSET);

	assert_string_equal(other->name, "other-1.x_Y");
	assert_int_equal(other->line, 9);
	assert_true(other->has_id_ext && other->id_ext == 0x12);
	assert_true(other->has_ioc_guid && other->ioc_guid == 0x0002c90200402bed);
	assert_string_equal(other->ports, "mlx5_0:1 mlx5_1");
	assert_int_equal(other->timeouts.fast_io_fail_tmo, 4);
	assert_int_equal(other->timeouts.reconnect_delay, 10);
	assert_int_equal(other->login.ch_count, 3);
	assert_int_equal(other->login.tl_retry_count, 2);
	assert_int_equal(other->failover.probe_misses, 3);
}

static void test_one_portal_two_iocs(void **state)
{
	_cleanup_(config_freep) struct config *c = load("[target a]\nid_ext = 1\nioc_guid = 7\n"
							"dest = 1.2.3.4:5\n"
							"[target b]\nid_ext = 2\nioc_guid = 7\n"
							"dest = 1.2.3.4:5\n");

	assert_int_equal(c->n_targets, 2);
}

/* However it is written, it says the same. */
static void test_spelling(void **state)
{
	static const char *const texts[] = {
		"[login]\nch_count = 3\n[failover]\nprobe_misses = 7\n",
		"[login]\r\nch_count = 3\r\n[failover]\r\nprobe_misses = 7\r\n",
		"\xef\xbb\xbf[login]\nch_count=3\n[failover]\nprobe_misses=7",
		"  [login]  # x\n\tch_count = 3\n   \t\n  [ failover ] ; y\n    probe_misses = 7",
		("[login] #x\nch_count = 3 # three\n[failover]\nprobe_misses = 7\t; seven ; 7\n"
		 "# probe_misses = 8\n ; probe_misses = 9\n#\xff\xff in Latin-1\n"),
		"[failover]\n[login]\n[failover]\nprobe_misses = 7\n[login]\nch_count = 3\n\n\n",
		/* inih would take an indented line for more of the value above */
		"[login]\nch_count = 3\n    tl_retry_count = 2\n[failover]\nprobe_misses = 7\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(config_freep) struct config *c = NULL;

		c = load(texts[i]);
		assert_int_equal(c->login.ch_count, 3);
		assert_int_equal(c->failover.probe_misses, 7);
		assert_int_equal(c->login.tl_retry_count, 2);
	}
}

static char *read_all(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text = calloc(1, 1 << 16);

	assert_non_null(f);
	assert_non_null(text);
	assert_in_range(fread(text, 1, (1 << 16) - 1, f), 1, (1 << 16) - 2);
	return text;
}

/* The installed file says nothing; its comments are every key with its default. */
static void test_shipped(void **state)
{
	_cleanup_free_ char *text = read_all(SHIPPED_CONF);
	_cleanup_(config_freep) struct config *plain = load(text), *defaults = load(""),
					      *uncommented = NULL;
	char *target = strstr(text, "#[target NAME]"), *rule = strstr(text, "#[rule NAME]");

	assert_int_equal(plain->n_targets, 0);
	assert_int_equal(plain->section_rules.n, 0);
	assert_true(target && rule > target);
	for (unsigned k = 0; k < config_n_keys; k++) {
		const char *from = config_keys[k].section == SECTION_TARGET ? target
				   : config_keys[k].section == SECTION_RULE ? rule
									    : text;
		char line[64];

		snprintf(line, sizeof(line), "\n#%s =", config_keys[k].name);
		if (!strstr(from, line))
			fail_msg("%s is not in %s", config_keys[k].name, SHIPPED_CONF);
	}
	*target = '\0';
	for (char *p = text; (p = strstr(p, "\n#")); p++)
		if (p[2] != ' ' && p[2] != '\n')
			p[1] = ' ';
	assert_non_null(strstr(text, "\n pkey = ffff"));
	uncommented = load(text);
	assert_string_equal(uncommented->ports, defaults->ports);
	assert_string_equal(uncommented->discovery.rules, defaults->discovery.rules);
	assert_memory_equal(&uncommented->discovery, &defaults->discovery,
			    offsetof(struct config_discovery, rules));
	assert_memory_equal(&uncommented->login, &defaults->login, sizeof(defaults->login));
	assert_memory_equal(&uncommented->timeouts, &defaults->timeouts,
			    sizeof(defaults->timeouts));
	for (unsigned k = 0; k < config_n_keys; k++)
		if (config_keys[k].section == SECTION_FAILOVER)
			assert_memory_equal((char *)uncommented + config_keys[k].in_config,
					    (char *)defaults + config_keys[k].in_config,
					    config_keys[k].size);
}

/* The manual has an entry for every key. */
static void test_manual(void **state)
{
	_cleanup_free_ char *text = read_all(MANUAL);

	for (unsigned k = 0; k < config_n_keys; k++) {
		char bi[64], br[64];

		snprintf(bi, sizeof(bi), "\n.BI %s= ", config_keys[k].name);
		snprintf(br, sizeof(br), "\n.BR %s= ", config_keys[k].name);
		if (!strstr(text, bi) && !strstr(text, br))
			fail_msg("%s is not in %s", config_keys[k].name, MANUAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_common_keys),
		cmocka_unit_test(test_keys_are_all),
		cmocka_unit_test(test_initiator_ext),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_one_portal_two_iocs),
		cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
