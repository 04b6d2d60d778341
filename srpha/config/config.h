/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: what the administrator wants, as read from srpha.conf and its drop-ins, all
 * or nothing. A `struct config` is immutable once loaded. This module reads files and compares
 * values; it never looks at the system (but for the interface a "%scope" of a portal names), never
 * logs, never applies anything. The format is man/srpha.conf.5; the keys are in keys.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define CONFIG_TARGETS_MAX 256
#define CONFIG_PORTALS_MAX 16 /* per target */
#define CONFIG_PORTALS_ALL_MAX 512
#define CONFIG_PORT_GLOBS_MAX 64
#define CONFIG_RULE_SECTIONS_MAX 256
#define CONFIG_FILE_RULES_MAX 16384
#define CONFIG_ERRORS_MAX 64 /* the rest is counted, not listed */

/* A timeout of srp_remote_ports: seconds, or off. */
#define TMO_OFF (-1)

enum initiator_ext_mode {
	INITIATOR_EXT_TARGET_PORT_GUID,		/* the target port's GUID as its GID shows it */
	INITIATOR_EXT_TARGET_PORT_GUID_SWAPPED, /* the same with its bytes turned round */
	INITIATOR_EXT_FIXED,
};

/*
 * [login]: the parameters of add_target. LOGIN_UNSET means "do not send it": the kernel's own
 * default, "kernel" in the file. Ranges: srp_parse_options() of drivers/infiniband/ulp/srp/ib_srp.c.
 */
#define LOGIN_UNSET UINT64_MAX
struct config_login {
	enum initiator_ext_mode initiator_ext_mode;
	uint64_t initiator_ext;	     /* for INITIATOR_EXT_FIXED */
	uint64_t login_timeout_usec; /* 100 ms .. 10 min */
	uint64_t pkey;		     /* 1..0xffff */
	uint64_t max_sect;	     /* >= 8 */
	uint64_t max_cmd_per_lun;    /* 1..32767 */
	uint64_t target_can_queue;   /* >= 1 */
	uint64_t io_class;	     /* 0xff00 or 0x0100 */
	uint64_t cmd_sg_entries;     /* 1..255 */
	uint64_t allow_ext_sg;	     /* 0 or 1 */
	uint64_t sg_tablesize;	     /* 1..2048 */
	uint64_t comp_vector;
	uint64_t tl_retry_count; /* 2..7 */
	uint64_t queue_size;	 /* 1..32767 */
	uint64_t max_it_iu_size;
	uint64_t ch_count; /* 1..1024 */
};

/* A login that sends nothing but the address. */
#define LOGIN_NO_OPTIONS                                                                           \
	{                                                                                          \
		.pkey = LOGIN_UNSET, .max_sect = LOGIN_UNSET, .max_cmd_per_lun = LOGIN_UNSET,      \
		.target_can_queue = LOGIN_UNSET, .io_class = LOGIN_UNSET,                          \
		.cmd_sg_entries = LOGIN_UNSET, .allow_ext_sg = LOGIN_UNSET,                        \
		.sg_tablesize = LOGIN_UNSET, .comp_vector = LOGIN_UNSET,                           \
		.tl_retry_count = LOGIN_UNSET, .queue_size = LOGIN_UNSET,                          \
		.max_it_iu_size = LOGIN_UNSET, .ch_count = LOGIN_UNSET,                            \
	}

/* [discovery], beside `ports`: how the InfiniBand fabric is scanned. Nothing of it is for Ethernet. */
struct config_discovery {
	bool infiniband;	       /* whether it is scanned at all */
	bool login;		       /* whether what the rules allow is logged in to */
	uint64_t window;	       /* 1..512 MADs outstanding on a port */
	uint64_t window_per_peer;      /* 1..64 of them to one peer */
	uint64_t mad_timeout_usec;     /* 10 ms .. 60 s, for an answer, repeats included */
	uint64_t mad_retries;	       /* 0..15 repetitions within that time */
	uint64_t rescan_interval_usec; /* 1 s .. 24 h, or 0: only when something happens */
	uint64_t ageing_time_usec;     /* 1 s .. 24 h: not found for so long is gone */
	char *rules;		       /* path of the rules file, or "none" */
};

/* [timeouts]: seconds or TMO_OFF; config_timeouts_verify() has the rules that tie them. */
struct config_timeouts {
	int fast_io_fail_tmo;
	int reconnect_delay;
	int dev_loss_tmo;
};

enum last_path_policy {
	LAST_PATH_KEEP, /* never fail the last usable path of a map */
	LAST_PATH_FAIL,
};

