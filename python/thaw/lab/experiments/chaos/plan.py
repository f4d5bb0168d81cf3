"""The plan of one environment's life, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from thaw.lab.emulator import Settings, TelemetryFaults
from thaw.lab.emulator.api_faults import API_FAULT_KINDS, LOST_ANSWERS, ApiFaultKind
from thaw.lab.emulator.settings import InitializationType
from thaw.lab.intake import CLOSE_KINDS, FORMS, Answer, Script
from thaw.lab.nameserver import AAAA, Aaaa
from thaw.lab.proxy import ProxyBehaviour
from thaw.lab.secrets_server import FAULTS, STORES, Fault, Store

TIMEOUT = 6.0

_TYPES: tuple[InitializationType, ...] = (
    *("on-demand",) * 5,
    *("provisioned-concurrency", "snap-start", "lambda-managed-instances"),
)
_STRATEGIES = (
    *("end", "default", "end,50", "periodically,20", "periodically,200", "continuously,50"),
    "continuously,3600000",
)
# Strategies that leave no exchange open at a freeze.
_BLOCKING = ("end", "end,50", "periodically,20", "periodically,200")
ENDS = ("spindown",) * 5 + ("crash", "timeout", "spindown at once")
_REFUSALS = (403, 408, 413, 429, 500, 503)


@dataclass
class Plan:
    """Everything that happens to one environment.

    Attributes:
      settings, faults: the emulated Lambda's settings and faults of telemetry.
      scripts: the intake's scripts, one for each invocation; the last one stays in force.
      proxy: the behaviour of the proxy at each invocation; None: there is no proxy.
      events: the event of each invocation.
      gaps: the seconds between two invocations, in which the environment is frozen.
      rubbish: the number of connections with invalid bytes that are opened beside each invocation.
      api_faults: path and kind of what Lambda's interface does wrong, by invocation.
      end: the way in which the environment ends.
      unreadable: at which invocations telemetry comes that can't be read.
      unread: at which invocations the extension's output is not read. Never at the last, whose output has
        its counts.
      lost_ends: at which invocations platform.runtimeDone is lost, and no other record.
      aaaa: what the nameserver answers to questions for IPv6 addresses; None: the intake has no name.
      store, store_faults: the store of the key, and what the first calls to it get; None: the key is in a
        variable.
    """

    settings: Settings
    faults: TelemetryFaults
    scripts: list[Script]
    proxy: list[ProxyBehaviour] | None
    events: list[dict[str, Any]]
    gaps: list[float]
    rubbish: list[int]
    api_faults: list[tuple[str, ApiFaultKind] | None]
    end: str
    unreadable: list[bool] = field(default_factory=list)
    unread: list[bool] = field(default_factory=list)
    lost_ends: list[bool] = field(default_factory=list)
    aaaa: Aaaa | None = None
    store: Store | None = None
    store_faults: tuple[Fault, ...] = ()

    @property
    def loses_ends(self) -> bool:
        """Returns whether the record that an invocation has ended may be lost."""
        return self.faults.drop_fraction > 0 or any(self.lost_ends)

    @property
    def cuts_off(self) -> bool:
        """Returns whether the extension may miss an answer of the intake, and so may send again."""
        return (
            (self.proxy is not None and any(behaviour == "cut" for behaviour in self.proxy))
            # A flush in the background is open at a freeze, and one of managed instances at the end.
            or self.settings.environment["DD_SERVERLESS_FLUSH_STRATEGY"] not in _BLOCKING
            or self.settings.is_managed_instance
        )


def draw(chance: random.Random) -> Plan:
    """Draws a plan, without the intake's address."""
    initialization_type = chance.choice(_TYPES)
    invocations = chance.randint(1, 12)
    settings = _settings(chance, initialization_type)
    faults = _telemetry_faults(chance)
    end = chance.choice(ENDS)
    events = [_event(chance) for _ in range(invocations)]
    if end == "crash":
        events[-1]["exit"] = 3
    if end == "timeout":
        events[-1]["pause"] = TIMEOUT + 5
    plan = Plan(
        settings=settings,
        faults=faults,
        scripts=[_script(chance) for _ in range(invocations)],
        proxy=[chance.choice(_PROXIES) for _ in range(invocations)] if chance.random() < 0.25 else None,
        events=events,
        gaps=[chance.choice((0, 0, 0, 0, 0.05, 0.6)) for _ in range(invocations)],
        rubbish=[chance.choice((0, 0, 2, 8)) for _ in range(invocations)],
        api_faults=[_api_fault(chance, turn) for turn in range(invocations)],
        end=end,
        unreadable=[chance.random() < 0.2 for _ in range(invocations)],
        unread=[chance.random() < 0.15 for _ in range(invocations - 1)] + [False],
        aaaa=chance.choice(AAAA) if chance.random() < 0.3 else None,
        store=(store := chance.choice(STORES) if chance.random() < 0.3 else None),
        store_faults=()
        if store is None
        else tuple(chance.choice(FAULTS) for _ in range(chance.choice((0, 1, 1, 2, 3, 5)))),
        lost_ends=[chance.random() < 0.04 for _ in range(invocations)],
    )
    plan = _with_logs(plan, chance)
    for event in plan.events:
        event["points"] = chance.choice((0, 0, 1, 7, 60, 400))
    return plan


