"""Load without a fault: srpha must leave healthy paths alone."""

import os

from ..observe import Observation
from ..scenario import scenario


@scenario("full-load")
def full_load(pair, check):
    """No fault, 16 threads flat out for 120 s (SRPHA_LAB_LOAD_SECONDS): no path fails."""
    seconds = float(os.environ.get("SRPHA_LAB_LOAD_SECONDS", "120"))
    with Observation(pair, threads=16, pause_us=0, label="full-load") as seen:
        seen.settle(seconds)
    check.figure("seconds", seconds, " s")
    check.equal("paths failed", seen.changes("path", "failed"), 0)
    check.equal("rports that left running", len([e for e in seen.events if e["kind"] == "rport" and
                                                 e["state"] != "running"]), 0)
    check.figure("longest I/O", seen.stall, " s")
    check.figure("I/Os", seen.reads + seen.writes)
    check.data(seen)
