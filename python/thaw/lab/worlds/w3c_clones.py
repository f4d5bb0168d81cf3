"""World W3c: a machine is saved, and two machines go on from the same snapshot, as environments of SnapStart
do.

    clones = run(arms.parse("thaw"), settings)
    clones.shared         # what both had and must not have: ("TLS session",)

A client flushes in an emulated machine, which is then saved and ended. Two clones are loaded from the
snapshot, one after the other, at the same end of the line, so that each would use what the first machine had
open there. Each is told of the restore, and flushes. State that a clone shares with the machine that was
saved, or with the other clone, is seen from outside: in its TLS handshakes, in its connections and in what
arrives.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from dataclasses import dataclass
from typing import Any

from thaw.lab.arms import Arm
from thaw.lab.experiment import ExperimentError, ExperimentSettings, WorldMissing
from thaw.lab.freezer import FreezerError
from thaw.lab.intake import Intake, IntakeError
from thaw.lab.intake.client_hello import Hello
from thaw.lab.intake.script import Script
from thaw.lab.line import Line, LineError
from thaw.lab.workload import origin_of
from thaw.lab.worlds import availability, client_process, over_line, w3_machine

CLONES = 2
_BOOT_LIMIT, _LIMIT = 600.0, 120.0  # seconds; an emulated machine takes its time


@dataclass(frozen=True)
class Clone:
    """One flush, of the machine that was saved (number 0) or of a clone.

    Attributes:
      random: bytes of its kernel's random numbers, after the restore; empty for the machine that was saved.
      hellos: the first messages of the TLS handshakes that it made.
      connections: the number of connections that it opened.
      requests: the number of its requests that arrived.
    """

    number: int
    random: str
    hellos: tuple[Hello, ...]
    connections: int
    requests: int
    delivered: int
    lost: int
    duplicated: int
    errors: tuple[str, ...]

    @property
    def used_old_connection(self) -> bool:
        """Returns whether requests came over a connection that it had not opened itself."""
        return self.number > 0 and self.requests > 0 and self.connections == 0


@dataclass(frozen=True)
class Clones:
    """The observations of one arm: of the machine that was saved, and of its clones."""

    arm: str
    machines: tuple[Clone, ...]

    @property
    def shared(self) -> tuple[str, ...]:
        """Names what two of them had in common and must not have."""
        clones = [each for each in self.machines if each.number > 0]
        found = []
        hellos = [hello for each in self.machines for hello in each.hellos]
        if _repeats([hello.random for hello in hellos]):
            found.append("random numbers of TLS")
        if _repeats([hello.key_share for hello in hellos if hello.key_share]):
            found.append("keys of TLS")
        # Within one machine a session may be offered twice; two machines must not offer the same.
        tickets = [{hello.ticket for hello in each.hellos if hello.ticket} for each in clones]
        if tickets and set.intersection(*tickets):
            found.append("TLS session")
        if any(each.used_old_connection for each in clones):
            found.append("connection")
        return tuple(found)

    @property
    def kernel_repeats(self) -> bool:
        """Returns whether the clones' kernels gave the same random numbers, which no client can prevent."""
        return _repeats([each.random for each in self.machines if each.random])

    def to_json(self) -> dict[str, Any]:
        """Returns all members as JSON has them."""
        return {**dataclasses.asdict(self), "shared": self.shared, "kernel_repeats": self.kernel_repeats}


def _repeats(values: list[str]) -> bool:
    return len(set(values)) < len(values)


def settings_of(arm: Arm, *, payloads: int = 2, seed: int = 1) -> ExperimentSettings:
    """Returns the settings with which an arm's machines run."""
    return ExperimentSettings(
        arms=(arm.name,),
        world="W3b",
        close="silent",
        cycles=CLONES + 1,
        payloads=payloads,
        workload="generated",
        exchange_timeout=20.0,
        freeze=1.0,
        seed=seed,
    )


def run(arm: Arm, settings: ExperimentSettings, *, reseeded: bool = True) -> Clones:
    """Saves a machine and runs its clones. `reseeded`: whether each clone's kernel is reseeded as it is
    restored, which managers of machines do and QEMU does not.

    Raises WorldMissing: this machine does not have what it takes; ExperimentError: it could not be carried
      out.
    """
    if (reason := availability.missing_program("W3b")) is not None:
        raise WorldMissing(f"world W3c can't be run here: {reason}")
    with contextlib.ExitStack() as ends:
        line = over_line.make(settings).line
        assert line is not None  # W3 does not do without
        ends.enter_context(line)
        snapshot = os.memfd_create("snapshot")
        ends.callback(os.close, snapshot)
        try:
            intake = ends.enter_context(Intake(Script(tls_version=settings.tls_version), side=line.peer))
            machines = [
                _Machine(arm, settings, line, intake, snapshot, number, reseeded).run()
                for number in range(CLONES + 1)
            ]
        except (FreezerError, IntakeError, LineError, TimeoutError) as error:
            raise ExperimentError(f"arm {arm.name}: {error}") from error
    return Clones(arm.name, tuple(machines))


def _times(intake: Intake, cycle: int, spans: list[int]) -> list[int]:
    """Returns how often each payload of a cycle arrived; 0 unless all of its spans did."""
    came: dict[int, list[int]] = {number: [] for number in range(len(spans))}
    for identifier, times in intake.spans().items():
        origin = origin_of(identifier)
        if origin.cycle == cycle:
            came[origin.payload].append(times)
    return [max(came[number]) if len(came[number]) == count else 0 for number, count in enumerate(spans)]


class _Machine:
    """A machine that boots, flushes and is saved (number 0), or goes on from there and flushes."""

    def __init__(
        self,
        arm: Arm,
        settings: ExperimentSettings,
        line: Line,
        intake: Intake,
        snapshot: int,
        number: int,
        reseeded: bool,
    ) -> None:
        self._arm, self._settings, self._line, self._intake = arm, settings, line, intake
        self._snapshot, self._number, self._reseeded = snapshot, number, reseeded

    def run(self) -> Clone:
        settings, intake = self._settings, self._intake
        before, hellos = intake.counts(), len(intake.hellos())
        intake.begin_period(self._number)
        arguments = client_process.arguments(self._arm, intake.url, intake.ca_file, settings)
        with contextlib.ExitStack() as ends:
            snapshot = self._snapshot if self._number else None
            child, monitor = w3_machine.start_qemu(
                ends, self._arm, settings, self._line, arguments, intake.ca_file, snapshot
            )
            random = ""
            if self._number == 0:
                child.answer(_BOOT_LIMIT)
            else:
                monitor.await_loaded()
                # The client finds the command when it wakes up.
                child.tell(op="restore", entropy=os.urandom(32).hex() if self._reseeded else "")
                child.resume()
                random = child.answer(_LIMIT)["restored"]
            child.tell(op="prepare", cycle=self._number, payloads=settings.payloads, large=False)
            spans = child.answer(_LIMIT)["spans"]
            child.tell(op="flush", cycle=self._number, deadline=settings.flush_deadline)
            answer = child.answer(_LIMIT)
            if self._number == 0:
                child.freeze()
                monitor.save(self._snapshot)
        after = intake.counts()
        times = _times(intake, self._number, spans)
        return Clone(
            number=self._number,
            random=random,
            hellos=tuple(intake.hellos()[hellos:]),
            connections=after["accepted"] - before["accepted"],
            requests=after["requests"] - before["requests"],
            delivered=sum(each > 0 for each in times),
            lost=sum(each == 0 for each in times),
            duplicated=sum(each > 1 for each in times),
            errors=tuple(answer["errors"]),
        )
