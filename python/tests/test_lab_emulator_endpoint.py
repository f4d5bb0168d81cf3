"""Invocations by HTTP, by a schedule, and from the command line."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import pathlib
import shlex
import signal
import sys

import aiohttp
import pytest

from thaw.lab.__main__ import main
from thaw.lab.emulator import Lambda, Settings
from thaw.lab.emulator.invoke_endpoint import InvokeEndpoint, client_context
from thaw.lab.emulator.schedule import Schedule, gaps, read_events

from .emulated import extension, runtime

CONTROL = """
for event in loop(register()):
    time.sleep(0.2)
"""

FUNCTION = """
for request_id, event, headers in invocations():
    if event == "fail":
        body = json.dumps({"errorType": "KeyError", "errorMessage": "no"})
        call("POST", f"/invocation/{request_id}/error", {}, body)
    else:
        print("handling", event, flush=True)
        time.sleep(0.05)
        respond(request_id, [event, headers["Lambda-Runtime-Trace-Id"],
                             headers.get("Lambda-Runtime-Client-Context"),
                             headers["Lambda-Runtime-Invoked-Function-Arn"]])
"""


async def test_invocations_by_http(tmp_path: pathlib.Path) -> None:
    sandbox = Lambda(
        runtime(tmp_path, FUNCTION),
        extension=extension(tmp_path, "ext", CONTROL),
        settings=Settings(name="orders"),
    )
    async with sandbox, InvokeEndpoint(sandbox) as endpoint, aiohttp.ClientSession() as session:
        headers = {
            "X-Amzn-Trace-Id": "Root=1-0-0",
            "X-Amz-Client-Context": base64.b64encode(b'{"custom": {"a": "1"}}').decode(),
        }
        async with session.post(endpoint.url + "?Qualifier=live", json=7, headers=headers) as answer:
            assert answer.status == 200
            arn = f"{sandbox.settings.arn}:live"
            assert await answer.json() == [7, "Root=1-0-0", '{"custom": {"a": "1"}}', arn]
            assert answer.headers["X-Amz-Executed-Version"] == "$LATEST"
            assert "X-Amz-Function-Error" not in answer.headers
            assert "X-Amz-Log-Result" not in answer.headers
        assert sandbox.reports == []  # the extension is not done yet
        async with session.post(endpoint.url, json="fail") as answer:
            assert (answer.status, answer.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
            assert (await answer.json())["errorType"] == "KeyError"
        async with session.post(endpoint.url, headers={"X-Amz-Invocation-Type": "Event"}) as answer:
            assert (answer.status, await answer.read()) == (202, b"")
        async with session.post(endpoint.url, headers={"X-Amz-Invocation-Type": "DryRun"}) as answer:
            assert answer.status == 204
    assert len(sandbox.reports) == 3  # what was accepted was run


async def test_the_tail_of_the_log_has_everything_from_start_to_report(tmp_path: pathlib.Path) -> None:
    sandbox = Lambda(
        runtime(tmp_path, FUNCTION),
        extension=extension(tmp_path, "ext", CONTROL),
        settings=Settings(name="orders"),
    )
    async with sandbox, InvokeEndpoint(sandbox) as endpoint, aiohttp.ClientSession() as session:
        for event in (7, "x" * 5000, "fail"):
            async with session.post(endpoint.url, json=event, headers={"X-Amz-Log-Type": "Tail"}) as answer:
                assert answer.status == 200
                log = base64.b64decode(answer.headers["X-Amz-Log-Result"]).decode()
                request_id = answer.headers["x-amzn-RequestId"]
            report = sandbox.reports[-1]  # the extension is done, or there would be no REPORT
            end = [f"END RequestId: {request_id}", report.line()]
            assert report.request_id == request_id
            assert log.endswith("\n".join(["", *end, ""])) or event == "fail"
            if event == 7:
                start = f"START RequestId: {request_id} Version: $LATEST"
                assert log.splitlines() == [start, "handling 7", *end]
            elif event == "fail":
                assert log.splitlines()[1:] == end
            else:
                assert len(log) == 4096
        async with session.post(endpoint.url, json=7, headers={"X-Amz-Log-Type": "None"}) as answer:
            assert (answer.status, "X-Amz-Log-Result" in answer.headers) == (200, False)


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ('{"custom": {"a": "1"}}', '{"custom": {"a": "1"}}'),
        ("{}", "{}"),
        ('{\n "custom": {}\n}', '{"custom": {}}'),
        ('{"custom": {"name": "zoë"}}', '{"custom": {"name": "zo\\u00eb"}}'),
    ],
)
def test_a_client_context_is_decoded(text: str, passed: str) -> None:
    assert client_context(base64.b64encode(text.encode()).decode()) == passed
    assert client_context("") == ""


@pytest.mark.parametrize(
    "header",
    [
        "{}",
        "e30",
        "e30=!",
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b"{").decode(),
        base64.b64encode(b'{"a": "\xff"}').decode(),
        base64.b64encode(b'{"a": "' + b"x" * 3000 + b'"}').decode(),
    ],
)
async def test_a_client_context_that_is_none_is_refused(tmp_path: pathlib.Path, header: str) -> None:
    sandbox = Lambda(runtime(tmp_path), settings=Settings(name="orders"))
    async with sandbox, InvokeEndpoint(sandbox) as endpoint, aiohttp.ClientSession() as session:
        async with session.post(endpoint.url, json=1, headers={"X-Amz-Client-Context": header}) as answer:
            assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (
                400,
                "InvalidRequestContentException",
            )
    assert sandbox.reports == []


async def test_only_a_synchronous_invocation_has_a_client_context(tmp_path: pathlib.Path) -> None:
    seen = tmp_path / "seen"
    program = f"""
    for request_id, event, headers in invocations():
        open({str(seen)!r}, "w").write(str(headers.get("Lambda-Runtime-Client-Context")))
        respond(request_id, event)
    """
    sandbox = Lambda(runtime(tmp_path, program), settings=Settings(name="orders"))
    async with sandbox, InvokeEndpoint(sandbox) as endpoint, aiohttp.ClientSession() as session:
        headers = {"X-Amz-Invocation-Type": "Event", "X-Amz-Client-Context": "e30="}
        async with session.post(endpoint.url, json=1, headers=headers) as answer:
            assert answer.status == 202
    assert seen.read_text() == "None"


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "error"),
    [
        ("other", {}, b"{}", 404, "ResourceNotFoundException"),
        ("orders", {"X-Amz-Invocation-Type": "Now"}, b"{}", 400, "InvalidParameterValueException"),
        ("orders", {"X-Amz-Log-Type": "Head"}, b"{}", 400, "InvalidParameterValueException"),
        ("orders", {}, b"{", 400, "InvalidRequestContentException"),
        ("orders", {}, b'"' + b"x" * (6 << 20) + b'"', 413, "RequestTooLargeException"),
        ("orders", {"X-Amz-Invocation-Type": "Event"}, b"1" * (2 << 20), 413, "RequestTooLargeException"),
    ],
)
async def test_invalid_requests_are_refused(
    tmp_path: pathlib.Path, path: str, headers: dict[str, str], body: bytes, status: int, error: str
) -> None:
    sandbox = Lambda(runtime(tmp_path), settings=Settings(name="orders"))
    async with sandbox, InvokeEndpoint(sandbox) as endpoint, aiohttp.ClientSession() as session:
        url = endpoint.url.replace("/orders/", f"/{path}/")
        async with session.post(url, data=body, headers=headers) as answer:
            assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (status, error)
        arn = f"{sandbox.settings.arn}:live".replace(":", "%3A")
        async with session.post(endpoint.url.replace("orders", arn), data=b"1") as answer:
            assert answer.status == 200
    assert len(sandbox.reports) == 1


# -- Schedules


def test_a_schedule() -> None:
    assert list(Schedule(["a", "b"], 2, gaps("1,2"))) == [(0, "a"), (1, "b"), (2, "a"), (1, "b")]
    assert len(Schedule(["a", "b"], 2)) == 4
    assert list(Schedule(["a"], 2)) == [(0, "a"), (0, "a")]


def test_independent_callers_come_at_random_times() -> None:
    made = gaps("poisson:2", seed=3)
    taken = list(itertools.islice(made, 5000))
    assert taken == list(itertools.islice(made, 5000))
    assert 1.8 < sum(taken) / len(taken) < 2.2
    assert list(itertools.islice(gaps("poisson:2", seed=4), 5)) != taken[:5]


@pytest.mark.parametrize("text", ["", "a", "-1", "1,", "poisson:0", "poisson:", "normal:1", "inf"])
def test_texts_that_are_no_gaps_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither seconds"):
        gaps(text)


def test_events_in_a_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "events"
    path.write_text('{\n"one": 1\n}\n')
    assert read_events(path) == [{"one": 1}]
    path.write_text('{"one": 1}\n\n"two"\n')
    assert read_events(path) == [{"one": 1}, "two"]
    path.write_text('{"one": 1}\n{\n')
    with pytest.raises(ValueError, match=r"events:2: not JSON"):
        read_events(path)
    path.write_text("\n")
    with pytest.raises(ValueError, match="has no events"):
        read_events(path)
    path.write_bytes(b'\xef\xbb\xbf{"mark": 1}\r\n{"line\xe2\x80\xa8": 2}\r\n')
    assert read_events(path) == [{"mark": 1}, {"line\u2028": 2}]


@pytest.mark.parametrize(
    ("text", "says"), [("[" * 60_000, "nested too deeply"), ('{"a": NaN}', "NaN is no number of JSON")]
)
def test_events_that_lambda_refuses_are_named_in_a_line(
    text: str, says: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events"
    path.write_text(text)
    for given in (f"--event={text}", f"--events={path}"):
        assert main(["lambda", given, "--", "/nowhere"]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1
        assert len(said) < 400


# -- The command line


def test_the_command(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = tmp_path / "result.json"
    events = tmp_path / "events"
    events.write_text('{"n": 1}\n{"n": 2}\n')
    file = extension(tmp_path, "ext", "for event in loop(register()): print(event['requestId'], flush=True)")
    given = [
        "lambda",
        f"--extension={file}",
        f"--events={events}",
        "--repeat=5",
        "--logs",
        f"--json={result}",
    ]
    assert main([*given, "--", *runtime(tmp_path)]) == 0
    said = capsys.readouterr().out
    written = json.loads(result.read_text())
    assert written["summary"]["invocations"] == len(written["invocations"]) == 10
    assert written["freezes"] == 10
    assert written["startups"][0]["name"] == "ext"
    assert written["shutdowns"][0]["extensions"][0]["exit_code"] == 0
    for report in written["invocations"]:
        assert f"extension {report['request_id']}" in said
        assert f"{report['request_id'][:8]}    success" in said
    assert "ext: spindown, exit code 0" in said


def test_a_failure_is_the_exit_code(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = runtime(tmp_path, "time.sleep(60)")
    assert main(["lambda", "--timeout=0.2", "--initialization-type=on-demand", "--", "/bin/false"]) == 1
    said = capsys.readouterr().out
    assert ": failure: Runtime.ExitError: RequestId: " in said
    assert "Runtime exited with error: exit status 1 (--logs shows what the processes write)\n" in said
    fault = "--api-fault=/invocation/next=500"
    assert main(["lambda", fault, "--timeout=5", "--", *command[:-1], command[-1]]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--event={"], "--event '{' is not JSON"),
        (["--events=nofile"], "--events: nofile does not exist"),
        (["--events=/tmp"], "--events: /tmp is a folder"),
        (["--events=/bin/true"], "/bin/true is not a text"),
        (["--repeat=0"], "--repeat: 0 is not from 1"),
        (["--repeat=many"], "--repeat: 'many' is not a whole number"),
        (["--timeout=nan"], "--timeout: nan is not from 0.001 to 900 seconds"),
        (["--timeout=-1"], "--timeout: -1 is not from"),
        (["--timeout=inf"], "--timeout: inf is not from"),
        (["--max-concurrency=0"], "--max-concurrency: 0 is not from 1"),
        (["--json=/nowhere/x.json"], "the folder /nowhere does not exist"),
        (["--gap=nan"], "'nan' is neither seconds"),
        (["--gap=poisson:inf"], "'poisson:inf' is neither seconds"),
        (["--gap=x"], "'x' is neither seconds"),
        (["--limits=disk"], "--limits has no 'disk'"),
        (["--env=A"], "--env 'A' has no name, or no ="),
        (["--memory=1"], "--memory: 1 is not from 128 to 10240"),
        (["--telemetry-fault=delay=*:nan"], "--telemetry-fault 'delay=*:nan' is not understood"),
        (["--telemetry-fault=delay=*:-1"], "--telemetry-fault 'delay=*:-1' is not understood"),
        (["--telemetry-fault=delay=0.5"], "--telemetry-fault 'delay=0.5' is not understood"),
        (["--telemetry-fault=drop-fraction=2"], "--telemetry-fault 'drop-fraction=2' is not understood"),
        (["--telemetry-fault=split=0"], "--telemetry-fault 'split=0' is not understood"),
        (["--telemetry-fault=sometimes"], "--telemetry-fault 'sometimes' is not understood"),
        (["--telemetry-fault=split=x"], "--telemetry-fault 'split=x' is not understood"),
        (["--api-fault=/next=slow"], "--api-fault has no 'slow'"),
        (["--api-fault=/nxt=500"], "--api-fault: no path ends with '/nxt'; there are /2018-06-01/runtime/"),
        (["--telemetry-fault=drop=platform.done"], "types of records are platform.initStart, "),
        (["--telemetry-fault=delay=platform.done:1"], "types of records are platform.initStart, "),
        (["--extension=/nowhere"], "--extension: /nowhere does not exist"),
        (["--extension=/etc/passwd"], "--extension: /etc/passwd is not executable"),
        (["--listen=here"], "--listen 'here' is not HOST:PORT"),
        (["--listen=:99999"], "--listen ':99999' is not HOST:PORT"),
        (["--folder=/nowhere"], "--folder: /nowhere is not a folder"),
    ],
)
def test_wrong_arguments_are_named_in_a_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["lambda", *arguments])
    except SystemExit as end:
        code = end.code
    assert code == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_a_function_that_cant_be_started_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lambda", "--", "/nowhere"]) == 1
    said = capsys.readouterr().err
    assert "runtime can't be started" in said
    assert said.count("\n") == 1


async def test_ctrl_c_keeps_the_invocations_that_are_over(tmp_path: pathlib.Path) -> None:
    file = extension(tmp_path, "ext", "for event in loop(register()): print(event['requestId'], flush=True)")
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "thaw.lab", "lambda", "--repeat=100000", "--gap=0,0,3600", "--logs"]
    process = await asyncio.create_subprocess_exec(
        *(*command, f"--extension={file}", f"--json={result}", "--", *runtime(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).resolve().parents[1])},
    )
    assert process.stdout is not None
    reports = 0
    while reports < 3:  # after the third is a gap of an hour
        reports += b"REPORT RequestId" in await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    said, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130, errors.decode()
    assert b"stopped after 3 of 100000 invocations" in errors
    written = json.loads(result.read_text())
    assert written["summary"]["invocations"] == 3
    assert written["shutdowns"][0]["extensions"][0]["exit_code"] == 0
    assert b"ext: spindown, exit code 0" in said


def test_faults_from_the_command_line(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = """
    me = register()
    print(call("PUT", "/2022-07-01/telemetry", me, "{}")[0], flush=True)
    body = json.dumps({"schemaVersion": "2022-12-13", "types": ["platform"],
                       "destination": {"protocol": "HTTP", "URI": "http://sandbox:8080"}})
    print(call("PUT", "/2022-07-01/telemetry", me, body)[0], flush=True)
    for event in loop(me): pass
    """
    file = extension(tmp_path, "ext", program)
    faults = ["--telemetry-fault=unsupported", "--api-fault=/telemetry=500", "--logs"]
    assert main(["lambda", *faults, f"--extension={file}", "--", *runtime(tmp_path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("extension")][:2] == ["extension 500", "extension 202"]


async def test_serving_until_it_is_stopped(tmp_path: pathlib.Path) -> None:
    file = extension(tmp_path, "ext", "for event in loop(register()): pass")
    root = str(pathlib.Path(__file__).resolve().parents[1])
    command = [sys.executable, "-m", "thaw.lab", "lambda", "--listen=127.0.0.1:0", f"--extension={file}"]
    process = await asyncio.create_subprocess_exec(
        *(*command, "--", *shlex.split(shlex.join(runtime(tmp_path)))),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().split()[1]
    async with aiohttp.ClientSession() as session, session.post(url, json={"a": 1}) as answer:
        assert await answer.json() == {"a": 1}
    process.send_signal(signal.SIGINT)
    said = (await process.stdout.read()).decode()
    assert await process.wait() == 0
    assert "ext: spindown, exit code 0" in said
