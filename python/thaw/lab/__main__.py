"""The laboratory's command line: `python -m thaw.lab --help`."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Sequence

import thaw
from thaw.lab import arms, chaos, compare, function_experiment, main_experiment, report, sweep
from thaw.lab.chaos import ChaosError
from thaw.lab.emulator import EmulatorError, SandboxFailure
from thaw.lab.emulator import cli as emulator
from thaw.lab.executables import EXTENSION
from thaw.lab.experiment import CLOSES, SCENARIOS, WORLDS, ExperimentError, Settings
from thaw.lab.freezer import FREEZERS, FreezerError
from thaw.lab.measure import MeasureError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m thaw.lab",
        description="Freezes telemetry clients and counts what arrives: what is lost, what comes twice, what "
        "it costs.",
        epilog="With no command: `main`, the comparison of v92, v93, v94, v98 and thaw, with a report.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_main(commands.add_parser("main", help="the comparison this project is about, with an HTML report"))
    _add_compare(
        commands.add_parser(
            "compare",
            help="arms × one world: table, JSON, rows",
            description="Runs arms through the same freezes.",
            epilog="arms:\n"
            + "\n".join(f"  {arm.name:<14} {arm.text}" for arm in arms.ARMS.values())
            + "\n\nexample:\n  python -m thaw.lab compare --arms v93,thaw --close silent --cycles 200",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    sweep.add_arguments(
        commands.add_parser(
            "sweep",
            help="a grid of comparisons, into one Parquet file",
            description="Runs every combination of the values given; what the file has is not run again.",
            epilog="example:\n  python -m thaw.lab sweep --close fin,silent --freeze 0.002,0.5",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    emulator.add_arguments(
        commands.add_parser(
            "lambda",
            help=emulator.HELP,
            description=emulator.DESCRIPTION,
            epilog=emulator.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    chaos.add_arguments(
        commands.add_parser(
            "chaos",
            help="everything at once that may go wrong with the extension, drawn from a seed",
            description=chaos.__doc__,
            epilog="example:\n  python -m thaw.lab chaos --seed 7 --seconds 3600",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _add_report(commands.add_parser("report", help="an HTML page from what `compare` kept"))
    given = parser.parse_args(arguments)
    if given.command is None:
        given = parser.parse_args(["main"])
    try:
        return int(given.run(given))
    except (
        ChaosError,
        EmulatorError,
        ExperimentError,
        FreezerError,
        MeasureError,
        SandboxFailure,
        thaw.InvariantBroken,
        ValueError,
    ) as error:
        print(f"thaw.lab: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("thaw.lab: stopped", file=sys.stderr)
        return 130


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{value} is not at least 1")
    return value


def _add_compare(parser: argparse.ArgumentParser) -> None:
    plain = Settings()
    parser.add_argument(
        "--arms", default="v93,thaw", metavar="A,B", help="clients to compare (default: %(default)s)"
    )
    parser.add_argument("--world", choices=WORLDS, default=plain.world, help="W0: simulated; W1: a real one")
    parser.add_argument(
        "--scenario",
        choices=SCENARIOS,
        default=plain.scenario,
        help="freeze between flushes, or at each phase of an exchange in turn (default: %(default)s)",
    )
    parser.add_argument(
        "--close",
        choices=CLOSES,
        default=plain.close,
        help="how the intake gives connections up during a freeze: FIN; RST; silently, forgetting them; "
        "race: FIN within 1 ms of the resume (default: %(default)s)",
    )
    parser.add_argument("--cycles", type=_positive, default=plain.cycles, metavar="N", help="freezes")
    parser.add_argument("--payloads", type=_positive, default=plain.payloads, metavar="K", help="a flush")
    parser.add_argument("--seed", type=int, default=plain.seed, help="of payloads and timing")
    parser.add_argument(
        "--workload",
        choices=("real", "generated"),
        default=plain.workload,
        help="payloads of ddtrace, or made here (default: %(default)s)",
    )
    parser.add_argument("--freeze", type=float, default=plain.freeze, metavar="S", help="seconds, at least")
    parser.add_argument(
        "--round-trip", type=float, default=plain.round_trip, metavar="S", help="seconds the network adds"
    )
    parser.add_argument("--tls", choices=("1.2", "1.3"), default=plain.tls_version, help="the intake's")
    parser.add_argument(
        "--exchange-timeout",
        type=float,
        default=plain.exchange_timeout,
        metavar="S",
        help="limit of one exchange, for every arm (default: %(default)s s)",
    )
    parser.add_argument(
        "--freezer",
        choices=FREEZERS,
        default=plain.freezer,
        help="how W1 freezes; cgroup wants root (default: %(default)s)",
    )
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes the result there")
    parser.add_argument(
        "--rows", type=pathlib.Path, metavar="FOLDER", help="keeps the rows there, as Parquet"
    )
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="writes an HTML page")
    parser.set_defaults(run=_compare)


def _compare(given: argparse.Namespace) -> int:
    settings = Settings(
        world=given.world,
        scenario=given.scenario,
        close=given.close,
        cycles=given.cycles,
        payloads=given.payloads,
        seed=given.seed,
        workload=given.workload,
        freeze=given.freeze,
        round_trip=given.round_trip,
        tls_version=given.tls,
        exchange_timeout=given.exchange_timeout,
        freezer=given.freezer,
    )
    run = compare.run(settings, arms.find(given.arms), compare.Progress())
    print(report.terminal_table(run.result))
    if given.json is not None:
        given.json.write_text(json.dumps(run.result, indent=1) + "\n")
    if given.rows is not None:
        report.save_run(given.rows, run)
    if given.report is not None:
        report.write_report([run], given.report)
        print(f"report: {given.report.resolve()}")
    return 0


def _add_main(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cycles",
        type=_positive,
        default=main_experiment.CYCLES,
        metavar="N",
        help="freezes of each arm, each time",
    )
    parser.add_argument("--payloads", type=_positive, default=3, metavar="K", help="a flush")
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path("lab-results"),
        metavar="FOLDER",
        help="(%(default)s)",
    )
    parser.add_argument(
        "--extension",
        type=pathlib.Path,
        default=EXTENSION,
        metavar="FILE",
        help="the executable that a real function runs with (bazel-bin's)",
    )
    parser.add_argument(
        "--invocations",
        type=_positive,
        default=function_experiment.INVOCATIONS,
        metavar="N",
        help="of that function",
    )
    parser.set_defaults(run=_main_job)


def _main_job(given: argparse.Namespace) -> int:
    progress = compare.Progress()

    def comparison(part: main_experiment.Part) -> report.Run:
        settings = Settings(
            world="W0" if part.world == "W0" else "W1",
            scenario="idle" if part.scenario == "idle" else "inflight",
            close=next(close for close in CLOSES if close == part.close),
            cycles=part.cycles,
            payloads=given.payloads,
            seed=part.seed,
        )
        return compare.run(settings, arms.find(",".join(part.arms)), progress)

    main_experiment.run(
        comparison,
        given.out,
        main_experiment.parts(cycles=given.cycles),
        function=lambda: function_experiment.run(
            given.extension, given.invocations, lambda line: print(line, file=sys.stderr, flush=True)
        ),
        say=lambda text: print(text, flush=True),
    )
    return 0


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", type=pathlib.Path, metavar="RUN", help="--rows folder or --json file"
    )
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("report.html"), metavar="FILE")
    parser.set_defaults(run=_report)


def _report(given: argparse.Namespace) -> int:
    report.write_report([report.read_run(path) for path in given.runs], given.out)
    print(f"report: {given.out.resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
