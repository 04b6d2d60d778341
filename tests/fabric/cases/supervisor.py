# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole daemon on the fabric: what its scans become, what it does on notices and changes."""
import contextlib
import socket
import struct
import time

from fabric import Fabric, each, eq, has, ok
from fabric.srpha import PLAIN, Daemon, fake_session
from fabric.umad import CLASS_SA, REPORT, Umad, sa

NOTICE = 0x02
LIST_ONLY = PLAIN + 'login = no\n'


def infiniband(status):
    return [p for p in status['ports'] if p['link_layer'] == 'InfiniBand']


def scanned(n):
    """n offers on every active port."""
    return lambda s: all(p.get('scan', {}).get('offers') == n for p in infiniband(s)
                         if p['state'] == 'ACTIVE') and infiniband(s) and \
        all(p['state'] != 'unknown' for p in s['ports'])  # every worker has said what it has


def test_starts_and_stops():
    """Without root, and without device-mapper."""
    with Fabric('one-switch') as f:
        with Daemon(f, 'h1', LIST_ONLY) as d:
            status = d.wait_status(scanned(2))
            eq({p['name']: p['state'] for p in status['ports']},
               {'mlx5_0:1': 'ACTIVE', 'mlx5_0:2': 'ACTIVE'})
            eq(status['paths'], [])
        ok('stopping' in d.log(), d.log())


def test_discover_asks_the_daemon():
    """The list of the daemon is that of a scan."""
    with Fabric('two-switches') as f, Daemon(f, 'h1', LIST_ONLY) as d:
        d.wait_status(scanned(6))
        for port in ('mlx5_0:1', 'mlx5_0:2'):
            r = d.discover('--all', '--connection', '--port', port).check()
            eq(sorted(r.lines), f.add_targets(f'h1/{port}'))


def test_paths_and_logins():
    """Each allowed offer is a path, and add_target is told the line of srp_daemon."""
    with Fabric('one-switch') as f:
        target = f.targets()[0]
        config = PLAIN + f'[rule other]\naction = deny\nid_ext = {f.targets()[1].id_ext}\n'
        mark = f.mark()
        with Daemon(f, 'h1', config) as d:
            d.wait(f'{target.dgid}@mlx5_0:1: wanted -> connecting')
            login = f.wait('login h1/mlx5_0:1 (.*)', mark)[1]
            status = d.status()
            eq(len([p for p in status['paths'] if p['port'] == 'mlx5_0:1']), 1)
        written = dict(w.split('=') for w in login.split(','))
        expected = dict(w.split('=') for w in target.add_target(initiator_ext=True).split(','))
        eq({k: written.get(k, '').lower() for k in expected},
           {k: v.lower() for k, v in expected.items()})


def adopted(f, d, host='h1'):
    """Its first probe answered, too: an answer on its way would contradict what happens next."""
    return d.wait_status(lambda s: any(p['owner'] == 'configured' and p['state'] == 'up' and
                                       p['probe']['state'] == 'answering' for p in s['paths']))


def test_session_is_adopted():
    """A login somebody else made, with whatever initiator_ext, is the same path: no second one."""
    with Fabric('one-switch') as f:
        for number, target in enumerate(f.targets(), 3):
            fake_session(f, 'h1', number, 'mlx5_0:1', target)
        with Daemon(f, 'h1', PLAIN + '[rule x]\naction = allow\n') as d:
            d.wait_status(lambda s: sum(p['owner'] == 'configured' and p['state'] == 'up'
                                        for p in s['paths']) == 2)
            eq(d.count('@mlx5_0:1: wanted -> connecting'), 0)
            r = d.discover('--port', 'mlx5_0:1').check()
            eq(r.stdout, '')  # both are connected
            has(d.discover('--port', 'mlx5_0:1', '--all').check().stdout, 'connected')


def test_trap_65_fails_a_path():
    """The link to a target goes: a path-loss event within 100 ms of the subnet manager's notice."""
    with Fabric('one-switch') as f:
        target = f.targets()[0]
        fake_session(f, 'h1', 3, 'mlx5_0:1', target)
        with Daemon(f, 'h1', PLAIN + '[failover]\nprobe_interval = 60s\n') as d:
            adopted(f, d)
            since, mark = d.mark(), f.mark()
            sm = f.sm.mark()
            f.link_down('t1:1')
            f.sm.wait('Reporting Informational Notice "GID out of service', sm, 20)
            reported = time.monotonic()
            lost = d.wait(r'-> failing: out of service', since)
            print(f'       trap 65: {1000 * (lost - reported):.0f} ms after the SM')
            ok(lost - reported <= 0.1, f'{lost - reported:.3f} s')
            d.wait(f'{target.dgid}@mlx5_0:1: failing -> down', since)
            since = d.mark()
            f.link_up('t1:1')
            d.wait(f'{target.dgid}@mlx5_0:1: .*-> up', since)
            ok(mark >= 0, '')


