"""The laboratory's commands: `main`, `compare` and `report` are here, others in their modules."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import thaw
from thaw.lab import arguments, arm_options, arms, needs, own_network, report, stop
from thaw.lab.answer import command as answer
from thaw.lab.arguments import Parser
from thaw.lab.checker import command as checker
from thaw.lab.emulator import EmulatorError, SandboxFailure
from thaw.lab.emulator import command as emulator
from thaw.lab.emulator import command_arguments as emulator_arguments
from thaw.lab.executables import EXTENSION_PORTS, extension
from thaw.lab.experiment import CLOSES, ExperimentError, ExperimentSettings, Stopped, WorldMissing
from thaw.lab.experiments import (
    compare,
    function_experiment,
    main_experiment,
    requirements,
    settings_arguments,
    sweep,
)
from thaw.lab.experiments.chaos import run as chaos
from thaw.lab.experiments.chaos.run import ChaosError
from thaw.lab.experiments.exploration import run as exploration
from thaw.lab.experiments.losses import command as losses
from thaw.lab.fleet import command as fleet
from thaw.lab.freezer import FreezerError
from thaw.lab.intake import IntakeError
from thaw.lab.line import LineError
from thaw.lab.progress import Progress
from thaw.lab.report.measure import MeasureError
from thaw.lab.stop import Stop
from thaw.lab.worlds import clones_command as clones

_COMMANDS = (
    "main",
    "compare",
    "sweep",
    "answer",
    "fleet",
    "losses",
    "function",
    "lambda",
    "chaos",
    "clones",
    "explore",
    "report",
    "check",
)
_SPEC = """  python -m thaw.lab sweep --spec sweep.toml --out results

sweep.toml:
  version = 1
  arms = ["v93", "thaw(max_idle_per_host=1)"]
  freeze = { distribution = "uniform", least = 0.01, most = 0.5 }
  blocks = 5

  [axes]
  close = ["fin", "silent"]
  payloads = [1, 5, 20]

  [options]
  share_within_flush = [true, false]

  [sobol]
  points = 16
  round_trip = { least = 0.001, most = 0.08, scale = "log" }

The results as one frame: thaw.lab.results.read("results").pandas(), or .polars()"""
_FAILURES = (
    ChaosError,
    EmulatorError,
    ExperimentError,
    FreezerError,
    IntakeError,
    LineError,
    MeasureError,
    OSError,
    SandboxFailure,
    thaw.InvariantBroken,
)


def main(given: Sequence[str] | None = None) -> int:
    """Runs a command. Returns the exit code that `thaw.lab.__main__.main` describes."""
    wanted = arguments.help_only(sys.argv[1:] if given is None else given, _COMMANDS)
    try:
        parser = _parser()
        parsed = parser.parse_args(wanted or ["main"])
        if parsed.command is None:
            parsed = parser.parse_args(["main", *wanted])
        return int(parsed.run(parsed))
    except WorldMissing as error:
        print(f"thaw.lab: {arguments.printable(str(error))}", file=sys.stderr)
        return 2
    except _FAILURES as error:
        print(f"thaw.lab: {type(error).__name__}: {arguments.printable(str(error))}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"thaw.lab: {arguments.one_line(str(error))}", file=sys.stderr)
        return 2
    except Stopped as error:
        print(f"thaw.lab: {error}", file=sys.stderr)
        return stop.EXIT_CODE
    except KeyboardInterrupt:
        print("thaw.lab: stopped", file=sys.stderr)
        return stop.EXIT_CODE


def _parser() -> Parser:
    parser = Parser(
        prog="python -m thaw.lab",
        description="Freezes telemetry clients and counts payloads that are delivered, lost and duplicated, "
        "and their cost.",
        epilog="With no command: `main`, the comparison of v92, v93, v94, v98 and thaw, with a report.\n"
        "Exit codes: 0: success; 1: failure; 2: invalid arguments or missing requirements; 130: Ctrl-C,\n"
        "after which finished results are kept.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_main(
        commands.add_parser(
            "main",
            help="compares all arms and runs a real function; writes an HTML report",
            description="Compares all arms, and runs a real function with the extension and without. It "
            "needs the extension's executable and its ports, and checks them first.",
        )
    )
    _add_compare(
        commands.add_parser(
            "compare",
            help="compares arms in one world; prints a table, writes JSON and rows",
            description="Runs clients (arms) through the same freezes. Ctrl-C ends it after the current "
            "cycle: the result so far is written and marked as incomplete, and the exit code is 130.",
            epilog="arms:\n"
            + "\n".join(f"  {arm.name:<14} {arm.text}" for arm in arms.ARMS.values())
            + "\n\nAn arm of thaw's own client takes options in brackets, fields of thaw.ClientOptions:\n"
            + f"{_fields()}\n"
            + "\nA client of your own is FILE.py or FILE.py:NAME (docs/bring-your-own.md), or a command.\n"
            + "\nexamples:\n  python -m thaw.lab compare --arms v93,thaw --close silent --cycles 200\n"
            + "  python -m thaw.lab compare --arms 'thaw(max_idle_per_host=1,on_resume=keep),thaw'\n"
            + "  python -m thaw.lab compare --spec experiment.toml --seed 2\n"
            + "  python -m thaw.lab compare --arms thaw,client.py\n"
            + "  python -m thaw.lab compare --arms thaw --arm-command 'curl -sS --cacert {ca_file} -H "
            + "@{headers_file} --data-binary @{body_file} {url}'",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _add_other_commands(commands)
    checker.add_arguments(
        commands.add_parser(
            "check",
            help=checker.HELP,
            description="Checks stored experiments with code of its own, and prints for each arm that it is"
            " valid, the shortest witness that it is not, or why that is unknown. Exit codes: 0: valid; 1:"
            " invalid; 3: unknown.",
        )
    )
    _add_report(
        commands.add_parser(
            "report",
            help="makes an HTML page from results of `compare`",
            description="Makes one HTML page from one or several results of `compare`.",
        )
    )
    return parser


def _fields() -> str:
    """Returns a line for each field of a client's options, with the values that it takes."""
    return "\n".join(f"  {name:<32} {arm_options.kind(name)}" for name in arm_options.fields())


