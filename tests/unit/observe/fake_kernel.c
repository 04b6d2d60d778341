/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "actor/tmo.h"
#include "base/root.h"
#include "fake_kernel.h"
#include "wire/channel.h"

/* The operations carry no handle: one kernel at a time. */
static struct fake_kernel *kernel;

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	size_t len = strlen(kernel->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(kernel->log + len, sizeof(kernel->log) - len, fmt, ap);
	va_end(ap);
	len = strlen(kernel->log);
	assert_true(len + 2 < sizeof(kernel->log));
	strcpy(kernel->log + len, "\n");
}

static uint64_t fake_now(void)
{
	return kernel->now;
}

static void fake_sleep(uint64_t usec)
{
	/* A loop without an end would sleep for ever. */
	assert_true(kernel->now < UINT64_C(3600) * 1000000);
	kernel->now += usec;
}

static void fake_alarm(uint64_t first_usec, uint64_t every_usec)
{
	if (first_usec == 0)
		note("disarm");
	else
		note("alarm %" PRIu64 " %" PRIu64, first_usec, every_usec);
}

static bool fake_stopped(void)
{
	return kernel->stopped;
}

static bool ends_with(const char *s, const char *end)
{
	return strlen(s) >= strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0;
}

/* As store_reconnect_delay() and its neighbours: refused where the three do not go together. */
static int store_timeout(const char *path, enum tmo_field field, const char *value)
{
	static const char *const names[] = { "reconnect_delay", "fast_io_fail_tmo",
					     "dev_loss_tmo" };
	struct timeouts t;
	char dir[256], buf[32];

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	for (unsigned f = 0; f < TMO_N; f++) {
		if (root_readf(kernel->sysfs.root_fd, buf, sizeof(buf), "%s/%s", dir, names[f]) < 0)
			return -ENOENT;
		assert_int_equal(srp_tmo_parse(buf, &t.value[f]), 0);
	}
	assert_int_equal(srp_tmo_parse(value, &t.value[field]), 0);
	if (!timeouts_valid(&t))
		return -EINVAL;
	fake_sysfs_set(&kernel->sysfs, value, "%s", path);
	return 0;
}

static int fake_attr_write(int root_fd, const char *path, const char *value)
{
	assert_int_equal(root_fd, kernel->sysfs.root_fd);
	note("write %s %s", strrchr(path, '/') + 1, value);
	if (kernel->write_error_of && ends_with(path, kernel->write_error_of))
		return kernel->write_error;
	if (faccessat(root_fd, path, F_OK, 0) < 0)
		return -errno;
	if (ends_with(path, "/add_target")) {
		if (kernel->add_target_makes)
			fake_sysfs_add_session(&kernel->sysfs, kernel->add_target_makes);
		return kernel->add_target_result;
	}
	if (ends_with(path, "/reconnect_delay"))
		return store_timeout(path, TMO_RECONNECT_DELAY, value);
	if (ends_with(path, "/fast_io_fail_tmo"))
		return store_timeout(path, TMO_FAST_IO_FAIL, value);
	if (ends_with(path, "/dev_loss_tmo"))
		return store_timeout(path, TMO_DEV_LOSS, value);
	fake_sysfs_set(&kernel->sysfs, value, "%s", path);
	return 0;
}

static int dm_answer(const char *verb, const char *uuid, const char *devno)
{
	note("%s %s %s", verb, uuid, devno);
	for (unsigned i = 0; i < kernel->n_dm; i++) {
		struct fake_dm *d = &kernel->dm[i];

		if (strcmp(d->uuid, uuid) == 0 && strcmp(d->devno, devno) == 0 && d->times > 0) {
			d->times--;
			return d->result;
		}
	}
	return 0;
}

static int fake_dm_fail_path(const char *uuid, const char *devno)
{
	return dm_answer("fail_path", uuid, devno);
}

static int fake_dm_reinstate_path(const char *uuid, const char *devno)
{
	return dm_answer("reinstate_path", uuid, devno);
}

static int fake_multipathd_reinstate(const char *disk, uint64_t timeout_usec)
{
	note("multipathd %s", disk);
	if (kernel->multipathd_result == -ETIMEDOUT)
		kernel->now += timeout_usec;
	return kernel->multipathd_result;
}

