/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_umad.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_umad fake_umad = { .peer = -1 };

int umad_init(void)
{
	return 0;
}

/* As the real one: the header without a P_Key index until the first open finds the newer ABI. */
size_t umad_size(void)
{
	return fake_umad.opens > 0 ? sizeof(struct ib_user_mad) : sizeof(struct ib_user_mad) - 8;
}

static int connect_fabric(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	size_t len = strlen(name);

	memcpy(to.sun_path + 1, name, len);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) < 0)
		return -1;
	return fd;
}

int umad_open_port(const char *ca_name, int portnum)
{
	const char *name = getenv("FAKE_UMAD");
	int fds[2];

	fake_umad.opens++;
	if (fake_umad.open_error || strcmp(ca_name, "none0") == 0) {
		errno = fake_umad.open_error ? fake_umad.open_error : ENODEV;
		return -errno;
	}
	if (name)
		return connect_fabric(name);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	fake_umad.peer = fds[1];
	return fds[0];
}

int umad_close_port(int portid)
{
	fake_umad.closes++;
	close(portid);
	if (fake_umad.peer >= 0)
		close(fake_umad.peer);
	fake_umad.peer = -1;
	return 0;
}

int umad_get_fd(int portid)
{
	return portid;
}

int umad_register(int portid, int mgmt_class, int mgmt_version, uint8_t rmpp_version,
		  long method_mask[16 / sizeof(long)])
{
	fake_umad.registers++;
	if (fake_umad.register_error) {
		errno = fake_umad.register_error;
		return -EPERM; /* as the real one, whatever it was */
	}
	fake_umad.rmpp_version = rmpp_version;
	memset(fake_umad.method_mask, 0, sizeof(fake_umad.method_mask));
	if (method_mask)
		memcpy(fake_umad.method_mask, method_mask, sizeof(fake_umad.method_mask));
	return FAKE_UMAD_AGENT + fake_umad.registers - 1;
}

void *umad_get_mad(void *umad)
{
	return ((struct ib_user_mad *)umad)->data;
}

int umad_status(void *umad)
{
	return (int)((struct ib_user_mad *)umad)->status;
}

int umad_set_addr(void *umad, int dlid, int dqp, int sl, int qkey)
{
	struct ib_user_mad *m = umad;

	m->addr.lid = htobe16((uint16_t)dlid);
	m->addr.qpn = htobe32((uint32_t)dqp);
	m->addr.sl = (uint8_t)sl;
	m->addr.qkey = htobe32((uint32_t)qkey);
	return 0;
}

int umad_set_pkey(void *umad, int pkey_index)
{
	((struct ib_user_mad *)umad)->addr.pkey_index = (uint16_t)pkey_index;
	return 0;
}

/* As libibumad 44: without gid_index. */
int umad_set_grh(void *umad, void *mad_addr)
{
	struct ib_user_mad *m = umad;
	const ib_mad_addr_t *a = mad_addr;

	m->addr.grh_present = a ? 1 : 0;
	if (a) {
		memcpy(m->addr.gid, a->gid, 16);
		m->addr.flow_label = htobe32(a->flow_label);
		m->addr.hop_limit = a->hop_limit;
		m->addr.traffic_class = a->traffic_class;
	}
	return 0;
}

int umad_send(int portid, int agentid, void *umad, int length, int timeout_ms, int retries)
{
	struct ib_user_mad *m = umad;
	uint32_t hi = htobe32(FAKE_UMAD_HI_TID);

	fake_umad.sends++;
	if (fake_umad.send_error) {
		errno = fake_umad.send_error;
		return -errno;
	}
	m->agent_id = (uint32_t)agentid;
	m->timeout_ms = (uint32_t)timeout_ms;
	m->retries = (uint32_t)retries;
	m->length = (uint32_t)(sizeof(*m) + (size_t)length);
	memcpy(m->data + 8, &hi, sizeof(hi));
	if (send(portid, umad, sizeof(*m) + (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}

/* As the kernel: what does not fit stays where it is, and its header says how long it is. */
static int too_short(int portid, struct ib_user_mad *m, int *length)
{
	ssize_t n = recv(portid, m, sizeof(*m), MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);

	if (n < (ssize_t)sizeof(*m))
		return 0;
	n += (ssize_t)fake_umad.padding;
	if ((size_t)n <= sizeof(*m) + (size_t)*length)
		return 0;
	m->length = (uint32_t)n;
	*length = (int)(n - (ssize_t)sizeof(*m));
	errno = ENOSPC;
	return -errno;
}

int umad_recv(int portid, void *umad, int *length, int timeout_ms)
{
	struct ib_user_mad *m = umad;
	int r = too_short(portid, m, length);
	ssize_t n;

	if (r < 0)
		return r;
	n = recv(portid, umad, sizeof(*m) + (size_t)*length, MSG_DONTWAIT);
	if (n <= 0) {
		if (n == 0)
			errno = EIO; /* the device was removed */
		return -errno;
	}
	memset((uint8_t *)umad + n, 0, fake_umad.padding < 4096 ? fake_umad.padding : 4096);
	n += (ssize_t)fake_umad.padding;
	fake_umad.padding = 0;
	*length = n < (ssize_t)sizeof(*m) ? 0 : (int)(n - (ssize_t)sizeof(*m));
	return (int)m->agent_id;
}