def _with_logs(plan: Plan, chance: random.Random) -> Plan:
    """Returns the plan with log lines in most cases. They are drawn last, so that the rest is what a seed has
    always made.
    """
    if chance.random() < 0.3:
        return plan
    # With few records in a request there are so many requests that the record of an end comes late.
    most = 50 if plan.faults.split else 2500
    for event in plan.events:
        event["lines"] = min(most, chance.choice((0, 1, 5, 50, 300, 2500)))
    options = {**plan.settings.environment, "DD_SERVERLESS_LOGS_ENABLED": "true"}
    return replace(plan, settings=replace(plan.settings, environment=options))


_PROXIES: tuple[ProxyBehaviour, ...] = (*("tunnel",) * 3, "refuse", "stall", "cut", "garbage")


def _settings(chance: random.Random, initialization_type: InitializationType) -> Settings:
    options = {
        "DD_FLUSH_TIMEOUT": "2",
        "DD_LOG_LEVEL": "debug",
        "DD_SERVERLESS_FLUSH_STRATEGY": chance.choice(_STRATEGIES),
        "DD_LAMBDA_EXTENSION_COMPUTE_STATS": chance.choice(("true", "false")),
    }
    if chance.random() < 0.3:
        options["DD_MAX_IDLE_PER_HOST"] = chance.choice(("1", "4"))
    return Settings(
        name="chaos",
        memory_mb=chance.choice((128, 256, 1024)),
        timeout=TIMEOUT,
        environment=options,
        initialization_type=initialization_type,
    )


def _telemetry_faults(chance: random.Random) -> TelemetryFaults:
    return TelemetryFaults(
        unsupported=chance.random() < 0.1,
        delay={chance.choice(("platform.runtimeDone", "*")): chance.random() * 0.2}
        if chance.random() < 0.3
        else {},
        drop_fraction=chance.choice((0, 0, 0, 0.1)),
        tell_drops=chance.random() < 0.5,
        shuffle=chance.random() < 0.3,
        split=chance.choice((0, 0, 1, 3)),
        seed=chance.randrange(1 << 30),
    )


def _event(chance: random.Random) -> dict[str, Any]:
    return {
        "payloads": chance.choice((0, 1, 1, 1, 3, 20, 100)),
        "clients": chance.choice((1, 1, 1, 3, 12)),
        "sleep": chance.choice((0, 0, 0, 0.02, 0.1)),
        "pause": chance.choice((0, 0, 0.01)),
        "nagle": chance.random() < 0.25,
    }


def _api_fault(chance: random.Random, turn: int) -> tuple[str, ApiFaultKind] | None:
    """Draws a fault of Lambda's interface at an invocation, or None.

    `/telemetry` and `/register` are called at the start and never again. An event that never comes is a
    function that is not called, so that a start fails in more ways than what follows.
    """
    if chance.random() >= 0.08:
        return None
    path = chance.choice(("/telemetry", "/register")) if turn == 0 else "/event/next"
    return path, chance.choice(API_FAULT_KINDS if turn == 0 else ("500", "html", *LOST_ANSWERS))


def _script(chance: random.Random) -> Script:
    script = Script(
        tls_version=chance.choice(("1.2", "1.3", "1.3", "1.3")),
        tickets=chance.random() < 0.8,
        idle_close=chance.choice((None, None, *CLOSE_KINDS)),
        idle_after=chance.choice((0.0005, 0.005, 0.05)),
    )
    answers = tuple(_answer(chance) for _ in range(chance.choice((0, 0, 1, 2, 4))))
    # An intake that never answers is rare: it takes seconds of each run.
    always = Answer(action="black_hole") if chance.random() < 0.03 else Answer()
    return replace(script, answers=answers, answer=always)


def _answer(chance: random.Random) -> Answer:
    form = chance.choice(FORMS) if chance.random() < 0.5 else "plain"
    match chance.randrange(8):
        case 0:
            after = {"Retry-After": chance.choice(("0", "1", "120"))} if chance.random() < 0.5 else {}
            return Answer(status=chance.choice(_REFUSALS), headers=after, form=form)
        case 1:
            return Answer(action="close")
        case 2:
            return Answer(action="reset")
        case 3:
            return Answer(action="half")
        case 4:
            return Answer(delay=chance.random() * 0.3, form=form)
        case 5:
            return Answer(close_after=True, form=form)
        case 6 if chance.random() < 0.3:
            return Answer(action="black_hole")
        case _:
            return Answer(form=form)
