"""The result of an experiment: the fates of each arm's payloads, and their cost.

    result = ExperimentResult.from_json(json.loads(text))
    result.arms["thaw"].lost, result.arms["thaw"].flush_ms.p99
    json.dumps(result.to_json())

The JSON is what `python -m thaw.lab compare --json` writes:

    {"world", "scenario", "close", "cycles", "payloads", "seed", "workload", "freeze", "round_trip",
     "tls_version", "exchange_timeout", "flush_deadline", "freezer", "blocks", "idle_limit", "spans",
     "filler_bytes", "cpu_share", "flush_every", "commit", "command", "complete", "busy",
     "comparisons": [{"arm", "reference", "sentence", "verdict", "loss_verdict",
        "flush_ms": {"blocks", "reference", "value", "difference", "interval", "share", "share_interval"},
        "losses": {"lost", "payloads", "interval"}, "reference_losses"}],
     "arms": {NAME: {
        "cycles", "payloads", "requests", "delivered", "lost", "duplicated", "possible_duplicate",
        "retained", "dropped", "errors", "connections", "handshakes_full", "handshakes_resumed", "stale",
        "cpu_us_per_payload", "flush_ms": {"p50", "p99"}, "first_flush_ms", "late", "bytes_per_request",
        "race": {"flushes", "closes", "p5_ms", "p50_ms", "p95_ms"},
        "network": {"made_by", "measured", "congestion_control"},
        "clocks": {"frozen", "wall", "monotonic", "boot"}}}}

An interval is {"low", "high"}, or null where there are too few blocks. `busy` is there if other work on the
machine disturbed the run. `flush_ms` and `cpu_us_per_payload` leave each block's first flush out, which is
`first_flush_ms`; simulated flushes are all alike.

`race` is there where the intake's closes raced the resumes of a client that is frozen between flushes.

`cycles` of the experiment are those of one block, `cycles` of an arm those that it did in all blocks.
`freeze` is a number of seconds, or a distribution as text.

Older files lack some of these members; a member that is None was not in the file and is not written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.lab.comparison import Comparison
from thaw.lab.experiment import (
    THROWN_AWAY,
    ArmOutcome,
    ClockFigures,
    CycleOutcome,
    ExperimentSettings,
    NetworkFigures,
)
from thaw.lab.notebook_forms import ShownAsHtml


@dataclass(frozen=True)
class FlushTimes:
    """Percentiles of an arm's flushes, in milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True)
class RaceTimes:
    """The times of racing closes, in milliseconds from the start of the flush beside them.

    A time is negative if the close came before the flush.

    Attributes:
      flushes: flushes that followed a resume.
      closes: flushes with a close beside them. In the other cases the client kept no connection, or the
        connection was serving the flush when the time came.
    """

    flushes: int
    closes: int
    p5_ms: float
    p50_ms: float
    p95_ms: float

    @classmethod
    def of(cls, cycles: Sequence[CycleOutcome]) -> RaceTimes | None:
        """Counts an arm's cycles. None if no close raced any of them."""
        began = [each for each in cycles if each.flush_start_ms is not None]
        after = [
            each.close_ms - each.flush_start_ms
            for each in began
            if each.close_ms is not None and each.flush_start_ms is not None
        ]
        if not after:
            return None
        return cls(len(began), len(after), *(_percentile(after, percent) for percent in (5, 50, 95)))

    @classmethod
    def from_json(cls, value: Any) -> RaceTimes:
        return cls(**{each.name: _number(value, each.name, "race.") for each in dataclasses.fields(cls)})


