"""Times as the emulator tells them: nanoseconds of the monotonic clock inside, Lambda's forms outside."""

from __future__ import annotations

import datetime
import time

NANOSECONDS = 1_000_000_000


def now_ns() -> int:
    """Returns the time of the clock for all results, which the processes of a machine share."""
    return time.monotonic_ns()


def iso(wall: float | None = None) -> str:
    """Returns a time, by default now, in the form of telemetry: 2026-01-02T03:04:05.678Z."""
    when = datetime.datetime.fromtimestamp(time.time() if wall is None else wall, datetime.UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def epoch_ms(seconds_from_now: float = 0.0) -> int:
    """Returns the time that is this far from now, in milliseconds since 1970, as in Lambda's deadlines."""
    return int((time.time() + seconds_from_now) * 1000)


def ms_between(begin_ns: int, end_ns: int) -> float:
    """Returns the milliseconds between two times, with Lambda's three digits."""
    return round((end_ns - begin_ns) / 1e6, 3)
