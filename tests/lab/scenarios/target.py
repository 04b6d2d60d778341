"""The target machine goes and comes back."""

import time

from ..observe import Observation
from ..pair import CONFIG
from ..scenario import scenario

OFF_SECONDS = 60
# The target needs this long to boot again; under emulation it is the slower half of the wait.
BOOT_TIMEOUT = 180
REMOVAL_SECONDS = 240
BACK_SECONDS = 180  # no bar but this: a login begun while the target was away may sit in the kernel
DEV_LOSS = "[timeouts]\nfast_io_fail_tmo = 5\ndev_loss_tmo = 20\n"


@scenario("target-reset")
def target_reset(pair, check):
    """The target machine reset and back after 60 s, hosts removed by dev_loss: paths come back."""
    pair.restart_srpha(DEV_LOSS + CONFIG)
    pair.wait("healthy with dev_loss_tmo 20", pair.healthy_with_srpha, 30)
    values = pair.initiator.out("cat /sys/class/srp_remote_ports/*/dev_loss_tmo").split()
    check.equal("dev_loss_tmo", values, ["20", "20"])
    before = set(pair.sessions())
    with Observation(pair, label="target-reset") as seen:
        began = time.monotonic()
        pair.reset_target()
        time.sleep(OFF_SECONDS)
        left = before & set(pair.sessions())
        check.figure("hosts that dev_loss removed", len(before - left))
        if left:
            # dev_loss starts only when the kernel noticed the loss, and not at all on a session
            # that was failed on purpose: what it would do then is done now. It first ends the I/O
            # that is stuck there, for which the kernel takes its time.
            pair.run("for r in /sys/class/srp_remote_ports/*/delete; do echo 1 > $r; done")
            pair.wait("hosts removed", lambda: not before & set(pair.sessions()), REMOVAL_SECONDS)
        pair.start_target(BOOT_TIMEOUT)
        pair.target.wait_booted("lab-target.service", BOOT_TIMEOUT)
        check.figure("target away", time.monotonic() - began, " s")
        ready = pair.now()
        check.true("both paths back without help", seen.wait_back(BACK_SECONDS))
        seen.settle(2.0)
    check.figure("back after the target was ready", seen.rejoin_after(ready), " s")
    check.figure("stall", seen.stall, " s")
    check.equal("one session for each port", sorted(pair.sessions().values()),
                ["rxe0:1", "rxe1:1"])
    check.data(seen)
