"""Talking to one machine: QMP (the machine itself) and the guest agent (what runs in it).

Both are JSON over a unix socket. Every call has a deadline and raises ChannelError when it passes;
the agent finds its place in the stream again by guest-sync-delimited, also after a reset.
"""

import base64
import json
import random
import select
import socket
import time


class ChannelError(Exception):
    """No answer, or a refusal."""


class Completed:
    """What a guest's command left behind."""

    def __init__(self, command, status, stdout, stderr):
        self.command, self.status, self.stdout, self.stderr = command, status, stdout, stderr

    def check(self):
        if self.status != 0:
            raise ChannelError(f"`{self.command}` ended with status {self.status}: "
                               f"{(self.stderr or self.stdout).strip()[-400:]}")
        return self


class _JsonSocket:
    def __init__(self, path, timeout):
        self.path = path
        self.buffer = b""
        deadline = time.monotonic() + timeout
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(str(path))
                return
            except OSError as error:
                self.socket.close()
                if time.monotonic() > deadline:
                    raise ChannelError(f"cannot connect to {path}: {error}") from error
                time.sleep(0.02)

    def send(self, message, prefix=b""):
        try:
            self.socket.settimeout(20)
            self.socket.sendall(prefix + json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise ChannelError(f"{self.path}: {error}") from error

    def read_line(self, deadline):
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise ChannelError(f"{self.path}: no answer in time")
            try:
                data = self.socket.recv(1 << 20)
            except OSError as error:
                raise ChannelError(f"{self.path}: {error}") from error
            if not data:
                raise ChannelError(f"{self.path}: the machine hung up")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def close(self):
        self.socket.close()


class Qmp:
    """The machine's switchboard."""

    def __init__(self, path, timeout=10):
        self.channel = _JsonSocket(path, timeout)
        self._answer(10, greeting=True)
        self.execute("qmp_capabilities")

    def _answer(self, timeout, greeting=False):
        deadline = time.monotonic() + timeout
        while True:
            message = json.loads(self.channel.read_line(deadline))
            if "error" in message:
                raise ChannelError(f"QMP: {message['error'].get('desc')}")
            if "return" in message or (greeting and "QMP" in message):
                return message.get("return")

    def execute(self, command, timeout=10, **arguments):
        message = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        self.channel.send(message)
        return self._answer(timeout)

    def close(self):
        self.channel.close()


class Agent:
    """qemu-guest-agent of one guest."""

    def __init__(self, path):
        self.path = path
        self.channel = None

    def sync(self, timeout):
        """Find the stream's place, on a fresh connection, waiting for an agent that still boots."""
        deadline = time.monotonic() + timeout
        self.close()
        while True:
            try:
                if self.channel is None:
                    self.channel = _JsonSocket(self.path, max(0.1, deadline - time.monotonic()))
                token = random.randrange(1 << 31)
                self.channel.send({"execute": "guest-sync-delimited", "arguments": {"id": token}},
                                  prefix=b"\xff")
                patience = min(deadline, time.monotonic() + 1.0)
                while True:
                    line = self.channel.read_line(patience).rpartition(b"\xff")[2]
                    try:
                        if json.loads(line or b"{}").get("return") == token:
                            return
                    except ValueError:
                        pass
            except ChannelError:
                if time.monotonic() > deadline:
                    raise ChannelError(f"{self.path}: no guest agent within {timeout:.0f} s") \
                        from None

    def execute(self, command, timeout=10, **arguments):
        if self.channel is None:
            self.sync(timeout)
        message = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        try:
            self.channel.send(message)
            answer = json.loads(self.channel.read_line(time.monotonic() + timeout))
        except (ChannelError, ValueError) as error:
            self.close()
            raise ChannelError(f"{command}: {error}") from error
        if "error" in answer:
            raise ChannelError(f"{command}: {answer['error'].get('desc')}")
        return answer["return"]

    def spawn(self, command, capture=False, stdin=None):
        """Start a shell command; its pid. Output is lost unless captured (see finish)."""
        arguments = {"path": "/bin/sh", "arg": ["-c", command], "capture-output": capture}
        if stdin is not None:
            arguments["input-data"] = base64.b64encode(stdin).decode()
        return self.execute("guest-exec", **arguments)["pid"]

    def finish(self, pid, command, timeout):
        """Wait for a spawned command."""
        deadline = time.monotonic() + timeout
        pause = 0.01
        while True:
            status = self.execute("guest-exec-status", pid=pid)
            if status["exited"]:
                break
            if time.monotonic() > deadline:
                raise ChannelError(f"`{command}` still runs after {timeout:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        texts = (base64.b64decode(status.get(key, "")).decode(errors="replace")
                 for key in ("out-data", "err-data"))
        return Completed(command, status.get("exitcode", 128 + status.get("signal", 0)), *texts)

    def run(self, command, timeout=30, stdin=None):
        return self.finish(self.spawn(command, capture=True, stdin=stdin), command, timeout)

    def put(self, path, data):
        handle = self.execute("guest-file-open", path=path, mode="wb")
        try:
            for offset in range(0, len(data), 1 << 16):
                chunk = base64.b64encode(data[offset:offset + (1 << 16)]).decode()
                self.execute("guest-file-write", timeout=30, handle=handle, **{"buf-b64": chunk})
        finally:
            self.execute("guest-file-close", handle=handle)

    def get(self, path):
        handle = self.execute("guest-file-open", path=path, mode="rb")
        data = b""
        try:
            while True:
                part = self.execute("guest-file-read", timeout=30, handle=handle, count=1 << 18)
                data += base64.b64decode(part["buf-b64"])
                if part["eof"]:
                    return data
        finally:
            self.execute("guest-file-close", handle=handle)

    def clock_offset(self, samples=12):
        """(guest clock - host clock, half the round trip it is uncertain by), in seconds."""
        best = None
        for _ in range(samples):
            before = time.time()
            guest = self.execute("guest-get-time") / 1e9
            after = time.time()
            sample = (guest - (before + after) / 2, (after - before) / 2)
            if best is None or sample[1] < best[1]:
                best = sample
        return best

    def close(self):
        if self.channel is not None:
            self.channel.close()
            self.channel = None
