"""Network namespaces, TUN devices and addresses, by system calls: nothing here runs another program.

    with_privileges()                  # in a process with one thread
    end = End.make("client", "192.0.2.2", mtu=1500, congestion_control="cubic")
    os.read(end.device, 1 << 17)       # a packet that a process of that namespace sends

An `End` is a network namespace of its own with one TUN device. It lasts for as long as this process or
another one in that namespace does: no name of it is left in a file system. Nothing here needs more than the
standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import pathlib
import socket
import struct
from dataclasses import dataclass

# Addresses of a network that is for documentation (RFC 5737), so that none can be meant for elsewhere.
CLIENT_ADDRESS, PEER_ADDRESS = "192.0.2.2", "192.0.2.1"
NETWORK_PREFIX = 24  # the bits of the addresses that both ends share

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_DUMPABLE = 4
# linux/if_tun.h
_TUNSETIFF, _TUNSETOFFLOAD = 0x400454CA, 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x1, 0x1000, 0x4000
_TUN_F_CSUM, _TUN_F_TSO4 = 0x1, 0x2
# linux/sockios.h and net/if.h
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFMTU = 0x8914, 0x8916, 0x891C, 0x8922
_SIOCGIFINDEX = 0x8933
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_QUEUE_PACKETS = (
    10_000  # that wait for the forwarder: a whole window fits, so that nothing else loses packets
)

# linux/netlink.h and linux/rtnetlink.h
_RTM_NEWLINK, _RTM_NEWROUTE, _NLMSG_ERROR = 16, 24, 2
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_REPLACE, _NLM_F_CREATE = 0x1, 0x4, 0x100, 0x400
_RT_TABLE_MAIN, _RTPROT_KERNEL, _RT_SCOPE_LINK, _RTN_UNICAST = 254, 2, 253, 1
_RTA_DST, _RTA_OIF, _RTA_PREFSRC, _RTA_METRICS, _RTAX_CC_ALGO = 1, 4, 7, 8, 16
_IFLA_TXQLEN = 13

_TUN = "/dev/net/tun"
_NO_IPV6 = pathlib.Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")


class NetworkError(RuntimeError):
    """This machine does not allow a namespace or a device; the text says which and why."""


def with_privileges() -> None:
    """Gives this process the right to make network namespaces: it has it already, or gets it by a user
    namespace in which it is root. NetworkError: neither is allowed here.
    """
    user, group = os.geteuid(), os.getegid()
    if _unshare(_CLONE_NEWNET) == 0:
        return
    if (code := _unshare(_CLONE_NEWUSER)) != 0:
        raise NetworkError(
            f"neither a network namespace nor a user namespace is allowed: {os.strerror(code)}"
        )
    try:
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        raise NetworkError(f"a user namespace can't be set up: {error}") from error
    # A change of credentials hides /proc/PID/fd, by which other processes enter the ends.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


@dataclass
class End:
    """One end of a line.

    Attributes:
      namespace, device: file descriptors, of the namespace and of its TUN device.
      control, configuration: a plain and a netlink socket in it, by which device and route are set up.
    """

    name: str
    address: str
    congestion_control: str
    namespace: int
    device: int
    control: socket.socket
    configuration: socket.socket

    @classmethod
    def make(cls, name: str, address: str, *, mtu: int, congestion_control: str) -> End:
        """Makes the namespace and the device. This process is in that namespace afterwards."""
        if (code := _unshare(_CLONE_NEWNET)) != 0:
            raise NetworkError(f"no network namespace: {os.strerror(code)}")
        with contextlib.suppress(OSError):
            _NO_IPV6.write_text("1")  # a device without an IPv6 address sends nothing by itself
        end = cls(
            name,
            address,
            congestion_control,
            os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC),
            _open_device(name),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE),
        )
        end._configure(_SIOCSIFFLAGS, b"lo", struct.pack("h", _IFF_UP | _IFF_RUNNING))
        end.set_mtu(mtu)
        end._set_queue_length()
        end._configure(_SIOCSIFFLAGS, end._device_name, struct.pack("h", _IFF_UP | _IFF_RUNNING))
        end.set_address(address)
        return end

    def set_address(self, address: str) -> None:
        """Replaces the device's address; connections from the old one have lost it."""
        self._configure(_SIOCSIFADDR, self._device_name, _socket_address(address))
        mask = socket.inet_ntoa(struct.pack("!I", 0xFFFFFFFF << (32 - NETWORK_PREFIX) & 0xFFFFFFFF))
        self._configure(_SIOCSIFNETMASK, self._device_name, _socket_address(mask))
        self.address = address
        self._set_route()

    def set_mtu(self, mtu: int) -> None:
        self._configure(_SIOCSIFMTU, self._device_name, struct.pack("i", mtu))

    def set_large_packets(self, allowed: bool) -> None:
        """Says whether the kernel may hand over up to 64 KB of segments as one packet, without checksums."""
        fcntl.ioctl(self.device, _TUNSETOFFLOAD, _TUN_F_CSUM | _TUN_F_TSO4 if allowed else 0)

    def _set_route(self) -> None:
        """Sets the congestion control of connections to the other end, in the route to it.

        The namespace's own setting, tcp_congestion_control, takes only those that the machine allows to all
        users; a route's takes each one that the kernel has.
        """
        network = socket.inet_aton(self.address)[:-1] + b"\0"
        index = self._device_index()
        metrics = _attribute(_RTAX_CC_ALGO, self.congestion_control.encode() + b"\0")
        route = struct.pack(
            "=8BI",
            *(socket.AF_INET, NETWORK_PREFIX, 0, 0),
            *(_RT_TABLE_MAIN, _RTPROT_KERNEL, _RT_SCOPE_LINK, _RTN_UNICAST, 0),
        )
        route += _attribute(_RTA_DST, network) + _attribute(_RTA_OIF, struct.pack("=i", index))
        route += _attribute(_RTA_PREFSRC, socket.inet_aton(self.address)) + _attribute(_RTA_METRICS, metrics)
        code = self._ask(_RTM_NEWROUTE, _NLM_F_REPLACE | _NLM_F_CREATE, route)
        if code != 0:
            raise NetworkError(
                f"congestion control {self.congestion_control!r} can't be set: {os.strerror(code)}"
            )

    def _set_queue_length(self) -> None:
        """Sets the length of the device's queue by netlink; the ioctl for it needs root of the machine."""
        link = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, self._device_index(), 0, 0)
        code = self._ask(_RTM_NEWLINK, 0, link + _attribute(_IFLA_TXQLEN, struct.pack("=I", _QUEUE_PACKETS)))
        if code != 0:
            raise NetworkError(f"device {self.name}: no queue of {_QUEUE_PACKETS}: {os.strerror(code)}")

    def _ask(self, request: int, flags: int, message: bytes) -> int:
        """Sends a message to the kernel's network configuration. Returns 0 or the error's number."""
        header = (16 + len(message), request, _NLM_F_REQUEST | _NLM_F_ACK | flags, 1, 0)
        self.configuration.send(struct.pack("=IHHII", *header) + message)
        kind, code = struct.unpack_from("=4xH10xi", self.configuration.recv(4096))
        return -code if kind == _NLMSG_ERROR else 0

    def _device_index(self) -> int:
        answer = fcntl.ioctl(self.control, _SIOCGIFINDEX, struct.pack("16s24x", self._device_name))
        return int(struct.unpack_from("16xi", answer)[0])

    @property
    def _device_name(self) -> bytes:
        return self.name.encode()

    def _configure(self, request: int, device: bytes, value: bytes) -> None:
        try:
            fcntl.ioctl(self.control, request, struct.pack("16s24s", device, value))
        except OSError as error:
            raise NetworkError(f"device {device.decode()}: {error.strerror}") from error


def _unshare(what: int) -> int:
    """Returns 0 or the error's number."""
    libc = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.unshare(what) == 0 else ctypes.get_errno()


def _open_device(name: str) -> int:
    try:
        device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise NetworkError(f"{_TUN} can't be opened: {error.strerror}") from error
    try:
        flags = _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    except OSError as error:
        os.close(device)
        raise NetworkError(f"no TUN device: {error.strerror}") from error
    return device


def _attribute(kind: int, value: bytes) -> bytes:
    """Returns an attribute of a netlink message, filled up to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _socket_address(address: str) -> bytes:
    return struct.pack("=H2s4s", socket.AF_INET, bytes(2), socket.inet_aton(address))
