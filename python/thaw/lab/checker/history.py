"""The rules of a history: of the payloads that one arm's client was given, and of their fates.

    entries = [Entry(0, 0, times=1), Entry(1, 0, times=0)]
    check(History("thaw", keeps=True, cycles=2, payloads=1, entries=entries))
    # invalid: payload 0 of cycle 1 was lost: not accepted, not kept, not dropped

The account, which holds for every arm:
  each payload of each cycle has one entry;
  a payload that arrived did so in its own cycle or a later one, and no other has a cycle of arrival;
  a payload that is kept is not dropped as well;
  the counts that the experiment gave are those of the entries, and cover every payload.
The promise, which holds for an arm that keeps what it could not send:
  a payload that was not accepted is kept, or was dropped for a reason that is counted as such;
  a payload that was accepted more than once is flagged as a possible duplicate.

The witness is the shortest: among all entries that break a rule, the one of the earliest cycle, since a
history that ends with that cycle shows it already. Nothing here reads a file or a clock.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["valid", "invalid", "unknown"]

# Reasons for which a client drops a payload only because sending it failed: such a payload is lost. They are
# named here anew, so that the checker does not depend on the runner.
LOST_REASONS = frozenset({"discarded", "redrive_failed"})


@dataclass(frozen=True)
class Entry:
    """The fate of one payload.

    Attributes:
      times: the number of times that the intake accepted it.
      arrived_in: the cycle in which it first did; None: it did not, or that is not known.
      phase: the phase in which an exchange of its flush was frozen.
    """

    cycle: int
    payload: int
    times: int
    flagged: bool = False
    retained: bool = False
    dropped_reason: str | None = None
    arrived_in: int | None = None
    phase: str | None = None

    @property
    def name(self) -> str:
        frozen = f" (frozen in phase {self.phase})" if self.phase else ""
        return f"payload {self.payload} of cycle {self.cycle}{frozen}"

    @property
    def lost(self) -> bool:
        dropped = self.dropped_reason is not None and self.dropped_reason not in LOST_REASONS
        return self.times == 0 and not self.retained and not dropped

    @property
    def late(self) -> bool:
        return self.arrived_in is not None and self.arrived_in > self.cycle


@dataclass(frozen=True)
class Counts:
    """The counts of an arm's payloads. One that arrived may be retained too: its client got no answer."""

    payloads: int
    delivered: int
    lost: int
    duplicated: int
    possible_duplicate: int
    retained: int
    dropped: int

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Counts:
        return cls(
            payloads=len(entries),
            delivered=sum(each.times > 0 for each in entries),
            lost=sum(each.lost for each in entries),
            duplicated=sum(each.times > 1 for each in entries),
            possible_duplicate=sum(each.flagged for each in entries),
            retained=sum(each.retained for each in entries),
            dropped=sum(
                each.dropped_reason is not None and each.dropped_reason not in LOST_REASONS
                for each in entries
            ),
        )


