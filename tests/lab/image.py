"""The guests' disk, kernel and initramfs: built once, cached by what went into them.

Owns the cache directory. A cache entry is built in a temporary directory beside it and renamed
into place, and counts only while its `complete` file agrees with the files it names.
"""

import contextlib
import fcntl
import hashlib
import inspect
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SUITE = "bookworm"
PACKAGES = """
    systemd-sysv udev dbus kmod iproute2 iputils-ping procps tar
    multipath-tools rdma-core libibumad3 libibverbs1 ibverbs-providers sg3-utils
    libdevmapper1.02.1 libudev1 libsystemd0 libjson-c5 libinih1
    qemu-guest-agent linux-image-amd64
""".split()
DISK_SIZE = "2G"
KEPT = 2

# What the initramfs loads to reach the root disk, before their dependencies are added.
MODULES = ("drivers/virtio/virtio_pci", "drivers/block/virtio_blk", "crypto/crc32c_generic",
           "fs/ext4/ext4")

# `lab.probe` on the command line only proves that the accelerator runs a kernel (accel.py). The
# second disk is a tar archive with everything that changes from run to run (payload.py).
INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs d /dev
/bin/busybox mount -t proc p /proc
if /bin/busybox grep -q lab.probe /proc/cmdline; then
	echo LAB-PROBE-BOOTED
	/bin/busybox poweroff -f
fi
while read m; do /bin/busybox insmod /mod/$m; done < /order
i=0
while [ ! -b /dev/vda ] && [ $i -lt 200 ]; do /bin/busybox sleep 0.05; i=$((i+1)); done
/bin/busybox mount -t ext4 /dev/vda /root || exec /bin/busybox poweroff -f
[ -b /dev/vdb ] && /bin/busybox tar xf /dev/vdb -C /root
exec /bin/busybox switch_root /root /sbin/init
"""

# Units a lab never needs; each costs boot time under emulation.
MASKED = """apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
    e2scrub_reap.service fstrim.timer getty@tty1.service serial-getty@ttyS0.service
    systemd-update-utmp.service systemd-pcrphase.service systemd-random-seed.service
    ldconfig.service systemd-networkd.service man-db.timer rdma-ndd.service
    systemd-logind.service systemd-user-sessions.service systemd-tmpfiles-clean.timer""".split()


class ImageError(Exception):
    """The image cannot be built; the text says why."""


def cache_directory():
    return pathlib.Path(os.environ.get("SRPHA_LAB_CACHE", "/var/cache/srpha-lab"))


@contextlib.contextmanager
def locked(name, waiting=None):
    """Hold CACHE/name.lock; a second one waits, after saying so."""
    cache_directory().mkdir(parents=True, exist_ok=True)
    with open(cache_directory() / f"{name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting: {waiting or f'another process holds {lock.name}'}", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Image:
    """One complete cache entry."""

    FILES = ("disk.img", "vmlinuz", "initrd")

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.disk, self.kernel, self.initrd = (self.directory / name for name in self.FILES)

    def _facts(self):
        facts = {}
        for name in self.FILES:
            status = (self.directory / name).stat()
            facts[name] = [status.st_size, status.st_mtime_ns]
        return facts

    def seal(self):
        (self.directory / "complete").write_text(json.dumps(self._facts()))

    def is_complete(self):
        try:
            return json.loads((self.directory / "complete").read_text()) == self._facts()
        except (OSError, ValueError):
            return False


def cache_key():
    """Everything that decides the content: the lists above and the code below."""
    digest = hashlib.sha256()
    for part in (SUITE, PACKAGES, DISK_SIZE, MODULES, INIT, MASKED,
                 inspect.getsource(_build_root), inspect.getsource(_build_initrd)):
        digest.update(repr(part).encode())
    return digest.hexdigest()[:16]


def _run(*command, **options):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False, **options)
    if result.returncode:
        tail = "\n".join(result.stdout.splitlines()[-20:])
        raise ImageError(f"{command[0]} failed with status {result.returncode}:\n{tail}")
    return result.stdout


def _build_root(root):
    mirror = [os.environ["SRPHA_LAB_MIRROR"]] if "SRPHA_LAB_MIRROR" in os.environ else []
    _run("mmdebstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES),
         "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
         "--dpkgopt=path-exclude=/usr/share/locale/*", SUITE, str(root), *mirror, timeout=1800)
    units = root / "etc/systemd/system"
    for unit in MASKED:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
    (root / "etc/hostname").write_text("lab\n")
    (root / "etc/fstab").write_text("")


def _build_initrd(root, kernel_version, directory, initrd):
    """A busybox initramfs: insmod in dependency order, mount, unpack, switch."""
    modules = root / "lib/modules" / kernel_version
    depends = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        name, _, rest = line.partition(":")
        depends[name] = rest.split()
    order = []

    def add(module):
        for dependency in reversed(depends[module]):
            add(dependency)
        if module not in order:
            order.append(module)

    for module in MODULES:
        add(f"kernel/{module}.ko")
    for name in ("bin", "mod", "root", "proc", "dev"):
        (directory / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", directory / "bin/busybox")
    for module in order:
        shutil.copy(modules / module, directory / "mod")
    (directory / "order").write_text("".join(os.path.basename(m) + "\n" for m in order))
    (directory / "init").write_text(INIT)
    (directory / "init").chmod(0o755)
    names = "\n".join(str(p.relative_to(directory)) for p in sorted(directory.rglob("*")))
    with open(initrd, "wb") as out:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), stdout=out,
                       cwd=directory, check=True)


def _build(directory, step):
    root = directory / "root"
    step("downloading and installing the guests' packages (about a minute)")
    _build_root(root)
    versions = sorted(os.listdir(root / "lib/modules"))
    if not versions:
        raise ImageError("no kernel was installed into the image")
    step(f"kernel {versions[-1]}: initramfs and disk")
    shutil.copy(root / f"boot/vmlinuz-{versions[-1]}", directory / "vmlinuz")
    _build_initrd(root, versions[-1], directory / "initrd.d", directory / "initrd")
    for unneeded in root.glob("boot/initrd.img*"):
        unneeded.unlink()
    _run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(directory / "disk.img"), DISK_SIZE)
    shutil.rmtree(root)
    shutil.rmtree(directory / "initrd.d")
    Image(directory).seal()


def _prune(cache, keep):
    """The newest entries stay; what a killed builder left goes."""
    for leftover in cache.glob(".build-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    entries = [p for p in cache.glob("image-*") if p.is_dir() and p != keep]
    for old in sorted(entries, key=lambda p: p.stat().st_mtime, reverse=True)[KEPT - 1:]:
        shutil.rmtree(old, ignore_errors=True)


def get(step=lambda text: print(text, file=sys.stderr, flush=True)):
    """The image of today's lists: from the cache, or built now. step(text) tells the progress."""
    cache = cache_directory()
    final = cache / f"image-{cache_key()}"
    with locked("image", "another lab is building the image"):
        if Image(final).is_complete():
            os.utime(final)
            return Image(final)
        if final.exists():
            step("the cached image is broken: building it again")
            shutil.rmtree(final)
        _prune(cache, final)
        build = pathlib.Path(tempfile.mkdtemp(prefix=".build-", dir=cache))
        try:
            build.chmod(0o755)
            _build(build, step)
            build.rename(final)
        except subprocess.SubprocessError as error:
            raise ImageError(str(error)) from error
        finally:
            shutil.rmtree(build, ignore_errors=True)
        return Image(final)
