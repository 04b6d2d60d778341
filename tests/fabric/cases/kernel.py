# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel's ib_mad and ib_umad do between a client and the fabric."""
import errno
import os
import select
import socket
import time
from random import Random

from fabric import Fabric, FabricError, each, eq, ok
from fabric.umad import (CLASS_DM, CLASS_SA, GET, GET_RESP, GET_TABLE, GET_TABLE_RESP, REPORT, SET,
                         Umad, mad, sa)

NODE_RECORD, IO_UNIT_INFO = 0x11, 0x10
NODE_RECORD_SIZE = 112  # 108 bytes, in units of 8


def test_transaction_numbers():
    """The upper half of a request's number is the agent's, and comes back in the answer."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        lid = f.port('t1:1').lid
        first, second = u.register(CLASS_DM), u.register(CLASS_DM)
        answers = [u.query(a, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=0xdeadbeef00000007), lid)
                   for a in (first, second)]
        eq([a.agent for a in answers], [first, second])
        eq([a.tid & 0xffffffff for a in answers], [7, 7])
        tops = [a.tid >> 32 for a in answers]
        ok(tops[0] != tops[1] and 0xdeadbeef not in tops, f'upper halves: {tops}')
        eq([(a.method, a.mad_status, len(a.mad), a.lid) for a in answers],
           [(GET_RESP, 0, 256, lid)] * 2)


@each(0, 2)
def test_timeout(retries):
    """Nobody answers: the header of the request comes back, after all retries."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        agent, began = u.register(CLASS_DM), time.monotonic()
        f.control('counters-reset')
        d = u.query(agent, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=5), 0x1234, timeout=100,
                    retries=retries)
        took = time.monotonic() - began
        eq((d.status, len(d.mad), d.tid & 0xffffffff, d.attr), (errno.ETIMEDOUT, 24, 5, 0x10))
        ok(0.08 + 0.1 * retries < took < 0.1 * (retries + 1) + 1, f'after {took} s')
        eq(f.counters('h1/mlx5_0')['sent']['dm'], retries + 1)


def test_retry_is_answered():
    """A request that was lost is sent again by the kernel, and then answered."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        f.fault('drop node=t1 count=2')
        d = u.query(u.register(CLASS_DM), mad(CLASS_DM, GET, IO_UNIT_INFO), f.port('t1:1').lid,
                    timeout=100, retries=3)
        eq((d.status, d.method), (0, GET_RESP))


def test_no_answer_expected():
    """Without a timeout an answer belongs to nothing and is dropped."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        agent, lid = u.register(CLASS_DM), f.port('t1:1').lid
        u.send(agent, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=1), lid, timeout=0)
        d = u.query(agent, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=2), lid)
        eq(d.tid & 0xffffffff, 2)


