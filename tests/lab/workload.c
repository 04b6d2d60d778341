// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * workload: reads and writes with verified contents on block devices, and the time each took.
 *
 * Every thread owns a region of one device. Each 4 KiB block carries who wrote it, where, its
 * generation and a checksum; a read must find the generation the thread wrote last. At the end
 * every block that was written is read once more. The result is one JSON object: counts, the
 * longest stall (longest single I/O, one still in flight at the end included), the longest gap
 * without any completion, and a time series of maximum latency and completions per bucket.
 *
 * Runs in the guest, needs nothing but libc (linked statically). Never retries an I/O.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096
#define MAGIC UINT64_C(0x6b726f7761687072)
#define THREADS_MAX 64
#define SLOW_KEPT 16
#define SLOW_US 100000
#define SERIES_SECONDS_MAX 3600

struct block {
	uint64_t magic;
	uint64_t seed;
	uint64_t lba;
	uint64_t generation;
	uint32_t device;
	uint32_t thread;
	uint64_t checksum;
	uint64_t fill[(BLOCK - 48) / 8];
};
_Static_assert(sizeof(struct block) == BLOCK, "a block is 4 KiB");

enum io_kind { IO_READ, IO_WRITE };

struct slow_io {
	uint64_t start_us;
	uint64_t took_us;
	enum io_kind kind;
	uint64_t lba;
};

struct bucket {
	uint32_t max_us;
	uint32_t count;
};

struct options {
	unsigned int threads;
	double seconds;
	unsigned int pause_us;
	unsigned int blocks;
	unsigned int bucket_ms;
	double grace;
	uint64_t seed;
	const char *out;
	const char *live;
	unsigned int n_devices;
	char **devices;
};

struct worker {
	const struct options *options;
	pthread_t thread;
	unsigned int index;
	unsigned int device;
	int fd;
	struct block *buffer;
	uint64_t random;
	uint64_t *generation; /* what each block holds; 0: never written */
	uint64_t *other;      /* what it may hold instead, after a write that failed */
	struct bucket *series;
	_Atomic uint64_t in_flight_since_us; /* 0: none */
	_Atomic bool done;
	uint64_t reads, writes, errors, verified, corrupt;
	struct slow_io slow[SLOW_KEPT];
	unsigned int n_slow;
	char first_error[160];
};

static uint64_t start_us;
static size_t n_buckets;
static _Atomic bool stopping;
static _Atomic uint64_t last_completion_us, gap_us, gap_at_us;

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t block_sum(const struct block *block)
{
	const uint64_t *words = (const uint64_t *)block;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < BLOCK / 8; i++)
		if (i != offsetof(struct block, checksum) / 8)
			sum = (sum ^ words[i]) * UINT64_C(0x100000001b3) + (sum >> 29);
	return sum;
}

static void block_fill(struct worker *w, uint64_t lba, uint64_t generation)
{
	struct block *block = w->buffer;
	uint64_t state = w->options->seed ^ lba << 20 ^ generation ^ UINT64_C(0x9e3779b97f4a7c15);

	block->magic = MAGIC;
	block->seed = w->options->seed;
	block->lba = lba;
	block->generation = generation;
	block->device = w->device;
	block->thread = w->index;
	for (size_t i = 0; i < sizeof(block->fill) / 8; i++)
		block->fill[i] = state += UINT64_C(0x9e3779b97f4a7c15);
	block->checksum = block_sum(block);
}

static void complain(struct worker *w, const char *what, uint64_t lba, const char *detail)
{
	if (!w->first_error[0])
		snprintf(w->first_error, sizeof(w->first_error), "%s %s lba %" PRIu64 ": %s",
			 w->options->devices[w->device], what, lba, detail);
}

static void block_check(struct worker *w, uint64_t lba, unsigned int slot)
{
	const struct block *b = w->buffer;
	char detail[96];

	w->verified++;
	if (b->magic == MAGIC && b->seed == w->options->seed && b->lba == lba &&
	    b->device == w->device && b->thread == w->index && b->checksum == block_sum(b) &&
	    (b->generation == w->generation[slot] ||
	     (w->other[slot] && b->generation == w->other[slot])))
		return;
	w->corrupt++;
	snprintf(detail, sizeof(detail), "found generation %" PRIu64 ", expected %" PRIu64 "%s",
		 b->generation, w->generation[slot],
		 b->checksum == block_sum(b) ? "" : ", bad checksum");
	complain(w, "corrupt", lba, detail);
}

