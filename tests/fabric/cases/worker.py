# SPDX-License-Identifier: GPL-2.0-or-later
"""The worker of an InfiniBand port by itself: bad replies, silence, redirection, probes, notices."""
import time

from fabric import Fabric, each, eq, has, ok
from fabric.umad import CLASS_SA, Umad
from fabric.worker import Worker

REPORT = 6
TIMEOUT = 1.0  # s: mad_timeout


def portal(number, gid, pkey=0xffff, **more):
    return {'id': number, 'gid': gid, 'pkey': pkey, 'interval_usec': 100000, 'timeout_usec': 0,
            'misses': 3, 'answered': False} | more


def scan_once(fabric, timeout=30):
    """A whole life with --once: the worker and its scan message."""
    with Worker(fabric, 'h1', 'mlx5_0:1', '--once') as w:
        scan = w.wait('scan', timeout)
        eq(w.next(), None)
        eq(w.process.wait(10), 0)
    return w, scan


@each('one-switch', 'multi-ioc', 'many-services', 'rev10', 'two-pkeys', 'partial', 'empty-slots',
      'no-targets', 'big-1000')
def test_finds_what_is_there(topology):
    with Fabric(topology) as f:
        w, scan = scan_once(f)
        eq(w.lines(), f.add_targets('h1/mlx5_0:1'))
        eq((scan['complete'], scan['offers'], scan['timeouts'], scan['malformed']),
           (True, len(w.offers), 0, 0))


DAMAGE = ('status arg=0x1c', 'status arg=0x100', 'tid', 'tid force', 'class arg=4',
          'class arg=4 force', 'method arg=1', 'method arg=0x92 force', 'attr arg=0x99', 'mod arg=9',
          'length arg=0', 'length arg=30', 'length arg=63', 'length arg=65', 'length arg=255',
          'garbage', 'twice', 'delay arg=300')


@each(*DAMAGE)
def test_bad_replies_of_a_target(damage):
    """Whatever one target answers, the others are found, and the worker lives."""
    with Fabric('one-switch') as f:
        expected = f.add_targets('h1/mlx5_0:1')
        bad = f.port('t1:1').gid
        f.fault(f'{damage} node=t1 class=6')
        w, scan = scan_once(f)
        others = [line for line in expected if bad not in line]
        eq([line for line in w.lines() if bad not in line], others)
        if damage in ('twice', 'delay arg=300'):
            eq(w.lines(), expected)
        ok(scan['elapsed_usec'] < 9e6, f'took {scan["elapsed_usec"]} us')
        ok(w.count('problem') <= 1, 'more than one line')


@each(*(d for d in DAMAGE if 'status' not in d), 'attr-offset arg=0', 'attr-offset arg=1',
      'attr-offset arg=8191', 'payload arg=1', 'payload arg=0xffff', 'repeat arg=2',
      'repeat arg=200', 'status arg=0x1c', 'status arg=0x300')
def test_bad_replies_of_the_administrator(damage):
    """Damaged tables and records: fewer targets, or a walk; never others, and it ends and says so."""
    with Fabric('one-switch') as f:
        expected = f.add_targets('h1/mlx5_0:1')
        f.fault(f'{damage} class=3')
        w, scan = scan_once(f)
        eq([line for line in w.lines() if line not in expected], [], 'invented')
        if scan['complete']: # a list may be shorter than it should, and nobody can tell
            ok(w.lines() == expected or damage.startswith(('repeat', 'attr-offset', 'garbage',
                                                           'status arg=0x300', 'length')),
               'complete without all')
        else:
            ok(scan['why'], 'without a reason')
        ok(scan['elapsed_usec'] < 20e6, f'took {scan["elapsed_usec"]} us')
        ok(w.count('problem') <= 1, 'more than one line')


def test_now_and_then():
    """One answer in five is damaged in some way, in turns: the next scans mend what is missing."""
    with Fabric('two-switches') as f:
        expected = f.add_targets('h1/mlx5_0:1')
        for damage in DAMAGE:
            f.fault(f'{damage} chance=0.02')
        with Worker(f, 'h1', 'mlx5_0:1', mad_timeout_usec=300000) as w:
            w.wait('scan')
            for _ in range(10):
                w.send('rescan')
                w.wait('scan', reason='request')
            f.fault('clear')
            w.send('rescan')
            w.wait('scan', reason='request', complete=True)
            eq(w.lines(), expected)
            eq(w.count('problem', text='mlx5_0:1: replies on the fabric that cannot be read were '
                                       'dropped'), 1)


