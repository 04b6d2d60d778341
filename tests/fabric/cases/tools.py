# SPDX-License-Identifier: GPL-2.0-or-later
"""The distribution's own programs on the simulated fabric, as it comes up and changes."""
from fabric import Fabric, each, eq, has, ok

SMALL = ('one-switch', 'two-switches', 'multi-ioc', 'rev10', 'two-ports', 'empty-slots',
         'no-targets', 'ethernet', 'many-services', 'two-hcas', 'two-sms')
ALL = SMALL + ('two-pkeys', 'partial', 'big-1000', 'big-1800')


def node_records(text):
    """Node descriptions of a saquery, one for each port."""
    return sorted(line.split('.', 1)[1].lstrip('.') for line in text.splitlines()
                  if 'NodeDescription' in line)


@each(*ALL)
def test_comes_up(topology):
    """opensm brings everything up that has a cable, and says so for every port over RMPP."""
    with Fabric(topology) as f:
        ports = [p for p in f.ports().values()
                 if p.peer != '-' and p.phys == 5 and not p.ethernet]
        ok(ports, 'no ports')
        eq([p.name for p in ports if p.state != 4], [], 'not active')
        cas = [p for p in ports if p.kind == 'ca']
        switches = {p.name.rpartition(':')[0] for p in ports if p.kind == 'switch'}
        lids = [p.lid for p in cas]
        eq(len(set(lids)), len(lids), 'LIDs are not different')
        host = cas[0].name.split('/')[0] if '/' in cas[0].name else 'sm'
        r = f.run(host, ['saquery', '-N']).check()
        eq(len(node_records(r.stdout)), len(cas) + len(switches), 'node records')


@each(*SMALL, 'big-1000')
def test_ibsrpdm(topology):
    """ibsrpdm -c lists exactly the targets of the topology."""
    with Fabric(topology) as f:
        r = f.run('h1', ['ibsrpdm', '-c']).check()
        eq(sorted(r.lines), f.add_targets('h1/mlx5_0:1'))


@each(*SMALL, 'two-pkeys', 'partial', 'big-1800')
def test_srp_daemon(topology):
    """So does srp_daemon, over every P_Key the two ends share."""
    with Fabric(topology) as f:
        # It asks over P_Keys that are not shared too, and waits in vain.
        r = f.run('h1', ['srp_daemon', '-a', '-c', '-o', '-n', '-t', '300', '-i', 'mlx5_0',
                         '-p', '1']).check()
        eq(sorted(r.lines), f.add_targets('h1/mlx5_0:1', initiator_ext=True))


def test_link_down_is_reported():
    """A link that goes down and comes back: the SM says so with a notice for the GID."""
    with Fabric('two-switches') as f:
        for change, notice in ((f.link_down, 'out of'), (f.link_up, 'in')):
            mark = f.sm.mark()
            change('b0:1')
            f.sm.wait(f'Reporting Informational Notice "GID {notice} service".*'
                      f'{f.port("b0:1").guid & 0xffff:x}', mark, 10)
            f.sm.wait_up(mark)
        r = f.run('h1', ['ibsrpdm', '-c']).check()
        eq(len(r.lines), 6)


def test_second_sm_takes_over():
    with Fabric('two-sms', sm=['sm1', 'sm2']) as f:
        first, second = (f.port(f'sm{i}/mlx5_0:1').lid for i in (1, 2))
        eq(f.port('h1/mlx5_0:1').sm_lid, first)
        mark = f.mark()
        f.sms[0].kill()
        f.wait(f'port h1/mlx5_0:1 lid .* sm_lid {second}', mark)
        f.wait('port h1/mlx5_0:1 reregister', mark)
        f.sms[1].wait_up()
        r = f.run('h1', ['ibsrpdm', '-c']).check()
        eq(len(r.lines), 8)
        has(f.run('h1', ['sminfo']).check().stdout, f'sm lid {second}')
