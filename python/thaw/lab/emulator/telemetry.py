"""The Telemetry API: subscriptions, each with its buffer, and the delivery of records to them.

A buffer is due when it has maxItems records, maxBytes bytes, or its first record is timeoutMs old. While the
environment is frozen nothing is sent: what came last before a freeze, platform.report usually, is delivered
after it. A subscriber that doesn't accept a batch gets it again; records that don't fit into the buffer
meanwhile are dropped and reported by platform.logsDropped.

`TelemetryFaults` adds every fault that Lambda's telemetry can have.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import urllib.parse
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING

from thaw.lab.emulator import errors
from thaw.lab.emulator.telemetry_records import SCHEMAS, STREAMS, Schema, Stream, encode, stream_of
from thaw.lab.emulator.timestamps import iso, now_ns

if TYPE_CHECKING:
    import aiohttp

_HOSTS = ("sandbox", "sandbox.localdomain")
_HERE = "127.0.0.1"  # the meaning of those names for the emulator
_RESERVED_PORT = 9001
# Limits of a subscriber's buffer: name, least, most, default.
_LIMITS = (
    ("maxItems", 1000, 10_000, 10_000),
    ("maxBytes", 262_144, 1_048_576, 262_144),
    ("timeoutMs", 25, 30_000, 1000),
)
_ATTEMPT_LIMIT = 5.0
_RETRY_FIRST, _RETRY_LAST = 0.05, 1.0
_BACKLOG_RECORDS = 10_000  # records kept for those that subscribe later in the initialization
_BATCHES_HELD = 4  # a buffer's limit, in batches


@dataclass
class TelemetryFaults:
    """Faults of telemetry. They may be changed at any time; a subscription in force obeys at once.

        faults.delay["platform.runtimeDone"] = 0.5     # comes half a second late, after its followers
        faults.drop.add("platform.report")             # never comes
        faults.split = 1                               # each record in a request of its own

    Attributes:
      unsupported: whether subscriptions are answered with 202, as in environments without telemetry.
      delay: seconds by type of record; "*" is for all others.
      drop: types of records that are lost.
      drop_fraction: the share of all records that is lost, drawn from `seed`.
      tell_drops: whether platform.logsDropped reports the lost records.
      shuffle: whether the records of a batch come in random order.
      split: the most records of a request, 0 for no limit but the buffer's.
    """

    unsupported: bool = False
    delay: dict[str, float] = field(default_factory=dict)
    drop: set[str] = field(default_factory=set)
    drop_fraction: float = 0.0
    tell_drops: bool = False
    shuffle: bool = False
    split: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def delay_of(self, kind: str) -> float:
        return self.delay.get(kind, self.delay.get("*", 0.0))

    def loses(self, kind: str) -> bool:
        return kind in self.drop or (self.drop_fraction > 0 and self._chance.random() < self.drop_fraction)

    def batches(self, records: list[_Entry]) -> list[list[_Entry]]:
        """Divides a batch into the requests in which it is sent."""
        if self.shuffle:
            self._chance.shuffle(records)
        size = self.split or len(records)
        return [records[begin : begin + size] for begin in range(0, len(records), size)]


@dataclass(frozen=True)
class Delivery:
    """One request with telemetry, taken by a subscriber."""

    subscriber: str
    sent_ns: int
    taken_ns: int
    kinds: tuple[str, ...]
    attempts: int


@dataclass(frozen=True)
class _Entry:
    kind: str
    data: bytes
    on_delivered: Callable[[int], None] | None


@dataclass(frozen=True)
class Subscribing:
    """A subscription as its subscriber asked for it."""

    schema: Schema
    streams: frozenset[Stream]
    url: str  # empty: TCP
    port: int
    max_items: int
    max_bytes: int
    timeout: float

    @classmethod
    def parse(cls, body: bytes) -> Subscribing:
        """Parses a subscription. Raises ApiError, which names everything that is wrong."""
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise errors.telemetry_invalid(f"the body is not JSON: {error}") from None
        if not isinstance(asked, dict):
            raise errors.telemetry_invalid("the body is not a JSON object")
        wrong: list[str] = []
        schema = next((each for each in SCHEMAS if each == asked.get("schemaVersion")), SCHEMAS[0])
        if asked.get("schemaVersion") not in SCHEMAS:
            wrong.append(f"schemaVersion is {asked.get('schemaVersion')!r}, not one of {', '.join(SCHEMAS)}")
        types = asked.get("types")
        if not isinstance(types, list) or not types:
            wrong.append("types should not be empty")
            types = []
        if unknown := [each for each in types if each not in STREAMS]:
            wrong.append(f"types has {unknown[0]!r}; there are {', '.join(STREAMS)}")
        url, port = _destination(asked.get("destination"), wrong)
        buffering = asked.get("buffering", {})
        limits: list[int] = []
        for name, least, most, plain in _LIMITS:
            value = buffering.get(name, plain) if isinstance(buffering, dict) else None
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                wrong.append(f"buffering.{name} is {value!r}, not a number from {least} to {most}")
                value = plain
            limits.append(value)
        if wrong:
            raise errors.telemetry_invalid("; ".join(wrong))
        streams = frozenset(each for each in STREAMS if each in types)
        return cls(schema, streams, url, port, limits[0], limits[1], limits[2] / 1000)


def _destination(asked: object, wrong: list[str]) -> tuple[str, int]:
    if not isinstance(asked, dict):
        wrong.append("destination is missing")
        return "", 0
    port: object = asked.get("port")
    url = ""
    if asked.get("protocol") == "HTTP":
        uri = asked.get("URI")
        port = None
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            parts = urllib.parse.urlsplit(str(uri))
            port = parts.port
            if parts.scheme != "http" or parts.hostname not in _HOSTS:
                wrong.append(f"destination.URI is {uri!r}; it should begin with http://{_HOSTS[1]}:")
            url = f"http://{_HERE}:{port}{parts.path or '/'}"
        if port is None:
            wrong.append("URI port is not provided")
    elif asked.get("protocol") != "TCP":
        wrong.append(f"destination.protocol is {asked.get('protocol')!r}, not HTTP or TCP")
    elif not isinstance(port, int) or not 0 < port < 65536:
        wrong.append(f"destination.port is {port!r}")
    if port == _RESERVED_PORT:
        wrong.append(f"port {_RESERVED_PORT} is the Runtime API's")
    return url, port if isinstance(port, int) else 0


class Telemetry:
    """The records of one environment, and its subscribers."""

    def __init__(self, faults: TelemetryFaults, deliveries: list[Delivery]) -> None:
        self._faults = faults
        self._deliveries = deliveries
        self._backlog: deque[tuple[str, str, object]] | None = deque(maxlen=_BACKLOG_RECORDS)
        self._subscriptions: dict[str, _Subscription] = {}
        self._session: aiohttp.ClientSession | None = None
        self._running = asyncio.Event()
        self._running.set()

    def emit(self, kind: str, record: object, on_delivered: Callable[[int], None] | None = None) -> None:
        """Gives a record to the present subscribers of its stream. Once a subscriber has taken it,
        `on_delivered` gets the time at which it was written to the subscriber.
        """
        time = iso()
        if self._backlog is not None:
            self._backlog.append((time, kind, record))
        for subscription in self._subscriptions.values():
            subscription.add(time, kind, record, on_delivered)

    def subscribe(self, subscriber: str, body: bytes) -> None:
        """Subscribes an extension; a further subscription replaces its first. Raises ApiError."""
        asked = Subscribing.parse(body)
        if self._faults.unsupported:
            raise errors.telemetry_not_supported()
        if self._backlog is None:
            raise errors.telemetry_closed()
        if self._session is None:
            import aiohttp

            tracing = aiohttp.TraceConfig()
            tracing.on_request_chunk_sent.append(_note_writing)
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(), trust_env=False, trace_configs=[tracing]
            )
        before = self._subscriptions.pop(subscriber, None)
        if before is not None:
            before.close()
        made = _Subscription(subscriber, asked, self._faults, self._session, self._running, self._deliveries)
        self._subscriptions[subscriber] = made
        for time, kind, record in self._backlog:
            made.add(time, kind, record, None)
        self.emit(
            "platform.telemetrySubscription",
            {"name": subscriber, "state": "Subscribed", "types": sorted(asked.streams)},
        )

    def end_of_initialization(self) -> None:
        """Ends the time in which extensions may subscribe."""
        self._backlog = None

    def pause(self) -> None:
        """Stops deliveries while the environment is frozen."""
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def flush(self) -> None:
        """Makes every buffer due at once, since the environment will end."""
        for subscription in self._subscriptions.values():
            subscription.flush()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> list[int]:
        """Sends any bytes to every HTTP subscriber, past its buffer. Returns the statuses of the answers."""
        return [await each.post(body, headers) for each in self._subscriptions.values()]

    async def close(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.close()
        self._subscriptions = {}
        if self._session is not None:
            await self._session.close()


async def _note_writing(_session: object, context: SimpleNamespace, _chunk: object) -> None:
    """Notes when a request is written. A busy process may read the answer milliseconds after it has come."""
    context.trace_request_ctx.written_ns = now_ns()


class _Subscription:
    def __init__(
        self,
        name: str,
        asked: Subscribing,
        faults: TelemetryFaults,
        session: aiohttp.ClientSession,
        running: asyncio.Event,
        deliveries: list[Delivery],
    ) -> None:
        self._name, self._asked, self._faults = name, asked, faults
        self._session, self._running, self._deliveries = session, running, deliveries
        self._loop = asyncio.get_running_loop()
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._dropped_records = self._dropped_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due = asyncio.Event()
        self._due_entries = 0
        self._writer: asyncio.StreamWriter | None = None
        self.written_ns = 0  # when the newest request was written
        self._task = asyncio.create_task(self._deliver())

    def add(self, time: str, kind: str, record: object, on_delivered: Callable[[int], None] | None) -> None:
        if stream_of(kind) not in self._asked.streams:
            return
        entry = _Entry(kind, encode(self._asked.schema, time, kind, record), on_delivered)
        if self._faults.loses(kind):
            if self._faults.tell_drops:
                self._count_dropped(entry)
        elif delay := self._faults.delay_of(kind):
            self._loop.call_later(delay, self._put, entry)
        else:
            self._put(entry)

    def flush(self) -> None:
        self._make_due(len(self._entries))

    def close(self) -> None:
        self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._writer is not None:
            self._writer.close()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        async with self._session.post(
            self._asked.url, data=body, headers=headers, trace_request_ctx=self
        ) as answer:
            await answer.read()
            return answer.status

    def _put(self, entry: _Entry) -> None:
        size = len(entry.data) + 1
        if self._bytes + size > _BATCHES_HELD * self._asked.max_bytes or (
            len(self._entries) >= _BATCHES_HELD * self._asked.max_items
        ):
            self._count_dropped(entry)
            return
        self._entries.append(entry)
        self._bytes += size
        if self._bytes >= self._asked.max_bytes:
            self._make_due(len(self._entries))
        elif len(self._entries) >= self._asked.max_items:
            self._make_due(len(self._entries) - len(self._entries) % self._asked.max_items)
        else:
            self._start_timer()

    def _make_due(self, count: int) -> None:
        """Makes the first `count` entries due."""
        if count > 0:
            self._due_entries = max(self._due_entries, count)
            self._due.set()

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._asked.timeout, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.flush()

    def _count_dropped(self, entry: _Entry) -> None:
        self._dropped_records += 1
        self._dropped_bytes += len(entry.data)

    def _take(self) -> list[_Entry]:
        taken: list[_Entry] = []
        size = 0
        if self._dropped_records:
            record = {
                "reason": "the subscriber did not take its records in time",
                "droppedRecords": self._dropped_records,
                "droppedBytes": self._dropped_bytes,
            }
            self._dropped_records = self._dropped_bytes = 0
            kind = "platform.logsDropped"
            taken.append(_Entry(kind, encode(self._asked.schema, iso(), kind, record), None))
        while self._entries and len(taken) < self._asked.max_items:
            if taken and size + len(self._entries[0].data) > self._asked.max_bytes:
                break
            taken.append(entry := self._entries.popleft())
            size += len(entry.data) + 1
            self._due_entries -= 1
        self._bytes -= size
        return taken

    async def _deliver(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            while self._due_entries > 0:
                for batch in self._faults.batches(self._take()):
                    await self._send(batch)
            if self._entries:
                self._start_timer()

    async def _send(self, batch: list[_Entry]) -> None:
        """Sends a batch until it is taken or the environment ends."""
        attempts, pause = 0, _RETRY_FIRST
        while True:
            await self._running.wait()
            attempts += 1
            sent = now_ns()
            if await self._attempt(batch):
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, _RETRY_LAST)
        taken = now_ns()
        self._deliveries.append(
            Delivery(self._name, sent, taken, tuple(entry.kind for entry in batch), attempts)
        )
        for entry in batch:
            if entry.on_delivered is not None:
                entry.on_delivered(self.written_ns)

    async def _attempt(self, batch: list[_Entry]) -> bool:
        """Tries once. Time in which the environment is frozen does not count."""
        task = asyncio.create_task(self._send_tcp(batch) if not self._asked.url else self._send_http(batch))
        try:
            while True:
                ran = self._running.is_set()
                done, _ = await asyncio.wait({task}, timeout=_ATTEMPT_LIMIT)
                if done:
                    return task.result()
                if ran and self._running.is_set():
                    return False
                await self._running.wait()
        finally:
            task.cancel()

    async def _send_http(self, batch: list[_Entry]) -> bool:
        import aiohttp

        body = b"[" + b",".join(entry.data for entry in batch) + b"]"
        try:
            return 200 <= await self.post(body, {"Content-Type": "application/json"}) < 300
        except (aiohttp.ClientError, OSError):
            return False

    async def _send_tcp(self, batch: list[_Entry]) -> bool:
        try:
            if self._writer is None or self._writer.is_closing():
                _, self._writer = await asyncio.open_connection(
                    _HERE, self._asked.port, family=socket.AF_INET
                )
            self.written_ns = now_ns()
            self._writer.write(b"".join(entry.data + b"\n" for entry in batch))
            await self._writer.drain()
        except OSError:
            return False
        return True
