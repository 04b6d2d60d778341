/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/srp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "base/root.h"
#include "observe/srp_luns.h"

#define RPORTS "sys/class/srp_remote_ports"
#define HOSTS "sys/class/scsi_host"

/* drivers/scsi/scsi_transport_srp.c, show_srp_rport_state(). */
static const char *const state_names[] = {
	[RPORT_RUNNING] = "running", [RPORT_BLOCKED] = "blocked", [RPORT_FAIL_FAST] = "fail-fast",
	[RPORT_LOST] = "lost",	     [RPORT_UNKNOWN] = "unknown",
};

const char *rport_state_name(enum rport_state s)
{
	return (unsigned)s < ARRAY_SIZE(state_names) ? state_names[s] : "unknown";
}

enum rport_state rport_state_parse(const char *s)
{
	for (unsigned i = 0; i < RPORT_UNKNOWN; i++)
		if (strcmp(s, state_names[i]) == 0)
			return (enum rport_state)i;
	return RPORT_UNKNOWN;
}

enum rport_state srp_rport_state(int root_fd, const char *rport)
{
	char buf[32];

	if (root_readf(root_fd, buf, sizeof(buf), RPORTS "/%s/state", rport) < 0)
		return RPORT_UNKNOWN;
	return rport_state_parse(buf);
}

int srp_tmo_parse(const char *s, int *ret)
{
	uint64_t n;

	if (strcmp(s, "off") == 0) {
		*ret = -1;
		return 0;
	}
	if (parse_u64(s, 0, INT_MAX, &n) < 0)
		return -EINVAL;
	*ret = (int)n;
	return 0;
}

int srp_host_instance(int root_fd, const char *host, uint64_t *ret)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), HOSTS "/%s", host);
	if (fstatat(root_fd, path, &st, 0) < 0)
		return -ENOENT;
	*ret = st.st_ino;
	return 0;
}

int srp_sg_host(int root_fd, const char *sg, unsigned *ret_host_no)
{
	char path[96], link[PATH_MAX];
	const char *hctl;
	unsigned host;
	ssize_t n;

	snprintf(path, sizeof(path), "sys/class/scsi_generic/%s/device", sg);
	n = readlinkat(root_fd, path, link, sizeof(link) - 1);
	if (n < 0)
		return -ENOENT;
	link[n] = '\0';
	hctl = strrchr(link, '/');
	if (sscanf(hctl ? hctl + 1 : link, "%u:", &host) != 1)
		return -ENOENT;
	*ret_host_no = host;
	return 0;
}

void srp_session_clear(struct srp_session *s)
{
	free(s->luns);
	devnos_clear(&s->devnos);
	memset(s, 0, sizeof(*s));
}

void srp_view_clear(struct srp_view *v)
{
	for (unsigned i = 0; i < v->n_sessions; i++)
		srp_session_clear(&v->sessions[i]);
	free(v->sessions);
	devnos_clear(&v->devnos);
	memset(v, 0, sizeof(*v));
}

static int read_tmo(int root_fd, const char *rport, const char *name, int *ret)
{
	char buf[32];

	if (root_readf(root_fd, buf, sizeof(buf), RPORTS "/%s/%s", rport, name) < 0)
		return -ENOENT;
	return srp_tmo_parse(buf, ret);
}

static int read_rport(int root_fd, struct srp_session *s)
{
	uint64_t failed;
	char buf[32];

	s->rport_state = srp_rport_state(root_fd, s->rport);
	if (s->rport_state == RPORT_UNKNOWN ||
	    read_tmo(root_fd, s->rport, "reconnect_delay", &s->reconnect_delay) < 0 ||
	    read_tmo(root_fd, s->rport, "fast_io_fail_tmo", &s->fast_io_fail_tmo) < 0 ||
	    read_tmo(root_fd, s->rport, "dev_loss_tmo", &s->dev_loss_tmo) < 0 ||
	    root_readf(root_fd, buf, sizeof(buf), RPORTS "/%s/failed_reconnects", s->rport) < 0 ||
	    parse_u64(buf, 0, UINT_MAX, &failed) < 0)
		return -ENOENT;
	s->failed_reconnects = (unsigned)failed;
	return 0;
}

