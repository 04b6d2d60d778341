"""The same machines without srpha: measured, never judged by srpha's bars."""

from ..faults import cable_fault
from ..scenario import scenario


def _report(check, seen):
    check.figure("stall", seen.stall, " s")
    check.figure("rejoin", seen.rejoin, " s")
    check.figure("failed paths", seen.changes("path", "failed"))
    check.data(seen)
    check.true("all paths back", seen.back)


@scenario("baseline-cable-both-ends", mode="baseline")
def both_ends(pair, check):
    """Without srpha: a cable pulled at both ends for 60 s."""
    _report(check, cable_fault(pair, seconds=60, back_timeout=90, label="baseline-both"))


@scenario("baseline-cable-target-only", mode="baseline")
def target_only(pair, check):
    """Without srpha: a cable pulled at the target for 60 s, 16 threads."""
    _report(check, cable_fault(pair, sides=("target",), seconds=60, threads=16, pause_us=0,
                               back_timeout=90, label="baseline-target"))
