"""The client in the process that is frozen, as that process sees each arm's."""

from __future__ import annotations

from typing import Any, Protocol

from thaw.lab.workload import Body

Where = tuple[int, int]  # cycle, payload


class Client(Protocol):
    """A client of one arm: it is given payloads, and flushes them."""

    def prepare(self, where: Where, body: Body) -> None:
        """Prepares a payload; this is not part of a flush."""

    def flush(self, deadline: float) -> dict[str, Any]:
        """Sends what is prepared. Returns `delivered` and `errors`."""

    def resume(self) -> None: ...

    def restore(self) -> None:
        """Takes note that this process goes on from a snapshot, from which others may go on, too."""

    def quiesce(self) -> None: ...

    def exchanges(self) -> list[dict[str, Any]]:
        """Returns the parts of each exchange of the last flush; empty if the client does not tell."""

    def finish(self, deadline: float) -> dict[str, Any]:
        """Ends the client, which sends what is left if its arm does so. Returns all fates, and counters."""


class NotTold:
    """The base of clients that are not told of freezes, resumes and restores."""

    def resume(self) -> None:
        pass

    def restore(self) -> None:
        pass

    def quiesce(self) -> None:
        pass


def end_without_fates(requests: int = 0) -> dict[str, Any]:
    """Returns what `Client.finish` returns where no payload was kept, marked or dropped."""
    return {
        "errors": [],
        "requests": requests,
        "retained": [],
        "flagged": [],
        "dropped": [],
        "counters": {},
    }
