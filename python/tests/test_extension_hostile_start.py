"""The executable under a hostile parent: its log is not read, its signals are blocked, calls are refused.

`hostile_start` says how each is done.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import pathlib
import platform
import shlex
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

from . import hostile_start, test_extension_faults
from .extension_under_test import EXTENSION, Lines, needs_extension
from .test_extension_faults import Start

pytestmark = needs_extension
start = test_extension_faults.start

needs_filters = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="filters of calls are written for x86-64"
)


def hostile(folder: pathlib.Path, **how: Any) -> pathlib.Path:
    """Returns a program with the executable's name that starts the executable like this."""
    wrapper = folder / EXTENSION.name
    command = [sys.executable, "-SE", hostile_start.__file__, json.dumps(how), str(EXTENSION)]
    wrapper.write_text(f"#!/bin/sh\nexec {shlex.join(command)}\n")
    wrapper.chmod(0o755)
    return wrapper


async def test_an_unread_log_holds_nothing_up(start: Start, tmp_path: pathlib.Path) -> None:
    executable = hostile(tmp_path, stderr="stopped")
    async with start(executable=executable, DD_LOG_LEVEL="debug") as running:
        for _ in range(20):
            await running.invoke()
        log = (await running.counts())["log"]
        assert log["dropped"] > 0
        await running.end()
        running.assert_each_once()


async def test_standard_descriptors_may_be_closed(start: Start, tmp_path: pathlib.Path) -> None:
    executable = hostile(tmp_path, closed=[0, 1, 2])
    async with start(executable=executable, DD_LOG_LEVEL="debug") as running:
        for _ in range(3):
            await running.invoke()
        process = running.sandbox.current.process(EXTENSION.name)
        targets = {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)}
        assert targets == {"/dev/null"}
        await running.end()
        running.assert_each_once()


async def _ends_within_an_invocation(running: Any, how: signal.Signals) -> None:
    """Sends a signal while an invocation of 8 s runs: what was handed over is delivered soon."""
    await running.invoke()
    process = running.sandbox.current.process(EXTENSION.name)
    invoking = asyncio.create_task(running.sandbox.invoke({"payloads": 1, "pause": 8}))
    await asyncio.sleep(0.5)
    began = time.monotonic()
    os.kill(process.pid, how)
    await asyncio.wait_for(process.gone(), 5)
    assert time.monotonic() - began < 2.5
    assert process.exit_code == 0
    running.sent = 2
    running.assert_each_once()
    await running.sandbox.kill()
    await invoking


@pytest.mark.parametrize("strategy", ["end", "continuously,3600000"])
@pytest.mark.parametrize(
    "how",
    [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT],
    ids=["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"],
)
async def test_a_signal_ends_it_within_an_invocation(
    start: Start, strategy: str, how: signal.Signals
) -> None:
    async with start(DD_SERVERLESS_FLUSH_STRATEGY=strategy) as running:
        await _ends_within_an_invocation(running, how)


async def test_a_signal_that_means_nothing_ends_nothing(start: Start) -> None:
    meaningless = [
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGALRM,
        signal.SIGXFSZ,
        signal.SIGIO,
        signal.SIGPROF,
        signal.SIGVTALRM,
    ]
    async with start() as running:
        await running.invoke()
        process = running.sandbox.current.process(EXTENSION.name)
        for how in meaningless * 2:
            os.kill(process.pid, how)
        await running.invoke()
        assert process.exit_code is None
        await running.end()
        running.assert_each_once()


@pytest.mark.parametrize("before", ["block", "ignore"])
async def test_a_signal_that_the_parent_had_blocked_or_ignored_ends_it(
    start: Start, tmp_path: pathlib.Path, before: str
) -> None:
    executable = hostile(tmp_path, **{before: [signal.SIGTERM, signal.SIGINT]})
    async with start(executable=executable) as running:
        await _ends_within_an_invocation(running, signal.SIGTERM)


@needs_filters
@pytest.mark.parametrize(
    "error",
    [errno.EPERM, errno.ENOSYS, errno.EAGAIN, errno.EINTR],
    ids=["EPERM", "ENOSYS", "EAGAIN", "EINTR"],
)
async def test_refused_randomness_comes_from_the_device(
    start: Start, tmp_path: pathlib.Path, error: int
) -> None:
    async with start(executable=hostile(tmp_path, refuse={"getrandom": error})) as running:
        for _ in range(3):
            await running.invoke()
        await running.end()
        running.assert_each_once()


@needs_filters
@pytest.mark.parametrize(
    ("refused", "error"),
    [
        ("epoll_ctl", errno.EPERM),
        ("epoll_ctl", errno.ENOSPC),
        ("epoll_ctl", errno.ENOMEM),
        ("eventfd2", errno.EMFILE),
    ],
)
def test_a_kernel_without_what_a_loop_needs_is_an_error_at_once(
    tmp_path: pathlib.Path, refused: str, error: int
) -> None:
    done = subprocess.run(
        [hostile(tmp_path, refuse={refused: error})],
        env={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert refused.removesuffix("2") in line
    assert os.strerror(error) in line


@needs_filters
async def test_without_timers_of_the_kernels_everything_arrives(start: Start, tmp_path: pathlib.Path) -> None:
    async with start(executable=hostile(tmp_path, refuse={"timerfd_create": errno.EPERM})) as running:
        for _ in range(3):
            await running.invoke()
        await running.end()
        running.assert_each_once()


@needs_filters
async def test_connections_that_can_not_be_accepted_cost_no_processor_time(
    start: Start, tmp_path: pathlib.Path
) -> None:
    executable = hostile(tmp_path, refuse={"accept": errno.EMFILE, "accept4": errno.EMFILE})
    async with start(executable=executable, DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000") as running:
        await running.sandbox.initialize()
        invoking = asyncio.create_task(running.sandbox.invoke({"payloads": 0, "pause": 2}))
        process = running.sandbox.current.process(EXTENSION.name)
        with socket.create_connection(("127.0.0.1", 8126)), socket.create_connection(("127.0.0.1", 8124)):
            before = process.usage()
            await asyncio.sleep(1)
            after = process.usage()
        assert before is not None
        assert after is not None
        assert after.cpu_ns - before.cpu_ns < 200_000_000
        assert (await invoking).status == "success"
        await running.end()


@pytest.mark.parametrize("what", ["pipe", "folder", "device", "large"])
async def test_a_certificate_file_that_is_no_file_is_one_warning(
    start: Start, tmp_path: pathlib.Path, what: str
) -> None:
    path = tmp_path / "certificates"
    match what:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path = pathlib.Path("/dev/zero")
        case "large":
            with path.open("wb") as file:
                file.truncate(1 << 40)
    lines = Lines()
    async with start(
        on_log=lines,
        DD_TLS_CERT_FILE=str(path),
        DD_SKIP_SSL_VALIDATION="true",
    ) as running:
        await running.invoke()
        await running.end()
        running.assert_each_once()
    assert len([line for line in lines if str(path) in line]) == 1


async def test_control_characters_of_a_proxy_do_not_reach_the_log(start: Start) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 \x1b[31mBad\x07\x9b Gateway\r\nContent-Length: 8\r\n\r\n\x1b]0;no\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    lines = Lines()
    async with (
        server,
        start(
            on_log=lines,
            DD_LOG_LEVEL="debug",
            DD_PROXY_HTTPS=f"http://127.0.0.1:{port}",
        ) as running,
    ):
        await running.invoke()
        await running.sandbox.shutdown("spindown")
    assert any("502" in line for line in lines)
    for line in lines:
        assert line.startswith("THAW | ")
        assert line.isprintable(), line
