/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * srpha-worker as a process, from outside: the supervisor's end of its socket, a sysfs of our own,
 * a fabric of our own behind a libibumad of our own, and a network namespace with a real neighbour
 * to find. Argument: the worker's path; FAKE_UMAD_LIBRARY: the directory of the library.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/parse.h"
#include "fabric/mad.h"
#include "fake_target.h"
#include "fake_umad.h"
#include "wire/channel.h"

#define TARGET_GUID UINT64_C(0x505400fffe120001)
#define TARGET_MAC "52:54:00:12:00:01"
#define TARGET_GID "fe80000000000000505400fffe120001"
#define OUR_GID "fe80:0000:0000:0000:5054:00ff:fe11:0001"
#define WAIT_MS 15000 /* for what should take milliseconds, on a very busy machine */

static const char *worker_path;
static bool have_network;

struct fixture {
	char root[64];
	pid_t pid;
	int channel;
	int listener, fabric;
	struct fake_target target;
	bool target_silent;
	uint64_t silent_since;
	unsigned requests;
};

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

__attribute__((format(printf, 3, 4))) static void put_file(const struct fixture *f,
							   const char *path, const char *fmt, ...)
{
	char full[256], text[128], *slash;
	va_list ap;
	FILE *file;

	snprintf(full, sizeof(full), "%s/sys/class/infiniband/rxe0/ports/1/%s", f->root, path);
	for (slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	file = fopen(full, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	return system(command);
}

static void listen_fabric(struct fixture *f)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char name[64];
	int n = snprintf(name, sizeof(name), "srpha-test-fabric-%d", getpid());

	memcpy(a.sun_path + 1, name, (size_t)n);
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(f->listener >= 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)),
			 0);
	assert_int_equal(listen(f->listener, 1), 0);
	setenv("FAKE_UMAD", name, 1);
}

static void start_worker(struct fixture *f)
{
	int theirs;

	assert_int_equal(channel_pair(&f->channel, &theirs), 0);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0) {
		setenv("LD_LIBRARY_PATH", getenv("FAKE_UMAD_LIBRARY"), 1);
		if (dup2(theirs, 3) < 0)
			_exit(126);
		execl(worker_path, worker_path, "--port", "rxe0:1", "--root", f->root, NULL);
		_exit(127);
	}
	close(theirs);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->root, "/tmp/srpha-test-worker-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	/* Its mode is 0700: the worker reads it though it has become nobody. */
	put_file(f, "state", "4: ACTIVE\n");
	put_file(f, "link_layer", "Ethernet\n");
	put_file(f, "gids/0", "%s\n", OUR_GID);
	put_file(f, "gid_attrs/types/0", "RoCE v2\n");
	put_file(f, "gid_attrs/ndevs/0", "eth-i\n");
	fake_target_init(&f->target, TARGET_GUID);
	f->fabric = -1;
	listen_fabric(f);
	start_worker(f);
	*state = f;
	return 0;
}

/* The supervisor hangs up: the worker ends well, which under a sanitizer says more. */
static int teardown(void **state)
{
	struct fixture *f = *state;
	int status = 0;

	close(f->channel);
	if (f->pid > 0)
		waitpid(f->pid, &status, 0);
	close(f->listener);
	if (f->fabric >= 0)
		close(f->fabric);
	run("rm -rf %s", f->root);
	free(f);
	return status;
}

/* One datagram of the worker on the fabric. */
static void serve_fabric(struct fixture *f)
{
	_Alignas(8) uint8_t buf[sizeof(struct ib_user_mad) + MAD_SIZE];
	struct ib_user_mad *m = (struct ib_user_mad *)buf;
	ssize_t n = recv(f->fabric, buf, sizeof(buf), MSG_DONTWAIT);

	if (n != (ssize_t)sizeof(buf)) {
		close(f->fabric);
		f->fabric = -1;
		return;
	}
	f->requests++;
	if (f->target_silent)
		return;
	fake_target_answer(&f->target, m->data);
	m->status = 0;
	(void)send(f->fabric, buf, sizeof(buf), MSG_NOSIGNAL);
}

/* The next message of the worker, the fabric served meanwhile; NULL when the worker is gone. */
static struct json_object *next_message(struct fixture *f)
{
	uint64_t until = now_usec() + WAIT_MS * USEC_PER_MSEC;
	struct json_object *o = NULL;

