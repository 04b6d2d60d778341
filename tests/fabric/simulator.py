# SPDX-License-Identifier: GPL-2.0-or-later
"""The simulator's process and its control socket."""
import os
import pathlib
import re
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class FabricError(Exception):
    pass


def build_directory():
    """Where the simulator was built: $FABRIC_BUILD, or build/ of the sources."""
    return pathlib.Path(os.environ.get('FABRIC_BUILD') or ROOT / 'build').resolve()


class Lines:
    """Lines of a socket, with a deadline."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.pending = b''

    def send(self, text):
        self.socket.sendall(text.encode() + b'\n')

    def next(self, deadline):
        """The next line, or None when the time is over."""
        while b'\n' not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(1 << 16)
            except TimeoutError:
                return None
            if not data:
                raise FabricError('the simulator has ended')
            self.pending += data
        line, _, self.pending = self.pending.partition(b'\n')
        return line.decode(errors='replace')

    def close(self):
        self.socket.close()


class Simulator:
    def __init__(self, topology, directory):
        self.directory = pathlib.Path(directory)
        self.log = open(self.directory / 'simulator.log', 'w+', encoding='utf-8')
        program = build_directory() / 'tests/fabric/sim/fabric-sim'
        self.process = subprocess.Popen([program, topology, directory], stdout=subprocess.PIPE,
                                        stderr=self.log, stdin=subprocess.DEVNULL)
        if self.process.stdout.readline() != b'ready\n':
            self.process.wait()
            self.log.seek(0)
            raise FabricError(self.log.read().strip() or 'the simulator did not start')
        self.commands = Lines(self.directory / 'control')

    def command(self, text, timeout=30):
        """Runs a command; the lines it answers."""
        self.commands.send(text)
        deadline, lines = time.monotonic() + timeout, []
        while True:
            line = self.commands.next(deadline)
            if line is None:
                raise FabricError(f'{text}: no answer')
            if line == 'ok':
                return lines
            if line.startswith('error '):
                raise FabricError(f'{text}: {line[6:]}')
            lines.append(line)

    def wait(self, pattern, since, timeout):
        """The first line of the history from `since` on that matches; its match object."""
        watch = Lines(self.directory / 'control')
        deadline = time.monotonic() + timeout
        try:
            watch.send(f'watch {since}')
            while True:
                line = watch.next(deadline)
                if line is None:
                    raise FabricError(f'{pattern}: did not happen within {timeout} s')
                match = re.search(pattern, line)
                if match:
                    return match
        finally:
            watch.close()

    def close(self):
        self.commands.close()
        self.process.terminate()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        self.log.seek(0)
        text = self.log.read()
        self.log.close()
        if status != 0:
            raise FabricError(f'the simulator ended with {status}: {text}')
