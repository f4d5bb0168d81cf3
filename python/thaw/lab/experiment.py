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
from thaw.lab.freeze_lengths import LONGEST, FreezeDistribution
from thaw.lab.freezer import FREEZERS, FreezerName
from thaw.lab.workload import WorkloadKind

WorldName = Literal["W0", "W1", "W2", "W3a", "W3b"]
WORLDS: tuple[WorldName, ...] = get_args(WorldName)
Scenario = Literal["idle", "inflight"]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
# Ways in which connections end during a freeze:
#   fin, rst, silent   the intake ends them, as `intake.CloseKind` says
#   race               the intake ends them by FIN at a time about the resume
#   none               they stay, which shows what an arm costs where nothing goes wrong
#   blackhole, nat     a middlebox on the line forgets them
#   address            the client's address on the line changes (W2 only)
Close = Literal["fin", "rst", "silent", "race", "none", "blackhole", "nat", "address"]
LINE_CLOSES: tuple[Close, ...] = ("blackhole", "nat", "address")
CLOSES: tuple[Close, ...] = tuple(each for each in get_args(Close) if each not in LINE_CLOSES)
W2_CLOSES: tuple[Close, ...] = ("fin", "rst", "silent", "none", *LINE_CLOSES)
# A machine that was stopped still has its address.
W3_CLOSES: tuple[Close, ...] = tuple(each for each in W2_CLOSES if each != "address")
CLOSES_OVER_LINE: dict[WorldName, tuple[Close, ...]] = {"W2": W2_CLOSES, "W3a": W3_CLOSES, "W3b": W3_CLOSES}

Where = tuple[int, int]  # cycle, payload; counted from 0

# Reasons for which a client drops a payload only because sending it failed: such a payload is lost.
THROWN_AWAY = ("discarded", "redrive_failed")


# The least and the most of each number of `ExperimentSettings`. A span's id has no room for more cycles and
# payloads.
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
    "flush_every": (0.001, LONGEST),
    "round_trip": (0, 60),
    "exchange_timeout": (0.001, 3600),
    "flush_deadline": (0.001, 3600),
}
OPTIONAL = ("idle_limit", "flush_every")
WHOLE = ("cycles", "payloads", "seed", "blocks", "spans", "filler_bytes")
CHOICES: dict[str, tuple[str, ...]] = {
    "world": WORLDS,
    "scenario": SCENARIOS,
    "close": (*CLOSES, *LINE_CLOSES),
    "workload": get_args(WorkloadKind),
    "tls_version": get_args(TlsVersionName),
    "freezer": FREEZERS,
}
# The most bytes of a generated payload's filler: only some arms split payloads that an intake refuses as too
# large.
MOST_FILLER_BYTES = 3_000_000


class ExperimentError(RuntimeError):
    """An experiment could not be carried out; the text says where it was and why."""


