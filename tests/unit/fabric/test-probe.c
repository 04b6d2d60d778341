/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe state machine, with time passed in: tables of what happens when, and a small simulated
 * link for what must hold over minutes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"
#include "fabric/probe.h"

#define MS UINT64_C(1000)
#define T0 (1000 * USEC_PER_SEC)

static const struct probe_config fixed = { 100 * MS, 50 * MS, 3 };
static const struct probe_config automatic = { 100 * MS, 0, 3 };

enum act { TICK, ANSWER, BAD_ANSWER, DELAYED, FAST, NORMAL, PAUSE, RESUME, HINT };

struct step {
	uint64_t at_ms; /* since T0 */
	enum act act;
	uint64_t sent_ms; /* ANSWER: when that probe was sent */
	bool send;	  /* TICK asks for one */
	enum probe_result result;
	unsigned misses;
	enum probe_state state; /* afterwards */
	uint64_t due_ms;	/* afterwards; NEVER */
};
#define NEVER UINT64_MAX

static void run_steps(struct probe *p, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct step *s = &steps[i];
		uint64_t now = T0 + s->at_ms * MS;
		struct probe_report r = { 0 };
		bool send = false;

		switch (s->act) {
		case TICK:
			send = probe_tick(p, now, &r);
			break;
		case ANSWER:
		case BAD_ANSWER:
			probe_answer(p, T0 + s->sent_ms * MS, now, s->act == ANSWER, &r);
			break;
		case DELAYED:
			probe_delayed(p, now);
			break;
		case FAST:
		case NORMAL:
			probe_set_fast(p, s->act == FAST, now);
			break;
		case PAUSE:
			probe_pause(p);
			break;
		case RESUME:
			probe_resume(p, now);
			break;
		case HINT:
			probe_hint(p, now);
			break;
		}
		if (send != s->send || r.result != s->result || p->state != s->state ||
		    (r.result != PROBE_NOTHING && r.misses != s->misses) ||
		    probe_due(p) != (s->due_ms == NEVER ? USEC_INFINITY : T0 + s->due_ms * MS))
			fail_msg("step %zu at %lu ms: send %d, result %d, misses %u, state %d, "
				 "due %ld ms",
				 i, (unsigned long)s->at_ms, send, r.result, r.misses, p->state,
				 probe_due(p) == USEC_INFINITY
					 ? -1L
					 : (long)(((int64_t)probe_due(p) - (int64_t)T0) / 1000));
	}
}
#define RUN(p, steps) run_steps(p, steps, sizeof(steps) / sizeof((steps)[0]))

/* A probe that has answered at T0, next due 100 ms later. */
static struct probe alive(const struct probe_config *c)
{
	static const struct step steps[] = {
		{ 0, RESUME, .state = PROBE_NEW, .due_ms = 0 },
		{ 0, TICK, .send = true, .state = PROBE_NEW, .due_ms = 50 },
		{ 0, ANSWER, 0, false, PROBE_ANSWERED, 0, PROBE_ALIVE, 100 },
	};
	struct probe p;

	probe_init(&p, c);
	assert_int_equal(probe_due(&p), USEC_INFINITY);
	RUN(&p, steps);
	return p;
}

