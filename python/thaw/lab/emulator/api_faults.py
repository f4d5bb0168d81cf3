"""Local APIs that answer as they shouldn't.

    faults.add("/extension/event/next", "500")
    faults.add("/telemetry", "reset", times=3)

The kinds of fault are:

    500      an error of the platform
    html     200 with a page of another program
    nested   200 with JSON that is nested 60,000 deep
    reset    the connection is reset
    cut      the answer ends in the middle of its body, after the call was carried out
    stall    the answer stops in the middle of its body, after the call was carried out; its connection stays
    hang     no answer
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ApiFaultKind = Literal["500", "html", "nested", "reset", "cut", "stall", "hang"]
API_FAULT_KINDS: tuple[ApiFaultKind, ...] = get_args(ApiFaultKind)
# Faults after which an extension asks for its next event again.
LOST_ANSWERS: tuple[ApiFaultKind, ...] = ("nested", "reset", "cut", "stall")


@dataclass
class _Fault:
    path_end: str
    kind: ApiFaultKind
    left: int


class ApiFaults:
    """The faults of the next calls. Only a call whose answer is cut or stalls reaches the environment."""

    def __init__(self) -> None:
        self._faults: list[_Fault] = []
        # Faults that were taken so far: the path's end and the kind.
        self.taken: list[tuple[str, ApiFaultKind]] = []

    def add(self, path_end: str, kind: ApiFaultKind, *, times: int = 1) -> None:
        """Gives the next `times` calls whose path ends with this a faulty answer."""
        if kind not in API_FAULT_KINDS:
            raise ValueError(f"{kind!r} is not one of {', '.join(API_FAULT_KINDS)}")
        self._faults.append(_Fault(path_end, kind, times))

    def take(self, path: str) -> ApiFaultKind | None:
        for fault in self._faults:
            if path.endswith(fault.path_end):
                fault.left -= 1
                if fault.left == 0:
                    self._faults.remove(fault)
                self.taken.append((fault.path_end, fault.kind))
                return fault.kind
        return None