def found(d, n, since):
    """When the supervisor was told of n offers."""
    return d.wait(rf'mlx5_0:1: {n} offers', since)


def test_only_the_manager_is_believed():
    """A Report of trap 65 from any other node is dropped; the manager's own still counts."""
    text = 'switch s\nhost h1\nhost h2\ntarget t1\n' + ''.join(
        f'link {n} s\n' for n in ('h1/mlx5_0:1', 'h2/mlx5_0:1', 't1'))
    with Fabric(text) as f, Umad(f, 'h2') as rogue:
        target = f.targets()[0]
        fake_session(f, 'h1', 3, 'mlx5_0:1', target)
        with Daemon(f, 'h1', PLAIN + '[failover]\nprobe_interval = 60s\n') as d:
            adopted(f, d)
            since, sm, agent = d.mark(), f.sm.mark(), rogue.register(CLASS_SA, rmpp=1)
            notice = struct.pack('>BBHHHH6x16s32x', 0x83, 0, 4, 65, f.port('h2/mlx5_0:1').lid, 0,
                                 bytes.fromhex(target.dgid))
            datagrams = f.counters('h1/mlx5_0')
            eq(rogue.send(agent, sa(REPORT, NOTICE, notice), f.port('h1/mlx5_0:1').lid,
                          timeout=0), 0)
            deadline = time.monotonic() + 5
            while f.counters('h1/mlx5_0') == datagrams and time.monotonic() < deadline:
                time.sleep(0.01)
            f.link_down('t1:1')
            f.sm.wait('Reporting Informational Notice "GID out of service', sm, 20)
            d.wait(r'-> failing: out of service', since)
            eq(d.count('subnet manager reports out-of-service', since), 1)


def test_a_new_target_is_found():
    """Trap 64: a target that comes into service is known within 300 ms of the SM's notice."""
    with Fabric('one-switch') as f, Daemon(f, 'h1', LIST_ONLY, debug=True) as d:
        d.wait_status(scanned(2))
        sm = f.sm.mark()
        f.remove('t2')
        f.sm.wait_up(sm)
        since, sm = d.mark(), f.sm.mark()
        f.add('t2')
        f.sm.wait('Reporting Informational Notice "GID in service', sm, 20)
        reported = time.monotonic()
        delay = d.wait(r'mlx5_0:1: the subnet manager reports in-service', since) - reported
        # It was never forgotten: asked again, and still two.
        print(f'       trap 64: {1000 * delay:.0f} ms after the SM')
        ok(delay <= 0.3, f'{delay:.3f} s')


def test_a_target_that_was_never_there():
    with Fabric('one-switch') as f, Daemon(f, 'h1', LIST_ONLY, debug=True) as d:
        d.wait_status(scanned(2))
        since, sm = d.mark(), f.sm.mark()
        f.topology_add('target fresh', 'link fresh s1')
        f.sm.wait('Reporting Informational Notice "GID in service', sm, 20)
        reported = time.monotonic()
        delay = found(d, 3, since) - reported
        print(f'       a new target: {1000 * delay:.0f} ms after the SM')
        ok(delay <= 0.3, f'{delay:.3f} s')


def test_trap_144():
    """A port that begins to offer Device Management is known within 300 ms of the notice."""
    with Fabric('one-switch') as f:
        f.control('dm off t2')
        f.sm.sweep()
        with Daemon(f, 'h1', LIST_ONLY, debug=True) as d:
            d.wait_status(scanned(1))
            since, sm = d.mark(), f.sm.mark()
            f.control('dm on t2')
            f.sm.wait('Reporting Informational Notice "CapabilityMask', sm, 20)
            reported = time.monotonic()
            delay = found(d, 2, since) - reported
            print(f'       trap 144: {1000 * delay:.0f} ms after the SM')
            ok(delay <= 0.3, f'{delay:.3f} s')


def watched(d, n, seconds, changed=lambda s: True):
    """Looks at the status for a while: there are always n offers, and in the end changed()."""
    deadline = time.monotonic() + seconds
    while True:
        status = d.status()
        for port in infiniband(status):
            if port.get('scan'):
                ok(port['scan']['offers'] == n, f'{port}\n{d.log()}')
        if changed(status) or time.monotonic() > deadline:
            ok(changed(status), f'{status}\n{d.log()}')
            return
        time.sleep(0.02)


def test_second_subnet_manager():
    """The SM dies and another takes over: scanned again, subscribed again, nothing lost."""
    with Fabric('two-sms', sm=['sm1', 'sm2']) as f, Daemon(f, 'h1', LIST_ONLY, debug=True) as d:
        d.wait_status(scanned(8))
        second = f.port('sm2/mlx5_0:1').lid
        mark, since = f.mark(), d.mark()
        f.sms[0].kill()
        f.wait(f'port h1/mlx5_0:1 lid .* sm_lid {second}', mark)
        watched(d, 8, 20, lambda s: d.count('mlx5_0:1: scan', since) > 0)
        f.sms[1].wait_up()
        # A notice of the new one arrives.
        deadline = time.monotonic() + 20
        while not d.count('subnet manager reports out-of-service', since):
            f.link_down('t0:1')
            time.sleep(1)
            f.link_up('t0:1')
            time.sleep(1)
            ok(time.monotonic() < deadline, f'no notice of the new SM\n{d.log()}')


