"""Worlds with real sockets, real TLS, and a client in a process of its own that SIGSTOP or a cgroup freezes.

In W1 the kernel is not frozen: it acknowledges and queues what the intake sends meanwhile. What this world
shows is not claimed for Lambda itself. W2 cuts the network for the span as well (`over_line`).

idle      flush; freeze; the intake gives every idle connection up; resume; the next flush.
inflight  the intake holds an exchange at one of its phases, in turn; quiesce and freeze there; the intake
          gives the connection up; resume; the flush ends as it can. Over a line there are two phases more, in
          which the request or its answer is lost on its way.

Instead of an idle limit and a longer freeze the intake closes on command while the client is stopped: the
client can't tell the difference, and a run takes seconds. The next flush's command is in the client's pipe
before it is resumed, as an event is there when a function is thawed.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from thaw.lab import freezer
from thaw.lab.arms import Arm
from thaw.lab.experiment import (
    ArmOutcome,
    ClockFigures,
    CycleOutcome,
    ExperimentError,
    ExperimentSettings,
    WorldMissing,
)
from thaw.lab.freezer import FreezerError
from thaw.lab.intake import Intake, IntakeError
from thaw.lab.intake.script import PHASES
from thaw.lab.line import Line, LineError
from thaw.lab.polling import poll
from thaw.lab.stop import Stop
from thaw.lab.workload import origin_of
from thaw.lab.worlds import availability, client_process, over_line, w3_machine
from thaw.lab.worlds.client_process import Child
from thaw.lab.worlds.over_line import LOST_ON_THE_WAY, Between
from thaw.lab.worlds.surroundings import Surroundings

_START_LIMIT = 120.0
_EMULATED_START_LIMIT = 600.0  # an emulated boot takes seconds of processor time
# Seconds before and after the resume in which a racing close falls. The share of flushes that it hits is
# the time for which a client trusts a connection without knowing, over twice this.
_RACE = 0.001
_RACE_LEAD = 0.006  # from the command to the resume


def run(
    arm: Arm,
    settings: ExperimentSettings,
    progress: Callable[[int], None] = lambda cycle: None,
    stop: Stop | None = None,
    around: Surroundings | None = None,
) -> ArmOutcome:
    """Runs one arm of an experiment. `progress` is called with the number of cycles that are done. If `stop`
    is requested, the arm ends with the cycle that is under way, and the outcome has those that are done.
    `around`: surroundings that the arm shares with others; None: the arm has its own.

    Raises ExperimentError: the client, the intake or the line is gone or does not answer; FreezerError: this
    machine does not allow the freezer of the settings.
    """
    if (reason := availability.missing_program(settings.world)) is not None:
        raise WorldMissing(f"world {settings.world} can't be run here: {reason}")
    with _as_experiment_error(f"arm {arm.name}"), contextlib.ExitStack() as ends:
        here = ends.enter_context(Surroundings(settings)) if around is None else around
        line, intake = here.network.line, here.intake
        arguments = client_process.arguments(arm, here.url, intake.ca_file, settings)
        if settings.world.startswith("W3"):
            assert line is not None  # over_line.make refuses to do without
            child = w3_machine.start(ends, arm, settings, line, arguments, intake.ca_file)
        else:
            child = _start(settings, arguments, line)
            ends.enter_context(contextlib.closing(child))
        child.answer(_EMULATED_START_LIMIT if settings.world == "W3b" else _START_LIMIT)
        if around is not None:
            around.renew()
        if settings.cpu_share < 1:
            child.limit_processor(settings.cpu_share)  # not before: Python's own start would take seconds
        outcome = _Run(arm, settings, intake, child, stop or Stop(), here.between).run(progress)
        outcome.network = here.network.figures
        return outcome


@contextlib.contextmanager
def _as_experiment_error(where: str) -> Iterator[None]:
    """Raises an ExperimentError that begins with `where` for what goes wrong around the client."""
    try:
        yield
    except (IntakeError, LineError, TimeoutError) as error:
        raise ExperimentError(f"{where}: {error}") from error


def _start(settings: ExperimentSettings, arguments: list[str], line: Line | None) -> Child:
    """Starts the client as a process of this machine."""
    command = client_process.command(arguments)
    return Child(
        command if line is None else line.client.command(command),
        lambda pid: freezer.make(settings.freezer, pid),
        line=line,
    )


class _Clocks:
    """The client's clocks while it is frozen, compared with this machine's monotonic clock."""

    def __init__(self) -> None:
        self._frozen = 0.0
        self._since = 0.0
        self._first: tuple[float, list[float]] | None = None  # this machine's time, the client's clocks
        self._last: tuple[float, list[float]] | None = None

    def freeze(self) -> None:
        self._since = time.monotonic()

    def resume(self) -> None:
        self._frozen += time.monotonic() - self._since

    def add(self, clocks: list[float]) -> None:
        """Takes the clocks of an answer that has just arrived."""
        self._last = (time.monotonic(), clocks)
        self._first = self._first or self._last

    def figures(self) -> ClockFigures | None:
        if self._first is None or self._last is None:
            return None
        (first_at, first), (last_at, last) = self._first, self._last
        lost = (last_at - first_at - (end - begin) for begin, end in zip(first, last, strict=True))
        return ClockFigures(self._frozen, *lost)


class _Run:
    def __init__(
        self,
        arm: Arm,
        settings: ExperimentSettings,
        intake: Intake,
        child: Child,
        stop: Stop,
        between: Between | None,
    ) -> None:
        self._arm, self._settings, self._stop = arm, settings, stop
        self._intake, self._child, self._between = intake, child, between
        # W1 has a line for its round trip alone.
        self._over = None if settings.world == "W1" else between
        self._phases = PHASES if self._over is None else (*PHASES, *LOST_ON_THE_WAY)
        self._chance = random.Random(settings.seed)
        self._outcome = ArmOutcome()
        self._spans: dict[tuple[int, int], int] = {}
        self._resumed: float | None = None  # in the cycle under way
        self._planned: float | None = None  # when its flush is to begin, in an open loop
        self._clocks = _Clocks()
        self._arrived: int | None = None  # requests that had arrived whole at the freeze
        self._limit = settings.flush_deadline + 4 * settings.exchange_timeout + 30.0
        self._before: dict[str, Any] = intake.counts()

    def run(self, progress: Callable[[int], None]) -> ArmOutcome:
        cycle = self._idle_cycle if self._settings.scenario == "idle" else self._in_flight_cycle
        every, first = self._settings.flush_every, 0.0
        for number in range(self._settings.cycles):
            if self._stop.requested:
                break
            if number == 1:
                first = time.monotonic()  # a process that starts keeps to no schedule
            self._planned = first + number * every if every is not None and number else None
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
            self._freeze()
            # The command is in the pipe when the client wakes up.
            self._child.tell(op="resume")
            self._tell_flush(cycle)
            freeze, idle_limit = self._settings.freeze_of(cycle), self._settings.idle_limit or 0.0
            if self._over is not None:
                over_line.after_freeze(self._settings.world)
                over_line.end_idle(self._settings.world, self._over, self._intake, self._settings.close)
                self._stop.sleep(freeze)
                self._over.join()
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

    def _freeze(self) -> None:
        self._child.freeze()
        self._clocks.freeze()

    def _resume(self) -> None:
        if self._planned is not None:
            self._stop.sleep(self._planned - time.monotonic())
        self._resumed = time.monotonic()
        self._clocks.resume()
        self._child.resume()

    # -- Scenario inflight

    def _in_flight_cycle(self, cycle: int) -> None:
        phase = self._phases[cycle % len(self._phases)]
        self._prepare(cycle, large=phase == "body")
        self._resumed = None
        held_at = LOST_ON_THE_WAY.get(phase, phase)
        if held_at in ("connect", "tls", "head"):
            self._close_pooled()
        self._intake.hold(next(each for each in PHASES if each == held_at))
        self._tell_flush(cycle)
        held = self._await_held()
        if held:
            if self._over is not None and phase in LOST_ON_THE_WAY:
                over_line.lose_on_the_way(self._over, self._intake, phase, self._settings.round_trip)
            # On Lambda an environment that is frozen in mid-exchange has asked for the next event. The client
            # finds connections that ended meanwhile before it can be told of the resume.
            self._child.quiesce(self._limit)
            self._freeze()
            self._arrived = self._requests()
            self._child.tell(op="resume")
            if self._over is not None:
                over_line.end_held(self._settings.world, self._over, self._intake, self._settings.close)
                self._stop.sleep(self._settings.freeze_of(cycle))
                self._over.join()
            elif self._settings.close == "race":
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

        def held() -> bool:
            return self._intake.poll_event("held") is not None

        def outcome() -> str | None:
            if held():
                return "held"
            # The intake may have held it between the two looks.
            return ("held" if held() else "ended") if self._child.has_answered else None

        found = poll(outcome, self._limit, every=0.0002)
        if found is None:
            raise ExperimentError(f"no exchange was held within {self._limit:g} s")
        return found == "held"

    def _requests(self) -> int:
        """Returns how many requests of this cycle the intake has read whole."""
        return int(self._intake.counts()["requests"] - self._before["requests"])

    # -- Both

    def _race(self, freeze: float, end: Callable[..., object]) -> None:
        """Waits for the freeze, and has `end` close a connection at a random time about its end."""
        self._stop.sleep(freeze - _RACE_LEAD)
        resume_at = time.monotonic() + _RACE_LEAD
        end("fin", at=resume_at + self._chance.uniform(-_RACE, _RACE))
        time.sleep(max(0.0, resume_at - time.monotonic()))

    def _prepare(self, cycle: int, *, large: bool) -> None:
        self._intake.begin_period(cycle)
        self._child.tell(op="prepare", cycle=cycle, payloads=self._settings.payloads, large=large)
        for number, spans in enumerate(self._child.answer(self._limit)["spans"]):
            self._spans[cycle, number] = spans

    def _tell_flush(self, cycle: int) -> None:
        self._child.tell(op="flush", cycle=cycle, deadline=self._settings.flush_deadline)

    def _take_answer(self, cycle: int, phase: str | None) -> None:
        answer = self._child.answer(self._limit)
        self._clocks.add(answer["clocks"])
        self._outcome.errors += answer["errors"]
        counts = self._intake.counts()
        names = ("accepted", "handshakes_full", "handshakes_resumed")
        connections, full, resumed = (counts[name] - self._before[name] for name in names)
        arrived = counts["requests"] - self._before["requests"]
        self._before = counts
        resumed_at = self._resumed
        late = None if self._planned is None else max(0.0, answer["begun"] - self._planned) * 1e3
        closes = self._intake.timed_closes() if self._settings.close == "race" else []
        self._outcome.cycles.append(
            CycleOutcome(
                cycle=cycle,
                phase=phase,
                flush_ms=answer["flush_ms"] + (late or 0.0),
                late_ms=late,
                cpu_us=answer["cpu_us"],
                connections=connections,
                handshakes_full=full,
                handshakes_resumed=resumed,
                errors=len(answer["errors"]),
                arrived=arrived,
                arrived_at_freeze=self._arrived if phase is not None else None,
                close_ms=(closes[0] - resumed_at) * 1e3 if closes and resumed_at is not None else None,
                flush_start_ms=(answer["begun"] - resumed_at) * 1e3
                if resumed_at is not None and phase is None
                else None,
                exchanges=tuple(answer["exchanges"]),
            )
        )

    def _finish(self) -> ArmOutcome:
        outcome = self._outcome
        self._intake.begin_period(len(outcome.cycles))
        self._child.tell(op="finish", deadline=self._settings.flush_deadline)
        end = self._child.answer(4 * self._limit)
        outcome.errors += end["errors"]
        outcome.requests = end["requests"]
        outcome.flagged = {(cycle, payload) for cycle, payload in end["flagged"]}
        outcome.retained = {(cycle, payload) for cycle, payload in end["retained"]}
        outcome.dropped = {(cycle, payload): reason for cycle, payload, reason in end["dropped"]}
        outcome.counters = end["counters"]
        outcome.clocks = self._clocks.figures()
        counts = self._intake.counts()
        outcome.whole_requests, outcome.body_bytes = counts["requests"], counts["body_bytes"]
        outcome.connections = counts["accepted"]
        outcome.handshakes_full = counts["handshakes_full"]
        outcome.handshakes_resumed = counts["handshakes_resumed"]
        outcome.times = dict(self._times())
        outcome.arrived_in = self._arrived_in(outcome.times)
        return outcome

    def _arrived_in(self, times: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
        """Returns the cycle in which each payload that arrived had first done so whole."""
        periods: dict[tuple[int, int], int] = {}
        for identifier, period in self._intake.first_periods().items():
            origin = origin_of(identifier)
            where = origin.cycle, origin.payload
            periods[where] = max(period, periods.get(where, 0))
        return {where: period for where, period in periods.items() if times[where] > 0}

    def _times(self) -> Iterator[tuple[tuple[int, int], int]]:
        """Returns how often each payload arrived; 0 unless all of its spans did."""
        came: dict[tuple[int, int], list[int]] = {where: [] for where in self._spans}
        for identifier, times in self._intake.spans().items():
            origin = origin_of(identifier)
            came[origin.cycle, origin.payload].append(times)
        for where, spans in self._spans.items():
            whole = len(came[where]) == spans
            yield where, max(came[where]) if whole else 0
