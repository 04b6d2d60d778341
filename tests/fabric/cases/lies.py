# SPDX-License-Identifier: GPL-2.0-or-later
"""srpha among peers that answer wrongly, late or not at all: never a crash, and nobody else pays."""
import time

from fabric import Fabric, each, eq, ok
from fabric.srpha import PLAIN, Daemon, discover

# Soon given up, so that the cases do not take long.
HASTY = PLAIN + 'mad_timeout = 200ms\nmad_retries = 2\n'

# IOUnitInfo 0x10, IOControllerProfile 0x11, ServiceEntries 0x12; the data begins at byte 64.
TARGET_LIES = (
    'drop', 'delay arg=50', 'delay arg=5000', 'twice', 'garbage',
    'status arg=1', 'status arg=0x1c', 'status arg=0xffff',
    'tid force', 'class arg=4 force', 'method arg=1 force', 'attr arg=0x99', 'mod arg=0x70003',
    'length arg=0', 'length arg=24', 'length arg=64', 'length arg=100', 'length arg=255',
    'redirect to=t1:1', 'redirect to=t1:1 arg=1', 'redirect to=other:1',
    'poke attr=0x10 arg=66 data=ff',            # 255 controllers
    'poke attr=0x10 arg=66 data=ff1111111111',  # and most of them present
    'poke attr=0x10 arg=64 data=0000',          # change id 0
    'poke attr=0x11 arg=118 data=ff',           # 255 services
    'poke attr=0x11 arg=118 data=00',           # none
    'poke attr=0x11 arg=64 data=0000000000000000',
    'poke attr=0x12 arg=64 data=' + 'ff' * 32,  # names of bytes that are no text
    'poke attr=0x12 arg=72 data=' + '41' * 32,  # a name that goes on and on
    'poke attr=0x12 arg=64 data=5352502e5431303a7a7a7a7a',  # SRP.T10:zzzz
    'poke attr=0x12 arg=64 data=00',
)


@each(*TARGET_LIES)
def test_a_target_lies(fault):
    """t1 does; t2 is found all the same, and t1 is when it is honest again."""
    with Fabric('one-switch') as f:
        f.fault(fault.replace(' ', ' node=t1 class=6 ', 1) if ' ' in fault
                else f'{fault} node=t1 class=6')
        r = discover(f, 'h1', '--all', '--connection', '--port', 'mlx5_0:1', config=HASTY)
        ok(r.status in (0, 3), f'{r.status}\n{r.stderr}')
        honest = [t.add_target() for t in f.targets() if t.port.startswith('t2')]
        eq([line for line in honest if line not in r.lines], [], f'{r.lines}\n{r.stderr}')
        ok(r.elapsed < 5, f'{r.elapsed:.1f} s')
        f.fault('clear')
        r = discover(f, 'h1', '--all', '--connection', '--port', 'mlx5_0:1')
        eq((sorted(r.lines), r.status), (f.add_targets('h1/mlx5_0:1'), 0))


ADMINISTRATOR_LIES = (
    'drop', 'delay arg=50', 'twice', 'garbage', 'status arg=1', 'status arg=0x0200',
    'tid force', 'class arg=6 force', 'method arg=1 force', 'attr arg=0x99 force',
    'length arg=0', 'length arg=55', 'length arg=57', 'length arg=70000',
    'attr-offset arg=0', 'attr-offset arg=1', 'attr-offset arg=65535',
    'payload arg=0', 'payload arg=4294967295', 'repeat', 'repeat arg=100',
)


@each(*ADMINISTRATOR_LIES)
def test_the_administrator_lies(fault):
    """Whatever it says, the scan ends soon, in a list or in words; and is well again afterwards."""
    with Fabric('one-switch') as f:
        f.fault(fault.replace(' ', ' class=3 ', 1) if ' ' in fault else f'{fault} class=3')
        r = discover(f, 'h1', '--all', '--connection', '--port', 'mlx5_0:1', config=HASTY)
        ok(r.status in (0, 3), f'{r.status}\n{r.stderr}')
        ok(r.status == 0 or r.stderr, 'not complete, and no word of it')
        ok(r.elapsed < 15, f'{r.elapsed:.1f} s')
        right = f.add_targets('h1/mlx5_0:1')
        if fault.split()[0] != 'garbage':
            eq([line for line in r.lines if line not in right], [], 'invented')
        f.fault('clear')
        r = discover(f, 'h1', '--all', '--connection', '--port', 'mlx5_0:1')
        eq((sorted(r.lines), r.status), (right, 0))


# What can be told from a true answer takes nothing away; what cannot only lasts until the truth.
TELLABLE = ('length arg=100', 'status arg=1', 'twice', 'mod arg=9', 'drop', 'length arg=3000',
            'tid force', 'method arg=1 force')


@each('tellable', 'any')
def test_everybody_lies(kinds):
    """All of it at once, for a while: nobody ends, the log stays short, and then all is well."""
    more = ('garbage', 'attr-offset arg=3') if kinds == 'any' else ()
    with Fabric('two-switches') as f:
        config = HASTY + 'login = no\nrescan_interval = 1s\n'
        with Daemon(f, 'h1', config) as d:
            d.wait_status(lambda s: all(p.get('scan', {}).get('offers') == 6 for p in s['ports']))
            since = d.mark()
            for kind in TELLABLE + more:
                f.fault(f'{kind} chance=0.1')
            before = {p['name']: p['worker_pid'] for p in d.status()['ports']}
            time.sleep(6)
            status = d.status()
            eq({p['name']: p['worker_pid'] for p in status['ports']}, before, d.log())
            for port in status['ports']:
                ok(more or port['scan']['offers'] == 6, f'a target was lost: {port}\n{d.log()}')
            ok(d.mark() - since <= 12, f'{d.mark() - since} lines in the log\n{d.log()}')
            f.fault('clear')
            # A well-formed lie under the old change_id is believed for a while; not by a new scan.
            d.reload()
            d.wait_status(lambda s: all(p['scan']['offers'] == 6 and p['scan']['complete']
                                        for p in s['ports']))
