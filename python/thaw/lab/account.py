"""The account of one environment's life under chaos, and what must hold of it whatever went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from thaw.lab.emulator.sandbox import Shutdown

# What a few thousand small payloads and rubbish may take; and they fit into any budget of bytes.
_MOST_MB = 64.0

# Milliseconds that an environment's invocations may be held up in all by what fails: the outage budget of
# 4 s, what its probes take, and the flushes of what does move.
_MOST_ADDED_MS = 15_000.0


_CRIES = ("Sanitizer", "runtime error:", "CHECK failed")


@dataclass
class Account:
    """What was seen from outside.

    Attributes:
      withholds: whether the intake may have taken what it did not say so of: that may be sent again.
      deaf: whether telemetry is lost, so that ends are waited for in vain, up to the deadline.
      kills: whether the function's end was a crash or a timeout.
      interface_failed: whether Lambda's own interface said that it can't go on, which ends an extension.
      peak_mb: the most memory that was seen.
      payloads: by number: the status that the function got (0: none), and how often its spans arrived, the
        one that did least and the one that did most.
      added_ms: how long each invocation was held up after the function's answer.
      failures: invocations that did not end well and should have.
      ends: of the environment's processes.
      books: the extension's own, the last that it wrote.
      lines: what it wrote.
    """

    withholds: bool = False
    deaf: bool = False
    kills: bool = False
    interface_failed: bool = False
    peak_mb: float = 0.0
    payloads: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    added_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    ends: list[Shutdown] = field(default_factory=list)
    books: dict[str, Any] | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def taken(self) -> list[int]:
        """Payloads of which the function was told that they are taken."""
        return [number for number, (status, _, _) in self.payloads.items() if status == 200]

    @property
    def told_lost(self) -> int:
        """Payloads of which the extension says that it dropped them, or had them still at its end."""
        if self.books is None:
            return 0
        return sum(
            sum(pipeline["dropped"].values()) + pipeline["kept"]
            for name, pipeline in self.books["flush"]["pipelines"].items()
            if name == "traces"
        )


def violations(account: Account) -> list[str]:
    """What is wrong, a line each."""
    wrong = [] if account.interface_failed else list(account.failures)
    wrong += _of_delivery(account)
    wrong += _of_the_process(account)
    if not account.deaf and sum(account.added_ms) > _MOST_ADDED_MS:
        wrong.append(f"invocations were held up for {sum(account.added_ms) / 1e3:.1f} s in all")
    return wrong


def _of_delivery(account: Account) -> list[str]:
    wrong = []
    killed = any(end.killed for shutdown in account.ends for end in shutdown.extensions)
    missing = [number for number in account.taken if account.payloads[number][1] == 0]
    if account.books is None and account.taken and not killed:
        wrong.append("there are no books")
    if len(missing) > account.told_lost and not killed:
        wrong.append(
            f"{len(missing)} payloads were taken and never arrived, {account.told_lost} are accounted for;"
            f" the first: {missing[:5]}"
        )
    twice = [number for number in account.taken if account.payloads[number][2] > 1]
    if twice and not account.withholds:
        wrong.append(f"{len(twice)} payloads arrived more than once: {twice[:5]}")
    # A function that is killed may not hear the answer.
    usual = {0, 200} if account.kills or account.interface_failed or killed else {200}
    odd = {status for status, _, _ in account.payloads.values()} - usual
    if odd:
        wrong.append(f"good payloads were answered with {sorted(odd)} (0: not at all)")
    return wrong


def _of_the_process(account: Account) -> list[str]:
    wrong = []
    if account.peak_mb > _MOST_MB:
        wrong.append(f"it took {account.peak_mb:.0f} MB")
    if not account.ends and not account.interface_failed:
        wrong.append("its end was not seen")
    for shutdown in account.ends:
        for end in shutdown.extensions:
            if not end.told_ns and not account.interface_failed:
                wrong.append("it ended before it was told to")
            if end.killed:
                wrong.append(f"it did not end by itself within Lambda's time ({end.took_ms:.0f} ms)")
            elif end.exit_code != 0 and not account.interface_failed:
                wrong.append(f"it ended with {end.exit_code}")
    wrong += [f"it said: {line}" for line in account.lines if any(each in line for each in _CRIES)]
    return wrong
