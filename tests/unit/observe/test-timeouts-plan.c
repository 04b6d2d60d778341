/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actor/tmo.h"
#include "base/cleanup.h"

/* drivers/scsi/scsi_transport_srp.c, srp_tmo_valid(), word for word but for the two constants. */
static int kernel_srp_tmo_valid(int reconnect_delay, int fast_io_fail_tmo, long dev_loss_tmo)
{
	if (reconnect_delay < 0 && fast_io_fail_tmo < 0 && dev_loss_tmo < 0)
		return -EINVAL;
	if (reconnect_delay == 0)
		return -EINVAL;
	if (fast_io_fail_tmo > 600)
		return -EINVAL;
	if (fast_io_fail_tmo < 0 && dev_loss_tmo > 600)
		return -EINVAL;
	if (dev_loss_tmo >= LONG_MAX / 250)
		return -EINVAL;
	if (fast_io_fail_tmo >= 0 && dev_loss_tmo >= 0 && fast_io_fail_tmo >= dev_loss_tmo)
		return -EINVAL;
	return 0;
}

static int kernel_takes(const struct timeouts *t)
{
	return kernel_srp_tmo_valid(t->value[TMO_RECONNECT_DELAY], t->value[TMO_FAST_IO_FAIL],
				    t->value[TMO_DEV_LOSS]) == 0;
}

static const int reconnects[] = { -1, 0, 1, 10, 600, INT_MAX };
static const int fast_fails[] = { -1, 0, 1, 5, 599, 600, 601 };
static const int losses[] = { -1, 0, 1, 2, 6, 599, 600, 601, INT_MAX };

#define COMBINATIONS (ARRAY_SIZE(reconnects) * ARRAY_SIZE(fast_fails) * ARRAY_SIZE(losses))

static struct timeouts combination(unsigned i)
{
	struct timeouts t;

	t.value[TMO_RECONNECT_DELAY] = reconnects[i % ARRAY_SIZE(reconnects)];
	i /= ARRAY_SIZE(reconnects);
	t.value[TMO_FAST_IO_FAIL] = fast_fails[i % ARRAY_SIZE(fast_fails)];
	i /= ARRAY_SIZE(fast_fails);
	t.value[TMO_DEV_LOSS] = losses[i];
	return t;
}

static void the_rule_is_the_kernels(void **state)
{
	for (unsigned i = 0; i < COMBINATIONS; i++) {
		struct timeouts t = combination(i);

		assert_int_equal(timeouts_valid(&t), kernel_takes(&t));
	}
}

static unsigned count_differences(const struct timeouts *a, const struct timeouts *b)
{
	unsigned n = 0;

	for (unsigned f = 0; f < TMO_N; f++)
		n += a->value[f] != b->value[f];
	return n;
}

static void check_plan(const struct timeouts *from, const struct timeouts *to, unsigned *detours)
{
	struct tmo_step steps[TMO_STEPS_MAX];
	unsigned writes[TMO_N] = { 0 };
	struct timeouts t = *from;
	int n = timeouts_plan(from, to, steps);

	assert_in_range(n, 0, TMO_STEPS_MAX);
	for (int i = 0; i < n; i++) {
		t.value[steps[i].field] = steps[i].value;
		writes[steps[i].field]++;
		assert_true(kernel_takes(&t));
	}
	assert_int_equal(count_differences(&t, to), 0);
	if ((unsigned)n == count_differences(from, to))
		return;
	/* A reconnect_delay is lent only where there is none, before and after. */
	if (writes[TMO_RECONNECT_DELAY] > 1) {
		assert_int_equal(from->value[TMO_RECONNECT_DELAY], -1);
		assert_int_equal(to->value[TMO_RECONNECT_DELAY], -1);
	}
	assert_true(writes[TMO_FAST_IO_FAIL] <= 1);
	(*detours)++;
}

static void every_way_is_over_valid_ground(void **state)
{
	unsigned pairs = 0, detours = 0;

	for (unsigned i = 0; i < COMBINATIONS; i++)
		for (unsigned j = 0; j < COMBINATIONS; j++) {
			struct timeouts from = combination(i), to = combination(j);

			if (!kernel_takes(&from) || !kernel_takes(&to))
				continue;
			check_plan(&from, &to, &detours);
			pairs++;
		}
	print_message("  %u pairs, %u over the detour\n", pairs, detours);
	assert_true(pairs > 1000);
	assert_true(detours > 0);
}

static void what_is_not_valid_is_refused(void **state)
{
	struct timeouts from = { { 10, 15, 600 } };
	struct tmo_step steps[TMO_STEPS_MAX];

	for (unsigned i = 0; i < COMBINATIONS; i++) {
		struct timeouts to = combination(i);

		if (!kernel_takes(&to))
			assert_int_equal(timeouts_plan(&from, &to, steps), -EINVAL);
	}
}

static void no_change_is_no_write(void **state)
{
	struct timeouts t = { { 10, 5, -1 } };
	struct tmo_step steps[TMO_STEPS_MAX];

	assert_int_equal(timeouts_plan(&t, &t, steps), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_is_the_kernels),
		cmocka_unit_test(every_way_is_over_valid_ground),
		cmocka_unit_test(what_is_not_valid_is_refused),
		cmocka_unit_test(no_change_is_no_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
