"""A simulation of flushes of thaw's client over a line, with which the model predicts their time.

    client = Client(Policy(...), Line(round_trip=20.0), Costs(...), Costs(...), Costs(...))
    client.flush(requests=5, body=600).milliseconds

Both ends have one processor each, which does one thing after the other; work at the two ends overlaps, and so
does what waits for the line. The line delays everything by half a round trip each way and loses nothing.

A dial takes a round trip for TCP and one for TLS (two for a full handshake of TLS 1.2); an exchange takes
one, and one more for each flight that its request needs beyond the first. The client does half of its work
before a message is sent, and half when the answer has come. Work that comes while the client is busy costs
less than work for which it has to wake up.

When connections are opened follows the rules of cc/net/pool.h, with what the client knows from the flush
before. Times are milliseconds.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

PERIOD = 20.0  # of a share of a processor
SHORT_QUEUE = 5.0  # kShortQueue of cc/net/pool.h
PATIENCE_AT_FIRST = 50.0  # kPatienceAtFirst

# Ten segments, with which TCP begins (RFC 6928).
INITIAL_WINDOW = 10 * 1448
_HEAD_BYTES = 500  # of a request, about
_RECORD_BYTES, _RECORD_OVERHEAD = 16_384, 22  # of TLS


@dataclass(frozen=True)
class Policy:
    """What an arm does with connections.

    Attributes:
      one_by_one: a request begins when the one before it has ended.
      shares: requests of a flush use connections one after the other.
      idle: connections that may be idle.
      keeps: idle connections outlive a freeze.
      most: connections at a time.
      resumes: TLS sessions are resumed.
      eager: each request that waits has a dial of its own, which ends even if it is not needed.
    """

    one_by_one: bool = False
    shares: bool = True
    idle: int = 0
    keeps: bool = False
    most: int = 6
    resumes: bool = True
    eager: bool = False


@dataclass(frozen=True)
class Line:
    """The way between the ends. `full_handshake`: round trips of TLS without a session."""

    round_trip: float
    full_handshake: int = 1


@dataclass(frozen=True)
class Costs:
    """Milliseconds of work at one end.

    Attributes:
      flush: of a flush, whatever it sends.
      request: of each exchange.
      resumed, full: of each dial.
    """

    flush: float
    request: float
    resumed: float
    full: float

    def dial(self, full: bool) -> float:
        return self.full if full else self.resumed


@dataclass(frozen=True)
class Quota:
    """A share of the client's processor, and the period in which a flush begins.

    Attributes:
      share: of each period.
      period_left: the time until the next period begins.
      quota_left: the part of this period's share that nothing has used yet, from 0 to 1.
    """

    share: float = 1.0
    period_left: float = PERIOD
    quota_left: float = 1.0


@dataclass(frozen=True)
class Flush:
    """What a flush took.

    Attributes:
      milliseconds: its time.
      opened: connections, those included that were not needed any more when they were open.
      processor: milliseconds of the client's work.
    """

    milliseconds: float
    opened: int
    processor: float = 0.0


class _Events:
    """What happens, in order of time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, wait: float, then: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + wait, next(self._order), then))

    def run_until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.now, _, then = heapq.heappop(self._due)
            then()


class _Processor:
    """Does one thing after the other. With a quota, work waits for the next period when that is used up."""

    def __init__(self, events: _Events, quota: Quota = Quota()) -> None:
        self._events = events
        self.worked = 0.0
        self._free = 0.0
        self._each = PERIOD * quota.share
        self._left = self._each * quota.quota_left if quota.share < 1 else math.inf
        self._period_end = quota.period_left

    @property
    def busy(self) -> bool:
        return self._free > self._events.now

    def do(self, work: float, then: Callable[[], None]) -> None:
        self.worked += work
        self._free = self._end(max(self._free, self._events.now), work)
        self._events.after(self._free - self._events.now, then)

    def _end(self, start: float, work: float) -> float:
        if math.isinf(self._left):
            return start + work
        while True:
            while start >= self._period_end:
                self._next_period()
            if work <= self._left:
                self._left -= work
                return start + work
            work -= self._left
            start = self._period_end

    def _next_period(self) -> None:
        self._period_end += PERIOD
        self._left = self._each


@dataclass
class _Connection:
    window: float = INITIAL_WINDOW

    def further_flights(self, body: int) -> int:
        """Returns how often a request waits for an acknowledgement before its rest may be sent.

        The intake's receive window is no limit: it begins with 64 KiB, and Linux enlarges it to more than
        twice what came in a round trip.
        """
        left: float = body + _HEAD_BYTES + _RECORD_OVERHEAD * math.ceil(body / _RECORD_BYTES)
        flights = 0
        while left > self.window:
            left -= self.window
            self.window *= 2
            flights += 1
        # Linux lets the window grow while a sender uses more than half of it.
        self.window += left if 2 * left > self.window else 0
        return flights


@dataclass(eq=False)
class _Dial:
    begun: float
    full: bool
    cancelled: bool = False


