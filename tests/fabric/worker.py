# SPDX-License-Identifier: GPL-2.0-or-later
"""srpha-worker on a port of a host, from its supervisor's side: messages in and out."""
import json
import os
import socket
import time

from .simulator import FabricError
from .srpha import program

MESSAGE_MAX = 1 << 20
DISCOVERY = {'enabled': True, 'window': 32, 'window_per_peer': 4, 'mad_timeout_usec': 1000000,
             'mad_retries': 3, 'rescan_usec': 60000000, 'ageing_usec': 300000000}


class Worker:
    """
    Worker(fabric, host, port, '--once'...): a process; for a with statement. Keyword arguments are
    fields of `discovery` (or discovery=None for none); without --once the configuration is sent.
    """

    def __init__(self, fabric, host, port, *options, discovery=True, **settings):
        self.offers, self.collected, self.messages = None, [], []
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = fabric.popen(
            host, [program('worker/srpha-worker'), '--port', port, '--root', fabric.root(host),
                   '--keep-root', *options],
            preexec_fn=lambda: os.dup2(theirs.fileno(), 3), pass_fds=(3,))
        theirs.close()
        self.discovery = DISCOVERY | settings if discovery else None
        if '--once' not in options:
            self.configure()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Hangs up; its exit status."""
        self.socket.close()
        return self.process.wait(10)

    def send(self, msg, **fields):
        self.socket.send(json.dumps({'msg': msg} | fields).encode())

    def configure(self, *portals, **settings):
        if self.discovery is not None:
            self.discovery |= settings
        self.send('config', portals=list(portals),
                  **({} if self.discovery is None else {'discovery': self.discovery}))

    def next(self, timeout=20):
        """The next message and when it came; None when the worker has ended."""
        self.socket.settimeout(max(timeout, 0.001))
        try:
            data = self.socket.recv(MESSAGE_MAX)
        except TimeoutError:
            raise FabricError(f'no message for {timeout:.1f} s') from None
        if not data:
            return None
        message = json.loads(data)
        message['at'] = time.monotonic()
        self.messages.append(message)
        if message['msg'] == 'offers':
            if message['part'] == 0:
                self.collected = []
            self.collected += message['offers']
            if message['part'] == message['parts'] - 1:
                self.offers = self.collected
        return message

    def wait(self, msg, timeout=20, **fields):
        """The next message of that kind whose fields are these."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.next(deadline - time.monotonic())
            if message is None:
                raise FabricError(f'the worker ended with {self.process.wait(10)}')
            if message['msg'] == msg and all(message.get(k) == v for k, v in fields.items()):
                return message

    def wait_all(self, *wanted, timeout=20):
        """The next messages that are like each of these, in whatever order."""
        left, deadline = list(wanted), time.monotonic() + timeout
        while left:
            message = self.next(deadline - time.monotonic())
            if message is None:
                raise FabricError(f'the worker ended with {self.process.wait(10)}')
            left = [m for m in left if not all(message.get(k) == v for k, v in m.items())]

    def wait_offers(self, n, timeout=20):
        """The last page of the next set of n offers."""
        while True:
            message = self.wait('offers', timeout)
            if message['part'] == message['parts'] - 1 and len(self.offers) == n:
                return message

    def drain(self, seconds):
        """What it says in that time."""
        deadline, got = time.monotonic() + seconds, []
        while (left := deadline - time.monotonic()) > 0:
            try:
                got.append(self.next(left))
            except FabricError:
                break
            if got[-1] is None:
                break
        return got

    def count(self, msg, **fields):
        return sum(1 for m in self.messages
                   if m['msg'] == msg and all(m.get(k) == v for k, v in fields.items()))

    def lines(self):
        """Its offers as the lines of ibsrpdm -c, sorted."""
        return sorted(f'id_ext={o["id_ext"]},ioc_guid={o["ioc_guid"]},dgid={o["gid"]},pkey={o["pkey"]:04x},'
                      f'service_id={o["service_id"]}'
                      + ('' if o['io_class'] == 0x100 else f',io_class={o["io_class"]:04x}')
                      for o in self.offers)

    def cpu(self):
        """Seconds of processor time until now."""
        pid = self.process.pid
        return sum(int(open(f'/proc/{pid}/task/{t}/schedstat', encoding='ascii').read().split()[0])
                   for t in os.listdir(f'/proc/{pid}/task')) / 1e9
