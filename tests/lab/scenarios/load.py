"""Load without a fault: srpha must leave healthy paths alone."""

import os

from ..faults import cable_fault, one_reconnect
from ..observe import Observation
from ..pair import CONFIG
from ..scenario import Check, scenario

QUEUE_SIZE, QUEUE_THREADS, QUEUE_FAULTS = 16, 48, 2
# So many threads wait for each other on one emulated CPU for half a second without any fault.
QUEUE_STALL_BAR, QUEUE_REJOIN_BAR = 2.0, 2.0


@scenario("full-load")
def full_load(pair, check):
    """No fault, 16 threads flat out for 60 s (SRPHA_LAB_LOAD_SECONDS): no path fails."""
    seconds = float(os.environ.get("SRPHA_LAB_LOAD_SECONDS", "60"))
    with Observation(pair, threads=16, pause_us=0, label="full-load") as seen:
        seen.settle(seconds)
    check.figure("seconds", seconds, " s")
    check.equal("paths failed", seen.changes("path", "failed"), 0)
    check.equal("rports that left running", len([e for e in seen.events if e["kind"] == "rport" and
                                                 e["state"] != "running"]), 0)
    check.figure("longest I/O", seen.stall, " s")
    check.figure("I/Os", seen.reads + seen.writes)
    check.data(seen)


@scenario("full-queue")
def full_queue(pair, check):
    """Two pulls with every tag of the sessions taken: nothing of a failover may need one."""
    pair.restart_srpha(f"[login]\nqueue_size = {QUEUE_SIZE}\n" + CONFIG)
    pair.wait("healthy with short queues", pair.healthy_with_srpha, 30)
    tags = {int(pair.initiator.out(f"cat /sys/class/scsi_host/{host}/can_queue"))
            for host in pair.sessions()}
    check.equal("tags", tags, {QUEUE_SIZE})
    for number in range(QUEUE_FAULTS):
        part = Check()
        seen = cable_fault(pair, seconds=3, threads=QUEUE_THREADS, pause_us=0, watch_after=2,
                           label=f"full-queue-{number}")
        part.span("stall", seen, seen.stall_at, seen.stall, QUEUE_STALL_BAR)
        part.span("rejoin", seen, seen.plugged, seen.rejoin, QUEUE_REJOIN_BAR)
        part.equal("flaps", seen.flaps(), 0)
        part.true("one reconnect", one_reconnect(seen))
        part.data(seen)
        check.part(f"pull {number + 1}", part, f"stall {seen.stall:.2f} s, rejoin {seen.rejoin or -1:.2f} s")
        if pair.oops():
            break
