"""Every error of the local APIs, by real HTTP: the tests are the extension, and the runtime."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import pathlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thaw.lab.emulator import Lambda, SandboxFailure, Settings, State, TelemetryFaults
from thaw.lab.emulator.errors import ApiError, EmulatorError
from thaw.lab.emulator.runtime_api import MOST_RESPONSE_BYTES
from thaw.lab.emulator.telemetry import Subscribing

from . import polling
from .emulated import Caller, extension, runtime

EXTENSION = "/2020-01-01/extension"
TELEMETRY = "/2022-07-01/telemetry"
RUNTIME = "/2018-06-01/runtime"
NAME = "Lambda-Extension-Name"
IDENTIFIER = "Lambda-Extension-Identifier"
ERROR_TYPE = "Lambda-Extension-Function-Error-Type"


@asynccontextmanager
async def initializing(
    folder: pathlib.Path, settings: Settings | None = None, faults: TelemetryFaults | None = None
) -> AsyncIterator[tuple[Lambda, Caller]]:
    """An environment that waits for its extension, "ext". The processes do nothing; the test calls."""
    sleeps = "time.sleep(60)"
    sandbox = Lambda(
        runtime(folder, sleeps),
        extension=extension(folder, "ext", sleeps),
        settings=settings or Settings(freeze_by="nothing"),
        telemetry_faults=faults,
    )
    async with sandbox, Caller(sandbox.address) as call:
        task = asyncio.create_task(sandbox.initialize())
        await polling.until(lambda: sandbox.state is not State.GONE, every=0)
        try:
            yield sandbox, call
        finally:
            await sandbox.kill()
            task.cancel()
            # EmulatorError: the test was over before the extension's process had become its program.
            with contextlib.suppress(asyncio.CancelledError, SandboxFailure, EmulatorError):
                await task


async def becomes(sandbox: Lambda, state: State) -> None:
    await polling.until(lambda: sandbox.state is state)


async def ready(sandbox: Lambda, call: Caller) -> tuple[dict[str, str], asyncio.Task[Any], asyncio.Task[Any]]:
    """The end of the initialization: the header of "ext", its open call, the runtime's open call."""
    me = await call.register("ext", ["INVOKE", "SHUTDOWN"])
    extension_call = asyncio.create_task(call("GET", f"{EXTENSION}/event/next", me))
    runtime_call = asyncio.create_task(call("GET", f"{RUNTIME}/invocation/next"))
    await becomes(sandbox, State.READY)
    return me, extension_call, runtime_call


async def refused(call: Caller, *request: Any, error: str, status: int = 403) -> str:
    """The message."""
    got, answer, _ = await call(*request)
    assert (got, answer["errorType"]) == (status, error)
    assert set(answer) == {"errorMessage", "errorType"}
    return str(answer["errorMessage"])


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({}, {"events": []}, "Extension.InvalidExtensionName"),
        ({NAME: " "}, {"events": []}, "Extension.InvalidExtensionName"),
        ({NAME: "ext"}, b"{", "InvalidRequestFormat"),
        ({NAME: "ext"}, ["INVOKE"], "InvalidRequestFormat"),
        ({NAME: "ext"}, {"events": "INVOKE"}, "InvalidRequestFormat"),
        ({NAME: "ext"}, {"events": [], "configurationKeys": []}, "InvalidRequestFormat"),
        ({NAME: "ext"}, {"events": ["INVOKE", "RESUME"]}, "Extension.InvalidEventType"),
        ({NAME: "internal"}, {"events": ["SHUTDOWN"]}, "Extension.InvalidEventType"),
    ],
)
async def test_registration_is_refused(
    tmp_path: pathlib.Path, headers: dict[str, str], body: Any, error: str
) -> None:
    async with initializing(tmp_path) as (_, call):
        await refused(call, "POST", f"{EXTENSION}/register", headers, body, error=error)
        await call.register("ext", ["INVOKE"])  # nothing stays of it


