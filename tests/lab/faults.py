"""Cable faults as one measured act, shared by the scenarios, the demo and the bench."""

import time

from .observe import Observation
from .pair import BOTH


AFTERMATH = 3.0  # seconds


def cable_fault(pair, sides=BOTH, seconds=60, threads=4, pause_us=2000, watch_after=0,
                back_timeout=60, cable=0, label="", on_stage=lambda stage: None,
                on_tick=lambda elapsed: None):
    """Pull one cable for so many seconds under I/O and wait until every path is active again.

    Returns the finished Observation, with .pulled, .plugged (initiator's clock), .rejoin (seconds
    or None), .back (whether health returned within back_timeout), and .stall and .stall_at of the
    longest I/O from the pull until AFTERMATH after the last path was back; .longest_io is that of
    the whole time. on_stage("pulled") runs while
    the cable is out and counts as part of that time.
    """
    with Observation(pair, threads, pause_us, label=label) as seen:
        seen.settle(2.0)
        seen.pulled = pair.pull(cable, sides)
        began = time.monotonic()
        on_stage("pulled")
        while (left := seconds - (time.monotonic() - began)) > 0:
            on_tick(seconds - left)
            time.sleep(min(left, 1.0))
        seen.plugged = pair.plug(cable, sides)
        seen.back = seen.wait_back(back_timeout)
        on_stage("plugged")
        seen.settle(max(watch_after, 1.0))
    seen.rejoin = seen.rejoin_after(seen.plugged)
    since = seen.all_active_since()
    seen.longest_io = seen.result["stall"]
    seen.stall_at, seen.stall = seen.longest(
        seen.pulled, float("inf") if since is None else max(since, seen.plugged) + AFTERMATH)
    seen.reconnected = seen.reconnects()
    return seen


def one_reconnect(seen):
    """No host reconnected more than once: a second one disturbs a healthy session."""
    return max(seen.reconnected.values(), default=0) <= 1
