"""The bench: the fault scenarios several times, with srpha and without; medians and spread."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from . import image, payload, requirements
from .channel import ChannelError
from .faults import cable_fault, one_reconnect
from .pair import BOTH, LabError, Pair

# name, keywords of cable_fault, whether it is measured without srpha too
FAULTS = (
    ("cable pulled at both ends, 60 s", {"sides": BOTH, "seconds": 60}, True),
    ("cable pulled at the target only, 60 s, 16 threads",
     {"sides": ("target",), "seconds": 60, "threads": 16, "pause_us": 0}, True),
    ("link blip, 1 s", {"sides": BOTH, "seconds": 1}, False),
)
PRODUCT = ("srpha", "systemd", "udev", "conf", "multipath")
FIGURES = ("stall", "longest_io", "rejoin", "gap", "errors", "corrupt", "verified")


def parse(argv):
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often (3)")
    parser.add_argument("--without-srpha", action="store_true", help="only the baseline")
    parser.add_argument("--out", default=str(payload.HERE.parent / "bench" / "results"),
                        help="where failover.md and failover.json go")
    return parser.parse_args(argv)


def _once(pair, mode, name, keywords):
    pair.use(mode)
    if not pair.healthy():
        pair.heal()
    watch = 15 if mode == "srpha" else 2
    seen = cable_fault(pair, back_timeout=120, watch_after=watch, label=f"bench {name}", **keywords)
    figures = {key: getattr(seen, key) for key in FIGURES}
    figures["one_reconnect"] = one_reconnect(seen)
    figures["flaps"] = seen.flaps()
    pair.heal()
    return figures


def measure(options, step):
    """({mode: {fault: [figures of each run]}}, facts())"""
    modes = ("baseline",) if options.without_srpha else ("baseline", "srpha")
    results = {}
    with image.locked("lab", "another lab runs on this machine"):
        pair = Pair(with_srpha="srpha" in modes, step=step)
        try:
            pair.start()
            known = {**facts(pair), "runs": options.runs}
            for mode in modes:
                for number in range(options.runs):
                    for name, keywords, in_baseline in FAULTS:
                        if mode == "baseline" and not in_baseline:
                            continue
                        figures = _once(pair, mode, name, keywords)
                        results.setdefault(mode, {}).setdefault(name, []).append(figures)
                        step(f"{mode}, run {number + 1}, {name}: stall {_text(figures['stall'])}, "
                             f"rejoin {_text(figures['rejoin'])}")
        finally:
            pair.stop()
    return results, known


def _text(value):
    return "never" if value is None else f"{value:.2f} s"


def _median(runs, key):
    """"median (lowest to highest)" of a figure in seconds."""
    values = [run[key] for run in runs]
    if None in values:
        return "never"
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def markdown(results, known):
    lines = ["# Failover, measured", "",
             f"`{known['command']}`, {known['date']}, srpha {known['commit']}: median (lowest to "
             f"highest) of {known['runs']} runs, seconds. Two virtual machines, "
             f"{known['accelerator']}, Linux {known['kernel']}, on {known['cpus']} CPUs.", "",
             "| fault | | longest I/O stall | rejoin | I/O errors | corrupt | second reconnects "
             "| flaps |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name, _, _ in FAULTS:
        for mode in sorted(results, reverse=True):
            runs = results[mode].get(name)
            if runs:
                lines.append(
                    f"| {name} | {'without srpha' if mode == 'baseline' else 'srpha'} "
                    f"| {_median(runs, 'stall')} | {_median(runs, 'rejoin')} "
                    f"| {sum(r['errors'] for r in runs)} | {sum(r['corrupt'] for r in runs)} "
                    f"| {sum(not r['one_reconnect'] for r in runs)} "
                    f"| {sum(r['flaps'] for r in runs)} |")
    lines += ["", "Rejoin: from the cable back until every path is active in dm-multipath for good "
              "and no I/O hangs any more.", ""]
    return "\n".join(lines)


def facts(pair):
    """What figures depend on: date, last commit of what is installed, guests' kernel, accelerator, CPUs."""
    def git(*words):
        return subprocess.run(["git", "-C", str(payload.PROJECT), *words, "--", *PRODUCT],
                              capture_output=True, text=True, check=False).stdout.strip()

    commit = git("log", "-1", "--format=%h") or "of no commit"
    if git("status", "--porcelain"):
        commit += " and changes"
    return {"date": time.strftime("%Y-%m-%d"), "commit": commit,
            "kernel": pair.initiator.out("uname -r"),
            "accelerator": "KVM" if pair.accelerated else "emulated (TCG)", "cpus": os.cpu_count()}


def main(argv):
    options = parse(argv)
    began = time.monotonic()

    def step(text):
        print(f"[{time.monotonic() - began:6.1f}] {text}", flush=True)

    try:
        requirements.install(step=step)
        results, known = measure(options, step)
    except (LabError, ChannelError, image.ImageError, payload.BuildError,
            requirements.RequirementError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    known["command"] = " ".join(["tests/bench/run", *argv])
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "failover.md").write_text(markdown(results, known))
    (out / "failover.json").write_text(json.dumps({**known, "results": results}, indent=1) + "\n")
    print((out / "failover.md").read_text())
    return 0
