"""The service and its configuration: stop and start, a broken file, a portal that is not there."""

import time

from ..observe import Observation
from ..pair import CONFIG
from ..scenario import scenario

BAD_PORTAL = "10.0.0.99:5555"
SILENT, SILENT_MAC = "10.0.0.98", "52:54:00:00:00:98"


@scenario("stop-and-adopt")
def stop_and_adopt(pair, check):
    """systemctl stop leaves sessions and maps untouched; start adopts them without a login."""
    before = pair.sessions()
    with Observation(pair, label="stop") as seen:
        pair.initiator.out("systemctl stop srpha", 60)
        seen.settle(5.0)
        check.true("healthy while stopped", pair.healthy())
        check.equal("sessions while stopped", pair.sessions(), before)
        check.equal("srphactl's exit status while stopped", pair.status()[0], 1)
        pair.initiator.out("systemctl start srpha", 60)
        pair.wait("srpha healthy", pair.healthy_with_srpha, 20)
        seen.settle(2.0)
    check.equal("sessions adopted", pair.sessions(), before)
    check.equal("new logins", seen.logins(), 0)
    check.equal("paths failed", seen.changes("path", "failed"), 0)
    check.equal("reconnects", seen.reconnects(), {})
    check.figure("stall", seen.stall, " s")
    check.data(seen)


@scenario("reload-broken-config")
def reload_broken_config(pair, check):
    """A reload of a file with mistakes keeps the old configuration, and names each mistake."""
    before = pair.sessions()
    mark = pair.now()  # the guest's clock loses seconds in a quarter of an hour
    pair.configure("[timeouts]\nfast_io_fail_tmo = never ever\n[no such section]\nx = 1\n"
                   "[target lab]\ndest = not-an-address\n")
    pair.run("systemctl reload srpha", 60)
    log = ""

    def reported():
        nonlocal log
        log = pair.run(f"journalctl -u srpha -o cat --since=@{int(mark)}").stdout
        return all(f"srpha.conf:{line}" in log for line in (2, 3, 6))
    try:
        pair.wait("file:line of each mistake in the log", reported, 10)
        check.true("every mistake named by file:line", True)
    except Exception as error:  # the scenario goes on: the old configuration matters more
        check.true(f"every mistake named by file:line ({error}; log: {log[-300:]})", False)
    check.true("srpha still active", pair.run("systemctl is-active srpha").status == 0)
    check.equal("sessions", pair.sessions(), before)
    check.true("healthy with the old configuration", pair.healthy_with_srpha())
    pair.configure(CONFIG)
    check.equal("reload of the good file", pair.run("systemctl reload srpha", 60).status, 0)
    pair.wait("healthy", pair.healthy_with_srpha, 20)


@scenario("bad-portal")
def bad_portal(pair, check):
    """A portal that does not exist beside good ones: they log in at once, it retries quietly."""
    mark = pair.mark(f"bad-portal {time.time():.3f}")
    since = int(pair.now())
    pair.restart_srpha(f"[target lab]\ndest = {BAD_PORTAL}\n" + CONFIG.partition("\n")[2])
    began = time.monotonic()
    pair.wait("both good portals logged in", pair.healthy, 30)
    check.at_most("good paths up after start", time.monotonic() - began, 15.0)
    time.sleep(max(0.0, 40 - (time.monotonic() - began)))  # long enough for several retries
    check.true("still healthy in the kernel", pair.healthy())
    _, status = pair.status()
    bad = [p for p in status.get("paths", []) if p.get("dest") == BAD_PORTAL]
    check.true("the bad path is shown, not up", bad and all(p.get("state") != "up" for p in bad))
    check.figures["bad path"] = bad
    log = pair.run(f"journalctl -u srpha -o cat --since=@{since}").stdout
    # A change of state is a line of its own, once; what repeats with each retry must not be told.
    lines = [line for line in log.splitlines()
             if BAD_PORTAL.partition(":")[0] in line and " -> " not in line]
    check.equal("log lines about its problem", len(lines), 1)
    check.figures["lines"] = lines
    check.figures["kernel"] = pair.kernel_log(mark)[-2000:]
    pair.configure(CONFIG)
    pair.initiator.out("systemctl reload srpha", 60)
    pair.wait("healthy without the bad portal", pair.healthy_with_srpha, 30)


@scenario("silent-login")
def silent_login(pair, check):
    """A portal whose address resolves and where nobody answers a login: it holds up nobody else."""
    pair.initiator.out(f"ip neighbour replace {SILENT} lladdr {SILENT_MAC} dev eth0 nud permanent")
    mark = pair.mark(f"silent-login {time.time():.3f}")
    since = int(pair.now())
    pair.restart_srpha(f"[target silent]\ndest = {SILENT}:5555\nid_ext = 2\nioc_guid = 3\n" + CONFIG)
    began = time.monotonic()
    try:
        pair.wait("both good portals logged in", pair.healthy, 30)
        check.at_most("good paths up after start", time.monotonic() - began, 15.0)
        log = pair.wait("the end of a silent login", lambda: _timed_out(pair, since), 40)
        check.true("it ended at its deadline", log)
        check.true("still healthy in the kernel", pair.healthy())
        check.equal("logins interrupted for good that the kernel still sits on",
                    pair.run("pgrep -f 'srpha-actor' | xargs -r ps -o stat= -p | grep -c D").stdout.strip(), "0")
    finally:
        check.figures["log"] = pair.run(f"journalctl -u srpha -o short-precise --since=@{since}").stdout
        check.figures["kernel"] = pair.kernel_log(mark)[-3000:]
        pair.run(f"ip neighbour del {SILENT} dev eth0")
        pair.configure(CONFIG)
        pair.initiator.out("systemctl reload srpha", 60)
    pair.wait("healthy without the silent portal", pair.healthy_with_srpha, 30)


def _timed_out(pair, since):
    log = pair.run(f"journalctl -u srpha -o cat --since=@{since}").stdout
    return [line for line in log.splitlines() if SILENT in line and "login timeout" in line]