static int fake_sg_open(const char *sg)
{
	note("open %s", sg);
	if (kernel->sg_missing && strcmp(kernel->sg_missing, sg) == 0)
		return -ENXIO;
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int fake_reap_sends(int root_fd, const char *sg, int fd)
{
	assert_int_equal(root_fd, kernel->sysfs.root_fd);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	note("reap %s", sg);
	return kernel->reap_result;
}

static int fake_pin_neighbour(const char *dest, const char *gid)
{
	note("pin %s %s", dest, gid);
	return -EPERM; /* whatever it says, the reset goes on */
}

static int fake_sg_reset(int fd)
{
	const struct fake_answer *a = &kernel->reset[kernel->at_reset];

	assert_true(fcntl(fd, F_GETFD) >= 0);
	note("reset");
	/* More resets than the test foresaw. */
	assert_true(kernel->at_reset < kernel->n_reset);
	kernel->at_reset++;
	kernel->now += a->usec;
	if (a->state)
		fake_sysfs_set(&kernel->sysfs, a->state,
			       "sys/class/srp_remote_ports/port-3:1/state");
	if (++kernel->resets == kernel->stop_after_resets)
		kernel->stopped = true;
	return a->result;
}

static int fake_sg_test_ready(int fd, struct lun_answer *ret)
{
	const struct fake_answer *a = &kernel->ready[kernel->at_ready];

	assert_true(fcntl(fd, F_GETFD) >= 0);
	note("ready?");
	if (kernel->at_ready == kernel->n_ready) {
		*ret = (struct lun_answer){ 0 };
		return 0;
	}
	kernel->at_ready++;
	*ret = a->lun;
	return a->result;
}

const struct actor_ops fake_ops = {
	.now = fake_now,
	.sleep = fake_sleep,
	.alarm = fake_alarm,
	.stopped = fake_stopped,
	.attr_write = fake_attr_write,
	.dm_fail_path = fake_dm_fail_path,
	.dm_reinstate_path = fake_dm_reinstate_path,
	.multipathd_reinstate = fake_multipathd_reinstate,
	.sg_open = fake_sg_open,
	.sg_reset = fake_sg_reset,
	.reap_sends = fake_reap_sends,
	.pin_neighbour = fake_pin_neighbour,
	.sg_test_ready = fake_sg_test_ready,
};

void fake_kernel_open(struct fake_kernel *k)
{
	memset(k, 0, sizeof(*k));
	fake_sysfs_open(&k->sysfs);
	k->now = 1000000;
	kernel = k;
}

void fake_kernel_close(struct fake_kernel *k)
{
	fake_sysfs_close(&k->sysfs);
	assert_int_equal(k->at_reset, k->n_reset);
	assert_int_equal(k->at_ready, k->n_ready);
	for (unsigned i = 0; i < k->n_dm; i++)
		assert_int_equal(k->dm[i].times, 0);
	kernel = NULL;
}

void fake_kernel_next_reset(struct fake_kernel *k, int result, const char *state, uint64_t usec)
{
	assert_true(k->n_reset < FAKE_ANSWERS_MAX);
	k->reset[k->n_reset++] =
		(struct fake_answer){ .result = result, .state = state, .usec = usec };
}

void fake_kernel_next_ready(struct fake_kernel *k, int result, const struct lun_answer *answer)
{
	assert_true(k->n_ready < FAKE_ANSWERS_MAX);
	k->ready[k->n_ready].result = result;
	if (answer)
		k->ready[k->n_ready].lun = *answer;
	k->n_ready++;
}

void fake_kernel_next_dm(struct fake_kernel *k, const char *uuid, const char *devno, int result,
			 unsigned times)
{
	assert_true(k->n_dm < FAKE_ANSWERS_MAX);
	k->dm[k->n_dm++] = (struct fake_dm){ uuid, devno, result, times };
}

unsigned fake_kernel_count(const struct fake_kernel *k, const char *prefix)
{
	unsigned n = 0;

	for (const char *line = k->log; *line; line = strchr(line, '\n') + 1)
		n += strncmp(line, prefix, strlen(prefix)) == 0;
	return n;
}

static void expect_msg(struct json_object *o, const char *msg)
{
	assert_string_equal(reply_string(o, "msg"), msg);
}

struct json_object *fake_kernel_ask(struct fake_kernel *k, const char *request)
{
	_cleanup_json_ struct json_object *started = NULL;
	struct actor a = { .root_fd = k->sysfs.root_fd, .ops = &fake_ops };
	struct json_object *done = NULL, *more = NULL;
	_cleanup_close_ int ours = -EBADF;
	int theirs;

	assert_int_equal(channel_pair(&ours, &theirs), 0);
	assert_int_equal(send(ours, request, strlen(request), 0), strlen(request));
	assert_int_equal(actor_serve(&a, theirs), 0);
	close(theirs);
	assert_int_equal(channel_recv(ours, &started), 1);
	expect_msg(started, "started");
	assert_int_equal(channel_recv(ours, &done), 1);
	expect_msg(done, "done");
	assert_int_equal(channel_recv(ours, &more), 0);
	return done;
}

bool reply_ok(struct json_object *done)
{
	bool ok;

	assert_int_equal(json_get_bool(done, "ok", &ok), 0);
	/* A failure has words, and always a number. */
	if (!ok) {
		uint64_t number;

		assert_true(strlen(reply_string(done, "error")) > 0);
		assert_int_equal(json_get_u64(done, "errno", 4095, &number), 0);
	}
	return ok;
}

const char *reply_string(struct json_object *done, const char *key)
{
	const char *s = NULL;

	assert_int_equal(json_get_string(done, key, &s), 0);
	return s;
}

const char *reply_list(struct json_object *done, const char *key)
{
	static char text[512];
	struct json_object *list;

	assert_int_equal(json_get_array(done, key, 100, &list), 0);
	text[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (i)
			strcat(text, " ");
		strcat(text, json_object_get_string(json_object_array_get_idx(list, i)));
	}
	return text;
}
