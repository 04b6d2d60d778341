"""The long runs: what a minute does not show. Full load, random faults, random kills."""

import argparse
import json
import os
import pathlib
import random
import sys
import time

from . import bench, image, payload, requirements
from .channel import ChannelError
from .faults import cable_fault, one_reconnect
from .observe import Observation
from .pair import BOTH, CABLES, LabError, Pair
from .scenario import Check
from .scenarios.kills import PROGRAMS, one_moment

STALL_BARS = {BOTH: 0.5, ("target",): 1.0}
REJOIN_BAR = 2.0


def parse(argv):
    parser = argparse.ArgumentParser(prog="tests/long/run", description=__doc__)
    parser.add_argument("runs", nargs="*", metavar="RUN", choices=[[], *RUNS],
                        help=f"which of {', '.join(RUNS)} (all)")
    parser.add_argument("--seconds", type=int, default=600, help="of load (600)")
    parser.add_argument("--faults", type=int, default=40, help="of the soak (40)")
    parser.add_argument("--kills", type=int, default=20, help="how many (20)")
    parser.add_argument("--seed", type=int, default=1, help="of what is random (1)")
    parser.add_argument("--out", default=str(payload.HERE.parent / "long" / "results"),
                        help="where RUN.md and RUN.json go")
    return parser.parse_args(argv)


class Long:
    """One run: a title, columns, a line for each part of it, and what failed."""

    def __init__(self, title, columns):
        self.title, self.columns = title, columns
        self.lines = []
        self.failures = []

    def add(self, step, name, check, *cells):
        self.lines.append((name, *cells))
        self.failures += [f"{name}: {failure}" for failure in check.failures]
        step(f"{name}: {', '.join(map(str, cells))}" + "".join(f"\n         NOT GOOD {failure}"
                                                               for failure in check.failures))


def load(pair, options, step):
    """16 threads flat out, no fault: no path may fail."""
    run = Long("Full load, no fault", ("seconds", "I/Os", "verified", "I/O errors", "corrupt",
                                       "paths failed", "rports that left running", "longest I/O, s"))
    check = Check()
    with Observation(pair, threads=16, pause_us=0, label="long-load") as seen:
        for minute in range(0, options.seconds, 60):
            seen.settle(min(60, options.seconds - minute))
            step(f"{min(minute + 60, options.seconds)} of {options.seconds} s")
    failed = seen.changes("path", "failed")
    left = len([e for e in seen.events if e["kind"] == "rport" and e["state"] != "running"])
    check.equal("paths failed", failed, 0)
    check.equal("rports that left running", left, 0)
    check.data(seen)
    run.add(step, "16 threads", check, options.seconds, seen.reads + seen.writes, seen.verified,
            seen.errors, seen.corrupt, failed, left, f"{seen.stall:.2f}")
    return run


def soak(pair, options, step):
    """Random faults one after the other: either cable, either way, for up to 20 s, 1 to 24 threads."""
    dice = random.Random(options.seed)
    run = Long(f"Random faults, seed {options.seed}",
               ("threads", "out, s", "stall, s", "rejoin, s", "verified", "I/O errors", "corrupt",
                "flaps"))
    for number in range(options.faults):
        cable, sides = dice.choice(CABLES), dice.choice(list(STALL_BARS))
        threads, seconds = dice.choice((1, 4, 8, 16, 24)), round(dice.uniform(0.3, 20), 1)
        check = Check()
        if not pair.healthy_with_srpha():
            pair.heal()
        seen = cable_fault(pair, sides, seconds, threads, dice.choice((0, 2000)), cable=cable,
                           label=f"soak-{number}")
        # A silent loss that is over before it can be noticed costs what it lasts, and a
        # retransmission.
        check.span("stall", seen, seen.stall_at, seen.stall,
                   STALL_BARS[sides] if sides == BOTH or seconds > 2 else 3.0)
        check.span("rejoin", seen, seen.plugged, seen.rejoin, REJOIN_BAR)
        check.equal("flaps", seen.flaps(), 0)
        check.true("one reconnect", one_reconnect(seen))
        check.equal("new logins", seen.logins(), 0)
        check.true("no oops", not pair.oops())
        check.data(seen)
        run.add(step, f"{number + 1}: cable {cable}, {'both ends' if sides == BOTH else 'target only'}",
                check, threads, seconds, f"{seen.stall:.2f}",
                "never" if seen.rejoin is None else f"{seen.rejoin:.2f}", seen.verified, seen.errors,
                seen.corrupt, seen.flaps())
    return run


def kills(pair, options, step):
    """kill -9 of a random process at a random moment of a failover or of a rejoin."""
    dice = random.Random(options.seed)
    run = Long(f"Random kills, seed {options.seed}",
               ("stall, s", "rejoin, s", "verified", "new logins"))
    for number in range(options.kills):
        role, state = dice.choice(list(PROGRAMS)), dice.choice(("DOWN", "ACTIVE"))
        delay = dice.randrange(800)
        check = one_moment(pair, role, state, delay)
        check.true("no oops", not pair.oops())
        figures = check.figures
        run.add(step, f"{number + 1}: {role}, {delay} ms after {state}", check,
                f"{figures['stall']:.2f}",
                "never" if figures["rejoin"] is None else f"{figures['rejoin']:.2f}",
                figures["verified"], figures["new logins"])
    return run


RUNS = {"load": load, "soak": soak, "kills": kills}


def markdown(run, facts, about):
    lines = [f"# {run.title}", "", about, "",
             f"`{facts['command']}`, {facts['date']}, srpha {facts['commit']}, {facts['seconds']} s. "
             f"Two virtual machines, {facts['accelerator']}, Linux {facts['kernel']}, on "
             f"{facts['cpus']} CPUs.", "",
             "| | " + " | ".join(run.columns) + " |", "| --- |" + " --- |" * len(run.columns)]
    lines += ["| " + " | ".join(map(str, line)) + " |" for line in run.lines]
    lines += ["", f"{len(run.failures)} bars missed." if run.failures else "Every bar held."]
    return "\n".join(lines + [f"* {failure}" for failure in run.failures]) + "\n"


def _one(pair, name, options, step, facts):
    began = time.monotonic()
    run = RUNS[name](pair, options, step)
    facts = {**facts, "seconds": round(time.monotonic() - began)}
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.md").write_text(markdown(run, facts, RUNS[name].__doc__))
    (out / f"{name}.json").write_text(json.dumps(
        {**facts, "columns": run.columns, "lines": run.lines, "failures": run.failures},
        indent=1) + "\n")
    print(f"{out / name}.md: " + (f"{len(run.failures)} bars missed" if run.failures else "held"))
    return run.failures


def main(argv):
    options = parse(argv)
    if os.geteuid() != 0:
        print("the long runs need root", file=sys.stderr)
        return 1
    began = time.monotonic()

    def step(text):
        print(f"[{time.monotonic() - began:6.1f}] {text}", flush=True)

    failures = []
    try:
        requirements.install(step=step)
        with image.locked("lab", "another lab runs on this machine"):
            pair = Pair(step=step)
            try:
                pair.start()
                pair.use("srpha")
                facts = {**bench.facts(pair), "command": " ".join(["tests/long/run", *argv])}
                for name in options.runs or RUNS:
                    failures += _one(pair, name, options, step, facts)
            finally:
                pair.stop()
    except (LabError, ChannelError, image.ImageError, payload.BuildError,
            requirements.RequirementError) as error:
        print(f"long: {error}", file=sys.stderr)
        return 1
    return 1 if failures else 0
