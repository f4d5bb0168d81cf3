"""Runs the extension under random faults, all at once, and accounts for every payload, log line and point.

    python -m thaw.lab chaos --seed 7 --seconds 120

Environments run one after the other in the emulated Lambda, each with a random initialization type and flush
strategy. The function's tracers send numbered payloads, some without TCP_NODELAY, and the function writes
numbered log lines and sends numbered points of metrics, while other clients send invalid bytes to each port.
Telemetry is late, lost, doubled or unreadable; the Runtime API fails; the intake closes, refuses, stalls,
does not answer, and writes its responses in every form that HTTP allows; a nameserver has no answer for IPv6;
the key is in a store that throttles; the reader of the log stops; a proxy cuts connections. The environment
then ends in one of the ways in which environments end. At the end the counts are compared: each payload, line
and point that the extension accepted has arrived, or is reported as lost.

The nameserver and the store of keys need root, for a network and a mount table of their own; without root
they are left out.

The faults depend on the seed alone, so that a seed repeats them. Their timing depends on the machine, too: a
race may need several runs.
"""

from __future__ import annotations

import argparse
import asyncio
import pathlib
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from thaw.lab import arguments, own_network
from thaw.lab.executables import EXTENSION, EXTENSION_PORTS, extension
from thaw.lab.experiments.chaos.account import Account, violations
from thaw.lab.experiments.chaos.life import live
from thaw.lab.experiments.chaos.plan import Plan, draw
from thaw.lab.progress import Progress
from thaw.lab.stop import EXIT_CODE, Stop

# Taken, arrived, arrived more than once, reported as lost.
_Counts = tuple[int, int, int, int]


class ChaosError(RuntimeError):
    """An invariant is broken; the text says which, and how to repeat the run."""


@dataclass(frozen=True)
class Result:
    """Counts of a whole run.

    Attributes:
      numbered: counts of each kind of data for which the function gets no answer, by the kind's name: how
        many were taken, arrived, arrived more than once, and were at most reported as lost.
    """

    environments: int
    payloads: int
    taken: int
    arrived: int
    twice: int
    reported_lost: int
    seconds: float
    numbered: dict[str, _Counts] = field(default_factory=dict)


def run(
    executable: pathlib.Path,
    *,
    seed: int,
    seconds: float,
    environments: int = 0,
    only: int | None = None,
    names: bool = False,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Result:
    """Runs one environment after the other until the time is over, `stop` is requested, or as many ran as are
    to run.

    Args:
      only: runs just the environment of that number.
      names: as in `live`.

    Raises ChaosError at the first environment that breaks an invariant.
    """
    begun = time.monotonic()
    shown = progress or Progress(silent=True)
    shown.begin("chaos", environments or round(seconds))
    number = payloads = taken = arrived = twice = lost = done = 0
    numbered: dict[str, _Counts] = {}
    with tempfile.TemporaryDirectory(prefix="thaw-chaos-") as folder:
        while True:
            if only is not None:
                number = only
            plan = draw(random.Random(f"{seed}/{number}"))
            account = asyncio.run(live(plan, seed, number, executable, pathlib.Path(folder), names=names))
            broken = violations(account)
            if broken:
                raise ChaosError(_describe(seed, number, plan, account, broken))
            done += 1
            payloads += len(account.payloads)
            taken += len(account.taken)
            arrived += sum(account.payloads[each].least > 0 for each in account.taken)
            twice += sum(account.payloads[each].most > 1 for each in account.taken)
            lost += account.reported_lost
            for kind in account.numbered:
                a, b, c, d = numbered.get(kind.name, (0, 0, 0, 0))
                lost_at_most = min(kind.reported_lost, len(kind.missing))
                numbered[kind.name] = (
                    a + len(kind.taken),
                    b + kind.arrived,
                    c + len(kind.beyond),
                    d + lost_at_most,
                )
            spent = time.monotonic() - begun
            shown.step(done if environments else round(spent), f"chaos, {done} environments")
            shown.say(
                f"{spent:6.1f} s  {done} environments, {taken:,} payloads taken, {arrived:,} arrived,"
                f" {lost:,} reported as lost" + _words(numbered)
            )
            number += 1
            ended = stop is not None and stop.requested
            if ended or only is not None or (environments and done >= environments) or spent >= seconds:
                return Result(done, payloads, taken, arrived, twice, lost, spent, numbered)


def _words(numbered: dict[str, _Counts]) -> str:
    return "".join(
        f"; {taken:,} {name} taken, {arrived:,} arrived ({twice:,} more than once), {lost:,} reported as lost"
        for name, (taken, arrived, twice, lost) in numbered.items()
    )


def _describe(seed: int, number: int, plan: Plan, account: Account, broken: Sequence[str]) -> str:
    lines = [f"environment {number} of seed {seed}:", *(f"  {each}" for each in broken)]
    lines.append(f"  it was: {plan.settings.initialization_type}, {plan.settings.environment}")
    lines.append(f"  {plan.faults}, end: {plan.end}")
    lines.append(f"  AAAA: {plan.aaaa}, key: {plan.store}, which first answers {plan.store_faults}")
    lines += [f"  | {line}" for line in account.lines[-15:]]
    lines.append(f"  again: python -m thaw.lab chaos --seed {seed} --only {number}")
    return "\n".join(lines)


# -- The command line --------------------------------------------------------------------------------------

_LOOPBACK_MTU = 65536
# Span ids go on from one environment to the next, and stay below the ids of traces.
_MOST_ENVIRONMENTS = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `chaos`."""
    option = parser.add_argument
    option(
        "--seed", type=arguments.seed, default=1, help="the seed of all random choices (default: %(default)s)"
    )
    option(
        "--seconds",
        type=arguments.number(0, 1e7, "seconds", above=True),
        default=120,
        metavar="S",
        help="the duration of the run, in seconds (default: %(default)s)",
    )
    option(
        "--environments",
        type=arguments.integer(0, _MOST_ENVIRONMENTS),
        default=0,
        metavar="N",
        help="ends after this many environments, if that is sooner (default: 0, which is no limit)",
    )
    option(
        "--only",
        type=arguments.integer(0, _MOST_ENVIRONMENTS),
        metavar="N",
        help="runs only the environment with this number",
    )
    option(
        "--extension",
        type=arguments.checked(extension),
        default=EXTENSION,
        metavar="FILE",
        help="the extension's executable (default: the one in the checkout's bazel-bin)",
    )
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    extension(str(given.extension))
    # The extension's ports are fixed; in a network of its own no other process has them.
    if (note := own_network.enter(_LOOPBACK_MTU)) is not None:
        print(f"{note}; this machine's is used, and no nameserver and no store of secrets", file=sys.stderr)
    own_network.require_free(EXTENSION_PORTS)
    with Stop.on_interrupt() as stop, Progress() as progress:
        result = run(
            given.extension.resolve(),
            seed=given.seed,
            seconds=given.seconds,
            environments=given.environments,
            only=given.only,
            names=note is None,
            progress=progress,
            stop=stop,
        )
    print(
        f"seed {given.seed}: {result.environments} environments in {result.seconds:.0f} s;"
        f" of {result.payloads:,} payloads {result.taken:,} were taken, {result.arrived:,} arrived"
        f" ({result.twice:,} more than once, as they may), {result.reported_lost:,} are said to be lost"
        f"{_words(result.numbered)}; nothing is unaccounted for"
    )
    return EXIT_CODE if stop.requested else 0
