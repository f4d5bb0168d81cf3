"""A real world's network: a line that makes its round trip, and what W2 does to connections while it is cut.

World W2 is W1 over a line that loses everything while the client is stopped. What happens to connections:

fin, rst    the intake ends them; the FIN or the reset is lost, and the client's next packet meets a reset
silent      the intake forgets them
blackhole   a firewall forgets them: their packets are lost from then on
nat         a NAT gateway forgets them: the client's next packet is answered by a reset
address     the client gets another address
"""

from __future__ import annotations

import sys
import time

from thaw.lab.experiment import Close, ExperimentError, ExperimentSettings, NetworkFigures
from thaw.lab.intake import Intake
from thaw.lab.intake.script import CLOSE_KINDS, CloseKind
from thaw.lab.line import Line, LineError

# Seconds by which Linux delays an acknowledgement at most (TCP_DELACK_MAX).
_LONGEST_ACKNOWLEDGEMENT_DELAY = 0.2


def make(settings: ExperimentSettings) -> tuple[Line | None, NetworkFigures | None]:
    """Returns a line where the experiment needs one, and how its round trip is made.

    W1 without a round trip has no line. Where no line can be made, the intake makes W1's round trip; the
    reason goes to standard error. ExperimentError: W2 needs a line, and this machine allows none; or the line
    can't be measured.
    """
    if settings.world == "W1" and settings.round_trip == 0:
        return None, None
    try:
        line = Line(round_trip=settings.round_trip, seed=settings.seed)
    except LineError as error:
        if settings.world == "W2":
            raise ExperimentError(
                f"world W2 needs a line, which this machine does not allow: {error}"
            ) from error
        print(f"the intake makes the round trip, no line can be made: {error}", file=sys.stderr)
        return None, NetworkFigures("intake")
    try:
        measured = line.measure()
    except BaseException as error:
        line.close()
        if isinstance(error, LineError):
            raise ExperimentError(str(error)) from error
        raise
    return line, NetworkFigures("line", measured.connect, measured.congestion_control)


def end_idle(line: Line, intake: Intake, close: Close) -> None:
    """Cuts the line and ends the connections that are idle. `line.join` ends the cut.

    Acknowledgements leave before: one that came late would be met by a reset before the client's next flush,
    which no freeze of seconds allows.
    """
    time.sleep(_LONGEST_ACKNOWLEDGEMENT_DELAY)
    line.cut()
    if close == "address":
        line.renumber()
    elif close in ("blackhole", "nat"):
        line.forget_connections("reset" if close == "nat" else "drop")
    else:
        intake.close_idle(close_kind(close))


def close_kind(close: Close) -> CloseKind:
    """Returns the way in which the intake ends connections."""
    return next(kind for kind in CLOSE_KINDS if kind == close)