@each('to=t2:1', 'to=t2:1 arg=1')
def test_redirected_target(how):
    """Device Management of one target is served at another port; the offer stays its own."""
    with Fabric('one-switch') as f:
        w, _ = scan_once(f)
        n = len(w.offers)
        f.fault(f'redirect node=t1 class=6 {how}')
        w, scan = scan_once(f)
        eq((len(w.offers), scan['complete']), (n, True))
        moved = [o for o in w.offers if o['gid'] == f.port('t1:1').gid]
        eq(len(moved), 1)
        eq(moved[0]['ioc_guid'], next(s.ioc_guid for s in f.services() if s.port == 't2:1'))


def test_busy():
    with Fabric('one-switch') as f:
        expected = f.add_targets('h1/mlx5_0:1')
        f.fault('status arg=1 count=5')
        f.fault('status arg=1 class=6 count=12')
        w, scan = scan_once(f)
        eq(w.lines(), expected)
        ok(scan['complete'], scan)


def test_silence_takes_nothing_away():
    """Targets that a scan does not reach are kept; one that the manager took out is gone soon."""
    with Fabric('two-switches') as f, Worker(f, 'h1', 'mlx5_0:1', rescan_usec=1000000) as w:
        w.wait('scan', complete=True, notices=True)
        n = len(w.offers)
        f.fault('drop class=6 node=a0')
        f.fault('drop class=6 node=b1')
        for _ in range(3):
            scan = w.wait('scan', reason='timer')
            eq((scan['silent'], scan['offers'], scan['complete']), (2, n, True))
        f.fault('clear')
        f.fault('drop class=3')
        scan = w.wait('scan', complete=False)
        eq(scan['offers'], n)
        f.fault('clear')
        w.wait('scan', complete=True)
        f.control('node remove a0')
        w.wait_offers(n - 1)
        f.control('node add a0')
        w.wait_offers(n)


def test_notices():
    """Traps 65, 64 and 144, from the manager's Report to the worker's word."""
    with Fabric('two-switches') as f, Worker(f, 'h1', 'mlx5_0:1') as w:
        w.wait('scan', complete=True)
        n, gid = len(w.offers), f.port('b0:1').gid
        w.drain(0.3)  # the subscriptions
        for change, kind, word in ((f.link_down, 'out-of-service', 'out of'),
                                   (f.link_up, 'in-service', 'in')):
            mark, sm_mark = time.monotonic(), f.sm.mark()
            change('b0:1')
            f.sm.wait(f'Reporting Informational Notice "GID {word} service"', sm_mark, 10)
            eq(w.wait('notice')['gid'], gid)
            eq(w.messages[-1]['kind'], kind)
            told = w.messages[-1]['at']
            known = w.wait_offers(n - 1 if kind == 'out-of-service' else n)['at']
            print(f'       {kind}: told {1000 * (told - mark):.0f} ms after the cable, '
                  f'offers {1000 * (known - told):.0f} ms later')
            if kind == 'in-service':
                ok(known - told < 0.3, 'late')
        for change, number in (('off', n - 1), ('on', n)):
            f.control(f'dm {change} b0:1')
            told = w.wait('notice', kind='capability')['at']
            known = w.wait_offers(number)['at']
            print(f'       capability {change}: offers {1000 * (known - told):.0f} ms later')
            ok(known - told < 0.3, 'late')


def test_reports_of_another_program():
    """Another agent receives the Reports of the port: said once, and the timer finds what changes."""
    with Fabric('two-switches', sm='h1/mlx5_0:2') as f, Umad(f, 'h1') as u:
        u.register(CLASS_SA, methods=(REPORT,))
        with Worker(f, 'h1', 'mlx5_0:1', rescan_usec=1000000) as w:
            problem = w.wait('problem')['text']
            has(problem, 'no notices of the subnet manager (another program receives them')
            w.wait('scan', complete=True, notices=False)
            n = len(w.offers)
            f.control('node remove a0')
            w.wait_offers(n - 1)
            w.drain(2)
            eq(w.count('problem'), 1)
            eq(w.count('notice'), 0)