	while (now_usec() < until) {
		struct pollfd p[3] = { { .fd = f->channel, .events = POLLIN },
				       { .fd = f->listener, .events = POLLIN },
				       { .fd = f->fabric, .events = POLLIN } };
		int r;

		assert_true(poll(p, 3, 100) >= 0);
		if (p[1].revents)
			f->fabric = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
		if (p[2].revents)
			serve_fabric(f);
		if (!p[0].revents)
			continue;
		r = channel_recv(f->channel, &o);
		if (r == 0)
			return NULL;
		assert_int_equal(r, 1);
		return o;
	}
	fail_msg("the worker said nothing for %d ms", WAIT_MS);
	return NULL;
}

static const char *text_of(struct json_object *o, const char *key)
{
	const char *s;

	return json_get_string(o, key, &s) == 0 ? s : "";
}

/* The next message of that kind, for which `key` is `value` (NULL: any); others are skipped. */
static struct json_object *await(struct fixture *f, const char *msg, const char *key,
				 const char *value)
{
	uint64_t until = now_usec() + WAIT_MS * USEC_PER_MSEC;
	struct json_object *o;

	while ((o = next_message(f))) {
		if (strcmp(text_of(o, "msg"), msg) == 0 &&
		    (!key || strcmp(text_of(o, key), value) == 0))
			return o;
		if (now_usec() > until)
			break;
		json_object_put(o);
	}
	fail_msg("no %s with %s=%s", msg, key ? key : "any", value ? value : "");
	return NULL;
}

static void tell(struct fixture *f, const char *text)
{
	struct json_object *o;

	assert_int_equal(json_parse_object(text, strlen(text), &o), 0);
	assert_int_equal(channel_send(f->channel, o), 0);
	json_object_put(o);
}

static void await_end(struct fixture *f)
{
	int status;

	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void greets_and_reports_the_port(void **state)
{
	struct fixture *f = *state;
	struct json_object *o = next_message(f);
	uint64_t pid;

	assert_string_equal(text_of(o, "msg"), "hello");
	assert_string_equal(text_of(o, "port"), "rxe0:1");
	assert_int_equal(json_get_u64(o, "pid", UINT32_MAX, &pid), 0);
	assert_int_equal(pid, f->pid);
	json_object_put(o);

	o = next_message(f);
	assert_string_equal(text_of(o, "msg"), "port");
	assert_string_equal(text_of(o, "state"), "ACTIVE");
	assert_string_equal(text_of(o, "link_layer"), "Ethernet");
	assert_string_equal(text_of(o, "netdev"), "eth-i");
	assert_string_equal(text_of(o, "gid"), "fe80000000000000505400fffe110001");
	assert_string_equal(text_of(o, "source"), "start");
	json_object_put(o);
	json_object_put(await(f, "stats", NULL, NULL));
}

static void has_no_privileges(void **state)
{
	struct fixture *f = *state;
	char path[64], line[256];
	unsigned checked = 0;
	FILE *file;

	if (geteuid() != 0) {
		print_message("not root: nothing to drop\n");
		skip();
	}
	json_object_put(await(f, "stats", NULL, NULL));
	snprintf(path, sizeof(path), "/proc/%d/status", f->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Uid:", 4) == 0) {
			assert_string_equal(line, "Uid:\t65534\t65534\t65534\t65534\n");
			checked++;
		} else if (strncmp(line, "CapEff:", 7) == 0 || strncmp(line, "CapPrm:", 7) == 0) {
			assert_string_equal(line + 8, "0000000000000000\n");
			checked++;
		} else if (strncmp(line, "NoNewPrivs:", 11) == 0) {
			assert_string_equal(line, "NoNewPrivs:\t1\n");
			checked++;
		}
	}
	fclose(file);
	assert_int_equal(checked, 4);
}

static void follows_the_state_in_sysfs(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;

	json_object_put(await(f, "port", "state", "ACTIVE"));
	put_file(f, "state", "1: DOWN\n");
	o = await(f, "port", "state", "DOWN");
	assert_string_equal(text_of(o, "source"), "sysfs");
	json_object_put(o);
	put_file(f, "state", "4: ACTIVE\n");
	json_object_put(await(f, "port", "state", "ACTIVE"));
}

static void ends_when_the_device_goes(void **state)
{
	struct fixture *f = *state;

	json_object_put(await(f, "stats", NULL, NULL));
	run("rm -r %s/sys/class/infiniband/rxe0", f->root);
	json_object_put(await(f, "port", "state", "GONE"));
	assert_null(next_message(f));
	await_end(f);
}

