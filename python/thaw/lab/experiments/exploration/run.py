"""Explores world W0: runs every small history, then larger random ones, and checks the invariants.

    python -m thaw.lab explore

A history hands a few payloads over, flushes them and freezes the environment between any two steps, while
connections end in every way, packets overtake each other, and dials and requests meet faults. The first
history that breaks an invariant is made as small as it can be and printed as a line of C++ and of Python that
runs it again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import thaw
from thaw.lab import arguments
from thaw.lab.experiments.exploration import cycles
from thaw.lab.experiments.exploration.policies import LARGE_SIZES, POLICIES, RANDOM_SIZE, SIZES, Policy, Size
from thaw.lab.stop import EXIT_CODE, Stop


class _Ended(Exception):
    """Ends an exploration from its progress."""


@dataclass
class Explored:
    """The counts of one policy's exploration, or of all together."""

    histories: int = 0
    known: int = 0
    states: int = 0
    steps: int = 0
    random: int = 0
    complete: bool = True
    seconds: float = 0.0
    # For each cell of the failure table, the times that it was met, or the reason why it can't be.
    failures: dict[str, int] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    broken: list[dict[str, Any]] = field(default_factory=list)

    def add(self, result: dict[str, Any], *, random: bool, what: str) -> None:
        """Adds what thaw.explore returned."""
        self.random += result["histories"] if random else 0
        self.histories += 0 if random else result["histories"]
        self.complete = self.complete and (random or result["complete"])
        for name in ("known", "states", "steps"):
            setattr(self, name, getattr(self, name) + result[name])
        for cell in result["failures"]:
            if cell["unreachable"]:
                self.unreachable[cell["cell"]] = cell["unreachable"]
            else:
                self.failures[cell["cell"]] = self.failures.get(cell["cell"], 0) + cell["count"]
        if result["broken"] is not None:
            self.broken.append({**result["broken"], "what": what})

    def merge(self, other: Explored) -> None:
        """Adds what another policy went through."""
        for name in ("histories", "known", "states", "steps", "random"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.complete = self.complete and other.complete
        for cell, count in other.failures.items():
            self.failures[cell] = self.failures.get(cell, 0) + count
        self.unreachable |= other.unreachable
        self.broken += other.broken

    @property
    def missed(self) -> list[str]:
        """The cells of the failure table that can be reached and were not."""
        return [cell for cell, count in self.failures.items() if count == 0]


def explore(
    policies: Sequence[Policy],
    sizes: Sequence[Size],
    *,
    random: int = 0,
    seed: int = 1,
    jobs: int = 1,
    say: Callable[[str], None] = lambda _line: None,
    stop: Stop | None = None,
) -> dict[str, Explored]:
    """Explores each policy at each size, then `random` histories of each, with seeds from `seed` on.

    Returns what each policy went through, by its name. A policy ends with its first broken history.
    """
    begun = time.monotonic()
    explored = {policy.name: Explored() for policy in policies}
    lock = threading.Lock()
    done = 0

    def progress(_histories: int) -> None:
        if stop is not None and stop.requested:
            raise _Ended

    def run(policy: Policy, size: Size, is_random: bool) -> None:
        nonlocal done
        mine = explored[policy.name]
        what = f"{policy.name}, {size}"
        if mine.broken or (stop is not None and stop.requested):
            mine.complete = False
            return
        given = {**policy.options(), **size.options(), "progress": progress}
        started = time.monotonic()
        try:
            if is_random:
                result = thaw.explore_at_random(seed=seed, histories=random, **given)
            else:
                result = thaw.explore(**given)
        except _Ended:
            mine.complete = False
            return
        with lock:
            mine.add(result, random=is_random, what=what)
            mine.seconds += time.monotonic() - started
            done += 1
            count = f"{result['histories']:,} {'random ' if is_random else ''}histories"
            say(f"{time.monotonic() - begun:6.1f} s  {done} of {len(works)}: {what}: {count}")

    works = [(policy, size, False) for size in sizes for policy in policies]
    if random:
        works += [(policy, RANDOM_SIZE, True) for policy in policies]
    # The native search runs without the GIL.
    with ThreadPoolExecutor(jobs) as pool:
        for each in [pool.submit(run, *work) for work in works]:
            each.result()
    return explored


# -- The command line --------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `explore`."""
    option = parser.add_argument
    names = [policy.name for policy in POLICIES]
    option(
        "--policies",
        type=arguments.several_of(names, "policy"),
        metavar="NAME,…",
        help=f"the clients to explore (default: all of {', '.join(names)})",
    )
    option("--large", action="store_true", help="runs also histories that take hours")
    option(
        "--random",
        type=arguments.integer(0, 1_000_000_000),
        default=5_000,
        metavar="N",
        help="random histories of each client, larger ones (default: %(default)s)",
    )
    option(
        "--cycles",
        type=arguments.integer(0, 10_000_000_000),
        default=0,
        metavar="N",
        help="random cycles of clients that live long, over all clients together; ten million take about four"
        " minutes on two processors (default: %(default)s)",
    )
    option(
        "--without-histories",
        action="store_true",
        help="leaves out histories, all small ones and random ones",
    )
    option(
        "--seed",
        type=arguments.seed,
        default=1,
        help="the seed of the first random history (default: %(default)s)",
    )
    option(
        "--jobs",
        type=arguments.integer(1, 1024),
        default=os.cpu_count() or 1,
        metavar="N",
        help="the number of threads (default: %(default)s)",
    )
    option("--failures", action="store_true", help="prints the table of failures, cell by cell")
    option("--json", type=arguments.output_file, metavar="FILE", help="writes the counts into this file")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    policies = [each for each in POLICIES if given.policies is None or each.name in given.policies]
    if given.without_histories and not given.cycles:
        raise ValueError("--without-histories leaves nothing to run; --cycles N runs random cycles")
    begun = time.monotonic()
    with Stop.on_interrupt() as stop:
        explored: dict[str, Explored] = {}
        if not given.without_histories:
            explored = explore(
                policies,
                (*SIZES, *LARGE_SIZES) if given.large else SIZES,
                random=given.random,
                seed=given.seed,
                jobs=given.jobs,
                say=_say,
                stop=stop,
            )
        total = Explored(seconds=time.monotonic() - begun)
        cycled = cycles.run(
            policies, cycles=given.cycles, seed=given.seed, jobs=given.jobs, say=_say, stop=stop
        )
    for each in explored.values():
        total.merge(each)
    if explored:
        print(summary(explored, total))
    if given.cycles:
        print(cycled)
    if given.failures:
        print(failure_table(total))
    if given.json is not None:
        counts = {**_json(explored, total), "cycles": dataclasses.asdict(cycled)}
        given.json.write_text(json.dumps(counts, indent=1) + "\n")
    if total.broken or cycled.broken:
        return 1
    return EXIT_CODE if stop.requested else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _json(explored: dict[str, Explored], total: Explored) -> dict[str, Any]:
    return {
        "seconds": total.seconds,
        "complete": total.complete,
        "policies": {
            name: {"histories": each.histories, "random": each.random, "states": each.states}
            for name, each in explored.items()
        },
        "failures": total.failures,
        "unreachable": total.unreachable,
        "missed": total.missed,
        "broken": total.broken,
    }


def summary(explored: dict[str, Explored], total: Explored) -> str:
    """Returns the counts of each policy and what was broken, as text."""
    width = max(map(len, explored))
    lines = [f"{'client':<{width}}  {'histories':>11}  {'random':>11}  {'steps':>15}  broken"]
    for name, each in explored.items():
        broken = ", ".join(one["invariant"] for one in each.broken) or (
            "-" if each.complete else "not all run"
        )
        lines.append(
            f"{name:<{width}}  {each.histories:>11,}  {each.random:>11,}  {each.steps:>15,}  {broken}"
        )
    cells = len(total.failures)
    not_all = "" if total.complete else ", not all,"
    lines.append(
        f"\n{total.histories:,} histories{not_all} and {total.random:,} random ones in {total.seconds:.0f} s;"
        f" {total.known:,} ended in a state met before; of the failure table's reachable cells,"
        f" {cells - len(total.missed)} of {cells} were met; {len(total.unreachable)} can't be"
    )
    for one in total.broken:
        seed = "" if one["seed"] is None else f"\nseed {one['seed']}"
        lines.append(f"\n{one['what']}: {one['text']}{seed}\n{one['story']}")
        lines.append(f"C++:    {one['cpp']}\nPython: {one['python']}")
    return "\n".join(lines)


def failure_table(total: Explored) -> str:
    """Returns the table of failures: each cell with its count, or the reason for which it can't be met."""
    cells = [f"{count:>13,}  {cell}" for cell, count in total.failures.items()]
    cells += [f"{'-':>13}  {cell}: {why}" for cell, why in total.unreachable.items()]
    return "\n".join(cells)
