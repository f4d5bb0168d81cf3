"""The command `python -m thaw.lab lambda`: runs a function through its invocations, and prints reports."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import pathlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from thaw.lab import needs
from thaw.lab.emulator import command_arguments, functions, invocation_report
from thaw.lab.emulator.api_faults import API_FAULT_KINDS
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.schedule import Schedule, event_of, read_events
from thaw.lab.emulator.service import Lambda
from thaw.lab.emulator.settings import LIMITS, Settings
from thaw.lab.emulator.telemetry import TelemetryFaults
from thaw.lab.emulator.telemetry_records import KINDS
from thaw.lab.progress import Progress
from thaw.lab.stop import EXIT_CODE

Value = TypeVar("Value", bound=str)

_LONGEST_DELAY = 3600.0
_MOST_RECORDS = 10_000  # in a batch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command `lambda`."""
    command_arguments.add(parser)
    parser.set_defaults(run=command)


def command(given: argparse.Namespace) -> int:
    """Runs the command `lambda`. ValueError and EmulatorError say what is wrong."""
    try:
        return asyncio.run(_run(given))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _run(given: argparse.Namespace) -> int:
    settings = _settings(given)
    events = [_json("--event", each) for each in given.event]
    events += read_events(given.events) if given.events is not None else []
    if not given.command and (text := needs.missing(needs.DEMONSTRATION, "the demonstration")) is not None:
        raise ValueError(f"{text}, or name a function after --")
    schedule = Schedule(events or [{}], given.repeat, given.gap)
    listen = None if given.listen is None else _address(given.listen)
    stop = _Stop()
    sandbox = Lambda(
        given.command or functions.demo_command(settings),
        extension=given.extension,
        settings=settings,
        telemetry_faults=_telemetry_faults(given.telemetry_fault),
        on_log=(lambda source, line: print(f"{source:<9} {line}", flush=True)) if given.logs else None,
    )
    for path, kind in (_pair("--api-fault", each) for each in given.api_fault):
        # aiohttp takes long to import, and --help reads this module.
        from thaw.lab.emulator.server import PATHS

        if not any(known.endswith(path) for known in PATHS):
            raise ValueError(f"--api-fault: no path ends with {path!r}; there are {', '.join(PATHS)}")
        sandbox.api_faults.add(path, _one_of("--api-fault", kind, API_FAULT_KINDS))
    async with sandbox:
        with stop.on_signals(signal.SIGINT, *([signal.SIGTERM] if listen is not None else [])):
            if listen is not None:
                await _serve(sandbox, *listen, stop)
            else:
                await _go_through(sandbox, schedule, stop, live=not given.logs)
        await sandbox.shutdown(given.shutdown)
    _print_result(sandbox)
    if given.json is not None:
        given.json.write_text(json.dumps(_result(sandbox), indent=1) + "\n")
    if stop.requested and listen is None:
        print(f"stopped after {len(sandbox.reports)} of {len(schedule)} invocations", file=sys.stderr)
        return EXIT_CODE
    return 0 if all(each.status == "success" for each in sandbox.reports) else 1


class _Stop:
    """A request by Ctrl-C to end after the invocation under way. A second Ctrl-C ends everything at once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._task = asyncio.current_task()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    async def wait(self, seconds: float | None = None) -> None:
        """Returns when a stop was requested, or after `seconds`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)

    @contextlib.contextmanager
    def on_signals(self, *numbers: signal.Signals) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        # Only the main thread gets signals.
        mine = numbers if threading.current_thread() is threading.main_thread() else ()
        for number in mine:
            loop.add_signal_handler(number, self._interrupt)
        try:
            yield
        finally:
            for number in mine:
                loop.remove_signal_handler(number)

    def _interrupt(self) -> None:
        if self._event.is_set() and self._task is not None:
            self._task.cancel()
        self._event.set()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"--listen {text!r} is not HOST:PORT")
    return host or "127.0.0.1", int(port)


async def _serve(sandbox: Lambda, host: str, port: int, stop: _Stop) -> None:
    from thaw.lab.emulator.invoke_endpoint import InvokeEndpoint  # not above: it imports aiohttp

    async with InvokeEndpoint(sandbox, host=host, port=port) as endpoint:
        print(f"invocations: {endpoint.url}  (Ctrl-C ends)", flush=True)
        await stop.wait()


async def _go_through(sandbox: Lambda, schedule: Schedule, stop: _Stop, *, live: bool) -> None:
    with Progress(live=live) as progress:
        progress.begin("invocation", len(schedule))
        await _invoke_all(sandbox, schedule, stop, progress)


async def _invoke_all(sandbox: Lambda, schedule: Schedule, stop: _Stop, progress: Progress) -> None:
    if sandbox.settings.is_managed_instance:
        running: set[asyncio.Task[Invocation]] = set()
        places = asyncio.Semaphore(sandbox.settings.max_concurrency)
        for wait, event in schedule:
            await stop.wait(wait)
            await places.acquire()
            if stop.requested:
                break
            task = asyncio.create_task(sandbox.invoke(event))
            task.add_done_callback(lambda _: places.release())
            running.add(task)
            progress.step(len(sandbox.reports))
        await asyncio.gather(*running)
        return
    for wait, event in schedule:
        await stop.wait(wait)
        if stop.requested:
            break
        await sandbox.invoke(event)
        progress.step(len(sandbox.reports))


