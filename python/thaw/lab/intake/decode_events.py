"""Decodes requests of events and service checks, both JSON.

Events come to /api/v1/events, one in a request, or to /intake, in lists by their source, with other names
for their members. Both are made the same here.
"""

from __future__ import annotations

import json
from typing import Any

from thaw.lab.intake.decode import decompress

ALERT_TYPES = ("error", "warning", "info", "success", "user_update", "recommendation", "snapshot")
PRIORITIES = ("normal", "low", "all")
STATUSES = (0, 1, 2, 3)


def events(body: bytes, encoding: str = "") -> list[dict[str, Any]]:
    """Returns the events of a request to /api/v1/events or /intake, with the members of the former."""
    given = json.loads(decompress(body, encoding))
    if not isinstance(given, dict):
        raise ValueError(f"events are an object, not {given!r:.200}")
    if not isinstance(given.get("events"), dict):
        return [_checked_event(given)]
    return [
        _checked_event(
            {name.removeprefix("msg_"): value for name, value in each.items()} | {"source_type_name": source}
        )
        for source, of_source in given["events"].items()
        for each in of_source
    ]


def _checked_event(event: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(event.get("title"), str) or not isinstance(event.get("text"), str):
        raise ValueError(f"an event has a title and a text: {event!r:.200}")
    if event.get("alert_type", "info") not in ALERT_TYPES:
        raise ValueError(f"{event['alert_type']!r} is no alert type")
    if event.get("priority", "normal") not in PRIORITIES:
        raise ValueError(f"{event['priority']!r} is no priority")
    _check_tags(event)
    return event


def checks(body: bytes, encoding: str = "") -> list[dict[str, Any]]:
    """Returns the service checks of a request to /api/v1/check_run."""
    given = json.loads(decompress(body, encoding))
    runs = given if isinstance(given, list) else [given]
    for run in runs:
        if not isinstance(run, dict) or not isinstance(run.get("check"), str) or not run["check"]:
            raise ValueError(f"a service check has a name: {run!r:.200}")
        if run.get("status") not in STATUSES or isinstance(run["status"], bool):
            raise ValueError(f"{run.get('status')!r} is no status of a service check")
        if not isinstance(run.get("host_name", ""), str):
            raise ValueError(f"{run['host_name']!r} is no name of a host")
        _check_tags(run)
    return runs


def _check_tags(given: dict[str, Any]) -> None:
    tags = given.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError(f"tags are a list of texts, not {tags!r:.200}")
    if not isinstance(given.get("timestamp", 0), int) or not isinstance(given.get("date_happened", 0), int):
        raise ValueError(f"a time is whole seconds: {given!r:.200}")