static int read_guid(int root_fd, const char *host, const char *name, uint64_t *ret)
{
	char buf[64];

	if (root_readf(root_fd, buf, sizeof(buf), HOSTS "/%s/%s", host, name) < 0)
		return -ENOENT;
	return parse_guid(buf, ret);
}

static int read_gid(int root_fd, const char *host, const char *name, uint8_t ret[static 16])
{
	char buf[64];
	ssize_t n = root_readf(root_fd, buf, sizeof(buf), HOSTS "/%s/%s", host, name);

	return n < 0 ? (int)n : parse_gid(buf, ret);
}

/* Attributes of drivers/infiniband/ulp/srp/ib_srp.c: a host without id_ext is not one of its. */
static int read_host(int root_fd, struct srp_session *s)
{
	char device[64];
	char port[16];

	if (srp_host_instance(root_fd, s->host, &s->instance) < 0 ||
	    read_guid(root_fd, s->host, "id_ext", &s->id_ext) < 0 ||
	    read_guid(root_fd, s->host, "ioc_guid", &s->ioc_guid) < 0 ||
	    read_gid(root_fd, s->host, "sgid", s->sgid) < 0 ||
	    root_readf(root_fd, device, sizeof(device), HOSTS "/%s/local_ib_device", s->host) < 0 ||
	    root_readf(root_fd, port, sizeof(port), HOSTS "/%s/local_ib_port", s->host) < 0)
		return -ENOENT;
	if (snprintf(s->port, sizeof(s->port), "%s:%s", device, port) >= (int)sizeof(s->port))
		return -ENOENT;
	/* Over RDMA/CM reading dgid answers ENOENT, although the attribute is there. */
	s->rdma_cm = read_gid(root_fd, s->host, "dgid", s->dgid) < 0;
	return 0;
}

static int session_read(int root_fd, const char *rport, unsigned *budget, struct srp_session *ret)
{
	_cleanup_(srp_session_clear) struct srp_session s = { 0 };
	uint64_t instance;
	unsigned id;
	int end = 0, r;

	if (sscanf(rport, "port-%u:%u%n", &s.host_no, &id, &end) != 2 || rport[end] != '\0' ||
	    strlen(rport) >= sizeof(s.rport))
		return -ENOENT;
	strcpy(s.rport, rport);
	snprintf(s.host, sizeof(s.host), "host%u", s.host_no);
	if (read_host(root_fd, &s) < 0 || read_rport(root_fd, &s) < 0)
		return -ENOENT;
	r = srp_luns_read(root_fd, &s, budget);
	if (r < 0)
		return r;
	/* The number may have been given to another host while we read. */
	if (srp_host_instance(root_fd, s.host, &instance) < 0 || instance != s.instance)
		return -ENOENT;
	*ret = s;
	s = (struct srp_session){ 0 };
	return 0;
}

int srp_session_read(int root_fd, const char *rport, struct srp_session *ret)
{
	unsigned budget = OBSERVE_LUNS_MAX;

	return session_read(root_fd, rport, &budget, ret);
}

struct reader {
	int root_fd;
	unsigned budget;
	struct srp_view view;
};

static int add_session(const char *name, void *userdata)
{
	struct reader *rd = userdata;
	struct srp_view *v = &rd->view;
	struct srp_session *sessions;
	int r;

	if (v->n_sessions == OBSERVE_SESSIONS_MAX) {
		v->truncated = true;
		return 1;
	}
	sessions = reallocarray(v->sessions, v->n_sessions + 1, sizeof(*sessions));
	if (!sessions)
		return -ENOMEM;
	v->sessions = sessions;
	r = session_read(rd->root_fd, name, &rd->budget, &v->sessions[v->n_sessions]);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	v->n_sessions++;
	return 0;
}

static int compare_sessions(const void *a, const void *b)
{
	const struct srp_session *x = a, *y = b;

	return x->host_no < y->host_no ? -1 : x->host_no > y->host_no;
}

struct srp_session *srp_view_find_devno(const struct srp_view *v, const char *devno)
{
	const struct devno_entry *e = devnos_find(&v->devnos, devno);

	return e ? &v->sessions[e->owner] : NULL;
}

