"""Span ids that say which payload of which cycle a span belongs to.

In an experiment every payload has span ids of its own, so that the intake's count of ids says of each payload
whether it arrived, and how often.
"""

from __future__ import annotations

from typing import NamedTuple

_CYCLE_SHIFT, _PAYLOAD_SHIFT = 36, 20
_MARK = 1 << 62  # every id takes nine bytes in msgpack, whatever its number


class Origin(NamedTuple):
    """The cycle and the payload that a span belongs to, and its place there; all counted from 0."""

    cycle: int
    payload: int
    span: int


def span_id(origin: Origin) -> int:
    """Returns a 64-bit id that holds its origin: up to 2**26 cycles, 2**16 payloads, 2**20 spans."""
    return _MARK | origin.cycle << _CYCLE_SHIFT | origin.payload << _PAYLOAD_SHIFT | origin.span


def origin_of(identifier: int) -> Origin:
    """Returns the origin from which `span_id` made an id. ValueError: it did not make it."""
    if identifier >> 62 != 1:
        raise ValueError(f"span id {identifier} is none of this workload's")
    return Origin(
        (identifier ^ _MARK) >> _CYCLE_SHIFT,
        identifier >> _PAYLOAD_SHIFT & 0xFFFF,
        identifier & (1 << _PAYLOAD_SHIFT) - 1,
    )
