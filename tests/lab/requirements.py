"""Getting the Debian packages that are missing: tests/deps has the one list of them."""

import pathlib
import subprocess
import sys

DEPS = pathlib.Path(__file__).resolve().parent.parent / "deps"


class RequirementError(Exception):
    """A package could not be installed."""


def install(step=lambda text: print(text, file=sys.stderr)):
    """Install what building srpha and running the lab need. Says nothing when all is there."""
    lines = []
    with subprocess.Popen([str(DEPS), "build", "lab"], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as deps:
        for line in deps.stdout:
            if not lines:
                step(line.strip())
            lines.append(line)
    if deps.returncode:
        raise RequirementError("tests/deps failed:\n" + "".join(lines[-10:]))
