/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every actor test starts from: cmocka, and a kernel with one session (host3, two disks). */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fake_kernel.h"
#include "wire/channel.h"

#define RPORT_DIR "sys/class/srp_remote_ports/port-3:1"

static inline int actor_setup_state(void **state, const char *rport_state)
{
	struct fake_kernel *k = malloc(sizeof(*k));

	fake_kernel_open(k);
	fake_sysfs_add_port(&k->sysfs, "rxe0", 1, 1);
	fake_sysfs_add_session(&k->sysfs, &(struct fake_session){ .host = 3,
								  .device = "rxe0",
								  .port = 1,
								  .id_ext = 0x11,
								  .ioc_guid = 0x22,
								  .state = rport_state });
	fake_sysfs_add_disk(
		&k->sysfs,
		&(struct fake_disk){
			.host = 3, .lun = 0, .disk = "sdb", .devno = "8:16", .sg = "sg1" });
	fake_sysfs_add_disk(
		&k->sysfs,
		&(struct fake_disk){
			.host = 3, .lun = 1, .disk = "sdc", .devno = "8:32", .sg = "sg2" });
	*state = k;
	return 0;
}

static inline int actor_setup(void **state)
{
	return actor_setup_state(state, "running");
}

static inline int actor_teardown(void **state)
{
	fake_kernel_close(*state);
	free(*state);
	return 0;
}

#define ACTOR_TEST(fn) cmocka_unit_test_setup_teardown(fn, actor_setup, actor_teardown)