@dataclass
class Client:
    """A client through its flushes, and the intake at the other end. A freeze follows each flush.

    Attributes:
      woken: the client's work where it slept before.
      busy: the same where it was busy.
    """

    policy: Policy
    line: Line
    woken: Costs
    busy: Costs
    intake: Costs
    _idle: list[_Connection] = field(default_factory=list)
    _session: bool = False
    _last_dial: float | None = None
    _last_exchange: float | None = None

    def flush(self, requests: int, body: int, quota: Quota = Quota()) -> Flush:
        """Simulates one flush of so many requests, each with a body of so many bytes."""
        self._events = _Events()
        self._processor, self._peer = _Processor(self._events, quota), _Processor(self._events)
        self._body = body
        self._to_come, self._unanswered = (
            (requests - 1, requests) if self.policy.one_by_one else (0, requests)
        )
        self._waiters: deque[int] = deque()
        self._numbers = itertools.count(1)
        self._patience_owner = self._alarm = 0
        self._leased = self._opened = 0
        self._dials: list[_Dial] = []
        self._processor.do(self._costs.flush, self._begin)
        self._events.run_until(lambda: self._unanswered == 0)
        if not self.policy.keeps:
            self._idle.clear()
        return Flush(self._events.now, self._opened, self._processor.worked)

    # -- The pool's rules

    @property
    def _sharing(self) -> bool:
        return self.policy.shares or self.policy.idle > 0

    @property
    def _open(self) -> int:
        return self._leased + len(self._idle)

    @property
    def _has_room(self) -> bool:
        return self._open + len(self._dials) < self.policy.most

    def _begin(self) -> None:
        for _ in range(self._unanswered - self._to_come):
            self._acquire()

    def _acquire(self) -> None:
        if self._idle:
            self._leased += 1
            self._exchange(self._idle.pop())
            return
        self._waiters.append(next(self._numbers))
        self._start_dials()

    def _start_dials(self) -> None:
        own = len(self._waiters) if self.policy.eager or not self._sharing else 0
        while len(self._dials) < own and self._has_room:
            self._begin_dial()
        if self._waiters and not self._open and not self._dials:
            self._begin_dial()
        while len(self._dials) < len(self._waiters) and self._has_room and self._queue_is_long():
            self._begin_dial()
        if self._waiters and self._patience_owner != self._waiters[0]:
            self._set_patience(self._patience())

    def _queue_is_long(self) -> bool:
        if not self._sharing or self._last_dial is None or self._last_exchange is None:
            return False
        each = len(self._waiters) / max(self._open, 1)
        return each * self._last_exchange > max(self._last_dial, SHORT_QUEUE)

    def _patience(self) -> float:
        return max(SHORT_QUEUE, PATIENCE_AT_FIRST if self._last_dial is None else self._last_dial)

    def _set_patience(self, patience: float) -> None:
        self._patience_owner = self._waiters[0]
        self._alarm = number = self._alarm + 1
        self._events.after(patience, lambda: self._on_patience(number))

    def _on_patience(self, number: int) -> None:
        if number != self._alarm or not self._waiters:
            return
        patience = self._patience()
        useful = len(self._dials) < len(self._waiters) and self._has_room
        if useful and (self._open or len(self._dials) < 2):
            self._begin_dial()
        else:
            patience = max(patience, PATIENCE_AT_FIRST)
        self._set_patience(patience)

    def _serve_first(self, connection: _Connection) -> None:
        self._waiters.popleft()
        while not self.policy.eager and len(self._dials) > len(self._waiters):
            self._dials.pop().cancelled = True
        self._leased += 1
        self._start_dials()
        self._exchange(connection)

    def _give_back(self, connection: _Connection) -> None:
        self._leased -= 1
        if self._sharing and self._waiters:
            self._serve_first(connection)
            return
        self._keep(connection)
        self._start_dials()

    def _keep(self, connection: _Connection) -> None:
        if len(self._idle) < self.policy.idle:
            self._idle.append(connection)

    # -- Dials and exchanges

    def _begin_dial(self) -> None:
        dial = _Dial(self._events.now, full=not (self.policy.resumes and self._session))
        self._dials.append(dial)
        further = (self.line.full_handshake - 1) * self.line.round_trip if dial.full else 0.0

        def connected() -> None:
            if not dial.cancelled:
                self._opened += 1
                self._processor.do(self._costs.dial(dial.full) / 2, greeted)

        def greeted() -> None:
            self._ask(0.0, self.intake.dial(dial.full), lambda: self._events.after(further, answered))

        def answered() -> None:
            self._processor.do(self._costs.dial(dial.full) / 2, lambda: self._dialled(dial))

        self._events.after(self.line.round_trip, connected)

    def _dialled(self, dial: _Dial) -> None:
        if dial.cancelled:
            return
        self._dials.remove(dial)
        self._last_dial = self._events.now - dial.begun
        if self._waiters:
            self._serve_first(_Connection())
        else:
            self._keep(_Connection())

    def _exchange(self, connection: _Connection) -> None:
        begun = self._events.now
        further = connection.further_flights(self._body) * self.line.round_trip

        def sent() -> None:
            self._ask(further, self.intake.request, answered)

        def answered() -> None:
            self._processor.do(self._costs.request / 2, done)

        def done() -> None:
            self._last_exchange = self._events.now - begun
            self._session = True
            self._unanswered -= 1
            self._give_back(connection)
            if self._to_come:
                self._to_come -= 1
                self._acquire()

        self._processor.do(self._costs.request / 2, sent)

    @property
    def _costs(self) -> Costs:
        return self.busy if self._processor.busy else self.woken

    def _ask(self, further: float, work: float, then: Callable[[], None]) -> None:
        """Carries a message to the intake, has it work, and carries the answer back."""
        way = self.line.round_trip / 2
        self._events.after(
            way + further,
            lambda: self._peer.do(work, lambda: self._events.after(way, then)),
        )
