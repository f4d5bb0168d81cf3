"""The account of one environment's life under chaos, and the invariants that hold whatever went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from thaw.lab.emulator.history import Shutdown
from thaw.lab.experiments.numbered import Numbered

# Memory that a few thousand small payloads and rubbish may take; they fit into any budget of bytes.
_MOST_MB = 64.0

# Milliseconds that an environment's invocations may be held up in all by what fails: the outage budget of
# 4 s, what its probes take, and the flushes of what does move.
_MOST_ADDED_MS = 15_000.0


# Milliseconds that a request of a sender without TCP_NODELAY may take, in the median: 40 where
# acknowledgements are delayed. The median of few requests says nothing.
_MOST_NAGLE_MS = 35.0
_FEWEST_NAGLE = 10

_CRIES = ("Sanitizer", "runtime error:", "CHECK failed")


@dataclass(frozen=True)
class Payload:
    """The fate of one payload.

    Attributes:
      status: the status of the answer that the function got; 0: it got none.
      least, most: the number of arrivals of its rarest span, and of its most frequent one.
      unanswered: how often it arrived without a prompt answer to its sender, which may then send it again.
    """

    status: int
    least: int = 0
    most: int = 0
    unanswered: int = 0


@dataclass
class Account:
    """The observations of one environment, made from outside the extension.

    Attributes:
      cut_off: whether a freeze, a proxy or the end may have kept the intake's answers from the extension.
      telemetry_lost: whether records of ends are lost, if only one, so that the extension waits for an end
        until the deadline.
      kills: whether the function's end was a crash or a timeout.
      end_lost: whether the event that tells of that end was lost. The extension then waits for it, does not
        call /event/next, so misses its SHUTDOWN, and is killed.
      unread_end: whether the extension ended while its output was not read, so that its last counts are lost.
      interface_failed: whether Lambda's own interface said that it can't go on, which ends an extension.
      peak_mb: the most memory that was seen.
      payloads: the fate of each payload, by its number.
      numbered: the kinds of data for which the function gets no answer.
      nagle_ms: the times for which senders without TCP_NODELAY waited for each answer.
      wrong_keys: requests to the intake with another key than the right one.
      key_not_asked_again: whether the store of the key recovered before the end, and the extension did not
        ask again, as it has to after a store has throttled or failed.
      added_ms: the time for which each invocation was held up after the function's answer.
      failures: invocations that did not end well and should have.
      ends: the ends of the environment's processes.
      extension_counts: the last counts in the extension's log; None: there are none.
      lines: the lines of its log.
    """

    cut_off: bool = False
    telemetry_lost: bool = False
    kills: bool = False
    end_lost: bool = False
    unread_end: bool = False
    interface_failed: bool = False
    peak_mb: float = 0.0
    payloads: dict[int, Payload] = field(default_factory=dict)
    numbered: list[Numbered] = field(default_factory=list)
    nagle_ms: list[float] = field(default_factory=list)
    wrong_keys: int = 0
    key_not_asked_again: bool = False
    added_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    ends: list[Shutdown] = field(default_factory=list)
    extension_counts: dict[str, Any] | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def taken(self) -> list[int]:
        """The numbers of the payloads that the extension answered with 200."""
        return [number for number, payload in self.payloads.items() if payload.status == 200]

    @property
    def reported_lost(self) -> int:
        """The number of payloads that the extension says it dropped, or still had at its end."""
        if self.extension_counts is None:
            return 0
        return sum(
            sum(pipeline["dropped"].values()) + pipeline["kept"]
            for name, pipeline in self.extension_counts["flush"]["pipelines"].items()
            if name == "traces"
        )


def violations(account: Account) -> list[str]:
    """Names each invariant that is broken, in a line."""
    wrong = [] if account.interface_failed else list(account.failures)
    wrong += _delivery_violations(account)
    wrong += _process_violations(account)
    if not account.telemetry_lost and sum(account.added_ms) > _MOST_ADDED_MS:
        wrong.append(f"invocations were held up for {sum(account.added_ms) / 1e3:.1f} s in all")
    if len(account.nagle_ms) >= _FEWEST_NAGLE and (typical := median(account.nagle_ms)) > _MOST_NAGLE_MS:
        wrong.append(f"without TCP_NODELAY half of the requests took {typical:.0f} ms or more")
    return wrong


def _delivery_violations(account: Account) -> list[str]:
    wrong = []
    killed = any(end.killed for shutdown in account.ends for end in shutdown.extensions)
    # Nothing says what an extension has lost that is killed, or whose last lines were not read.
    counts_lost = killed or account.unread_end
    missing = [number for number in account.taken if account.payloads[number].least == 0]
    if account.extension_counts is None and account.taken and not counts_lost:
        wrong.append("the extension wrote no counts")
    if account.wrong_keys:
        wrong.append(f"{account.wrong_keys} requests to the intake had another key")
    if account.key_not_asked_again and account.taken and not killed and not account.interface_failed:
        wrong.append("the key was not asked for again when its store had recovered")
    if len(missing) > account.reported_lost and not counts_lost:
        wrong.append(
            f"{len(missing)} payloads were taken and never arrived, {account.reported_lost} are accounted"
            f" for; the first: {missing[:5]}"
        )
    # Each time that the intake takes a payload and does not say so, the payload may come once more.
    beyond = [number for number, each in account.payloads.items() if each.most > 1 + each.unanswered]
    if beyond and not account.cut_off:
        wrong.append(f"{len(beyond)} payloads arrived more often than they may: {beyond[:5]}")
    for kind in account.numbered:
        wrong += kind.violations(counts_lost=counts_lost, cut_off=account.cut_off)
    # A function that is killed may not hear the answer.
    usual = {0, 200} if account.kills or account.interface_failed or killed else {200}
    odd = {payload.status for payload in account.payloads.values()} - usual
    if odd:
        wrong.append(f"good payloads were answered with {sorted(odd)} (0: not at all)")
    return wrong


def _process_violations(account: Account) -> list[str]:
    wrong = []
    if account.peak_mb > _MOST_MB:
        wrong.append(f"the extension took {account.peak_mb:.0f} MB")
    if not account.ends and not account.interface_failed:
        wrong.append("the extension's end was not seen")
    for shutdown in account.ends:
        for end in shutdown.extensions:
            if end.killed and account.end_lost:
                continue
            if not end.told_ns and not account.interface_failed:
                wrong.append("the extension ended before it was told to")
            if end.killed:
                took = f" ({end.took_ms:.0f} ms)" if end.told_ns else ""
                wrong.append(f"the extension did not end by itself within Lambda's time{took}")
            elif end.exit_code != 0 and not account.interface_failed:
                wrong.append(f"the extension ended with {end.exit_code}")
    wrong += [
        f"the extension logged: {line}" for line in account.lines if any(each in line for each in _CRIES)
    ]
    return wrong
