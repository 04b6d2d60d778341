# SPDX-License-Identifier: GPL-2.0-or-later
"""Fabric: a simulated fabric with its subnet managers, for a with statement."""
import dataclasses
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from .opensm import Opensm
from .simulator import HERE, FabricError, Simulator, build_directory


@dataclasses.dataclass
class Result:
    argv: list
    status: int
    stdout: str
    stderr: str
    elapsed: float  # seconds

    @property
    def lines(self):
        return self.stdout.splitlines()

    def check(self):
        """Raises unless it ended well; returns itself."""
        if self.status != 0:
            raise FabricError(f'{" ".join(map(str, self.argv))}: status {self.status}\n'
                              f'{self.stdout}{self.stderr}')
        return self


@dataclasses.dataclass
class Port:
    name: str
    kind: str  # "ca" or "switch"
    state: int
    phys: int
    lid: int
    sm_lid: int
    cap: int
    gid: str
    peer: str
    pkeys: tuple  # numbers, membership included; the empty ones left out
    ethernet: bool
    removed: bool

    @property
    def guid(self):
        return int(self.gid[16:], 16)

    @property
    def num_is_end(self):
        """Whether it has LIDs: a port of an adapter, or the management port of a switch."""
        return self.kind == 'ca' or self.name.endswith(':0')


@dataclasses.dataclass(frozen=True)
class Service:
    """A service that a target offers behind one of its ports, as the topology has it."""
    port: str
    slot: int
    ioc_guid: str
    io_class: str
    dgid: str
    service_id: str
    dm: bool
    active: bool
    name: str

    @property
    def id_ext(self):
        return self.name[len('SRP.T10:'):] if self.name.startswith('SRP.T10:') else None

    def add_target(self, pkey='ffff', initiator_ext=False):
        """The line of `ibsrpdm -c` for it."""
        text = (f'id_ext={self.id_ext},ioc_guid={self.ioc_guid},dgid={self.dgid},pkey={pkey},'
                f'service_id={self.service_id}')
        if self.io_class != '0100':
            text += f',io_class={self.io_class}'
        return text + (f',initiator_ext={self.dgid[16:]}' if initiator_ext else '')


def fields(line):
    """"first a=1 b=2" to its first word and a dict; name= takes the rest of the line."""
    line, _, name = line.partition(' name=')
    words = line.split()
    result = dict(w.partition('=')[::2] for w in words[1:])
    result['name'] = name
    return words[0], result


def example(name):
    """The path of a topology of examples/."""
    return HERE / 'examples' / f'{name}.topo'


