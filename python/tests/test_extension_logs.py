"""Logs of the executable, end to end: what a function writes arrives once, with its request."""

from __future__ import annotations

import collections
import json
import pathlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from thaw.lab.emulator import Lambda, Settings
from thaw.lab.intake import Answer, Intake, Script

from . import emulated
from .conftest import BeginIntake
from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension

# Writes `lines` lines and what else the event says.
_FUNCTION = """
print("loading", flush=True)
for request_id, event, _ in invocations():
    for number in range(event.get("lines", 0)):
        print(f"{event['name']} line {number}", event.get("filler", ""))
        if number % 200 == 199:
            sys.stdout.flush()
            time.sleep(0.03)  # Lambda drops what comes faster than it can deliver
    for text in event.get("texts", []):
        print(text)
    sys.stdout.flush()
    time.sleep(event.get("work", 0.05))
    respond(request_id, "done")
"""


class Running:
    """A Lambda with the extension, and its intake.

    Attributes:
      written: the lines of the extension itself.
    """

    sandbox: Lambda

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.written: list[str] = []
        self._entries: list[dict[str, Any]] | None = None

    async def invoke(self, name: str, **event: Any) -> str:
        """Returns the request's id."""
        invocation = await self.sandbox.invoke({"name": name, **event})
        assert invocation.status == "success"
        return invocation.request_id

    def entries(self) -> list[dict[str, Any]]:
        """The entries that have arrived; after the shutdown, all of them."""
        if self._entries is not None:
            return self._entries
        self.intake.spans()  # raises for requests that can't be decoded
        return self.intake.logs()

    def keep_entries(self) -> None:
        self._entries = self.entries()

    def texts(self) -> list[str]:
        return [entry["message"]["message"].rstrip("\n") for entry in self.entries()]

    def by_request(self) -> dict[str | None, list[str]]:
        lines = collections.defaultdict(list)
        for entry in self.entries():
            message = entry["message"]
            lines[message["lambda"]["request_id"]].append(message["message"].rstrip("\n"))
        return lines

    def debug(self) -> dict[str, Any]:
        """The counts that the extension logs last, at level debug."""
        lines = [line for line in self.written if "| DEBUG | {" in line]
        return dict(json.loads(lines[-1].split("| DEBUG | ", 1)[1]))


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start(tmp_path: pathlib.Path, begin_intake: BeginIntake) -> Start:
    @asynccontextmanager
    async def start(
        function: str = _FUNCTION, *, script: Script | None = None, log_format: str = "Text", **variables: str
    ) -> AsyncIterator[Running]:
        intake = begin_intake(script)
        running = Running(intake)
        environment = {
            **intake.agent_variables,
            "DD_SERVERLESS_LOGS_ENABLED": "true",
            "DD_SERVERLESS_FLUSH_STRATEGY": "end",
            "DD_SERVICE": "Shop",
            "DD_TAGS": "team:web",
            **variables,
        }
        settings = Settings(environment=environment, log_format=log_format, timeout=20.0)

        def log(stream: str, line: str) -> None:
            if stream == "extension":
                running.written.append(line)

        command = emulated.runtime(tmp_path, function)
        async with Lambda(command, extension=EXTENSION, settings=settings, on_log=log) as sandbox:
            running.sandbox = sandbox
            yield running
            await sandbox.shutdown("spindown")
        running.keep_entries()

    return start


async def test_each_line_arrives_once_with_its_request(start: Start) -> None:
    async with start() as running:
        ids = [await running.invoke(f"i{number}", lines=20) for number in range(3)]
    lines = running.by_request()
    for number, request_id in enumerate(ids):
        of_request = lines[request_id]
        assert [line for line in of_request if line.startswith(f"i{number} ")] == [
            f"i{number} line {each} " for each in range(20)
        ]
        for kind in ("START", "END", "REPORT"):
            assert sum(line.startswith(f"{kind} RequestId: {request_id}") for line in of_request) == 1
    assert "loading" in lines[ids[0]], "a line of the start goes to the first invocation"
    assert None not in lines
    assert "" not in lines
    entry = running.entries()[-1]
    assert entry["ddsource"] == "lambda"
    assert entry["service"] == "shop"
    assert "team:web" in entry["ddtags"].split(",")
    assert entry["hostname"] == entry["message"]["lambda"]["arn"]