@dataclass(frozen=True)
class History:
    """The stored facts on one arm of one experiment.

    Attributes:
      keeps: whether the arm promises to keep what it could not send; None: the arm is not known here.
      cycles, payloads: the number of flushes, and of the payloads of each.
      entries: None: only counts were stored.
      counts: the counts that the experiment stored; None: it stored none.
      complete: false: the experiment was stopped early, and may have fewer cycles.
      times_known: whether `arrived_in` was stored.
    """

    arm: str
    keeps: bool | None
    cycles: int
    payloads: int
    entries: Sequence[Entry] | None = None
    counts: Counts | None = None
    complete: bool = True
    times_known: bool = False

    @property
    def known_counts(self) -> Counts | None:
        """The counts of the entries or, without them, the experiment's own."""
        return self.counts if self.entries is None else Counts.of(self.entries)

    @property
    def late(self) -> int | None:
        """The number of payloads that arrived in a later cycle than their own; None: it is not known."""
        if self.entries is None or not self.times_known:
            return None
        return sum(each.late for each in self.entries)

    @property
    def unflagged(self) -> int | None:
        """The number of payloads that arrived more than once and are not flagged; None: it is not known."""
        if self.entries is not None:
            return sum(each.times > 1 and not each.flagged for each in self.entries)
        return 0 if self.counts is not None and self.counts.duplicated == 0 else None


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    Attributes:
      witness: the fact that breaks a rule, or the reason for an unknown outcome; empty for a valid history.
    """

    outcome: Outcome
    witness: str = ""


@dataclass(frozen=True, order=True)
class _Breach:
    """A broken rule. The first of several is the one that the shortest history shows."""

    cycle: int
    payload: int
    text: str


def check(history: History) -> Verdict:
    """Checks the account and, where the arm makes one, the promise."""
    breaches = sorted(_breaches(history))
    if breaches:
        return Verdict("invalid", breaches[0].text)
    if history.known_counts is None:
        return Verdict("unknown", "neither payloads nor counts were stored")
    if history.known_counts.payloads == 0:
        return Verdict("unknown", "no payload was sent")
    if history.keeps is None:
        return Verdict("unknown", f"the promise of arm {history.arm} is not known here")
    if history.keeps and history.unflagged is None:
        return Verdict(
            "unknown",
            f"{history.known_counts.duplicated} payloads arrived more than once, and which ones are flagged"
            " was not stored (compare --rows stores it)",
        )
    return Verdict("valid")


def _breaches(history: History) -> Iterator[_Breach]:
    if history.entries is not None:
        yield from _incomplete(history)
        for entry in history.entries:
            yield from _entry_breaches(history, entry)
    yield from _count_breaches(history)


def _incomplete(history: History) -> Iterator[_Breach]:
    """Yields entries that are missing, that stand twice, or whose payload was not sent."""
    assert history.entries is not None
    seen = collections.Counter((each.cycle, each.payload) for each in history.entries)
    last = max((cycle for cycle, _ in seen), default=-1)
    cycles = history.cycles if history.complete else last + 1
    for (cycle, payload), times in seen.items():
        if times > 1:
            yield _Breach(cycle, payload, f"payload {payload} of cycle {cycle} has {times} entries")
        if not (0 <= cycle < history.cycles and 0 <= payload < history.payloads):
            text = f"payload {payload} of cycle {cycle} was not sent: there are {history.cycles} cycles of"
            yield _Breach(cycle, payload, f"{text} {history.payloads} payloads")
    for cycle in range(cycles):
        for payload in range(history.payloads):
            if (cycle, payload) not in seen:
                yield _Breach(cycle, payload, f"payload {payload} of cycle {cycle} has no entry")
                return  # the first is the shortest


def _entry_breaches(history: History, entry: Entry) -> Iterator[_Breach]:
    def breach(text: str) -> _Breach:
        return _Breach(entry.cycle, entry.payload, f"{entry.name} {text}")

    if entry.times < 0:
        yield breach(f"arrived {entry.times} times")
    if entry.retained and entry.dropped_reason is not None:
        yield breach(f"is kept, and was dropped as well ({entry.dropped_reason})")
    if entry.arrived_in is not None and entry.times <= 0:
        yield breach(f"did not arrive, and has cycle {entry.arrived_in} as that of its arrival")
    if entry.arrived_in is None and entry.times > 0 and history.times_known:
        yield breach("arrived, and has no cycle of its arrival")
    if entry.arrived_in is not None and entry.arrived_in < entry.cycle:
        yield breach(f"arrived in cycle {entry.arrived_in}, before it was made")
    if history.keeps and entry.lost:
        why = "not accepted, not kept, not dropped"
        if entry.dropped_reason is not None:
            why = f"not accepted, and thrown away ({entry.dropped_reason})"
        yield breach(f"was lost: {why}")
    if history.keeps and entry.times > 1 and not entry.flagged:
        yield breach(f"was accepted {entry.times} times and not flagged as a possible duplicate")


def _count_breaches(history: History) -> Iterator[_Breach]:
    """Yields counts that contradict the entries, each other, or the promise."""

    def breach(text: str) -> _Breach:
        return _Breach(history.cycles, 0, text)

    counts = history.counts
    if counts is None:
        return
    if history.entries is not None:
        found = Counts.of(history.entries)
        for each in dataclasses.fields(Counts):
            said, is_so = getattr(counts, each.name), getattr(found, each.name)
            if said != is_so:
                yield breach(f"{each.name} is {said}, and by the entries it is {is_so}")
        return
    if history.complete and counts.payloads != history.cycles * history.payloads:
        yield breach(
            f"{counts.payloads} payloads are counted, and {history.cycles * history.payloads} were sent"
        )
    covered = counts.delivered + counts.lost + counts.retained + counts.dropped
    if covered < counts.payloads:
        yield breach(f"{counts.payloads - covered} of {counts.payloads} payloads are in no count")
    for name in ("delivered", "lost", "retained", "dropped", "possible_duplicate"):
        if not 0 <= getattr(counts, name) <= counts.payloads:
            yield breach(f"{name} is {getattr(counts, name)}, of {counts.payloads} payloads")
    if counts.duplicated > counts.delivered:
        yield breach(f"{counts.duplicated} payloads arrived more than once, and {counts.delivered} arrived")
    if history.keeps and counts.lost:
        yield breach(f"{counts.lost} payloads were lost")
    if history.keeps and counts.duplicated > counts.possible_duplicate:
        yield breach(
            f"{counts.duplicated} payloads arrived more than once, {counts.possible_duplicate} are flagged"
        )
