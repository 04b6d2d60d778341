/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel says of SRP: HCA ports, sessions (one scsi_host and one srp_remote_port each),
 * their LUN paths. Reads sysfs attributes that never sleep; changes nothing; keeps nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "observe/devnos.h"

#define OBSERVE_SESSIONS_MAX 4096
#define OBSERVE_LUNS_MAX 16384
#define OBSERVE_PORTS_MAX 64

enum rport_state { RPORT_RUNNING, RPORT_BLOCKED, RPORT_FAIL_FAST, RPORT_LOST, RPORT_UNKNOWN };
const char *rport_state_name(enum rport_state s); /* the kernel's own word */
enum rport_state rport_state_parse(const char *s);

struct srp_lun {
	char disk[32];	    /* "sdb" */
	char devno[16];	    /* "8:16" */
	char sg[32];	    /* "sg2"; empty where there is none */
	char hctl[32];	    /* "3:0:0:1" */
	char wwid[128];	    /* from sysfs wwid, as the kernel has it */
	char state[32];	    /* scsi_device state: running, blocked, transport-offline, ... */
	uint64_t completed; /* reads + writes completed so far (block stat fields 1 and 5) */
	uint64_t in_flight; /* stat field 9 */
};

struct srp_session {
	char host[24]; /* "host3" */
	unsigned host_no;
	char rport[32];	   /* "port-3:1" */
	uint64_t instance; /* inode of the host's sysfs directory: tells a reused number apart */
	char port[72];	   /* HCA port "rxe0:1" from local_ib_device and local_ib_port */
	uint64_t id_ext, ioc_guid;
	bool rdma_cm;		    /* no dgid, pkey and service_id to be read */
	uint8_t sgid[16], dgid[16]; /* dgid only where !rdma_cm */
	enum rport_state rport_state;
	unsigned failed_reconnects;
	int reconnect_delay, fast_io_fail_tmo, dev_loss_tmo; /* seconds or -1 */
	struct srp_lun *luns; /* disks only (SCSI type 0), sorted by H:C:T:L */
	unsigned n_luns;
	struct devnos devnos; /* of the disks; item: in luns */
	unsigned n_others;    /* LUNs that are no disk, or have none yet */
	char any_sg[32];      /* one sg node of the host, of a disk or not: good for a host reset */
};

struct srp_view {
	struct srp_session *sessions; /* sorted by host_no */
	unsigned n_sessions;
	struct devnos devnos; /* of all disks; owner: in sessions */
	bool truncated; /* more than OBSERVE_SESSIONS_MAX or OBSERVE_LUNS_MAX: the rest is left out */
};

/* Reads everything anew. 0 or negative errno; a session that vanishes half-way is left out. */
int srp_view_read(int root_fd, struct srp_view *ret);
void srp_view_clear(struct srp_view *v);

/* The session a disk belongs to, or NULL. */
struct srp_session *srp_view_find_devno(const struct srp_view *v, const char *devno);

/* Whether a disk is one of the session's. */
bool session_has_devno(const struct srp_session *s, const char *devno);

/* Whether a session of that HCA port is a login over InfiniBand to that target at that GID. */
bool srp_view_has_login(const struct srp_view *v, const char *port, uint64_t id_ext,
			uint64_t ioc_guid, const uint8_t dgid[static 16]);

/* One session by its rport ("port-3:1"): 0, -ENOENT where it is gone, -ENOMEM. */
int srp_session_read(int root_fd, const char *rport, struct srp_session *ret);
void srp_session_clear(struct srp_session *s);

/* Makes its disks findable; whatever reads a session has done it. 0 or -ENOMEM. */
int srp_session_index(struct srp_session *s);

/* The `instance` of a host now: 0 or -ENOENT. */
int srp_host_instance(int root_fd, const char *host, uint64_t *ret);

/* The number of the SCSI host an sg node ("sg2") belongs to: 0, -ENOENT. */
int srp_sg_host(int root_fd, const char *sg, unsigned *ret_host_no);

/* A timeout attribute's text, "off" or seconds: 0 or -EINVAL. -1 stands for off. */
int srp_tmo_parse(const char *s, int *ret);

/* Just the rport's state: cheap, for polling. RPORT_UNKNOWN where it is gone. */
enum rport_state srp_rport_state(int root_fd, const char *rport);

/* Sums of completed and in-flight I/O over a session's disks: cheap, for judging a probe. */
int srp_session_io(int root_fd, const struct srp_session *s, uint64_t *ret_completed,
		   uint64_t *ret_in_flight);

/* The ports of all RDMA devices; `srp` tells those with an add_target attribute
 * (sys/class/infiniband_srp/srp-<dev>-<port>). */
struct hca_port {
	char name[72]; /* "rxe0:1" */
	char device[64];
	unsigned port;
	bool srp; /* ib_srp serves it */
};
struct hca_ports {
	struct hca_port ports[OBSERVE_PORTS_MAX];
	unsigned n;
	bool truncated; /* the host has more than OBSERVE_PORTS_MAX */
};
int hca_ports_read(int root_fd, struct hca_ports *ret);