int srp_session_index(struct srp_session *s)
{
	int r = 0;

	for (unsigned i = 0; i < s->n_luns && r >= 0; i++)
		r = devnos_add(&s->devnos, s->luns[i].devno, 0, i);
	devnos_sort(&s->devnos);
	return r;
}

bool session_has_devno(const struct srp_session *s, const char *devno)
{
	return devnos_find(&s->devnos, devno);
}

bool srp_view_has_login(const struct srp_view *v, const char *port, uint64_t id_ext,
			uint64_t ioc_guid, const uint8_t dgid[static 16])
{
	for (unsigned i = 0; i < v->n_sessions; i++) {
		const struct srp_session *s = &v->sessions[i];

		if (!s->rdma_cm && s->id_ext == id_ext && s->ioc_guid == ioc_guid &&
		    memcmp(s->dgid, dgid, sizeof(s->dgid)) == 0 && strcmp(s->port, port) == 0)
			return true;
	}
	return false;
}

static int index_sessions(struct srp_view *v)
{
	int r = 0;

	for (unsigned i = 0; i < v->n_sessions && r >= 0; i++)
		for (unsigned k = 0; k < v->sessions[i].n_luns && r >= 0; k++)
			r = devnos_add(&v->devnos, v->sessions[i].luns[k].devno, i, k);
	devnos_sort(&v->devnos);
	return r;
}

int srp_view_read(int root_fd, struct srp_view *ret)
{
	struct reader rd = { .root_fd = root_fd, .budget = OBSERVE_LUNS_MAX };
	int r = root_each(root_fd, RPORTS, UINT_MAX, add_session, &rd);

	if (r < 0) {
		srp_view_clear(&rd.view);
		return r;
	}
	if (rd.budget == 0)
		rd.view.truncated = true;
	if (rd.view.n_sessions)
		qsort(rd.view.sessions, rd.view.n_sessions, sizeof(*rd.view.sessions),
		      compare_sessions);
	r = index_sessions(&rd.view);
	if (r < 0) {
		srp_view_clear(&rd.view);
		return r;
	}
	*ret = rd.view;
	return 0;
}

int srp_session_io(int root_fd, const struct srp_session *s, uint64_t *ret_completed,
		   uint64_t *ret_in_flight)
{
	uint64_t completed = 0, in_flight = 0;

	for (unsigned i = 0; i < s->n_luns; i++) {
		uint64_t c, f;
		int r = srp_disk_stat(root_fd, s->luns[i].disk, &c, &f);

		if (r < 0)
			return r;
		completed += c;
		in_flight += f;
	}
	*ret_completed = completed;
	*ret_in_flight = in_flight;
	return 0;
}

struct port_walk {
	int root_fd;
	const char *device;
	struct hca_ports *ports;
};

static int add_port(const char *name, void *userdata)
{
	struct port_walk *w = userdata;
	struct hca_port *p;
	char path[128];
	uint64_t number;

	if (parse_u64(name, 1, 255, &number) < 0)
		return 0;
	if (w->ports->n == OBSERVE_PORTS_MAX) {
		w->ports->truncated = true;
		return 1;
	}
	p = &w->ports->ports[w->ports->n++];
	strcpy(p->device, w->device);
	p->port = (unsigned)number;
	snprintf(p->name, sizeof(p->name), "%s:%u", w->device, p->port);
	snprintf(path, sizeof(path), "sys/class/infiniband_srp/srp-%s-%u", p->device, p->port);
	p->srp = faccessat(w->root_fd, path, F_OK, 0) == 0;
	return 0;
}

static int walk_device(const char *name, void *userdata)
{
	struct port_walk *w = userdata;
	char path[128];

	if (strlen(name) >= sizeof(w->ports->ports[0].device))
		return 0;
	w->device = name;
	snprintf(path, sizeof(path), "sys/class/infiniband/%s/ports", name);
	return root_each(w->root_fd, path, 256, add_port, w);
}

int hca_ports_read(int root_fd, struct hca_ports *ret)
{
	struct port_walk w = { .root_fd = root_fd, .ports = ret };
	int r;

	memset(ret, 0, sizeof(*ret));
	r = root_each(root_fd, "sys/class/infiniband", 1024, walk_device, &w);
	return r < 0 ? r : 0;
}
