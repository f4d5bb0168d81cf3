"""The benchmark of a flush runs against the flusher there is, and counts connections and time."""

from __future__ import annotations

import pytest

from thaw.lab import benchmarks


@pytest.mark.parametrize(("sharing", "connections"), [(True, 1), (False, 4)])
def test_connections_of_a_flush(sharing: bool, connections: int) -> None:
    figures = benchmarks.flush_of_many(round_trip=0.0, sharing=sharing, requests=4, rounds=1)
    assert (figures["requests"], figures["connections"]) == (4, connections)


def test_the_round_trip_is_in_the_time_of_a_flush() -> None:
    figures = benchmarks.flush_of_many(round_trip=0.03, sharing=False, requests=3, rounds=1)
    assert figures["connections"] == 3
    # Connection, TLS and request are a round trip each, side by side for the three requests.
    assert 90.0 <= figures["wall_ms"] < 3 * 90.0