class Fabric:
    """
    Fabric(topology): a path, the name of an example, or (when it has a newline) the text itself.
    sm: where subnet managers run, as 'host' or 'host/device:port', a list of them, or nothing;
    by default the first port of the first host. sm_options: of opensm.conf.
    """

    def __init__(self, topology, sm=True, sm_options=None, wait=True):
        self.topology, self.sm_places, self.wait_for_sm = str(topology), sm, wait
        self.sm_options = sm_options or {}
        self.sms, self.programs = [], []
        self.directory = self.simulator = None

    # Life

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='fabric-'))
        self.directory.chmod(0o755)
        try:
            self.simulator = Simulator(self.topology_path(), self.directory)
            for place in self.places():
                self.start_sm(place, wait=self.wait_for_sm)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in self.programs:
            if process.poll() is None:
                process.kill()
            process.wait()
        for sm in self.sms:
            sm.kill()
        try:
            if self.simulator:
                self.simulator.close()
        finally:
            self.simulator = None
            if os.environ.get('FABRIC_KEEP'):
                print(f'kept: {self.directory}')
            else:
                shutil.rmtree(self.directory, ignore_errors=True)

    def topology_path(self):
        if '\n' in self.topology:
            path = self.directory / 'topology'
            path.write_text(self.topology)
            return path
        path = pathlib.Path(self.topology)
        return path if path.exists() else example(self.topology)

    # Subnet managers

    def places(self):
        if self.sm_places is True:
            return [next(p.name for p in self.ports().values()
                         if '/' in p.name and not p.ethernet)]
        if not self.sm_places:
            return []
        return [self.sm_places] if isinstance(self.sm_places, str) else list(self.sm_places)

    def start_sm(self, place, wait=True, **options):
        """Starts an opensm on a port; waits until the subnet is up (a second one: until it is
        standby). Returns an Opensm."""
        ports = self.ports()
        name = next((n for n in ports if n == place or n.startswith(f'{place}/') or
                     n.startswith(f'{place}:')), None)
        if name is None:
            raise FabricError(f'no port {place}')
        sm = Opensm(self, name.split('/')[0], ports[name].guid,
                    self.directory / f'opensm{len(self.sms)}', self.sm_options | options)
        sm.partitions.write_text(self.partitions_text())
        self.sms.append(sm)
        sm.start()
        if wait:
            sm.wait(r'SUBNET UP|Entering STANDBY state')
        return sm

    @property
    def sm(self):
        return self.sms[0]

    def partitions_text(self, statements=None):
        """opensm's partition file of the topology's `partition` statements (or of others)."""
        ports, lines = self.ports(), []
        if statements is None:
            statements = self.control('partitions')
        for statement in statements:
            name, values = fields(statement)
            members = []
            for kind in ('full', 'limited'):
                for port in filter(None, values.get(kind, '').split(',')):
                    members += [f'{p}={kind}' for p in self.port_guids(port, ports)]
            # The later word wins, so what goes for all comes first.
            members.sort(key=lambda m: not m.startswith('ALL'))
            lines.append(f'{name}={values["pkey"]} : {", ".join(members)};')
        if not any(line.startswith('Default=') for line in lines):
            lines.insert(0, 'Default=0x7fff : ALL=full;')
        return '\n'.join(lines) + '\n'

    @staticmethod
    def port_guids(port, ports):
        if port in ('ALL', 'ALL_CAS', 'ALL_SWITCHES', 'SELF'):
            return [port]
        found = [p for n, p in ports.items() if n == port or n.rpartition(':')[0] == port]
        if not found:
            raise FabricError(f'partition: no port {port}')
        return [f'0x{p.guid:016x}' for p in found]

    def set_partitions(self, *statements):
        """Gives the subnet managers other partitions, as in a topology without the first word."""
        for sm in self.sms:
            sm.partitions.write_text(self.partitions_text(statements))
            if sm.is_running():
                sm.sweep()

    def change_lids(self, lids):
        """Has the first subnet manager give ports other LIDs ({name: lid}), as one that comes
        back with another table would. It is restarted."""
        self.sm.stop()
        table = {p.guid: p.lid for p in self.ports().values() if p.lid and p.num_is_end}
        for name, lid in lids.items():
            table[self.port(name).guid] = lid
        (self.sm.directory / 'guid2lid').write_text(
            ''.join(f'0x{g:016x} 0x{n:04x} 0x{n:04x}\n\n' for g, n in table.items()))
        self.sm.options['honor_guid2lid_file'] = 'TRUE'
        self.sm.write()
        self.sm.start().wait_up()

    # Control

    def control(self, command):
        """A command of the control socket; the lines of its answer."""
        return self.simulator.command(command)

    def mark(self):
        """Where the history is now, for wait()."""
        return int(self.control('mark')[0])

    def wait(self, pattern, since=0, timeout=30):
        """Waits for a line of the history; returns the match."""
        return self.simulator.wait(pattern, since, timeout)

    def history(self, since=0):
        return self.control(f'history {since}')

    def link_down(self, port):
        self.control(f'link down {port}')

    def link_up(self, port):
        self.control(f'link up {port}')

    def remove(self, node):
        self.control(f'node remove {node}')

    def add(self, node):
        self.control(f'node add {node}')

    def topology_add(self, *statements):
        """Statements of the topology file, now."""
        for statement in statements:
            self.control(f'topology {statement}')

    def latency(self, milliseconds, node='all'):
        """One way, of every datagram between two nodes."""
        self.control(f'latency {node} {milliseconds}')

    def loss(self, probability, node='all'):
        self.control(f'loss {node} {probability}')

    def fault(self, text):
        """Bad replies: see `fault` in README.md. fault('clear') ends all of them."""
        self.control(f'fault {text}')

    def ports(self, node=''):
        result = {}
        for line in self.control(f'ports {node}'):
            flags = line.split()
            name, v = fields(line)
            result[name] = Port(name, flags[1], int(v['state']), int(v['phys']), int(v['lid']),
                                int(v['sm_lid']), int(v['cap'], 16), v['gid'], v['peer'],
                                tuple(int(k, 16) for k in v['pkeys'].split(',') if k),
                                'ethernet' in flags, 'removed' in flags)
        return result

    def port(self, name):
        return self.ports(name.rpartition(':')[0])[name]

    def services(self):
        """What all targets offer behind all their ports, reachable or not."""
        result = []
        for line in self.control('targets'):
            name, v = fields(line)
            result.append(Service(name, int(v['slot']), v['ioc_guid'], v['io_class'], v['dgid'],
                                  v['service_id'], v['dm'] == '1', v['active'] == '1', v['name']))
        return result

    def targets(self, ethernet=False):
        """Of these, what an initiator is to find: SRP, active, with Device Management."""
        ports = self.ports()
        return [s for s in self.services()
                if s.dm and s.active and s.id_ext and ports[s.port].ethernet == ethernet]

    def add_targets(self, port, initiator_ext=False):
        """What a scan from that port of a host is to list, sorted: a line for each target and
        each P_Key of the port that the target has too, with a full member at one end."""
        ports = self.ports()
        return sorted(t.add_target(f'{pkey:04x}', initiator_ext)
                      for t in self.targets() for pkey in ports[port].pkeys
                      if any((pkey ^ k) & 0x7fff == 0 and (pkey | k) & 0x8000
                             for k in ports[t.port].pkeys))

    def counters(self, node=None):
        """{node: {'sent': {...}, 'received': {...}, 'queries': {...}}}"""
        result = {}
        for line in self.control(f'counters {node or ""}'):
            words = line.split()
            result.setdefault(words[0], {})[words[1]] = {
                k: int(v) for k, v in (w.split('=') for w in words[2:])}
        return result[node] if node else result

    def queries(self):
        """Device Management queries answered by all nodes, since the last counters-reset."""
        return sum(sum(c.get('queries', {}).values()) for c in self.counters().values())

    # What ib_srp would show

    def add_session(self, host, service, number=0, device='mlx5_0', port=1, state='running',
                    pkey='ffff'):
        """The files of an SRP session (no LUNs) to a service of services()."""
        local = self.port(f'{host}/{device}:{port}')
        colons = ':'.join
        classes = self.root(host) / 'sys/class'
        files = {
            'local_ib_device': device, 'local_ib_port': port, 'pkey': f'0x{pkey}',
            'id_ext': f'0x{service.id_ext}', 'ioc_guid': f'0x{service.ioc_guid}',
            'service_id': f'0x{service.service_id}',
            'sgid': colons(local.gid[i:i + 4] for i in range(0, 32, 4)),
            'dgid': colons(service.dgid[i:i + 4] for i in range(0, 32, 4)),
            'orig_dgid': colons(service.dgid[i:i + 4] for i in range(0, 32, 4)),
        }
        remote = {'state': state, 'failed_reconnects': 0, 'reconnect_delay': 10,
                  'fast_io_fail_tmo': 5, 'dev_loss_tmo': 'off', 'delete': ''}
        (classes / f'scsi_host/host{number}/device').mkdir(parents=True)
        for directory, texts in ((f'scsi_host/host{number}', files),
                                 (f'srp_remote_ports/port-{number}:1', remote)):
            (classes / directory).mkdir(exist_ok=True)
            for name, text in texts.items():
                (classes / directory / name).write_text(f'{text}\n')

    def remove_session(self, host, number=0):
        for name in (f'srp_remote_ports/port-{number}:1', f'scsi_host/host{number}'):
            shutil.rmtree(self.root(host) / 'sys/class' / name)

    # Programs on hosts

    def root(self, host):
        """The directory for srpha's --root: it has sys/ below it."""
        return self.directory / host

    def environment(self, host):
        env = {k: v for k, v in os.environ.items() if not k.startswith(('FABRIC_', 'LD_', 'OSM_'))}
        env['PATH'] = env.get('PATH', '/usr/bin:/bin') + ':/usr/sbin:/sbin'
        return env | {
            'LD_LIBRARY_PATH': str(build_directory() / 'tests/fabric/lib'),
            'FABRIC_HOST': str(self.root(host)),
            'SYSFS_PATH': str(self.root(host) / 'sys'),
        }

    def run(self, host, argv, timeout=60, env=None, stdin=None):
        """Runs a program on a host to its end."""
        began = time.monotonic()
        try:
            p = subprocess.run(argv, env=self.environment(host) | (env or {}), text=True,
                               errors='replace', capture_output=True, timeout=timeout,
                               **({'input': stdin} if stdin is not None
                                  else {'stdin': subprocess.DEVNULL}), check=False)
        except subprocess.TimeoutExpired as e:
            raise FabricError(f'{argv}: still running after {timeout} s; {e.stdout}') from e
        return Result(argv, p.returncode, p.stdout, p.stderr, time.monotonic() - began)

    def popen(self, host, argv, env=None, **options):
        """Starts a program on a host; it is killed at the end of the fabric."""
        process = subprocess.Popen(argv, env=self.environment(host) | (env or {}), **options)
        self.programs.append(process)
        return process