/* [failover] */
struct config_failover {
	uint64_t probe_interval_usec; /* 10 ms .. 60 s */
	uint64_t probe_timeout_usec;  /* 0 = auto: follows the measured round trip */
	uint64_t probe_misses;	      /* 1 .. 100 */
	enum last_path_policy last_path;
	bool foreign; /* act on sessions srpha did not make and that no target describes */
	uint64_t
		hold_failures; /* so many failures within hold_window hold the path out; 0 = never */
	uint64_t hold_window_usec; /* 1 s .. 24 h */
	uint64_t hold_time_usec;   /* 1 s .. 24 h: stable for so long before a held path rejoins */
};

struct config_portal {
	struct portal dest;
	char text[PORTAL_STR_MAX]; /* canonical */
	unsigned line;
};

#define CONFIG_NAME_MAX 64
struct config_target {
	char name[CONFIG_NAME_MAX]; /* letters, digits, . _ - */
	char *file;		    /* where the section began */
	unsigned line;
	bool has_id_ext, has_ioc_guid; /* either alone narrows what the portal may answer */
	uint64_t id_ext, ioc_guid;
	char *ports; /* globs as in [discovery] ports for this target alone, or NULL */
	struct config_portal portals[CONFIG_PORTALS_MAX];
	unsigned n_portals;
	struct config_login login;
	struct config_timeouts timeouts;
	struct config_failover failover;
};

/* One [rule NAME] or one line of the rules file; rules_decide() says what they decide. */
struct config_rule {
	char *name; /* "[rule NAME]"; NULL for a line of the rules file */
	unsigned line;
	bool allow;
	bool has_id_ext, has_ioc_guid, has_dgid, has_service_id, has_pkey; /* what must be equal */
	uint64_t id_ext, ioc_guid, service_id, pkey;
	uint8_t dgid[16];
	char *options;		    /* of add_target, each with a comma before it, or NULL */
	struct config_login *login; /* what the rule sets of a login, or NULL: nothing */
	uint64_t keys;		    /* which fields of it: bits by the place in the key table */
};

void config_rule_clear(struct config_rule *r);

struct config_rules {
	struct config_rule *list;
	unsigned n;
};

struct config {
	char *ports; /* [discovery] ports, e.g. "*" or "mlx5_*:1 !mlx4_0:2" */
	struct config_discovery discovery;
	struct config_login login;
	struct config_timeouts timeouts;
	struct config_failover failover;
	struct config_target *targets;
	unsigned n_targets;
	struct config_rules section_rules, file_rules; /* in this order of precedence */
};

/*
 * What is wrong, for a human: file, line, key, what was found, what was expected. Start from a
 * zeroed one; loading adds to it.
 */
struct config_errors {
	char *lines[CONFIG_ERRORS_MAX]; /* "file:line: [section] key: message" */
	unsigned n;			/* lines used */
	unsigned total;			/* found in all, also those not kept */
};
void config_errors_clear(struct config_errors *e);

/*
 * Reads `path` and then every *.conf in `path`.d in name order (bytes, not locale); a later file's
 * value of a key wins, dest lines of a target add up. Relative paths start at `root_fd`; messages
 * name files as they were asked for. A missing main file or directory is an empty one. The rules
 * file, whose path is absolute, is read last, unless discovery is off.
 * 0 with *ret set; -EINVAL with every mistake in *errors; another negative errno where a file
 * could not be read (also told in *errors, with the mistakes of the others). *ret is untouched on
 * error.
 */
int config_load(int root_fd, const char *path, struct config **ret, struct config_errors *errors);
void config_free(struct config *c);
DEFINE_CLEANUP(struct config *, config_free);

/*
 * Whether the HCA port "mlx5_0:1" is chosen by a list of globs separated by blanks. The last match
 * wins, "!" excludes, a glob without ":" means every port of the device. No match is no, unless
 * the list begins with an exclusion: then everything else is chosen. NULL chooses every port.
 */
bool config_port_selected(const char *globs, const char *port);

/*
 * srp_tmo_valid() of the kernel (drivers/scsi/scsi_transport_srp.c) with words, and srpha's own
 * rule fast_io_fail_tmo < reconnect_delay: 0, or -EINVAL and *ret_rule = the rule broken.
 */
int config_timeouts_verify(const struct config_timeouts *t, const char **ret_rule);

/* "5" or "off", as sysfs takes it. */
char *config_format_tmo(int tmo, char buf[static 16]);
