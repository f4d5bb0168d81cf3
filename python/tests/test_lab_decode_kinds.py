"""The laboratory's decoders of logs, metrics, events and service checks, and the intake's counts of them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import zstandard

from thaw.lab.intake import (
    Answer,
    Intake,
    IntakeError,
    Line,
    PointKey,
    Script,
    decode_events,
    decode_logs,
    decode_metrics,
)

ZSTD = {"content-encoding": "zstd"}
PROTOBUF = {**ZSTD, "content-type": "application/x-protobuf"}


def entry(text: str, request_id: str | None = "r1", **others: Any) -> dict[str, Any]:
    message = {"message": text, "lambda": {"arn": "arn", "request_id": request_id}}
    return {
        "message": {**message, "timestamp": 1, "status": "info"},
        "hostname": "arn",
        "service": "",
        "ddtags": "a:b",
        "ddsource": "lambda",
        **others,
    }


def logs_body(*entries: Any) -> bytes:
    return zstandard.compress(json.dumps(entries).encode())


def series_body(*tags: str, value: float = 2.0, kind: int = 1, metric: str = "cart.items") -> bytes:
    payload = decode_metrics.message_class("MetricPayload")()
    series = payload.series.add(metric=metric, type=kind, interval=10, tags=tags)
    series.points.add(timestamp=1000, value=value)
    return zstandard.compress(payload.SerializeToString())


def sketch_body(k: tuple[int, ...] = (-5, 1338), n: tuple[int, ...] = (1, 2), **changed: float) -> bytes:
    payload = decode_metrics.message_class("SketchPayload")()
    sketch = payload.sketches.add(metric="cart.time", tags=["b:2", "a:1"])
    summary: dict[str, float] = {"cnt": sum(n), "min": -1, "max": 1, "avg": 1 / 3, "sum": 1, **changed}
    sketch.dogsketches.add(ts=1000, k=k, n=n, **summary)
    return zstandard.compress(payload.SerializeToString())


# -- Decoders


def test_series_encoded_by_hand_are_read() -> None:
    # MetricPayload{1: MetricSeries{2: "m", 3: "a:1", 4: MetricPoint{1: 1.5, 2: 300}, 5: 3, 8: 10,
    #   9: Metadata{1: Origin{4: 1, 5: 38, 6: 472}}}}
    point = b"\x09" + struct.pack("<d", 1.5) + b"\x10\xac\x02"
    origin = b"\x20\x01\x28\x26\x30\xd8\x03"
    metadata = b"\x0a" + bytes([len(origin)]) + origin
    series = b"\x12\x01m\x1a\x03a:1\x22" + bytes([len(point)]) + point + b"\x28\x03\x40\x0a"
    series += b"\x4a" + bytes([len(metadata)]) + metadata
    body = b"\x0a" + bytes([len(series)]) + series
    (read,) = decode_metrics.series(body, "")
    assert read.key == PointKey("m", "gauge", ("a:1",), 300)
    assert (read.value, read.interval, read.origin) == (1.5, 10, (1, 38, 472))


def test_a_sketch_encoded_by_hand_is_read() -> None:
    # SketchPayload{1: Sketch{1: "d", 7: Dogsketch{1: 300, 2: 3, 3..6: doubles, 7: k, 8: n}}}
    summary = b"".join(
        bytes([number << 3 | 1]) + struct.pack("<d", value)
        for number, value in ((3, -1.0), (4, 1.0), (5, 1 / 3), (6, 1.0))
    )
    keys = b"\xf3\x14\xf4\x14"  # -1338 and 1338
    dogsketch = b"\x08\xac\x02\x10\x03" + summary + b"\x3a\x04" + keys + b"\x42\x02\x01\x02"
    sketch = b"\x0a\x01d\x3a" + bytes([len(dogsketch)]) + dogsketch
    (read,) = decode_metrics.sketches(b"\x0a" + bytes([len(sketch)]) + sketch, "")
    assert read.key == PointKey("d", "distribution", (), 300)
    assert (read.samples, read.bins, read.extremes) == (3, {-1338: 1, 1338: 2}, (-1.0, 1.0))


def test_series_as_json_are_read() -> None:
    origin = {"origin_product": 1, "origin_sub_product": 38, "origin_product_detail": 472}
    series = {
        "metric": "m",
        "type": 1,
        "points": [{"timestamp": 5, "value": 3}],
        "tags": ["b", "a"],
        "interval": 10,
        "metadata": {"origin": origin},
    }
    (read,) = decode_metrics.series(json.dumps({"series": [series]}).encode(), "", "application/json")
    assert read.key == PointKey("m", "count", ("a", "b"), 5)
    assert (read.value, read.interval, read.origin) == (3, 10, (1, 38, 472))


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (lambda: series_body(kind=7), "no type"),
        (lambda: series_body(value=float("nan")), "no value"),
        (lambda: series_body(metric="1st"), "no name"),
        (lambda: series_body(metric="a b"), "in it"),
        (lambda: series_body(metric="m" * 201), "no name"),
        (lambda: b"x" * 600_000, "more than"),
        (lambda: zstandard.compress(b"\x00" * 6_000_000), "more than"),
    ],
)
def test_series_that_an_intake_refuses_are_value_errors(body: Callable[[], bytes], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        decode_metrics.series(body())


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (lambda: sketch_body(k=(1,)), "1 keys and 2 counts"),
        (lambda: sketch_body(k=(3, 1)), "ascend"),
        (lambda: sketch_body(cnt=4), "count of 4"),
        (lambda: sketch_body(k=(), n=()), "count of 0"),
        (lambda: sketch_body(sum=float("inf")), "no number"),
        (lambda: sketch_body(min=2), "least sample"),
    ],
)
def test_sketches_without_sense_are_value_errors(body: Callable[[], bytes], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        decode_metrics.sketches(body())


@pytest.mark.parametrize(
    ("entries", "wrong"),
    [
        ([], "list of 1 to"),
        ([entry("x")] * 1001, "list of 1 to"),
        ([entry("x" * 1_000_000)], "larger"),
        ([entry("x", more=1)], "members"),
        ([{**entry("x"), "message": "x"}], "message of a log entry"),
    ],
)
def test_logs_that_an_intake_refuses_are_value_errors(entries: list[Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        decode_logs.log_entries(logs_body(*entries))


def test_events_of_both_paths_are_made_the_same() -> None:
    plain = json.dumps({"title": "t", "text": "x", "alert_type": "error", "tags": ["a:1"]}).encode()
    agent = {"events": {"api": [{"msg_title": "t", "msg_text": "x", "alert_type": "error", "tags": ["a:1"]}]}}
    (one,) = decode_events.events(plain)
    (other,) = decode_events.events(json.dumps(agent).encode())
    assert other == {**one, "source_type_name": "api"}


@pytest.mark.parametrize("change", [{"text": None}, {"alert_type": "bad"}, {"priority": "p"}, {"tags": "a"}])
def test_events_without_sense_are_value_errors(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is no|has a|are a"):
        decode_events.events(json.dumps({"title": "t", "text": "x", **change}).encode())


@pytest.mark.parametrize(
    "change", [{"check": ""}, {"status": 4}, {"status": True}, {"tags": [1]}, {"timestamp": 1.5}]
)
def test_checks_without_sense_are_value_errors(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is no|has a|are a|whole"):
        decode_events.checks(json.dumps([{"check": "c", "status": 0, **change}]).encode())


# -- The intake


@pytest.fixture(scope="module")
def shared() -> Iterator[Intake]:
    with Intake() as intake:
        yield intake


def post(
    intake: Intake, path: str, body: bytes, headers: dict[str, str], session: requests.Session | None = None
) -> int:
    sender = session or requests.Session()
    answer = sender.post(f"{intake.url}{path}", body, headers=headers, verify=intake.ca_file, timeout=10)
    return answer.status_code


def test_lines_are_counted_by_request_and_text() -> None:
    script = Script(answers=(Answer(503), Answer(delay=0.3)))
    with Intake(script) as intake, requests.Session() as session:
        body = logs_body(entry("a\n"), entry("a", "r2"), entry("b"), entry("b"), entry("c", None))
        assert post(intake, "/api/v2/logs", body, ZSTD, session) == 503
        assert intake.lines() == {}
        post(intake, "/api/v2/logs", logs_body(entry("late")), ZSTD, session)
        post(intake, "/api/v2/logs", body, ZSTD, session)
        late = {Line("r1", "late"): 1}
        assert intake.lines_unanswered() == late
        assert intake.lines() == {
            **late,
            Line("r1", "a"): 1,
            Line("r2", "a"): 1,
            Line("r1", "b"): 2,
            Line("", "c"): 1,
        }
        assert [each["items"] for each in intake.requests()] == [5, 1, 5]


def test_points_are_counted_by_their_identity(shared: Intake) -> None:
    for body in (series_body("b", "a"), series_body("a", "b", value=3.0), series_body("a", "b", kind=3)):
        post(shared, "/api/v2/series", body, PROTOBUF)
    post(shared, "/api/beta/sketches", sketch_body(), PROTOBUF)
    tags = ("a", "b")
    assert shared.points() == {
        PointKey("cart.items", "count", tags, 1000): 2,
        PointKey("cart.items", "gauge", tags, 1000): 1,
        PointKey("cart.time", "distribution", ("a:1", "b:2"), 1000): 1,
    }
    assert shared.points_unanswered() == {}
    points = shared.all_points()
    assert sum(each.value for each in points if each.key.type == "count") == 5
    (sketch,) = (each for each in points if each.key.type == "distribution")
    assert (sketch.samples, sketch.bins, sketch.extremes) == (3, {-5: 1, 1338: 2}, (-1, 1))


def test_events_and_checks_are_listed(shared: Intake) -> None:
    event = {"title": "t", "text": "x"}
    check = {"check": "c", "status": 2, "host_name": ""}
    post(shared, "/api/v1/events?api_key=x", json.dumps(event).encode(), {})
    post(shared, "/api/v1/check_run", json.dumps([check]).encode(), {})
    assert shared.events() == [event]
    assert shared.checks() == [check]


@pytest.mark.parametrize(
    "path", ["/api/v2/logs", "/api/v2/series", "/api/beta/sketches", "/api/v1/check_run"]
)
def test_a_body_that_cant_be_read_is_told_by_its_path(path: str) -> None:
    with Intake() as intake:
        post(intake, path, b"\xff", PROTOBUF)
        with pytest.raises(IntakeError, match=path):
            intake.points()
