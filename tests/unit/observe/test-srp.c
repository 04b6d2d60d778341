/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fake_sysfs.h"
#include "observe/srp.h"

static int setup(void **state)
{
	struct fake_sysfs *f = malloc(sizeof(*f));

	fake_sysfs_open(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_close(*state);
	free(*state);
	return 0;
}

static const struct fake_session rdma_cm_session = {
	.host = 3,
	.device = "rxe0",
	.port = 1,
	.id_ext = 0x505400fffe000002,
	.ioc_guid = 0x505400fffe000003,
};

static void nothing_is_an_empty_view(void **state)
{
	struct fake_sysfs *f = *state;
	struct srp_view v;
	struct hca_ports ports;

	assert_int_equal(srp_view_read(f->root_fd, &v), 0);
	assert_int_equal(v.n_sessions, 0);
	assert_false(v.truncated);
	assert_int_equal(hca_ports_read(f->root_fd, &ports), 0);
	assert_int_equal(ports.n, 0);
	srp_view_clear(&v);
}

static void a_session_as_the_kernel_shows_it(void **state)
{
	struct fake_sysfs *f = *state;
	const struct srp_session *s;
	struct srp_view v;
	uint64_t instance;

	fake_sysfs_add_session(f, &rdma_cm_session);
	assert_int_equal(srp_view_read(f->root_fd, &v), 0);
	assert_int_equal(v.n_sessions, 1);
	s = &v.sessions[0];
	assert_string_equal(s->host, "host3");
	assert_int_equal(s->host_no, 3);
	assert_string_equal(s->rport, "port-3:1");
	assert_string_equal(s->port, "rxe0:1");
	assert_true(s->id_ext == 0x505400fffe000002);
	assert_true(s->ioc_guid == 0x505400fffe000003);
	assert_true(s->rdma_cm);
	assert_int_equal(s->sgid[0], 0xfe);
	assert_int_equal(s->sgid[15], 0x01);
	assert_int_equal(s->rport_state, RPORT_RUNNING);
	assert_int_equal(s->reconnect_delay, 10);
	assert_int_equal(s->fast_io_fail_tmo, 5);
	assert_int_equal(s->dev_loss_tmo, -1);
	assert_int_equal(srp_host_instance(f->root_fd, "host3", &instance), 0);
	assert_true(s->instance == instance);
	srp_view_clear(&v);
	assert_int_equal(v.n_sessions, 0);
}

static void an_infiniband_session_has_a_dgid(void **state)
{
	struct fake_sysfs *f = *state;
	struct fake_session s = rdma_cm_session;
	struct srp_view v;

	s.dgid = "fe80:0000:0000:0000:0002:c902:0040:2bed";
	fake_sysfs_add_session(f, &s);
	assert_int_equal(srp_view_read(f->root_fd, &v), 0);
	assert_false(v.sessions[0].rdma_cm);
	assert_int_equal(v.sessions[0].dgid[15], 0xed);
	srp_view_clear(&v);
}

static void sessions_come_in_the_order_of_numbers(void **state)
{
	struct fake_sysfs *f = *state;
	struct fake_session s = rdma_cm_session;
	struct srp_view v;

	s.host = 10;
	fake_sysfs_add_session(f, &s);
	s.host = 9;
	s.state = "fail-fast";
	fake_sysfs_add_session(f, &s);
	assert_int_equal(srp_view_read(f->root_fd, &v), 0);
	assert_int_equal(v.n_sessions, 2);
	assert_int_equal(v.sessions[0].host_no, 9);
	assert_int_equal(v.sessions[0].rport_state, RPORT_FAIL_FAST);
	assert_int_equal(v.sessions[1].host_no, 10);
	srp_view_clear(&v);
}

static void what_is_half_gone_or_foreign_is_left_out(void **state)
{
	struct fake_sysfs *f = *state;
	static const char *const vanishing[] = {
		"scsi_host/host3/id_ext",
		"scsi_host/host3/ioc_guid",
		"scsi_host/host3/sgid",
		"scsi_host/host3/local_ib_device",
		"scsi_host/host3/local_ib_port",
		"srp_remote_ports/port-3:1/state",
		"srp_remote_ports/port-3:1/reconnect_delay",
		"srp_remote_ports/port-3:1/fast_io_fail_tmo",
		"srp_remote_ports/port-3:1/dev_loss_tmo",
		"srp_remote_ports/port-3:1/failed_reconnects",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(vanishing); i++) {
		struct srp_view v;
		struct srp_session s;

		fake_sysfs_add_session(f, &rdma_cm_session);
		assert_int_equal(srp_session_read(f->root_fd, "port-3:1", &s), 0);
		srp_session_clear(&s);
		fake_sysfs_remove(f, "sys/class/%s", vanishing[i]);
		assert_int_equal(srp_view_read(f->root_fd, &v), 0);
		assert_int_equal(v.n_sessions, 0);
		assert_int_equal(srp_session_read(f->root_fd, "port-3:1", &s), -ENOENT);
		srp_view_clear(&v);
		fake_sysfs_remove_session(f, 3);
	}
}

static void disks_and_others(void **state)
{
	struct fake_sysfs *f = *state;
	struct srp_session s;
	uint64_t completed, in_flight;

	fake_sysfs_add_session(f, &rdma_cm_session);
	fake_sysfs_add_disk(f, &(struct fake_disk){ .host = 3,
						    .lun = 10,
						    .disk = "sdc",
						    .devno = "8:32",
						    .sg = "sg3",
						    .reads = 1,
						    .writes = 2,
						    .in_flight = 4 });
	fake_sysfs_add_disk(f, &(struct fake_disk){ .host = 3,
						    .lun = 2,
						    .disk = "sdb",
						    .devno = "8:16",
						    .sg = "sg2",
						    .wwid = "naa.6001405aa",
						    .reads = 100,
						    .writes = 50,
						    .in_flight = 3 });
	/* An enclosure, and a disk whose block device is not there yet. */
	fake_sysfs_add_disk(f,
			    &(struct fake_disk){ .host = 3, .lun = 0, .sg = "sg1", .type = "13" });
	fake_sysfs_add_disk(f, &(struct fake_disk){ .host = 3, .lun = 3, .sg = "sg4" });

	assert_int_equal(srp_session_read(f->root_fd, "port-3:1", &s), 0);
	assert_int_equal(s.n_luns, 2);
	assert_int_equal(s.n_others, 2);
	assert_string_equal(s.any_sg, "sg1");
	assert_string_equal(s.luns[0].hctl, "3:0:0:2");
	assert_string_equal(s.luns[0].disk, "sdb");
	assert_string_equal(s.luns[0].devno, "8:16");
	assert_string_equal(s.luns[0].sg, "sg2");
	assert_string_equal(s.luns[0].wwid, "naa.6001405aa");
	assert_string_equal(s.luns[0].state, "running");
	assert_true(s.luns[0].completed == 150);
	assert_true(s.luns[0].in_flight == 3);
	assert_string_equal(s.luns[1].hctl, "3:0:0:10");
	assert_string_equal(s.luns[1].wwid, "");

	assert_int_equal(srp_session_io(f->root_fd, &s, &completed, &in_flight), 0);
	assert_true(completed == 153);
	assert_true(in_flight == 7);
	fake_sysfs_set(f, "1 2 3", "sys/block/sdb/stat");
	assert_int_equal(srp_session_io(f->root_fd, &s, &completed, &in_flight), -EBADMSG);
	fake_sysfs_remove(f, "sys/block/sdb");
	assert_int_equal(srp_session_io(f->root_fd, &s, &completed, &in_flight), -ENOENT);
	srp_session_clear(&s);
}

static void an_sg_node_tells_its_host(void **state)
{
	struct fake_sysfs *f = *state;
	unsigned host = 99;

	fake_sysfs_add_disk(f, &(struct fake_disk){ .host = 12, .lun = 1, .sg = "sg7" });
	assert_int_equal(srp_sg_host(f->root_fd, "sg7", &host), 0);
	assert_int_equal(host, 12);
	assert_int_equal(srp_sg_host(f->root_fd, "sg8", &host), -ENOENT);
}

static void a_reused_number_is_another_instance(void **state)
{
	struct fake_sysfs *f = *state;
	uint64_t before, after;

	fake_sysfs_add_session(f, &rdma_cm_session);
	assert_int_equal(srp_host_instance(f->root_fd, "host3", &before), 0);
	/* Keep the old inode in use, as a file system may give it out again at once. */
	fake_sysfs_add_session(f, &(struct fake_session){ .host = 4, .device = "rxe0", .port = 1 });
	assert_int_equal(srp_host_instance(f->root_fd, "host4", &after), 0);
	assert_true(before != after);
	assert_int_equal(srp_host_instance(f->root_fd, "host5", &after), -ENOENT);
}

static void rport_states_have_the_kernels_words(void **state)
{
	static const char *const words[] = { "running", "blocked", "fail-fast", "lost" };
	struct fake_sysfs *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		fake_sysfs_set(f, words[i], "sys/class/srp_remote_ports/port-3:1/state");
		assert_int_equal(srp_rport_state(f->root_fd, "port-3:1"), i);
		assert_string_equal(rport_state_name((enum rport_state)i), words[i]);
	}
	assert_int_equal(rport_state_parse("???"), RPORT_UNKNOWN);
	assert_int_equal(rport_state_parse("unknown"), RPORT_UNKNOWN);
	assert_int_equal(srp_rport_state(f->root_fd, "port-4:1"), RPORT_UNKNOWN);
}

