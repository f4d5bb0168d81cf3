"""The peers of a client: the line, the intake at its other end and, where no line can be made, a relay.

    with Surroundings(settings) as around:
        around.url, around.intake.counts()

Several clients use them one after the other where `shared` says so; `renew` resets the intake in between.
"""

from __future__ import annotations

import contextlib
from typing import Self

from thaw.lab.experiment import ExperimentError, ExperimentSettings
from thaw.lab.intake import Intake, IntakeError
from thaw.lab.intake.script import Script
from thaw.lab.line import Line, LineError
from thaw.lab.worlds import over_line
from thaw.lab.worlds.over_line import Between
from thaw.lab.worlds.relay import Relay


def shared(settings: ExperimentSettings) -> bool:
    """Returns whether the arms of a block may have the same surroundings: nothing is done to connections."""
    return settings.world == "W1" and settings.close == "none"


def _intake(ends: contextlib.ExitStack, script: Script, line: Line | None) -> Intake:
    """Starts the intake. ExperimentError: it did not start; where the line is gone, that is the reason."""
    try:
        try:
            return ends.enter_context(Intake(script, side=None if line is None else line.peer))
        except (IntakeError, TimeoutError):
            if line is not None:
                line.require_alive()
            raise
    except (IntakeError, LineError, TimeoutError) as error:
        raise ExperimentError(str(error)) from error


class Surroundings:
    """Starts the peers and measures the line. WorldMissing, ExperimentError: as `over_line.make`;
    ExperimentError also if the intake does not start.

    Attributes:
      network: the line, and how its round trip is made.
      between: the line or relay, which can cut connections; None on the loopback.
      url: the URL that the client delivers to.
    """

    def __init__(self, settings: ExperimentSettings) -> None:
        with contextlib.ExitStack() as ends:
            self.network = over_line.make(settings)
            line = self.network.line
            if line is not None:
                ends.enter_context(line)
            latency = settings.round_trip / 2 if line is None else 0.0
            script = Script(latency=latency, tls_version=settings.tls_version)
            self.intake = _intake(ends, script, line)
            self.between: Between | None = line
            self.url = self.intake.url
            if self.network.proxied:
                relay = ends.enter_context(contextlib.closing(Relay(self.intake.port)))
                self.between, self.url = relay, relay.url
            self._ends = ends.pop_all()

    def renew(self) -> None:
        """Resets the intake to its first state, once the client before is gone and another has started."""
        self.intake.begin_anew()

    def close(self) -> None:
        self._ends.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


class BlockSurroundings:
    """The surroundings of the block under way, where its arms may share them; `close` ends them."""

    def __init__(self) -> None:
        self._block: int | None = None
        self._held: Surroundings | None = None

    def of(self, block: int, settings: ExperimentSettings) -> Surroundings | None:
        """Returns the surroundings of a block, made when it begins; None if each arm has its own."""
        if not shared(settings):
            return None
        if self._held is None or block != self._block:
            self.close()
            self._held, self._block = Surroundings(settings), block
        return self._held

    def close(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