static void the_chart(void **state)
{
	static const struct step steps[] = {
		{ 99, TICK, .state = PROBE_ALIVE, .due_ms = 100 },
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 110, ANSWER, 100, .state = PROBE_ALIVE, .due_ms = 200 },
		{ 200, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 250 },
		{ 250, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 275 },
		{ 275, TICK, .send = true, .state = PROBE_SUSPECT, .due_ms = 300 },
		{ 300, TICK, 0, false, PROBE_MISSED, 2, PROBE_SUSPECT, 325 },
		{ 325, TICK, 0, true, PROBE_DIED, 3, PROBE_DEAD, 375 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
	assert_int_equal(p.n_missed, 3);
	assert_int_equal(p.n_answered, 2);
	assert_int_equal(p.n_sent, 6);
}

static void an_answer_ends_suspicion(void **state)
{
	static const struct step steps[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 150, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 175 },
		{ 160, ANSWER, 150, false, PROBE_ANSWERED, 0, PROBE_ALIVE, 250 },
		{ 250, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 300 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
}

/* The answer to a missed probe counts, is a sample, and the newest one is still decided. */
static void a_late_answer_is_alive(void **state)
{
	static const struct step steps[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 150, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 175 },
		{ 175, TICK, .send = true, .state = PROBE_SUSPECT, .due_ms = 200 },
		{ 180, ANSWER, 100, false, PROBE_ANSWERED, 0, PROBE_ALIVE, 200 },
		{ 200, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 225 },
		/* Out of order: the newest first, and then nothing is pending. */
		{ 205, ANSWER, 200, false, PROBE_ANSWERED, 0, PROBE_ALIVE, 300 },
		{ 206, ANSWER, 175, .state = PROBE_ALIVE, .due_ms = 300 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
	assert_int_equal(p.rtt.max_usec, 80 * MS);
}

static void silence_of_one_that_never_answered(void **state)
{
	struct probe p;
	struct probe_report r;
	uint64_t now = T0;
	unsigned sent = 0;

	probe_init(&p, &fixed);
	probe_resume(&p, now);
	for (; now < T0 + 600 * USEC_PER_SEC; now = probe_due(&p)) {
		sent += probe_tick(&p, now, &r);
		assert_int_equal(r.result, PROBE_NOTHING);
		assert_int_equal(p.state, PROBE_NEW);
		assert_true(probe_due(&p) > now);
	}
	assert_in_range(sent, 100, 300); /* it gets slow: 5 s at the slowest */
	assert_int_equal(p.n_missed, 0);

	/* Watched closely it is asked more often. */
	probe_set_fast(&p, true, now);
	assert_true(probe_due(&p) <= now + PROBE_FAST_USEC);
}

static void known_from_elsewhere(void **state)
{
	static const struct step steps[] = {
		{ 0, RESUME, .state = PROBE_ALIVE, .due_ms = 0 },
		{ 0, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 50 },
		{ 50, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 75 },
		{ 75, TICK, .send = true, .state = PROBE_SUSPECT, .due_ms = 100 },
		{ 100, TICK, 0, false, PROBE_MISSED, 2, PROBE_SUSPECT, 125 },
		{ 125, TICK, 0, true, PROBE_DIED, 3, PROBE_DEAD, 175 },
	};
	static const struct step answering[] = {
		{ 0, RESUME, .state = PROBE_ALIVE, .due_ms = 0 },
		{ 0, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 50 },
		{ 10, ANSWER, 0, false, PROBE_ANSWERED, 0, PROBE_ALIVE, 100 },
	};
	struct probe p;

	probe_init(&p, &fixed);
	probe_expect(&p);
	RUN(&p, steps);
	probe_init(&p, &fixed);
	probe_expect(&p);
	RUN(&p, answering);
}

static void dead_is_repeated_and_slows_down(void **state)
{
	struct probe p = alive(&fixed);
	struct probe_report r;
	uint64_t now, last = 0, first = 0;
	unsigned sent = 0, died = 0;

	for (now = T0; now < T0 + 3600 * USEC_PER_SEC; now = probe_due(&p)) {
		sent += probe_tick(&p, now, &r);
		if (r.result == PROBE_DIED) {
			assert_int_equal(r.misses % 3, 0);
			died++;
			first = first ? first : now;
			last = now;
		} else if (p.state == PROBE_DEAD) {
			assert_int_equal(r.result, PROBE_NOTHING);
		}
	}
	assert_int_equal(first, T0 + 225 * MS);
	assert_true(last > now - 10 * USEC_PER_SEC);
	assert_in_range(sent, 3500, 4200); /* one a second, more in the first minute */
	assert_in_range(died, sent / 3 - 2, sent / 3 + 2);
}

/* Somebody waits for it: a minute of silence is asked into every 60 ms, and hours not for ever. */
static void waited_for(void **state)
{
	struct probe p = alive(&fixed);
	struct probe_report r;
	uint64_t now;

	probe_set_fast(&p, true, T0);
	for (now = T0; now < T0 + 61 * USEC_PER_SEC; now = probe_due(&p))
		(void)probe_tick(&p, now, &r);
	assert_int_equal(p.state, PROBE_DEAD);
	assert_true(p.next_usec - p.sent_usec <= 60 * MS);
	for (; now < T0 + 3600 * USEC_PER_SEC; now = probe_due(&p))
		(void)probe_tick(&p, now, &r);
	assert_int_equal(p.next_usec - p.sent_usec, PROBE_SLOW_USEC);
}

static void return_is_noticed_at_once(void **state)
{
	struct probe p = alive(&fixed);
	struct probe_report r;
	uint64_t now;

	for (now = T0; now < T0 + 2 * USEC_PER_SEC; now = probe_due(&p))
		(void)probe_tick(&p, now, &r);
	assert_int_equal(p.state, PROBE_DEAD);
	assert_true(probe_due(&p) <= now + PROBE_FAST_USEC);
	probe_hint(&p, now + MS); /* the neighbour is there again */
	assert_true(probe_tick(&p, now + MS, &r));
	/* The kernel of the target answers before its agent is loaded: not yet. */
	probe_answer(&p, now + MS, now + 2 * MS, false, &r);
	assert_int_equal(r.result, PROBE_NOTHING);
	assert_int_equal(p.state, PROBE_DEAD);
	probe_answer(&p, now + MS, now + 3 * MS, true, &r);
	assert_int_equal(r.result, PROBE_ANSWERED);
	assert_int_equal(r.elapsed_usec, 2 * MS);
	assert_int_equal(p.state, PROBE_ALIVE);
}

/* A refusal still shows that the path carries. */
static void a_bad_answer_is_no_miss(void **state)
{
	static const struct step steps[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 110, BAD_ANSWER, 100, .state = PROBE_ALIVE, .due_ms = 200 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
}

static void our_own_stall_is_no_miss(void **state)
{
	static const struct step steps[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		/* 25 ms late: once, by a timeout. */
		{ 175, TICK, .state = PROBE_ALIVE, .due_ms = 225 },
		{ 225, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 250 },
		{ 250, TICK, .send = true, .state = PROBE_SUSPECT, .due_ms = 275 },
		/* Late again in the same silence: counted. */
		{ 298, TICK, 0, false, PROBE_MISSED, 2, PROBE_SUSPECT, 300 },
		/* A long stall: not counted, twice more. */
		{ 5000, TICK, .state = PROBE_SUSPECT, .due_ms = 5050 },
		{ 9000, TICK, .state = PROBE_SUSPECT, .due_ms = 9050 },
		{ 9500, TICK, 0, true, PROBE_DIED, 3, PROBE_DEAD, 9550 },
	};
	static const struct step answered[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 800, TICK, .state = PROBE_ALIVE, .due_ms = 850 },
		{ 801, ANSWER, 100, .state = PROBE_ALIVE, .due_ms = 801 },
		{ 801, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 851 },
		/* The next silence is forgiven anew. */
		{ 890, TICK, .state = PROBE_ALIVE, .due_ms = 940 },
		{ 940, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 965 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
	p = alive(&fixed);
	RUN(&p, answered);
}

static void pause_and_resume(void **state)
{
	static const struct step steps[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 110, PAUSE, .state = PROBE_DEAD, .due_ms = NEVER },
		{ 160, TICK, .state = PROBE_DEAD, .due_ms = NEVER },
		{ 170, ANSWER, 100, .state = PROBE_DEAD, .due_ms = NEVER },
		{ 180, FAST, .state = PROBE_DEAD, .due_ms = NEVER },
		{ 190, HINT, .state = PROBE_DEAD, .due_ms = NEVER },
		{ 500, RESUME, .state = PROBE_DEAD, .due_ms = 500 },
		{ 501, RESUME, .state = PROBE_DEAD, .due_ms = 500 },
		{ 500, TICK, .send = true, .state = PROBE_DEAD, .due_ms = 550 },
		{ 510, ANSWER, 500, false, PROBE_ANSWERED, 0, PROBE_ALIVE, 550 },
		{ 520, NORMAL, .state = PROBE_ALIVE, .due_ms = 550 },
		{ 550, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 600 },
		{ 555, ANSWER, 550, .state = PROBE_ALIVE, .due_ms = 650 },
		/* Close: at once, and not before 50 ms have passed since the last. */
		{ 560, FAST, .state = PROBE_ALIVE, .due_ms = 600 },
		{ 600, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 650 },
		{ 605, ANSWER, 600, false, PROBE_ANSWERED, 0, PROBE_ALIVE, 650 },
		{ 650, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 700 },
		/* Asked for again: the answer to an older probe is none. */
		{ 655, FAST, .state = PROBE_ALIVE, .due_ms = 700 },
		{ 660, ANSWER, 650, .state = PROBE_ALIVE, .due_ms = 700 },
		{ 700, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 750 },
		{ 705, ANSWER, 700, false, PROBE_ANSWERED, 0, PROBE_ALIVE, 750 },
		{ 750, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 800 },
		{ 755, ANSWER, 750, .state = PROBE_ALIVE, .due_ms = 800 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
	assert_int_equal(p.n_missed, 0);
}

/* The link of this port came back, the target's did not. */
static void dead_after_a_pause(void **state)
{
	static const struct step steps[] = {
		{ 100, PAUSE, .state = PROBE_DEAD, .due_ms = NEVER },
		{ 200, RESUME, .state = PROBE_DEAD, .due_ms = 200 },
		{ 200, TICK, .send = true, .state = PROBE_DEAD, .due_ms = 250 },
		{ 250, TICK, .send = true, .state = PROBE_DEAD, .due_ms = 300 },
		{ 300, TICK, .send = true, .state = PROBE_DEAD, .due_ms = 350 },
		{ 350, TICK, 0, true, PROBE_DIED, 3, PROBE_DEAD, 400 },
		{ 400, TICK, .send = true, .state = PROBE_DEAD, .due_ms = 450 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
}

/* Both probes of a suspicion run out while we are not run: one report, the verdict. */
static void two_misses_in_one_tick(void **state)
{
	static const struct step steps[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 150, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 175 },
		{ 175, TICK, .send = true, .state = PROBE_SUSPECT, .due_ms = 200 },
		{ 240, TICK, .state = PROBE_SUSPECT, .due_ms = 290 },
		{ 291, TICK, 0, true, PROBE_DIED, 3, PROBE_DEAD, 341 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
}

/* A timeout so long that probes of a dead portal pile up: bounded, and they count. */
static void many_pending(void **state)
{
	struct probe_config c = { 100 * MS, 10 * USEC_PER_SEC, 3 };
	struct probe p = alive(&fixed);
	struct probe_report r;
	unsigned died = 0;

	probe_configure(&p, &c);
	probe_pause(&p);
	probe_resume(&p, T0);
	for (uint64_t now = T0; now < T0 + 5 * USEC_PER_SEC; now = probe_due(&p)) {
		(void)probe_tick(&p, now, &r);
		assert_in_range(p.n_pending, 1, PROBE_PENDING_MAX);
		died += r.result == PROBE_DIED;
	}
	assert_in_range(died, 20, 40);
}

/* It waited for the neighbour: its time counts from when it was really sent. */
static void a_delayed_send(void **state)
{
	static const struct step steps[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 140, DELAYED, .state = PROBE_ALIVE, .due_ms = 190 },
		{ 190, TICK, 0, true, PROBE_MISSED, 1, PROBE_SUSPECT, 215 },
	};
	struct probe p = alive(&fixed);

	RUN(&p, steps);
	assert_int_equal(p.sent_usec, T0 + 190 * MS);
}

static void one_miss_is_enough_when_asked(void **state)
{
	static const struct step steps[] = {
		{ 100, TICK, .send = true, .state = PROBE_ALIVE, .due_ms = 150 },
		{ 150, TICK, 0, true, PROBE_DIED, 1, PROBE_DEAD, 200 },
	};
	struct probe_config c = { 100 * MS, 50 * MS, 1 };
	struct probe p = alive(&c);

	RUN(&p, steps);
}

static void new_parameters(void **state)
{
	struct probe_config slow = { 10 * USEC_PER_SEC, 50 * MS, 3 }, quick = { 20 * MS, 0, 0 };
	struct probe p = alive(&fixed);
	struct probe_report r;

	probe_configure(&p, &slow);
	(void)probe_tick(&p, T0 + 100 * MS, &r);
	probe_answer(&p, T0 + 100 * MS, T0 + 101 * MS, true, &r);
	assert_int_equal(probe_due(&p), T0 + 10100 * MS);
	probe_configure(&p, &quick);
	assert_int_equal(probe_due(&p), T0 + 120 * MS);
	assert_int_equal(p.config.misses, 1);
}

/*
 * The simulated link: answers take 2 to 18 ms, one in 97 takes 44 ms, as was measured under load;
 * our own loop is late by up to 15 ms. Until `cut`, then silence.
 */
static uint64_t simulate(uint64_t until, uint64_t cut, unsigned *ret_misses)
{
	struct {
		uint64_t at, sent;
	} answers[16] = { 0 }; /* under way; at 0: free */
	struct probe p;
	struct probe_report r;
	uint64_t now = T0;
	uint32_t seed = 12345;

	*ret_misses = 0;
	probe_init(&p, &automatic);
	probe_resume(&p, now);
	while (now < until) {
		uint64_t wake = probe_due(&p);
		unsigned next = 16;

		seed = seed * 1103515245 + 12345;
		for (unsigned i = 0; i < 16; i++)
			if (answers[i].at && (next == 16 || answers[i].at < answers[next].at))
				next = i;
		/* The loop wakes late; by then the queue is drained first. */
		if (next < 16 && answers[next].at < wake + (seed >> 16) % 15000) {
			now = answers[next].at > now ? answers[next].at : now;
			answers[next].at = 0;
			probe_answer(&p, answers[next].sent, now, true, &r);
			continue;
		}
		now = wake + (seed >> 16) % 15000;
		if (probe_tick(&p, now, &r) && now < cut) {
			uint64_t trip = (seed >> 8) % 97 == 0 ? 44000 : 2000 + (seed >> 18) % 16000;

			for (next = 0; next < 15 && answers[next].at; next++)
				;
			if (now + trip < cut) {
				answers[next].at = now + trip;
				answers[next].sent = now;
			}
		}
		if (r.result == PROBE_DIED)
			return now;
		*ret_misses += r.result == PROBE_MISSED;
	}
	return 0;
}

static void ten_minutes_without_a_false_alarm(void **state)
{
	unsigned misses;

	assert_int_equal(simulate(T0 + 600 * USEC_PER_SEC, UINT64_MAX, &misses), 0);
	assert_in_range(misses, 0, 20);
}

/* The cable is pulled at any phase of the interval: dead within 0.3 s. */
static void detects_in_time(void **state)
{
	uint64_t worst = 0, sum = 0;

	for (unsigned i = 0; i < 100; i++) {
		uint64_t cut = T0 + 60 * USEC_PER_SEC + i * 2 * MS, dead;
		unsigned misses;

		dead = simulate(cut + 10 * USEC_PER_SEC, cut, &misses);
		assert_true(dead > cut);
		sum += dead - cut;
		if (dead - cut > worst)
			worst = dead - cut;
	}
	print_message("dead after %lu ms on average, %lu ms at most\n",
		      (unsigned long)(sum / 100 / MS), (unsigned long)(worst / MS));
	assert_true(worst <= 310 * MS); /* 15 ms of each wake-up are the simulated host's */
	assert_true(sum / 100 <= 240 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_chart),
		cmocka_unit_test(an_answer_ends_suspicion),
		cmocka_unit_test(a_late_answer_is_alive),
		cmocka_unit_test(silence_of_one_that_never_answered),
		cmocka_unit_test(known_from_elsewhere),
		cmocka_unit_test(dead_is_repeated_and_slows_down),
		cmocka_unit_test(waited_for),
		cmocka_unit_test(return_is_noticed_at_once),
		cmocka_unit_test(a_bad_answer_is_no_miss),
		cmocka_unit_test(our_own_stall_is_no_miss),
		cmocka_unit_test(pause_and_resume),
		cmocka_unit_test(dead_after_a_pause),
		cmocka_unit_test(two_misses_in_one_tick),
		cmocka_unit_test(many_pending),
		cmocka_unit_test(a_delayed_send),
		cmocka_unit_test(one_miss_is_enough_when_asked),
		cmocka_unit_test(new_parameters),
		cmocka_unit_test(ten_minutes_without_a_false_alarm),
		cmocka_unit_test(detects_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
