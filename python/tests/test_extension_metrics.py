"""Metrics of the executable, end to end: what a function sends to DogStatsD arrives once."""

from __future__ import annotations

import collections
import json
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from thaw.lab.emulator import Lambda, Settings
from thaw.lab.intake import Answer, Intake, Point, Script

from . import emulated
from .conftest import BeginIntake
from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension

# Sends the datagrams that the event has.
_FUNCTION = """
import socket
for request_id, event, _ in invocations():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in event["datagrams"]:
            sender.sendto(datagram.encode(), ("127.0.0.1", 8125))
    respond(request_id, "done")
"""


@dataclass
class Delivered:
    """The points that arrived at the intake, and the counts that the extension logged last."""

    points: list[Point] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)

    def of(self, metric: str) -> list[Point]:
        return [point for point in self.points if point.key.metric == metric]

    def total(self, metric: str) -> float:
        return sum(point.value for point in self.of(metric))


@pytest.fixture
def intake(begin_intake: BeginIntake) -> Intake:
    return begin_intake(None)


async def deliver(
    folder: pathlib.Path,
    intake: Intake,
    invocations: list[list[str]],
    between: Callable[[], None] = lambda: None,
    **variables: str,
) -> Delivered:
    """Runs an invocation for each list of datagrams, with `between` after the first one."""
    delivered = Delivered()
    environment = {
        **intake.agent_variables,
        "DD_SERVERLESS_FLUSH_STRATEGY": "end",
        "DD_LOG_LEVEL": "debug",
        "DD_TAGS": "team:web",
        **variables,
    }

    def log(stream: str, line: str) -> None:
        _, _, text = line.partition("THAW | DEBUG | ")
        if stream == "extension" and text.startswith("{"):
            delivered.counts = json.loads(text)

    settings = Settings(environment=environment, timeout=20.0)
    command = emulated.runtime(folder, _FUNCTION)
    async with Lambda(command, extension=EXTENSION, settings=settings, on_log=log) as sandbox:
        for number, datagrams in enumerate(invocations):
            assert (await sandbox.invoke({"datagrams": datagrams})).status == "success"
            if number == 0:
                between()
        await sandbox.shutdown("spindown")
    intake.points()  # raises for requests that can't be decoded
    delivered.points, delivered.events, delivered.checks = (
        intake.all_points(),
        intake.events(),
        intake.checks(),
    )
    return delivered


async def test_each_point_arrives_once(tmp_path: pathlib.Path, intake: Intake) -> None:
    datagrams = [f"sold:2|c|#n:{n}\nload:{n}|g|#n:{n}\nwait:{n}|d|#n:{n}" for n in range(100)]
    delivered = await deliver(tmp_path, intake, [datagrams, datagrams])
    assert delivered.total("sold") == 400
    assert sum(point.samples for point in delivered.of("wait")) == 200
    assert {point.key.type for point in delivered.of("sold")} == {"count"}
    assert {point.key.type for point in delivered.of("wait")} == {"distribution"}
    for number in range(100):
        gauges = [point for point in delivered.of("load") if f"n:{number}" in point.key.tags]
        assert {point.value for point in gauges} == {number}
    assert all("team:web" in point.key.tags for point in delivered.of("sold"))
    assert delivered.counts["dogstatsd"]["dropped"] == 0
    assert delivered.counts["dogstatsd"]["samples"] == 600


async def test_rates_packed_values_and_sets_are_understood(tmp_path: pathlib.Path, intake: Intake) -> None:
    lines = ["sold:1:2|c|@0.5", "wait:1:2:3|d|@0.5", "users:ann|s\nusers:bob|s\nusers:ann|s", "bad:x|c"]
    delivered = await deliver(tmp_path, intake, [lines])
    assert delivered.total("sold") == 6
    assert sum(point.samples for point in delivered.of("wait")) == 6
    assert sum(point.value for point in delivered.of("users")) == 2
    assert delivered.counts["dogstatsd"]["refused_value"] == 1


async def test_events_and_service_checks_arrive(tmp_path: pathlib.Path, intake: Intake) -> None:
    delivered = await deliver(
        tmp_path, intake, [["_e{8,9}:deployed|version 7|t:success|#kind:a\n_sc|db|2|m:down|#kind:b"]]
    )
    (event,) = delivered.events
    assert (event["title"], event["text"], event["alert_type"]) == ("deployed", "version 7", "success")
    assert {"kind:a", "team:web"} <= set(event["tags"])
    (check,) = delivered.checks
    assert (check["check"], check["status"], check["message"]) == ("db", 2, "down")
    assert {"kind:b", "team:web"} <= set(check["tags"])


async def test_points_refused_for_now_arrive_later_once(tmp_path: pathlib.Path, intake: Intake) -> None:
    intake.script(Script(answer=Answer(status=503)))
    lines = [f"sold:1|c|#n:{n}" for n in range(20)]
    delivered = await deliver(tmp_path, intake, [lines, []], between=lambda: intake.script(Script()))
    times = collections.Counter(
        tag for point in delivered.of("sold") for tag in point.key.tags if tag.startswith("n:")
    )
    assert times == {f"n:{n}": 1 for n in range(20)}


async def test_a_function_without_metrics_makes_no_request_for_them(
    tmp_path: pathlib.Path, intake: Intake
) -> None:
    delivered = await deliver(tmp_path, intake, [[]])
    assert delivered.points == []
    assert not any("/api/v2/series" in each["target"] for each in intake.requests())
