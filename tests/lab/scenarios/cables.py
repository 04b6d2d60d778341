"""Cables pulled and put back, with srpha."""

import time

from ..faults import cable_fault, one_reconnect
from ..observe import Observation
from ..pair import CABLES
from ..scenario import scenario

REJOIN_BAR = 2.0


def _judge(check, seen, stall_bar):
    check.span("stall", seen, seen.stall_at, seen.stall, stall_bar)
    check.span("rejoin", seen, seen.plugged, seen.rejoin, REJOIN_BAR)
    check.figure("longest I/O at any time", seen.longest_io, " s")
    check.equal("flaps", seen.flaps(), 0)
    check.true("one reconnect", one_reconnect(seen))
    check.figures["reconnects"] = seen.reconnected
    check.equal("new logins", seen.logins(), 0)
    check.data(seen)


@scenario("cable-both-ends")
def both_ends(pair, check):
    """A cable pulled at both ends for 60 s; then 15 s of watching for a second reconnect."""
    _judge(check, cable_fault(pair, seconds=60, watch_after=15, label="both-ends"), 0.5)


@scenario("cable-target-only")
def target_only(pair, check):
    """A cable pulled at the target only for 60 s, 16 threads; then 15 s of watching."""
    _judge(check, cable_fault(pair, sides=("target",), seconds=60, threads=16, pause_us=0,
                              watch_after=15, label="target-only"), 1.0)


@scenario("other-cable-both-ends")
def other_cable(pair, check):
    """The second cable, both ends, 5 s: nothing is special about the first."""
    _judge(check, cable_fault(pair, seconds=5, cable=1, watch_after=2, label="other"), 0.5)


@scenario("no-second-reconnect")
def no_second_reconnect(pair, check):
    """After a 5 s pull the kernel's own reconnect is still queued: 15 s in which it must not fire."""
    seen = cable_fault(pair, seconds=5, watch_after=15, label="second-reconnect")
    check.true("one reconnect", one_reconnect(seen))
    check.figures["reconnects"] = seen.reconnected
    check.span("rejoin", seen, seen.plugged, seen.rejoin, REJOIN_BAR)
    check.equal("flaps", seen.flaps(), 0)
    check.data(seen)


@scenario("link-blip")
def link_blip(pair, check):
    """A link that is gone for 1 s: short stall, quickly back, no flapping."""
    _judge(check, cable_fault(pair, seconds=1, watch_after=5, label="blip"), 0.5)


@scenario("all-cables")
def all_cables(pair, check):
    """Both cables pulled for 20 s, then one put back: no error, I/O resumes within 3 s."""
    with Observation(pair, label="all-cables") as seen:
        seen.settle(1.0)
        for cable in CABLES:
            pair.pull(cable)
        time.sleep(20)
        plugged = pair.plug(0)
        pair.wait("a path of each map active", lambda: _half(pair), 30)
        seen.settle(4.0)  # longer than the bar: the second cable must not rescue the first
        pair.plug(1)
        check.true("second cable's paths back", seen.wait_back(30))
        seen.settle(1.0)
    check.span("I/O resumed", seen, plugged, seen.resumed_after(plugged), 3.0)
    check.figure("stall", seen.stall, " s")
    check.data(seen)


def _half(pair):
    paths = pair.snapshot()["path"]
    maps = {name.split("/")[0] for name, state in paths.items() if state == "active"}
    return len(maps) == len({name.split("/")[0] for name in paths})


@scenario("idle-path")
def idle_path(pair, check):
    """Three failovers without any I/O: what was sent last was acknowledged, and not looked at."""
    for _ in range(3):
        pair.pull(0)
        pair.wait("paths failed", lambda: "failed" in pair.snapshot()["path"].values(), 15)
        time.sleep(2)
        pair.plug(0)
        pair.wait("every path back", pair.healthy_with_srpha, 20)
    check.true("no oops", not pair.oops())
