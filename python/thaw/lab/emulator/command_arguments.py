"""The arguments of `python -m thaw.lab lambda`, and its help."""

from __future__ import annotations

import argparse

from thaw.lab import arguments
from thaw.lab.emulator import functions
from thaw.lab.emulator.schedule import gaps
from thaw.lab.emulator.settings import (
    FREEZE_BY,
    INITIALIZATION_TYPES,
    LIMITS,
    MAX_CONCURRENCY,
    MEMORY_MB,
    SHUTDOWN_REASONS,
    TIMEOUT_SECONDS,
    Settings,
)

HELP = "emulates Lambda: runs a function and extensions, and freezes them between invocations"

DESCRIPTION = """\
Runs a function and its extensions as Lambda does: the Runtime, Extensions and Telemetry APIs on one local
address, child processes with the documented environment, and a freeze of all of them whenever the runtime
and every extension have asked for the next event. At the end it prints the duration of each
invocation, and the duration that Lambda would bill.

The function is any command that speaks the Runtime API, after `--`. Without one, a demonstration runs: AWS's
runtime client for Python with a handler under ddtrace. An extension is any executable file."""

EPILOG = """\
examples:
  python -m thaw.lab lambda
      the demonstration, once, without an extension
  python -m thaw.lab lambda --extension ./my-extension --event '{"items": 3}' --repeat 100
      a hundred invocations with an extension, frozen after each
  python -m thaw.lab lambda --extension ./my-extension --handler app.handler --folder src \\
      -- python3 -m awslambdaric app.handler
      your own function
  python -m thaw.lab lambda --events orders.jsonl --gap 0,0,30 --logs -- ./bootstrap
      events from a file, two at once and then a freeze of 30 s, with the output of all processes
  python -m thaw.lab lambda --listen 127.0.0.1:8080 --extension ./my-extension
      serves invocations by HTTP until Ctrl-C:
      curl -d '{}' http://127.0.0.1:8080/2015-03-31/functions/demo/invocations

faults:
  --telemetry-fault unsupported                 subscriptions are answered with 202
  --telemetry-fault delay=platform.runtimeDone:0.5   records of that type are late ("*": all others are)
  --telemetry-fault drop=platform.report        records of that type are lost
  --telemetry-fault drop-fraction=0.1           one record in ten is lost
  --telemetry-fault tell-drops                  platform.logsDropped reports the lost records
  --telemetry-fault split=1                     each record comes in a request of its own
  --telemetry-fault shuffle                     the records of a batch come in random order
  --api-fault /event/next=500                   the next call of a path with that end fails; kinds: 500, html,
                                                nested, reset, cut, stall, hang

docs/emulator.md says what is emulated and what is not."""

_MOST_REPEATS = 1_000_000_000


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command `lambda`."""
    plain = functions.demo_settings()
    _add_function(parser, plain)
    _add_invocations(parser)
    _add_environment(parser, plain)
    output = parser.add_argument_group("output")
    output.add_argument("--logs", action="store_true", help="prints the processes' output")
    output.add_argument("--json", type=arguments.output_file, metavar="FILE", help="writes all reports")


def _add_function(parser: argparse.ArgumentParser, plain: Settings) -> None:
    function = parser.add_argument_group("function and extensions")
    function.add_argument(
        "command", nargs="*", metavar="COMMAND", help="the function (default: a demonstration)"
    )
    function.add_argument(
        "--extension",
        type=arguments.program,
        action="append",
        default=[],
        metavar="FILE",
        help="the executable of an extension; may be given again",
    )
    function.add_argument(
        "--folder", type=arguments.input_folder, metavar="FOLDER", help="the code, LAMBDA_TASK_ROOT"
    )
    function.add_argument("--name", help=f"the function's name (default: {plain.name})")
    function.add_argument("--handler", help=f"the function's handler, _HANDLER (default: {plain.handler})")
    function.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="a variable of the function"
    )
    function.add_argument(
        "--memory",
        type=arguments.integer(*MEMORY_MB),
        default=plain.memory_mb,
        metavar="MB",
        help="the function's memory (default: %(default)s)",
    )
    function.add_argument(
        "--timeout",
        type=arguments.number(*TIMEOUT_SECONDS, "seconds"),
        default=plain.timeout,
        metavar="S",
        help="the most seconds of an invocation (default: %(default)s)",
    )
    function.add_argument(
        "--log-format",
        choices=("Text", "JSON"),
        default=plain.log_format,
        help="the form of the function's log (default: %(default)s)",
    )


def _add_invocations(parser: argparse.ArgumentParser) -> None:
    events = parser.add_argument_group("invocations")
    events.add_argument(
        "--event", action="append", default=[], metavar="JSON", help="an event; may be given again"
    )
    events.add_argument(
        "--events", type=arguments.input_file, metavar="FILE", help="one event in JSON, or one on each line"
    )
    events.add_argument(
        "--repeat",
        type=arguments.integer(1, _MOST_REPEATS),
        default=1,
        metavar="N",
        help="how many times the list of events is sent (default: %(default)s)",
    )
    events.add_argument(
        "--gap",
        type=arguments.checked(gaps),
        default="0",
        metavar="S[,S…]",
        help="the seconds between two events, several used in turn, or poisson:MEAN",
    )
    events.add_argument("--listen", metavar="HOST:PORT", help="serves invocations by HTTP until Ctrl-C")


def _add_environment(parser: argparse.ArgumentParser, plain: Settings) -> None:
    environment = parser.add_argument_group("environment")
    environment.add_argument(
        "--initialization-type", choices=INITIALIZATION_TYPES, default=plain.initialization_type
    )
    environment.add_argument(
        "--max-concurrency",
        type=arguments.integer(*MAX_CONCURRENCY),
        default=plain.max_concurrency,
        metavar="N",
        help="the invocations at once on managed instances (default: %(default)s)",
    )
    environment.add_argument(
        "--freeze-by",
        choices=FREEZE_BY,
        default=plain.freeze_by,
        help="how processes are frozen (default: by cgroup where that is allowed, else by signals)",
    )
    environment.add_argument(
        "--limits", default="", metavar="A[,B]", help=f"the limits to enforce by cgroups: {', '.join(LIMITS)}"
    )
    environment.add_argument(
        "--shutdown",
        choices=SHUTDOWN_REASONS,
        default="spindown",
        metavar="REASON",
        help=f"reason of the shutdown at the end: {', '.join(SHUTDOWN_REASONS)} (default: %(default)s)",
    )
    environment.add_argument(
        "--telemetry-fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="a fault of the Telemetry API, one of those below",
    )
    environment.add_argument(
        "--api-fault",
        action="append",
        default=[],
        metavar="PATH=KIND",
        help="a fault of a local API; see below",
    )
