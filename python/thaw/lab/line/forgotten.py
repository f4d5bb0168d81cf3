"""A middlebox that has forgotten its connections: a NAT gateway's or a firewall's entries that are gone.

    box = Middlebox()
    box.forget("reset")
    box.from_client(packet)     # "pass", "drop", or the packet with which the middlebox answers

A connection is known if its SYN came from the client after the last `forget`. TCP over IPv4 alone is looked
at; everything else passes. Packets are as `network.End` gives them, behind a virtio-net header.
"""

from __future__ import annotations

import struct
from typing import Literal

# The answer to a client's packet of a connection that is not known:
#   drop    none, ever: a firewall's, and most NATs'
#   reset   RST: AWS's NAT gateway does that
ForgottenAnswer = Literal["drop", "reset"]

VIRTIO_HEADER_BYTES = 10
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_TCP = 6


class Middlebox:
    def __init__(self) -> None:
        self.active = False  # passes all packets unseen until something was forgotten
        self.dropped = 0
        self.resets = 0
        self._answer: ForgottenAnswer = "drop"
        self._known: set[bytes] = set()

    def forget(self, answer: ForgottenAnswer) -> None:
        """Forgets all connections."""
        self.active = True
        self._answer = answer
        self._known.clear()

    def from_client(self, packet: bytes) -> bytes | None:
        """Returns the packet itself if it passes, None if it is dropped, or an answer for the client."""
        segment = _Segment.of(packet)
        if segment is None:
            return packet
        flow = segment.source + segment.destination
        if segment.flags & (_SYN | _ACK) == _SYN:
            self._known.add(flow)
        if flow in self._known:
            return packet
        if self._answer == "drop" or segment.flags & _RST:
            self.dropped += 1
            return None
        self.resets += 1
        return segment.reset()

    def from_peer(self, packet: bytes) -> bool:
        """Returns whether the packet passes."""
        segment = _Segment.of(packet)
        if segment is None or segment.destination + segment.source in self._known:
            return True
        self.dropped += 1
        return False


class _Segment:
    """A TCP segment: its two ends (address and port), and what an answer needs."""

    def __init__(self, packet: bytes, tcp: int) -> None:
        self.source = packet[VIRTIO_HEADER_BYTES + 12 : VIRTIO_HEADER_BYTES + 16] + packet[tcp : tcp + 2]
        self.destination = (
            packet[VIRTIO_HEADER_BYTES + 16 : VIRTIO_HEADER_BYTES + 20] + packet[tcp + 2 : tcp + 4]
        )
        self.sequence, self.acknowledged, header_bytes, self.flags = struct.unpack_from(
            "!IIBB", packet, tcp + 4
        )
        self._end = self.sequence + len(packet) - tcp - (header_bytes >> 4) * 4
        self._end += bool(self.flags & _SYN) + bool(self.flags & _FIN)

    @classmethod
    def of(cls, packet: bytes) -> _Segment | None:
        start = VIRTIO_HEADER_BYTES
        if len(packet) < start + 40 or packet[start] >> 4 != 4 or packet[start + 9] != _TCP:
            return None
        return cls(packet, start + (packet[start] & 0x0F) * 4)

    def reset(self) -> bytes:
        """Returns the RST that answers the segment (RFC 9293 §3.10.7.1)."""
        if self.flags & _ACK:
            sequence, acknowledged, flags = self.acknowledged, 0, _RST
        else:
            sequence, acknowledged, flags = 0, self._end & 0xFFFFFFFF, _RST | _ACK
        source, destination = self.destination, self.source
        ports = source[4:] + destination[4:]
        tcp = ports + struct.pack("!IIBBHHH", sequence, acknowledged, 5 << 4, flags, 0, 0, 0)
        pseudo_header = source[:4] + destination[:4] + struct.pack("!BBH", 0, _TCP, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", _checksum(pseudo_header + tcp)) + tcp[18:]
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, _TCP, 0)
        head += source[:4] + destination[:4]
        head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
        return bytes(VIRTIO_HEADER_BYTES) + head + tcp


def _checksum(data: bytes) -> int:
    """Returns the checksum of RFC 1071 over an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
