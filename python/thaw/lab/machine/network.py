"""The network device of a guest: a TAP device in the namespace at the client's end of a line.

    make_device()                       # in that namespace
    set_up("vec0", GUEST_ADDRESS)       # in the guest

The namespace's kernel passes packets between this device and the line's TUN device, and answers the guest's
ARP requests for the peer. What comes for a guest that is stopped waits in the TAP device's queue.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import socket
import struct

from thaw.lab.line.network import NetworkError

DEVICE = "machine"
# In the line's network, 192.0.2.0/24; the upper half is behind the TAP device.
GUEST_ADDRESS = "192.0.2.130"
_GUEST_PREFIX = 24
_DEVICE_ADDRESS, _DEVICE_PREFIX = "192.0.2.129", 25

# linux/if_tun.h, linux/sockios.h and net/if.h
_TUNSETIFF, _TUNSETPERSIST = 0x400454CA, 0x400454CB
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x2, 0x1000, 0x4000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_IFF_UP, _IFF_RUNNING = 0x1, 0x40

_TUN = "/dev/net/tun"
_SETTINGS = pathlib.Path("/proc/sys/net/ipv4")


def make_device() -> None:
    """Makes the TAP device, which lasts as long as the namespace, and has the kernel pass packets on.

    NetworkError names what this machine does not allow.
    """
    try:
        device = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise NetworkError(f"{_TUN} can't be opened: {error.strerror}") from error
    try:
        flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), flags))
        fcntl.ioctl(device, _TUNSETPERSIST, 1)
        set_up(DEVICE, _DEVICE_ADDRESS, _DEVICE_PREFIX)
        (_SETTINGS / "ip_forward").write_text("1")
        (_SETTINGS / "conf" / DEVICE / "proxy_arp").write_text("1")
    except OSError as error:
        raise NetworkError(f"no TAP device for a machine: {error.strerror}") from error
    finally:
        os.close(device)


def set_up(device: str, address: str, prefix: int = _GUEST_PREFIX) -> None:
    """Gives a device an address, and sets it up. OSError: the kernel does not allow it."""
    mask = socket.inet_ntoa(struct.pack("!I", 0xFFFFFFFF << (32 - prefix) & 0xFFFFFFFF))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, text in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, mask)):
            value = struct.pack("=H2s4s", socket.AF_INET, bytes(2), socket.inet_aton(text))
            fcntl.ioctl(control, request, struct.pack("16s24s", device.encode(), value))
        flags = struct.pack("h", _IFF_UP | _IFF_RUNNING)
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16s24s", device.encode(), flags))


def set_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = struct.pack("h", _IFF_UP | _IFF_RUNNING)
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16s24s", b"lo", flags))