def test_short_buffer():
    """A long message does not fit: -ENOSPC, its beginning and its length; it stays for a longer
    buffer, and the descriptor stays readable."""
    with Fabric('big-1000') as f, Umad(f, 'h1') as u:
        agent = u.register(CLASS_SA, rmpp=1)
        u.send(agent, sa(GET_TABLE, NODE_RECORD), f.port('h1/mlx5_0:1').sm_lid, timeout=5000)
        r, length, error, buffer = u.receive_raw(256)
        eq((r, error), (-errno.ENOSPC, errno.ENOSPC))
        eq((length - 56) % NODE_RECORD_SIZE, 0, 'length')
        eq(buffer[64 + 3], GET_TABLE_RESP, 'its beginning was copied')
        ok(u.wait(0), 'not readable any more')
        d = u.receive()
        eq((d.status, len(d.mad), d.field('H', 44) * 8), (0, length, NODE_RECORD_SIZE))
        # RMPP's header is that of the first segment: active, first; the payload of all of them.
        segments = -(-(length - 56) // 200)
        eq((d.mad[24], d.mad[25], d.mad[26] & 7), (1, 1, 3))
        eq(d.field('I', 32), length - 56 + 20 * segments)
        records = (length - 56) // NODE_RECORD_SIZE
        eq(records, 1002 + 1 + 40, 'ports of adapters, and switches')
        ok(not u.wait(0), 'still readable')


def test_single_segment():
    """A table of one record is shorter than a datagram."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        lid = f.port('t1:1').lid
        d = u.query(u.register(CLASS_SA, rmpp=1),
                    sa(GET_TABLE, NODE_RECORD, lid.to_bytes(2, 'big'), mask=1),
                    f.port('h1/mlx5_0:1').sm_lid)
        eq((d.method, len(d.mad), d.mad[26] & 7), (GET_TABLE_RESP, 56 + NODE_RECORD_SIZE, 7))


def test_one_agent_for_a_method():
    """Of two agents that want the same unsolicited method of a class, the second is refused."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u, Umad(f, 'h1') as v, \
            Umad(f, 'h1', port=2) as other:
        agent = u.register(CLASS_SA, rmpp=1, methods=[REPORT])
        ok(agent >= 0, 'opensm has none of it')
        eq(v.register(CLASS_SA, rmpp=1, methods=[REPORT]), -errno.EPERM)
        ok(v.register(CLASS_SA, rmpp=1) >= 0, 'without methods')
        ok(other.register(CLASS_SA, rmpp=1, methods=[REPORT]) >= 0, 'on another port')
        eq(v.register(CLASS_SA, methods=[GET]), -errno.EPERM, 'opensm has it')
        eq(u.unregister(agent), 0)
        agent = v.register(CLASS_SA, rmpp=1, methods=[REPORT])
        ok(agent >= 0, 'free again')
        v.close()
        ok(u.register(CLASS_SA, rmpp=1, methods=[REPORT]) >= 0, 'free after a close')


def test_unmatched_request():
    """A request for which a host has no agent is refused by its kernel."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        d = u.query(u.register(CLASS_DM), mad(CLASS_DM, GET, IO_UNIT_INFO), f.port('other:1').lid)
        eq((d.method, d.mad_status), (GET_RESP, 0x0c))


def test_between_hosts():
    """A request reaches the agent of another host, and its answer comes back."""
    with Fabric('two-sms', sm='sm1') as f, Umad(f, 'h1') as client, Umad(f, 'sm2') as server:
        served = server.register(CLASS_DM, methods=[GET, SET])
        agent, lid = client.register(CLASS_DM), f.port('sm2/mlx5_0:1').lid
        client.send(agent, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=9), lid)
        q = server.receive()
        eq((q.agent, q.method, q.lid), (served, GET, f.port('h1/mlx5_0:1').lid))
        answer = bytearray(q.mad)
        answer[3], answer[64:66] = GET_RESP, b'\x12\x34'
        server.send(served, bytes(answer), q.lid, timeout=0)
        d = client.receive()
        eq((d.tid & 0xffffffff, d.mad[64:66], d.status), (9, b'\x12\x34', 0))


def test_long_message_sent():
    """A client may send a message of many segments as well, and the other one gets it whole."""
    with Fabric('two-sms', sm='sm1') as f, Umad(f, 'h1') as client, Umad(f, 'sm2') as server:
        server.register(CLASS_SA, rmpp=1, methods=[GET_TABLE])
        request = bytearray(sa(GET_TABLE, NODE_RECORD, tid=3)) + bytes(range(250)) * 1000
        request[26] = 1  # RMPP: active
        client.send(client.register(CLASS_SA, rmpp=1), bytes(request),
                    f.port('sm2/mlx5_0:1').lid)
        d = server.receive()
        eq(len(d.mad), len(request))
        eq(d.mad[56:], bytes(request[56:]))
        eq((d.mad[24], d.mad[25], d.mad[26] & 7), (1, 1, 3))


def test_room_for_a_datagram():
    """With room for less than a datagram nothing is taken."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        u.send(u.register(CLASS_DM), mad(CLASS_DM, GET, IO_UNIT_INFO), f.port('t1:1').lid)
        r, _, error, _ = u.receive_raw(100)
        eq((r, error), (-errno.EINVAL, errno.EINVAL))
        eq(u.receive().status, 0)


def test_nonsense():
    """Clients that say what no library says: refused, or hung up on; nobody else is disturbed."""
    random = Random(1)
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        agent, lid = u.register(CLASS_DM), f.port('t1:1').lid
        for size in (0, 1, 8, 96, 104, 108, 112, 5000):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
                s.connect(str(f.root('h1') / 'socket'))
                s.send(random.randbytes(size))
        with Umad(f, 'h1') as v:
            channel = socket.socket(fileno=os.dup(v.fd))
            channel.setblocking(True)
            v.register(CLASS_SA, rmpp=1)
            for size in (1, 63, 64, 65, 87, 88, 300, 320, 321, 4096):
                for _ in range(20):
                    channel.send(random.randbytes(size))
                # For its agent, so that it is not refused at once.
                channel.send(bytes(8) + random.randbytes(size))
            with open('/dev/zero', 'rb') as file:
                socket.send_fds(channel, [(bytes(16) + b'\0\0\0\1').ljust(64, b'\0')],
                                [file.fileno()])
            channel.close()
        for line in ('', 'link', 'link up', 'fault', 'x' * 2000, '"', 'pkey h1/mlx5_0 99 1',
                     'ioc-remove t1 300', 'topology', 'topology link s1 s1 s1 s1',
                     'topology hca ' + 'n' * 100, 'topology switch s9 ports=255', 'lid', 'latency',
                     'loss all', 'event h1/mlx5_0:1 x', 'ports nobody'):
            try:
                f.control(line)
            except FabricError:
                pass
        eq(u.query(agent, mad(CLASS_DM, GET, IO_UNIT_INFO), lid).status, 0)


def test_pipelined():
    """A latency is a delay, not a queue: a hundred requests take as long as one."""
    with Fabric('two-switches') as f, Umad(f, 'h1') as u:
        f.latency(50)
        agent, lid = u.register(CLASS_DM), f.port('b2:1').lid
        began = time.monotonic()
        for tid in range(1, 101):
            u.send(agent, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=tid), lid, timeout=5000)
        tids = {u.receive().tid & 0xffffffff for _ in range(100)}
        took = time.monotonic() - began
        eq(tids, set(range(1, 101)))
        ok(0.1 <= took < 1, f'took {took} s; one after another it is 10')