@dataclass(frozen=True)
class ArmResult:
    """The result of one arm.

    Attributes:
      payloads: the number of payloads that the arm was given.
      requests: the number of requests that it began, repeats included.
      delivered, lost, duplicated, retained, dropped: the numbers of payloads with that fate (docs/design.md).
      possible_duplicate: payloads that the client marked as possibly there twice.
      errors: exchanges that failed.
      stale: connections that looked open and were dead.
      cpu_us_per_payload: processor time of the client's process, the first flush of each block left out.
      flush_ms: the times of all flushes but the first of each block, or of these if there are no others.
      cycles: the number of cycles that the arm finished; fewer than planned if it was stopped early.
      first_flush_ms: the median of the first flushes, which find no connection, no TLS session and cold
        caches; None where flushes are simulated.
      race: the times of racing closes, if there were any.
      network: the way in which the round trip was made, in a real world that has one.
      clocks: the time that the client's clocks lost while it was frozen, in a real world.
      late: payloads that arrived in a later cycle than their own, in a real world.
      bytes_per_request: the mean size of a body as it was sent, of requests that arrived whole, in a real
        world.
    """

    payloads: int
    requests: int
    delivered: int
    lost: int
    duplicated: int
    possible_duplicate: int
    retained: int
    dropped: int
    errors: int
    connections: int
    handshakes_full: int
    handshakes_resumed: int
    stale: int
    cpu_us_per_payload: float
    flush_ms: FlushTimes
    cycles: int | None = None
    race: RaceTimes | None = None
    network: NetworkFigures | None = None
    first_flush_ms: float | None = None
    clocks: ClockFigures | None = None
    late: int | None = None
    bytes_per_request: float | None = None

    @classmethod
    def from_outcome(cls, outcome: ArmOutcome, cycles_of_block: int | None = None) -> ArmResult:
        """Counts what a real world saw. `cycles_of_block`: the cycles of each block, if there are several."""
        times = outcome.times
        dropped = {where: why for where, why in outcome.dropped.items() if why not in THROWN_AWAY}

        def is_first(cycle: int) -> bool:
            return (cycle if cycles_of_block is None else cycle % cycles_of_block) == 0

        first = [cycle for cycle in outcome.cycles if is_first(cycle.cycle)]
        later = [cycle for cycle in outcome.cycles if not is_first(cycle.cycle)] or first
        counted = {cycle.cycle for cycle in later}
        payloads = sum(where[0] in counted for where in times)
        flush_ms = [cycle.flush_ms for cycle in later]
        return cls(
            cycles=len(outcome.cycles),
            payloads=len(times),
            requests=outcome.requests,
            delivered=sum(1 for each in times.values() if each > 0),
            lost=sum(
                1
                for where, each in times.items()
                if each == 0 and where not in outcome.retained and where not in dropped
            ),
            duplicated=sum(1 for each in times.values() if each > 1),
            possible_duplicate=len(outcome.flagged),
            retained=len(outcome.retained),
            dropped=len(dropped),
            errors=len(outcome.errors),
            connections=outcome.connections,
            handshakes_full=outcome.handshakes_full,
            handshakes_resumed=outcome.handshakes_resumed,
            stale=outcome.counters.get("stale", 0),
            cpu_us_per_payload=sum(cycle.cpu_us for cycle in later) / max(1, payloads),
            flush_ms=FlushTimes(_percentile(flush_ms, 50), _percentile(flush_ms, 99)),
            race=RaceTimes.of(outcome.cycles),
            network=outcome.network,
            first_flush_ms=_percentile([cycle.flush_ms for cycle in first], 50) if first else None,
            clocks=outcome.clocks,
            late=sum(cycle > where[0] for where, cycle in outcome.arrived_in.items()),
            bytes_per_request=outcome.body_bytes / outcome.whole_requests if outcome.whole_requests else None,
        )

    @classmethod
    def from_json(cls, value: Any) -> ArmResult:
        """Reads an arm's object. ValueError names the member that is missing or is no number."""
        if not isinstance(value, dict):
            raise ValueError("figures")
        percentiles = value.get("flush_ms")
        times = FlushTimes(_number(percentiles, "p50", "flush_ms."), _number(percentiles, "p99", "flush_ms."))
        numbers = {name: _number(value, name) for name in _ARM_NUMBERS}
        race = RaceTimes.from_json(value["race"]) if "race" in value else None
        network = NetworkFigures(**value["network"]) if "network" in value else None
        first = _number(value, "first_flush_ms") if "first_flush_ms" in value else None
        clocks = ClockFigures(**value["clocks"]) if "clocks" in value else None
        return cls(
            **numbers,
            flush_ms=times,
            cycles=value.get("cycles"),
            race=race,
            network=network,
            first_flush_ms=first,
            clocks=clocks,
            late=int(_number(value, "late")) if "late" in value else None,
            bytes_per_request=_number(value, "bytes_per_request") if "bytes_per_request" in value else None,
        )

    def to_json(self) -> dict[str, Any]:
        plain = dataclasses.asdict(self)
        cycles = plain.pop("cycles")
        for name in _NOT_EVERYWHERE:
            if plain[name] is None:
                del plain[name]
        return plain if cycles is None else {"cycles": cycles, **plain}


