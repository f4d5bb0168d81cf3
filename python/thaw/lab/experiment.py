"""What an experiment is, and what comes of one arm of it: plain values that worlds fill in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from thaw.lab.certificates import TlsVersionName
from thaw.lab.freezer import FreezerName
from thaw.lab.workload import WorkloadKind

WorldName = Literal["W0", "W1"]
WORLDS: tuple[WorldName, ...] = get_args(WorldName)
Scenario = Literal["idle", "inflight"]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
# How the intake gives connections up: as `behaviour.CloseKind`; race: by FIN, timed about the resume.
Close = Literal["fin", "rst", "silent", "race"]
CLOSES: tuple[Close, ...] = get_args(Close)

Where = tuple[int, int]  # cycle, payload; counted from 0


class ExperimentError(RuntimeError):
    """An experiment could not be carried out; the text says where it was and why."""


@dataclass(frozen=True)
class Settings:
    """One experiment.

    `freeze` is how long each freeze lasts at least and `round_trip` what the network adds, in seconds;
    `exchange_timeout` the limit of one exchange, for every arm: peers wait 30 s, which with a peer that is
    silent is all a run would do. `resume_grace` of thaw is a quarter of it.
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


@dataclass(frozen=True)
class CycleOutcome:
    """What one flush cost. `phase`: where its exchange was frozen, if it was."""

    cycle: int
    phase: str | None
    flush_ms: float
    cpu_us: float
    connections: int
    handshakes_full: int
    handshakes_resumed: int
    errors: int


@dataclass
class ArmOutcome:
    """What one arm did. `times`: how often the intake accepted each payload that was handed over. `lost`
    reasons of peers' clients (discarded, redrive_failed) stand in `dropped` too, by their name.
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
