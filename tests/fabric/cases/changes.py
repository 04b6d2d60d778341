# SPDX-License-Identifier: GPL-2.0-or-later
"""What changes on a fabric, and how a host hears of it: events, sysfs, notices."""
import struct
import time

from fabric import Fabric, each, eq, has, ok
from fabric.umad import (CLASS_DM, CLASS_SA, GET, GET_RESP, REPORT, REPORT_RESP, SET, Umad, mad,
                         sa)
from fabric.verbs import Verbs

NOTICE, INFORM_INFO, IO_UNIT_INFO = 0x02, 0x03, 0x10
IN_SERVICE, OUT_OF_SERVICE, CAPABILITY = 64, 65, 144


def attribute(f, host, name, device='mlx5_0', port=1):
    path = f.root(host) / f'sys/class/infiniband/{device}/ports/{port}/{name}'
    return path.read_text(encoding='ascii').rstrip('\n')


def subscribe(f, u, agent, trap, port):
    """InformInfo for a generic trap of every node."""
    inform = struct.pack('>16xHHHBBHHIBBH', 0xffff, 0, 0, 1, 1, 0xffff, trap, 0, 0, 0xff, 0xffff)
    d = u.query(agent, sa(SET, INFORM_INFO, inform), f.port(port).sm_lid)
    eq((d.method, d.mad_status), (GET_RESP, 0))


def next_report(u, agent):
    """The next notice: its trap number and the datagram; it is answered."""
    d = u.receive()
    ok(d is not None, 'no Report')
    eq((d.agent, d.method, d.attr), (agent, REPORT, NOTICE))
    answer = bytearray(d.mad)
    answer[3] = REPORT_RESP
    u.send(agent, bytes(answer), d.lid, timeout=0)
    return d.field('H', 56 + 4), d


def test_reports():
    """Reports of traps 65, 64 and 144 for whoever subscribed, within 100 ms of the change."""
    with Fabric('two-switches') as f, Umad(f, 'h1', port=2) as u:
        agent = u.register(CLASS_SA, rmpp=1, methods=[REPORT])
        for trap in (IN_SERVICE, OUT_OF_SERVICE, CAPABILITY):
            subscribe(f, u, agent, trap, 'h1/mlx5_0:2')
        gid, lid = bytes.fromhex(f.port('a1:1').gid), f.port('a1:1').lid
        took = {OUT_OF_SERVICE: [], IN_SERVICE: []}
        for change, trap in ((f.link_down, OUT_OF_SERVICE), (f.link_up, IN_SERVICE)) * 3:
            began = time.monotonic()
            change('a1:1')
            got, d = next_report(u, agent)
            took[trap].append(time.monotonic() - began)
            eq((got, d.mad[56 + 16:56 + 32]), (trap, gid))
        # The best of three: other work on the machine is not to be measured.
        ok(max(min(t) for t in took.values()) < 0.1, f'{took}')
        f.control('dm off a1')
        got, d = next_report(u, agent)
        eq((got, d.field('H', 56 + 12), d.field('I', 56 + 16) >> 19 & 1), (CAPABILITY, lid, 0))


def test_link_of_the_host():
    """A cable of the host: the events, in order, and sysfs before each."""
    with Fabric('two-switches') as f, Verbs(f, 'h1') as v:
        f.link_down('h1/mlx5_0:2')
        eq(v.event(), ('port-error', 2))
        eq([attribute(f, 'h1', n, port=2) for n in ('state', 'phys_state')],
           ['1: DOWN', '2: Polling'])
        eq(attribute(f, 'h1', 'state'), '4: ACTIVE', 'the other port')
        f.link_up('h1/mlx5_0:2')
        eq(v.until('port-active')[-1], ('port-active', 2))
        eq([attribute(f, 'h1', n, port=2) for n in ('state', 'phys_state')],
           ['4: ACTIVE', '5: LinkUp'])


