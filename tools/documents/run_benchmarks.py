"""Runs the benchmarks and writes docs/benchmarks.md (tools/benchmarks)."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tools.documents.bar import Bar, at_most, exactly
from tools.documents.extension_bars import extension_bars, method, target_bars, targets
from tools.documents.markdown import markdown_table
from tools.documents.update_readme import machine, read

ROOT = pathlib.Path(__file__).resolve().parents[2]

# `--help` works before tools/setup has run: modules that need the package are imported where they are used.
if TYPE_CHECKING:
    from thaw.lab.results import ExperimentResult

BAZEL = os.environ.get("BAZEL", "bazel")
QUIET = ("--color=no", "--curses=no", "--noshow_progress")

Figures = dict[str, Any]

# To one host, as under on-demand Lambda.
MOST_CONNECTIONS = 6

METHOD = """

How they are measured (`python/thaw/lab/benchmarks/`): the server is another process on this machine.
CPU is user and system time of all threads of the client's process, 100 sequential requests for each call
from Python, the median of 15 calls after a first that is not counted, thaw and pycurl by turns; both trust
one authority on P-256, use X25519, TCP_NODELAY and one handle throughout. A round trip is made by the
server, which holds bytes back, for the connect too. Memory is unique set size, over many clients and
connections, after malloc_trim.
"""


_TRANSCODE = "//cc/trace:transcode_benchmark"


def bars(python: Figures, cpp: dict[str, Figures] | None = None) -> Iterator[Bar]:
    """Compares the figures with the project's targets."""
    yield from _transcoding_bars(cpp or {})
    yield from _processor_bars(python)
    yield from _flush_bars(python)
    yield from _memory_bars(python)
    yield from _simulation_bars(python)


def _transcoding_bars(cpp: dict[str, Figures]) -> Iterator[Bar]:
    for run in cpp.get(_TRANSCODE, {}).get("benchmarks", ()):
        if run["name"] == "BM_Transcode/10":
            rate = run["bytes_per_second"] / 1e6
            yield Bar(
                "v0.4 to AgentPayload, trace of 10 spans, one core, without zstd",
                "≥ 250 MB/s",
                f"{rate:,.0f} MB/s",
                rate >= 250,
            )


def _processor_bars(python: Figures) -> Iterator[Bar]:
    for figure in python.get("cpu", ()):
        limit = 0.6 if figure["pooled"] else 0.8
        kind = "pooled" if figure["pooled"] else "fresh"
        resumption = "on" if figure["resumption"] else "off"
        yield Bar(
            f"client CPU, {kind} POST of 4 KB over TLS 1.3, resumption {resumption}, against pycurl",
            f"≤ {limit:g}×",
            f"{figure['ratio']:.2f}× ({figure['thaw_us']:.0f} µs against {figure['pycurl_us']:.0f} µs)",
            figure["ratio"] <= limit,
        )


def _flush_bars(python: Figures) -> Iterator[Bar]:
    for figure in python.get("flush", ()):
        sharing = figure["sharing"]
        flush = (
            f"a flush of {figure['requests']} requests, round trip {figure['round_trip_ms']:.0f} ms,"
            f" sharing {'on' if sharing else 'off'}"
        )
        connections = figure["connections"]
        if sharing:
            yield at_most(f"connections of {flush}", connections, MOST_CONNECTIONS, "", digits=0)
            # Two round trips for the first dial, one for the first exchange, two for the other dials and the
            # rest for what is sent side by side; without distance, what the machine needs.
            most = max(10 * figure["round_trip_ms"], 20.0)
            yield at_most(f"wall time of {flush}", figure["wall_ms"], most, "ms", digits=0)
        else:
            wall = f" (wall time {figure['wall_ms']:.0f} ms)"
            bar = exactly(f"connections of {flush}", connections, figure["requests"])
            yield bar._replace(measured=bar.measured + wall)


def _memory_bars(python: Figures) -> Iterator[Bar]:
    for figure in python.get("memory", ()):
        for what, key, limit in (
            ("idle `Client`", "per_client", 1024),
            ("open connection", "per_connection", 48),
        ):
            yield Bar(
                f"memory of an {what}",
                f"≤ {limit} KB",
                f"{figure[key] / 1024:.0f} KB",
                figure[key] <= limit * 1024,
            )


