"""kill -9 of each of srpha's processes, at several moments of a failover and of a rejoin."""

import json

from ..observe import Observation
from ..pair import BIN
from ..scenario import scenario

PROGRAMS = {"supervisor": "/usr/sbin/srpha", "worker": "/usr/libexec/srpha/srpha-worker",
            "actor": "/usr/libexec/srpha/srpha-actor"}
# (port state that starts the clock, milliseconds after it)
MOMENTS = (("DOWN", 0), ("DOWN", 40), ("DOWN", 150), ("ACTIVE", 60), ("ACTIVE", 400))
STALL_BAR = 6.0  # the pull lasts longer: I/O must move before the cable is back
PULL_SECONDS = 8
BACK_BAR = 20.0


def _strike(pair, check, seen, program, state, delay, act):
    """Kill `program` so many milliseconds after rxe0 reads `state`, which act() brings about."""
    command = f"{BIN}/strike rxe0 {state} {delay} {program}"
    agent = pair.initiator.agent
    pid = agent.spawn(command, capture=True)
    at = act()
    blow = json.loads(agent.finish(pid, command, 70).check().stdout)
    check.true(f"{state}+{delay} ms: killed {len(blow['killed'])}", blow["killed"])
    seen.blows.append(blow["t"] - at)
    return at


def _one_moment(pair, check, role, state, delay):
    program = PROGRAMS[role]
    before = pair.sessions()
    with Observation(pair, label=f"kill-{role}-{state}-{delay}") as seen:
        seen.blows = []
        if state == "DOWN":
            pulled = _strike(pair, check, seen, program, state, delay, lambda: pair.pull(0))
        else:
            pulled = pair.pull(0)
        seen.settle(PULL_SECONDS)
        moved = pair.snapshot()["path"]
        if state == "ACTIVE":
            plugged = _strike(pair, check, seen, program, state, delay, lambda: pair.plug(0))
        else:
            plugged = pair.plug(0)
        back = seen.wait_back(BACK_BAR)
        seen.settle(1.0)
    name = f"{state}+{delay} ms"
    check.at_most(f"{name}: stall", seen.stall, STALL_BAR)
    check.true(f"{name}: paths failed while the cable was out", "failed" in moved.values())
    check.true(f"{name}: all paths back", back)
    check.figure(f"{name}: rejoin", seen.rejoin_after(plugged), " s")
    check.equal(f"{name}: sessions kept", pair.sessions(), before)
    check.equal(f"{name}: new logins", seen.logins(), 0)
    check.figures[f"{name}: blow after pull"] = seen.blows
    check.figures[f"{name}: pulled"] = pulled
    check.data(seen)
    pair.wait("srpha healthy after the kill", pair.healthy_with_srpha, 30)


def _kill(pair, check, role):
    for state, delay in MOMENTS:
        _one_moment(pair, check, role, state, delay)


@scenario("kill-supervisor")
def kill_supervisor(pair, check):
    """kill -9 of the supervisor: sessions kept, no double login, the failover still ends."""
    _kill(pair, check, "supervisor")


@scenario("kill-worker")
def kill_worker(pair, check):
    """kill -9 of the workers: sessions kept, no double login, the failover still ends."""
    _kill(pair, check, "worker")


@scenario("kill-actor")
def kill_actor(pair, check):
    """kill -9 of the actors: sessions kept, no double login, the failover still ends."""
    _kill(pair, check, "actor")
