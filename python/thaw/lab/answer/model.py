"""A model of a flush's wall time and processor time, which the document holds against what was measured.

    model = Model.calibrated(cells_of_calibration)
    model.wall_ms(cell), model.cpu_ms(cell)

A flush of n requests over k connections, with a round trip R, takes

    W = o + h·R + k·c + ⌈n/k⌉·R + n·e + s·R        requests share the connections that the flush opened
    W = o + n·e + ⌈n/k⌉·R                          connections were kept, so h, c and s are 0
    W = o + ⌈n/k⌉·(h + s)·R + n·c + ⌈n/k⌉·R + n·e  each request has a connection of its own, k at a time

h: round trips of a dial: 1 for TCP, 1 for TLS 1.3 or a resumed session, 2 for a full handshake of TLS 1.2.
c: the work of a dial at both ends. e: the work of an exchange at both ends. o: what a flush takes besides.
s: round trips in which the first body on a connection waits for the congestion window: with an initial window
   of ten segments ⌈log₂(1 + B/IW)⌉ - 1 (RFC 6928; RFC 5681, slow start).

c, e and o come from three arms that have one connection at a time. Both ends are on one machine, so k dials
or n exchanges overlap in their waiting but not in their work. With a share of a processor, work of C ms waits
for ⌈C/q⌉ - 1 further periods of 20 ms, in each of which q ms are given.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import thaw
from thaw.lab import arms
from thaw.lab.answer.cells import Cell, Cells
from thaw.lab.intake import encode
from thaw.lab.workload import Workload

INITIAL_WINDOW_BYTES = 10 * 1460
PERIOD_MS = 20.0

WARM = "thaw-pooled(max_connections_per_host=1,on_resume=keep)"
RESUMED = "thaw(max_connections_per_host=1)"
FULL = "thaw(max_connections_per_host=1,tls_session_resumption=false)"

Dials = Literal["none", "shared", "each"]


@dataclass(frozen=True)
class Policy:
    """An arm as the model sees it.

    Attributes:
      dials: none: connections are kept; shared: requests of a flush share the ones it opens; each: every
        request opens its own.
      resumes: TLS sessions are resumed.
      most: connections at a time.
    """

    dials: Dials
    resumes: bool
    most: int


def policy(arm: str) -> Policy | None:
    """Returns the policy of an arm; None where the model has no constants, which are those of thaw's own
    client.
    """
    found = arms.parse(arm)
    if found.maker != "native" or found.client_per_flush:
        return None
    options = found.client_options("ca.pem")
    one_by_one = found.flusher_options("idle").sequential
    if options.max_idle_per_host > 0 and options.on_resume is thaw.OnResume.KEEP:
        dials: Dials = "none"
        # Connections that are kept serve the next flush; further requests wait for them and do not dial.
        most = min(options.max_idle_per_host, options.max_connections_per_host)
    else:
        dials = "shared" if options.share_within_flush else "each"
        most = options.max_connections_per_host
    return Policy(dials, options.tls_session_resumption, 1 if one_by_one else most)


@dataclass(frozen=True)
class Costs:
    """Milliseconds of work.

    Attributes:
      flush: the work of a flush, whatever it sends.
      request: the work of each exchange.
      resumed, full: the work of each dial, with a resumed TLS session and with a full handshake.
    """

    flush: float
    request: float
    resumed: float
    full: float

    @classmethod
    def of(cls, figure: Callable[[str, int], float], round_trip: float) -> Costs:
        """Reads them from the figures of the three arms. `round_trip`: milliseconds, 0 for processor time."""
        slope = (figure(WARM, 20) - figure(WARM, 1)) / 19
        return cls(
            flush=figure(WARM, 1) - slope,
            request=slope - round_trip,
            resumed=figure(RESUMED, 1) - figure(WARM, 1) - 2 * round_trip,
            full=figure(FULL, 1) - figure(WARM, 1) - 2 * round_trip,
        )


@dataclass(frozen=True)
class Model:
    """The model with its constants."""

    wall: Costs
    processor: Costs

    @classmethod
    def calibrated(cls, cells: Cells) -> Model:
        """Reads the constants from the cells of the spec `calibration`. LookupError: a cell is missing."""

        def wall(arm: str, payloads: int) -> float:
            return cells.one(arm, payloads_per_flush=payloads).wall_ms.middle

        def processor(arm: str, payloads: int) -> float:
            return cells.one(arm, payloads_per_flush=payloads).cpu_ms.middle

        round_trip = cells.one(WARM, payloads_per_flush=1).round_trip * 1e3
        return cls(Costs.of(wall, round_trip), Costs.of(processor, 0.0))

    def wall_ms(self, cell: Cell) -> float | None:
        """Predicts the time of a flush; None for an arm that is not thaw's client."""
        plan = _Plan.of(cell)
        if plan is None:
            return None
        work = self._work(self.wall, plan)
        waiting = plan.dial_turns * (plan.dial_round_trips + plan.slow_start) + plan.exchange_turns
        return work + waiting * plan.round_trip_ms + self._throttled_ms(cell)

    def cpu_ms(self, cell: Cell) -> float | None:
        """Predicts the client's processor time for a flush; None for an arm that is not thaw's client."""
        plan = _Plan.of(cell)
        return None if plan is None else self._work(self.processor, plan)

    def dials(self, cell: Cell) -> int:
        """Returns how many connections a flush opens; 0 for an arm that is not thaw's client."""
        plan = _Plan.of(cell)
        return 0 if plan is None else plan.dials

    def _work(self, costs: Costs, plan: _Plan) -> float:
        dial = costs.resumed if plan.resumes else costs.full
        return costs.flush + plan.requests * costs.request + plan.dials * dial

    def _throttled_ms(self, cell: Cell) -> float:
        share = cell.row.cpu_share
        quota = PERIOD_MS * share
        work = self.cpu_ms(cell) or 0.0
        return max(0, math.ceil(work / quota) - 1) * (PERIOD_MS - quota) if share < 1 else 0.0


