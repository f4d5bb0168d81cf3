"""A real world's network: a line that makes its round trip, and what W2 and W3 do to connections over it.

World W2 is W1 over a line that loses everything while the client is stopped. In W3 the client's whole machine
is stopped; what is sent to it waits in its network device. What happens to connections:

fin, rst    the intake ends them. W2: the FIN or the reset is lost, and the client's next packet meets a reset
silent      the intake forgets them
blackhole   a firewall forgets them: their packets are lost from then on
nat         a NAT gateway forgets them: the client's next packet is answered by a reset
address     the client gets another address (W2)
none        nothing: W2 loses what is sent during the span, and the kernels send it again
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from thaw.lab.experiment import Close, ExperimentError, ExperimentSettings, NetworkFigures, WorldMissing
from thaw.lab.intake import Intake
from thaw.lab.intake.script import CLOSE_KINDS, CloseKind, Phase
from thaw.lab.line import Line, LineError
from thaw.lab.polling import poll
from thaw.lab.worlds.relay import Relay

Between = Line | Relay

# Phases at which a packet is lost on its way, and where the intake holds the exchange before:
#   request   what the client sends from the answer to its ClientHello on: with TLS 1.3, its request
#   reply     the intake's answer to a request that it has read whole
LOST_ON_THE_WAY: dict[str, Phase] = {"request": "tls", "reply": "written"}

# Seconds by which Linux delays an acknowledgement at most (TCP_DELACK_MAX).
_LONGEST_ACKNOWLEDGEMENT_DELAY = 0.2
# Seconds within which a packet has to be lost, and for which none may follow: a client that was answered
# sends the rest at once.
_LOSS_LIMIT = 10.0
_QUIET = 0.02


@dataclass(frozen=True)
class Network:
    """The network between client and intake.

    Attributes:
      line: None on the loopback.
      proxied: whether a relay stands for the line that this machine does not allow.
    """

    line: Line | None = None
    proxied: bool = False
    figures: NetworkFigures | None = None


def make(settings: ExperimentSettings) -> Network:
    """Makes a line where the experiment needs one, and says how its round trip is made.

    W1 without a round trip has no line. Where no line can be made, the intake makes the round trip, and W2
    has a relay; the reason goes to standard error. WorldMissing: the world needs a line, and this machine
    allows none. ExperimentError: the line can't be measured.
    """
    if settings.world == "W1" and settings.round_trip == 0:
        return Network()
    try:
        line = Line(round_trip=settings.round_trip, seed=settings.seed)
    except LineError as error:
        return _without_line(settings, error)
    try:
        measured = line.measure(exchanges_each=1)  # the figures need the time of a connect alone
    except BaseException as error:
        line.close()
        if isinstance(error, LineError):
            raise ExperimentError(str(error)) from error
        raise
    return Network(line, figures=NetworkFigures("line", measured.connect, measured.congestion_control))


def _without_line(settings: ExperimentSettings, error: LineError) -> Network:
    if settings.world == "W1":
        print(f"the intake makes the round trip, no line can be made: {error}", file=sys.stderr)
        return Network(figures=NetworkFigures("intake"))
    if settings.world != "W2" or settings.close == "address":
        what = settings.world if settings.world != "W2" else "close address of world W2"
        raise WorldMissing(f"{what} needs a line, which this machine does not allow: {error}") from error
    print(f"a proxy stands for the line, which can't be made: {error}", file=sys.stderr)
    return Network(proxied=True, figures=NetworkFigures("proxy"))


def after_freeze(world: str) -> None:
    """Waits until delayed acknowledgements have left. One that came after the freeze would be answered by a
    reset before the client's next flush, which can't happen in a freeze of seconds. A stopped machine sends
    none.
    """
    if world == "W2":
        time.sleep(_LONGEST_ACKNOWLEDGEMENT_DELAY)


def end_idle(world: str, between: Between, intake: Intake, close: Close) -> None:
    """Ends the connections that are idle. In W2 it cuts the line first, until `join`."""
    if world == "W2":
        between.cut()
    if not _end_on_the_way(between, close) and close != "none":
        intake.close_idle(close_kind(close))


def end_held(world: str, between: Between, intake: Intake, close: Close) -> None:
    """Ends the connection whose exchange is held, or was held when a packet was lost on its way. In W2 it
    cuts the line first, until `join`. If the intake does not end the connection, the intake goes on with the
    exchange.
    """
    if world == "W2":
        between.cut()
    else:
        between.join()  # no more is lost than was lost on its way
    if _end_on_the_way(between, close) or close == "none":
        intake.release()
    else:
        intake.act(close_kind(close))


def _end_on_the_way(between: Between, close: Close) -> bool:
    """Ends connections in the network between client and intake. Returns whether `close` asks for that."""
    if close == "address" and not isinstance(between, Relay):
        between.renumber()
    elif close in ("blackhole", "nat"):
        between.forget_connections("reset" if close == "nat" else "drop")
    else:
        return False
    return True


def lose_on_the_way(between: Between, intake: Intake, phase: str, round_trip: float) -> None:
    """Goes on with the exchange that the intake holds, and loses the client's request or the answer to it.

    Returns when that is lost. ExperimentError: no packet was lost in time.
    """
    way = "up" if phase == "request" else "down"
    between.hole("up" if way == "up" else "down")
    before = _lost(between, way)
    intake.release()
    if not poll(lambda: _lost(between, way) != before, _LOSS_LIMIT, every=0.001):
        raise ExperimentError(f"no packet of the {phase} was lost within {_LOSS_LIMIT:g} s")
    lost = _lost(between, way)
    while True:
        time.sleep(_QUIET + round_trip)
        if (now := _lost(between, way)) == lost:
            return
        lost = now


def _lost(between: Between, way: str) -> int:
    return int(between.counts()[way]["lost_in_hole"])


def close_kind(close: Close) -> CloseKind:
    """Returns the way in which the intake ends connections."""
    return next(kind for kind in CLOSE_KINDS if kind == close)
