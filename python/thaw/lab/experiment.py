"""An experiment's settings, and the outcome of one arm: plain values that worlds fill in."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from thaw.lab.arguments import MOST_SEED
from thaw.lab.certificates import TlsVersionName
from thaw.lab.freezer import FreezerName
from thaw.lab.workload import WorkloadKind

WorldName = Literal["W0", "W1", "W2"]
WORLDS: tuple[WorldName, ...] = get_args(WorldName)
Scenario = Literal["idle", "inflight"]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
# How the intake gives connections up: as `intake.CloseKind`; race: by FIN, timed about the resume; none:
# not at all, which shows what an arm costs where nothing goes wrong.
# Of W2: what a middlebox or the client's own address does to connections while the line is cut.
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
    "freeze": (0, 3600),
    "round_trip": (0, 60),
    "exchange_timeout": (0.001, 3600),
    "flush_deadline": (0.001, 3600),
}


class ExperimentError(RuntimeError):
    """An experiment could not be carried out; the text says where it was and why."""


class Stopped(Exception):
    """An experiment was asked to end, and nothing of the arm under way can be used."""


@dataclass(frozen=True)
class ExperimentSettings:
    """One experiment. Durations are seconds.

    World W0 makes its payloads itself, scripts TLS 1.3, has a round trip of 1 ms at least and freezes for 61
    to 89 s. ValueError names a number that is out of bounds, or settings that contradict each other.

    Attributes:
      freeze: how long each freeze lasts at least.
      round_trip: what the network adds.
      exchange_timeout: the limit of one exchange, for every arm: the 30 s that peers wait would fill a run
        against a silent intake. thaw's `resume_grace` is a quarter of it.
    """

    world: WorldName = "W1"
    scenario: Scenario = "idle"
    close: Close = "silent"
    cycles: int = 200
    payloads: int = 3
    seed: int = 1
    workload: WorkloadKind = "real"
    freeze: float = 0.002
    round_trip: float = 0.0
    tls_version: TlsVersionName = "1.3"
    exchange_timeout: float = 1.0
    flush_deadline: float = 10.0
    freezer: FreezerName = "sigstop"  # of W1

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and least <= value <= most):
                raise ValueError(f"{name} is {value}, not from {least:g} to {most:g}")
        if self.round_trip >= self.exchange_timeout:
            raise ValueError(
                f"with a round trip of {self.round_trip:g} s and an exchange timeout of"
                f" {self.exchange_timeout:g} s no exchange could end"
            )

        if self.close in LINE_CLOSES and self.world != "W2":
            raise ValueError(f"close {self.close} is for world W2 alone")
        if self.world == "W2" and (self.scenario != "idle" or self.close not in W2_CLOSES):
            raise ValueError(f"world W2 has scenario idle and closes {', '.join(W2_CLOSES)} alone")
        if self.close == "none" and (self.world, self.scenario) != ("W1", "idle"):
            raise ValueError(
                "an intake that closes nothing (close none) is for world W1 and scenario idle alone"
            )

    def conditions(self) -> dict[str, Any]:
        """All settings, as they stand in a result's JSON."""
        return asdict(self)


def command(settings: ExperimentSettings, arms: Sequence[str]) -> str:
    """The command that runs an experiment again, for a shell. It names every setting, whatever the
    defaults.
    """
    arguments = ["python", "-m", "thaw.lab", "compare", "--arms", ",".join(arms)]
    for name, value in settings.conditions().items():
        option = "--tls" if name == "tls_version" else f"--{name.replace('_', '-')}"
        arguments += [option, f"{value:.15g}" if isinstance(value, float) else str(value)]
    return shlex.join(arguments)


@dataclass(frozen=True)
class CycleOutcome:
    """The cost of one flush.

    Attributes:
      phase: where its exchange was frozen, if it was.
      close_ms: when a racing close came after the resume; negative: before it. None if none came: no
        connection was kept, or it was serving the flush.
      flush_start_ms: when the flush began after the resume; None where none began then.
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


@dataclass(frozen=True)
class NetworkFigures:
    """How a real world made its round trip.

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
