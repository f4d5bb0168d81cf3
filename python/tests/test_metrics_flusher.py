"""MetricsPayload and MetricsFlusher against the laboratory's intake, whose decoders are not ours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

import thaw
from thaw.lab.intake import Answer, Intake, Script


@pytest.fixture
def intake() -> Iterator[Intake]:
    with Intake() as intake:
        yield intake


@pytest.fixture
def client(intake: Intake) -> Iterator[thaw.Client]:
    options = thaw.ClientOptions(tls_cert_file=intake.ca_file, use_public_roots=False)
    with thaw.Client(options) as client:
        yield client


def payload(lines: str, **others: Any) -> thaw.MetricsPayload:
    return thaw.MetricsPayload.from_dogstatsd(lines.encode(), **{"timestamp": 1_767_225_615.0, **others})


def test_each_value_arrives_once(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.MetricsFlusher(client, intake.url, "key")
    first = payload("hits:1|c\nhits:2|c|@0.5\nlevel:3|g\nlevel:4|g\ntime:1:2:3|d|#a:b", tags=["team:web"])
    assert (first.samples, first.points, first.sketches) == (5, 2, 1)
    flusher.add(first)
    flusher.add(payload("hits:7|c", timestamp=1_767_225_630.0))
    assert flusher.flush(deadline=10.0).delivered == 2
    got = {(point.key.metric, point.key.timestamp): point for point in intake.all_points()}
    assert {key: (point.key.type, point.value, point.key.tags) for key, point in got.items()} == {
        ("hits", 1_767_225_610): ("count", 5.0, ("team:web",)),
        ("level", 1_767_225_610): ("gauge", 4.0, ("team:web",)),
        ("time", 1_767_225_610): ("distribution", pytest.approx(6.0), ("a:b", "team:web")),
        ("hits", 1_767_225_630): ("count", 7.0, ()),
    }
    sketch = got["time", 1_767_225_610]
    assert (sketch.samples, sketch.extremes) == (3, (1.0, 3.0))
    assert set(intake.points().values()) == {1}
    assert {each["target"] for each in intake.requests()} == {"/api/v2/series", "/api/beta/sketches"}
    flusher.check_invariant()


def test_histograms_and_sets_are_series(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.MetricsFlusher(client, intake.url, "key")
    flusher.add(payload("t:1|h\nt:3|h\nusers:ann|s\nusers:bob|s\nusers:ann|s"))
    assert flusher.flush(deadline=10.0).delivered == 1
    values = {point.key.metric: point.value for point in intake.all_points()}
    assert (values["users"], values["t.max"], values["t.avg"]) == (2.0, 3.0, 2.0)


def test_what_is_refused_for_now_stays_and_arrives_once(client: thaw.Client, intake: Intake) -> None:
    intake.script(Script(answer=Answer(status=503)))
    flusher = thaw.MetricsFlusher(client, intake.url, "key")
    flusher.add(payload("hits:1|c\ntime:1|d"))
    assert flusher.flush(deadline=2.0).retained == 1
    intake.script(Script())
    assert flusher.shutdown(deadline=10.0).delivered == 1
    assert {key.metric: times for key, times in intake.points().items()} == {"hits": 1, "time": 1}


def test_a_bad_line_costs_that_line_and_the_rest_is_counted() -> None:
    made = payload("hits:1|c\nhits\nhits:x|c\nhits:1|q\n_e{1,1}:t|x\n_sc|check|0\nhits:2|c")
    assert made.to_dict() == {
        "samples": 2,
        "points": 1,
        "sketches": 0,
        "refused": {"form": 1, "value": 1, "type": 1},
        "others": 2,
        "dropped": 0,
        "size": made.size,
    }
    assert repr(made).startswith("MetricsPayload(samples=2, points=1, refused=")
    assert payload("").to_dict()["size"] == 0


def test_a_payload_without_metrics_makes_no_request(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.MetricsFlusher(client, intake.url, "key")
    flusher.add(payload(""))
    flusher.flush(deadline=10.0)
    assert intake.requests() == []
    assert flusher.retained == 0


@pytest.mark.parametrize("timestamp", [math.nan, math.inf, -math.inf])
def test_a_timestamp_has_to_be_a_time(timestamp: float) -> None:
    with pytest.raises(thaw.InvalidArgument, match="timestamp"):
        payload("hits:1|c", timestamp=timestamp)


def test_defaults_are_those_of_metrics(client: thaw.Client) -> None:
    flusher = thaw.MetricsFlusher(client, "http://127.0.0.1:1", "key")
    assert flusher.options == thaw.FlusherOptions.metrics_defaults()
    assert flusher.options.max_batch_bytes == 5_242_880
    assert not flusher.options.retry_ambiguous
    assert flusher.endpoints == ["http://127.0.0.1:1"]