static void note_gap(uint64_t now)
{
	uint64_t before = atomic_exchange(&last_completion_us, now);
	uint64_t gap = now > before ? now - before : 0;
	uint64_t longest = atomic_load(&gap_us);

	while (gap > longest)
		if (atomic_compare_exchange_weak(&gap_us, &longest, gap)) {
			atomic_store(&gap_at_us, before);
			return;
		}
}

static void note_io(struct worker *w, enum io_kind kind, uint64_t lba, uint64_t begin, uint64_t end)
{
	uint64_t took = end > begin ? end - begin : 0;
	size_t n = (end - start_us) / 1000 / w->options->bucket_ms;

	if (n < n_buckets) {
		w->series[n].count++;
		if (took > w->series[n].max_us)
			w->series[n].max_us = took > UINT32_MAX ? UINT32_MAX : took;
	}
	note_gap(end);
	if (took >= SLOW_US) {
		unsigned int slot = w->n_slow;

		if (slot == SLOW_KEPT) { /* full: take the place of the shortest */
			slot = 0;
			for (unsigned int i = 1; i < SLOW_KEPT; i++)
				if (w->slow[i].took_us < w->slow[slot].took_us)
					slot = i;
			if (w->slow[slot].took_us >= took)
				return;
		} else {
			w->n_slow++;
		}
		w->slow[slot] = (struct slow_io){ begin, took, kind, lba };
	}
}

/* One I/O of the buffer at a slot of the region: 0 or negative errno. */
static int worker_io(struct worker *w, enum io_kind kind, unsigned int slot)
{
	uint64_t lba = (uint64_t)w->index * w->options->blocks + slot;
	uint64_t begin = now_us(), end;
	off_t offset = (off_t)lba * BLOCK;
	ssize_t n;
	int r = 0;

	atomic_store(&w->in_flight_since_us, begin);
	n = kind == IO_READ ? pread(w->fd, w->buffer, BLOCK, offset)
			    : pwrite(w->fd, w->buffer, BLOCK, offset);
	if (n != BLOCK)
		r = n < 0 ? -errno : -EIO;
	end = now_us();
	atomic_store(&w->in_flight_since_us, 0);
	note_io(w, kind, lba, begin, end);
	if (r < 0) {
		w->errors++;
		complain(w, kind == IO_READ ? "read" : "write", lba, strerror(-r));
		usleep(100000); /* an erring device must not become a busy loop */
	}
	return r;
}

static void worker_write(struct worker *w, unsigned int slot)
{
	uint64_t generation = w->generation[slot] + 1;

	if (w->other[slot] > w->generation[slot])
		generation = w->other[slot] + 1;
	block_fill(w, (uint64_t)w->index * w->options->blocks + slot, generation);
	w->writes++;
	if (worker_io(w, IO_WRITE, slot) < 0) {
		w->other[slot] = generation;
		return;
	}
	w->generation[slot] = generation;
	w->other[slot] = 0;
}

static void worker_read(struct worker *w, unsigned int slot)
{
	w->reads++;
	memset(w->buffer, 0, 64);
	if (worker_io(w, IO_READ, slot) == 0)
		block_check(w, (uint64_t)w->index * w->options->blocks + slot, slot);
}

static void *worker_main(void *data)
{
	struct worker *w = data;

	while (!atomic_load(&stopping)) {
		uint64_t dice = next_random(&w->random);
		unsigned int slot = (dice >> 8) % w->options->blocks;

		if ((dice & 1) && w->generation[slot])
			worker_read(w, slot);
		else
			worker_write(w, slot);
		if (w->options->pause_us)
			usleep(w->options->pause_us);
	}
	for (unsigned int slot = 0; slot < w->options->blocks; slot++)
		if (w->generation[slot])
			worker_read(w, slot);
	atomic_store(&w->done, true);
	return NULL;
}

static void json_string(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++)
		fprintf(f, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	fputc('"', f);
}

static void print_series(FILE *f, const struct options *o, const struct worker *workers,
			 uint64_t end)
{
	size_t used = (end - start_us) / 1000 / o->bucket_ms + 1;

	fprintf(f, "\"bucket_ms\":%u,\"series\":[", o->bucket_ms);
	for (size_t n = 0; n < n_buckets && n < used; n++) {
		uint32_t max = 0, count = 0;

		for (unsigned int i = 0; i < o->threads; i++) {
			if (workers[i].series[n].max_us > max)
				max = workers[i].series[n].max_us;
			count += workers[i].series[n].count;
		}
		fprintf(f, "%s[%" PRIu32 ",%" PRIu32 "]", n ? "," : "", max, count);
	}
	fputs("],", f);
}