def test_lid_change():
    with Fabric('two-sms', sm='sm1') as f, Verbs(f, 'h1') as v:
        lid = f.port('h1/mlx5_0:1').lid
        f.change_lids({'h1/mlx5_0:1': 77, 't0:1': 78})
        ok(('lid-change', 1) in v.until('client-reregister'), 'no LID change')
        eq(attribute(f, 'h1', 'lid'), '0x4d')
        ok(lid != 77, 'it was the same')
        lines = f.run('h1', ['ibsrpdm', '-c']).check().lines
        eq(sorted(lines), f.add_targets('h1/mlx5_0:1'))


def test_sm_change():
    with Fabric('two-sms', sm=['sm1', 'sm2']) as f, Verbs(f, 'h1') as v:
        before = attribute(f, 'h1', 'sm_lid')
        f.sms[0].kill()
        events = v.until('client-reregister')
        ok(('sm-change', 1) in events or ('sm-change', 2) in events, f'{events}')
        ok(attribute(f, 'h1', 'sm_lid') != before, 'sm_lid is the same')


def test_pkey_change():
    with Fabric('one-switch') as f, Verbs(f, 'h1') as v:
        f.set_partitions('Extra pkey=0x0123 full=h1/mlx5_0:1,t1')
        ok(('pkey-change', 1) in v.until('pkey-change'), 'of another port')
        ok('0x8123' in [attribute(f, 'h1', f'pkeys/{i}') for i in range(4)], 'not in sysfs')
        ok(f'pkey={0x8123:04x}' in f.run('h1', ['srp_daemon', '-a', '-c', '-o', '-t', '200', '-i',
                                                'mlx5_0', '-p', '1']).check().stdout, 'not used')


@each('port-active', 'port-error', 'lid-change', 'pkey-change', 'sm-change', 'client-reregister',
      'gid-change', 'device-fatal')
def test_event(name):
    """Every event can be made without reason, too."""
    with Fabric('one-switch', sm=None) as f, Verbs(f, 'h1') as v:
        f.control(f'event h1/mlx5_0:2 {name}')
        eq(v.event(), (name, 2))
        eq(v.event(0), None)


def test_device_removed():
    with Fabric('two-sms', sm='sm1') as f, Verbs(f, 'h1') as v:
        f.remove('h1/mlx5_0')
        events = v.until('end')
        ok(any(e[0] == 'device-fatal' for e in events), f'{events}')


def test_node_added():
    """A target that was not there at the start."""
    with Fabric('one-switch') as f:
        mark = f.sm.mark()
        f.topology_add('target late', 'link late s1')
        f.sm.wait_up(mark)
        lines = f.run('h1', ['ibsrpdm', '-c']).check().lines
        eq(sorted(lines), f.add_targets('h1/mlx5_0:1'))
        eq(len(lines), 3)
        mark = f.sm.mark()
        f.remove('late')
        f.sm.wait_up(mark)
        eq(len(f.run('h1', ['ibsrpdm', '-c']).check().lines), 2)


def test_controller_added():
    """Another controller in a unit: change_id counts, and the next scan finds it."""
    with Fabric('one-switch') as f:
        def change_id():
            text = f.run('h1', ['ibsrpdm', '-v']).check()
            text = text.stdout + text.stderr
            return [line.split()[-1] for line in text.splitlines() if 'change ID' in line]
        before = change_id()
        f.topology_add('ioc t1 slot=2 guid=0x9', 'service t1 slot=2 id=0x10')
        after = change_id()
        eq((before[0] != after[0], before[1] == after[1]), (True, True), f'{before} {after}')
        lines = f.run('h1', ['ibsrpdm', '-c']).check().lines
        eq(sorted(lines), f.add_targets('h1/mlx5_0:1'))
        eq(len(lines), 3)
        f.control('ioc-remove t1 2')
        eq(len(f.run('h1', ['ibsrpdm', '-c']).check().lines), 2)


