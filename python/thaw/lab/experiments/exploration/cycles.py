"""Random cycles of world W0: long lives of one client, where `thaw.explore_at_random` has many short ones.

    cycled = run(POLICIES, cycles=10_000_000, seed=1, jobs=2)
    cycled.cycles, cycled.broken

A cycle is a flush, a freeze and a resume (`thaw.simulate`). A client lives for `LIFE` cycles, with freezes
between flushes in one half of the lives and between any two steps of a flush in the other; connections end in
every way, clocks behave in every way, and one dial or request in ten meets a fault. Invariants are checked
after every step.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import thaw
from thaw.lab.experiments.exploration.policies import Policy
from thaw.lab.stop import Stop

LIFE = 10_000  # cycles
FAULT_RATE = 0.1
_SCENARIOS = ("idle", "inflight")
_SAY_EVERY = 10.0  # seconds


@dataclass
class Cycled:
    """The counts of a run: cycles, payloads that were handed over, and lives that broke an invariant."""

    cycles: int = 0
    payloads: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rate = self.cycles / self.seconds if self.seconds else 0.0
        text = (
            f"{self.cycles:,} random cycles with {self.payloads:,} payloads in {self.seconds:.0f} s,"
            f" {rate:,.0f} a second; {len(self.broken)} lives broke an invariant"
        )
        return "\n".join([text, *self.broken])


@dataclass(frozen=True)
class _Life:
    policy: Policy
    scenario: str
    seed: int
    cycles: int

    def options(self) -> dict[str, Any]:
        return {
            "cycles": self.cycles,
            "seed": self.seed,
            "scenario": self.scenario,
            "close": "mixed",
            "fault_rate": FAULT_RATE,
        }

    def __str__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.options().items())
        return f"{self.policy.name}: thaw.simulate({options}, **options of the client)"


class _Ended(Exception):
    """Ends a life from its progress."""


def run(
    policies: Sequence[Policy],
    *,
    cycles: int,
    seed: int = 1,
    jobs: int = 1,
    say: Callable[[str], None] = lambda line: None,
    stop: Stop | None = None,
) -> Cycled:
    """Runs `cycles` cycles, spread over the policies. The same seed gives the same lives."""
    found = Cycled()
    begun = said = time.monotonic()
    lock = threading.Lock()

    def progress(cycle: int) -> None:
        if stop is not None and stop.requested:
            raise _Ended

    def live(life: _Life) -> None:
        nonlocal said
        if stop is not None and stop.requested:
            return
        broken = None
        payloads = 0
        try:
            result = thaw.simulate(**life.options(), **life.policy.options(), progress=progress)
            payloads = result["payloads"]
        except _Ended:
            return
        except thaw.InvariantBroken as error:
            broken = f"{life}: {error}"
        with lock:
            found.cycles += life.cycles
            found.payloads += payloads
            if broken is not None:
                found.broken.append(broken)
            if time.monotonic() - said >= _SAY_EVERY:
                said = time.monotonic()
                say(f"{said - begun:6.1f} s  {found.cycles:,} of {cycles:,} random cycles")

    # The native simulation runs without the GIL.
    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(live, _lives(policies, cycles, seed)):
            pass
    found.seconds = time.monotonic() - begun
    return found


def _lives(policies: Sequence[Policy], cycles: int, seed: int) -> Iterator[_Life]:
    for number, (policy, scenario) in enumerate(itertools.cycle(itertools.product(policies, _SCENARIOS))):
        if cycles <= 0:
            return
        yield _Life(policy, scenario, seed + number, min(LIFE, cycles))
        cycles -= LIFE
