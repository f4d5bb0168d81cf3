"""Polls of a state that tells nobody when it changes: a file of the kernel, a counter, another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")


def poll(look: Callable[[], _Found], limit: float, *, every: float) -> _Found:
    """Looks until there is something (a value that counts as true), or `limit` seconds are over.

    Returns what the last look found; it looks once at least. `every`: seconds between two looks.
    """
    deadline = time.monotonic() + limit
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(every)
    return found
