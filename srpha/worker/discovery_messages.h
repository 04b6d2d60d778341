/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What discovery hears from the supervisor and says to it (wire/messages.h): the settings in
 * `config`, `scan` and `notice`. Pure. `offers` are made by wire/offer.h.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "fabric/notice.h"
#include "fabric/scan.h"

struct discovery_settings {
	bool enabled;
	struct scan_config scan;
	uint64_t rescan_usec; /* 0: never */
};

/* What a worker does that nobody configures: as srpha.conf's defaults. */
void discovery_settings_default(struct discovery_settings *ret);

/*
 * The object "discovery" of a `config` message; absent, it says that nothing is to be scanned. 0, or
 * -EBADMSG with *ret_what = the field, *ret untouched.
 */
int discovery_settings_parse(struct json_object *config, struct discovery_settings *ret,
			     const char **ret_what);

/* Why a scan of all was started. */
enum scan_reason {
	REASON_START,
	REASON_PORT,
	REASON_REQUEST,
	REASON_TIMER,
	REASON_NOTICE,
};

/* Messages; NULL when memory is short. */
struct json_object *scan_message(const struct scan_result *r, enum scan_reason reason,
				 uint64_t generation, unsigned n_offers, bool notices);
struct json_object *notice_message(const struct notice_event *e, uint16_t lid,
				   uint64_t elapsed_usec);
