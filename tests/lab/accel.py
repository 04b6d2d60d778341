"""KVM or emulation: what a stock kernel really boots on.

/dev/kvm may exist and not run a guest, so the verdict comes from a boot of the lab's own kernel
with a hard time limit, and is kept beside the image for as long as the host does not reboot.
"""

import json
import os
import pathlib
import subprocess
import sys

PROBE_SECONDS = 12
MARK = "LAB-PROBE-BOOTED"
KVM = ["-accel", "kvm", "-cpu", "host"]
TCG = ["-accel", "tcg,thread=multi", "-cpu", "max"]


def _host():
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.uname().release} {os.access('/dev/kvm', os.R_OK | os.W_OK)}"


def _boots(image):
    command = ["qemu-system-x86_64", *KVM, "-m", "512", "-display", "none", "-monitor", "none",
               "-no-reboot", "-serial", "stdio", "-kernel", str(image.kernel),
               "-initrd", str(image.initrd), "-append", "console=ttyS0 quiet panic=-1 lab.probe"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and MARK.encode() in done.stdout


def choose(image, step=lambda text: print(text, file=sys.stderr, flush=True)):
    """QEMU options of the fastest accelerator that works here. SRPHA_LAB_ACCEL=tcg|kvm overrides."""
    wish = os.environ.get("SRPHA_LAB_ACCEL")
    if wish in ("kvm", "tcg"):
        return KVM if wish == "kvm" else TCG
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return TCG
    record = image.directory / "accel.json"
    try:
        known = json.loads(record.read_text())
    except (OSError, ValueError):
        known = {}
    if known.get("host") != _host():
        step(f"does KVM boot a kernel here? (at most {PROBE_SECONDS} s)")
        known = {"host": _host(), "kvm": _boots(image)}
        record.write_text(json.dumps(known))
    return KVM if known["kvm"] else TCG
