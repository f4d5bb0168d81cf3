"""A model of a flush's wall time, which the document holds against what was measured.

    model = Model.calibrated(cells_of_calibration)
    model.predict(cell).wall_ms

Its constants are the work of a flush, an exchange and a dial at each end. They come from three arms that have
one connection at a time, so that nothing overlaps: the client's work is the processor time that was measured,
and the intake's is what a flush takes beyond that and its round trips. Everything else is computed
(`simulation`): a cell's flushes are simulated one after the other from the client's first, as they were
measured, and the prediction is the median of all but the first.

With a share of a processor, it is not known when in its period a flush begins, nor what the client has used
of that period's share for making its payloads. The prediction is the median over several of both.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import thaw
from thaw.lab import arms
from thaw.lab.answer.cells import Cell, Cells, Spread
from thaw.lab.answer.simulation import PERIOD, Client, Costs, Flush, Line, Policy, Quota
from thaw.lab.intake import encode
from thaw.lab.workload import Workload

WARM = "thaw-pooled(max_connections_per_host=1,on_resume=keep)"
RESUMED = "thaw(max_connections_per_host=1)"
FULL = "thaw(max_connections_per_host=1,tls_session_resumption=false)"

# When in a period of the processor's share flushes begin, and how much of the share is left then.
_STARTS = 8
_STRIDE = 3  # has no divisor in common with it, so that each start has another part of the share


def policy(arm: str) -> Policy | None:
    """The policy of an arm; None where the model has no constants, which are those of thaw's own client."""
    found = arms.parse(arm)
    if found.maker != "native" or found.client_per_flush:
        return None
    options = found.client_options("ca.pem")
    return Policy(
        one_by_one=found.flusher_options("idle").sequential,
        shares=options.share_within_flush,
        idle=options.max_idle_per_host,
        keeps=options.on_resume is thaw.OnResume.KEEP,
        most=options.max_connections_per_host,
        resumes=options.tls_session_resumption,
        eager=options.dial_eagerly,
    )


@dataclass(frozen=True)
class Prediction:
    """What the model expects of a cell.

    Attributes:
      wall_ms: the time of a flush.
      cpu_ms: the client's processor time of a flush.
      connections: how many a flush opens, the first one's included.
    """

    wall_ms: float
    cpu_ms: float
    connections: float


@dataclass(frozen=True)
class Model:
    """The model with its constants: the client's work where it slept before and where it was busy, and the
    intake's.
    """

    woken: Costs
    busy: Costs
    intake: Costs

    @classmethod
    def calibrated(cls, cells: Cells) -> Model:
        """Reads the constants from the cells of the spec `calibration`. LookupError: a cell is missing.

        Results that have no cell without a round trip give the same work for a client that was busy as for
        one that slept.
        """
        over_line = Cells([each for each in cells if each.row.round_trip > 0])
        without = cells.where(round_trip=0.0)
        round_trip = over_line.one(WARM, payloads_per_flush=1).round_trip * 1e3
        both = _costs(over_line, lambda cell: cell.wall_ms, round_trip)
        woken = _costs(over_line, lambda cell: cell.cpu_ms)
        return cls(
            woken,
            _costs(without, lambda cell: cell.cpu_ms) if len(without) else woken,
            Costs(
                flush=max(0.0, both.flush - woken.flush),
                request=max(0.0, both.request - woken.request),
                resumed=max(0.0, both.resumed - woken.resumed),
                full=max(0.0, both.full - woken.full),
            ),
        )

    def predict(self, cell: Cell) -> Prediction | None:
        """Predicts a cell; None for an arm that is not thaw's client."""
        found = policy(cell.arm)
        if found is None:
            return None
        row = cell.row
        line = Line(cell.round_trip * 1e3, full_handshake=2 if row.tls_version == "1.2" else 1)
        later: list[Flush] = []
        opened = 0
        starts = _starts(row.cpu_share)
        for first in range(len(starts)):
            client = Client(found, line, self.woken, self.busy, self.intake)
            flushes = [
                client.flush(
                    max(1, round(cell.requests)), body_bytes(cell), starts[(first + cycle) % len(starts)]
                )
                for cycle in range(row.cycles)
            ]
            later += flushes[1:] or flushes
            opened += sum(each.opened for each in flushes)
        return Prediction(
            wall_ms=statistics.median(each.milliseconds for each in later),
            cpu_ms=statistics.fmean(each.processor for each in later),
            connections=opened / (row.cycles * len(starts)),
        )


def _costs(cells: Cells, spread: Callable[[Cell], Spread], round_trip: float = 0.0) -> Costs:
    """Reads costs from a figure of the three arms, which contains round trips of so many milliseconds."""

    def figure(arm: str, payloads: int) -> float:
        return spread(cells.one(arm, payloads_per_flush=payloads)).middle

    slope = (figure(WARM, 20) - figure(WARM, 1)) / 19
    return Costs(
        flush=figure(WARM, 1) - slope,
        request=slope - round_trip,
        resumed=figure(RESUMED, 1) - figure(WARM, 1) - 2 * round_trip,
        full=figure(FULL, 1) - figure(WARM, 1) - 2 * round_trip,
    )


def _starts(share: float) -> Sequence[Quota]:
    """Returns the states of the processor's share in which flushes begin."""
    if share >= 1:
        return [Quota()]
    return [
        Quota(
            share,
            period_left=PERIOD * (number + 0.5) / _STARTS,
            quota_left=(number * _STRIDE % _STARTS + 0.5) / _STARTS,
        )
        for number in range(_STARTS)
    ]


def body_bytes(cell: Cell) -> int:
    """Returns the size of the cell's bodies as they were sent. Where older results do not say it, its first
    body is made again.
    """
    if cell.sent_bytes is not None:
        return round(cell.sent_bytes)
    return _generated_bytes(cell.row.seed, cell.row.spans, cell.row.filler_bytes)


@functools.cache
def _generated_bytes(seed: int, spans: int, filler_bytes: int) -> int:
    body = Workload("generated", seed=seed, spans=spans, filler_bytes=filler_bytes).body(0, 0)
    return len(encode.agent_payload(body.data, body.headers))