# Members that are left out of the JSON where there is no figure.
_NOT_EVERYWHERE = ("race", "network", "clocks", "first_flush_ms", "late", "bytes_per_request")
_ARM_NUMBERS = tuple(
    each.name
    for each in dataclasses.fields(ArmResult)
    if each.name not in ("flush_ms", "cycles", *_NOT_EVERYWHERE)
)


@dataclass(frozen=True)
class ExperimentResult(ShownAsHtml):
    """The results of several arms in the same freezes.

    Attributes:
      world, scenario, close, cycles, seed, payloads … freezer: the experiment's settings; `payloads` is how
        many each flush sent, and times are seconds (`experiment.ExperimentSettings`).
      commit: the commit of the code.
      command: the command that runs the experiment again.
      complete: whether the experiment ran to its end.
      busy: the reason why times of this run mean little, if other work on the machine disturbed it.
      comparisons: those of each arm with the first one.
      arms: the result of each arm by its name, in the order in which the arms ran.
    """

    world: str
    scenario: str
    close: str
    cycles: int
    seed: int
    commit: str
    arms: Mapping[str, ArmResult]
    payloads: int | None = None
    workload: str | None = None
    freeze: float | str | None = None
    round_trip: float | None = None
    tls_version: str | None = None
    exchange_timeout: float | None = None
    flush_deadline: float | None = None
    freezer: str | None = None
    blocks: int | None = None
    idle_limit: float | None = None
    spans: int | None = None
    filler_bytes: int | None = None
    cpu_share: float | None = None
    flush_every: float | None = None
    command: str | None = None
    complete: bool = True
    busy: str | None = None
    comparisons: tuple[Comparison, ...] = ()

    @classmethod
    def of(
        cls,
        settings: ExperimentSettings,
        arms: Mapping[str, ArmResult],
        *,
        commit: str,
        command: str,
        complete: bool,
        busy: str | None = None,
        comparisons: tuple[Comparison, ...] = (),
    ) -> ExperimentResult:
        """Returns the result of an experiment with these settings."""
        return cls(
            **settings.conditions(),
            commit=commit,
            command=command,
            complete=complete,
            busy=busy,
            comparisons=comparisons,
            arms=dict(arms),
        )

    @classmethod
    def from_json(cls, value: Any) -> ExperimentResult:
        """Reads what `to_json` gave, now or in an older version. ValueError says what is missing."""
        if not isinstance(value, dict) or not isinstance(value.get("arms"), dict):
            raise ValueError("it has no arms")
        for name in _REQUIRED:
            if name not in value:
                raise ValueError(f"it has no {name}")
        arms = {}
        for name, figures in value["arms"].items():
            try:
                arms[name] = ArmResult.from_json(figures)
            except ValueError as error:
                raise ValueError(f"arm {name} has no {error}") from None
        known = {each.name for each in dataclasses.fields(cls)}
        plain = {name: each for name, each in value.items() if name in known}
        comparisons = tuple(map(Comparison.from_json, value.get("comparisons", ())))
        return cls(**{**plain, "arms": arms, "comparisons": comparisons})

    def to_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in _MEMBERS}
        said = {name: value for name, value in plain.items() if value is not None}
        if self.comparisons:
            said["comparisons"] = [each.to_json() for each in self.comparisons]
        return {**said, "arms": {name: arm.to_json() for name, arm in self.arms.items()}}

    def cycles_of(self, arm: ArmResult) -> int:
        """Returns the number of cycles that an arm did: fewer than asked for if it was stopped."""
        return self.all_cycles if arm.cycles is None else arm.cycles

    @property
    def all_cycles(self) -> int:
        """Returns the number of cycles that each arm was to do, in all blocks."""
        return self.cycles * (self.blocks or 1)


_REQUIRED = ("world", "close", "scenario", "cycles", "seed", "commit")
# In the order in which they are written: the settings' own, and where the result comes from.
_MEMBERS = (
    *(each.name for each in dataclasses.fields(ExperimentSettings) if each.name != "arms"),
    *("commit", "command", "complete", "busy"),
)


def _number(value: Any, name: str, prefix: str = "") -> Any:
    """Returns the member, unchanged. ValueError names a member that is missing or is no number."""
    try:
        float(value[name])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{prefix}{name}") from None
    return value[name]


def _percentile(values: Sequence[float], percent: float) -> float:
    if not values:
        return 0.0
    import numpy  # not above: it takes half a second, which commands without results would wait for

    return float(numpy.percentile(values, percent))