def _simulation_bars(python: Figures) -> Iterator[Bar]:
    for figure in python.get("simulation", ()):
        for scenario, rate in figure["cycles_per_second"].items():
            yield Bar(
                f"W0 cycles of {figure['payloads']} payloads, frozen {scenario}, on one core",
                "≥ 20,000 a second",
                f"{rate:,.0f} a second",
                rate >= 20_000,
            )
    for figure in python.get("invariants", ()):
        yield Bar(
            f"W0 cycles with faults ({figure['faults_met']:,} met), {figure['runs']} seeds from"
            f" {figure['seed']} on, broken invariants",
            "0 in 10,000,000",
            f"{figure['broken']} in {figure['cycles']:,} ({figure['seconds']:.0f} s)",
            figure["broken"] == 0 and figure["cycles"] >= 10_000_000,
        )


def cpp_table(programs: dict[str, Figures]) -> str:
    """Returns Google Benchmark's figures as a table: time, rate, and all other counts of a benchmark."""
    known = {"name", "run_name", "run_type", "iterations", "real_time", "cpu_time", "time_unit", "threads"}
    rows = [["benchmark", "CPU time", "MB/s", "counters"]]
    for label, output in sorted(programs.items()):
        for run in output["benchmarks"]:
            rate = run.get("bytes_per_second")
            counters = ", ".join(
                f"{key} {value:,.6g}"
                for key, value in run.items()
                if isinstance(value, float) and key not in known and key != "bytes_per_second"
            )
            rows.append(
                [
                    f"`{label.removeprefix('//cc/').partition(':')[0]}` {run['name']}",
                    f"{run['cpu_time']:,.4g} {run['time_unit']}",
                    f"{rate / 1e6:,.0f}" if rate else "",
                    counters,
                ]
            )
    return markdown_table(rows)


def document(
    command: str,
    commit: str,
    date: str,
    python: Figures,
    cpp: dict[str, Figures],
    experiments: Sequence[ExperimentResult],
    extension: str = "",
) -> str:
    """Returns the whole of docs/benchmarks.md. `extension`: its section, as extension_section() writes it."""
    parts = [
        "# Benchmarks\n\n"
        f"Written by `{command}` on {date} at commit {commit}. Machine: {machine()}; Python"
        f" {platform.python_version()}. Figures of another run or machine differ; ratios less so.\n"
    ]
    held = [bar.row() for bar in bars(python, cpp)]
    if held:
        parts.append(
            "## Against what is to be reached\n\n"
            + markdown_table([["what", "bar", "measured", "reached"], *held])
            + METHOD
        )
        versions = {figure["pycurl"] for figure in python.get("cpu", ())}
        parts += [f"The other side: {version}.\n" for version in sorted(versions)]
    if extension:
        parts.append(extension)
    if cpp:
        parts.append(f"## In the core\n\nOne core, by Google Benchmark.\n\n{cpp_table(cpp)}\n")
    if experiments:
        from tools.documents.results_table import experiment

        parts.append("## Freezes\n\n" + "\n".join(map(experiment, experiments)))
    return "\n".join(parts)


_EXTENSION_TITLE = "## The extension"


def extension_section(command: str, commit: str, date: str, figures: Figures) -> str:
    """Returns the section on the executable, with its own provenance: it may be measured separately."""
    rows = [bar.row() for bar in extension_bars(figures)]
    before, after = figures["machine_speed"]
    return (
        f"{_EXTENSION_TITLE}\n\nMeasured by `{command}` on {date} at commit {commit}."
        f" Machine: {machine()}. A virtual machine's speed changes; for comparison, world W0"
        f" made {before:,.0f} cycles of 2 payloads, frozen idle, a second on one core before these"
        f" measurements, and {after:,.0f} after them.\n\n"
        + markdown_table([["what", "bar", "measured", "reached"], *rows])
        + "\n"
        + method(figures)
        + targets(figures)
    )


def with_extension(text: str, section: str) -> str:
    """Returns docs/benchmarks.md with this section in place of its own, or before "In the core"."""
    begin = text.find(_EXTENSION_TITLE)
    if begin < 0:
        begin = end = text.index("## In the core")
    else:
        end = text.index("\n## ", begin) + 1
    return text[:begin] + section + "\n" + text[end:]