def _print_result(sandbox: Lambda) -> None:
    for note in sandbox.notes:
        print(f"note: {note}")
    if sandbox.reports:
        print(invocation_report.table(sandbox.reports))
    if error := invocation_report.first_error(sandbox.reports):
        print(f"{error} (--logs shows what the processes write)")
    for startup in sandbox.startups[:1]:
        usage = startup.usage
        used = f", {usage.cpu_ns / 1e6:.1f} ms of processor, {usage.resident_bytes >> 10} kB" if usage else ""
        print(f"{startup.name}: exec to first /event/next {startup.wall_ms:.1f} ms{used}")
    for shutdown in sandbox.shutdowns:
        for end in shutdown.extensions:
            how = "killed" if end.killed else f"exit code {end.exit_code}"
            took = f"{end.took_ms:.1f} ms after SHUTDOWN" if end.told_ns else "not told of the end"
            print(f"{end.name}: {shutdown.reason}, {how}, {took}")


def _result(sandbox: Lambda) -> dict[str, Any]:
    settings = sandbox.settings
    return {
        "function": {
            "arn": settings.arn,
            "memory_mb": settings.memory_mb,
            "timeout": settings.timeout,
            "initialization_type": settings.initialization_type,
        },
        "notes": sandbox.notes,
        "summary": invocation_report.summary(sandbox.reports),
        "invocations": [each.to_json() for each in sandbox.reports],
        "startups": [
            {
                "name": each.name,
                "wall_ms": each.wall_ms,
                "cpu_ms": None if each.usage is None else each.usage.cpu_ns / 1e6,
                "resident_bytes": None if each.usage is None else each.usage.resident_bytes,
                "threads": None if each.usage is None else each.usage.threads,
            }
            for each in sandbox.startups
        ],
        "shutdowns": [
            {
                "reason": each.reason,
                "took_ms": each.took_ms,
                "extensions": [
                    {
                        "name": end.name,
                        "took_ms": end.took_ms if end.told_ns else None,
                        "exit_code": end.exit_code,
                        "killed": end.killed,
                    }
                    for end in each.extensions
                ],
            }
            for each in sandbox.shutdowns
        ],
        "freezes": len(sandbox.freeze_log),
    }


# -- Arguments


def _settings(given: argparse.Namespace) -> Settings:
    plain = functions.demo_settings() if not given.command else Settings(folder=pathlib.Path.cwd())
    limits = [_one_of("--limits", each, LIMITS) for each in given.limits.split(",") if each]
    return Settings(
        name=given.name or plain.name,
        handler=given.handler or plain.handler,
        folder=given.folder or plain.folder,
        memory_mb=given.memory,
        timeout=given.timeout,
        environment={**plain.environment, **dict(_pair("--env", each) for each in given.env)},
        initialization_type=given.initialization_type,
        max_concurrency=given.max_concurrency,
        freeze_by=given.freeze_by,
        limits=frozenset(limits),
        log_format=given.log_format,
    )


def _telemetry_faults(texts: Sequence[str]) -> TelemetryFaults:
    faults = TelemetryFaults()
    for text in texts:
        name, _, value = text.partition("=")
        with contextlib.suppress(ValueError):
            match name:
                case "unsupported" | "shuffle" | "tell-drops" if not value:
                    setattr(faults, name.replace("-", "_"), True)
                    continue
                case "delay":
                    kind, _, seconds = value.rpartition(":")
                    if kind in ("*", *KINDS):
                        faults.delay[kind] = _within(float(seconds), 0, _LONGEST_DELAY)
                        continue
                case "drop" if value in KINDS:
                    faults.drop.add(value)
                    continue
                case "drop-fraction":
                    faults.drop_fraction = _within(float(value), 0, 1)
                    continue
                case "split":
                    faults.split = int(_within(int(value), 1, _MOST_RECORDS))
                    continue
        kinds = f"; types of records are {', '.join(KINDS)}" if name in ("delay", "drop") else ""
        raise ValueError(f"--telemetry-fault {text!r} is not understood; see --help{kinds}")
    return faults


def _within(value: float, least: float, most: float) -> float:
    if not least <= value <= most:
        raise ValueError(f"{value} is not from {least:g} to {most:g}")
    return value


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{option} {text!r} has no name, or no =")
    return name, value


def _json(option: str, text: str) -> Any:
    try:
        return event_of(text)
    except ValueError as error:
        shown = repr(text) if len(text) <= 100 else f"{text[:100]!r}…"
        raise ValueError(f"{option} {shown} is not JSON: {error}") from None


def _one_of(option: str, text: str, known: Sequence[Value]) -> Value:
    for each in known:
        if each == text:
            return each
    raise ValueError(f"{option} has no {text!r}; there are {', '.join(known)}")
