# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a scan takes, and what it does with loss and silence: 1,000 HCAs, 200 targets, 2 ms."""
import json
import statistics

from fabric import Fabric, eq, has, ok
from fabric.srpha import PLAIN, discover

ROUNDS = 3
LATENCY = 2  # ms, one way, each datagram


def scan(fabric, *more, config=PLAIN):
    return discover(fabric, 'h1', '--all', '--connection', '--port', 'mlx5_0:1', *more,
                    config=config)


def test_ten_times_faster_than_ibsrpdm():
    """Both commands from start to end, in turns; medians."""
    with Fabric('big-1000') as f:
        f.latency(LATENCY)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            r = f.run('h1', ['ibsrpdm', '-c']).check()
            theirs.append(r.elapsed)
            mine = scan(f)
            eq((mine.status, mine.stderr), (0, ''))
            ours.append(mine.elapsed)
            eq(sorted(mine.lines), sorted(r.lines))
        eq(len(mine.lines), 200)
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(f'       srphactl {spread(ours)}, ibsrpdm {spread(theirs)}: {ratio:.1f} times')
        ok(ratio >= 10, f'{ratio:.1f} times')


def spread(values):
    return (f'{statistics.median(values) * 1000:.0f} ms '
            f'({min(values) * 1000:.0f} to {max(values) * 1000:.0f})')


def test_loss():
    """One datagram in a hundred is lost: complete, in at most twice the time and one timeout."""
    with Fabric('big-1000') as f:
        f.latency(LATENCY)
        clean = statistics.median(scan(f).elapsed for _ in range(ROUNDS))
        expected = f.add_targets('h1/mlx5_0:1')
        f.loss(0.01)
        lossy = []
        for _ in range(ROUNDS):
            r = scan(f)
            eq(sorted(r.lines), expected)
            eq((r.status, r.stderr), (0, ''))
            lossy.append(r.elapsed)
        print(f'       without loss {1000 * clean:.0f} ms, with 1 % {spread(lossy)}')
        ok(statistics.median(lossy) <= 2 * clean + TIMEOUT, 'slow')


TIMEOUT = 1.0  # s: mad_timeout


def test_silent_targets():
    """20 of 200 never answer Device Management: the other 180 are there as soon as they would be."""
    with Fabric('big-1000') as f:
        f.latency(LATENCY)
        clean = statistics.median(scan(f).elapsed for _ in range(ROUNDS))
        silent = sorted({t.port.rpartition(':')[0] for t in f.targets()})[:20]
        for node in silent:
            f.fault(f'drop node={node} class=6')
        expected = [t for t in f.targets() if t.port.rpartition(':')[0] not in silent]
        r = scan(f)
        eq(len(r.lines), 180)
        eq(sorted(r.lines), sorted(t.add_target() for t in expected))
        print(f'       all answer {1000 * clean:.0f} ms, 20 silent {1000 * r.elapsed:.0f} ms')
