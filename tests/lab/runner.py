"""The runner: picks scenarios, runs them on one boot, prints a line each and the sum."""

import argparse
import fnmatch
import json
import os
import pathlib
import sys
import tempfile
import time
import traceback

from . import image, payload, scenarios, shell  # noqa: F401 (scenarios registers itself)
from .channel import ChannelError
from .pair import LabError, Pair
from .scenario import SCENARIOS, Check


def artifact_directory():
    base = os.environ.get("SRPHA_LAB_RESULTS") or os.path.join(tempfile.gettempdir(), "srpha-lab")
    return pathlib.Path(base) / time.strftime("results-%Y%m%d-%H%M%S")


def parse(argv):
    parser = argparse.ArgumentParser(prog="tests/lab/run", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="GLOB", help="which scenarios (all)")
    parser.add_argument("--list", action="store_true", help="name them and end")
    parser.add_argument("--without-srpha", action="store_true",
                        help="do not build srpha; only the baseline scenarios")
    parser.add_argument("--force-baseline", action="store_true",
                        help="run the chosen scenarios without srpha: their bars must fail")
    parser.add_argument("--keep", action="store_true",
                        help="afterwards keep the machines and read commands (see README.md)")
    parser.add_argument("--save", action="store_true", help="keep what passing scenarios saw, too")
    parser.add_argument("--json", metavar="FILE", help="write every figure to a file")
    return parser.parse_args(argv)


def choose(options):
    wanted = options.scenarios or ["*"]
    chosen = [s for s in SCENARIOS if any(fnmatch.fnmatch(s.name, glob) for glob in wanted)]
    if options.force_baseline:
        for item in chosen:
            item.mode = "baseline"
    if options.without_srpha:
        chosen = [s for s in chosen if s.mode == "baseline"]
    return sorted(chosen, key=lambda s: s.mode != "baseline")


class Runner:
    def __init__(self, pair, artifacts, save_all=False):
        self.pair, self.artifacts, self.save_all = pair, artifacts, save_all
        self.records = []
        self.broken = None
        self.unreachable = {}  # mode: why the pair could not be brought into it, since it last was

    def run(self, item):
        """One scenario, and once more where all that went wrong is the host's other work."""
        if self._run_once(item, again=True):
            self._run_once(item, again=False)

    def _run_once(self, item, again):
        """From a healthy pair to a printed line; whether it has to be repeated, if it may be."""
        began = time.monotonic()
        check = Check()
        try:
            if self.broken:
                raise LabError(f"not run: {self.broken}")
            self._enter(item.mode)
            if not self.pair.healthy():
                self.pair.heal()
            item.function(self.pair, check)
        except (LabError, ChannelError) as error:
            check.failures.append(str(error))
        except Exception:  # a mistake in a scenario must not hide the others' results
            check.failures.append(traceback.format_exc())
        oops = self._oops()
        if oops:
            check.failures.append(f"the initiator's kernel broke:\n{oops}")
        elapsed = time.monotonic() - began
        again = again and check.disturbed()
        verdict = "AGAIN" if again else "FAIL" if check.failures else "PASS"
        print(f"{verdict:<5} {item.name:<28} {elapsed:6.1f} s  {'; '.join(check.texts)}", flush=True)
        for failure in check.failures:
            print(f"      {item.name}: {failure}", flush=True)
        self.records.append({"name": item.name, "mode": item.mode, "verdict": verdict,
                             "seconds": round(elapsed, 1), "figures": check.figures,
                             "failures": check.failures})
        if check.failures or self.save_all:
            self._save(item.name + ("-disturbed" if again else ""), check)
        self._heal(fresh=bool(oops))
        return again

    def _oops(self):
        try:
            return "" if self.broken else self.pair.oops()
        except ChannelError as error:
            return f"the initiator does not answer: {error}"

    def _enter(self, mode):
        """Bring the pair into a mode; what failed twice is not tried a third time."""
        failures = self.unreachable.setdefault(mode, [])
        if len(failures) >= 2:
            raise LabError(f"not run: {failures[-1]}")
        try:
            self.pair.use(mode)
        except (LabError, ChannelError) as error:
            failures.append(str(error))
            raise
        failures.clear()

    def _save(self, name, check):
        directory = self.artifacts / name
        self.pair.save(directory)
        for number, seen in enumerate(check.observations):
            seen.save(directory / f"observation-{number}")
        (directory / "failures").write_text("\n".join(check.texts + check.failures) + "\n")
        print(f"      saved: {directory}", flush=True)

    def _heal(self, fresh):
        """Back to health for the next scenario; fresh machines where nothing else helps."""
        if self.broken:
            return
        try:
            if not fresh:
                try:
                    self.pair.heal()
                    return
                except (LabError, ChannelError) as error:
                    print(f"      no way back to health: {error}", flush=True)
            self.pair.restart()
        except (LabError, ChannelError) as error:
            self.broken = f"the lab cannot be brought back to health: {error}"
            print(f"      {self.broken}", flush=True)


def main(argv):
    options = parse(argv)
    chosen = choose(options)
    if options.list:
        for item in chosen:
            print(f"{item.name:<28} {item.about}")
        return 0
    if not chosen:
        print("no scenario matches; --list names them", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("the lab needs root (it builds a root file system)", file=sys.stderr)
        return 1
    began = time.monotonic()

    def step(text):
        print(f"[{time.monotonic() - began:6.1f}] {text}", flush=True)

    with image.locked("lab", "another lab runs on this machine"):
        needs_srpha = any(item.mode == "srpha" for item in chosen)
        pair = Pair(with_srpha=needs_srpha, step=step)
        runner = Runner(pair, artifact_directory(), options.save)
        try:
            pair.start()
            for item in chosen:
                runner.run(item)
            if options.keep:
                shell.converse(pair)
        except (LabError, ChannelError, image.ImageError, payload.BuildError) as error:
            print(f"lab: {error}", file=sys.stderr)
            runner.broken = str(error)
        finally:
            pair.stop()
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(runner.records, indent=1, default=str))
    passed = sum(r["verdict"] == "PASS" for r in runner.records)
    print(f"lab: {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {len(chosen) - passed} failed")
    return 0 if passed == len(chosen) else 1
