"""Everything at once that may go wrong with an extension, drawn from a seed, and an account of every payload.

    python -m thaw.lab chaos --seed 7 --seconds 120

One environment after the other lives in the emulated Lambda: of any initialization type and flush strategy,
with a function whose tracers hand over numbered payloads, some without TCP_NODELAY, while others send rubbish
to every port; with telemetry that is late, lost, doubled and unreadable; a runtime API that fails; an intake
that closes, refuses, stalls, swallows answers and holes, and writes its answers in every form that HTTP
allows; a nameserver that has no word for IPv6; a key in a store that throttles; a reader of its log that
stops; a proxy that cuts; until it ends in one of the ways in which environments end. Then the books are
compared: what the function was told is taken has arrived, or is said to be lost.

Names and stores need a network and a mount table of one's own, and so root; without, they are left out.

What is done is drawn from the seed alone, so that a seed shows again what it has shown. When it happens
depends on the machine, too: a race may want several runs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import pathlib
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from thaw.lab import arguments, own_network
from thaw.lab.certificates import Authority
from thaw.lab.emulator import EmulatorError, Lambda, Settings, TelemetryFaults, functions
from thaw.lab.emulator.api_faults import API_FAULT_KINDS, LOST_ANSWERS, ApiFaultKind
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.processes import Process
from thaw.lab.emulator.settings import InitializationType
from thaw.lab.executables import EXTENSION, EXTENSION_PORTS, extension
from thaw.lab.experiments.chaos.account import Account, Payload, violations
from thaw.lab.experiments.chaos.rubbish import throw
from thaw.lab.intake import Intake
from thaw.lab.intake.script import CLOSE_KINDS, FORMS, Answer, Script
from thaw.lab.nameserver import AAAA, Aaaa, Nameserver
from thaw.lab.proxy import Proxy, ProxyBehaviour
from thaw.lab.secrets_server import FAULTS, HOSTS, STORES, Fault, SecretsServer, Store, variables
from thaw.lab.stop import EXIT_CODE, Stop
from thaw.lab.workload.numbered_request import NumberedRequest

_SPANS = 5
# Numbers of payloads that an environment may use.
_NUMBERS = 1 << 20
_TIMEOUT = 6.0

_TYPES: tuple[InitializationType, ...] = (
    *("on-demand",) * 5,
    *("provisioned-concurrency", "snap-start", "lambda-managed-instances"),
)
_STRATEGIES = (
    *("end", "default", "end,50", "periodically,20", "periodically,200", "continuously,50"),
    "continuously,3600000",
)
# Those after which no exchange is open.
_BLOCKING = ("end", "end,50", "periodically,20", "periodically,200")
ENDS = ("spindown",) * 5 + ("crash", "timeout", "spindown at once")
_REFUSALS = (403, 408, 413, 429, 500, 503)
# The intake's name, where it has one, and the key, where it is in a store.
_INTAKE_NAME = "intake.lab"
_STORED_KEY = "fedcba9876543210fedcba9876543210"


class ChaosError(RuntimeError):
    """An invariant is broken; the text says which, and how to see it again."""


@dataclass
class Plan:
    """What one environment goes through.

    Attributes:
      settings, faults: of the Lambda.
      scripts: of the intake, one for each invocation; those after the last are like it.
      proxy: what the proxy does at each invocation; None: there is no proxy.
      events: of the invocations.
      gaps: seconds that the environment is frozen before each invocation, beside what it takes anyway.
      rubbish: how many connections with rubbish are opened beside each invocation.
      api_faults: path and kind of what Lambda's interface does wrong, by invocation.
      end: how the environment ends.
      unreadable: at which invocations telemetry comes that can't be read.
      unread: at which invocations nobody reads what the extension writes. Never at the last: its books are in
        what it writes.
      aaaa: what the nameserver answers to questions for IPv6; None: the intake has no name, but an address.
      store, store_faults: where the key is and what the first calls for it get; None: it is in a variable.
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
    aaaa: Aaaa | None = None
    store: Store | None = None
    store_faults: tuple[Fault, ...] = ()

    @property
    def cuts_off(self) -> bool:
        """Whether the extension may miss an answer that the intake gave, so that it may send again."""
        return (
            (self.proxy is not None and any(behaviour == "cut" for behaviour in self.proxy))
            # A flush in the background is open at a freeze, and one of managed instances at the end.
            or self.settings.environment["DD_SERVERLESS_FLUSH_STRATEGY"] not in _BLOCKING
            or self.settings.is_managed_instance
        )


