/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/discovery.h"

#include "wire/channel.h"

struct json_object *discovery_message(const struct config_discovery *d)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_put_bool(o, "enabled", d->infiniband);
	json_put_u64(o, "window", d->window);
	json_put_u64(o, "window_per_peer", d->window_per_peer);
	json_put_u64(o, "mad_timeout_usec", d->mad_timeout_usec);
	json_put_u64(o, "mad_retries", d->mad_retries);
	json_put_u64(o, "rescan_usec", d->rescan_interval_usec);
	json_put_u64(o, "ageing_usec", d->ageing_time_usec);
	return o;
}
