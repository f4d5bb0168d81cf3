"""Environments from their initialization to their end: the control extension of the documentation, and
extensions and runtimes that misbehave.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import pathlib
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from thaw.lab.emulator import EmulatorError, Lambda, SandboxFailure, Settings, State, functions
from thaw.lab.emulator.processes import Launcher, Process

from . import polling
from .emulated import extension, runtime

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "emulator.md"

GOOD = """
for event in loop(register()):
    pass
"""


@pytest.fixture
def control(tmp_path: pathlib.Path) -> pathlib.Path:
    """The documentation's extension."""
    (program,) = re.findall(r"```python\n#!/usr/bin/env python3\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    path = tmp_path / "control"
    path.write_text(f"#!{sys.executable}\n{program}")
    path.chmod(0o755)
    return path


@pytest.fixture
def log() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def make(tmp_path: pathlib.Path, log: list[tuple[str, str]]) -> Callable[..., Lambda]:
    """A Lambda with an extension of that program, and a runtime, which echoes if not said otherwise."""

    def make(program: str | None = GOOD, function: str | None = None, **settings: Any) -> Lambda:
        return Lambda(
            runtime(tmp_path) if function is None else runtime(tmp_path, function),
            extension=[] if program is None else extension(tmp_path, "ext", program),
            settings=Settings(**{"timeout": 5.0, **settings}),
            on_log=lambda source, line: log.append((source, line)),
        )

    return make


def lines(log: list[tuple[str, str]], source: str) -> list[str]:
    return [line for each, line in log if each == source]


async def test_the_control_extension(
    control: pathlib.Path, tmp_path: pathlib.Path, log: list[tuple[str, str]]
) -> None:
    async with Lambda(
        runtime(tmp_path), extension=control, on_log=lambda source, line: log.append((source, line))
    ) as sandbox:
        made = [await sandbox.invoke({"n": n}) for n in range(3)]
        assert [each.json() for each in made] == [{"n": n} for n in range(3)]
        assert {each.status for each in made} == {"success"}
        assert sandbox.state is State.FROZEN
        assert len(sandbox.freeze_log) == 2  # the third goes on
        first, second, _ = made
        for each in made:
            times = each.times
            assert times.begin_ns < times.answered_ns < times.runtime_next_ns <= times.end_ns
            assert times.begin_ns < times.extensions_next_ns["control"] <= times.end_ns
        freeze = sandbox.freeze_log[0]
        assert first.times.end_ns < freeze.begin_ns < freeze.frozen_ns < freeze.resume_ns
        assert freeze.resume_ns < second.times.begin_ns
        (startup,) = sandbox.startups
        assert startup.exec_ns < startup.first_next_ns < first.times.begin_ns
        assert startup.usage is not None
        assert startup.usage.resident_bytes > 1 << 20
        # Processor time before the exec is not counted as the program's.
        process = sandbox.current.process("control")
        assert process.cpu_before_ns > 0
        all_ns = int(pathlib.Path(f"/proc/{process.pid}/schedstat").read_text().split()[0])
        assert 0 < startup.usage.cpu_ns <= all_ns - process.cpu_before_ns
        ended = await sandbox.shutdown("spindown")
        assert ended is not None
        (end,) = ended.extensions
        assert (end.name, end.exit_code, end.killed) == ("control", 0, False)
        assert 0 < end.told_ns < end.exit_ns
        assert sandbox.state is State.GONE
    said = [f"invocation {each.request_id}" for each in made]
    assert lines(log, "extension") == [*said, "the end: spindown"]
    platform = [line.split("\t")[0] for line in lines(log, "platform")]
    assert platform[1:4] == [
        f"START RequestId: {first.request_id} Version: $LATEST",
        f"END RequestId: {first.request_id}",
        f"REPORT RequestId: {first.request_id}",
    ]


async def test_an_extension_that_is_faster_than_the_word_of_its_start(
    make: Callable[..., Lambda], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Launcher.start
    sandbox = make()

    async def heard_of_late(self: Launcher, name: str, *arguments: Any, **more: Any) -> Process:
        process = await start(self, name, *arguments, **more)
        if name == "ext":

            def asked_for_an_event() -> bool:
                each = sandbox.current.extensions.find(name)
                return each is not None and bool(each.first_next_ns)

            await polling.until(asked_for_an_event)
        return process

    monkeypatch.setattr(Launcher, "start", heard_of_late)
    async with sandbox:
        await sandbox.initialize()
        (startup,) = sandbox.startups
        assert startup.exec_ns < startup.first_next_ns
        assert startup.usage is not None


async def test_reported_and_billed_times(make: Callable[..., Lambda]) -> None:
    program = """
    for event in loop(register()):
        time.sleep(0.05)
    """
    async with make(program) as sandbox:
        first = (await sandbox.invoke()).report
        await asyncio.sleep(0.05)
        second = (await sandbox.invoke()).report
    assert first is not None
    assert second is not None
    assert first.init_ms is not None
    assert second.init_ms is None
    assert first.billed_ms - (first.init_ms + first.duration_ms) < 1 + 1e-6
    assert second.billed_ms - second.duration_ms < 1
    for report in (first, second):
        assert report.post_runtime_ms > 30  # the extension's 50, less what the function took
        assert report.duration_ms == pytest.approx(report.runtime_ms + report.post_runtime_ms, abs=0.01)
        assert report.max_memory_mb > 5
    assert second.frozen_before_ms > 45


async def test_the_caller_has_its_response_before_the_extension_is_done(
    make: Callable[..., Lambda], tmp_path: pathlib.Path
) -> None:
    go = tmp_path / "go"
    program = f"""
    for event in loop(register()):
        while not os.path.exists({str(go)!r}):
            time.sleep(0.001)
    """
    async with make(program) as sandbox:
        invocation = sandbox.prepare({"a": 1})
        running = asyncio.create_task(sandbox.run(invocation))
        await invocation.answered.wait()
        assert invocation.json() == {"a": 1}
        assert not running.done()
        go.touch()
        await running


async def test_events_as_they_come(make: Callable[..., Lambda], log: list[tuple[str, str]]) -> None:
    program = """
    for event in loop(register()):
        print(json.dumps(event), flush=True)
    """
    async with make(program) as sandbox:
        with_header = await sandbox.invoke(trace_header="Root=1-0-0;Parent=0;Sampled=1", qualifier="live")
        without = await sandbox.invoke(trace_header="")
    invoke, second, shutdown = (json.loads(line) for line in lines(log, "extension"))
    assert invoke == {
        "eventType": "INVOKE",
        "deadlineMs": with_header.deadline_ms,
        "requestId": with_header.request_id,
        "invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:function:live",
        "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-0-0;Parent=0;Sampled=1"},
    }
    assert "tracing" not in second
    assert second["requestId"] == without.request_id
    assert shutdown["shutdownReason"] == "spindown"
    assert 0 < shutdown["deadlineMs"] - time.time() * 1000 < 2000


async def test_variables(make: Callable[..., Lambda], log: list[tuple[str, str]]) -> None:
    show = "print(json.dumps(dict(os.environ)), flush=True)\n"
    function = show + "for request_id, event, headers in invocations(): respond(request_id, None)"
    settings = {"name": "orders", "memory_mb": 256, "environment": {"COLOUR": "blue"}, "region": "eu-west-1"}
    async with make(show + GOOD, function, **settings) as sandbox:
        await sandbox.invoke()
        address = sandbox.address
    (of_extension, _), (of_function,) = lines(log, "extension"), lines(log, "function")
    extensions, functions_ = json.loads(of_extension), json.loads(of_function)
    expected = {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "eu-west-1",
        "COLOUR": "blue",
    }
    assert expected.items() <= extensions.items()
    assert expected.items() <= functions_.items()
    assert {"_HANDLER", "AWS_EXECUTION_ENV"} & set(extensions) == set()
    assert functions_["_HANDLER"] == "handler.handler"


# -- Errors of the function


async def test_a_handler_that_fails(make: Callable[..., Lambda]) -> None:
    function = """
    for request_id, event, headers in invocations():
        body = json.dumps({"errorType": "KeyError", "errorMessage": "no"})
        call("POST", f"/invocation/{request_id}/error", {}, body)
    """
    async with make(GOOD, function) as sandbox:
        invocation = await sandbox.invoke()
        assert (invocation.status, invocation.function_error) == ("error", "Unhandled")
        assert (invocation.error_type, invocation.json()["errorMessage"]) == ("KeyError", "no")
        assert sandbox.state is State.FROZEN  # the environment stays


async def test_a_runtime_that_exits(make: Callable[..., Lambda], log: list[tuple[str, str]]) -> None:
    function = """
    for request_id, event, headers in invocations():
        if event.get("exit"):
            sys.exit(3)
        respond(request_id, os.getpid())
    """
    async with make(GOOD, function) as sandbox:
        before = (await sandbox.invoke()).json()
        failed = await sandbox.invoke({"exit": True})
        assert (failed.status, failed.error_type) == ("failure", "Runtime.ExitError")
        assert failed.json()["errorMessage"].endswith("Runtime exited with error: exit status 3")
        assert sandbox.shutdowns[-1].reason == "failure"
        after = await sandbox.invoke()
        assert after.json() != before
        # Initialized again, within the invocation.
        assert after.report is not None
        assert after.report.init_ms is None
        assert after.report.duration_ms > 20
    assert json.loads(lines(log, "extension")[0])["shutdownReason"] == "failure"


@pytest.mark.alone
async def test_timeout(make: Callable[..., Lambda], log: list[tuple[str, str]]) -> None:
    function = """
    for request_id, event, headers in invocations():
        time.sleep(60)
    """
    async with make(GOOD, function, timeout=0.3) as sandbox:
        await sandbox.initialize()
        failed = await sandbox.invoke()
        assert (failed.status, failed.error_type) == ("timeout", "Sandbox.Timedout")
        assert failed.json()["errorMessage"].endswith("Task timed out after 0.30 seconds")
        assert failed.report is not None
        assert 300 <= failed.report.duration_ms < 400
        (ended,) = sandbox.shutdowns
        assert ended.reason == "timeout"
        assert not ended.extensions[0].killed
        assert sandbox.state is State.GONE
    assert json.loads(lines(log, "extension")[0])["shutdownReason"] == "timeout"


async def test_an_extension_that_outlives_the_timeout(make: Callable[..., Lambda]) -> None:
    program = """
    for event in loop(register()):
        time.sleep(60)
    """
    async with make(program, timeout=0.3) as sandbox:
        await sandbox.initialize()
        invocation = await sandbox.invoke({"a": 1})
        assert invocation.json() == {"a": 1}  # the caller has it
        assert (invocation.status, invocation.function_error) == ("timeout", None)
        (end,) = sandbox.shutdowns[0].extensions
        assert (end.killed, end.told_ns, end.exit_code) == (True, 0, -signal.SIGKILL)
        assert sandbox.shutdowns[0].took_ms > 1900


async def test_a_runtime_that_fails_to_initialize(make: Callable[..., Lambda]) -> None:
    function = """
    body = json.dumps({"errorType": "Runtime.ImportModuleError", "errorMessage": "no module"})
    call("POST", "/init/error", {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"}, body)
    sys.exit(1)
    """
    async with make(GOOD, function) as sandbox:
        failed = await sandbox.invoke()
        assert (failed.status, failed.error_type) == ("failure", "Runtime.ImportModuleError")
        assert failed.json() == {"errorType": "Runtime.ImportModuleError", "errorMessage": "no module"}
        assert len(sandbox.shutdowns) == 2  # it was tried once more, within the invocation


@pytest.mark.root
async def test_out_of_memory(make: Callable[..., Lambda]) -> None:
    function = """
    for request_id, event, headers in invocations():
        hold = b"x" * (400 << 20)
        respond(request_id, len(hold))
    """
    async with make(GOOD, function, memory_mb=128, limits=frozenset({"memory"})) as sandbox:
        await sandbox.initialize()
        if sandbox.notes:
            pytest.skip("; ".join(sandbox.notes))
        failed = await sandbox.invoke()
        assert (failed.status, failed.error_type) == ("failure", "Runtime.OutOfMemory")
        assert failed.json()["errorType"] == "Runtime.ExitError"
        assert failed.json()["errorMessage"].endswith("signal: killed")
        assert failed.report is not None
        assert 100 <= failed.report.max_memory_mb <= 128


@pytest.mark.alone
@pytest.mark.root
async def test_processor_share(make: Callable[..., Lambda]) -> None:
    function = """
    for request_id, event, headers in invocations():
        begun = time.monotonic()
        while time.process_time() < 0.5:
            pass
        respond(request_id, time.monotonic() - begun)
    """
    settings = {"memory_mb": 177, "limits": frozenset({"cpu"}), "timeout": 60.0, "init_timeout": 60.0}
    async with make(None, function, **settings) as sandbox:
        await sandbox.initialize()
        if sandbox.notes:
            pytest.skip("; ".join(sandbox.notes))
        assert (await sandbox.invoke()).json() > 1.0  # a tenth of a processor: 0.4 s take 4


# -- Extensions that misbehave


async def test_an_extension_that_exits_in_the_initialization(make: Callable[..., Lambda]) -> None:
    async with make("register(); sys.exit(4)") as sandbox:
        failed = await sandbox.invoke()
        assert (failed.status, failed.error_type) == ("failure", "Extension.Crash")
        assert failed.json()["errorMessage"].endswith("ext: exit status 4")
        with pytest.raises(SandboxFailure, match=r"Extension\.Crash"):
            await sandbox.initialize()


async def test_an_extension_that_says_that_it_can_not_start(make: Callable[..., Lambda]) -> None:
    program = """
    me = register()
    call("POST", "/2020-01-01/extension/init/error",
         {**me, "Lambda-Extension-Function-Error-Type": "Extension.NoKey"}, "{}")
    sys.exit(1)
    """
    async with make(program) as sandbox:
        with pytest.raises(SandboxFailure, match=r"Extension\.InitError: ext says Extension\.NoKey"):
            await sandbox.initialize()


async def test_an_extension_that_never_registers(make: Callable[..., Lambda]) -> None:
    async with make("time.sleep(60)", init_timeout=0.3) as sandbox:
        with pytest.raises(SandboxFailure, match=r"Sandbox\.Timedout"):
            await sandbox.initialize()
        assert sandbox.shutdowns[0].took_ms < 1000  # no extension gets a SHUTDOWN


async def test_an_extension_that_never_asks_for_an_event(make: Callable[..., Lambda]) -> None:
    async with make("register(); time.sleep(60)", init_timeout=0.5) as sandbox:
        with pytest.raises(SandboxFailure, match=r"Sandbox\.Timedout"):
            await sandbox.initialize()
        (end,) = sandbox.shutdowns[0].extensions
        assert (end.killed, end.told_ns) == (True, 0)


async def test_an_extension_that_crashes_in_an_invocation(make: Callable[..., Lambda]) -> None:
    async with make("for event in loop(register()): os.abort()", _SLOW) as sandbox:
        failed = await sandbox.invoke()
        assert (failed.status, failed.error_type) == ("failure", "Extension.Crash")
        assert failed.json()["errorMessage"].endswith("ext: signal: aborted")


_SLOW = """
for request_id, event, headers in invocations():
    time.sleep(1)
    respond(request_id, None)
"""


async def test_an_extension_that_gives_up(make: Callable[..., Lambda]) -> None:
    program = """
    for event in loop(me := register()):
        call("POST", "/2020-01-01/extension/exit/error",
             {**me, "Lambda-Extension-Function-Error-Type": "Extension.Full"}, "{}")
        sys.exit(1)
    """
    async with make(program, _SLOW) as sandbox:
        failed = await sandbox.invoke()
        assert (failed.status, failed.error_type) == ("failure", "Extension.ExitError")


@pytest.mark.alone
async def test_an_extension_that_hangs_in_the_shutdown(make: Callable[..., Lambda]) -> None:
    async with make("for event in loop(register()): pass\ntime.sleep(60)") as sandbox:
        await sandbox.invoke()
        ended = await sandbox.shutdown()
        assert ended is not None
        (end,) = ended.extensions
        assert end.killed
        assert 1500 < end.took_ms < 2100
        assert end.exit_code == -signal.SIGKILL


async def test_an_extension_that_is_not_told_of_the_end_is_killed(make: Callable[..., Lambda]) -> None:
    async with make("for event in loop(register(['INVOKE'])): pass") as sandbox:
        await sandbox.invoke()
        ended = await sandbox.shutdown()
        assert ended is not None
        assert ended.took_ms < 1000
        assert (ended.extensions[0].told_ns, ended.extensions[0].exit_code) == (0, -signal.SIGKILL)


async def test_the_runtime_has_some_time_after_sigterm(
    make: Callable[..., Lambda], log: list[tuple[str, str]]
) -> None:
    function = """
    signal.signal(signal.SIGTERM, lambda *_: (print("terminated", flush=True), sys.exit(0)))
    for request_id, event, headers in invocations():
        respond(request_id, None)
    """
    async with make(GOOD, function) as sandbox:
        await sandbox.invoke()
    assert lines(log, "function") == ["terminated"]
    log.clear()
    async with make(None, function) as sandbox:
        await sandbox.invoke()
    assert lines(log, "function") == []  # without an extension there is no time for anything


async def test_an_internal_extension(make: Callable[..., Lambda]) -> None:
    function = """
    def api(method, path, headers, body=None):
        connection = http.client.HTTPConnection(API)
        connection.request(method, "/2020-01-01/extension" + path, body, headers)
        answer = connection.getresponse()
        return answer.headers, json.loads(answer.read())

    headers, _ = api("POST", "/register", {"Lambda-Extension-Name": "inside"}, '{"events": ["INVOKE"]}')
    me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
    seen = []
    def listen():
        while True:
            seen.append(api("GET", "/event/next", me)[1]["requestId"])
    threading.Thread(target=listen, daemon=True).start()
    for request_id, event, headers in invocations():
        while request_id not in seen:
            time.sleep(0.001)
        respond(request_id, len(seen))
    """
    async with make(None, function) as sandbox:
        assert [(await sandbox.invoke()).json() for _ in range(3)] == [1, 2, 3]


async def test_next_is_not_answered_twice(make: Callable[..., Lambda], log: list[tuple[str, str]]) -> None:
    """A client that gives up waiting, and asks again."""
    program = """
    me = register()
    impatient = http.client.HTTPConnection(API, timeout=0.2)
    impatient.request("GET", "/2020-01-01/extension/event/next", headers=me)
    try:
        impatient.getresponse()
    except TimeoutError:
        impatient.close()
    print(next_event(me), flush=True)
    time.sleep(60)
    """
    async with make(program, timeout=1.0) as sandbox:
        await sandbox.initialize()
        async with sandbox.resumed():
            await polling.until(lambda: lines(log, "extension"))
        await sandbox.kill()
    assert lines(log, "extension") == ["403"]


# -- Freezing


COUNTING = """
count = 0
def counting():
    global count
    while True:
        count += 1
        time.sleep(0.001)
threading.Thread(target=counting, daemon=True).start()
for request_id, event, headers in invocations():
    respond(request_id, [count, time.monotonic()])
"""


@pytest.mark.parametrize("by", ["cgroup", "signals"])
async def test_a_frozen_environment_stands_still(make: Callable[..., Lambda], by: str) -> None:
    sandbox = make(GOOD, COUNTING, freeze_by=by)
    async with sandbox:
        try:
            await sandbox.invoke()
        except EmulatorError as error:
            assert by == "cgroup"
            pytest.skip(str(error))
        assert sandbox.current.freezer.name == by
        before = (await sandbox.invoke()).json()
        await asyncio.sleep(0.5)
        after = (await sandbox.invoke()).json()
    assert after[1] - before[1] > 0.5
    assert after[0] - before[0] < 150  # of some 500


@pytest.mark.parametrize("by", ["cgroup", "signals"])
async def test_whatever_they_started_is_frozen_too(
    make: Callable[..., Lambda], tmp_path: pathlib.Path, by: str
) -> None:
    """In a session of its own, which a process group would not reach."""
    beat, pid = tmp_path / "beat", tmp_path / "pid"
    daemon = tmp_path / "daemon.py"
    daemon.write_text(
        "import os, time\n"
        f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        f"while True: open({str(beat)!r}, 'a').write('.'); time.sleep(0.001)\n"
    )
    function = f"""
    subprocess.Popen([sys.executable, "-SE", {str(daemon)!r}], start_new_session=True)
    for request_id, event, headers in invocations():
        respond(request_id, None)
    """
    async with make(GOOD, function, freeze_by=by) as sandbox:
        try:
            await sandbox.invoke()
        except EmulatorError as error:
            pytest.skip(str(error))
        async with sandbox.resumed():
            await polling.until(beat.exists)
        sizes = [beat.stat().st_size]
        await asyncio.sleep(0.2)
        sizes.append(beat.stat().st_size)
        assert sizes[0] == sizes[1]
        await sandbox.invoke()
        if by == "signals":
            # Without cgroups, what left its process group outlives the environment.
            os.kill(int(pid.read_text()), signal.SIGKILL)
            return
    gone = beat.stat().st_size
    await asyncio.sleep(0.1)
    assert beat.stat().st_size == gone


async def test_a_stopped_environment_ends_with_its_emulator(
    tmp_path: pathlib.Path, control: pathlib.Path
) -> None:
    program = f"""
import asyncio, sys
from thaw.lab.emulator import Lambda
async def main():
    async with Lambda({runtime(tmp_path)!r}, extension={str(control)!r}) as sandbox:
        await sandbox.invoke()
        print(sandbox.current.process("control").pid, sandbox.current.process("runtime").pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
    root = str(pathlib.Path(__file__).resolve().parents[1])
    emulator = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    )
    assert emulator.stdout is not None
    pids = [int(pid) for pid in (await emulator.stdout.readline()).split()]
    assert len(pids) == 2
    emulator.kill()
    await emulator.wait()
    await polling.until(lambda: not any(_runs(pid) for pid in pids))


def _runs(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def test_a_launcher_that_is_killed(make: Callable[..., Lambda]) -> None:
    async with make(GOOD, _SLOW) as sandbox:
        await sandbox.initialize()
        running = asyncio.create_task(sandbox.invoke())
        await polling.until(lambda: sandbox.state is State.INVOKING, every=0)
        assert sandbox._launcher is not None
        os.kill(sandbox._launcher.pid, signal.SIGKILL)
        assert (await running).status == "failure"
        with pytest.raises(EmulatorError, match="can't be started"):
            await sandbox.invoke()


# -- The rest


async def test_environments_side_by_side(make: Callable[..., Lambda], tmp_path: pathlib.Path) -> None:
    async with make() as first, make() as second:
        answers = await asyncio.gather(*(each.invoke({"n": n}) for n in range(5) for each in (first, second)))
    assert [each.json()["n"] for each in answers] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


async def test_programs_that_can_not_be_started_are_named(tmp_path: pathlib.Path) -> None:
    for function, files, settings, says in (
        (["/nowhere"], [], Settings(), "runtime can't be started"),
        (runtime(tmp_path), ["/nowhere"], Settings(), "is not an executable file"),
        (runtime(tmp_path), [], Settings(folder=pathlib.Path("/nowhere")), "does not exist"),
    ):
        with pytest.raises(EmulatorError, match=says):
            async with Lambda(function, extension=files, settings=settings) as sandbox:
                await sandbox.invoke()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"memory_mb": 64}, "memory_mb is 64"),
        ({"timeout": 901.0}, "timeout is 901"),
        ({"initialization_type": "warm"}, "initialization_type is 'warm'"),
        ({"freeze_by": "ice"}, "freeze_by is 'ice'"),
        ({"limits": frozenset({"disk"})}, "limits names disk"),
    ],
)
def test_settings_that_lambda_does_not_have(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Settings(**given)


@pytest.mark.root
async def test_extensions_are_in_opt(make: Callable[..., Lambda]) -> None:
    function = """
    for request_id, event, headers in invocations():
        respond(request_id, [os.path.exists("/opt/extensions/ext"), os.listdir("/opt")])
    """
    async with make(GOOD, function) as sandbox:
        there, listed = (await sandbox.invoke()).json()
        if sandbox.notes:
            pytest.skip("; ".join(sandbox.notes))
    assert there
    assert set(listed) == {*os.listdir("/opt"), "extensions"}  # only they see it, and what was there they see


async def test_the_demonstration_without_an_extension(log: list[tuple[str, str]]) -> None:
    async with Lambda(on_log=lambda source, line: log.append((source, line))) as sandbox:
        assert sandbox.settings == functions.demo_settings()
        invocation = await sandbox.invoke({"items": 3})
        assert invocation.json()["spans"] == 4
        failed = await sandbox.invoke({"fail": True})
        assert (failed.status, failed.error_type) == ("error", "ValueError")
        assert failed.json()["errorMessage"] == "the event asked for it"


@pytest.mark.root
async def test_the_demonstration_with_an_agent(tmp_path: pathlib.Path) -> None:
    """ddtrace finds the file of its agent in /opt/extensions, and so sends each trace at once."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    agent = """
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    class Agent(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.endswith("/traces"):
                print("traces", self.headers["X-Datadog-Trace-Count"], flush=True)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
        do_POST = do_PUT
        def do_GET(self):
            self.send_error(404)
        def log_message(self, *unused): pass
    port = int(os.environ["DD_TRACE_AGENT_URL"].rpartition(":")[2])
    server = ThreadingHTTPServer(("127.0.0.1", port), Agent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for event in loop(register()): pass
    """
    demo = functions.demo_settings()
    url = {"DD_TRACE_AGENT_URL": f"http://127.0.0.1:{port}"}
    seen: list[str] = []
    async with Lambda(
        extension=extension(tmp_path, "datadog-agent", agent),
        settings=dataclasses.replace(demo, environment={**demo.environment, **url}),
        on_log=lambda source, line: seen.append(line) if line.startswith("traces ") else None,
    ) as sandbox:
        for number in range(1, 4):
            assert (await sandbox.invoke()).status == "success"
            if sandbox.notes:
                pytest.skip("; ".join(sandbox.notes))
            async with sandbox.resumed():
                await polling.until(lambda: len(seen) >= number)  # noqa: B023  awaited within the turn
    assert seen == ["traces 1"] * 3


@pytest.mark.slow
async def test_ten_thousand_invocations_leave_nothing_behind(make: Callable[..., Lambda]) -> None:
    async with make() as sandbox:
        for _ in range(100):
            await sandbox.invoke({"a": 1})
        descriptors = len(os.listdir("/proc/self/fd"))
        for _ in range(9_900):
            await sandbox.invoke({"a": 1})
        assert len(os.listdir("/proc/self/fd")) <= descriptors
        assert len(sandbox.freeze_log) == 9_999
        assert {each.status for each in sandbox.reports} == {"success"}


async def test_unread_output_of_an_extension_waits_until_it_is_read(tmp_path: pathlib.Path) -> None:
    told = tmp_path / "told"
    program = f"""
    me = register()
    os.set_blocking(1, False)
    for number, event in enumerate(loop(me)):
        written = 0
        try:
            while number == 1 and written < (1 << 20):
                written += os.write(1, b"x" * 99 + b"\\n")
        except BlockingIOError:
            pass
        open({str(told)!r}, "w").write(str(written))
    """
    lines: list[str] = []
    sandbox = Lambda(
        runtime(tmp_path),
        extension=extension(tmp_path, "ext", program),
        on_log=lambda source, line: lines.append(line) if source == "extension" else None,
    )
    async with sandbox:
        await sandbox.invoke()
        process = sandbox.current.process("ext")
        process.stop_reading()
        await sandbox.invoke()
        written = int(told.read_text())
        assert 0 < written <= 1 << 16  # the pipe is full, and was not read
        assert "x" * 99 not in lines
        process.read_on()
        await sandbox.invoke()
        await sandbox.shutdown("spindown")
    assert lines.count("x" * 99) == written // 100
