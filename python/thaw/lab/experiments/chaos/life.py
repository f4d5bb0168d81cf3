"""One environment's life by its plan, from its start to the account of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import pathlib
import random
from dataclasses import replace
from typing import Any

from thaw.lab.emulator import EmulatorError, Lambda, functions
from thaw.lab.emulator.api_faults import LOST_ANSWERS
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.processes import Process
from thaw.lab.executables import EXTENSION_PORTS
from thaw.lab.experiments.chaos.account import Account, Payload
from thaw.lab.experiments.chaos.plan import TIMEOUT, Plan
from thaw.lab.experiments.chaos.rubbish import throw
from thaw.lab.experiments.chaos.surroundings import Surroundings
from thaw.lab.experiments.numbered import log_lines, number_of_line, points, points_sent
from thaw.lab.workload.numbered_request import NumberedRequest

_SPANS = 5
# Numbers of payloads that an environment may use.
_NUMBERS = 1 << 20


class _Log:
    """The extension's log, and the last counts that it wrote.

    Attributes:
      taken: the numbers of the function's lines that the extension took.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.counts: dict[str, Any] | None = None
        self.taken: set[int] = set()

    def take(self, line: str) -> None:
        """Notes a line of the function that the extension has taken."""
        if (number := number_of_line(line)) is not None:
            self.taken.add(number)

    def __call__(self, stream: str, line: str) -> None:
        if stream != "extension":
            return
        self.lines.append(line[:300])
        _, _, text = line.partition("THAW | DEBUG | ")
        if text.startswith("{"):
            with contextlib.suppress(ValueError):
                self.counts = json.loads(text)


async def live(
    plan: Plan,
    seed: int,
    number: int,
    executable: pathlib.Path,
    folder: pathlib.Path,
    *,
    names: bool = False,
) -> Account:
    """Takes one environment through its plan and returns the account of it.

    Args:
      names: whether this process has a network and a mount table of its own, which a nameserver and a store
        of secrets need.
    """
    request = NumberedRequest.of_spans(_SPANS)
    journal = folder / f"journal-{number}"
    journal.touch()
    files = request.write(folder)
    first = number * _NUMBERS
    command = functions.poster_command(*map(str, files), str(journal), str(first))
    log = _Log()
    with contextlib.ExitStack() as stack:
        # The peers' constructors run loops of their own.
        around = await asyncio.to_thread(Surroundings, plan, folder, stack, names=names)
        settings = replace(plan.settings, environment=around.options, files_over=around.files_over)
        account = Account(
            cut_off=plan.cuts_off,
            telemetry_lost=plan.loses_ends,
            kills=plan.end in ("crash", "timeout"),
        )
        async with Lambda(
            command,
            extension=executable,
            settings=settings,
            telemetry_faults=plan.faults,
            on_log=log,
            on_line_taken=log.take,
        ) as sandbox:
            for turn in range(len(plan.events)):
                await asyncio.sleep(plan.gaps[turn])
                around.turn(plan, turn)
                plan.faults.drop = {"platform.runtimeDone"} if plan.lost_ends[turn] else set()
                fault = plan.api_faults[turn]
                if fault is not None:
                    sandbox.api_faults.add(*fault)
                last = await _invoke(sandbox, plan, turn, f"{seed}/{number}", account)
                if last.status != "success":
                    break
            await _end(sandbox, plan, around, last, account)
            await sandbox.kill()
            repeated = any(delivery.attempts > 1 for delivery in sandbox.deliveries)
        if _logs_are_on(plan):
            account.numbered.append(log_lines(log.taken, around.intake, log.counts, repeated=repeated))
        sent = points_sent(journal.read_text().splitlines())
        if (of_points := points(sent, around.intake, log.counts)) is not None:
            account.numbered.append(of_points)
        _settle(account, journal, around, request, log)
    return account


def _logs_are_on(plan: Plan) -> bool:
    return plan.settings.environment.get("DD_SERVERLESS_LOGS_ENABLED") == "true"


