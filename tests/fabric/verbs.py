# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of a host's asynchronous events in the test's own process: libibverbs by ctypes."""
import ctypes
import os
import select

from .simulator import FabricError, build_directory

EVENTS = {8: 'device-fatal', 9: 'port-active', 10: 'port-error', 11: 'lid-change',
          12: 'pkey-change', 13: 'sm-change', 17: 'client-reregister', 18: 'gid-change'}

# struct ibv_context: the device, 32 operations, two descriptors.
ASYNC_FD = 8 + 32 * 8 + 4


def load():
    library = ctypes.CDLL(str(build_directory() / 'tests/fabric/lib/libibverbs.so.1'),
                          use_errno=True)
    for name in ('ibv_get_device_list', 'ibv_open_device', 'ibv_get_device_name'):
        getattr(library, name).restype = ctypes.c_void_p
    return library


class Verbs:
    """A device opened by a client on a host. For a with statement."""

    def __init__(self, fabric, host, device='mlx5_0'):
        self.library, self.context = load(), None
        os.environ['FABRIC_HOST'] = str(fabric.root(host))
        try:
            self.open(device)
        finally:
            del os.environ['FABRIC_HOST']

    def open(self, device):
        n = ctypes.c_int()
        devices = self.library.ibv_get_device_list(ctypes.byref(n))
        entries = ctypes.cast(devices, ctypes.POINTER(ctypes.c_void_p))
        for i in range(n.value):
            entry = ctypes.c_void_p(entries[i])
            name = ctypes.c_char_p(self.library.ibv_get_device_name(entry)).value
            if name == device.encode():
                self.context = self.library.ibv_open_device(entry)
        self.library.ibv_free_device_list(ctypes.c_void_p(devices))
        if not self.context:
            raise FabricError(f'ibv_open_device: no {device}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.library.ibv_close_device(ctypes.c_void_p(self.context))

    @property
    def fd(self):
        return ctypes.c_int.from_address(self.context + ASYNC_FD).value

    def event(self, timeout=5):
        """(name, port) of the next event; ('end', 0) when the device is gone; None without one."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        if not poll.poll(timeout * 1000):
            return None
        event = (ctypes.c_int * 4)()  # a union of pointers and the port, and the type
        if self.library.ibv_get_async_event(ctypes.c_void_p(self.context), event) < 0:
            return 'end', 0
        return EVENTS.get(event[2], str(event[2])), event[0]

    def until(self, name, timeout=5):
        """All events up to the first of that name."""
        events = []
        while not events or events[-1][0] != name:
            event = self.event(timeout)
            if event is None:
                raise FabricError(f'no event {name}; before it {events}')
            events.append(event)
        return events
