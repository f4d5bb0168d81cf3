"""An experiment's settings, and the outcome of one arm: plain values that worlds fill in."""

from __future__ import annotations

import dataclasses
import random
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from thaw.lab import arms, named_values
from thaw.lab.arguments import MOST_SEED
from thaw.lab.certificates import TlsVersionName
from thaw.lab.freezer import FREEZERS, FreezerName
from thaw.lab.freezes import LONGEST, FreezeDistribution
from thaw.lab.workload import WorkloadKind

WorldName = Literal["W0", "W1", "W2"]
WORLDS: tuple[WorldName, ...] = get_args(WorldName)
Scenario = Literal["idle", "inflight"]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
# Ways in which connections end: by the intake, as `intake.CloseKind`; race: by its FIN, timed about the
# resume; none: not at all, which shows what an arm costs where nothing goes wrong; in W2 alone, while the
# line is cut: by a middlebox (blackhole, nat) or by a change of the client's address.
Close = Literal["fin", "rst", "silent", "race", "none", "blackhole", "nat", "address"]
LINE_CLOSES: tuple[Close, ...] = ("blackhole", "nat", "address")
CLOSES: tuple[Close, ...] = tuple(each for each in get_args(Close) if each not in LINE_CLOSES)
W2_CLOSES: tuple[Close, ...] = ("fin", "rst", "silent", *LINE_CLOSES)

Where = tuple[int, int]  # cycle, payload; counted from 0

# Reasons for which a client drops a payload only because sending it failed: such a payload is lost.
THROWN_AWAY = ("discarded", "redrive_failed")


# Least and most of each number of `ExperimentSettings`. A span's id has room for so many cycles and payloads.
BOUNDS: dict[str, tuple[float, float]] = {
    "cycles": (1, 1 << 26),
    "payloads": (1, 1 << 16),
    "seed": (0, MOST_SEED),
    "blocks": (1, 10_000),
    "spans": (1, 10_000),
    "filler_bytes": (0, 1_000_000),
    "cpu_share": (0.05, 1),  # the kernel gives no less than 1 ms of a period of 20
    "freeze": (0, LONGEST),
    "idle_limit": (0, LONGEST),
    "round_trip": (0, 60),
    "exchange_timeout": (0.001, 3600),
    "flush_deadline": (0.001, 3600),
}
WHOLE = ("cycles", "payloads", "seed", "blocks", "spans", "filler_bytes")
CHOICES: dict[str, tuple[str, ...]] = {
    "world": WORLDS,
    "scenario": SCENARIOS,
    "close": (*CLOSES, *LINE_CLOSES),
    "workload": get_args(WorkloadKind),
    "tls_version": get_args(TlsVersionName),
    "freezer": FREEZERS,
}
# A generated payload's filler, in bytes: more than the intake takes would be split by some arms only.
MOST_FILLER_BYTES = 3_000_000


class ExperimentError(RuntimeError):
    """An experiment could not be carried out; the text says where it was and why."""


class Stopped(Exception):
    """An experiment was asked to end, and nothing of the arm under way can be used."""


