"""kill -9 of each of srpha's processes, at several moments of a failover and of a rejoin."""

import json

from ..observe import Observation
from ..pair import BIN
from ..scenario import Check, scenario

PROGRAMS = {"supervisor": "/usr/sbin/srpha", "worker": "/usr/libexec/srpha/srpha-worker",
            "actor": "/usr/libexec/srpha/srpha-actor"}
# (port state that starts the clock, milliseconds after it)
MOMENTS = (("DOWN", 0), ("DOWN", 40), ("DOWN", 150), ("ACTIVE", 60), ("ACTIVE", 400))
STALL_BAR = 6.0  # the pull lasts longer: I/O must move before the cable is back
PULL_SECONDS = 8
BACK_BAR = 20.0


def _strike(pair, check, program, state, delay, act):
    """Kill `program` so many milliseconds after rxe0 reads `state`, which act() brings about."""
    command = f"{BIN}/strike rxe0 {state} {delay} {program}"
    agent = pair.initiator.agent
    pid = agent.spawn(command, capture=True)
    at = act()
    blow = json.loads(agent.finish(pid, command, 70).check().stdout)
    check.true("processes killed", blow["killed"])
    check.figure("blow after", blow["t"] - at, " s")
    return at


def one_moment(pair, role, state, delay):
    """A Check of one failover during which a role's processes are killed once."""
    check, program = Check(), PROGRAMS[role]
    before = pair.sessions()
    with Observation(pair, label=f"kill-{role}-{state}-{delay}") as seen:
        if state == "DOWN":
            _strike(pair, check, program, state, delay, lambda: pair.pull(0))
        else:
            pair.pull(0)
        seen.settle(PULL_SECONDS)
        moved = pair.snapshot()["path"]
        if state == "ACTIVE":
            plugged = _strike(pair, check, program, state, delay, lambda: pair.plug(0))
        else:
            plugged = pair.plug(0)
        back = seen.wait_back(BACK_BAR)
        seen.settle(1.0)
    check.at_most("stall", seen.stall, STALL_BAR)
    check.true("paths failed while the cable was out", "failed" in moved.values())
    check.true("all paths back", back)
    check.figure("rejoin", seen.rejoin_after(plugged), " s")
    check.equal("sessions", pair.sessions(), before)
    check.equal("new logins", seen.logins(), 0)
    check.data(seen)
    pair.wait("srpha healthy after the kill", pair.healthy_with_srpha, 30)
    return check


def _kill(pair, check, role):
    for state, delay in MOMENTS:
        part = one_moment(pair, role, state, delay)
        figures = part.figures
        check.part(f"{state}+{delay} ms", part,
                   "stall {stall:.2f} s, rejoin {rejoin:.2f} s, {verified} verified".format(
                       **{**figures, "rejoin": figures["rejoin"] or float("nan")}))
    if not check.failures:
        check.texts.append("sessions kept, no new login")


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
