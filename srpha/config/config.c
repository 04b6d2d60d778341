/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"

#include "config/loader.h"

/*
 * tl_retry_count 2 (of 2..7): ib_srp learns of a dead path from the queue pair alone, after RC
 * timeout x retries; see KERNEL-FACTS: 4-17 s instead of 15-60 s. ch_count 2: the kernel's default
 * of four channels per NUMA node exhausts small targets ("REJ reason 0x3"), one leaves bandwidth.
 * fast_io_fail_tmo below reconnect_delay: a reconnect attempt holds the mutex fast-fail needs.
 * dev_loss_tmo off: the host of a dead target stays, and with it the path's identity.
 * rescan_interval: what the distribution's unit of srp_daemon says (-R 60); ageing_time: five of them.
 */
void config_defaults(struct config *c)
{
	*c = (struct config){
		.discovery = {
			.infiniband = true,
			.login = true,
			.window = 32,
			.window_per_peer = 4,
			.mad_timeout_usec = 1 * USEC_PER_SEC,
			.mad_retries = 3,
			.rescan_interval_usec = 60 * USEC_PER_SEC,
			.ageing_time_usec = 300 * USEC_PER_SEC,
		},
		.login = {
			.initiator_ext_mode = INITIATOR_EXT_TARGET_PORT_GUID,
			.login_timeout_usec = 10 * USEC_PER_SEC,
			.pkey = 0xffff,
			.max_sect = LOGIN_UNSET,
			.max_cmd_per_lun = LOGIN_UNSET,
			.target_can_queue = LOGIN_UNSET,
			.io_class = LOGIN_UNSET,
			.cmd_sg_entries = LOGIN_UNSET,
			.allow_ext_sg = LOGIN_UNSET,
			.sg_tablesize = LOGIN_UNSET,
			.comp_vector = LOGIN_UNSET,
			.tl_retry_count = 2,
			.queue_size = LOGIN_UNSET,
			.max_it_iu_size = LOGIN_UNSET,
			.ch_count = 2,
		},
		.timeouts = {
			.fast_io_fail_tmo = 5,
			.reconnect_delay = 10,
			.dev_loss_tmo = TMO_OFF,
		},
		.failover = {
			.probe_interval_usec = 100 * USEC_PER_MSEC,
			.probe_timeout_usec = 0,
			.probe_misses = 3,
			.last_path = LAST_PATH_KEEP,
			.foreign = false,
			.hold_failures = 5,
			.hold_window_usec = 60 * USEC_PER_SEC,
			.hold_time_usec = 30 * USEC_PER_SEC,
		},
	};
}

void config_rule_clear(struct config_rule *r)
{
	free(r->name);
	free(r->options);
	free(r->login);
}

static void rules_clear(struct config_rules *rules)
{
	for (unsigned i = 0; i < rules->n; i++)
		config_rule_clear(&rules->list[i]);
	free(rules->list);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n_targets; i++) {
		free(c->targets[i].file);
		free(c->targets[i].ports);
	}
	free(c->targets);
	rules_clear(&c->section_rules);
	rules_clear(&c->file_rules);
	free(c->ports);
	free(c->discovery.rules);
	free(c);
}

char *config_format_tmo(int tmo, char buf[static 16])
{
	if (tmo < 0)
		snprintf(buf, 16, "off");
	else
		snprintf(buf, 16, "%d", tmo);
	return buf;
}
