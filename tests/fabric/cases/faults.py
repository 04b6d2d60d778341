# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad replies, latency and loss: that they arrive as they were ordered."""
import errno
import struct
import time

from fabric import Fabric, FabricError, each, eq, ok
from fabric.umad import (CLASS_DM, CLASS_SA, GET, GET_RESP, GET_TABLE, Umad, mad, sa)

IO_UNIT_INFO, NODE_RECORD, CLASS_PORT_INFO = 0x10, 0x11, 0x01


def ask(f, u, agent, tid=1, timeout=300, target='t1:1'):
    return u.query(agent, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=tid), f.port(target).lid,
                   timeout=timeout)


def test_status():
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        agent = u.register(CLASS_DM)
        f.fault('status node=t1 arg=1 count=1')
        eq((ask(f, u, agent).mad_status, ask(f, u, agent).mad_status), (1, 0))
        f.fault('status arg=0x1c')
        eq((ask(f, u, agent).mad_status, ask(f, u, agent, target='t2:1').mad_status),
           (0x1c, 0x1c))
        f.fault('clear')
        eq(ask(f, u, agent).mad_status, 0)


@each('tid', 'class arg=4', 'method arg=1', 'drop')
def test_kernel_drops(kind):
    """What the client's kernel matches with no request never arrives: it is a timeout."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        f.fault(f'{kind} node=t1')
        eq(ask(f, u, u.register(CLASS_DM)).status, errno.ETIMEDOUT)


def test_forced():
    """With force the client sees it anyway, and the request is still out."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        agent = u.register(CLASS_DM)
        f.fault('tid node=t1 arg=0x10 force')
        d = ask(f, u, agent, tid=1)
        eq((d.status, d.method, d.tid & 0xffffffff), (0, GET_RESP, 0x11))
        d = u.receive()
        eq((d.status, d.tid & 0xffffffff), (errno.ETIMEDOUT, 1))


@each(0, 8, 24, 64, 65, 255)
def test_truncated(length):
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        # Shorter than its own header, no kernel would match it.
        f.fault(f'length arg={length} node=t1 {"force" if length < 24 else ""}')
        d = ask(f, u, u.register(CLASS_DM))
        eq((d.status, len(d.mad)), (0, length))


def test_attribute_and_modifier():
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        agent = u.register(CLASS_DM)
        f.fault('attr arg=0x12 count=1')
        f.fault('mod arg=7 count=1')
        f.fault('poke arg=64 data=beef count=1')
        eq(ask(f, u, agent).attr, 0x12)
        eq(ask(f, u, agent).field('I', 20), 7)
        eq(ask(f, u, agent).field('H', 64), 0xbeef)
        f.fault('garbage count=1')
        ok(ask(f, u, agent).mad[24:64] != bytes(40), 'still zero')


def test_twice():
    """The second of the two belongs to nothing any more."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        f.fault('twice node=t1')
        eq(ask(f, u, u.register(CLASS_DM)).status, 0)
        ok(not u.wait(0.1), 'it arrived twice')


def test_late():
    """An answer that comes after the timeout is dropped; the client has its request back."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        f.fault('delay arg=300 node=t1')
        eq(ask(f, u, u.register(CLASS_DM), timeout=100).status, errno.ETIMEDOUT)
        ok(not u.wait(0.4), 'it arrived nevertheless')


def test_redirect():
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        f.fault('redirect node=t1 to=t2:1')
        d = ask(f, u, u.register(CLASS_DM))
        eq((d.mad_status, d.attr), (2, CLASS_PORT_INFO))
        eq((d.mad[72:88], d.field('H', 64 + 28)),
           (bytes.fromhex(f.port('t2:1').gid), f.port('t2:1').lid))


def table(f, u, agent):
    return u.query(agent, sa(GET_TABLE, NODE_RECORD), f.port('h1/mlx5_0:1').sm_lid, timeout=1000)


