# SPDX-License-Identifier: GPL-2.0-or-later
"""opensm of the distribution on a port of the simulated fabric, with fast settings."""
import pathlib
import re
import signal
import subprocess
import threading
import time

from .simulator import FabricError

PROGRAM = '/usr/sbin/opensm'

OPTIONS = {
    'max_wire_smps': 128,
    'max_wire_smps2': 128,
    'transaction_timeout': 200,
    'transaction_retries': 3,
    'sweep_interval': 10,
    'sminfo_polling_timeout': 100,  # ms; the standby looks so often at the master
    'polling_retry_number': 3,
    'force_log_flush': 'TRUE',
    'log_flags': '0x03',
    'daemon': 'FALSE',
    'fsync_high_avail_files': 'FALSE',
    'use_mfttop': 'TRUE',
    'qos': 'FALSE',
}


class Opensm:
    """One subnet manager. Its log is read as it comes, so that waiting costs nothing."""

    def __init__(self, fabric, host, guid, directory, options):
        self.fabric, self.host, self.guid = fabric, host, guid
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config = self.directory / 'opensm.conf'
        self.partitions = self.directory / 'partitions.conf'
        self.options = OPTIONS | {
            'partition_config_file': self.partitions,
            'log_file': 'stdout',
        } | options
        self.lines, self.process, self.reader = [], None, None
        self.news = threading.Condition()
        self.write()

    def write(self):
        self.config.write_text(''.join(f'{k} {v}\n' for k, v in self.options.items()))

    def start(self):
        env = self.fabric.environment(self.host) | {
            'OSM_TMP_DIR': str(self.directory), 'OSM_CACHE_DIR': str(self.directory)}
        # It must not stay behind when the test is killed.
        argv = ['setpriv', '--pdeathsig', 'KILL', PROGRAM, '-F', self.config, '-g', f'0x{self.guid:016x}', '-f', 'stdout']
        self.lines = []
        self.process = subprocess.Popen(argv, env=env, cwd=self.directory, text=True,
                                        errors='replace', stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        return self

    def read(self, stream):
        with open(self.directory / 'opensm.log', 'a', encoding='utf-8') as log, stream:
            for line in stream:
                log.write(line)
                with self.news:
                    self.lines.append(line.rstrip('\n'))
                    self.news.notify_all()
        with self.news:
            self.lines.append('ENDED')
            self.news.notify_all()

    def mark(self):
        with self.news:
            return len(self.lines)

    def wait(self, pattern, since=0, timeout=60):
        """The first line of its log from `since` on that matches."""
        deadline = time.monotonic() + timeout
        with self.news:
            while True:
                for line in self.lines[since:]:
                    since += 1
                    if re.search(pattern, line):
                        return line
                    if line == 'ENDED':
                        raise FabricError('opensm ended:\n' + '\n'.join(self.lines[-20:]))
                left = deadline - time.monotonic()
                if left <= 0:
                    raise FabricError(f'opensm did not say {pattern} within {timeout} s:\n' +
                                      '\n'.join(self.lines[-20:]))
                self.news.wait(left)

    def wait_up(self, since=0, timeout=60):
        return self.wait(r'SUBNET UP', since, timeout)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def sweep(self):
        """Has it read its partitions and look at the whole fabric again; waits until it did."""
        mark = self.mark()
        self.process.send_signal(signal.SIGHUP)
        return self.wait_up(mark)

    def kill(self, number=signal.SIGKILL):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()

    def stop(self):
        """Ends it in good order."""
        self.kill(signal.SIGTERM)
