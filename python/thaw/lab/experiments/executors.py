"""Executors of a sweep's points: threads of this process, or the workers of a Dask cluster.

with executors.open_executor("dask://scheduler:8786") as executor:
    sweep.run(grid, folder, executor)
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import importlib
import re
from collections.abc import Iterator
from typing import Any

from thaw.lab import needs

_DASK = re.compile(r"dask://(?P<address>[^/\s]+:(?P<port>\d{1,5}))")
_MOST_PORTS = 65535
_CONNECT_LIMIT = 10.0


def check(text: str) -> str:
    """Returns the text, if it names an executor; ValueError says what is expected."""
    match = _DASK.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not of the form dask://HOST:PORT, a Dask scheduler's address")
    if not 1 <= int(match["port"]) <= _MOST_PORTS:
        raise ValueError(f"{text!r}: the port is not from 1 to {_MOST_PORTS}")
    return text


@contextlib.contextmanager
def open_executor(text: str | None, workers: int = 1) -> Iterator[concurrent.futures.Executor]:
    """Gives the executor.

    Args:
      text: an executor as `check` accepts it; None: `workers` threads of this process.

    Raises ValueError: Dask is not installed, or no scheduler answers.
    """
    if text is None:
        with concurrent.futures.ThreadPoolExecutor(workers) as threads:
            yield threads
        return
    needs.require(needs.CLUSTER, f"the executor {text}")
    distributed: Any = importlib.import_module("distributed")
    match = _DASK.fullmatch(check(text))
    assert match is not None
    try:
        client = distributed.Client(f"tcp://{match['address']}", timeout=_CONNECT_LIMIT, set_as_default=False)
    except (OSError, TimeoutError):
        raise ValueError(f"{text}: no Dask scheduler answers there") from None
    try:
        # pure: a point's result is a measurement, which is not to be taken from an earlier one.
        yield client.get_executor(pure=False)
    finally:
        client.close(timeout=_CONNECT_LIMIT)