static void ends_when_umad_goes(void **state)
{
	struct fixture *f = *state;

	json_object_put(await(f, "stats", NULL, NULL));
	assert_true(f->fabric >= 0);
	close(f->fabric);
	f->fabric = -1;
	json_object_put(await(f, "port", "state", "GONE"));
	await_end(f);
}

static void ends_with_its_supervisor(void **state)
{
	struct fixture *f = *state;

	json_object_put(await(f, "stats", NULL, NULL));
	assert_int_equal(shutdown(f->channel, SHUT_RDWR), 0);
	await_end(f);
}

static void refuses_bad_messages(void **state)
{
	struct fixture *f = *state;

	tell(f, "{\"msg\":\"config\",\"portals\":[{\"id\":1,\"dest\":\"nowhere\"}]}");
	json_object_put(await(f, "problem", "text", "rxe0:1: config message ignored: bad dest"));
	tell(f, "{\"msg\":\"dance\"}");
	json_object_put(await(f, "problem", "text", "rxe0:1: unknown message \"dance\" ignored"));
	assert_int_equal(send(f->channel, "}", 1, 0), 1);
	json_object_put(await(f, "problem", "text", "rxe0:1: message ignored: not a JSON object"));
}

#define PORTAL                                                                                     \
	"{\"msg\":\"config\",\"portals\":[{\"id\":5,\"dest\":\"10.9.0.2:5555\","                   \
	"\"interval_usec\":100000,\"timeout_usec\":0,\"misses\":3}]}"

static void need_network(void)
{
	if (!have_network) {
		print_message("no network namespace (root and iproute2 are needed): not tested\n");
		skip();
	}
}

static void resolves_a_portal(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;
	bool routed;

	need_network();
	tell(f, PORTAL);
	json_object_put(await(f, "probe", "result", "answered"));
	/* Once more, so that what is asked for does not hang on the order of the two. */
	tell(f, "{\"msg\":\"config\",\"portals\":[]}");
	tell(f, PORTAL);
	o = await(f, "portal", "id_ext", "505400fffe120001");
	assert_string_equal(text_of(o, "gid"), TARGET_GID);
	assert_string_equal(text_of(o, "ioc_guid"), "505400fffe120001");
	assert_string_equal(text_of(o, "probe"), "possible");
	assert_string_equal(text_of(o, "why"), "");
	assert_int_equal(json_get_bool(o, "routed", &routed), 0);
	assert_true(routed);
	json_object_put(o);
}

static void tells_why_not(void **state)
{
	struct fixture *f = *state;

	need_network();
	tell(f, "{\"msg\":\"config\",\"portals\":[{\"id\":6,\"dest\":\"10.9.0.99:5555\"}]}");
	json_object_put(await(f, "portal", "why", "no answer to ARP for 10.9.0.99 on eth-i"));
	tell(f, "{\"msg\":\"config\",\"portals\":[{\"id\":7,\"dest\":\"10.9.0.1:5555\"}]}");
	json_object_put(await(f, "portal", "why", "10.9.0.1 is an address of this host"));
	tell(f, "{\"msg\":\"config\",\"portals\":[{\"id\":8,\"dest\":\"10.77.0.1:5555\"}]}");
	json_object_put(await(f, "portal", "why", "no route to 10.77.0.1: Network is unreachable"));
	tell(f, "{\"msg\":\"config\",\"portals\":[{\"id\":9,\"dest\":\"10.8.0.1:5555\"}]}");
	json_object_put(await(f, "portal", "why",
			      "10.8.0.1 is behind a router: not probed, and id_ext and ioc_guid "
			      "must be given"));
}

/* Silence of the target, the link being up: what the probe is for. */
static void detects_silence_and_return(void **state)
{
	struct fixture *f = *state;
	uint64_t began;

	need_network();
	tell(f, PORTAL);
	json_object_put(await(f, "probe", "result", "answered"));
	/* Until the timeout follows the round trip. */
	for (unsigned i = 0; i < 3; i++)
		json_object_put(await(f, "stats", NULL, NULL));

	f->target_silent = true;
	began = now_usec();
	json_object_put(await(f, "probe", "result", "miss"));
	json_object_put(await(f, "probe", "result", "dead"));
	print_message("dead after %lu ms\n", (unsigned long)((now_usec() - began) / 1000));
	/* Interval + 3 timeouts at their minimum is 220 ms; this is a test of logic, not of speed. */
	assert_true(now_usec() - began < USEC_PER_SEC);
	json_object_put(await(f, "probe", "result", "dead")); /* it lasts */

	f->target_silent = false;
	began = now_usec();
	json_object_put(await(f, "probe", "result", "answered"));
	print_message("back after %lu ms\n", (unsigned long)((now_usec() - began) / 1000));
	assert_true(now_usec() - began < USEC_PER_SEC);
}

