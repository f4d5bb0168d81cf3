"""The settings of an experiment as arguments of a command: one value each, or several for an axis.

    settings_arguments.add(parser, several=False)
    settings_arguments.settings(given, ExperimentSettings())

An argument that is not given leaves what the spec file, or the default, has.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections.abc import Callable, Collection
from typing import Any

from thaw.lab import arguments, arms, named_values
from thaw.lab.experiment import BOUNDS, CHOICES, WHOLE, ExperimentSettings, argument_of, plain_freeze
from thaw.lab.experiments import spec_file
from thaw.lab.experiments.grid import Grid
from thaw.lab.experiments.sobol import Sobol
from thaw.lab.freeze_lengths import PARAMETERS, FreezeDistribution, form_of

_TEXTS = {
    "world": "W0: simulated in one process; W1: a real process that is stopped; W2: the same, and its network"
    " is cut for as long; W3a: a machine (user-mode Linux) that is stopped, its clocks go on; W3b: a machine"
    " (QEMU) that is stopped with its clocks; python -m thaw.lab.worlds says which there are here",
    "scenario": "freeze between flushes, or at each phase of an exchange in turn",
    "close": "how the intake ends connections during a freeze: fin; rst; silent: it forgets them without a"
    " packet; race: FIN at most 1 ms from the planned resume; none: it does not; or what ends them in W2"
    " and W3: blackhole, nat: a middlebox forgets them; address: the client gets another address (W2)",
    "cycles": "freezes of each arm",
    "payloads": "payloads of each flush",
    "seed": "seed of payloads and timing",
    "workload": "payloads of ddtrace (real), or generated ones; separate: generated, and each needs a request"
    " of its own",
    "freeze": "the least duration of each freeze, in seconds; or a distribution: "
    + ", ".join(map(form_of, PARAMETERS)),
    "round_trip": "what the network adds, in seconds",
    "exchange_timeout": "limit of one exchange, for every arm, in seconds",
    "flush_deadline": "limit of one flush, in seconds",
    "tls_version": "the intake's version of TLS",
    "freezer": "how W1, W2 and W3a freeze; cgroup needs root",
    "blocks": "how many times each arm is run, with a new process each time and in an order that is drawn",
    "idle_limit": "idle time after which the intake ends a connection, in seconds",
    "spans": "spans of a generated payload",
    "filler_bytes": "bytes that don't compress, in each span of a generated payload",
    "flush_every": "an open loop: the time from one planned flush to the next, in seconds; a flush's time"
    " counts from its planned start",
    "cpu_share": "how much of one processor the client may use, in periods of 20 ms; less than 1 needs root",
}
_UNSET = {"idle_limit": "the world's own", "flush_every": "a closed loop"}
_NOUNS = {
    "tls_version": "version of TLS",
    "close": "way to close",
}


def add(parser: argparse.ArgumentParser, plain: ExperimentSettings, *, several: bool) -> None:
    """Adds an argument for each setting, `--arms` and `--spec`. With `several`, each takes values with commas
    between them, of which more than one make an axis.
    """
    option = parser.add_argument
    option(
        "--spec",
        type=arguments.input_file,
        metavar="FILE",
        help="reads the settings from a TOML file; arguments given beside it replace them",
    )
    option(
        "--arms",
        type=arguments.checked(arms.find),
        metavar="A,B",
        help=f"clients to compare, with options in brackets or without (default: {','.join(plain.arms)})",
    )
    option(
        "--arm-command",
        type=arguments.checked(arms.of_command),
        action="append",
        metavar="COMMAND",
        help="adds a client: a command line that sends one payload, with {url}, {ca_file}, {body_file}, "
        "{headers_file} and {timeout} where these go; may be given several times",
    )
    for name, text in _TEXTS.items():
        default = plain_freeze(plain.freeze) if name == "freeze" else getattr(plain, name)
        shown = _UNSET[name] if default is None else default
        parse = type_of(name)
        option(
            argument_of(name),
            dest=name,
            type=_several(parse) if several else parse,
            metavar="A,B" if several else _metavar(name),
            help=f"{text} (default: {shown})".replace("%", "%%"),
        )


def settings(given: argparse.Namespace, plain: ExperimentSettings) -> ExperimentSettings:
    """Returns the settings of one experiment. ValueError: they contradict each other, or the file has
    several.
    """
    if given.spec is not None:
        grid = spec_file.read(given.spec)
        if grid.axes or grid.options or grid.sobol:
            several = [*(f"axes.{name}" for name in grid.axes), *(f"options.{name}" for name in grid.options)]
            several += ["sobol"] if grid.sobol else []
            raise ValueError(
                f"{given.spec}: it has {', '.join(several)}: compare runs one experiment, sweep runs several"
            )
        plain = grid.base
    return dataclasses.replace(plain, **_given(given, plain))


def grid(given: argparse.Namespace, plain: ExperimentSettings) -> Grid:
    """Returns the grid of several experiments, all of which were checked. ValueError: the settings of a point
    contradict each other.
    """
    read = spec_file.read(given.spec) if given.spec is not None else Grid(plain)
    values = _given(given, read.base)
    several = {name: each for name, each in values.items() if name != "arms" and len(each) > 1}
    one = {name: each if name == "arms" else each[0] for name, each in values.items() if name not in several}
    axes = {**{name: each for name, each in read.axes.items() if name not in values}, **several}
    options = {**read.options, **dict(given.option or [])}
    made = Grid(dataclasses.replace(read.base, **one), axes, options, _without(read.sobol, values))
    for _ in made.points():
        pass
    return made


def _without(design: Sobol | None, names: Collection[str]) -> Sobol | None:
    """Returns the design without the ranges of these settings; None if it has no other."""
    ranges = (
        {} if design is None else {name: each for name, each in design.ranges.items() if name not in names}
    )
    return None if design is None or not ranges else dataclasses.replace(design, ranges=ranges)


def option(text: str) -> tuple[str, list[str]]:
    """Reads a field of ClientOptions and its values from `name=A,B`: the type of an argument."""
    name, equals, values = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form name=A,B")
    try:
        read = [named_values.unquoted(each) for each in named_values.split(values)]
        made = Grid(options={name.strip(): read})
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name.strip(), list(made.options[name.strip()])


def _given(given: argparse.Namespace, plain: ExperimentSettings) -> dict[str, Any]:
    """Returns the settings that the command line gives; commands are added to its arms, or to those of
    `plain`.
    """
    values = {name: value for name in _TEXTS if (value := getattr(given, name)) is not None}
    if given.arms is not None:
        values["arms"] = tuple(arm.name for arm in given.arms)
    if given.arm_command is not None:
        values["arms"] = (*values.get("arms", plain.arms), *(arm.name for arm in given.arm_command))
    return values


def type_of(name: str) -> Callable[[str], Any]:
    """Returns the type of an argument that has one value of a field."""
    if name in CHOICES:
        return arguments.one_of(CHOICES[name], _NOUNS.get(name, name))
    if name in WHOLE:
        least, most = BOUNDS[name]
        return arguments.integer(int(least), int(most))
    seconds = arguments.number(*BOUNDS[name], "processors" if name == "cpu_share" else "seconds")
    return functools.partial(_freeze, seconds) if name == "freeze" else seconds


def _freeze(seconds: Callable[[str], float], text: str) -> float | FreezeDistribution:
    try:
        float(text)
    except ValueError:
        if "(" in text or text[:1].isalpha():
            return arguments.checked(FreezeDistribution.of)(text)  # type: ignore[no-any-return]
    return seconds(text)


def _several(parse: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def parse_all(text: str) -> list[Any]:
        return [parse(each) for each in arguments.checked(named_values.split)(text)]

    return parse_all


def _metavar(name: str) -> str:
    if name in CHOICES:
        return f"{{{','.join(CHOICES[name])}}}"
    return "N" if name in WHOLE else "SHARE" if name == "cpu_share" else "S"
