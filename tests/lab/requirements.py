#!/usr/bin/python3
"""The Debian packages this host needs, and getting those that are missing.

As a program: install what is missing (root). Says nothing and touches nothing when all is there.
"""

import os
import subprocess
import sys

LAB = """qemu-system-x86 mmdebstrap busybox-static cpio e2fsprogs gcc libc6-dev
    linux-libc-dev""".split()
BUILD = """meson ninja-build pkg-config gcc libc6-dev libdevmapper-dev libibumad-dev libibverbs-dev
    libudev-dev libsystemd-dev multipath-tools libjson-c-dev libinih-dev libcmocka-dev""".split()


class RequirementError(Exception):
    """A package could not be installed."""


def missing(packages):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages],
                          capture_output=True, text=True, check=False)
    present = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return sorted(set(packages) - present)


def install(packages=tuple(LAB + BUILD), step=lambda text: print(text, file=sys.stderr)):
    """Install the missing ones of `packages`; their names."""
    wanted = missing(packages)
    if not wanted:
        return []
    step(f"installing {' '.join(wanted)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"],
                    ["apt-get", "install", "-q", "-y", "--no-install-recommends", *wanted]):
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode and command[1] == "install":
            tail = "\n".join(done.stdout.splitlines()[-10:])
            raise RequirementError(f"{' '.join(command[:2])} failed:\n{tail}")
    return wanted


if __name__ == "__main__":
    try:
        install()
    except RequirementError as error:
        sys.exit(f"requirements: {error}")
