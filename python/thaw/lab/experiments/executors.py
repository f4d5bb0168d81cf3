"""Where the points of a sweep are run: threads of this process, or the workers of a Dask cluster.

    with executors.open_executor("dask://scheduler:8786", stop) as (executor, comparison):
        sweep.run(grid, folder, executor, comparison)
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import re
from collections.abc import Callable, Iterator

from thaw.lab import needs
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import sweep
from thaw.lab.stop import Stop

Comparison = Callable[[ExperimentSettings], "sweep.Measured"]

_DASK = re.compile(r"dask://(?P<address>[^/\s]+:\d{1,5})")
_CONNECT_LIMIT = 10.0
MODULES = {"distributed": "distributed"}


def check(text: str) -> str:
    """The text, if it names an executor; ValueError says what is expected."""
    if not _DASK.fullmatch(text):
        raise ValueError(f"{text!r} is not of the form dask://HOST:PORT, a Dask scheduler's address")
    return text


@contextlib.contextmanager
def open_executor(
    text: str | None, stop: Stop, workers: int = 1
) -> Iterator[tuple[concurrent.futures.Executor, Comparison]]:
    """Gives an executor, and the function that it runs for each point.

    Args:
      text: of the form of `check`; None: `workers` threads of this process.
      stop: ends the points that threads are at; a cluster's finish theirs, whose results are not kept.

    Raises ValueError: Dask is not installed, or no scheduler answers.
    """
    if text is None:
        with concurrent.futures.ThreadPoolExecutor(workers) as threads:
            yield threads, functools.partial(sweep.measure_point, stop=stop)
        return
    if (lacking := needs.missing(MODULES, f"the executor {text}")) is not None:
        raise ValueError(lacking)
    from distributed import Client

    match = _DASK.fullmatch(text)
    assert match is not None  # checked when it was given
    try:
        client = Client(f"tcp://{match['address']}", timeout=_CONNECT_LIMIT, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise ValueError(f"{text}: no Dask scheduler answers: {error}") from None
    try:
        # A point is measured again elsewhere if its worker dies, but its settings don't change: never cached.
        yield client.get_executor(pure=False), sweep.measure_point
    finally:
        client.close(timeout=_CONNECT_LIMIT)
