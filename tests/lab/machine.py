"""One virtual machine: a QEMU process, its switchboard and its guest agent.

Dies with this process, whatever ends it (PDEATHSIG). Disks are opened as snapshots: a reset keeps
what the guest wrote, the end of the process forgets it.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import time

from .channel import Agent, ChannelError, Qmp

CABLES = (0, 1)
MEMORY_MB = 1024


def _become_child():
    """Die with the lab; go before ordinary work on the host, which would be measured as stalls.

    Where the host schedules by session (sched(7), autogroup), a nice value counts only among the
    processes of one: so a session of its own, and the session's nice value too.
    """
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    os.setsid()
    with contextlib.suppress(OSError):
        with open("/proc/self/autogroup", "w", encoding="ascii") as group:
            group.write("-20")


class Machine:
    """role is target or initiator; the target is the listening end of both cables."""

    def __init__(self, role, directory, image, accel, payload):
        self.role = role
        self.console = directory / f"{role}.console"
        self.qmp_path = directory / f"{role}.qmp"
        self.agent = Agent(directory / f"{role}.agent")
        self.qmp = None
        self.process = None
        self.command = self._command(directory, image, accel, payload)

    def _command(self, directory, image, accel, payload):
        listening = self.role == "target"
        masked = "systemd.mask=multipathd.service systemd.mask=multipathd.socket" if listening else ""
        command = [
            "qemu-system-x86_64", *accel, "-m", str(MEMORY_MB), "-smp", "1", "-nodefaults",
            "-display", "none", "-name", f"lab-{self.role}",
            "-qmp", f"unix:{self.qmp_path},server=on,wait=off",
            "-serial", f"file:{self.console}",
            "-kernel", str(image.kernel), "-initrd", str(image.initrd),
            "-append", "console=ttyS0 root=/dev/vda rw quiet loglevel=4 systemd.show_status=0 "
                       "mitigations=off net.ifnames=0 panic=-1 log_buf_len=16M "
                       f"lab.role={self.role} systemd.hostname={self.role} {masked}",
            "-drive", f"file={image.disk},if=virtio,format=raw,snapshot=on,cache=unsafe",
            "-drive", f"file={payload},if=virtio,format=raw,readonly=on",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={self.agent.path},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            "-object", "rng-random,filename=/dev/urandom,id=rng",
            "-device", "virtio-rng-pci,rng=rng",
        ]
        for cable in CABLES:
            server = "on" if listening else "off"
            command += [
                "-netdev", f"stream,id=net{cable},server={server},addr.type=unix,"
                           f"addr.path={directory}/cable{cable}",
                "-device", f"virtio-net-pci,netdev=net{cable},id=nic{cable},"
                           f"speed=10000,duplex=full,mac=52:54:00:00:0{cable}:0{1 if listening else 2}",
            ]
        return command

    def start(self):
        with open(f"{self.console}.qemu", "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=_become_child)
        try:
            self.qmp = Qmp(self.qmp_path)
        except ChannelError as error:
            with open(f"{self.console}.qemu", errors="replace") as log:
                raise ChannelError(f"QEMU of the {self.role} did not start: {log.read().strip()}"
                                   f" ({error})") from error

    def wait_booted(self, unit, timeout=240):
        """Until the agent answers and `unit` is active. Raises with the console's tail."""
        deadline = time.monotonic() + timeout
        state = "unknown"
        try:
            self.agent.sync(timeout)
            while state != "active":
                if time.monotonic() > deadline:
                    raise ChannelError(f"{self.role}: {unit} is {state} after {timeout:.0f} s")
                # The agent is up long before the rest, and slow to answer while that starts.
                with contextlib.suppress(ChannelError):
                    state = self.run(f"systemctl is-active {unit}").stdout.strip()
                if state == "failed":
                    log = self.run(f"journalctl -b -o cat -u {unit} | tail -20").stdout
                    raise ChannelError(f"{self.role}: {unit} failed:\n{log}")
                time.sleep(0.3)
        except ChannelError as error:
            tail = self.console.read_text(errors="replace")[-1500:] if self.console.exists() else ""
            raise ChannelError(f"{error}\nlast words on the console:\n{tail}") from error

    def run(self, command, timeout=30, stdin=None):
        """Run a shell command in the guest: Completed(status, stdout, stderr)."""
        return self.agent.run(command, timeout, stdin)

    def out(self, command, timeout=30):
        """The output of a command that must succeed."""
        return self.run(command, timeout).check().stdout.strip()

    def set_link(self, cable, up):
        """The network card's plug; what arrives at one that is out is lost, run the machine or not."""
        self.qmp.execute("set_link", name=f"net{cable}", up=up)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ask QEMU to end; kill it when it does not."""
        self.agent.close()
        if self.process is None:
            return
        try:
            if self.qmp and self.alive():
                self.qmp.execute("quit", timeout=2)
            self.process.wait(3)
        except (ChannelError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        if self.qmp:
            self.qmp.close()
        self.process = self.qmp = None
