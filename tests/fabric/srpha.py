# SPDX-License-Identifier: GPL-2.0-or-later
"""srpha on a host of the fabric: the command, the daemon, and sessions that a kernel would have."""
import json
import os
import re
import select
import signal
import subprocess
import threading
import time

from .simulator import FabricError, build_directory

# On InfiniBand only; nothing of the machine's own configuration.
PLAIN = '[discovery]\nrules = none\n'


def program(name):
    return build_directory() / 'srpha' / name


def program_dir(fabric):
    """One directory with worker and actor, as an installation has it."""
    path = fabric.directory / 'programs'
    if not path.exists():
        path.mkdir()
        for folder in ('worker', 'actor'):
            (path / f'srpha-{folder}').symlink_to(program(f'{folder}/srpha-{folder}'))
    return path


def config_file(fabric, host, text):
    path = fabric.directory / f'{host}.conf'
    path.write_text(text)
    return path


def discover(fabric, host, *arguments, config=PLAIN, timeout=90):
    """srphactl discover with scans of its own: a Result."""
    return fabric.run(host, [program('ctl/srphactl'), 'discover', '--now', *arguments,
                             '--config', config_file(fabric, host, config),
                             '--root', fabric.root(host), '--program-dir', program_dir(fabric)],
                      timeout=timeout)


def fake_session(fabric, host, number, port, service, pkey=0xffff):
    """
    What ib_srp shows of a login, as files: for a daemon that starts beside it. The kernel's answers
    to what is written there are not simulated.
    """
    root = fabric.root(host)
    device, _, num = port.partition(':')
    scsi = root / f'sys/class/scsi_host/host{number}'
    rport = root / f'sys/class/srp_remote_ports/port-{number}:1'
    (scsi / 'device').mkdir(parents=True)
    rport.mkdir(parents=True)
    colons = ':'.join(service.dgid[i:i + 4] for i in range(0, 32, 4))
    for name, value in (('id_ext', f'0x{service.id_ext.lower()}'),
                        ('ioc_guid', f'0x{service.ioc_guid.lower()}'),
                        ('service_id', f'0x{service.service_id}'), ('pkey', f'0x{pkey:04x}'),
                        ('sgid', colons), ('dgid', colons), ('orig_dgid', colons),
                        ('local_ib_device', device), ('local_ib_port', num)):
        (scsi / name).write_text(value + '\n')
    for name, value in (('state', 'running'), ('reconnect_delay', '10'), ('fast_io_fail_tmo', '5'),
                        ('dev_loss_tmo', 'off'), ('failed_reconnects', '0')):
        (rport / name).write_text(value + '\n')
    return rport


class Daemon:
    """The supervisor, with its workers and actors, on one host. For a with statement."""

    def __init__(self, fabric, host, config=PLAIN, debug=False):
        self.fabric, self.host = fabric, host
        self.config = config_file(fabric, host, config)
        self.runtime = fabric.directory / f'{host}.run'
        self.runtime.mkdir(exist_ok=True)
        self.debug = debug
        self.lines, self.changed = [], threading.Condition()
        self.process = self.reader = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        env = {k: v for k, v in os.environ.items() if k not in ('NOTIFY_SOCKET', 'JOURNAL_STREAM')}
        self.process = self.fabric.popen(
            self.host, [program('supervisor/srpha'), '--config', self.config,
                        '--runtime-dir', self.runtime, '--root', self.fabric.root(self.host),
                        '--program-dir', program_dir(self.fabric)] + ['-v'] * self.debug,
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, errors='replace')
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait(r'srpha \S+ started')

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append((time.monotonic(), line.rstrip('\n')))
                self.changed.notify_all()

    def stop(self):
        """Ends it as systemd would; raises if it did not end well."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise FabricError('srpha did not stop') from None
        self.reader.join(10)
        if status != 0:
            raise FabricError(f'srpha ended with {status}:\n{self.log()}')

    def log(self):
        return '\n'.join(text for _, text in self.lines)

    def mark(self):
        return len(self.lines)

    def wait(self, pattern, since=0, timeout=20):
        """The time.monotonic() at which a line of the log that matches was written."""
        deadline, at = time.monotonic() + timeout, since
        with self.changed:
            while True:
                for when, text in self.lines[at:]:
                    if re.search(pattern, text):
                        return when
                at = len(self.lines)
                left = deadline - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self.reader.is_alive()):
                    break
                self.changed.wait(min(left, 0.5))
        raise FabricError(f'{pattern}: not in the log within {timeout} s:\n{self.log()}')

    def count(self, pattern, since=0):
        return sum(1 for _, text in self.lines[since:] if re.search(pattern, text))

    def ctl(self, *arguments):
        return self.fabric.run(self.host, [program('ctl/srphactl'), *arguments,
                                           '--socket', self.runtime / 'io.srpha'])

    def reload(self):
        """As systemctl reload without root: a signal."""
        since = self.mark()
        self.process.send_signal(signal.SIGHUP)
        self.wait('configuration loaded', since)

    def status(self):
        return json.loads(self.ctl('status', '--json').stdout)

    def discover(self, *arguments):
        return self.ctl('discover', *arguments)

    def wait_status(self, test, timeout=20):
        """The first status for which test(status) is true: the daemon is asked again and again,
        since it tells nobody of everything."""
        deadline = time.monotonic() + timeout
        while True:
            status = self.status()
            if test(status):
                return status
            if time.monotonic() > deadline:
                raise FabricError(f'not so within {timeout} s:\n{json.dumps(status, indent=1)}\n'
                                  f'{self.log()}')
            select.select([], [], [], 0.02)

    def path(self, name, status=None):
        return next((p for p in (status or self.status())['paths'] if name in p['name']), None)