@each('lid', 'reregister', 'pkey')
def test_changes_are_followed(what):
    """LID change, client reregister, P_Key change: scanned again, subscribed again, nothing lost."""
    with Fabric('two-pkeys') as f, Daemon(f, 'h1', LIST_ONLY, debug=True) as d:
        offers = len(f.add_targets('h1/mlx5_0:1'))
        d.wait_status(scanned(offers))
        since = d.mark()
        if what == 'lid':
            f.control('lid h1/mlx5_0:1 77')
            f.sm.sweep()
        elif what == 'reregister':
            f.control('reregister h1/mlx5_0:1')
        else:
            f.control('pkey h1/mlx5_0:1 9 0x0005')
        watched(d, offers, 20, lambda s: d.count('mlx5_0:1: scan', since) > 0)
        sm = f.sm.mark()
        f.link_down('red:1')
        f.sm.wait('Reporting Informational Notice "GID out of service', sm, 20)
        d.wait('subnet manager reports out-of-service', since)


def test_port_comes_up_late():
    """Down at the start: no noise, and scanned when it comes."""
    with Fabric('one-switch') as f:
        f.link_down('h1/mlx5_0:2')
        with Daemon(f, 'h1', LIST_ONLY) as d:
            d.wait_status(lambda s: scanned(2)(s) and
                          [p['state'] for p in s['ports'] if p['name'] == 'mlx5_0:2'] == ['DOWN'])
            lines = d.mark()
            time.sleep(2)
            ok(d.mark() - lines < 3, d.log())
            f.link_up('h1/mlx5_0:2')
            d.wait_status(lambda s: scanned(2)(s) and len(
                [p for p in s['ports'] if p['state'] == 'ACTIVE']) == 2)


def test_adapter_goes_and_comes():
    """Hot removal: the worker ends, nothing spins; back again, it is found again."""
    with Fabric('one-switch') as f, Daemon(f, 'h1', LIST_ONLY) as d:
        d.wait_status(scanned(2))
        f.remove('h1/mlx5_0')
        d.wait('mlx5_0:1: gone')
        d.wait('mlx5_0:2: gone')
        lines = d.mark()
        time.sleep(2)
        ok(d.mark() - lines < 3, d.log())
        f.add('h1/mlx5_0')
        # There is no udev here: it is found by the look every ten seconds.
        d.wait_status(lambda s: scanned(2)(s) and len(s['ports']) == 2)


def test_a_user_cannot_keep_others_out():
    """Clients that ask for long lists and want no answer: another one has its answer at once."""
    question = b'{"method": "io.srpha.Discover", "oneway": true}\0'
    with Fabric('big-1000') as f, Daemon(f, 'h1', LIST_ONLY) as d, contextlib.ExitStack() as stack:
        d.wait_status(scanned(200), 60)
        for _ in range(20):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(d.runtime / 'io.srpha'))
            client.settimeout(5)
            client.sendall(1000 * question)
        began = time.monotonic()
        d.ctl('status', '--json')
        took = time.monotonic() - began
        print(f'       beside 20,000 questions: {1000 * took:.0f} ms')
        ok(took <= 2, f'{took:.1f} s')


def cpu_seconds(pid):
    """User and system time of a process."""
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        values = file.read().rpartition(')')[2].split()
    return (int(values[11]) + int(values[12])) / 100


def memory_kib(pid):
    """Proportional set size: what the process adds to the system."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('Pss:'))


IDLE_SECONDS = 20


def test_eight_ports():
    """1,800 HCAs, 8 local ports: one supervisor, 8 workers; memory, and idle at 0.2 % CPU."""
    with Fabric('big-1800') as f, Daemon(f, 'h1', LIST_ONLY) as d:
        status = d.wait_status(scanned(300), 60)
        workers = [p['worker_pid'] for p in status['ports'] if p.get('worker_pid')]
        eq(len(workers), 8)
        time.sleep(1)
        pids = [d.process.pid] + workers
        before, began = [cpu_seconds(p) for p in pids], time.monotonic()
        time.sleep(IDLE_SECONDS)
        used = sum(cpu_seconds(p) for p in pids) - sum(before)
        share = 100 * used / (time.monotonic() - began)
        print(f'       idle {share:.2f} % of a CPU; supervisor {memory_kib(pids[0])} KiB, workers '
              + ', '.join(str(memory_kib(p)) for p in workers) + ' KiB')
        ok(share <= 0.2, f'{share:.2f} %')
