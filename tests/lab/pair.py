"""The pair: a target machine and an initiator machine, two cables between them, and srpha or not.

Knows how to bring the pair into a known state and how to hurt it. Times that leave this file are
the initiator's CLOCK_REALTIME, so that they can be laid beside what its programs recorded.
"""

import atexit
import contextlib
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from . import accel, image, payload
from .channel import ChannelError
from .machine import CABLES, Machine

BIN = "/usr/local/lib/lab"
BOTH = ("target", "initiator")
# One cable is pulled so often here that its path would be held out as a flapping one.
CONFIG = ("[target lab]\ndest = 10.0.0.2:5555\ndest = 10.0.1.2:5555\n"
          "[failover]\nhold_failures = 0\n")
MAPS, PATHS_PER_MAP = 2, 2
TAINT_DIE = 1 << 7  # Documentation/admin-guide/tainted-kernels.rst


class LabError(Exception):
    """The lab itself is broken: nothing that it measures now can be trusted."""


def _die_on_signal(number, _frame):
    print(f"lab: ended by {signal.Signals(number).name}", file=sys.stderr)
    sys.exit(128 + number)


class Pair:
    def __init__(self, with_srpha=True, srpha_tree=None, step=print):
        self.step = step
        self.with_srpha, self.srpha_tree = with_srpha, srpha_tree
        self.mode = None  # what use() made: "srpha", "baseline"
        self.files = []   # what srpha's tree put on the initiator
        self.directory = None
        self.target = self.initiator = None
        self.config = None  # what /etc/srpha.conf holds
        self.accelerated = False

    # ---- life ----

    def start(self):
        """Build what is missing, boot both machines, wait until both are ready."""
        atexit.register(self.stop)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, _die_on_signal)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lab-", dir="/tmp"))
        if self.with_srpha and self.srpha_tree is None:
            self.step("building srpha")
            self.srpha_tree = payload.build_srpha()
        machine_image = image.get(self.step)
        options = accel.choose(machine_image, self.step)
        self.accelerated = options == accel.KVM
        disk = self.directory / "payload"
        payload.build(disk, self.srpha_tree if self.with_srpha else None)
        self.step(f"booting two machines ({options[1].split(',')[0]})")
        began = time.monotonic()
        self.target, self.initiator = (Machine(role, self.directory, machine_image, options, disk)
                                       for role in BOTH)
        self.target.start()
        self.initiator.start()
        self.target.wait_booted("lab-target.service")
        self.initiator.wait_booted("lab-initiator.service")
        self.step(f"both machines are up after {time.monotonic() - began:.0f} s")

    def stop(self):
        for machine in (self.initiator, self.target):
            if machine:
                machine.stop()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None

    def machine(self, role):
        return self.target if role == "target" else self.initiator

    # ---- time ----

    def now(self):
        """The initiator's clock now."""
        return time.time() + self.initiator.agent.clock_offset(4)[0]

    def _stamped(self, action):
        """Run a host action; the initiator's time just before its last step, and the error bound."""
        at = action()
        offset, bound = self.initiator.agent.clock_offset(6)
        return at + offset, bound

    # ---- cables ----

    def _set_links(self, cable, sides, up):
        def action():
            at = time.time()
            for side in sides:
                at = time.time()
                self.machine(side).set_link(cable, up)
            return at
        return self._stamped(action)[0]

    def pull(self, cable, sides=BOTH):
        """Unplug a cable at the named ends; when, on the initiator's clock."""
        return self._set_links(cable, sides, False)

    def plug(self, cable, sides=BOTH):
        """Plug it in again; when the last end was plugged, on the initiator's clock."""
        return self._set_links(cable, sides, True)

    def reset_target(self):
        """Reset the target machine and keep it off, until start_target().

        A machine that stands still takes no packet, and the initiator's network cards would wait
        for it with theirs, which no switch does: unplugged at its end, they are lost instead.
        """
        self.target.agent.close()
        for cable in CABLES:
            self.target.set_link(cable, False)
        self.target.qmp.execute("system_reset")
        self.target.qmp.execute("stop")

    def start_target(self, timeout=120):
        """Let a machine that was reset boot; returns with its network, before the target is up."""
        self.target.qmp.execute("cont")
        self.target.agent.sync(timeout)
        for cable in CABLES:
            self.target.set_link(cable, True)

    # ---- the initiator's state ----

    def run(self, command, timeout=30):
        return self.initiator.run(command, timeout)

    def snapshot(self):
        """{kind: {name: state}} of what the kernel thinks now; kinds are path, rport, port."""
        state = {"path": {}, "rport": {}, "port": {}}
        for line in self.initiator.out(f"{BIN}/watch --once").splitlines():
            item = json.loads(line)
            state[item["kind"]][item["name"]] = item["state"]
        return state

    def sessions(self):
        """{host: port} of every SRP session."""
        lines = self.initiator.out(f"{BIN}/sessions list").splitlines()
        return {line.split()[0]: line.split()[1] for line in lines}

    def wait(self, what, condition, timeout, interval=0.25):
        """Await condition(); its first true value. Raises LabError naming `what` otherwise."""
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise LabError(f"{what}: not within {timeout:.0f} s; now {self.describe()}")
            time.sleep(interval)

    def describe(self):
        try:
            state = self.snapshot()
            return "; ".join(" ".join(f"{k}={v}" for k, v in part.items()) or "none"
                             for part in state.values())
        except ChannelError as error:
            return f"unknown ({error})"

    def healthy(self):
        """All ports active, both sessions running, all paths of both maps active."""
        state = self.snapshot()
        maps = [name.split("/")[0] for name in state["path"]]
        return (len(set(maps)) == MAPS and len(maps) == MAPS * PATHS_PER_MAP and
                set(state["path"].values()) == {"active"} and
                list(state["rport"].values()) == ["running"] * len(CABLES) and
                set(state["port"].values()) == {"ACTIVE"})

    def mark(self, text):
        """Write a line to the initiator's kernel log; kernel_log() reads on from it."""
        self.initiator.out(f"echo 'lab: {text}' > /dev/kmsg")
        return text

    def kernel_log(self, mark):
        log = self.initiator.out(f"dmesg | sed -n '/lab: {mark}/,$p'")
        if not log:
            raise LabError(f"the kernel log does not reach back to \"{mark}\"")
        return log

    def oops(self):
        """What the initiator's kernel said when it broke, or nothing. Such a guest never heals."""
        if not int(self.initiator.out("cat /proc/sys/kernel/tainted")) & TAINT_DIE:
            return ""
        return self.initiator.out("dmesg | grep -m 1 -A 50 'cut here\\|BUG: \\|Oops: '")

    def restart(self):
        """Two fresh machines instead of these."""
        self.stop()
        self.mode, self.files = None, []
        self.start()

    # ---- with srpha and without ----

    def status(self):
        """(exit status, object) of `srphactl status --json`."""
        done = self.run("srphactl status --json")
        try:
            return done.status, json.loads(done.stdout)
        except ValueError:
            return done.status, {"unreadable": done.stdout, "error": done.stderr}

    def install_srpha(self):
        self.step("installing srpha on the initiator")
        self.files = self.initiator.out(
            f"tar xvf {payload.SRPHA_TAR} --keep-directory-symlink -C / | grep -v '/$'").split("\n")
        self.initiator.out("systemctl daemon-reload; udevadm control --reload; "
                           "systemctl reload multipathd", 60)
        self.configure(CONFIG)

    def uninstall_srpha(self):
        self.step("removing srpha from the initiator")
        self.run("systemctl stop srpha", 60)
        self.initiator.run("cd / && xargs -r rm -f", stdin="\n".join(self.files).encode()).check()
        self.initiator.out("systemctl daemon-reload; udevadm control --reload; "
                           "systemctl reload multipathd", 60)
        self.files = []

    def deploy(self, tree):
        """Replace srpha's tree by a newer build and start it again."""
        self.initiator.agent.put(payload.SRPHA_TAR, tree)
        self.with_srpha, self.srpha_tree = True, tree
        self.use("baseline", quick=True)
        self.use("srpha")

    def configure(self, text):
        self.config = text
        self.initiator.agent.put("/etc/srpha.conf", text.encode())

    def remove_sessions(self):
        self.initiator.out(f"{BIN}/sessions remove", 90)

    def use(self, mode, quick=False):
        """Make the pair healthy under `mode`: "srpha" or "baseline" (kernel and multipathd only)."""
        if self.mode == mode:
            return
        self.mode = None
        for cable in CABLES:
            self.plug(cable)
        if mode == "srpha":
            if not self.files:
                self.install_srpha()
            self.remove_sessions()
            self.initiator.out("systemctl start srpha", 60)
        else:
            if self.files:
                self.uninstall_srpha()
            self.remove_sessions()
            if not quick:
                self.initiator.out(f"{BIN}/sessions login", 130)
        if not quick:
            self.wait(f"sessions and maps ({mode})", self.healthy, 60)
        self.mode = mode

    def heal(self):
        """Back to health after a fault, by force where it does not come by itself."""
        for cable in CABLES:
            self.plug(cable)
        if self.mode is None:
            return None
        if self.mode == "srpha" and self.config == CONFIG and self.healthy_with_srpha():
            self.run("systemctl reset-failed srpha")
            return None
        if self.mode == "srpha":
            self.configure(CONFIG)
            self.initiator.out("systemctl reset-failed srpha; systemctl start srpha && "
                               "systemctl reload srpha", 60)
            with contextlib.suppress(LabError):
                return self.wait("healing", self.healthy_with_srpha, 30)
        else:
            # The kernel's timers and multipathd's may take half a minute: nudge both. "off" also
            # cancels a reconnect that is still queued.
            self.run("for r in /sys/class/srp_remote_ports/*/reconnect_delay; do "
                     "echo off > $r; echo 1 > $r; done", 60)
            with contextlib.suppress(LabError):
                self.wait("healing", self.healthy, 45)
                self.run("for r in /sys/class/srp_remote_ports/*/reconnect_delay; do "
                         "echo off > $r; echo 10 > $r; done", 60)
                return None
        self.step("the pair does not heal by itself: new sessions")
        mode, self.mode = self.mode, None
        self.run("systemctl stop srpha", 60)
        return self.use(mode)

    def restart_srpha(self, config):
        """Stop srpha, remove every session, and start it with another configuration."""
        self.initiator.out("systemctl stop srpha", 60)
        self.remove_sessions()
        self.configure(config)
        self.initiator.out("systemctl start srpha", 60)

    def healthy_with_srpha(self):
        return self.healthy() and self.status()[0] == 0

    def save(self, directory):
        """Everything needed to understand a failure, into a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        commands = {"journal": "journalctl -b -o short-precise --no-pager",
                    "dmesg": "dmesg", "processes": "ps -eo pid,ppid,stat,wchan:24,etime,args"}
        own = {"status.json": "srphactl status --json", "status": "srphactl status",
               "multipath": "multipath -ll", "sessions": f"{BIN}/sessions list"}
        for role in BOTH:
            for name, command in {**commands, **(own if role == "initiator" else {})}.items():
                try:
                    done = self.machine(role).run(command, 60)
                    (directory / f"{role}-{name}").write_text(done.stdout + done.stderr)
                except ChannelError as error:
                    (directory / f"{role}-{name}").write_text(f"{error}\n")
            with contextlib.suppress(OSError):
                shutil.copy(self.machine(role).console, directory / f"{role}-console")