class _Command(NamedTuple):
    """A command that another module describes."""

    name: str
    add_arguments: Callable[[Parser], None]
    help: str
    description: str | None
    epilog: str


_OTHER_COMMANDS = (
    _Command(
        "sweep",
        sweep.add_arguments,
        "runs a grid of comparisons into a folder of Parquet files",
        "Runs every combination of the given values, except those that the folder has already. Ctrl-C keeps "
        "the finished ones.",
        "examples:\n  python -m thaw.lab sweep --close fin,silent --freeze 0.002,0.5\n"
        f"  python -m thaw.lab sweep --arms thaw --option max_idle_per_host=0,1\n{_SPEC}",
    ),
    _Command("answer", answer.add_arguments, answer.HELP, answer.DESCRIPTION, answer.EPILOG),
    _Command("fleet", fleet.add_arguments, fleet.HELP, fleet.DESCRIPTION, fleet.EPILOG),
    _Command("losses", losses.add_arguments, losses.HELP, losses.DESCRIPTION, losses.EPILOG),
    _Command(
        "function",
        function_experiment.add_arguments,
        "runs a real function with one or several extensions and without",
        "Runs a function under the tracer in the emulated Lambda: with each extension, with one that does "
        "nothing, and with none. Prints what arrived and what each adds to an invocation.",
        "example:\n  python -m thaw.lab function --extension thaw=datadog-agent --extension "
        "other=FILE --invocations 100",
    ),
    _Command(
        "lambda",
        emulator.add_arguments,
        emulator_arguments.HELP,
        emulator_arguments.DESCRIPTION,
        emulator_arguments.EPILOG,
    ),
    _Command(
        "chaos",
        chaos.add_arguments,
        "runs the extension under random faults, which a seed repeats",
        chaos.__doc__,
        "example:\n  python -m thaw.lab chaos --seed 7 --seconds 3600",
    ),
    _Command("clones", clones.add_arguments, clones.HELP, clones.DESCRIPTION, clones.EPILOG),
    _Command(
        "explore",
        exploration.add_arguments,
        "runs every small history of the simulated world and checks the invariants",
        exploration.__doc__,
        "examples:\n  python -m thaw.lab explore --policies default,pooled\n"
        "  python -m thaw.lab explore --random 1000000 --seed 7 --failures",
    ),
)


