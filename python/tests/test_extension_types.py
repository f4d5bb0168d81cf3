"""The executable under each initialization type of Lambda, and each end of an environment."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import pathlib
import re
import shutil
import signal

import pytest

from thaw.lab.emulator import Lambda, Settings, functions
from thaw.lab.emulator.settings import InitializationType
from thaw.lab.intake import Intake

from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension


def settings_of(intake: Intake, initialization_type: InitializationType, **variables: str) -> Settings:
    demo = functions.demo_settings()
    mine = {
        **intake.agent_variables,
        **variables,
    }
    return dataclasses.replace(
        demo, environment={**demo.environment, **mine}, initialization_type=initialization_type
    )


async def serve(sandbox: Lambda, invocations: int = 3) -> None:
    for number in range(invocations):
        invocation = await sandbox.invoke({"number": number})
        assert invocation.status == "success"


def assert_each_once(intake: Intake, least: int) -> None:
    spans = intake.spans()
    assert len(spans) >= least
    assert set(spans.values()) == {1}


@pytest.mark.parametrize("initialization_type", ["provisioned-concurrency", "snap-start"])
async def test_an_early_initialized_environment_delivers_each_once(
    initialization_type: InitializationType,
) -> None:
    with Intake() as intake:
        settings = settings_of(intake, initialization_type)
        async with Lambda(extension=EXTENSION, settings=settings) as sandbox:
            await serve(sandbox)
            end = await sandbox.shutdown("spindown")
        assert_each_once(intake, 3)
        # No connection is open while the environment is frozen.
        assert intake.counts()["accepted"] <= 4
    assert end is not None
    assert end.extensions[0].exit_code == 0


async def test_managed_instances_serve_several_at_once_over_kept_connections() -> None:
    with Intake() as intake:
        settings = settings_of(intake, "lambda-managed-instances")
        async with Lambda(extension=EXTENSION, settings=settings) as sandbox:
            for _ in range(3):
                four = [sandbox.invoke({"number": number, "sleep": 0.05}) for number in range(4)]
                done = await asyncio.gather(*four)
                assert [invocation.status for invocation in done] == ["success"] * 4
            end = await sandbox.shutdown("spindown")
        assert_each_once(intake, 12)
        assert intake.counts()["handshakes_full"] <= 2
    assert end is not None
    assert end.extensions[0].exit_code == 0


def traced(folder: pathlib.Path, program: str) -> tuple[pathlib.Path, pathlib.Path]:
    """The executable under its own name, with its system calls written to a file."""
    calls = folder / "calls"
    wrapper = folder / EXTENSION.name
    wrapper.write_text(
        f'#!/bin/sh\nexec {program} -f -e trace=getrandom,openat,connect -o {calls} {EXTENSION} "$@"\n'
    )
    wrapper.chmod(0o755)
    return wrapper, calls


def draws(calls: pathlib.Path) -> list[str]:
    """The lines of a trace by which the kernel was asked for random bytes. glibc's malloc asks for eight,
    with which it marks freed memory: they go nowhere else.
    """
    asked = [line for line in calls.read_text().splitlines() if re.search(r"getrandom\(|/u?random", line)]
    return [line for line in asked if not line.endswith("8, GRND_NONBLOCK) = 8")]


async def test_nothing_random_is_drawn_before_a_snapshot_is_restored(tmp_path: pathlib.Path) -> None:
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    wrapper, calls = traced(tmp_path, program)
    with Intake() as intake:
        async with Lambda(extension=wrapper, settings=settings_of(intake, "snap-start")) as sandbox:
            assert draws(calls) == []
            await serve(sandbox, 1)
            # Without such calls afterwards the count would show nothing.
            assert draws(calls) != []
            await sandbox.shutdown("spindown")
        assert_each_once(intake, 1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_ends_it_by_the_plan_for_a_shutdown(how: signal.Signals) -> None:
    with Intake() as intake:
        settings = settings_of(intake, "on-demand", DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000")
        async with Lambda(extension=EXTENSION, settings=settings) as sandbox:
            await serve(sandbox, 1)
            assert intake.spans() == {}
            process = sandbox.current.process(EXTENSION.name)
            sandbox.current.resume()
            os.kill(process.pid, how)
            await asyncio.wait_for(process.gone(), 5)
            assert process.exit_code == 0
            assert_each_once(intake, 1)
            await sandbox.kill()


async def test_the_loss_of_lambdas_interface_ends_it_by_the_plan_for_a_shutdown() -> None:
    with Intake() as intake:
        settings = settings_of(intake, "on-demand", DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000")
        async with Lambda(extension=EXTENSION, settings=settings) as sandbox:
            await serve(sandbox, 1)
            process = sandbox.current.process(EXTENSION.name)
            sandbox.api_faults.add("/event/next", "reset", times=1000)
            await sandbox.invoke({})
            await asyncio.wait_for(process.gone(), 10)
            assert process.exit_code == 1
            assert_each_once(intake, 1)
            await sandbox.kill()
