"""An observation: workload and watch running on the initiator, and what they saw in the end.

Used as `with Observation(pair, threads=16) as seen:` around a fault; the figures are there after
the block. All times are the initiator's CLOCK_REALTIME.
"""

import json
import time

from .channel import ChannelError
from .host import Load
from .pair import BIN, MAPS, PATHS_PER_MAP

RESULT, WATCH, LIVE = "/run/lab-workload.json", "/run/lab-watch.jsonl", "/run/lab-workload.live"
WATCH_MS = 20
GRACE = 90
HANGING_US = 1000000


class Observation:
    def __init__(self, pair, threads=4, pause_us=2000, maps=MAPS, label=""):
        self.pair, self.threads, self.pause_us, self.maps = pair, threads, pause_us, maps
        self.label = label
        self.devices = []
        self.pids = {}
        self.result = {}
        self.events = []
        self.load = None
        self.clock = 0.0  # the initiator's clock minus the host's

    # ---- running ----

    def __enter__(self):
        paths = self.pair.snapshot()["path"]
        names = sorted({name.split("/")[0] for name in paths})[:self.maps]
        self.devices = [f"/dev/mapper/{name}" for name in names]
        self.mark = self.pair.mark(f"{self.label or 'observation'} {time.time():.3f}")
        agent = self.pair.initiator.agent
        self.pair.run(f"rm -f {RESULT} {WATCH} {LIVE}").check()
        self.pids["watch"] = agent.spawn(f"exec nice -n -10 {BIN}/watch {WATCH_MS} > {WATCH}")
        self.pids["workload"] = agent.spawn(
            f"exec {BIN}/workload --threads {self.threads} --pause-us {self.pause_us} "
            f"--grace {GRACE} --live {LIVE} --out {RESULT} {' '.join(self.devices)} 2> /run/lab-workload.err")
        # The fault must find I/O and a watch that runs: both say so by their first output.
        self.pair.wait("the watch's first sample", self._watching, 20)
        self.load = Load(m.process.pid for m in (self.pair.target, self.pair.initiator)).start()
        self.settle(1.0)
        return self

    def _watching(self):
        return self.pair.run(f"test -s {WATCH} && kill -0 {self.pids['workload']}").status == 0

    def settle(self, seconds):
        """Let the workload run undisturbed: part of the measurement, not a wait for something."""
        time.sleep(seconds)

    def __exit__(self, kind, _error, _traceback):
        agent = self.pair.initiator.agent
        self.load.stop()
        try:
            self.clock = agent.clock_offset(4)[0]
            agent.run(f"kill {self.pids['workload']}")
            done = agent.finish(self.pids["workload"], "workload", GRACE + 30)
            agent.run(f"kill {self.pids['watch']}")
            agent.finish(self.pids["watch"], "watch", 20)
            self.events = [json.loads(line) for line in agent.get(WATCH).splitlines()
                           if line.startswith(b"{") and line.endswith(b"}")]
            if done.status != 0:
                raise ChannelError(f"the workload ended with status {done.status}: " +
                                   agent.get("/run/lab-workload.err").decode(errors="replace"))
            self.result = json.loads(agent.get(RESULT))
        except ChannelError:
            if kind is None:
                raise

    def wait_back(self, timeout):
        """Await health, and that no I/O hangs any more; whether both came in time."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            waited = self.pair.initiator.out(f"cat {LIVE}")
            if waited and int(waited) < HANGING_US and self.pair.healthy():
                return True
            time.sleep(0.25)
        return False

    # ---- reading ----

    def __getattr__(self, name):
        """The workload's own figures: stall, stall_at, gap, errors, verified, corrupt, ..."""
        try:
            return self.__dict__["result"][name]
        except KeyError:
            raise AttributeError(name) from None

    def others(self, begin, seconds):
        """CPUs' worth of other work on the host in a span of the initiator's time; None: unknown."""
        if seconds is None:
            return None
        return self.load.others(begin - self.clock, begin - self.clock + seconds)

    def _replay(self):
        """(time, {path: state}) after each change of a path."""
        paths = {}
        for event in self.events:
            if event["kind"] == "path":
                if event["state"] == "gone":
                    paths.pop(event["name"], None)
                else:
                    paths[event["name"]] = event["state"]
                yield event["t"], dict(paths)

    def all_active_since(self):
        """When the last path became active with none lost since; None while one is missing."""
        since = None
        for at, paths in self._replay():
            complete = (len(paths) == MAPS * PATHS_PER_MAP and
                        set(paths.values()) == {"active"})
            since = (since or at) if complete else None
        return since

    def rejoin_after(self, plugged):
        """Seconds from the cable back until every path is active for good and no I/O waits that
        had waited then; None if that never came."""
        since = self.all_active_since()
        return None if since is None else max(0.0, since - plugged, *self._hung_until(plugged))

    def _hung_until(self, moment):
        """For each slow I/O begun before a moment: seconds from then to its end."""
        return [io["start"] + io["took"] - moment for io in self.result["slow"]
                if io["start"] < moment]

    def longest(self, begin, end):
        """(start, seconds) of the longest I/O that was under way between two moments."""
        found = [(io["took"], io["start"]) for io in self.result["slow"]
                 if io["start"] < end and io["start"] + io["took"] > begin]
        width = self.result["bucket_ms"] / 1000
        for number, (us, count) in enumerate(self.result["series"]):
            ended = self.result["start"] + (number + 1) * width
            if count and begin < ended < end:
                found.append((us / 1e6, ended - us / 1e6))
        took, start = max(found, default=(0.0, begin))
        return start, took

    def changes(self, kind, state):
        """How often an item of a kind entered a state after it was first seen."""
        known, count = set(), 0
        for event in self.events:
            if event["kind"] == kind:
                count += event["state"] == state and event["name"] in known
                known.add(event["name"])
        return count

    def flaps(self):
        """How often a path failed more than once."""
        failures = {}
        for event in self.events:
            if event["kind"] == "path" and event["state"] == "failed":
                failures[event["name"]] = failures.get(event["name"], 0) + 1
        return sum(n - 1 for n in failures.values())

    def reconnects(self):
        """{scsi host: how often the kernel said that it reconnected} since the observation began."""
        counts = {}
        for line in self.pair.kernel_log(self.mark).splitlines():
            if "reconnect succeeded" in line:
                host = next((w.rstrip(":") for w in line.split() if w.startswith("host")), "?")
                counts[host] = counts.get(host, 0) + 1
        return counts

    def logins(self):
        """How many new targets the kernel connected since the observation began."""
        return self.pair.kernel_log(self.mark).count("new target:")

    def resumed_after(self, moment):
        """Seconds from a moment until I/O runs again and all that had waited by then completed."""
        start, width = self.result["start"], self.result["bucket_ms"] / 1000
        first = next((start + (n + 1) * width for n, (_, count) in enumerate(self.result["series"])
                      if count and start + n * width >= moment), None)
        if first is None:
            return None
        return max([first - moment, *self._hung_until(moment)])

    def save(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "watch.jsonl").write_text("".join(json.dumps(e) + "\n" for e in self.events))
        (directory / "workload.json").write_text(json.dumps(self.result))