def _add_other_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    for each in _OTHER_COMMANDS:
        each.add_arguments(
            commands.add_parser(
                each.name,
                help=each.help,
                description=each.description,
                epilog=each.epilog,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )


# -- compare -------------------------------------------------------------------------------------------------


def _add_compare(parser: argparse.ArgumentParser) -> None:
    settings_arguments.add(parser, ExperimentSettings(), several=False)
    option = parser.add_argument
    option("--json", type=arguments.output_file, metavar="FILE", help="writes the result into this file")
    option(
        "--rows",
        type=arguments.output_folder,
        metavar="FOLDER",
        help="writes the rows into this folder, as Parquet",
    )
    option("--report", type=arguments.output_file, metavar="FILE", help="writes an HTML page into this file")
    requirements.add_arguments(parser)
    parser.set_defaults(run=_compare, parser=parser)


def _compare(given: argparse.Namespace) -> int:
    arguments.require_different(given.parser, json=given.json, report=given.report)
    settings = settings_arguments.settings(given, ExperimentSettings())
    needs.require(needs.of_arms(settings.arms), "this comparison")
    arms.require_certificates(settings.arms)
    wanted = requirements.wanted(given, settings.arms)
    load = requirements.load_before(given, [settings.world])
    finished: report.Run | None = None

    def keep(run: report.Run) -> None:
        nonlocal finished
        finished = run

    with Stop.on_interrupt() as stopping:
        try:
            with Progress() as shown:
                finished = compare.run(settings, shown, stop=stopping, load=load, after_arm=keep)
        finally:
            if finished is not None:
                _write(finished, given)
    met = requirements.check(given, wanted, finished.result)
    return stop.EXIT_CODE if stopping.requested else 1 - met


def _write(run: report.Run, given: argparse.Namespace) -> None:
    print(report.terminal_table(run.result))
    if given.json is not None:
        given.json.write_text(json.dumps(run.result.to_json(), indent=1) + "\n")
    if given.rows is not None:
        report.save_run(given.rows, run)
    if given.report is not None:
        report.write_report([run], given.report)
        print(f"report: {given.report.resolve()}")


# -- main ----------------------------------------------------------------------------------------------------


def _add_main(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option(
        "--cycles",
        type=settings_arguments.type_of("cycles"),
        default=main_experiment.CYCLES,
        metavar="N",
        help="freezes of each arm in each block (default: %(default)s)",
    )
    option(
        "--payloads",
        type=settings_arguments.type_of("payloads"),
        default=3,
        metavar="K",
        help="payloads of each flush (default: %(default)s)",
    )
    option(
        "--out",
        type=arguments.output_folder,
        default=pathlib.Path("lab-results"),
        metavar="FOLDER",
        help="writes the report and its data into this folder (default: %(default)s)",
    )
    function_experiment.add_extension_argument(parser)
    option(
        "--invocations",
        type=arguments.integer(1, 1_000_000),
        default=function_experiment.INVOCATIONS,
        metavar="N",
        help="invocations of the real function (default: %(default)s)",
    )
    option(
        "--without-function", action="store_true", help="runs only the comparison, which needs no extension"
    )
    option(
        "--blocks",
        type=settings_arguments.type_of("blocks"),
        default=main_experiment.BLOCKS,
        metavar="N",
        help="how many times each arm is run, with a new process each time (default: %(default)s)",
    )
    requirements.add_arguments(parser)
    parser.set_defaults(run=_main_job)


def _main_job(given: argparse.Namespace) -> int:
    extensions = function_experiment.extensions_of(given.extension)
    parts = main_experiment.parts(cycles=given.cycles)
    settings = {part.name: _settings_of(part, given.payloads, given.blocks) for part in parts}
    needs.require(needs.of_arms([arm for part in parts for arm in part.arms]), "main")
    wanted = requirements.wanted(given, main_experiment.ARMS)
    if not given.without_function:
        _require_function(extensions)
    load = requirements.load_before(given, [part.world for part in parts])
    runs: dict[str, report.Run] = {}
    with Stop.on_interrupt() as stopping:

        def comparison(part: main_experiment.Part) -> report.Run:
            with Progress() as shown:
                run = compare.run(settings[part.name], shown, stop=stopping, load=load)
            runs[part.name] = run
            return run

        main_experiment.run(
            comparison,
            given.out,
            parts,
            function=None
            if given.without_function
            else lambda: function_experiment.run(
                extensions, given.invocations, lambda line: print(line, file=sys.stderr, flush=True)
            ),
            say=lambda text: print(text, flush=True),
            stop=stopping,
        )
    met = [requirements.check(given, wanted, run.result, f"{name}: ") for name, run in runs.items()]
    return stop.EXIT_CODE if stopping.requested else 1 - all(met)


def _settings_of(part: main_experiment.Part, payloads: int, blocks: int) -> ExperimentSettings:
    return ExperimentSettings(
        arms=tuple(part.arms),
        world="W0" if part.world == "W0" else "W1",
        scenario="idle" if part.scenario == "idle" else "inflight",
        close=next(close for close in CLOSES if close == part.close),
        cycles=part.cycles,
        payloads=payloads,
        seed=part.seed,
        blocks=blocks,
    )


def _require_function(extensions: Mapping[str, pathlib.Path]) -> None:
    """Raises ValueError if this machine can't run a real function with the extensions; it says why."""
    without = "or leave the function out: --without-function"
    if (text := needs.missing(needs.DEMONSTRATION, "the real function")) is not None:
        raise ValueError(f"{text}, {without}")
    try:
        for executable in extensions.values():
            extension(str(executable))
        function_experiment.enter_own_network()
        own_network.require_free(EXTENSION_PORTS)
    except ValueError as error:
        raise ValueError(f"main runs a real function with the extension: {error}; {without}") from None


# -- report --------------------------------------------------------------------------------------------------


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs",
        nargs="+",
        type=arguments.input_file_or_folder_of(report.RESULT_FILE),
        metavar="RUN",
        help="what `compare` wrote: a folder of --rows or a file of --json",
    )
    parser.add_argument(
        "--out",
        type=arguments.output_file,
        default=pathlib.Path("report.html"),
        metavar="FILE",
        help="the page (default: %(default)s)",
    )
    parser.set_defaults(run=_report)


def _report(given: argparse.Namespace) -> int:
    report.write_report([report.read_run(path) for path in given.runs], given.out)
    print(f"report: {given.out.resolve()}")
    return 0
