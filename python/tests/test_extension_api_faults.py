"""Faulty answers of Lambda's interface: the executable goes on, or ends as at a shutdown and says why.

`tools/test --step asan` runs this file against an executable with AddressSanitizer: what is read after it was
freed shows nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

import pytest

from thaw.lab.emulator import SandboxFailure
from thaw.lab.emulator.api_faults import API_FAULT_KINDS, LOST_ANSWERS, ApiFaultKind

from . import test_extension_faults
from .extension_under_test import EXTENSION, Lines, needs_extension
from .test_extension_faults import Start

pytestmark = needs_extension

start = test_extension_faults.start
# Flushes at the end alone, so that the end's own flush shows.
LATE = {"DD_SERVERLESS_FLUSH_STRATEGY": "continuously,3600000"}


def exit_codes_after(kind: ApiFaultKind) -> tuple[int, ...]:
    """Returns the possible exit codes after such an answer in the initialization.

    A call that was carried out ends the environment, and SIGKILL may come before the extension's own end: the
    runtime may not have begun by then, so that there is nothing to wait for.
    """
    return (1, -signal.SIGKILL) if kind in ("cut", "stall") else (1,)


@pytest.mark.parametrize("kind", API_FAULT_KINDS)
async def test_a_failed_initialization_that_can_not_be_reported(start: Start, kind: ApiFaultKind) -> None:
    lines = Lines()
    async with start(on_log=lines, **LATE) as running:
        running.sandbox.api_faults.add("/event/next", "500", times=10)
        running.sandbox.api_faults.add("/init/error", kind, times=10)
        with pytest.raises(SandboxFailure):
            await running.sandbox.initialize()
        assert ("/init/error", kind) in running.sandbox.api_faults.taken
        (extension,) = running.sandbox.shutdowns[-1].extensions
        assert extension.exit_code in exit_codes_after(kind)
        assert not extension.killed
        lines.assert_readable()


@pytest.mark.parametrize("kind", API_FAULT_KINDS)
async def test_a_failure_that_can_not_be_reported(start: Start, kind: ApiFaultKind) -> None:
    lines = Lines()
    async with start(on_log=lines, stays=True, **LATE) as running:
        await running.invoke()
        process = running.sandbox.current.process(EXTENSION.name)
        running.sandbox.api_faults.add("/event/next", "500")
        running.sandbox.api_faults.add("/exit/error", kind)
        await running.sandbox.invoke({"payloads": 1})
        await asyncio.wait_for(process.gone(), 10)
        assert ("/exit/error", kind) in running.sandbox.api_faults.taken
        assert process.exit_code == 1
        running.sent = 2
        running.assert_each_once()
        lines.assert_readable()


@pytest.mark.parametrize("kind", LOST_ANSWERS)
async def test_next_whose_answer_is_lost_is_asked_again(start: Start, kind: ApiFaultKind) -> None:
    async with start(**LATE) as running:
        await running.invoke()
        running.sandbox.api_faults.add("/event/next", kind)
        for _ in range(3):
            await running.invoke()
        assert ("/event/next", kind) in running.sandbox.api_faults.taken
        assert (await running.counts())["events"]["unreadable_events"] == (kind != "reset")
        await running.end()
        running.assert_each_once()


@pytest.mark.parametrize("kind", LOST_ANSWERS)
async def test_a_first_next_whose_answer_is_lost_is_asked_again(start: Start, kind: ApiFaultKind) -> None:
    async with start(**LATE) as running:
        running.sandbox.api_faults.add("/event/next", kind, times=2)
        await running.invoke()
        await running.end()
        running.assert_each_once()


async def test_a_shutdown_that_is_cut_is_asked_again(start: Start) -> None:
    async with start(**LATE) as running:
        await running.invoke()
        # The fault of the call in which the extension waits for the SHUTDOWN.
        running.sandbox.api_faults.add("/event/next", "cut")
        await running.invoke()
        await running.end()
        assert running.sandbox.api_faults.taken == [("/event/next", "cut")]
        running.assert_each_once()


@pytest.mark.parametrize("kind", ["nested", "cut"])
async def test_next_that_is_never_readable_ends_it_by_the_plan(start: Start, kind: ApiFaultKind) -> None:
    lines = Lines()
    async with start(on_log=lines, **LATE) as running:
        await running.invoke()
        process = running.sandbox.current.process(EXTENSION.name)
        running.sandbox.api_faults.add("/event/next", kind, times=1000)
        for _ in range(5):
            if process.alive:
                await running.sandbox.invoke({"payloads": 0})
        await asyncio.wait_for(process.gone(), 10)
        assert process.exit_code == 1
        running.assert_each_once()
        lines.assert_readable()
        await running.sandbox.kill()


@pytest.mark.parametrize("kind", ["500", "html", "nested", "reset", "hang"])
async def test_a_registration_without_an_identifier_ends_it(start: Start, kind: ApiFaultKind) -> None:
    lines = Lines()
    async with start(on_log=lines, **LATE) as running:
        running.sandbox.api_faults.add("/register", kind, times=1000)
        with pytest.raises(SandboxFailure):
            await running.sandbox.initialize()
        (extension,) = running.sandbox.shutdowns[-1].extensions
        assert extension.exit_code in exit_codes_after(kind)
        lines.assert_readable()


@pytest.mark.parametrize("kind", API_FAULT_KINDS)
async def test_a_subscription_that_fails_costs_no_payload(start: Start, kind: ApiFaultKind) -> None:
    async with start(**LATE) as running:
        running.sandbox.api_faults.add("/telemetry", kind)
        for _ in range(3):
            await running.invoke()
        await running.end()
        running.assert_each_once()


async def test_listeners_take_connections_before_the_registration_is_answered(start: Start) -> None:
    async with start(**LATE) as running:
        running.sandbox.api_faults.add("/register", "hang", times=1000)
        initializing = asyncio.create_task(running.sandbox.initialize())
        for port in (8126, 8124, 8999):
            await asyncio.wait_for(_connect(port), 4)
        # A datagram to a port of this machine that nothing has bound is refused at once.
        await asyncio.wait_for(_send_datagram(8125), 4)
        assert not initializing.done()
        await running.sandbox.kill()
        with contextlib.suppress(SandboxFailure):
            await initializing


async def _send_datagram(port: int) -> None:
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, contextlib.suppress(OSError):
            sender.connect(("127.0.0.1", port))
            sender.send(b"early:1|c")
            sender.send(b"early:1|c")  # raises what the first one met
            return
        await asyncio.sleep(0.005)


async def _connect(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.005)
