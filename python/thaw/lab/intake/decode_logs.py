"""Decodes requests of logs: JSON arrays of entries, each of which has exactly the members of an agent's."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from thaw.lab.intake.decode import decompress


class Line(NamedTuple):
    """The identity of a log line.

    Attributes:
      request_id: the invocation that the line is credited to; empty: none.
      text: the line without the line feeds at its end.
    """

    request_id: str
    text: str


# The limits of Datadog's log intake for an agent's request: entries, and bytes before compression.
MAX_ENTRIES = 1000
MAX_BYTES = 5_000_000
MAX_ENTRY_BYTES = 1_000_000
_MEMBERS = {"message", "hostname", "service", "ddtags", "ddsource"}


def log_entries(body: bytes, encoding: str = "zstd") -> list[dict[str, Any]]:
    """Returns the entries of a request to /api/v2/logs. ValueError for one that the intake would refuse, or
    whose entries lack a member.
    """
    text = decompress(body, encoding)
    if len(text) > MAX_BYTES:
        raise ValueError(f"{len(text)} bytes of logs are more than {MAX_BYTES}")
    entries = json.loads(text.decode("utf-8"))
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_ENTRIES:
        raise ValueError(f"logs are a list of 1 to {MAX_ENTRIES} entries")
    for entry in entries:
        _check_log_entry(entry)
    return entries


def _check_log_entry(entry: Any) -> None:
    if not isinstance(entry, dict) or set(entry) != _MEMBERS:
        raise ValueError(f"the members of a log entry are {_MEMBERS}, not {entry!r:.200}")
    message = entry["message"]
    if not isinstance(message, dict) or set(message) != {"message", "lambda", "timestamp", "status"}:
        raise ValueError(f"the message of a log entry is {message!r:.200}")
    if not isinstance(message["message"], str) or not isinstance(message["timestamp"], int):
        raise ValueError(f"a log entry has no text or no time: {message!r:.200}")
    if not {"arn", "request_id"} <= set(message["lambda"]):
        raise ValueError(f"a log entry names neither function nor request: {message!r:.200}")
    size = len(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_ENTRY_BYTES:
        raise ValueError(f"a log entry of {size} bytes is larger than {MAX_ENTRY_BYTES}")


def line_of(entry: dict[str, Any]) -> Line:
    """Returns the identity of an entry's line."""
    message = entry["message"]
    return Line(message["lambda"]["request_id"] or "", message["message"].rstrip("\n"))