@dataclass(frozen=True)
class _Plan:
    """The numbers of a flush: its requests, connections and turns."""

    requests: int
    dials: int
    dial_turns: int  # dials that wait for each other
    exchange_turns: int
    dial_round_trips: int
    slow_start: int
    resumes: bool
    round_trip_ms: float

    @classmethod
    def of(cls, cell: Cell) -> _Plan | None:
        found = policy(cell.arm)
        if found is None:
            return None
        requests = max(1, round(cell.requests))
        at_a_time = min(found.most, requests)
        turns = math.ceil(requests / at_a_time)
        dials = {"none": 0, "shared": at_a_time, "each": requests}[found.dials]
        dial_turns = {"none": 0, "shared": 1, "each": turns}[found.dials]
        return cls(
            requests=requests,
            dials=dials,
            dial_turns=dial_turns,
            exchange_turns=turns,
            dial_round_trips=3 if cell.row.tls_version == "1.2" and not found.resumes else 2,
            slow_start=slow_start_round_trips(body_bytes(cell)) if dials else 0,
            resumes=found.resumes,
            round_trip_ms=cell.round_trip * 1e3,
        )


def slow_start_round_trips(body: int) -> int:
    """Returns how often a body of `body` bytes waits for the window of a fresh connection to grow."""
    return max(0, math.ceil(math.log2(1 + body / INITIAL_WINDOW_BYTES)) - 1)


def body_bytes(cell: Cell) -> int:
    """Returns the size of the cell's first body as it is sent."""
    return _generated_bytes(cell.row.seed, cell.row.spans, cell.row.filler_bytes)


@functools.cache
def _generated_bytes(seed: int, spans: int, filler_bytes: int) -> int:
    body = Workload("generated", seed=seed, spans=spans, filler_bytes=filler_bytes).body(0, 0)
    return len(encode.agent_payload(body.data, body.headers))
