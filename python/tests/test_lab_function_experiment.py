"""A real function with the extension: its table and page, and the runs that they are made from."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys

import pytest

from thaw.lab import executables, own_network, report
from thaw.lab.experiments import function_experiment, main_experiment
from thaw.lab.experiments.function_experiment import FunctionLeftOut
from thaw.lab.report import function_run, function_section, measure
from thaw.lab.report.function_run import Fates, FunctionRun, InvocationRow

from .extension_under_test import EXTENSION, needs_extension
from .test_lab_main_experiment import comparison


def made() -> list[FunctionRun]:
    def rows(name: str, after: float) -> list[InvocationRow]:
        billed = 2 + int(after)
        return [InvocationRow(name, n, 30.0 * n, 2.0, after + n, billed, 1.0) for n in range(9)]

    counts = {"accepted": 9, "handshakes_full": 1, "handshakes_resumed": 8}
    return [
        FunctionRun("thaw", 1.5, 3.0, spans=45, once=42, twice=1, rows=rows("thaw", 25.0), counts=counts),
        FunctionRun("none", rows=rows("none", 0.0)),
    ]


def test_the_table_says_what_arrived_and_what_it_cost() -> None:
    head, thaw, none = function_run.table(made()).splitlines()
    assert head.startswith("extension")
    for part in ("42 of 45", "  2  ", "1.5", "29.0 / 33.0", "3.0"):
        assert part in thaw
    assert "4.0 / 8.0" in none
    assert thaw.split()[-2] == "+25.0"
    assert none.split()[-2] == "–"


def test_all_kinds_of_data_stand_side_by_side() -> None:
    run, without = made()
    run.lines = Fates.of(range(4), {0: 1, 1: 2, 3: 1, 9: 1})
    run.points = Fates(3, 3, 0)
    assert (run.lines.once, run.lines.lost, run.lines.twice) == (2, 1, 1)
    titles = function_run.titles([run, without])
    assert titles[:10] == [
        *("extension", "spans once", "lost", "twice"),
        *("lines once", "lost", "twice", "points once", "lost", "twice"),
    ]
    shown = function_run.cells(run, [run, without])
    assert shown[4:10] == ["2 of 4", "1", "1", "3 of 3", "0", "0"]
    assert function_run.cells(without, [run, without])[1:10] == ["–"] * 9
    assert len(shown) == len(titles)
    assert len(function_run.cells(without, [run, without])) == len(titles)
    assert function_section.section([run, without]).count("<th scope=col>") == len(titles)


def test_what_an_extension_adds_is_told_without_the_first_invocation() -> None:
    with_it, without = made()
    slow_start = dataclasses.replace(with_it.rows[0], billed_ms=1000)
    run = dataclasses.replace(with_it, rows=[slow_start, *with_it.rows[1:]])
    assert function_run.added_billed_ms(run, [run, without]) == 25.0
    assert function_run.added_billed_ms(without, [run, without]) == 0.0
    assert function_run.added_billed_ms(run, [run]) is None


def test_extensions_are_named_on_the_command_line(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "a=b"
    file.write_text("#!/bin/sh\n")
    assert executables.named_extension(f"mine={file}") == ("mine", file)
    assert executables.named_extension(str(file)) == ("thaw", file)
    assert function_experiment.extensions_of([("a", file), ("b", file)]) == {"a": file, "b": file}
    assert list(function_experiment.extensions_of(None)) == ["thaw"]


def test_each_extension_is_run_with_each_strategy(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "extension"
    file.write_text("#!/bin/sh\n")
    seen: list[tuple[str, int, str]] = []

    async def live(name: str, files: list[pathlib.Path], *rest: object) -> FunctionRun:
        seen.append((name, len(files), str(rest[-1])))
        return FunctionRun(name)

    monkeypatch.setattr(function_experiment, "live", live)
    monkeypatch.setattr(function_experiment, "enter_own_network", lambda: None)
    monkeypatch.setattr(own_network, "require_free", lambda ports: None)
    function_experiment.run({"a": file, "b": file}, 1, strategies=("end", "default"))
    others = [("control", 1, "end"), ("none", 0, "end")]
    assert seen == [
        *(("a, end", 1, "end"), ("a, default", 1, "default")),
        *(("b, end", 1, "end"), ("b, default", 1, "default")),
        *others,
    ]
    seen.clear()
    function_experiment.run({"a": file}, 1, strategies=("continuously,200",))
    assert seen == [("a", 1, "continuously,200"), *others]


def test_the_page_has_a_section_with_two_pictures_and_a_table(tmp_path: pathlib.Path) -> None:
    section = function_section.section(made())
    assert section.count("<svg") == 2
    assert section.count("<th scope=row>") == 2
    assert "42 of 45" in section
    path = main_experiment.run(
        comparison, tmp_path, main_experiment.parts(cycles=2)[:1], function=made, say=lambda _: None
    )
    assert section in path.read_text()
    rows = measure.read_rows(tmp_path / main_experiment.INVOCATIONS_FILE, InvocationRow)
    assert rows == [row for run in made() for row in run.rows]
    assert report.read_run(tmp_path / main_experiment.parts()[0].name)


def test_a_function_whose_tracer_finds_no_extension_is_left_out_with_the_reason(
    tmp_path: pathlib.Path,
) -> None:
    def left_out() -> list[FunctionRun]:
        raise FunctionLeftOut("no /opt/extensions: only root may lay the extensions over /opt")

    said: list[str] = []
    path = main_experiment.run(
        comparison, tmp_path, main_experiment.parts(cycles=2)[:1], function=left_out, say=said.append
    )
    assert any("left out: no /opt/extensions: only root" in line for line in said)
    assert path.exists()
    assert not (tmp_path / main_experiment.INVOCATIONS_FILE).exists()


@needs_extension
@pytest.mark.slow
def test_without_opt_nothing_is_counted_as_lost() -> None:
    # In a process of its own, since it moves to a network of its own.
    program = (
        "import pathlib, sys; from thaw.lab.experiments import function_experiment as experiment\n"
        "from thaw.lab.emulator.opt_folder import OptFolder\n"
        "OptFolder.why_not = staticmethod(lambda: 'this machine has no /opt')\n"
        "try: experiment.run({'thaw': pathlib.Path(sys.argv[1])}, invocations=1)\n"
        "except experiment.FunctionLeftOut as reason: print(reason)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(EXTENSION)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout == "no /opt/extensions: this machine has no /opt\n"


@needs_extension
@pytest.mark.slow
def test_every_span_line_and_point_of_a_real_function_arrives_once() -> None:
    # In a process of its own, since it moves to a network of its own.
    program = (
        "import pathlib, sys; from thaw.lab.experiments import function_experiment as experiment\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "load = experiment.Load(lines=3, points=4)\n"
        "runs = experiment.run({'thaw': file, 'again': file}, invocations=6, load=load)\n"
        "print([(run.extension, run.spans, run.once, run.lost, run.twice, len(run.rows)) for run in runs])\n"
        "print([(run.lines.taken, run.lines.once) for run in runs if run.lines is not None])\n"
        "print([(run.points.taken, run.points.once) for run in runs if run.points is not None])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(EXTENSION)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    spans, lines, points = done.stdout.splitlines()
    assert lines == str([(18, 18), (18, 18)])
    assert points == str([(24, 24), (24, 24)])
    assert spans == str(
        [
            ("thaw", 30, 30, 0, 0, 6),
            ("again", 30, 30, 0, 0, 6),
            ("control", 0, 0, 0, 0, 6),
            ("none", 0, 0, 0, 0, 6),
        ]
    )
