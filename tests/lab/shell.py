"""A conversation with a running pair: one command a line, from a terminal or a pipe."""

import shlex
import sys

from . import payload
from .channel import ChannelError
from .pair import BOTH, LabError

HELP = """i COMMAND              run a shell command on the initiator
t COMMAND              run a shell command on the target
pull CABLE [SIDE]      unplug cable 0 or 1, at both ends or at one (target, initiator)
plug CABLE [SIDE]      plug it in again
state                  paths, rports and ports as the kernel sees them
use srpha|baseline     install and start srpha, or remove it and log in by hand
deploy                 build srpha again and replace the one on the initiator
quit                   end both machines"""


def _print(done):
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    if done.status:
        print(f"status {done.status}", file=sys.stderr)


def _obey(pair, verb, rest):
    words = shlex.split(rest) if verb not in ("i", "t") else []
    if verb in ("i", "t"):
        _print((pair.initiator if verb == "i" else pair.target).run(rest, 600))
    elif verb in ("pull", "plug") and words:
        sides = (words[1],) if len(words) > 1 else BOTH
        print(f"{getattr(pair, verb)(int(words[0]), sides):.3f}")
    elif verb == "state":
        print(pair.describe())
    elif verb == "use" and words:
        pair.use(words[0])
    elif verb == "deploy":
        pair.deploy(payload.build_srpha())
    else:
        print(HELP)


def converse(pair):
    """Until `quit` or the end of the input."""
    interactive = sys.stdin.isatty()
    print("the machines keep running; `help` lists the commands", flush=True)
    while True:
        if interactive:
            print("lab> ", end="", flush=True)
        line = sys.stdin.readline()
        verb, _, rest = line.strip().partition(" ")
        if not line or verb == "quit":
            return
        if not verb:
            continue
        try:
            _obey(pair, verb, rest)
        except (ChannelError, LabError, payload.BuildError, ValueError, OSError) as error:
            print(f"{verb}: {error}", file=sys.stderr)
        sys.stdout.flush()
