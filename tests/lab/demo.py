"""The demo: what a pulled cable does to I/O, with srpha and without, on the same machines."""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

from . import image, payload, plot, requirements
from .channel import ChannelError
from .faults import cable_fault
from .observe import HANGING_US, LIVE
from .pair import BOTH, LabError, Pair

WITH, WITHOUT = "with srpha", "without srpha"
# name, ends, threads, pause, bar of the longest stall
FAULTS = (("cable pulled at both ends", BOTH, 4, 2000, 0.5),
          ("cable pulled at the target only", ("target",), 16, 0, 1.0))
REJOIN_BAR = 2.0
ERRORS = (LabError, ChannelError, image.ImageError, payload.BuildError,
          requirements.RequirementError)


def parse(argv):
    parser = argparse.ArgumentParser(prog="tests/demo", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long a cable is out (60)")
    parser.add_argument("--quick", action="store_true", help="20 s instead")
    parser.add_argument("--without-srpha", action="store_true",
                        help="only show the machines as they are without srpha")
    default = os.path.join(tempfile.gettempdir(), "srpha-demo.svg")
    parser.add_argument("--svg", default=default, help=f"where the plot goes ({default})")
    parser.add_argument("--json", help="write the figures to a file")
    options = parser.parse_args(argv)
    if options.quick:
        options.seconds = 20.0
    return options


class Demo:
    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.tty = sys.stdout.isatty()
        self.seen = {}  # (fault, WITH or WITHOUT): Observation
        self.pair = None

    def step(self, text):
        clear = "\r\033[K" if self.tty else ""
        print(f"{clear}[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    def tick(self, elapsed):
        if self.tty:
            print(f"\r\033[K{'':11} ... {elapsed:.0f} of {self.options.seconds:.0f} s",
                  end="", flush=True)

    def show_state(self):
        if self.pair.mode == "srpha":
            text = self.pair.run("srphactl status").stdout.rstrip()
        else:
            text = self.plain_state()
        print("\n".join("           │ " + line for line in text.splitlines()), flush=True)

    def plain_state(self):
        """What the kernel thinks. Not `multipath -ll`: it does I/O to each path and hangs with it."""
        state, maps = self.pair.snapshot(), {}
        for name, is_now in sorted(state["path"].items()):
            maps.setdefault(name.split("/")[0], []).append(f"{name.split('/')[1]} {is_now}")
        lines = [f"map {name}: {', '.join(paths)}" for name, paths in maps.items()]
        for kind, word in (("rport", "session"), ("port", "port")):
            lines += [f"{word} {name}: {is_now}" for name, is_now in sorted(state[kind].items())]
        waited = int(self.pair.run(f"cat {LIVE}").stdout.strip() or 0)
        if waited > HANGING_US:
            lines.append(f"and an I/O has been waiting for {waited / 1e6:.0f} s")
        return "\n".join(lines)

    # ---- acts ----

    def on_stage(self, stage):
        if stage == "pulled":
            self.step("pulled; a few seconds later:")
            time.sleep(3)
        else:
            self.step("put back:")
        self.show_state()

    def fault(self, fault, side):
        name, ends, threads, pause, _ = fault
        self.step(f"{side}: {name}, {self.options.seconds:.0f} s, "
                  f"{threads} threads of verified reads and writes")
        seen = cable_fault(self.pair, ends, self.options.seconds, threads, pause, watch_after=3,
                           back_timeout=90, label=f"demo {name}", on_stage=self.on_stage,
                           on_tick=self.tick)
        self.step(f"longest stall {seen.stall:.2f} s, every path active again after "
                  f"{_seconds(seen.rejoin)}, {seen.errors} I/O errors")
        self.seen[name, side] = seen

    def play(self):
        self.step("the same faults with srpha and without it, some 8 minutes; the first time on a "
                  "host it also downloads packages and builds the guests' disk")
        requirements.install(step=self.step)
        sides = (WITHOUT,) if self.options.without_srpha else (WITH, WITHOUT)
        self.pair = Pair(with_srpha=WITH in sides, step=self.step)
        try:
            self.pair.start()
            for side in sides:
                self.pair.use("srpha" if side == WITH else "baseline")
                self.step(f"{side}: two HCA ports, two paths to each of two maps")
                self.show_state()
                for fault in FAULTS:
                    if not self.pair.healthy():
                        self.pair.heal()
                    self.fault(fault, side)
        except ERRORS:
            if self.pair.initiator:
                where = pathlib.Path(tempfile.gettempdir()) / time.strftime("srpha-demo-%H%M%S")
                self.pair.save(where)
                self.step(f"journals and status saved: {where}")
            raise
        finally:
            self.pair.stop()

    # ---- results ----

    def curves(self):
        charts = []
        for name, *_ in FAULTS:
            charts.append((name[0].upper() + name[1:],
                           [plot.Curve(side, seen.result, seen.pulled, seen.plugged)
                            for (fault, side), seen in self.seen.items() if fault == name]))
        return charts

    def print_plots(self):
        for title, curves in self.curves():
            print()
            print("\n".join(plot.terminal(title, curves, columns=80, rows=9, colour=self.tty)))
        pathlib.Path(self.options.svg).write_text(plot.svg(self.curves()))
        print(f"\nThe same as SVG: {self.options.svg}")

    def print_table(self):
        row = "{:<33}{:<15}{:>10}{:>10}{:>8}{:>9}"
        print("\n" + row.format("", "", "longest", "time to", "I/O", "verified"))
        print(row.format("fault", "", "stall", "rejoin", "errors", "blocks"))
        order = [name for name, *_ in FAULTS]
        for (name, side), seen in sorted(self.seen.items(), key=lambda item: order.index(item[0][0])):
            print(row.format(name, side, _seconds(seen.stall), _seconds(seen.rejoin), seen.errors,
                             seen.verified))

    def failures(self):
        """What did not hold: the bars are srpha's, unspoilt data is everybody's."""
        bars = {name: bar for name, *_, bar in FAULTS}
        for (name, side), seen in self.seen.items():
            # Without srpha an I/O may hang for longer than anybody waits: that is a result.
            if seen.errors or seen.corrupt or not seen.verified or (side == WITH and seen.unfinished):
                yield (f"{side}, {name}: {seen.errors} errors, {seen.corrupt} corrupt blocks, "
                       f"{seen.unfinished} threads unfinished, {seen.verified} blocks verified")
            if side == WITH and seen.stall > bars[name]:
                yield f"{name}: stall {seen.stall:.2f} s, the bar is {bars[name]} s"
            if side == WITH and (seen.rejoin is None or seen.rejoin > REJOIN_BAR):
                yield f"{name}: rejoin {_seconds(seen.rejoin)}, the bar is {REJOIN_BAR} s"

    def write_json(self):
        figures = [{"fault": name, "side": side, "seconds": self.options.seconds,
                    "stall": seen.stall, "rejoin": seen.rejoin, "errors": seen.errors,
                    "verified": seen.verified, "corrupt": seen.corrupt}
                   for (name, side), seen in self.seen.items()]
        pathlib.Path(self.options.json).write_text(json.dumps(figures, indent=1) + "\n")


def _seconds(value):
    return "never" if value is None else f"{value:.2f} s"


def main(argv):
    options = parse(argv)
    if os.geteuid() != 0:
        print("the demo needs root: sudo tests/demo", file=sys.stderr)
        return 1
    with image.locked("lab", "another lab runs on this machine"):
        demo = Demo(options)
        try:
            demo.play()
        except ERRORS as error:
            print(f"\nThe demo failed: {error}", file=sys.stderr)
            return 1
    demo.print_plots()
    demo.print_table()
    if options.json:
        demo.write_json()
    failures = list(demo.failures())
    for failure in failures:
        print(f"NOT GOOD: {failure}")
    print(f"\n{'The demo failed.' if failures else 'Every bar of srpha held.'} "
          f"({time.monotonic() - demo.began:.0f} s)")
    return 1 if failures else 0