@dataclass(frozen=True)
class ExperimentSettings:
    """One experiment, or one point of a sweep. Durations are seconds.

    World W0 makes its payloads itself, scripts TLS 1.3, has a round trip of 1 ms at least and freezes for 61
    to 89 s unless a uniform distribution is given. ValueError names a field, its value and what is expected,
    or settings that contradict each other.

    Attributes:
      arms: names, with options in brackets or without, each written in one way (`arms.parse`).
      cycles: how many freezes each block has.
      freeze: how long each freeze lasts at least, or the distribution that it is drawn from.
      round_trip: what the network adds.
      exchange_timeout: the limit of one exchange, for every arm: the 30 s that peers wait would fill a run
        against a silent intake. thaw's `resume_grace` is a quarter of it.
      blocks: how often each arm is run anew, with a new process and new connections. With several blocks the
        order of the arms is drawn in each, and all arms of a block get the same payloads and freezes.
      idle_limit: how long a connection has been idle when the intake gives it up; None: from the beginning of
        a freeze in W1, 60 s in W0; W2 has none. A freeze that is shorter ends no connection.
      spans, filler_bytes: the size of a generated payload: its spans, and what is added to each of them that
        does not compress. A real payload gets a filler of more than 64 bytes in its first span.
      cpu_share: how much of one processor the client's process may use, counted in periods of 20 ms as on
        Lambda, where 1,769 MB of memory are one processor; 1: as much as there is.
    """

    arms: tuple[str, ...] = ("v93", "thaw")
    world: WorldName = "W1"
    scenario: Scenario = "idle"
    close: Close = "silent"
    cycles: int = 200
    payloads: int = 3
    seed: int = 1
    workload: WorkloadKind = "real"
    freeze: float | FreezeDistribution = 0.002
    round_trip: float = 0.0
    tls_version: TlsVersionName = "1.3"
    exchange_timeout: float = 1.0
    flush_deadline: float = 10.0
    freezer: FreezerName = "sigstop"  # of W1 and W2
    blocks: int = 1
    idle_limit: float | None = None
    spans: int = 10
    filler_bytes: int = 64
    cpu_share: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.arms, str) or not all(isinstance(each, str) for each in self.arms):
            raise ValueError(f"arms is {self.arms!r}, not a list of names")
        try:
            found = arms.find(",".join(self.arms))
        except ValueError as error:
            raise ValueError(f"arms is {', '.join(self.arms)!r}: {error}") from None
        object.__setattr__(self, "arms", tuple(arm.name for arm in found))
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}, not one of {', '.join(known)}")
        if isinstance(self.freeze, str | Mapping):
            try:
                object.__setattr__(self, "freeze", FreezeDistribution.of(self.freeze))
            except ValueError as error:
                raise ValueError(f"freeze is {self.freeze!r}: {error}") from None
        for name in BOUNDS:
            self._check_number(name)
        _check_together(self)

    def _check_number(self, name: str) -> None:
        value, whole = getattr(self, name), name in WHOLE
        if (name, value) == ("idle_limit", None) or isinstance(value, FreezeDistribution):
            return
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            expected = (
                "a whole number" if whole else "a number of seconds" if name != "cpu_share" else "a number"
            )
            raise ValueError(f"{name} is {value!r}, not {expected}")
        least, most = BOUNDS[name]
        if not least <= value <= most:
            shown = (least, most) if whole else (f"{least:g}", f"{most:g}")
            raise ValueError(f"{name} is {value}, not from {shown[0]} to {shown[1]}")
        if not whole:
            object.__setattr__(self, name, float(value))

    def conditions(self) -> dict[str, Any]:
        """All settings but the arms, as they stand in a result's JSON: a distribution is text there."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        del values["arms"]
        return {**values, "freeze": plain_freeze(self.freeze)}

    def freeze_of(self, cycle: int) -> float:
        """Returns how long the freeze of a cycle lasts at least: the same for every arm."""
        if isinstance(self.freeze, FreezeDistribution):
            return self.freeze.draw(random.Random(f"{self.seed}/freeze/{cycle}"))
        return self.freeze

    def of_block(self, block: int) -> ExperimentSettings:
        """The settings of one block alone. The first has the experiment's seed, the others their own."""
        chance = random.Random(f"{self.seed}/block/{block}")
        seed = self.seed if block == 0 else chance.randrange(MOST_SEED)
        return dataclasses.replace(self, blocks=1, seed=seed)

    def order(self) -> list[tuple[int, str]]:
        """The blocks and arms in the order in which they are run."""
        made = []
        for block in range(self.blocks):
            names = list(self.arms)
            if self.blocks > 1:
                random.Random(f"{self.seed}/order/{block}").shuffle(names)
            made += [(block, name) for name in names]
        return made


def _check_together(settings: ExperimentSettings) -> None:
    """Raises ValueError if settings contradict each other, or ask a world for what it can't do."""
    if settings.round_trip >= settings.exchange_timeout:
        raise ValueError(
            f"with a round trip of {settings.round_trip:g} s and an exchange timeout of"
            f" {settings.exchange_timeout:g} s no exchange could end"
        )
    if settings.close in LINE_CLOSES and settings.world != "W2":
        raise ValueError(f"close {settings.close} is for world W2 alone")
    if settings.world == "W2" and (settings.scenario != "idle" or settings.close not in W2_CLOSES):
        raise ValueError(f"world W2 has scenario idle and closes {', '.join(W2_CLOSES)} alone")
    if settings.world == "W2" and settings.idle_limit is not None:
        raise ValueError(
            f"idle_limit is {settings.idle_limit:g}: world W2 ends connections at the beginning of a freeze"
        )
    if settings.close == "none" and (settings.world, settings.scenario) != ("W1", "idle"):
        raise ValueError("an intake that closes nothing (close none) is for world W1 and scenario idle alone")
    if settings.close == "none" and settings.idle_limit is not None:
        raise ValueError(
            f"idle_limit is {settings.idle_limit:g} and close is none: an intake that closes nothing has none"
        )
    if settings.idle_limit is not None and settings.scenario != "idle":
        raise ValueError(
            f"idle_limit is {settings.idle_limit:g}: it is for scenario idle, an exchange that is held is not"
        )
    if settings.spans * settings.filler_bytes > MOST_FILLER_BYTES and settings.workload != "real":
        raise ValueError(
            f"filler_bytes is {settings.filler_bytes}: {settings.spans} spans have more than"
            f" {MOST_FILLER_BYTES} bytes of it"
        )
    if settings.world == "W0":
        _check_simulated(settings)


