"""World W1: real sockets, real TLS, and a client in a process of its own that SIGSTOP or a cgroup freezes.

The kernel is not frozen: it acknowledges and queues what the intake sends meanwhile. What this world shows is
not claimed for Lambda itself.

idle      flush; freeze; the intake gives every idle connection up; resume; the next flush.
inflight  the intake holds an exchange at one of its phases, in turn; quiesce and freeze there; the intake
          gives the connection up; resume; the flush ends as it can.

Instead of an idle limit and a longer freeze the intake closes on command while the client is stopped: the
client can't tell the difference, and a run takes seconds. The next flush's command is in the client's pipe
before it is resumed, as an event is there when a function is thawed.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from thaw.lab import freezer
from thaw.lab.arms import Arm
from thaw.lab.child_environment import child_environment
from thaw.lab.emulator.environment_groups import EnvironmentGroups
from thaw.lab.emulator.settings import MEMORY_MB_PER_CPU
from thaw.lab.experiment import ArmOutcome, CycleOutcome, ExperimentError, ExperimentSettings
from thaw.lab.freezer import FreezerError
from thaw.lab.intake import Intake, IntakeError
from thaw.lab.intake.script import PHASES, Phase, Script
from thaw.lab.line import Line, LineError
from thaw.lab.stop import Stop
from thaw.lab.workload import origin_of
from thaw.lab.worlds import over_line

_START_LIMIT = 60.0
_LOOK_EVERY = 0.5  # seconds between looks whether the line is there, while the client has no answer
# Seconds before and after the resume in which a racing close falls. The share of flushes that it hits is
# the time for which a client trusts a connection without knowing, over twice this.
_RACE = 0.001
_RACE_LEAD = 0.006  # from the command to the resume


class Child:
    """The client's process. Killed at the end, stopped or not."""

    def __init__(
        self, arm: Arm, intake: Intake, settings: ExperimentSettings, line: Line | None = None
    ) -> None:
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._line = line
        self._quiesced: queue.Queue[None] = queue.Queue()
        command = [
            *(sys.executable, "-m", "thaw.lab.worlds.child", arm.name, intake.url, intake.ca_file),
            *(settings.scenario, settings.workload, str(settings.seed), str(settings.exchange_timeout)),
            *(str(settings.spans), str(settings.filler_bytes)),
        ]
        self._process = subprocess.Popen(
            command if line is None else line.client.command(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        try:
            self._freezer = freezer.make(settings.freezer, self._process.pid)
        except FreezerError:
            self._process.kill()
            self._process.wait()
            raise
        self._groups: EnvironmentGroups | None = None
        self._said: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def limit_processor(self, share: float) -> None:
        """Gives the process so much of one processor from now on, as Lambda does with little memory.

        ExperimentError: this machine does not allow that.
        """
        groups = EnvironmentGroups.make(
            freezer=False, limits={"cpu"}, memory_mb=round(share * MEMORY_MB_PER_CPU)
        )
        try:
            if groups.notes:
                raise ExperimentError(f"cpu_share is {share:g}: {'; '.join(groups.notes)}")
            for file in groups.joined_by:
                pathlib.Path(file).write_text(str(self._process.pid))
        except OSError as error:
            groups.remove()
            raise ExperimentError(f"cpu_share is {share:g}: {error.strerror} ({error.filename})") from None
        except BaseException:
            groups.remove()
            raise
        self._groups = groups

    def tell(self, **command: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise ExperimentError(f"the client's process is gone: {self._last_errors()}") from None

    def answer(self, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                answer = self._answers.get(timeout=max(0.0, min(left, _LOOK_EVERY)))
                break
            except queue.Empty:
                if left <= _LOOK_EVERY:
                    raise ExperimentError(f"the client gave no answer in {timeout:g} s") from None
            if self._line is not None:
                self._line.require_alive()
        if self._line is not None:
            self._line.require_alive()  # what did not arrive says nothing about the client then
        if answer is None:
            raise ExperimentError(f"the client's process is gone: {self._last_errors()}")
        return answer

    def quiesce(self, timeout: float) -> None:
        """Says that a freeze comes, while a flush may be under way, and waits until the client knows."""
        self.tell(op="quiesce")
        try:
            self._quiesced.get(timeout=timeout)
        except queue.Empty:
            raise ExperimentError(f"the client did not quiesce in {timeout:g} s") from None

    @property
    def has_answered(self) -> bool:
        return not self._answers.empty()

    def freeze(self) -> None:
        """Returns when no thread of the process runs."""
        self._freezer.freeze()

    def resume(self) -> None:
        self._freezer.resume()

    def close(self) -> None:
        self._process.kill()
        self._freezer.close()
        self._process.wait()
        if self._groups is not None:
            self._groups.remove()
        for reader in self._readers:
            reader.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                message = json.loads(line)
                if "quiesced" in message:
                    self._quiesced.put(None)
                else:
                    self._answers.put(message)
        self._answers.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stderr:
                self._said = [*self._said[-20:], line.rstrip()]

    def _last_errors(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        return " / ".join(self._said[-5:]) or f"it ended with {self._process.poll()}"


def run(
    arm: Arm,
    settings: ExperimentSettings,
    progress: Callable[[int], None] = lambda cycle: None,
    stop: Stop | None = None,
) -> ArmOutcome:
    """One arm of an experiment. `progress` gets the number of cycles that are done. If `stop` asks for it,
    the arm ends with the cycle that is under way; the outcome has those that are done.

    Raises ExperimentError: the client, the intake or the line is gone or does not answer; FreezerError: this
    machine does not allow the freezer that is asked for.
    """
    with contextlib.ExitStack() as ends:
        line, figures = over_line.make(settings)
        if line is not None:
            ends.enter_context(line)
        latency = settings.round_trip / 2 if line is None else 0.0
        script = Script(latency=latency, tls_version=settings.tls_version)
        intake = ends.enter_context(Intake(script, side=None if line is None else line.peer))
        child = ends.enter_context(contextlib.closing(Child(arm, intake, settings, line)))
        child.answer(_START_LIMIT)
        if settings.cpu_share < 1:
            child.limit_processor(settings.cpu_share)  # not before: Python's own start would take seconds
        outcome = _Run(arm, settings, intake, child, stop or Stop(), line).run(progress)
        outcome.network = figures
        return outcome


class _Run:
    def __init__(
        self,
        arm: Arm,
        settings: ExperimentSettings,
        intake: Intake,
        child: Child,
        stop: Stop,
        line: Line | None = None,
    ) -> None:
        self._arm, self._settings, self._stop = arm, settings, stop
        self._intake, self._child, self._line = intake, child, line
        self._chance = random.Random(settings.seed)
        self._outcome = ArmOutcome()
        self._spans: dict[tuple[int, int], int] = {}
        self._resumed: float | None = None  # in the cycle under way
        self._limit = settings.flush_deadline + 4 * settings.exchange_timeout + 30.0
        self._before: dict[str, Any] = intake.counts()

    def run(self, progress: Callable[[int], None]) -> ArmOutcome:
        cycle = self._idle_cycle if self._settings.scenario == "idle" else self._in_flight_cycle
        for number in range(self._settings.cycles):
            if self._stop.requested:
                break
            try:
                cycle(number)
            except (ExperimentError, FreezerError, IntakeError, LineError, TimeoutError) as error:
                raise ExperimentError(f"arm {self._arm.name}, cycle {number}: {error}") from error
            if number % 32 == 31:
                self._intake.decode()
            progress(number + 1)
        return self._finish()

    # -- Scenario idle

    def _idle_cycle(self, cycle: int) -> None:
        self._prepare(cycle, large=False)
        self._resumed = None
        if cycle == 0:
            self._tell_flush(cycle)
        else:
            self._child.freeze()
            # The command is in the pipe when the client wakes up.
            self._child.tell(op="resume")
            self._tell_flush(cycle)
            freeze, idle_limit = self._settings.freeze_of(cycle), self._settings.idle_limit or 0.0
            if self._settings.world == "W2" and self._line is not None:
                over_line.end_idle(self._line, self._intake, self._settings.close)
                self._stop.sleep(freeze)
                self._line.join()
            elif self._settings.close == "none" or freeze < idle_limit:
                self._stop.sleep(freeze)
            elif self._settings.close == "race":
                self._race(freeze, self._intake.close_idle)
            else:
                self._stop.sleep(idle_limit)
                self._intake.close_idle(over_line.close_kind(self._settings.close))
                self._stop.sleep(freeze - idle_limit)
            self._resume()
        self._take_answer(cycle, None)

    def _resume(self) -> None:
        self._resumed = time.monotonic()
        self._child.resume()

    # -- Scenario inflight

    def _in_flight_cycle(self, cycle: int) -> None:
        phase = PHASES[cycle % len(PHASES)]
        self._prepare(cycle, large=phase == "body")
        self._resumed = None
        if phase in ("connect", "tls", "head"):
            self._close_pooled()
        self._intake.hold(phase)
        self._tell_flush(cycle)
        held = self._await_held()
        if held:
            # On Lambda an environment that is frozen in mid-exchange has asked for the next event. The client
            # finds connections that ended meanwhile before it can be told of the resume.
            self._child.quiesce(self._limit)
            self._child.freeze()
            self._child.tell(op="resume")
            if self._settings.close == "race":
                self._race(self._settings.freeze_of(cycle), self._intake.act)
            else:
                self._intake.act(over_line.close_kind(self._settings.close))
                self._stop.sleep(self._settings.freeze_of(cycle))
            self._resume()
        else:
            self._intake.hold(None)
        self._take_answer(cycle, phase if held else None)

    def _close_pooled(self) -> None:
        """Ends pooled connections while the client runs, so that the next exchange has to dial."""
        if self._intake.close_idle("fin"):
            self._intake.wait_until_none_idle()
            time.sleep(0.005 + self._settings.round_trip)

    def _await_held(self) -> bool:
        """Waits until the exchange is held. Returns False if the flush ended before its phase."""
        deadline = time.monotonic() + self._limit
        while time.monotonic() < deadline:
            if self._intake.poll_event("held") is not None:
                return True
            if self._child.has_answered:
                return self._intake.poll_event("held") is not None
            time.sleep(0.0002)
        raise ExperimentError(f"no exchange came to be held within {self._limit:g} s")

    # -- Both

    def _race(self, freeze: float, end: Callable[..., object]) -> None:
        """Waits for the freeze, and has `end` close a connection at a time drawn about its end."""
        self._stop.sleep(freeze - _RACE_LEAD)
        resume_at = time.monotonic() + _RACE_LEAD
        end("fin", at=resume_at + self._chance.uniform(-_RACE, _RACE))
        time.sleep(max(0.0, resume_at - time.monotonic()))

    def _prepare(self, cycle: int, *, large: bool) -> None:
        self._child.tell(op="prepare", cycle=cycle, payloads=self._settings.payloads, large=large)
        for number, spans in enumerate(self._child.answer(self._limit)["spans"]):
            self._spans[cycle, number] = spans

    def _tell_flush(self, cycle: int) -> None:
        self._child.tell(op="flush", cycle=cycle, deadline=self._settings.flush_deadline)

    def _take_answer(self, cycle: int, phase: Phase | None) -> None:
        answer = self._child.answer(self._limit)
        self._outcome.errors += answer["errors"]
        counts = self._intake.counts()
        names = ("accepted", "handshakes_full", "handshakes_resumed")
        connections, full, resumed = (counts[name] - self._before[name] for name in names)
        self._before = counts
        resumed_at = self._resumed
        closes = self._intake.timed_closes() if self._settings.close == "race" else []
        self._outcome.cycles.append(
            CycleOutcome(
                cycle=cycle,
                phase=phase,
                flush_ms=answer["flush_ms"],
                cpu_us=answer["cpu_us"],
                connections=connections,
                handshakes_full=full,
                handshakes_resumed=resumed,
                errors=len(answer["errors"]),
                close_ms=(closes[0] - resumed_at) * 1e3 if closes and resumed_at is not None else None,
                flush_start_ms=(answer["begun"] - resumed_at) * 1e3
                if resumed_at is not None and phase is None
                else None,
                exchanges=tuple(answer["exchanges"]),
            )
        )

    def _finish(self) -> ArmOutcome:
        outcome = self._outcome
        self._child.tell(op="finish", deadline=self._settings.flush_deadline)
        end = self._child.answer(4 * self._limit)
        outcome.errors += end["errors"]
        outcome.requests = end["requests"]
        outcome.flagged = {(cycle, payload) for cycle, payload in end["flagged"]}
        outcome.retained = {(cycle, payload) for cycle, payload in end["retained"]}
        outcome.dropped = {(cycle, payload): reason for cycle, payload, reason in end["dropped"]}
        outcome.counters = end["counters"]
        counts = self._intake.counts()
        outcome.connections = counts["accepted"]
        outcome.handshakes_full = counts["handshakes_full"]
        outcome.handshakes_resumed = counts["handshakes_resumed"]
        outcome.times = dict(self._times())
        return outcome

    def _times(self) -> Iterator[tuple[tuple[int, int], int]]:
        """Returns how often each payload arrived; 0 unless all of its spans did."""
        came: dict[tuple[int, int], list[int]] = {where: [] for where in self._spans}
        for identifier, times in self._intake.spans().items():
            origin = origin_of(identifier)
            came[origin.cycle, origin.payload].append(times)
        for where, spans in self._spans.items():
            whole = len(came[where]) == spans
            yield where, max(came[where]) if whole else 0