async def test_ten_thousand_lines_of_an_invocation_arrive_once(start: Start) -> None:
    async with start(DD_LOG_LEVEL="debug") as running:
        await running.invoke("many", lines=10_000, filler="x" * 60)
        await running.invoke("after")
        counts = running.debug()
    times = collections.Counter(text.split(" x")[0] for text in running.texts() if text.startswith("many "))
    assert set(times.values()) == {1}
    # On a busy machine the emulator drops some before delivery, as Lambda does, and says so.
    lost_before = counts["telemetry"]["platform_dropped_records"]
    assert len(times) + lost_before >= 10_000
    assert len(times) > 5_000
    for reason in ("flooded", "turned_away", "cut", "without_text"):
        assert counts["logs"][reason] == 0


async def test_without_logs_lambda_is_not_asked_for_lines(start: Start) -> None:
    async with start(DD_SERVERLESS_LOGS_ENABLED="false", DD_LOG_LEVEL="debug") as running:
        await running.invoke("quiet", lines=10)
        counts = running.debug()
    assert running.entries() == []
    assert "logs" not in counts
    assert counts["telemetry"]["records"] < 10


async def test_rules_mask_and_leave_out(start: Start) -> None:
    rules = [
        {"type": "exclude_at_match", "name": "no starts", "pattern": "^START"},
        {"type": "mask_sequences", "name": "cards", "pattern": r"\d{16}", "replace_placeholder": "[card]"},
    ]
    async with start(DD_LOGS_CONFIG_PROCESSING_RULES=json.dumps(rules)) as running:
        await running.invoke("masked", texts=["card 1234567812345678 paid"])
    texts = running.texts()
    assert "card [card] paid" in texts
    assert not any(text.startswith("START") for text in texts)
    assert not any("1234567812345678" in text for text in texts)


async def test_a_masking_rule_that_cant_be_used_fails_closed(start: Start) -> None:
    rules = [{"type": "mask_sequences", "name": "cards", "pattern": "(?=x)"}]
    async with start(DD_LOGS_CONFIG_PROCESSING_RULES=json.dumps(rules)) as running:
        await running.invoke("closed", texts=["card 1234567812345678"])
        await running.invoke("closed", texts=["card 1234567812345678"])
    assert not any("card" in text for text in running.texts())
    assert any(text.startswith("END") for text in running.texts())
    errors = [line for line in running.written if "| ERROR |" in line]
    assert len(errors) == 1
    assert 'log processing rule "cards" can\'t be used' in errors[0]


async def test_own_lines_never_return_in_a_loop(start: Start) -> None:
    async with start(DD_LOG_LEVEL="trace") as running:
        for _ in range(5):
            await running.invoke("calm", lines=1)
        counts = running.debug()
    assert not any("THAW |" in text for text in running.texts())
    assert counts["logs"]["own_lines"] > 0
    own = [line for line in running.written if line.startswith("THAW |")]
    assert len(own) < 40, "a few lines for each flush"


async def test_a_dead_logs_intake_never_delays_traces(start: Start) -> None:
    async with start(DD_LOGS_CONFIG_LOGS_DD_URL="http://127.0.0.1:9", DD_LOG_LEVEL="debug") as running:
        for number in range(3):
            began = time.monotonic()
            await running.invoke(f"i{number}", lines=3)
            assert time.monotonic() - began < 5
        assert running.debug()["flush"]["pipelines"]["logs"]["kept"] > 0


async def test_lines_refused_for_now_arrive_later_once(start: Start) -> None:
    refusing = Script(answer=Answer(status=503))
    async with start(script=refusing) as running:
        await running.invoke("early", lines=5)
        running.intake.script(Script())
        await running.invoke("late", lines=5)
    times = collections.Counter(running.texts())
    assert all(times[f"{name} line {each} "] == 1 for name in ("early", "late") for each in range(5))


async def test_lines_of_any_content_arrive(start: Start) -> None:
    texts = [
        'tab\tquote" backslash\\',
        "\u00e9\u20ac\U0001f600",
        '{"level":"error","ddtags":"own:tag","n":1}',
        "x" * 300_000,
    ]
    async with start() as running:
        await running.invoke("odd", texts=texts)
        await running.invoke("next")
    got = running.texts()
    assert texts[0] in got
    assert texts[1] in got
    assert '{"level":"error","n":1}' in got
    (entry,) = (e for e in running.entries() if e["message"]["message"].startswith('{"level"'))
    assert entry["message"]["status"] == "error"
    assert entry["ddtags"].endswith(",own:tag")
    assert sum(text.count("x") for text in got if text.startswith("xxx")) >= 200_000
