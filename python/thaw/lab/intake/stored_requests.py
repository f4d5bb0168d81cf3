"""Requests as the intake stores them, and what they brought: spans, stats, log lines, points of metrics,
events and service checks.

They are stored as they come and decoded when that is asked for, so that decoding never delays an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import zstandard

from thaw.lab.intake import decode, decode_events, decode_logs, decode_metrics
from thaw.lab.intake.arrivals import Arrivals
from thaw.lab.intake.decode_logs import Line
from thaw.lab.intake.decode_metrics import Point, PointKey

Kind = Literal["spans", "lines", "points"]

# The level of the frame that bodies are compared with: the extension's default.
_LEVEL = 3


@dataclass(frozen=True)
class StoredRequest:
    """A request that was read whole.

    Attributes:
      connection: its number, counted from 1.
      accepted: whether the answer says that the intake has taken what it brought.
      answered: whether its sender had a prompt answer.
      version: the version of HTTP.
      period: the number of the runner's period in which the request came.
    """

    connection: int
    target: str
    headers: dict[str, str]
    body: bytes
    accepted: bool
    answered: bool
    version: str = "HTTP/1.1"
    period: int = 0


class StoredRequests:
    """All requests of an intake. Each question decodes what came since the last."""

    def __init__(self) -> None:
        self._stored: list[StoredRequest] = []
        self._log: list[dict[str, Any]] = []
        self._weighs = False
        self._spans: Arrivals[int] = Arrivals()
        self._lines: Arrivals[Line] = Arrivals()
        self._points: Arrivals[PointKey] = Arrivals()
        self._stats: list[dict[str, Any]] = []
        self._logs: list[dict[str, Any]] = []
        self._all_points: list[Point] = []
        self._events: list[dict[str, Any]] = []
        self._checks: list[dict[str, Any]] = []
        self._undecodable: list[str] = []
        # The function for each path: decodes a request, counts its spans, lines, points or other things, and
        # returns their number.
        self._readers: dict[str, Callable[[StoredRequest, str], int]] = {
            "/api/v0.2/traces": self._read_traces,
            "/api/v0.2/stats": self._read_stats,
            "/api/v2/logs": self._read_logs,
            "/api/v2/series": self._read_series,
            "/api/beta/sketches": self._read_sketches,
            "/api/v1/events": self._read_events,
            "/intake": self._read_events,
            "/intake/": self._read_events,
            "/api/v1/check_run": self._read_checks,
        }

    def add(self, request: StoredRequest) -> None:
        self._stored.append(request)

    def weigh(self) -> None:
        """Compares each zstd body that is decoded from now on with one frame of the same content."""
        self._weighs = True

    def decode(self) -> int:
        """Decodes what is stored. Returns how many requests that were."""
        stored, self._stored = self._stored, []
        for request in stored:
            items = self._read(request)
            self._log.append(
                {
                    "connection": request.connection,
                    "target": request.target,
                    "headers": request.headers,
                    "bytes": len(request.body),
                    "spans": items if self._path(request) == "/api/v0.2/traces" else 0,
                    "items": items,
                    "accepted": request.accepted,
                    "version": request.version,
                    **(_weighed(request) if self._weighs else {}),
                }
            )
        return len(stored)

    def _path(self, request: StoredRequest) -> str:
        """Returns the path that the request is decoded by, or "" if it is of no kind that is counted."""
        target = request.target.partition("?")[0]
        return next((path for path in self._readers if target.endswith(path)), "")

    def _read(self, request: StoredRequest) -> int:
        """Counts what a request brought. Returns how many spans, lines, points or other things that is."""
        reader = self._readers.get(self._path(request))
        if reader is None:
            return 0
        try:
            return reader(request, request.headers.get("content-encoding", ""))
        except Exception as error:  # a decoder's exception for bytes that it can't read, of any type
            self._undecodable.append(f"{request.target}: {type(error).__name__}: {error}")
        return 0

    def _read_traces(self, request: StoredRequest, encoding: str) -> int:
        spans = decode.span_ids(decode.agent_payload(request.body, encoding))
        if request.accepted:
            self._spans.add(spans, answered=request.answered, period=request.period)
        return len(spans)

    def _read_stats(self, request: StoredRequest, encoding: str) -> int:
        self._stats.append(decode.stats_payload(request.body, encoding))
        return 1

    def _read_logs(self, request: StoredRequest, encoding: str) -> int:
        entries = decode_logs.log_entries(request.body, encoding)
        if request.accepted:
            self._logs.extend(entries)
            lines = map(decode_logs.line_of, entries)
            self._lines.add(lines, answered=request.answered, period=request.period)
        return len(entries)

    def _read_series(self, request: StoredRequest, encoding: str) -> int:
        form = request.headers.get("content-type", "")
        return self._take_points(request, decode_metrics.series(request.body, encoding, form))

    def _read_sketches(self, request: StoredRequest, encoding: str) -> int:
        return self._take_points(request, decode_metrics.sketches(request.body, encoding))

    def _take_points(self, request: StoredRequest, points: list[Point]) -> int:
        if request.accepted:
            self._all_points.extend(points)
            self._points.add((each.key for each in points), answered=request.answered, period=request.period)
        return len(points)

    def _read_events(self, request: StoredRequest, encoding: str) -> int:
        events = decode_events.events(request.body, encoding)
        if request.accepted:
            self._events.extend(events)
        return len(events)

    def _read_checks(self, request: StoredRequest, encoding: str) -> int:
        checks = decode_events.checks(request.body, encoding)
        if request.accepted:
            self._checks.extend(checks)
        return len(checks)

    def times(self, kind: Kind) -> dict[str, Any]:
        """Returns how often each thing of a kind was accepted, and how often without a prompt answer."""
        self.decode()
        all_kinds: dict[Kind, Arrivals[Any]] = {
            "spans": self._spans,
            "lines": self._lines,
            "points": self._points,
        }
        arrivals = all_kinds[kind]
        return {
            "times": list(arrivals.times.items()),
            "unanswered": list(arrivals.unanswered.items()),
            "undecodable": self._undecodable,
        }

    def take_lines(self) -> list[tuple[Line, int]]:
        """Returns how often each log line was accepted, and forgets all log lines."""
        self.decode()
        taken, self._lines, self._logs = self._lines, Arrivals(), []
        return list(taken.times.items())

    def take_points(self) -> list[dict[str, Any]]:
        """Returns every point that was accepted, as `all_points` does, and forgets them."""
        self.decode()
        taken, self._all_points, self._points = self._all_points, [], Arrivals()
        return [vars(each) for each in taken]

    def first_periods(self) -> list[tuple[int, int]]:
        """Returns the span ids that were accepted, each with the period in which it first was."""
        self.decode()
        return list(self._spans.first_periods.items())

    def log(self) -> list[dict[str, Any]]:
        """Returns a dictionary about each request, in their order."""
        self.decode()
        return self._log

    def stats(self) -> list[dict[str, Any]]:
        """Returns every StatsPayload, with values that JSON can represent."""
        self.decode()
        return [_printable(each) for each in self._stats]

    def logs(self) -> list[dict[str, Any]]:
        """Returns every log entry that was accepted, in their order."""
        self.decode()
        return self._logs

    def all_points(self) -> list[dict[str, Any]]:
        """Returns every point that was accepted, in their order, as the fields of a Point."""
        self.decode()
        return [vars(each) for each in self._all_points]

    def events(self) -> list[dict[str, Any]]:
        """Returns every event that was accepted, in their order."""
        self.decode()
        return self._events

    def checks(self) -> list[dict[str, Any]]:
        """Returns every service check that was accepted, in their order."""
        self.decode()
        return self._checks


def _weighed(request: StoredRequest) -> dict[str, int]:
    """Returns the number of a body's zstd frames, its bytes before compression, and what one frame of them
    would take. Empty: the body is not zstd.
    """
    if request.headers.get("content-encoding") != "zstd":
        return {}
    content = decode.decompress(request.body, "zstd")
    return {
        "frames": decode.zstd_frames(request.body),
        "content_bytes": len(content),
        "one_frame_bytes": len(zstandard.ZstdCompressor(level=_LEVEL).compress(content)),
    }


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _printable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return value.hex() if isinstance(value, bytes) else value