async def test_the_answer_to_a_registration(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path, Settings(name="orders", handler="app.main", version="7")) as (_, call):
        headers = {NAME: "ext", "Lambda-Extension-Accept-Feature": "other, accountId"}
        status, answer, answered = await call(
            "POST", f"{EXTENSION}/register", headers, {"events": ["INVOKE"]}
        )
        assert status == 200
        assert answer == {
            "functionName": "orders",
            "functionVersion": "7",
            "handler": "app.main",
            "accountId": "123456789012",
        }
        uuid.UUID(answered[IDENTIFIER])


async def test_no_account_id_where_it_is_not_known(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path, Settings(knows_account_id=False)) as (_, call):
        headers = {NAME: "ext", "Lambda-Extension-Accept-Feature": "accountId"}
        _, answer, _ = await call("POST", f"{EXTENSION}/register", headers, {"events": []})
        assert "accountId" not in answer


async def test_register_twice(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (_, call):
        await call.register("ext", ["INVOKE"])
        again = ("POST", f"{EXTENSION}/register", {NAME: "ext"}, {"events": ["INVOKE"]})
        await refused(call, *again, error="Extension.InvalidExtensionState")


async def test_registration_closes_when_the_runtime_is_ready(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (sandbox, call):
        await ready(sandbox, call)
        late = ("POST", f"{EXTENSION}/register", {NAME: "late"}, {"events": []})
        await refused(call, *late, error="Extension.RegistrationClosed")


async def test_ten_extensions_are_the_limit(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (_, call):
        for number in range(10):
            await call.register(f"internal-{number}", ["INVOKE"])
        eleventh = ("POST", f"{EXTENSION}/register", {NAME: "ext"}, {"events": []})
        await refused(call, *eleventh, error="Extension.TooManyExtensions")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{EXTENSION}/event/next"),
        ("POST", f"{EXTENSION}/init/error"),
        ("POST", f"{EXTENSION}/exit/error"),
        ("PUT", TELEMETRY),
    ],
)
async def test_a_call_without_a_valid_identifier_is_refused(
    tmp_path: pathlib.Path, method: str, path: str
) -> None:
    async with initializing(tmp_path) as (_, call):
        for headers, error in (
            ({}, "Extension.MissingExtensionIdentifier"),
            ({IDENTIFIER: "seven"}, "Extension.InvalidExtensionIdentifier"),
            ({IDENTIFIER: str(uuid.uuid4())}, "Extension.UnknownExtensionIdentifier"),
        ):
            await refused(call, method, path, headers, error=error)


async def test_two_next_calls_at_once(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (sandbox, call):
        me, first, _ = await ready(sandbox, call)
        await refused(call, "GET", f"{EXTENSION}/event/next", me, error="Extension.InvalidExtensionState")
        assert not first.done()


@pytest.mark.parametrize("which", ["init", "exit"])
async def test_an_error_without_its_type(tmp_path: pathlib.Path, which: str) -> None:
    async with initializing(tmp_path) as (sandbox, call):
        me = await call.register("ext", ["INVOKE"])
        await refused(call, "POST", f"{EXTENSION}/{which}/error", me, {}, error="Extension.MissingHeader")
        assert sandbox.current.failure is None
        status, answer, _ = await call(
            "POST",
            f"{EXTENSION}/{which}/error",
            {**me, ERROR_TYPE: "Disk.Full"},
            {"errorMessage": "no space"},
        )
        assert (status, answer) == (202, {"status": "OK"})


async def test_managed_instances_refuse_invoke(tmp_path: pathlib.Path) -> None:
    said: list[str] = []
    program = """
    body = json.dumps({"events": ["INVOKE"]})
    answer = call("POST", "/2020-01-01/extension/register", {"Lambda-Extension-Name": NAME}, body)
    print(answer[0], answer[2].decode(), flush=True)
    sys.exit(1)
    """
    sandbox = Lambda(
        runtime(tmp_path),
        extension=extension(tmp_path, "ext", program),
        settings=Settings(initialization_type="lambda-managed-instances"),
        on_log=lambda source, line: said.append(line) if source == "extension" else None,
    )
    with pytest.raises(SandboxFailure, match=r"Extension\.Crash: ext: exit status 1"):
        async with sandbox:
            pass
    assert said[0].startswith("403 ")
    assert "Extension.InvalidEventType" in said[0]


# -- Runtime API


async def test_answers_for_no_invocation(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (sandbox, call):
        await ready(sandbox, call)
        for which in ("response", "error"):
            path = f"{RUNTIME}/invocation/{uuid.uuid4()}/{which}"
            await refused(call, "POST", path, None, {}, error="InvalidRequestID", status=400)


async def test_the_runtime_out_of_turn(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (sandbox, call):
        me, extension_call, runtime_call = await ready(sandbox, call)
        next_one = ("GET", f"{RUNTIME}/invocation/next")
        await refused(call, *next_one, error="InvalidStateTransition")
        late = ("POST", f"{RUNTIME}/init/error", None, {})
        await refused(call, *late, error="InvalidStateTransition")
        await refused(call, "GET", f"{RUNTIME}/restore/next", error="InvalidStateTransition")

        running = asyncio.create_task(sandbox.invoke({"a": 1}))
        _, event, headers = await runtime_call
        assert event == {"a": 1}
        await refused(call, *next_one, error="InvalidStateTransition")  # it has not answered yet
        answer = (
            "POST",
            f"{RUNTIME}/invocation/{headers['Lambda-Runtime-Aws-Request-Id']}/response",
            None,
            1,
        )
        assert (await call(*answer))[:2] == (202, {"status": "OK"})
        await refused(call, *answer, error="InvalidStateTransition")

        await extension_call
        calls = [asyncio.create_task(call(*next_one))]
        calls.append(asyncio.create_task(call("GET", f"{EXTENSION}/event/next", me)))
        assert (await running).json() == 1
        await refused(call, *answer, error="InvalidRequestID", status=400)  # it is over


async def test_a_response_that_is_too_large(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (sandbox, call):
        _, _, runtime_call = await ready(sandbox, call)
        running = sandbox.prepare()
        task = asyncio.create_task(sandbox.run(running))
        _, _, headers = await runtime_call
        path = f"{RUNTIME}/invocation/{headers['Lambda-Runtime-Aws-Request-Id']}/response"
        too_large = b"x" * (MOST_RESPONSE_BYTES + 1)
        await refused(call, "POST", path, None, too_large, error="RequestEntityTooLarge", status=413)
        await running.answered.wait()
        assert (running.status, running.error_type) == ("error", "Function.ResponseSizeTooLarge")
        assert running.json()["errorType"] == "Function.ResponseSizeTooLarge"
        task.cancel()


# -- Telemetry API

GOOD = {
    "schemaVersion": "2022-12-13",
    "types": ["platform"],
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:1"},
}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[", "not JSON"),
        ([], "not a JSON object"),
        ({**GOOD, "schemaVersion": "2020-08-15"}, "schemaVersion"),
        ({**GOOD, "types": []}, "types should not be empty"),
        ({**GOOD, "types": ["platform", "network"]}, "'network'"),
        ({**GOOD, "destination": None}, "destination is missing"),
        ({**GOOD, "destination": {"protocol": "HTTP", "URI": "http://sandbox"}}, "port is not provided"),
        ({**GOOD, "destination": {"protocol": "HTTP", "URI": "http://a.example:80"}}, "should begin with"),
        ({**GOOD, "destination": {"protocol": "HTTP", "URI": "http://sandbox:9001"}}, "9001"),
        ({**GOOD, "destination": {"protocol": "UDP"}}, "'UDP'"),
        ({**GOOD, "destination": {"protocol": "TCP", "port": 0}}, "port is 0"),
        ({**GOOD, "buffering": {"maxItems": 999}}, "maxItems"),
        ({**GOOD, "buffering": {"maxBytes": 1 << 30}}, "maxBytes"),
        ({**GOOD, "buffering": {"timeoutMs": 24}}, "timeoutMs"),
        ({**GOOD, "buffering": 7}, "maxItems"),
    ],
)
async def test_subscribing_is_refused(tmp_path: pathlib.Path, body: Any, says: str) -> None:
    async with initializing(tmp_path) as (_, call):
        me = await call.register("ext", ["INVOKE"])
        assert says in await refused(call, "PUT", TELEMETRY, me, body, error="ValidationError", status=400)


# A loaded machine is no reason to fail.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@unhurried
@given(st.dictionaries(st.sampled_from([*GOOD, "buffering"]), JSON | st.sampled_from(list(GOOD.values()))))
def test_no_subscription_breaks_the_emulator(asked: dict[str, Any]) -> None:
    with contextlib.suppress(ApiError):
        Subscribing.parse(json.dumps(asked).encode())


@unhurried
@given(st.binary())
def test_no_bytes_break_the_emulator(body: bytes) -> None:
    with contextlib.suppress(ApiError):
        Subscribing.parse(body)


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"events":' + b"[" * 100_000])
async def test_deep_bodies(tmp_path: pathlib.Path, deep: bytes) -> None:
    async with initializing(tmp_path) as (_, call):
        await refused(
            call, "POST", f"{EXTENSION}/register", {NAME: "ext"}, deep, error="InvalidRequestFormat"
        )
        me = await call.register("ext", ["INVOKE"])
        await refused(call, "PUT", TELEMETRY, me, deep, error="ValidationError", status=400)


async def test_subscribing_where_there_is_no_telemetry(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path, faults=TelemetryFaults(unsupported=True)) as (_, call):
        me = await call.register("ext", ["INVOKE"])
        await refused(call, "PUT", TELEMETRY, me, GOOD, error="Telemetry.NotSupported", status=202)


async def test_subscribing_too_late(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (sandbox, call):
        me, _, _ = await ready(sandbox, call)
        await refused(call, "PUT", TELEMETRY, me, GOOD, error="Telemetry.SubscriptionClosed")


# -- Faults


async def test_scripted_faults(tmp_path: pathlib.Path) -> None:
    async with initializing(tmp_path) as (sandbox, call):
        for kind in ("500", "html", "reset"):
            sandbox.api_faults.add("/register", kind)  # type: ignore[arg-type]
        register = ("POST", f"{EXTENSION}/register", {NAME: "ext"}, {"events": []})
        await refused(call, *register, error="Extension.ContainerError", status=500)
        with pytest.raises(ValueError, match="Expecting value"):
            await call(*register)
        with pytest.raises(aiohttp.ClientError):
            await call(*register)
        assert (await call(*register))[0] == 200


@pytest.mark.parametrize("kind", ["hang", "stall"])
def test_a_call_without_an_answer_waits_until_its_server_is_closed(tmp_path: pathlib.Path, kind: Any) -> None:
    """A task that nothing refers to is collected, and asyncio complains of it on standard error."""
    said: list[str] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context["message"]))
        async with initializing(tmp_path) as (sandbox, call):
            method, path, body = (
                ("GET", "/event/next", None) if kind == "hang" else ("POST", "/register", {"events": []})
            )
            sandbox.api_faults.add(path, kind)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):  # the caller goes away
                    await call(method, EXTENSION + path, {NAME: "ext"}, body)
            assert sandbox.api_faults.taken == [(path, kind)]
            for _ in range(3):
                await asyncio.sleep(0)
                gc.collect()
        gc.collect()

    asyncio.run(run())
    assert said == []
