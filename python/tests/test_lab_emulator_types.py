"""The initialization types besides on-demand: what is early, what is restored, what runs at once."""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from thaw.lab.emulator import Lambda, SandboxFailure, Settings, State

from .emulated import SUBSCRIBER, Listener, extension, runtime

SNAPSHOT = """
token = os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
call("GET", "/restore/next")
begun = time.monotonic()
def credentials(authorization):
    path = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"].removeprefix(f"http://{API}")
    connection = http.client.HTTPConnection(API)
    connection.request("GET", path, headers={"Authorization": authorization})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
got = credentials("wrong")[0], credentials(token)
for request_id, event, headers in invocations():
    respond(request_id, {"credentials": got, "key": "AWS_ACCESS_KEY_ID" in os.environ})
"""


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener() as made:
        yield made


@pytest.fixture
def make(tmp_path: pathlib.Path, listener: Listener) -> Callable[..., Lambda]:
    def make(initialization_type: str, function: list[str], *, events: str = "", **settings: Any) -> Lambda:
        environment = {"SUBSCRIBE": listener.subscription(schemaVersion="2025-01-29")}
        if events:
            environment["EVENTS"] = events
        made: dict[str, Any] = {"timeout": 10.0, **settings}
        return Lambda(
            function,
            extension=extension(tmp_path, "ext", SUBSCRIBER),
            settings=Settings(initialization_type=initialization_type, environment=environment, **made),  # type: ignore[arg-type]
        )

    return make


async def test_provisioned_concurrency(
    make: Callable[..., Lambda], tmp_path: pathlib.Path, listener: Listener
) -> None:
    async with make("provisioned-concurrency", runtime(tmp_path)) as sandbox:
        assert sandbox.state is State.FROZEN
        assert len(sandbox.startups) == 1
        await asyncio.sleep(0.05)
        first = (await sandbox.invoke()).report
        second = (await sandbox.invoke()).report
        assert first is not None
        assert second is not None
        assert (first.init_ms is None, second.init_ms is None) == (False, True)
        assert first.billed_ms - first.duration_ms < 1  # the initialization is paid otherwise
        assert first.frozen_before_ms >= 50
    assert listener.of("platform.initStart")[0]["initializationType"] == "provisioned-concurrency"


async def test_snap_start(make: Callable[..., Lambda], tmp_path: pathlib.Path, listener: Listener) -> None:
    async with make("snap-start", runtime(tmp_path, SNAPSHOT)) as sandbox:
        assert sandbox.state is State.FROZEN
        assert "platform.restoreStart" not in listener.kinds
        invocation = await sandbox.invoke()
        answer = invocation.json()
        refused, (status, credentials) = answer["credentials"]
        assert (refused, status, answer["key"]) == (403, 200, False)
        assert set(credentials) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
        report = invocation.report
        assert report is not None
        assert report.init_ms is None
        assert report.restore_ms is not None
        assert report.billed_ms - (report.duration_ms + report.restore_ms) < 1 + 1e-6
        second = (await sandbox.invoke()).report
        assert second is not None
        assert second.restore_ms is None
    kinds = listener.kinds
    order = [
        "platform.initReport",
        "platform.restoreStart",
        "platform.restoreRuntimeDone",
        "platform.restoreReport",
        "platform.start",
    ]
    assert [kind for kind in kinds if kind in order][:5] == order
    assert listener.of("platform.restoreReport")[0]["status"] == "success"
    assert "restoreDurationMs" in listener.of("platform.report")[0]["metrics"]


async def test_a_restore_that_fails(
    make: Callable[..., Lambda], tmp_path: pathlib.Path, listener: Listener
) -> None:
    function = """
    call("GET", "/restore/next")
    call("POST", "/restore/error", {"Lambda-Runtime-Function-Error-Type": "Runtime.AfterRestoreError"}, "{}")
    sys.exit(1)
    """
    async with make("snap-start", runtime(tmp_path, function)) as sandbox:
        failed = await sandbox.invoke()
        assert (failed.status, failed.error_type) == ("failure", "Runtime.AfterRestoreError")
        assert sandbox.shutdowns[0].reason == "failure"
    assert listener.of("platform.restoreReport")[0]["errorType"] == "Runtime.AfterRestoreError"