def _bazel(*arguments: str) -> str:
    return subprocess.run([BAZEL, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def run_cpp(seconds: float) -> dict[str, Figures]:
    labels = _bazel("query", *QUIET, "attr(tags, '\\bbenchmark\\b', kind(cc_binary, //cc/...))").split()
    if not labels:
        return {}
    _bazel("build", *QUIET, *labels)
    programs = {}
    for label in labels:
        print(f"benchmark: {label}", file=sys.stderr, flush=True)
        program = ROOT / "bazel-bin" / re.sub("^//", "", label).replace(":", "/")
        done = subprocess.run(
            [program, "--benchmark_format=json", f"--benchmark_min_time={seconds}s"],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        programs[label] = json.loads(done.stdout)
    return programs


def run_python(quick: bool) -> Figures:
    _bazel("build", *QUIET, "//cc:extension")
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "figures.json"
        command = [
            sys.executable,
            "-m",
            "thaw.lab.benchmarks",
            "--json",
            str(path),
            *(["--quick"] if quick else []),
        ]
        subprocess.run(command, cwd=ROOT, check=True)
        figures: Figures = json.loads(path.read_text())
        return figures


def run_extension(quick: bool) -> Figures:
    """Measures the executable of the layer."""
    _bazel("build", *QUIET, "//cc:layer", "//tools/load_generator")
    speed_before = _machine_speed()
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(ROOT / "bazel-bin" / "cc" / "layer.zip") as layer:
            (name,) = [path for path in layer.namelist() if path.startswith("extensions/")]
            executable = pathlib.Path(layer.extract(name, scratch))
        executable.chmod(0o755)
        path = pathlib.Path(scratch) / "figures.json"
        command = [
            *(sys.executable, "-m", "thaw.lab.benchmarks.extension"),
            *("--extension", str(executable), "--json", str(path), "--scale", "0.02" if quick else "1"),
        ]
        subprocess.run(command, cwd=ROOT, check=True)
        figures: Figures = json.loads(path.read_text())
    figures["machine_speed"] = [speed_before, _machine_speed()]
    return figures


def _machine_speed() -> float:
    """Returns the cycles of world W0 that one core makes a second, without network or disk."""
    from thaw.lab.benchmarks.simulation import simulation

    return float(simulation(cycles=50_000)["cycles_per_second"]["idle"])


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="makes short runs, to try whether it works; prints the document"
    )
    parser.add_argument(
        "--experiments",
        nargs="*",
        type=pathlib.Path,
        default=[],
        metavar="RESULT.json",
        help="adds these results of `tools/lab compare ... --json FILE` to the document",
    )
    parser.add_argument(
        "--extension-only",
        action="store_true",
        help="measures only the executable, and leaves the other sections",
    )
    parser.add_argument(
        "--experiments-only",
        action="store_true",
        help="measures nothing, and replaces only the tables of the given experiments",
    )
    arguments = parser.parse_args()
    if arguments.experiments_only and not arguments.experiments:
        parser.error("--experiments-only needs --experiments RESULT.json")
    try:
        experiments = [read(each) for each in arguments.experiments]
    except ValueError as error:
        parser.error(str(error))
    command = "tools/benchmarks" + " --quick" * arguments.quick
    commit = _commit()  # before anything is written
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    path = ROOT / "docs" / "benchmarks.md"
    if arguments.experiments_only:
        from tools.documents.results_table import with_experiment

        text = path.read_text()
        for each in experiments:
            text = with_experiment(text, each)
        path.write_text(text)
        return
    only = arguments.extension_only
    figures = run_extension(arguments.quick)
    section = extension_section(command + " --extension-only" * only, commit, date, figures)
    missed = [bar for bar in [*extension_bars(figures), *target_bars(figures)] if not bar.reached]
    if only:
        text = with_extension(path.read_text(), section)
    else:
        python = run_python(arguments.quick)
        cpp = run_cpp(0.01 if arguments.quick else 0.5)
        text = document(command, commit, date, python, cpp, experiments, section)
        missed += [bar for bar in bars(python, cpp) if not bar.reached]
    if arguments.quick:
        print(section if only else text)
        return
    path.write_text(text)
    print(f"docs/benchmarks.md is written; {len(missed)} bars are not reached")
    for bar in missed:
        print(f"  {bar.what}: {bar.measured}, bar {bar.bar}")


if __name__ == "__main__":
    main()