static void print_result(FILE *f, const struct options *o, struct worker *workers, uint64_t end)
{
	uint64_t reads = 0, writes = 0, errors = 0, verified = 0, corrupt = 0, stall = 0, at = 0;
	unsigned int unfinished = 0;
	const char *separator = "";

	fprintf(f, "{\"start\":%.6f,\"end\":%.6f,", start_us / 1e6, end / 1e6);
	print_series(f, o, workers, end);
	fputs("\"slow\":[", f);
	for (unsigned int i = 0; i < o->threads; i++) {
		struct worker *w = &workers[i];
		uint64_t since = atomic_load(&w->in_flight_since_us);
		bool unfinished_io = !atomic_load(&w->done) && since;

		if (unfinished_io && end - since > stall)
			stall = end - since, at = since;
		unfinished += !atomic_load(&w->done);
		for (unsigned int k = 0; k < w->n_slow; k++) {
			const struct slow_io *s = &w->slow[k];

			if (s->took_us > stall)
				stall = s->took_us, at = s->start_us;
			fprintf(f,
				"%s{\"start\":%.6f,\"took\":%.6f,\"kind\":\"%s\",\"lba\":%" PRIu64
				",\"thread\":%u,\"device\":\"%s\"}",
				separator, s->start_us / 1e6, s->took_us / 1e6,
				s->kind == IO_READ ? "read" : "write", s->lba, w->index,
				o->devices[w->device]);
			separator = ",";
		}
		if (unfinished_io) {
			fprintf(f,
				"%s{\"start\":%.6f,\"took\":%.6f,\"kind\":\"unfinished\","
				"\"thread\":%u,\"device\":\"%s\"}",
				separator, since / 1e6, (end - since) / 1e6, w->index,
				o->devices[w->device]);
			separator = ",";
		}
		reads += w->reads, writes += w->writes, errors += w->errors;
		verified += w->verified, corrupt += w->corrupt;
	}
	if (!stall) { /* nothing was slow: the largest bucket is the longest */
		for (unsigned int i = 0; i < o->threads; i++)
			for (size_t n = 0; n < n_buckets; n++)
				if (workers[i].series[n].max_us > stall) {
					stall = workers[i].series[n].max_us;
					at = start_us + n * o->bucket_ms * 1000;
				}
	}
	fputs("],\"first_errors\":[", f);
	separator = "";
	for (unsigned int i = 0; i < o->threads; i++)
		if (workers[i].first_error[0]) {
			fputs(separator, f);
			json_string(f, workers[i].first_error);
			separator = ",";
		}
	fprintf(f,
		"],\"reads\":%" PRIu64 ",\"writes\":%" PRIu64 ",\"errors\":%" PRIu64
		",\"verified\":%" PRIu64 ",\"corrupt\":%" PRIu64 ",\"unfinished\":%u,",
		reads, writes, errors, verified, corrupt, unfinished);
	fprintf(f, "\"stall\":%.6f,\"stall_at\":%.6f,\"gap\":%.6f,\"gap_at\":%.6f}\n", stall / 1e6,
		at / 1e6, atomic_load(&gap_us) / 1e6, atomic_load(&gap_at_us) / 1e6);
}