async def test_snap_start_with_the_real_runtime(make: Callable[..., Lambda], tmp_path: pathlib.Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): return context.aws_request_id\n")
    command = [sys.executable, "-m", "awslambdaric", "app.handler"]
    async with make("snap-start", command, folder=tmp_path) as sandbox:
        for _ in range(2):
            invocation = await sandbox.invoke()
            assert invocation.json() == invocation.request_id


async def test_managed_instances(
    make: Callable[..., Lambda], tmp_path: pathlib.Path, listener: Listener
) -> None:
    (tmp_path / "app.py").write_text(
        "import os, time\n"
        "def handler(event, context):\n"
        "    time.sleep(0.2)\n"
        "    return [os.getpid(), context.aws_request_id, event]\n"
    )
    command = [sys.executable, "-m", "awslambdaric", "app.handler"]
    managed = make(
        "lambda-managed-instances", command, events='["SHUTDOWN"]', folder=tmp_path, max_concurrency=4
    )
    async with managed as sandbox:
        await sandbox.invoke("warm")
        made = await asyncio.gather(*(sandbox.invoke(n) for n in range(12)))
        assert [each.json()[1:] for each in made] == [[each.request_id, n] for n, each in enumerate(made)]
        assert len({each.json()[0] for each in made}) > 1  # several workers
        at_once = max(
            sum(other.times.begin_ns <= each.times.begin_ns < other.times.end_ns for other in made)
            for each in made
        )
        assert 1 < at_once <= 4
        await listener.until(lambda: len(listener.of("platform.report")) == 13)
        assert sandbox.freeze_log == []
    assert "platform.runtimeDone" not in listener.kinds
    assert {record["requestId"] for record in listener.of("platform.report")} >= {
        each.request_id for each in made
    }
    for record in listener.of("platform.report"):
        assert set(record["metrics"]) == {"durationMs"}
        assert [span["name"] for span in record["spans"]] == ["responseLatency", "responseDuration"]
    assert sandbox.shutdowns[0].extensions[0].exit_code == 0


async def test_managed_instances_when_the_runtime_is_gone(
    make: Callable[..., Lambda], tmp_path: pathlib.Path
) -> None:
    function = """
    def work():
        connection = http.client.HTTPConnection(API)
        while True:
            _, headers, body = call("GET", "/invocation/next", connection=connection)
            if json.loads(body) == "exit":
                os._exit(2)
            time.sleep(0.3)
            request_id = headers["Lambda-Runtime-Aws-Request-Id"]
            call("POST", f"/invocation/{request_id}/response", {}, body, connection=connection)
    for _ in range(4):
        threading.Thread(target=work).start()
    """
    async with make(
        "lambda-managed-instances", runtime(tmp_path, function), events='["SHUTDOWN"]'
    ) as sandbox:
        made = await asyncio.gather(*(sandbox.invoke(each) for each in (1, 2, "exit", 3)))
        assert {each.error_type for each in made} == {"Runtime.ExitError"}
        assert (await sandbox.invoke("again")).json() == "again"


async def test_an_early_initialization_that_fails(
    make: Callable[..., Lambda], tmp_path: pathlib.Path
) -> None:
    with pytest.raises(SandboxFailure, match=r"Runtime\.ExitError"):
        async with make("provisioned-concurrency", runtime(tmp_path, "sys.exit(1)")):
            pass


async def test_an_environment_that_was_not_needed(
    make: Callable[..., Lambda], tmp_path: pathlib.Path
) -> None:
    """SHUTDOWN is the first event."""
    async with make("provisioned-concurrency", runtime(tmp_path)) as sandbox:
        ended = await sandbox.shutdown()
        assert ended is not None
        assert ended.extensions[0].exit_code == 0
        assert json.dumps([each.name for each in ended.extensions]) == '["ext"]'