def test_device_management_off():
    with Fabric('one-switch') as f:
        mark = f.sm.mark()
        f.control('dm off t1')
        f.sm.wait_up(mark)
        eq(f.run('h1', ['ibsrpdm', '-c']).check().lines, f.add_targets('h1/mlx5_0:1'))


def test_second_sm_hands_over():
    """A subnet manager with a higher priority takes over from one that lives."""
    with Fabric('two-sms', sm='sm1', sm_options={'sm_priority': 1}) as f:
        mark = f.mark()
        f.start_sm('sm2', wait=False, sm_priority=10)
        f.wait(f'port h1/mlx5_0:1 lid .* sm_lid {f.port("sm2/mlx5_0:1").lid}', mark)
        f.sms[1].wait_up()
        r = f.run('h1', ['ibsrpdm', '-c'])
        if r.status != 0:  # it asks once, and an administrator that is new may not hear it yet
            r = f.run('h1', ['ibsrpdm', '-c'])
        eq(len(r.check().lines), 8)


def test_two_fabrics():
    """Two at a time, of different size, know nothing of each other."""
    with Fabric('one-switch') as f, Fabric('two-switches') as g:
        for fabric, n in ((f, 2), (g, 6), (f, 2)):
            lines = fabric.run('h1', ['ibsrpdm', '-c']).check().lines
            eq(sorted(lines), fabric.add_targets('h1/mlx5_0:1'))
            eq(len(lines), n)


def test_link_layer():
    """A port becomes Ethernet, and InfiniBand again."""
    with Fabric('two-switches') as f, Verbs(f, 'h1') as v:
        eq((attribute(f, 'h1', 'link_layer', port=2), attribute(f, 'h1', 'gid_attrs/types/0')),
           ('InfiniBand', 'IB/RoCE v1'))
        f.control('link-layer h1/mlx5_0:2 ethernet')
        eq(v.until('port-active')[0], ('port-error', 2))
        eq([attribute(f, 'h1', n, port=2) for n in
            ('link_layer', 'gid_attrs/types/0', 'gid_attrs/ndevs/0', 'state')],
           ['Ethernet', 'RoCE v2', 'eth0', '4: ACTIVE'])
        f.control('link-layer h1/mlx5_0:2 infiniband')
        eq(v.until('port-active')[0], ('port-error', 2))
        eq(attribute(f, 'h1', 'link_layer', port=2), 'InfiniBand')


def test_ethernet():
    """Device Management over an Ethernet port, by GID; and not when the cable is out."""
    with Fabric('ethernet') as f, Umad(f, 'h1', port=2) as u:
        agent, roce = u.register(CLASS_DM), f.port('roce:1')
        query = mad(CLASS_DM, GET, IO_UNIT_INFO)
        d = u.query(agent, query, 0, gid=bytes.fromhex(roce.gid))
        eq((d.status, d.mad_status, d.grh_present, d.gid.hex()), (0, 0, 1, roce.gid))
        f.link_down('h1/mlx5_0:2')
        eq(u.query(agent, query, 0, gid=bytes.fromhex(roce.gid), timeout=100).status, 110)
        f.link_up('h1/mlx5_0:2')
        eq(u.query(agent, query, 0, gid=bytes.fromhex(roce.gid)).status, 0)


def test_login():
    """srp_daemon -e writes to add_target what it would print; connected targets it leaves out."""
    with Fabric('one-switch') as f:
        argv = ['srp_daemon', '-e', '-o', '-n', '-i', 'mlx5_0', '-p', '1']
        connected, other = f.targets()
        mark = f.mark()
        f.add_session('h1', connected)
        f.run('h1', argv).check()
        line = f.wait('login h1/mlx5_0:1 (.*)', mark)[1]
        has(line, f'id_ext={other.id_ext},')
        f.remove_session('h1')
        f.run('h1', argv).check()
        f.wait(f'login h1/mlx5_0:1 .*id_ext={connected.id_ext},', mark)
        eq(len([h for h in f.history(mark) if ' login ' in h]), 3)