static int worker_start(struct worker *w, const struct options *o, unsigned int index)
{
	w->options = o;
	w->index = index;
	w->device = index % o->n_devices;
	w->random = (o->seed + index + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	w->fd = open(o->devices[w->device], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (w->fd < 0) {
		fprintf(stderr, "workload: %s: %m\n", o->devices[w->device]);
		return -errno;
	}
	w->generation = calloc(o->blocks, sizeof(*w->generation));
	w->other = calloc(o->blocks, sizeof(*w->other));
	w->series = calloc(n_buckets, sizeof(*w->series));
	if (!w->generation || !w->other || !w->series ||
	    posix_memalign((void **)&w->buffer, BLOCK, BLOCK))
		return -ENOMEM;
	return -pthread_create(&w->thread, NULL, worker_main, w);
}

static bool all_done(const struct options *o, struct worker *workers)
{
	for (unsigned int i = 0; i < o->threads; i++)
		if (!atomic_load(&workers[i].done))
			return false;
	return true;
}

/* For whoever waits outside: microseconds that the oldest I/O in flight has waited. */
static void tell_oldest(const struct options *o, struct worker *workers, int live)
{
	uint64_t now = now_us(), oldest = 0;
	char text[32];
	int n;

	for (unsigned int i = 0; i < o->threads; i++) {
		uint64_t since = atomic_load(&workers[i].in_flight_since_us);

		if (since && now > since && now - since > oldest)
			oldest = now - since;
	}
	n = snprintf(text, sizeof(text), "%20" PRIu64 "\n", oldest);
	if (live >= 0 && pwrite(live, text, n, 0) != n)
		fprintf(stderr, "workload: cannot write %s: %m\n", o->live);
}

/* Until SIGTERM, or for so many seconds; 0 is for ever. */
static void wait_for_the_end(const struct options *o, struct worker *workers,
			     const sigset_t *signals)
{
	const struct timespec tick = { .tv_nsec = 200000000 };
	int live = o->live ? open(o->live, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
	uint64_t end = now_us() + (uint64_t)(o->seconds * 1e6);

	while ((o->seconds <= 0 || now_us() < end) && sigtimedwait(signals, NULL, &tick) < 0)
		tell_oldest(o, workers, live);
	if (live >= 0)
		close(live);
}

static int write_result(const struct options *o, struct worker *workers, uint64_t end)
{
	char temporary[4096];
	FILE *f;

	if (!o->out) {
		print_result(stdout, o, workers, end);
		return fflush(stdout);
	}
	snprintf(temporary, sizeof(temporary), "%s.tmp", o->out);
	f = fopen(temporary, "we");
	if (!f)
		return -errno;
	print_result(f, o, workers, end);
	if (fclose(f) || rename(temporary, o->out))
		return -errno;
	return 0;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "threads", required_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 's' },
		{ "pause-us", required_argument, NULL, 'p' },
		{ "blocks", required_argument, NULL, 'b' },
		{ "bucket-ms", required_argument, NULL, 'k' },
		{ "grace", required_argument, NULL, 'g' },
		{ "seed", required_argument, NULL, 'S' },
		{ "out", required_argument, NULL, 'o' },
		{ "live", required_argument, NULL, 'l' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 't':
			o->threads = strtoul(optarg, NULL, 10);
			break;
		case 's':
			o->seconds = strtod(optarg, NULL);
			break;
		case 'p':
			o->pause_us = strtoul(optarg, NULL, 10);
			break;
		case 'b':
			o->blocks = strtoul(optarg, NULL, 10);
			break;
		case 'k':
			o->bucket_ms = strtoul(optarg, NULL, 10);
			break;
		case 'g':
			o->grace = strtod(optarg, NULL);
			break;
		case 'S':
			o->seed = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			o->out = optarg;
			break;
		case 'l':
			o->live = optarg;
			break;
		default:
			return -EINVAL;
		}
	o->devices = argv + optind;
	o->n_devices = argc - optind;
	if (!o->n_devices || !o->threads || o->threads > THREADS_MAX || !o->blocks || !o->bucket_ms)
		return -EINVAL;
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.threads = 4, .pause_us = 2000, .blocks = 64, .bucket_ms = 50, .grace = 90
	};
	static struct worker workers[THREADS_MAX];
	uint64_t deadline;
	sigset_t signals;

	o.seed = now_us();
	if (parse(&o, argc, argv) < 0) {
		fprintf(stderr, "usage: workload [--threads N] [--seconds S] [--pause-us U] "
				"[--blocks PER-THREAD] [--bucket-ms M] [--grace S] [--seed N] "
				"[--out FILE] [--live FILE] DEVICE...\n");
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	n_buckets = (size_t)SERIES_SECONDS_MAX * 1000 / o.bucket_ms;
	if (o.seconds > 0 && o.seconds + o.grace < SERIES_SECONDS_MAX)
		n_buckets = (size_t)((o.seconds + o.grace) * 1000) / o.bucket_ms + 1;
	start_us = now_us();
	atomic_store(&last_completion_us, start_us);
	for (unsigned int i = 0; i < o.threads; i++)
		if (worker_start(&workers[i], &o, i) < 0)
			return 1;
	wait_for_the_end(&o, workers, &signals);
	atomic_store(&stopping, true);
	deadline = now_us() + (uint64_t)(o.grace * 1e6);
	while (!all_done(&o, workers) && now_us() < deadline)
		usleep(10000);
	if (write_result(&o, workers, now_us()) < 0) {
		fprintf(stderr, "workload: cannot write the result: %m\n");
		_exit(1);
	}
	_exit(0); /* a thread in an endless I/O cannot be joined */
}