/* Our own link: nothing is sent, nothing is missed; the return is reported. */
static void port_down_is_no_miss(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;

	need_network();
	tell(f, PORTAL);
	json_object_put(await(f, "probe", "result", "answered"));
	put_file(f, "state", "1: DOWN\n");
	json_object_put(await(f, "port", "state", "DOWN"));
	for (unsigned stats = 0; stats < 2;) {
		o = next_message(f);
		assert_non_null(o);
		assert_string_not_equal(text_of(o, "msg"), "probe");
		stats += strcmp(text_of(o, "msg"), "stats") == 0;
		json_object_put(o);
	}
	put_file(f, "state", "4: ACTIVE\n");
	json_object_put(await(f, "port", "state", "ACTIVE"));
	json_object_put(await(f, "probe", "result", "answered"));
}

/* A worker that replaced one which knew the target. */
static void answered_elsewhere_is_watched(void **state)
{
	struct fixture *f = *state;

	need_network();
	f->target_silent = true;
	tell(f, "{\"msg\":\"config\",\"portals\":[{\"id\":5,\"dest\":\"10.9.0.2:5555\","
		"\"answered\":true,\"gid\":\"" TARGET_GID "\"}]}");
	json_object_put(await(f, "probe", "result", "dead"));
	f->target_silent = false;
	json_object_put(await(f, "probe", "result", "answered"));
}

/* The neighbour's MAC changes: another GID, which is followed. */
static void follows_a_new_neighbour(void **state)
{
	struct fixture *f = *state;

	need_network();
	tell(f, PORTAL);
	json_object_put(await(f, "probe", "result", "answered"));
	assert_int_equal(run("ip neigh replace 10.9.0.2 lladdr 52:54:00:12:00:99 dev eth-i"), 0);
	json_object_put(await(f, "portal", "gid", "fe80000000000000505400fffe120099"));
	assert_int_equal(run("ip neigh del 10.9.0.2 dev eth-i"), 0);
	json_object_put(await(f, "portal", "gid", TARGET_GID));
}

/* Our namespace and the target's, one cable. The target's process sleeps until we end. */
static bool make_network(void)
{
	int ready[2], go[2];
	pid_t target;
	char c;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 || pipe(ready) < 0 || pipe(go) < 0)
		return false;
	target = fork();
	if (target < 0)
		return false;
	if (target == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		if (unshare(CLONE_NEWNET) < 0 ||
		    run("echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad") != 0 ||
		    write(ready[1], "r", 1) != 1 || read(go[0], &c, 1) != 1 ||
		    run("ip link set eth-t address " TARGET_MAC
			" && ip addr add 10.9.0.2/24 dev eth-t && ip link set eth-t up") != 0 ||
		    write(ready[1], "r", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1 ||
	    run("echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad && ip link set lo up && "
		"ip link add eth-i address 52:54:00:11:00:01 type veth peer name eth-t netns %d && "
		"ip addr add 10.9.0.1/24 dev eth-i && ip link set eth-i up && "
		"ip route add 10.8.0.0/24 via 10.9.0.254",
		target) != 0 ||
	    write(go[1], "g", 1) != 1 || read(ready[0], &c, 1) != 1)
		return false;
	return true;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(greets_and_reports_the_port),
		CASE(has_no_privileges),
		CASE(follows_the_state_in_sysfs),
		CASE(ends_when_the_device_goes),
		CASE(ends_when_umad_goes),
		CASE(ends_with_its_supervisor),
		CASE(refuses_bad_messages),
		CASE(resolves_a_portal),
		CASE(tells_why_not),
		CASE(detects_silence_and_return),
		CASE(port_down_is_no_miss),
		CASE(answered_elsewhere_is_watched),
		CASE(follows_a_new_neighbour),
	};

	if (argc != 2 || !getenv("FAKE_UMAD_LIBRARY"))
		return 2;
	worker_path = argv[1];
	signal(SIGPIPE, SIG_IGN);
	have_network = make_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
