# SPDX-License-Identifier: GPL-2.0-or-later
"""srphactl discover against the distribution's ibsrpdm and srp_daemon, on the same fabric."""
import json

from fabric import Fabric, each, eq, has, ok
from fabric.srpha import PLAIN, discover

# ibsrpdm asks over the default P_Key alone.
ONE_PKEY = ('one-switch', 'two-switches', 'multi-ioc', 'rev10', 'two-ports', 'empty-slots',
            'no-targets', 'ethernet', 'many-services', 'two-hcas', 'two-sms', 'big-1000')
ALL = ONE_PKEY + ('two-pkeys', 'partial')


def connections(fabric, *more, host='h1', port='mlx5_0:1', config=PLAIN):
    r = discover(fabric, host, '--all', '--connection', '--port', port, *more, config=config)
    eq((r.status, r.stderr), (0, ''))
    return r.lines


@each(*ONE_PKEY)
def test_ibsrpdm(topology):
    """Line for line what ibsrpdm -c has."""
    with Fabric(topology) as f:
        theirs = f.run('h1', ['ibsrpdm', '-c']).check().lines
        ours = connections(f)
        eq(sorted(ours), sorted(theirs))
        eq(len(set(ours)), len(ours), 'twice')


@each(*ALL, 'big-1800')
def test_srp_daemon(topology):
    """And what srp_daemon -a -c -o -n has, over all P_Keys."""
    with Fabric(topology) as f:
        theirs = f.run('h1', ['srp_daemon', '-a', '-c', '-o', '-n', '-t', '300', '-i', 'mlx5_0',
                              '-p', '1']).check().lines
        eq(sorted(connections(f, '--initiator-ext')), sorted(theirs))


def words(text):
    """The lines of ibsrpdm without those only we have; sorted by I/O unit."""
    units, ours = [], ('P_Key:', 'seen from:', 'node:', 'allowed', 'denied')
    for line in text.splitlines():
        if line.startswith('IO Unit Info'):
            units.append([])
        if line.strip() and not line.strip().startswith(ours) and units:
            units[-1].append(line.rstrip())
    return sorted(units)


@each('one-switch', 'multi-ioc', 'many-services', 'rev10', 'empty-slots')
def test_words(topology):
    """I/O units, controllers and services in the words of ibsrpdm."""
    with Fabric(topology) as f:
        theirs = f.run('h1', ['ibsrpdm']).check().stdout
        ours = discover(f, 'h1', '--all', '--port', 'mlx5_0:1').check().stdout
        for unit in words(ours):
            for line in unit:
                ok(line in theirs.splitlines() or ':' not in line,
                   f'ibsrpdm has no line {line!r}:\n{theirs}\n--- ours:\n{ours}')


def test_all_ports_at_once():
    """Without --port every port is scanned; one without a cable says so, and takes nothing away."""
    with Fabric('two-hcas') as f:
        r = discover(f, 'h1', '--all', '--json')
        eq(r.status, 3)
        has(r.stderr, 'mlx5_1:1')
        found = json.loads(r.stdout)['offers']
        for port in ('mlx5_0:1', 'mlx5_0:2'):
            eq(sorted(o['connection'] for o in found if o['port'] == port),
               sorted(f.run('h1', ['ibsrpdm', '-c', '-d', '/dev/infiniband/umad0']).check().lines))


def test_rules():
    """What the file of srp_daemon denies is denied, by file and line; options go along."""
    with Fabric('two-switches') as f:
        first, second = sorted({t.id_ext for t in f.targets()})[:2]
        rules = f.directory / 'rules'
        rules.write_text(f'# one is not ours\nd id_ext={first}\n'
                         f'a id_ext={second},max_sect=65535,tl_retry_count=5\n')
        config = f'[discovery]\nrules = {rules}\n[rule two]\naction = allow\nid_ext = {first}\n' \
                 'dgid = fe800000000000000000000000000001\n'
        theirs = f.run('h1', ['srp_daemon', '-a', '-c', '-o', '-n', '-i', 'mlx5_0', '-p', '1',
                              '-f', rules]).check().lines
        eq(sorted(connections(f, '--initiator-ext', config=config)), sorted(theirs))
        eq(len(theirs), 5)
        r = discover(f, 'h1', '--all', '--port', 'mlx5_0:1', config=config).check()
        has(r.stdout, f'{rules}:2')
        r = discover(f, 'h1', '--all', '--json', '--port', 'mlx5_0:1', config=config).check()
        denied = [o for o in json.loads(r.stdout)['offers'] if not o['allowed']]
        eq([(o['id_ext'], o['rule'], o['rule_line']) for o in denied],
           [(first.lower(), str(rules), 2)])


def test_broken_rules_are_told():
    with Fabric('one-switch') as f:
        rules = f.directory / 'rules'
        rules.write_text('a\nx id_ext=1\na colour=red\n')
        r = discover(f, 'h1', config=f'[discovery]\nrules = {rules}\n')
        eq((r.status, r.stdout), (1, ''))
        has(r.stderr, f'{rules}:2')
        has(r.stderr, f'{rules}:3')


def test_no_infiniband_port():
    with Fabric('one-switch') as f:
        r = discover(f, 'h1', '--port', 'mlx4_*')
        eq((r.status, r.stdout), (1, ''))
        has(r.stderr, 'no InfiniBand port')


def test_no_subnet_manager():
    """Nobody has brought the fabric up: that is said, soon, and nothing is invented."""
    with Fabric('one-switch', sm=None) as f:
        r = discover(f, 'h1', '--port', 'mlx5_0:1', timeout=20)
        eq((r.status, r.stdout), (3, ''))
        has(r.stderr, 'mlx5_0:1')
