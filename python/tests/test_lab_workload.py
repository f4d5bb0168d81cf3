"""The laboratory's payloads: a real tracer's and generated ones."""

from __future__ import annotations

import pathlib
from typing import Any

import msgpack
import pytest

from thaw.lab import workload
from thaw.lab.workload import Origin, Workload, tracer_captures


def ids(body: bytes) -> list[int]:
    return [span["span_id"] for trace in msgpack.unpackb(body) for span in trace]


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> list[workload.Capture]:
    """Requests of ddtrace, captured anew."""
    return workload.capture(requests=12)


@pytest.mark.parametrize(
    "origin", [Origin(0, 0, 0), Origin(2**26 - 1, 2**16 - 1, 2**20 - 1), Origin(5, 4, 3)]
)
def test_ids_hold_their_origin(origin: Origin) -> None:
    assert workload.origin_of(workload.span_id(origin)) == origin
    assert workload.span_id(origin) < 2**63


def test_foreign_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="none of this"):
        workload.origin_of(12)


def test_the_tracer_sends_traces_and_stats(captured: list[workload.Capture]) -> None:
    assert {each.path for each in captured} == {"/v0.4/traces", "/v0.6/stats"}
    traces = [each for each in captured if each.path == "/v0.4/traces"]
    assert len(traces) > 1
    assert traces[0].headers["datadog-meta-lang"] == "python"
    names = {span["name"] for each in traces for trace in msgpack.unpackb(each.body) for span in trace}
    assert names == {"http.request", "sql.query", "cache.get"}


def test_captures_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    made = [workload.Capture("/v0.4/traces", {"datadog-meta-lang": "python"}, b"\x90")]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tracer_captures, "capture", lambda: made)
    assert workload.captures() == made
    monkeypatch.setattr(tracer_captures, "capture", lambda: pytest.fail("taken again"))
    assert workload.captures() == made


def tree(trace: list[dict[str, Any]]) -> list[tuple[int | None, Any]]:
    """Returns for each span the place of its parent in the trace, and its other members."""
    places = {span["span_id"]: place for place, span in enumerate(trace)}
    return [(places.get(span.get("parent_id") or 0), span.get("meta")) for span in trace]


def test_new_ids_keep_the_tree() -> None:
    body = Workload("real", seed=1).body(3, 2)
    assert [workload.origin_of(each) for each in ids(body.data)] == [
        Origin(3, 2, n) for n in range(body.spans)
    ]
    sent = [
        [tree(trace) for trace in msgpack.unpackb(capture.body)]
        for capture in workload.captures()
        if capture.path == "/v0.4/traces"
    ]
    assert [tree(trace) for trace in msgpack.unpackb(body.data)] in sent


@pytest.mark.parametrize("kind", ["real", "generated"])
def test_payloads_are_deterministic_and_distinct(kind: workload.WorkloadKind) -> None:
    one, same = Workload(kind, seed=1), Workload(kind, seed=1)
    assert one.body(2, 1) == same.body(2, 1)
    every = [
        each for cycle in range(3) for payload in range(4) for each in ids(one.body(cycle, payload).data)
    ]
    assert len(every) == len(set(every))
    assert Workload("generated", seed=2).body(0, 0) != Workload("generated", seed=1).body(0, 0)


@pytest.mark.parametrize("size", [1, 1_000, 100_000, 12_000_000])
def test_bodies_of_a_size(size: int) -> None:
    body = workload.body_of_size(size)
    assert size <= len(body) <= size + 2_000
    assert size > 1 or len(ids(body)) == 1


def test_sizes_have_bounds() -> None:
    with pytest.raises(ValueError, match="12,000,000"):
        workload.body_of_size(12_000_001)
