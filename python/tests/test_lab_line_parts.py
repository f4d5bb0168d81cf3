"""Parts of the line that need no namespaces: the queue of one direction, and the middlebox that forgets."""

from __future__ import annotations

import struct

from thaw.lab.line.forgotten import VIRTIO_HEADER_BYTES, Middlebox
from thaw.lab.line.way import Way

CLIENT, PEER = bytes([192, 0, 2, 2]), bytes([192, 0, 2, 1])
FIN, SYN, RST, ACK = 1, 2, 4, 16


def test_packets_leave_when_they_are_due_and_keep_their_order() -> None:
    way = Way(10.0)
    way.put(b"first", 0.0)
    way.seconds = 1.0
    way.put(b"second", 0.5)
    assert way.next_release == 10.0
    assert way.take(9.9) == []
    assert [packet for _, packet in way.take(10.0)] == [b"first", b"second"]
    way.put(b"third", 10.0)
    assert way.next_release == 11.0
    assert way.counts() == {"passed": 2, "bytes": 11, "lost_by_chance": 0, "lost_in_hole": 0}


def test_a_hole_loses_what_is_on_its_way_and_what_comes() -> None:
    way = Way(1.0)
    way.put(b"on its way", 0.0)
    way.close()
    way.put(b"comes", 0.1)
    assert way.next_release is None
    way.open = True
    way.put(b"passes", 0.2)
    assert [packet for _, packet in way.take(2.0)] == [b"passes"]
    assert way.lost_in_hole == 2


def test_loss_is_a_share_of_packets_and_the_same_with_the_same_seed() -> None:
    passed = []
    for _ in range(2):
        way = Way(0.0, 0.1, seed=7)
        for number in range(10_000):
            way.put(str(number).encode(), 0.0)
        passed.append([packet for _, packet in way.take(0.0)])
    assert passed[0] == passed[1]
    assert 8_850 < len(passed[0]) < 9_150


def packet(source: bytes, destination: bytes, ports: tuple[int, int], flags: int, data: bytes = b"") -> bytes:
    tcp = struct.pack("!HHIIBBHHH", *ports, 1000, 2000, 5 << 4, flags, 0, 0, 0) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + source + destination
    return bytes(VIRTIO_HEADER_BYTES) + head + tcp


def test_a_middlebox_that_forgot_nothing_passes_what_it_does_not_know() -> None:
    assert not Middlebox().active


def test_a_connection_is_known_from_its_syn() -> None:
    box = Middlebox()
    box.forget("drop")
    old, new = (5000, 443), (5001, 443)
    assert box.from_client(packet(CLIENT, PEER, old, ACK, b"data")) is None
    assert not box.from_peer(packet(PEER, CLIENT, old[::-1], ACK))
    syn = packet(CLIENT, PEER, new, SYN)
    assert box.from_client(syn) is syn
    assert box.from_peer(packet(PEER, CLIENT, new[::-1], SYN | ACK))
    data = packet(CLIENT, PEER, new, ACK, b"data")
    assert box.from_client(data) is data
    assert box.dropped == 2
    box.forget("drop")
    assert box.from_client(data) is None
    datagram = data[: VIRTIO_HEADER_BYTES + 9] + bytes([17]) + data[VIRTIO_HEADER_BYTES + 10 :]
    assert box.from_client(datagram) is datagram


def test_the_reset_of_a_middlebox_fits_the_segment_that_it_answers() -> None:
    box = Middlebox()
    box.forget("reset")
    answer = box.from_client(packet(CLIENT, PEER, (5000, 443), ACK, b"data"))
    assert answer is not None
    head, tcp = answer[VIRTIO_HEADER_BYTES:][:20], answer[VIRTIO_HEADER_BYTES:][20:]
    assert (head[12:16], head[16:20]) == (PEER, CLIENT)
    assert struct.unpack("!HHIIBB", tcp[:14]) == (443, 5000, 2000, 0, 5 << 4, RST)
    assert sum_of(head) == sum_of(PEER + CLIENT + struct.pack("!BBH", 0, 6, len(tcp)) + tcp) == 0xFFFF
    without_ack = box.from_client(packet(CLIENT, PEER, (5000, 443), FIN, b"data"))
    assert without_ack is not None
    assert struct.unpack("!IIBB", without_ack[VIRTIO_HEADER_BYTES + 24 :][:10]) == (
        0,
        1005,
        5 << 4,
        RST | ACK,
    )
    assert box.from_client(packet(CLIENT, PEER, (5000, 443), RST)) is None
    assert (box.resets, box.dropped) == (2, 1)


def sum_of(data: bytes) -> int:
    """The ones' complement sum, which is all ones where the checksum in the data is right."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