def _check_simulated(settings: ExperimentSettings) -> None:
    for arm in map(arms.parse, settings.arms):
        if arm.maker != "native" or arm.client_per_flush:
            raise ValueError(f"world W0 can't run arm {arm.name}: it simulates one client of thaw's own")
    plain = {each.name: each.default for each in dataclasses.fields(settings)}
    for name, why in (
        ("blocks", "it is deterministic"),
        ("spans", "it makes its payloads itself"),
        ("filler_bytes", "it makes its payloads itself"),
        ("cpu_share", "it simulates the client in its own process"),
    ):
        if (value := getattr(settings, name)) != plain[name]:
            raise ValueError(f"{name} is {value}: world W0 takes {plain[name]} alone, since {why}")
    if isinstance(settings.freeze, FreezeDistribution) and settings.freeze.name != "uniform":
        raise ValueError(f"freeze is {settings.freeze}: world W0 draws from a uniform distribution alone")


def plain_freeze(freeze: float | FreezeDistribution) -> float | str:
    """A freeze as it is written where a number or text can stand."""
    return str(freeze) if isinstance(freeze, FreezeDistribution) else freeze


def command(settings: ExperimentSettings) -> str:
    """The command that runs an experiment again, for a shell. It names every setting, whatever the
    defaults, except an idle limit that is the world's own.
    """
    arguments = ["python", "-m", "thaw.lab", "compare", "--arms", ",".join(settings.arms)]
    for name, value in settings.conditions().items():
        if value is not None:
            text = named_values.number(value) if isinstance(value, float) else str(value)
            arguments += [argument_of(name), text]
    return shlex.join(arguments)


def argument_of(name: str) -> str:
    """The argument of `compare` and `sweep` for a field of the settings."""
    return "--tls" if name == "tls_version" else f"--{name.replace('_', '-')}"


@dataclass(frozen=True)
class CycleOutcome:
    """The cost of one flush.

    Attributes:
      phase: where its exchange was frozen, if it was.
      close_ms: when a racing close came after the resume; negative: before it. None if none came: no
        connection was kept, or it was serving the flush.
      flush_start_ms: when the flush began after the resume; None where none began then.
      exchanges: how long the parts of each exchange took that was answered, as `thaw.ExchangeTimes.to_dict`
        says it; empty for other clients than thaw's own.
    """

    cycle: int
    phase: str | None
    flush_ms: float
    cpu_us: float
    connections: int
    handshakes_full: int
    handshakes_resumed: int
    errors: int
    close_ms: float | None = None
    flush_start_ms: float | None = None
    exchanges: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class NetworkFigures:
    """The origin of a real world's round trip.

    Attributes:
      made_by: line: a network between two namespaces; intake: it held bytes back where no line can be made.
      measured: seconds that a TCP handshake took over the line before the first cycle, the median of five.
      congestion_control: the kernel's over the line.
    """

    made_by: Literal["line", "intake"]
    measured: float | None = None
    congestion_control: str | None = None


@dataclass
class ArmOutcome:
    """The outcome of one arm in a real world.

    Attributes:
      times: how often the intake accepted each payload that was handed over.
      dropped: the reason for each payload that the client gave up, those of `THROWN_AWAY` included.
    """

    times: dict[Where, int] = field(default_factory=dict)
    flagged: set[Where] = field(default_factory=set)
    retained: set[Where] = field(default_factory=set)
    dropped: dict[Where, str] = field(default_factory=dict)
    cycles: list[CycleOutcome] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    connections: int = 0
    handshakes_full: int = 0
    handshakes_resumed: int = 0
    network: NetworkFigures | None = None

    def extend(self, other: ArmOutcome, first_cycle: int) -> None:
        """Adds the outcome of another block, whose cycles are counted from `first_cycle` here."""

        def moved(where: Where) -> Where:
            return where[0] + first_cycle, where[1]

        self.times |= {moved(where): times for where, times in other.times.items()}
        self.flagged |= set(map(moved, other.flagged))
        self.retained |= set(map(moved, other.retained))
        self.dropped |= {moved(where): why for where, why in other.dropped.items()}
        self.cycles += [dataclasses.replace(each, cycle=each.cycle + first_cycle) for each in other.cycles]
        self.errors += other.errors
        for name, value in other.counters.items():
            self.counters[name] = self.counters.get(name, 0) + value
        for name in ("requests", "connections", "handshakes_full", "handshakes_resumed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if self.network is None:
            self.network = other.network