class WorldMissing(ExperimentError):
    """This machine does not have what a world needs."""


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
      cycles: the number of freezes of each block.
      freeze: the least length of each freeze, or the distribution that it is drawn from.
      round_trip: the round trip that the network adds.
      exchange_timeout: the limit of one exchange, for every arm: the 30 s that peers wait would fill a run
        against a silent intake. thaw's `resume_grace` is a quarter of it.
      blocks: the number of times that each arm is run, with a new process and new connections. With several
        blocks their order is drawn in each, and all arms of a block get the same payloads and freezes.
      idle_limit: the idle time after which the intake gives a connection up; None: from the beginning of
        a freeze in W1, 60 s in W0; W2 and W3 have none. A freeze that is shorter ends no connection.
      spans, filler_bytes: the size of a generated payload: its spans, and the bytes that don't compress in
        each of them. A real payload gets a filler of more than 64 bytes in its first span.
      cpu_share: the part of one processor that the client's process may use, in periods of 20 ms as on
        Lambda, where 1,769 MB of memory are one processor; 1: as much as there is.
      flush_every: the time from one planned flush to the next, an open loop: a flush begins when its time has
        come, its freeze lasts until then, and its time counts from then, so that a flush which holds up the
        next one makes that one longer. None: a closed loop, in which a flush follows its freeze.
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
    freezer: FreezerName = "sigstop"  # of W1, W2 and W3a
    blocks: int = 1
    idle_limit: float | None = None
    spans: int = 10
    filler_bytes: int = 64
    cpu_share: float = 1.0
    flush_every: float | None = None

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
        if (value is None and name in OPTIONAL) or isinstance(value, FreezeDistribution):
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
        """Returns all settings but the arms, in the form of a result's JSON: a distribution is text."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        del values["arms"]
        return {**values, "freeze": plain_freeze(self.freeze)}

    def freeze_of(self, cycle: int) -> float:
        """Returns how long the freeze of a cycle lasts at least: the same for every arm."""
        if isinstance(self.freeze, FreezeDistribution):
            return self.freeze.draw(random.Random(f"{self.seed}/freeze/{cycle}"))
        return self.freeze

    def of_block(self, block: int) -> ExperimentSettings:
        """Returns the settings of one block. The first has the experiment's seed, the others their own."""
        chance = random.Random(f"{self.seed}/block/{block}")
        seed = self.seed if block == 0 else chance.randrange(MOST_SEED)
        return dataclasses.replace(self, blocks=1, seed=seed)

    def order(self) -> list[tuple[int, str]]:
        """Returns the blocks and arms in the order in which they are run."""
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
    closes = CLOSES_OVER_LINE.get(settings.world)
    if closes is None and settings.close in LINE_CLOSES:
        worlds = [world for world, known in CLOSES_OVER_LINE.items() if settings.close in known]
        raise ValueError(f"close {settings.close} is only for worlds {', '.join(worlds)}")
    if closes is not None and settings.close not in closes:
        raise ValueError(f"world {settings.world} has only closes {', '.join(closes)}")
    if closes is not None and settings.idle_limit is not None:
        raise ValueError(
            f"idle_limit is {settings.idle_limit:g}: world {settings.world} ends connections at the beginning"
            " of a freeze"
        )
    if settings.close == "none" and closes is None and (settings.world, settings.scenario) != ("W1", "idle"):
        raise ValueError(
            "an intake that closes nothing (close none) is for scenario idle of world W1, and for W2 and W3"
        )
    if settings.close == "none" and settings.idle_limit is not None:
        raise ValueError(
            f"idle_limit is {settings.idle_limit:g} and close is none: such an intake has no idle limit"
        )
    if settings.idle_limit is not None and settings.scenario != "idle":
        raise ValueError(
            f"idle_limit is {settings.idle_limit:g}: it is for scenario idle, in which no exchange is held"
        )
    if settings.world == "W3b":
        for arm in map(arms.parse, settings.arms):
            if arm.maker != "native" and arm.base not in arms.ARMS:
                raise ValueError(
                    f"world W3b can't run arm {arm.name}: its machine has no files but the laboratory's"
                )
    if settings.cpu_share < 1 and settings.world.startswith("W3"):
        raise ValueError(f"cpu_share is {settings.cpu_share:g}: it is for a process, so for worlds W1 and W2")
    if settings.cpu_share < 1 and settings.world in ("W1", "W2") and settings.freezer == "cgroup":
        # With version 2 of cgroups the process would leave the freezer's group for the one of the limit.
        raise ValueError(
            f"cpu_share is {settings.cpu_share:g} and freezer is cgroup: a process can be in only one group"
        )
    if settings.world == "W3b" and settings.freezer != "sigstop":
        raise ValueError(f"freezer is {settings.freezer}: world W3b's machine is stopped by its monitor")
    if settings.flush_every is not None and (
        settings.world not in ("W1", "W2") or settings.scenario != "idle" or settings.close == "race"
    ):
        raise ValueError(
            f"flush_every is {settings.flush_every:g}: it is for worlds W1 and W2, scenario idle, and no"
            " close that races the resume"
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
            raise ValueError(f"{name} is {value}: world W0 takes only {plain[name]}, since {why}")
    if isinstance(settings.freeze, FreezeDistribution) and settings.freeze.name != "uniform":
        raise ValueError(f"freeze is {settings.freeze}: world W0 draws only from a uniform distribution")


def plain_freeze(freeze: float | FreezeDistribution) -> float | str:
    """Returns a freeze as it is written where a number or text can stand."""
    return str(freeze) if isinstance(freeze, FreezeDistribution) else freeze


def command(settings: ExperimentSettings) -> str:
    """Returns the command that runs an experiment again, for a shell. It names every setting, whatever the
    defaults, except an idle limit that is the world's own.
    """
    arguments = ["python", "-m", "thaw.lab", "compare", "--arms", ",".join(settings.arms)]
    for name, value in settings.conditions().items():
        if value is not None:
            text = named_values.number(value) if isinstance(value, float) else str(value)
            arguments += [argument_of(name), text]
    return shlex.join(arguments)


def argument_of(name: str) -> str:
    """Returns the argument of `compare` and `sweep` for a field of the settings."""
    return "--tls" if name == "tls_version" else f"--{name.replace('_', '-')}"


@dataclass(frozen=True)
class CycleOutcome:
    """The cost of one flush.

    Attributes:
      phase: the phase in which its exchange was frozen, if it was.
      close_ms: the time of a racing close after the resume; negative: before it. None if none came: no
        connection was kept, or it was serving the flush.
      flush_start_ms: the time of the flush's beginning after the resume; None where none began then.
      late_ms: the delay of the flush behind its planned time, which `flush_ms` includes; None in a
        closed loop.
      exchanges: the times of the parts of each exchange that was answered, in the form of
        `thaw.ExchangeTimes.to_dict`; empty for other clients than thaw's own.
      arrived: requests that the intake had read whole at the end of the cycle.
      arrived_at_freeze: the requests among them that it had when an exchange was frozen, if one was.
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
    late_ms: float | None = None
    exchanges: tuple[Mapping[str, Any], ...] = ()
    arrived: int = 0
    arrived_at_freeze: int | None = None


@dataclass(frozen=True)
class NetworkFigures:
    """The way in which a real world's round trip was made.

    Attributes:
      made_by: line: a network between two namespaces. Where none can be made, intake: the intake held bytes
        back; proxy: the same, and a proxy in user space stood for the line of W2.
      measured: seconds that a TCP handshake took over the line before the first cycle, the median of five.
      congestion_control: the kernel's over the line.
    """

    made_by: Literal["line", "intake", "proxy"]
    measured: float | None = None
    congestion_control: str | None = None


@dataclass(frozen=True)
class ClockFigures:
    """The time that the client's clocks lost over all freezes, in seconds, within a few milliseconds.

    Attributes:
      frozen: the time for which the client was frozen.
      wall, monotonic, boot: how far each clock was behind that of the laboratory's machine at the end, from
        the first flush on. About 0: it went on; about `frozen`: it stood still.
    """

    frozen: float
    wall: float
    monotonic: float
    boot: float

    def plus(self, other: ClockFigures) -> ClockFigures:
        """Returns the figures of two runs together."""
        sums = (getattr(self, each.name) + getattr(other, each.name) for each in dataclasses.fields(self))
        return ClockFigures(*sums)


@dataclass
class ArmOutcome:
    """The outcome of one arm in a real world.

    Attributes:
      times: the number of times that the intake accepted each payload that was handed over.
      arrived_in: the cycle in which it first accepted it; the number of cycles: after the last.
      dropped: the reason for each payload that the client gave up, those of `THROWN_AWAY` included.
      whole_requests, body_bytes: the number of requests that the intake read whole, and the bytes of their
        bodies as they were sent.
    """

    times: dict[Where, int] = field(default_factory=dict)
    arrived_in: dict[Where, int] = field(default_factory=dict)
    flagged: set[Where] = field(default_factory=set)
    retained: set[Where] = field(default_factory=set)
    dropped: dict[Where, str] = field(default_factory=dict)
    cycles: list[CycleOutcome] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    whole_requests: int = 0
    body_bytes: int = 0
    connections: int = 0
    handshakes_full: int = 0
    handshakes_resumed: int = 0
    network: NetworkFigures | None = None
    clocks: ClockFigures | None = None

    def extend(self, other: ArmOutcome, first_cycle: int) -> None:
        """Adds the outcome of another block, whose cycles are counted from `first_cycle` here."""

        def moved(where: Where) -> Where:
            return where[0] + first_cycle, where[1]

        self.times |= {moved(where): times for where, times in other.times.items()}
        self.arrived_in |= {moved(where): cycle + first_cycle for where, cycle in other.arrived_in.items()}
        self.flagged |= set(map(moved, other.flagged))
        self.retained |= set(map(moved, other.retained))
        self.dropped |= {moved(where): why for where, why in other.dropped.items()}
        self.cycles += [dataclasses.replace(each, cycle=each.cycle + first_cycle) for each in other.cycles]
        self.errors += other.errors
        for name, value in other.counters.items():
            self.counters[name] = self.counters.get(name, 0) + value
        for name in (
            *("requests", "whole_requests", "body_bytes"),
            *("connections", "handshakes_full", "handshakes_resumed"),
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if self.network is None:
            self.network = other.network
        if self.clocks is None or other.clocks is None:
            self.clocks = self.clocks or other.clocks
        else:
            self.clocks = self.clocks.plus(other.clocks)