static void timeouts_are_seconds_or_off(void **state)
{
	int tmo = 7;

	assert_int_equal(srp_tmo_parse("off", &tmo), 0);
	assert_int_equal(tmo, -1);
	assert_int_equal(srp_tmo_parse("0", &tmo), 0);
	assert_int_equal(tmo, 0);
	assert_int_equal(srp_tmo_parse("600", &tmo), 0);
	assert_int_equal(tmo, 600);
	assert_int_equal(srp_tmo_parse("-1", &tmo), -EINVAL);
	assert_int_equal(srp_tmo_parse("", &tmo), -EINVAL);
	assert_int_equal(srp_tmo_parse("offs", &tmo), -EINVAL);
	assert_int_equal(srp_tmo_parse("2147483648", &tmo), -EINVAL);
	assert_int_equal(tmo, 600);
}

static void ports_of_all_devices(void **state)
{
	struct fake_sysfs *f = *state;
	struct hca_ports p;

	fake_sysfs_add_port(f, "mlx5_0", 1, 1);
	fake_sysfs_add_port(f, "mlx5_0", 2, 0);
	fake_sysfs_add_port(f, "rxe0", 1, 1);
	assert_int_equal(hca_ports_read(f->root_fd, &p), 0);
	assert_int_equal(p.n, 3);
	assert_string_equal(p.ports[0].name, "mlx5_0:1");
	assert_true(p.ports[0].srp);
	assert_string_equal(p.ports[1].name, "mlx5_0:2");
	assert_false(p.ports[1].srp);
	assert_string_equal(p.ports[2].device, "rxe0");
	assert_int_equal(p.ports[2].port, 1);
	assert_false(p.truncated);
}

static void too_many_ports_are_said_to_be(void **state)
{
	struct fake_sysfs *f = *state;
	struct hca_ports p;

	for (unsigned i = 1; i <= OBSERVE_PORTS_MAX + 1; i++)
		fake_sysfs_add_port(f, "mlx5_0", i, 0);
	assert_int_equal(hca_ports_read(f->root_fd, &p), 0);
	assert_int_equal(p.n, OBSERVE_PORTS_MAX);
	assert_true(p.truncated);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_an_empty_view),
		TEST(a_session_as_the_kernel_shows_it),
		TEST(an_infiniband_session_has_a_dgid),
		TEST(sessions_come_in_the_order_of_numbers),
		TEST(what_is_half_gone_or_foreign_is_left_out),
		TEST(disks_and_others),
		TEST(an_sg_node_tells_its_host),
		TEST(a_reused_number_is_another_instance),
		TEST(rport_states_have_the_kernels_words),
		TEST(timeouts_are_seconds_or_off),
		TEST(ports_of_all_devices),
		TEST(too_many_ports_are_said_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