def test_epoll():
    """The descriptor is one that epoll takes."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u, select.epoll() as e:
        e.register(u.fd, select.EPOLLIN)
        eq(e.poll(0), [])
        u.send(u.register(CLASS_DM), mad(CLASS_DM, GET, IO_UNIT_INFO), f.port('t1:1').lid)
        eq(e.poll(5), [(u.fd, select.EPOLLIN)])
        ok(u.receive(0), 'nothing to receive')
        eq(e.poll(0), [])


def test_clients_come_and_go():
    """What a client leaves behind disturbs nobody: agents, requests that wait, answers."""
    with Fabric('one-switch') as f:
        lid = f.port('t1:1').lid
        f.latency(20)
        for _ in range(20):
            with Umad(f, 'h1') as u:
                agent = u.register(CLASS_DM, methods=[REPORT])
                ok(agent >= 0, 'the agent before is still there')
                for tid in range(1, 50):
                    u.send(agent, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=tid), lid, timeout=10)
        f.latency(0)
        with Umad(f, 'h1') as u:
            eq(u.query(u.register(CLASS_DM), mad(CLASS_DM, GET, IO_UNIT_INFO), lid).status, 0)


def test_device_removed():
    """The device goes: descriptors end, and it can be opened again when it is back."""
    with Fabric('two-sms', sm='sm1') as f, Umad(f, 'h1') as u:
        u.register(CLASS_DM)
        f.remove('h1/mlx5_0')
        ok(u.wait(5), 'the descriptor tells nothing')
        r, _, error, _ = u.receive_raw(256, 0)
        eq((r, error), (-errno.EIO, errno.EIO))
        ok(not (f.root('h1') / 'sys/class/infiniband/mlx5_0').exists(), 'still in sysfs')
        mark = f.mark()
        f.add('h1/mlx5_0')
        f.wait('port h1/mlx5_0:1 state 4', mark)
        with Umad(f, 'h1') as v:
            ok(v.register(CLASS_DM) >= 0, 'opened again')