async def _end(sandbox: Lambda, plan: Plan, around: Surroundings, last: Invocation, account: Account) -> None:
    """Ends the environment, and notes what the end says about the account."""
    if plan.end == "spindown":
        around.recover()
    with contextlib.suppress(Exception):
        await sandbox.shutdown("spindown")
    account.key_not_asked_again = (
        plan.end == "spindown" and around.secrets is not None and around.secrets.answered == 0
    )
    account.ends = list(sandbox.shutdowns)
    account.end_lost = (
        account.kills
        and account.telemetry_lost
        and not plan.faults.unsupported
        and not last.times.runtime_done_delivered_ns
    )
    # After an answer that is lost the extension asks for the next event again.
    account.interface_failed = any(
        path == "/register" or (path == "/event/next" and kind not in LOST_ANSWERS)
        for path, kind in sandbox.api_faults.taken
    )


async def _invoke(sandbox: Lambda, plan: Plan, turn: int, seed: str, account: Account) -> Invocation:
    """Runs one invocation, with rubbish beside it. Unless it succeeds, the environment is gone."""
    ports = itertools.islice(itertools.cycle(EXTENSION_PORTS), plan.rubbish[turn])
    noise = [
        asyncio.create_task(throw(port, random.Random(f"{seed}/{turn}/{each}")))
        for each, port in enumerate(ports)
    ]
    event = plan.events[turn]
    invocation = sandbox.prepare(event)
    writer = _extension_process(sandbox)
    if plan.unread[turn] and writer is not None:
        writer.stop_reading()
    running = asyncio.create_task(sandbox.run(invocation))
    if plan.unreadable[turn]:
        with contextlib.suppress(Exception):
            await asyncio.sleep(0.005)
            await asyncio.wait_for(sandbox.post_telemetry(b'[{"type":"\xff\xfe"},7,{"record":'), 1)
    await running
    account.unread_end = plan.unread[turn] and writer is not None and not writer.alive
    if writer is not None:
        writer.read_on()
    times = invocation.times
    if times.answered_ns and times.end_ns:
        account.added_ms.append((times.end_ns - times.answered_ns) / 1e6)
    if (process := _extension_process(sandbox)) is not None and (usage := process.usage()) is not None:
        account.peak_mb = max(account.peak_mb, usage.peak_resident_bytes / 1e6)
    for task in noise:
        task.cancel()
    await asyncio.gather(*noise, return_exceptions=True)
    expected = "exit" in event or event.get("pause", 0) > TIMEOUT
    if invocation.status != "success" and not expected:
        account.failures.append(f"invocation {turn}: {invocation.status} ({invocation.error_type})")
    return invocation


def _extension_process(sandbox: Lambda) -> Process | None:
    """Returns the extension's process; None if it has not come up, or is gone."""
    with contextlib.suppress(EmulatorError, KeyError, StopIteration):
        return sandbox.current.process(next(iter(sandbox.startups)).name)
    return None


def _settle(
    account: Account, journal: pathlib.Path, around: Surroundings, request: NumberedRequest, log: _Log
) -> None:
    """Fills in the payloads that were taken, those that arrived, and the extension's counts of them."""
    intake = around.intake
    times, unanswered = intake.spans(), intake.spans_unanswered()
    for line in journal.read_text().splitlines():
        if line.startswith("points"):
            continue
        payload, status, took_us, nagle = map(int, line.split())
        if nagle:
            account.nagle_ms.append(took_us / 1e3)
        spans = request.ids(payload)
        came = [times.get(span, 0) for span in spans]
        account.payloads[payload] = Payload(
            status, min(came), max(came), max(unanswered.get(span, 0) for span in spans)
        )
    account.wrong_keys = sum(each["headers"].get("dd-api-key") != around.key for each in intake.requests())
    account.extension_counts = log.counts
    account.lines = log.lines
