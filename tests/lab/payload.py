"""What changes from run to run: guest files, the lab's C programs, and srpha's install tree.

The first two become a tar archive on the guests' second disk, which the initramfs unpacks over the
root file system. srpha's tree rides along as a file and is unpacked on demand, so that the same
machines can run without it.
"""

import hashlib
import io
import os
import pathlib
import subprocess
import tarfile
import tempfile

from . import image

HERE = pathlib.Path(__file__).resolve().parent
# Another checkout may be tested by this lab: SRPHA_LAB_SOURCE names it.
PROJECT = pathlib.Path(os.environ.get("SRPHA_LAB_SOURCE", HERE.parent.parent)).resolve()
PROGRAMS = ("workload", "watch", "strike")
SRPHA_TAR = "/var/lib/lab/srpha.tar"


class BuildError(Exception):
    """Something did not compile; the text ends with the compiler's words."""


def _run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise BuildError(f"`{' '.join(map(str, command))}` failed:\n{tail}")


def build_srpha():
    """Release build and install tree of the project, as the bytes of a tar archive."""
    key = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:12]
    build = image.cache_directory() / f"build-{key}"
    if not (build / "build.ninja").exists():
        _run(["meson", "setup", "--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var",
              "-Dbuildtype=release", "-Dtests=false", str(build), str(PROJECT)])
    _run(["meson", "compile", "-C", str(build)], timeout=900)
    with tempfile.TemporaryDirectory(prefix="srpha-tree-") as tree:
        _run(["meson", "install", "-C", str(build), "--no-rebuild", "--destdir", tree])
        return _tar(lambda archive: archive.add(tree, ".", filter=_owned_by_root))


def _owned_by_root(member):
    if member.name == ".":
        member.mode = 0o755  # unpacked over the guest's root, which others must be able to enter
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _tar(fill):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        fill(archive)
    return out.getvalue()


def _add_file(archive, name, data, mode=0o644):
    member = tarfile.TarInfo(name.lstrip("/"))
    member.size, member.mode = len(data), mode
    archive.addfile(member, io.BytesIO(data))


def _add_guest_files(archive):
    """The tree under guest/, each unit enabled."""
    for path in sorted((HERE / "guest").rglob("*")):
        name = str(path.relative_to(HERE / "guest"))
        if path.is_file():
            _add_file(archive, name, path.read_bytes(), 0o755 if os.access(path, os.X_OK) else 0o644)
        if path.suffix == ".service":
            link = tarfile.TarInfo(f"etc/systemd/system/multi-user.target.wants/{path.name}")
            link.type, link.linkname = tarfile.SYMTYPE, f"../{path.name}"
            archive.addfile(link)


def build(path, srpha=None):
    """Write the payload disk. srpha: the bytes of build_srpha(), or None."""
    with tempfile.TemporaryDirectory(prefix="lab-programs-") as work:
        for name in PROGRAMS:
            _run(["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread",
                  str(HERE / f"{name}.c"), "-o", f"{work}/{name}"])

        def fill(archive):
            _add_guest_files(archive)
            for name in PROGRAMS:
                data = pathlib.Path(work, name).read_bytes()
                _add_file(archive, f"usr/local/lib/lab/{name}", data, 0o755)
            if srpha is not None:
                _add_file(archive, SRPHA_TAR, srpha)

        data = _tar(fill)
    pathlib.Path(path).write_bytes(data + b"\0" * (-len(data) % 1048576))
