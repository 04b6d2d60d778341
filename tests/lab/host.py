"""The host: what else ran on it while the machines were measured.

Two emulated machines want all of two cores. A compiler beside them shows up as a stall of the I/O
that is nobody's fault in there; so every observation knows how much others took of the host.
"""

import os
import threading
import time

SAMPLE_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")
# CPUs' worth of other work, above which a missed bar of time is measured once more.
BUSY = 0.25


def _host_ticks():
    """Ticks that all CPUs spent working; those stolen by what lies below this host included."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return user + nice + system + irq + softirq + steal


def _process_ticks(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[11]) + int(fields[12])


class Load:
    """Samples from start() to stop(); others() then tells of any part of that time."""

    def __init__(self, pids):
        self.pids = list(pids)
        self.samples = []  # (host's time, ticks of everything but the lab)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.ended.set()
        self.thread.join()

    def _run(self):
        while True:
            own = [_process_ticks(pid) for pid in (os.getpid(), *self.pids)]
            if None not in own:
                self.samples.append((time.time(), _host_ticks() - sum(own)))
            if self.ended.wait(SAMPLE_SECONDS):
                return

    def others(self, begin=None, end=None):
        """How many CPUs others used between two times of the host's clock; None if unknown."""
        before = [s for s in self.samples if begin is None or s[0] <= begin]
        after = [s for s in self.samples if end is None or s[0] >= end]
        first = before[-1] if begin is not None and before else self.samples[:1] and self.samples[0]
        last = after[0] if end is not None and after else self.samples[-1:] and self.samples[-1]
        if not first or not last or last[0] <= first[0]:
            return None
        return max(0.0, (last[1] - first[1]) / TICKS / (last[0] - first[0]))
