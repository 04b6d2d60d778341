# SPDX-License-Identifier: GPL-2.0-or-later
"""
A client of the fabric in the test's own process: the replacement libibumad by ctypes. For cases
that need datagrams no program of the distribution sends, or need to see every byte that comes.
"""
import ctypes
import os
import select
import struct

from .simulator import FabricError, build_directory

CLASS_SA, CLASS_DM = 0x03, 0x06
GET, SET, REPORT, GET_TABLE = 0x01, 0x02, 0x06, 0x12
GET_RESP, REPORT_RESP, GET_TABLE_RESP = 0x81, 0x86, 0x92
HEADER = 64  # of ib_umad, before the datagram
QKEY = 0x80010000


def load():
    library = ctypes.CDLL(str(build_directory() / 'tests/fabric/lib/libibumad.so.3'),
                          use_errno=True)
    library.umad_size.restype = ctypes.c_size_t
    library.umad_get_mad.restype = ctypes.c_void_p
    return library


class Datagram:
    """What umad_recv() handed over."""

    def __init__(self, agent, buffer, length):
        (_, self.status, _, _, self.length, self.qpn, self.qkey, self.lid, self.sl) = \
            struct.unpack_from('<IIIII', buffer) + struct.unpack_from('>IIHB', buffer, 20)
        self.agent, self.pkey_index = agent, struct.unpack_from('<H', buffer, 56)[0]
        self.grh_present, self.gid = buffer[32], bytes(buffer[36:52])
        self.mad = bytes(buffer[HEADER:HEADER + length])

    def field(self, form, offset):
        return struct.unpack_from('>' + form, self.mad, offset)[0]

    mgmt_class = property(lambda self: self.mad[1])
    method = property(lambda self: self.mad[3])
    mad_status = property(lambda self: self.field('H', 4))
    tid = property(lambda self: self.field('Q', 8))
    attr = property(lambda self: self.field('H', 16))


def mad(mgmt_class, method, attr, mod=0, tid=1, version=None, data=b'', size=256):
    """A datagram; data goes behind the header of the class."""
    if version is None:
        version = 2 if mgmt_class == CLASS_SA else 1
    head = struct.pack('>BBBBHHQHHI', 1, mgmt_class, version, method, 0, 0, tid, attr, 0, mod)
    body = data if mgmt_class == CLASS_SA else bytes(40) + data
    return (head + body).ljust(size, b'\0')


def sa(method, attr, data=b'', mask=0, mod=0, tid=1):
    """A query of subnet administration: a record and the mask of its components."""
    rmpp = struct.pack('>BBBBII', 1, 1, 0, 0, 0, 0) if method == GET_TABLE else bytes(12)
    return mad(CLASS_SA, method, attr, mod, tid,
               data=rmpp + bytes(8) + bytes(4) + struct.pack('>Q', mask) + data)


class Umad:
    """A port opened by a client on a host. For a with statement."""

    def __init__(self, fabric, host, device='mlx5_0', port=1):
        self.library, self.agents = load(), {}
        before = os.environ.get('FABRIC_HOST')
        os.environ['FABRIC_HOST'] = str(fabric.root(host))
        try:
            self.id = self.library.umad_open_port(device.encode(), port)
        finally:
            if before is None:
                del os.environ['FABRIC_HOST']
            else:
                os.environ['FABRIC_HOST'] = before
        if self.id < 0:
            raise FabricError(f'umad_open_port: {self.id}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.id >= 0:
            self.library.umad_close_port(self.id)
        self.id = -1

    @property
    def fd(self):
        return self.library.umad_get_fd(self.id)

    def register(self, mgmt_class, version=None, rmpp=0, methods=()):
        """The number of an agent, or a negative error."""
        if version is None:
            version = 2 if mgmt_class == CLASS_SA else 1
        mask = sum(1 << m for m in methods)
        words = (ctypes.c_uint64 * 2)(mask & (1 << 64) - 1, mask >> 64)
        return self.library.umad_register(self.id, mgmt_class, version, rmpp,
                                          words if methods else None)

    def unregister(self, agent):
        return self.library.umad_unregister(self.id, agent)

    def send(self, agent, data, lid, timeout=1000, retries=0, pkey_index=0, gid=None):
        buffer = bytearray(HEADER + len(data))
        struct.pack_into('>IIHB', buffer, 20, 1, QKEY, lid, 0)
        struct.pack_into('<H', buffer, 56, pkey_index)
        if gid:
            buffer[32], buffer[34] = 1, 64
            buffer[36:52] = gid
        buffer[HEADER:] = data
        raw = (ctypes.c_char * len(buffer)).from_buffer(buffer)
        return self.library.umad_send(self.id, agent, raw, len(data), timeout, retries)

    def wait(self, timeout=5):
        """Whether something is there to receive, by the descriptor alone."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def receive_raw(self, room=256, timeout=5000):
        """(what umad_recv() returned, length, errno, bytes of the buffer)."""
        buffer = bytearray(HEADER + room)
        raw = (ctypes.c_char * len(buffer)).from_buffer(buffer)
        length = ctypes.c_int(room)
        r = self.library.umad_recv(self.id, raw, ctypes.byref(length), timeout)
        return r, length.value, ctypes.get_errno(), bytes(buffer)

    def receive(self, timeout=5000):
        """The next datagram, whatever its length; None when none came."""
        r, length, _, buffer = self.receive_raw(256, timeout)
        if r < 0 and length > 256:
            r, length, _, buffer = self.receive_raw(length, timeout)
        if r < 0:
            return None
        return Datagram(r, buffer, length)

    def query(self, agent, data, lid, **options):
        """One request and what comes next."""
        r = self.send(agent, data, lid, **options)
        if r != 0:
            raise FabricError(f'umad_send: {r}')
        return self.receive()