def test_probes():
    """A target port is probed over its P_Key; silence and return are told as on Ethernet."""
    with Fabric('two-switches') as f, Worker(f, 'h1', 'mlx5_0:1') as w:
        gid = f.port('b0:1').gid
        w.configure(portal(5, gid), portal(6, gid, pkey=0x8001),
                    portal(7, gid[:-4] + 'ffff'))
        w.wait('probe', id=5, result='answered')
        w.drain(2)
        eq([m['why'] for m in w.messages if m['msg'] == 'portal' and m['id'] == 6][-1],
           'mlx5_0:1 is not a member of partition 0x8001')
        eq([m['why'] for m in w.messages if m['msg'] == 'portal' and m['id'] == 7][-1],
           'the subnet manager does not tell the way to it')
        began = time.monotonic()
        f.fault('drop node=b0 class=6')
        dead = w.wait('probe', id=5, result='dead')['at'] - began
        began = time.monotonic()
        f.fault('clear')
        back = w.wait('probe', id=5, result='answered')['at'] - began
        print(f'       dead after {1000 * dead:.0f} ms, back after {1000 * back:.0f} ms')
        ok(dead < 0.5 and back < 0.3, 'slow')
        # It comes back at another LID.
        f.control('node remove b0')
        w.wait('probe', id=5, result='dead')
        f.control('node add b0')
        w.wait('probe', id=5, result='answered')


@each(True, False)
def test_probes_need_no_discovery(enabled):
    with Fabric('two-switches') as f:
        with Worker(f, 'h1', 'mlx5_0:1', enabled=enabled) as w:
            w.configure(portal(5, f.port('b0:1').gid))
            w.wait('probe', id=5, result='answered')
            w.drain(0.5)
            eq(w.count('offers') > 0, enabled)


def test_link_layer_changes():
    """InfiniBand becomes Ethernet and back: discovery sleeps and wakes, nothing restarts."""
    with Fabric('two-switches', sm='h1/mlx5_0:2') as f, Worker(f, 'h1', 'mlx5_0:1') as w:
        w.configure(portal(5, f.port('b0:1').gid))
        both = ({'msg': 'scan', 'complete': True}, {'msg': 'probe', 'id': 5, 'result': 'answered'})
        w.wait_all(*both)
        f.control('link-layer h1/mlx5_0:1 ethernet')
        w.wait('port', link_layer='Ethernet')
        w.wait('portal', id=5, probe='impossible', why='mlx5_0:1 is an Ethernet port')
        w.send('rescan')
        ok(not [m for m in w.drain(2) if m['msg'] in ('scan', 'problem')], 'it scans')
        f.control('link-layer h1/mlx5_0:1 infiniband')
        w.wait('port', link_layer='InfiniBand')
        w.wait_all(*both)
        eq(w.lines(), f.add_targets('h1/mlx5_0:1'))
        eq(w.count('problem'), 0)


def test_a_port_that_is_late():
    """Down at the start, no subnet manager after that: one scan when both are there, no noise."""
    with Fabric('two-switches', sm=None) as f:
        f.link_down('h1/mlx5_0:1')
        with Worker(f, 'h1', 'mlx5_0:1') as w:
            w.wait('port', state='DOWN')
            w.drain(1)
            f.link_up('h1/mlx5_0:1')
            w.drain(1)
            f.start_sm('h1/mlx5_0:2')
            w.wait('port', state='ACTIVE')
            w.wait('scan', complete=True)
            eq(w.lines(), f.add_targets('h1/mlx5_0:1'))
            eq((w.count('problem'), w.count('scan')), (0, 1))


def test_asleep():
    """Between scans it does nothing but say once a second that it lives."""
    with Fabric('one-switch') as f, Worker(f, 'h1', 'mlx5_0:1') as w:
        w.wait('scan', complete=True)
        w.drain(2)
        began, cpu = time.monotonic(), w.cpu()
        said = w.drain(10)
        share = (w.cpu() - cpu) / (time.monotonic() - began)
        eq({m['msg'] for m in said}, {'stats'})
        print(f'       {100 * share:.3f} % of a processor')
        ok(share < 0.0005, f'{share}')


def test_a_thousand_changes():
    """A link that goes up and down all the time: no flood, no heat, and the end is right."""
    with Fabric('two-switches') as f, Worker(f, 'h1', 'mlx5_0:1') as w:
        w.wait('scan', complete=True)
        n, cpu = len(w.offers), w.cpu()
        for _ in range(50):
            f.control('event h1/mlx5_0:1 sm-change')
            f.control('event h1/mlx5_0:1 client-reregister')
            f.control('event h1/mlx5_0:1 pkey-change')
            f.control('event h1/mlx5_0:1 lid-change')
        w.drain(1)
        w.send('rescan')
        w.wait('scan', complete=True, reason='request')
        eq(len(w.offers), n)
        ok(w.cpu() - cpu < 1, f'{w.cpu() - cpu} s')
        eq(w.count('problem'), 0)