def draw(chance: random.Random) -> Plan:
    """A plan, without the intake's address."""
    initialization_type = chance.choice(_TYPES)
    invocations = chance.randint(1, 12)
    options = {
        "DD_FLUSH_TIMEOUT": "2",
        "DD_LOG_LEVEL": "debug",
        "DD_SERVERLESS_FLUSH_STRATEGY": chance.choice(_STRATEGIES),
        "DD_LAMBDA_EXTENSION_COMPUTE_STATS": chance.choice(("true", "false")),
    }
    if chance.random() < 0.3:
        options["DD_MAX_IDLE_PER_HOST"] = chance.choice(("1", "4"))
    settings = Settings(
        name="chaos",
        memory_mb=chance.choice((128, 256, 1024)),
        timeout=_TIMEOUT,
        environment=options,
        initialization_type=initialization_type,
    )
    faults = TelemetryFaults(
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
    end = chance.choice(ENDS)
    events = [
        {
            "payloads": chance.choice((0, 1, 1, 1, 3, 20, 100)),
            "clients": chance.choice((1, 1, 1, 3, 12)),
            "sleep": chance.choice((0, 0, 0, 0.02, 0.1)),
            "pause": chance.choice((0, 0, 0.01)),
            "nagle": chance.random() < 0.25,
        }
        for _ in range(invocations)
    ]
    if end == "crash":
        events[-1]["exit"] = 3
    if end == "timeout":
        events[-1]["pause"] = _TIMEOUT + 5
    return Plan(
        settings=settings,
        faults=faults,
        scripts=[_script(chance) for _ in range(invocations)],
        proxy=[
            chance.choice(("tunnel", "tunnel", "tunnel", "refuse", "stall", "cut", "garbage"))
            for _ in range(invocations)
        ]
        if chance.random() < 0.25
        else None,
        events=events,
        gaps=[chance.choice((0, 0, 0, 0, 0.05, 0.6)) for _ in range(invocations)],
        rubbish=[chance.choice((0, 0, 2, 8)) for _ in range(invocations)],
        api_faults=[
            (
                # At the start the others are called, and never again.
                chance.choice(("/telemetry", "/register")) if turn == 0 else "/event/next",
                # An event that never comes is a function that is not called.
                chance.choice(API_FAULT_KINDS if turn == 0 else ("500", "html", *LOST_ANSWERS)),
            )
            if chance.random() < 0.08
            else None
            for turn in range(invocations)
        ],
        end=end,
        unreadable=[chance.random() < 0.2 for _ in range(invocations)],
        unread=[chance.random() < 0.15 for _ in range(invocations - 1)] + [False],
        aaaa=chance.choice(AAAA) if chance.random() < 0.3 else None,
        store=(store := chance.choice(STORES) if chance.random() < 0.3 else None),
        store_faults=()
        if store is None
        else tuple(chance.choice(FAULTS) for _ in range(chance.choice((0, 1, 1, 2, 3, 5)))),
    )


def _script(chance: random.Random) -> Script:
    script = Script(
        tls_version=chance.choice(("1.2", "1.3", "1.3", "1.3")),
        tickets=chance.random() < 0.8,
        idle_close=chance.choice((None, None, *CLOSE_KINDS)),
        idle_after=chance.choice((0.0005, 0.005, 0.05)),
    )
    answers = tuple(_answer(chance) for _ in range(chance.choice((0, 0, 1, 2, 4))))
    # A hole that swallows everything is rare: it takes seconds of each run.
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


# -- A life ------------------------------------------------------------------------------------------------


class _Log:
    """What the extension writes: its last books, and what it complains of."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.books: dict[str, Any] | None = None

    def __call__(self, stream: str, line: str) -> None:
        if stream != "extension":
            return
        self.lines.append(line[:300])
        _, _, text = line.partition("THAW | DEBUG | ")
        if text.startswith("{"):
            with contextlib.suppress(ValueError):
                self.books = json.loads(text)


class _Surroundings:
    """What an environment lives among: intake, proxy, nameserver and a store of secrets, until it is left.

    Attributes:
      options: what the environment's variables have to say of them.
      files_over: what its processes see in place of the machine's files.
    """

    def __init__(self, plan: Plan, folder: pathlib.Path, stack: contextlib.ExitStack, *, names: bool) -> None:
        self.files_over: dict[pathlib.Path, pathlib.Path] = {}
        self.secrets: SecretsServer | None = None
        self.nameserver: Nameserver | None = None
        authority = Authority(folder, ("127.0.0.1", _INTAKE_NAME, *HOSTS))
        self.intake = stack.enter_context(Intake(plan.scripts[0], authority=authority))
        self.options = {**plan.settings.environment, **self.intake.agent_variables}
        self.key = self.options["DD_API_KEY"]
        self.proxy: Proxy | None = None
        if plan.proxy is not None:
            self.proxy = stack.enter_context(Proxy(plan.proxy[0], cut_after=3000))
            self.options["DD_PROXY_HTTPS"] = self.proxy.url
        if not names or (plan.aaaa is None and plan.store is None):
            return
        hosts = dict.fromkeys((_INTAKE_NAME, *HOSTS), "127.0.0.1")
        self.nameserver = stack.enter_context(Nameserver(hosts, plan.aaaa or "empty"))
        self.files_over[pathlib.Path("/etc/resolv.conf")] = self.nameserver.resolv_conf(folder)
        # A proxy looks names up itself, where nobody knows this one.
        if plan.aaaa is not None and self.proxy is None:
            self.options["DD_APM_DD_URL"] = f"https://{_INTAKE_NAME}:{self.intake.port}"
        if plan.store is not None:
            self.key = _STORED_KEY
            self.secrets = stack.enter_context(
                SecretsServer(authority, key=self.key, faults=plan.store_faults)
            )
            del self.options["DD_API_KEY"]
            self.options |= variables(plan.store)

    def turn(self, plan: Plan, number: int) -> None:
        """From now on it is as at that invocation."""
        self.intake.script(plan.scripts[number])
        if self.proxy is not None and plan.proxy is not None:
            self.proxy.behaviour = plan.proxy[number]

    def recover(self) -> None:
        """Nothing goes wrong any more, so that what is kept can go."""
        self.intake.script(Script())
        if self.proxy is not None:
            self.proxy.behaviour = "tunnel"
        if self.secrets is not None:
            self.secrets.fail(())


async def live(
    plan: Plan,
    seed: int,
    number: int,
    executable: pathlib.Path,
    folder: pathlib.Path,
    *,
    names: bool = False,
) -> Account:
    """Takes one environment through its plan, and gives the account of it. `names`: whether this process has
    a network and a mount table of its own, so that a nameserver and a store of secrets can be.
    """
    request = NumberedRequest.of_spans(_SPANS)
    journal = folder / f"journal-{number}"
    journal.touch()
    files = request.write(folder)
    first = number * _NUMBERS
    command = functions.poster_command(*map(str, files), str(journal), str(first))
    log = _Log()
    with contextlib.ExitStack() as stack:
        # Constructors there run loops of their own.
        around = await asyncio.to_thread(_Surroundings, plan, folder, stack, names=names)
        settings = replace(plan.settings, environment=around.options, files_over=around.files_over)
        account = Account(
            cut_off=plan.cuts_off,
            deaf=plan.faults.drop_fraction > 0,
            kills=plan.end in ("crash", "timeout"),
        )
        async with Lambda(
            command,
            extension=executable,
            settings=settings,
            telemetry_faults=plan.faults,
            on_log=log,
        ) as sandbox:
            for turn in range(len(plan.events)):
                await asyncio.sleep(plan.gaps[turn])
                around.turn(plan, turn)
                fault = plan.api_faults[turn]
                if fault is not None:
                    sandbox.api_faults.add(*fault)
                last = await _invoke(sandbox, plan, turn, f"{seed}/{number}", account)
                if last.status != "success":
                    break
            if plan.end == "spindown":
                around.recover()
            with contextlib.suppress(Exception):
                await sandbox.shutdown("spindown")
            account.key_withheld = (
                plan.end == "spindown" and around.secrets is not None and around.secrets.told == 0
            )
            account.ends = list(sandbox.shutdowns)
            account.end_lost = (
                account.kills
                and account.deaf
                and not plan.faults.unsupported
                and not last.times.runtime_done_delivered_ns
            )
            # An answer that is lost is none: the next event is asked for again.
            account.interface_failed = any(
                path == "/register" or (path == "/event/next" and kind not in LOST_ANSWERS)
                for path, kind in sandbox.api_faults.taken
            )
            await sandbox.kill()
        _settle(account, journal, around, request, log)
    return account


async def _invoke(sandbox: Lambda, plan: Plan, turn: int, seed: str, account: Account) -> Invocation:
    """One invocation, with rubbish beside it. Unless it is a success the environment is gone."""
    ports = itertools.islice(itertools.cycle(EXTENSION_PORTS), plan.rubbish[turn])
    noise = [
        asyncio.create_task(throw(port, random.Random(f"{seed}/{turn}/{each}")))
        for each, port in enumerate(ports)
    ]
    event = plan.events[turn]
    invocation = sandbox.prepare(event)
    writer = _extension_process(sandbox)
    if plan.unread[turn] and writer is not None:
        writer.stop_reading()
    running = asyncio.create_task(sandbox.run(invocation))
    if plan.unreadable[turn]:
        with contextlib.suppress(Exception):
            await asyncio.sleep(0.005)
            await asyncio.wait_for(sandbox.post_telemetry(b'[{"type":"\xff\xfe"},7,{"record":'), 1)
    await running
    if writer is not None:
        writer.read_on()
    times = invocation.times
    if times.answered_ns and times.end_ns:
        account.added_ms.append((times.end_ns - times.answered_ns) / 1e6)
    if (process := _extension_process(sandbox)) is not None and (usage := process.usage()) is not None:
        account.peak_mb = max(account.peak_mb, usage.peak_resident_bytes / 1e6)
    for task in noise:
        task.cancel()
    await asyncio.gather(*noise, return_exceptions=True)
    expected = "exit" in event or event.get("pause", 0) > _TIMEOUT
    if invocation.status != "success" and not expected:
        account.failures.append(f"invocation {turn}: {invocation.status} ({invocation.error_type})")
    return invocation


def _extension_process(sandbox: Lambda) -> Process | None:
    """None if it has not come up, or is gone."""
    with contextlib.suppress(EmulatorError, KeyError, StopIteration):
        return sandbox.current.process(next(iter(sandbox.startups)).name)
    return None


def _settle(
    account: Account, journal: pathlib.Path, around: _Surroundings, request: NumberedRequest, log: _Log
) -> None:
    """Fills in what was taken, what arrived, and what the extension says of it."""
    intake = around.intake
    times, untold = intake.spans(), intake.spans_untold()
    for line in journal.read_text().splitlines():
        payload, status, took_us, nagle = map(int, line.split())
        if nagle:
            account.nagle_ms.append(took_us / 1e3)
        spans = request.ids(payload)
        came = [times.get(span, 0) for span in spans]
        account.payloads[payload] = Payload(
            status, min(came), max(came), max(untold.get(span, 0) for span in spans)
        )
    account.wrong_keys = sum(each["headers"].get("dd-api-key") != around.key for each in intake.requests())
    account.books = log.books
    account.lines = log.lines


# -- The run -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """Of a whole run."""

    environments: int
    payloads: int
    taken: int
    arrived: int
    twice: int
    told_lost: int
    seconds: float


def run(
    executable: pathlib.Path,
    *,
    seed: int,
    seconds: float,
    environments: int = 0,
    only: int | None = None,
    names: bool = False,
    say: Callable[[str], None] = lambda _line: None,
    stop: Stop | None = None,
) -> Result:
    """Environment after environment until the time is over, or so many, or `stop` asks for it. Raises
    ChaosError at the first whose books are wrong. `only`: just the environment of that number. `names`: as in
    `live`.
    """
    begun = time.monotonic()
    number = payloads = taken = arrived = twice = lost = done = 0
    with tempfile.TemporaryDirectory(prefix="thaw-chaos-") as folder:
        while True:
            if only is not None:
                number = only
            plan = draw(random.Random(f"{seed}/{number}"))
            account = asyncio.run(live(plan, seed, number, executable, pathlib.Path(folder), names=names))
            broken = violations(account)
            if broken:
                raise ChaosError(_tell(seed, number, plan, account, broken))
            done += 1
            payloads += len(account.payloads)
            taken += len(account.taken)
            arrived += sum(account.payloads[each].least > 0 for each in account.taken)
            twice += sum(account.payloads[each].most > 1 for each in account.taken)
            lost += account.told_lost
            spent = time.monotonic() - begun
            say(
                f"{spent:6.1f} s  {done} environments, {taken:,} payloads taken, {arrived:,} arrived,"
                f" {lost:,} told lost"
            )
            number += 1
            ended = stop is not None and stop.requested
            if ended or only is not None or (environments and done >= environments) or spent >= seconds:
                return Result(done, payloads, taken, arrived, twice, lost, spent)


def _tell(seed: int, number: int, plan: Plan, account: Account, broken: Sequence[str]) -> str:
    lines = [f"environment {number} of seed {seed}:", *(f"  {each}" for each in broken)]
    lines.append(f"  it was: {plan.settings.initialization_type}, {plan.settings.environment}")
    lines.append(f"  {plan.faults}, end: {plan.end}")
    lines.append(f"  AAAA: {plan.aaaa}, key: {plan.store}, which first answers {plan.store_faults}")
    lines += [f"  | {line}" for line in account.lines[-15:]]
    lines.append(f"  again: python -m thaw.lab chaos --seed {seed} --only {number}")
    return "\n".join(lines)


# -- The command line --------------------------------------------------------------------------------------

_LOOPBACK_MTU = 65536
# Span ids are counted on from one environment to the next, and stay below those of traces.
_MOST_ENVIRONMENTS = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `chaos`."""
    option = parser.add_argument
    option("--seed", type=arguments.seed, default=1, help="of all that is drawn (default: %(default)s)")
    option(
        "--seconds",
        type=arguments.number(0, 1e7, "seconds", above=True),
        default=120,
        help="for how long (default: %(default)s)",
    )
    option(
        "--environments",
        type=arguments.integer(0, _MOST_ENVIRONMENTS),
        default=0,
        help="end after so many, if that is sooner",
    )
    option(
        "--only",
        type=arguments.integer(0, _MOST_ENVIRONMENTS),
        metavar="N",
        help="the environment of that number alone",
    )
    option("--extension", type=arguments.checked(extension), default=EXTENSION, help="the executable")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    extension(str(given.extension))
    # The extension's ports are fixed; in a network of its own nobody else has them.
    if (note := own_network.enter(_LOOPBACK_MTU)) is not None:
        print(f"{note}; this machine's is used, and no nameserver and no store of secrets", file=sys.stderr)
    own_network.require_free(EXTENSION_PORTS)
    with Stop.on_interrupt() as stop:
        result = run(
            given.extension.resolve(),
            seed=given.seed,
            seconds=given.seconds,
            environments=given.environments,
            only=given.only,
            names=note is None,
            say=lambda line: print(line, file=sys.stderr, flush=True),
            stop=stop,
        )
    print(
        f"seed {given.seed}: {result.environments} environments in {result.seconds:.0f} s;"
        f" of {result.payloads:,} payloads {result.taken:,} were taken, {result.arrived:,} arrived"
        f" ({result.twice:,} more than once, as they may), {result.told_lost:,} are said to be lost;"
        " nothing is unaccounted for"
    )
    return EXIT_CODE if stop.requested else 0
