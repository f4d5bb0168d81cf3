"""The laboratory's command line: what a command writes, and what it says when it can't."""

from __future__ import annotations

import pathlib

import pytest

from thaw.lab import main_experiment, report, sweep
from thaw.lab.__main__ import main


def test_compare_keeps_what_a_report_is_made_of(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, page = tmp_path / "rows", tmp_path / "page.html"
    assert main(["compare", "--arms=v93,thaw", "--cycles=4", "--workload=generated", f"--rows={rows}"]) == 0
    run = report.read_run(rows)
    assert report.terminal_table(run.result) in capsys.readouterr().out
    assert run.measurements is not None
    assert [(row.arm, row.cycle) for row in run.measurements.cycles] == [
        (arm, cycle) for arm in ("v93", "thaw") for cycle in range(4)
    ]
    for arm, figures in run.result["arms"].items():
        outcomes = [row.outcome for row in run.measurements.payloads if row.arm == arm]
        assert len(outcomes) == figures["payloads"] == 4 * 3
        assert outcomes.count("lost") == figures["lost"]
        assert outcomes.count("once") == figures["delivered"] - figures["duplicated"]
    assert run.result["arms"]["v93"]["lost"] > run.result["arms"]["thaw"]["lost"] == 0

    assert main(["report", str(rows), f"--out={page}"]) == 0
    assert str(page) in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == report.page([run])


def test_sweep(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "sweep.parquet"
    assert main(["sweep", "--world=W0", "--cycles=5", "--arms=thaw", "--close=fin,rst", f"--out={path}"]) == 0
    assert {row.close for row in sweep.read(path)} == {"fin", "rst"}


@pytest.mark.slow
def test_the_main_job_ends_with_tables_and_the_path_of_a_report(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["main", "--cycles=6", "--payloads=1", f"--out={tmp_path}"]) == 0
    said = capsys.readouterr().out
    page = tmp_path / "report.html"
    assert said.splitlines()[-1] == f"report: {page}"
    html = page.read_text(encoding="utf-8")
    for part in main_experiment.parts():
        run = report.read_run(tmp_path / part.name)
        assert report.terminal_table(run.result) in said
        assert list(run.result["arms"]) == list(main_experiment.ARMS)
        assert all(f"<th scope=row>{arm}" in html for arm in main_experiment.ARMS)
        for arm in ("thaw", "thaw-unshared", "thaw-pooled"):
            figures = run.result["arms"][arm]
            assert (figures["delivered"], figures["lost"]) == (figures["payloads"], 0) == (6, 0)
    assert report.read_run(tmp_path / "W1-idle-silent").result["arms"]["v93"]["lost"] == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "nowhere"], "nowhere does not exist"),
        (["compare", "--arms=v1"], "there is no arm 'v1'"),
        (["sweep", "--tls=1.1"], "--tls has no '1.1'"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
