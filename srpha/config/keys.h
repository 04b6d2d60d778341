/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of every key: where it may stand, what it takes, where it is kept. For the parts of
 * config/ alone. A new key is one line of the table in keys.c, its default in config.c, its
 * entries in man/srpha.conf.5 and conf/srpha.conf.
 */
#pragma once

#include "config/config.h"

enum config_section {
	SECTION_NONE,	 /* before the first one */
	SECTION_UNKNOWN, /* told already: what it holds is passed over */
	SECTION_DISCOVERY,
	SECTION_LOGIN,
	SECTION_TIMEOUTS,
	SECTION_FAILOVER,
	SECTION_TARGET,
	SECTION_RULE,
};
const char *config_section_name(enum config_section s); /* "login" */

enum config_key_kind {
	KEY_NUMBER,	/* uint64_t */
	KEY_OPTION,	/* the same, or "kernel": LOGIN_UNSET */
	KEY_OPTION_HEX, /* the same, hexadecimal */
	KEY_HEX,	/* uint64_t, hexadecimal */
	KEY_IO_CLASS,
	KEY_TIME,      /* uint64_t, microseconds */
	KEY_TIME_AUTO, /* the same, or "auto": 0 */
	KEY_TIME_OFF,  /* the same, or "off": 0 */
	KEY_TMO,       /* int, seconds or TMO_OFF */
	KEY_BOOL,
	KEY_GUID,	   /* uint64_t */
	KEY_GID,	   /* 16 bytes */
	KEY_ACTION,	   /* bool, true for "allow" */
	KEY_INITIATOR_EXT, /* mode and value */
	KEY_LAST_PATH,
	KEY_PORTS, /* char *, several lines of one file add up */
	KEY_FILE,  /* char *, an absolute path or "none" */
	KEY_DEST,  /* several lines; kept by add_portal() in loader.c */
};

struct config_key {
	const char *name;
	enum config_section section;
	enum config_key_kind kind;
	uint64_t min, max;
	/* Where the value is kept; in_target by sections a target has, in_rule by what a rule may set. */
	size_t in_config, in_target, in_rule; /* in_rule: of struct rule_draft */
	size_t size;
};

#define CONFIG_KEYS_MAX 64 /* struct config_rule has a bit for each */
extern const struct config_key config_keys[];
extern const unsigned config_n_keys;

/*
 * Whether the key may stand in the section: [target] takes the keys of three others, too, [rule]
 * those of [login] but pkey, which has a meaning of its own there.
 */
bool config_key_belongs(const struct config_key *key, enum config_section section);

/* The key of that name that belongs in the section, or NULL. */
const struct config_key *config_key_find(const char *name, enum config_section section);

/* The value into `field`: 0, -EINVAL or -ERANGE (not what config_key_expected() says), -E2BIG. */
int config_key_parse(const struct config_key *key, const char *value, void *field);

/* Keys of SECTION_LOGIN alone: the value, of key->size bytes, into its place; and from one to another. */
void config_key_set(struct config_login *l, const struct config_key *key, const void *value);
void config_key_copy(struct config_login *to, const struct config_login *from,
		     const struct config_key *key);

/* What the key takes, for the end of "expected ...". */
#define CONFIG_EXPECTED_MAX 160
char *config_key_expected(const struct config_key *key, char buf[static CONFIG_EXPECTED_MAX]);
