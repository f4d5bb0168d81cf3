"""The benchmark of a flush runs against the flusher there is, and counts connections."""

from __future__ import annotations

import pytest

from thaw.lab import benchmarks


@pytest.mark.parametrize(("sharing", "connections"), [(True, 1), (False, 4)])
def test_connections_of_a_flush(sharing: bool, connections: int) -> None:
    figures = benchmarks.flush_of_many(round_trip=0.0, sharing=sharing, requests=4, rounds=1)
    assert (figures["requests"], figures["connections"]) == (4, connections)
