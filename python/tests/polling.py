"""Waits of tests for what others do, which end with an error and never hang."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LIMIT = 30.0  # seconds; a machine may be busy


def wait_until(done: Callable[[], object], limit: float = LIMIT, *, every: float = 0.002) -> None:
    """Returns when `done` returns something true. TimeoutError: it does not within `limit` seconds."""
    deadline = time.monotonic() + limit
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done within {limit:g} s")
        time.sleep(every)


async def until(done: Callable[[], object], limit: float = LIMIT, *, every: float = 0.001) -> None:
    """Does the same as `wait_until`, and lets the other tasks of the loop run meanwhile."""
    async with asyncio.timeout(limit):
        while not done():
            await asyncio.sleep(every)
