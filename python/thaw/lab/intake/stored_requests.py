"""Requests as the intake stores them, and their spans, stats and log entries.

They are stored as they come and decoded when that is asked for, so that decoding never delays an answer.
"""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import Any

from thaw.lab.intake import decode


@dataclass(frozen=True)
class StoredRequest:
    """A request that was read whole.

    Attributes:
      connection: its number, counted from 1.
      accepted: whether the answer says that the intake has taken what it brought.
      told: whether the sender was told so promptly.
      version: of HTTP.
    """

    connection: int
    target: str
    headers: dict[str, str]
    body: bytes
    accepted: bool
    told: bool
    version: str = "HTTP/1.1"


class StoredRequests:
    """All requests of an intake. Each question decodes what came since the last."""

    def __init__(self) -> None:
        self._stored: list[StoredRequest] = []
        self._log: list[dict[str, Any]] = []
        self._spans: collections.Counter[int] = collections.Counter()
        self._untold: collections.Counter[int] = collections.Counter()
        self._stats: list[dict[str, Any]] = []
        self._logs: list[dict[str, Any]] = []
        self._undecodable: list[str] = []

    def add(self, request: StoredRequest) -> None:
        self._stored.append(request)

    def decode(self) -> int:
        """Decodes what is stored. Returns how many requests that were."""
        stored, self._stored = self._stored, []
        for request in stored:
            self._log.append(
                {
                    "connection": request.connection,
                    "target": request.target,
                    "headers": request.headers,
                    "bytes": len(request.body),
                    "spans": len(self._decode(request)),
                    "accepted": request.accepted,
                    "version": request.version,
                }
            )
        return len(stored)

    def _decode(self, request: StoredRequest) -> list[int]:
        """Counts what a request brought. Returns its span ids."""
        spans: list[int] = []
        encoding = request.headers.get("content-encoding", "")
        try:
            if request.target.endswith("/api/v0.2/traces"):
                spans = decode.span_ids(decode.agent_payload(request.body, encoding))
                if request.accepted:
                    self._spans.update(spans)
                    if not request.told:
                        self._untold.update(spans)
            elif request.target.endswith("/api/v0.2/stats"):
                self._stats.append(decode.stats_payload(request.body, encoding))
            elif request.target.endswith("/api/v2/logs"):
                entries = decode.log_entries(request.body, encoding)
                if request.accepted:
                    self._logs.extend(entries)
        except Exception as error:  # a decoder's exception for bytes that it can't read, of any type
            self._undecodable.append(f"{request.target}: {type(error).__name__}: {error}")
        return spans

    def spans(self) -> dict[str, Any]:
        """Returns how often each span id was accepted, and how often without the sender being told."""
        self.decode()
        return {
            "spans": list(self._spans.items()),
            "untold": list(self._untold.items()),
            "undecodable": self._undecodable,
        }

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


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _printable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return value.hex() if isinstance(value, bytes) else value