def test_rmpp_lies():
    """What a client can be told by a bad RMPP message: lengths and record sizes that are not so."""
    with Fabric('two-sms', sm='sm1') as f, Umad(f, 'h1') as u:
        agent = u.register(CLASS_SA, rmpp=1)
        good = table(f, u, agent)
        f.fault('attr-offset class=3 arg=0 count=1')
        f.fault('attr-offset class=3 arg=0xffff count=1')
        f.fault('payload class=3 arg=0x7fffffff count=1')
        f.fault('repeat class=3 arg=3 count=1')
        f.fault('length class=3 arg=300 count=1')
        f.fault('length class=3 arg=1000000 count=1')
        f.fault('drop class=3 count=1')
        eq(table(f, u, agent).field('H', 44), 0)
        eq(table(f, u, agent).field('H', 44), 0xffff)
        eq(table(f, u, agent).field('I', 32), 0x7fffffff)
        d = table(f, u, agent)
        eq(len(d.mad), 56 + 3 * (len(good.mad) - 56))
        eq(d.mad[56:56 + 100], d.mad[len(good.mad):len(good.mad) + 100])
        eq(len(table(f, u, agent).mad), 300)
        eq(len(table(f, u, agent).mad), 1000000)
        eq(table(f, u, agent).status, errno.ETIMEDOUT)
        eq(table(f, u, agent).mad[64:], good.mad[64:])


def test_mistakes_are_refused():
    with Fabric('one-switch', sm=None) as f:
        for text in ('nonsense', 'drop node=nobody', 'drop colour=red', 'drop x'):
            try:
                f.fault(text)
            except FabricError:
                continue
            raise AssertionError(f'taken: {text}')


@each('all', 't1')
def test_latency(node):
    """One way: a question and its answer take twice as long."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        agent = u.register(CLASS_DM)
        f.latency(30, node)

        def fastest(target):
            best = 10
            for _ in range(4):
                began = time.monotonic()
                ask(f, u, agent, target=target)
                best = min(best, time.monotonic() - began)
            return best
        ok(0.06 <= fastest('t1:1') < 0.5, 'not twice 30 ms')
        eq(fastest('t2:1') < 0.06, node == 't1', 'the other one')


@each('all', 't1')
def test_loss(node):
    """Of 1,000 requests some 19 % get no answer, where 10 % of the datagrams are lost."""
    with Fabric('one-switch') as f, Umad(f, 'h1') as u:
        agent, lid = u.register(CLASS_DM), f.port('t1:1').lid
        f.loss(0.1, node)
        for tid in range(1, 1001):
            u.send(agent, mad(CLASS_DM, GET, IO_UNIT_INFO, tid=tid), lid, timeout=200)
        lost = sum(u.receive().status != 0 for _ in range(1000))
        ok(130 <= lost <= 250, f'{lost} lost')
        f.loss(0, node)
        eq(ask(f, u, agent).status, 0)


def test_strange_services():
    """Names that a parser has to bear: not terminated, not hex, nothing; counts that lie."""
    text = '''
        switch s1
        host h1
        link h1/mlx5_0 s1
        hca t1 dm=yes
        ioc t1 slot=1 services=200
        service t1 slot=1 name=SRP.T10:0123456789abcdef0123456789abcdef
        service t1 slot=1 name=SRP.T10:zzzz
        service t1 slot=1 name=SRP.T10:
        service t1 slot=1 name=
        link t1 s1
    '''
    with Fabric(text) as f, Umad(f, 'h1') as u:
        agent, lid = u.register(CLASS_DM), f.port('t1:1').lid
        d = u.query(agent, mad(CLASS_DM, GET, 0x11, mod=1), lid)
        eq((d.mad_status, d.mad[64 + 54]), (0, 200))
        d = u.query(agent, mad(CLASS_DM, GET, 0x12, mod=1 << 16 | 3 << 8), lid)
        names = [d.mad[64 + 48 * i:64 + 48 * i + 40] for i in range(4)]
        eq(names, [b'SRP.T10:0123456789abcdef0123456789abcdef', b'SRP.T10:zzzz'.ljust(40, b'\0'),
                   b'SRP.T10:'.ljust(40, b'\0'), bytes(40)])
        d = u.query(agent, mad(CLASS_DM, GET, 0x12, mod=1 << 16 | 7 << 8 | 4), lid)
        eq(d.mad_status, 0x100, 'behind the last one')
        f.topology_add('iou t1 slots=255')
        d = u.query(agent, mad(CLASS_DM, GET, IO_UNIT_INFO), lid)
        eq(struct.unpack_from('>HBB', d.mad, 64)[1], 255)
