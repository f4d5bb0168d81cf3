"""The main experiment runs every part, says how far it is, and leaves a report and what it is made from."""

from __future__ import annotations

import pathlib

import pytest

from thaw.lab import arms, report
from thaw.lab.experiments import main_experiment
from thaw.lab.experiments.main_experiment import Part
from thaw.lab.report import measure

from .test_lab_report import result


def comparison(part: Part) -> report.Run:
    made = result(*part.arms, scenario=part.scenario, close=part.close, cycles=part.cycles)
    rows = measure.Measurements(
        [], [], measure.provenance(world=part.world, seed=part.seed, cycles=part.cycles)
    )
    return report.Run(made, rows)


def test_every_part_is_run_printed_and_kept(tmp_path: pathlib.Path) -> None:
    said: list[str] = []
    experiments = main_experiment.parts(arms=("v93", "thaw"), cycles=4)
    path = main_experiment.run(comparison, tmp_path / "made", experiments, say=said.append)

    for part in experiments:
        kept = report.read_run(tmp_path / "made" / part.name)
        assert kept == report.Run(comparison(part).result, kept.measurements)
        assert any(report.terminal_table(kept.result) in text for text in said)
    assert said[0].startswith("part 1 of 3: ")
    assert said[-1] == f"report: {path.resolve()}"
    page = path.read_text()
    assert page.count("<table>") == 3
    assert page.count("<th scope=row>") == 6


def test_the_parts_are_all_arms_against_different_ends() -> None:
    parts = main_experiment.parts()
    assert all(tuple(part.arms) == main_experiment.ARMS for part in parts)
    assert len({part.name for part in parts}) == len(parts) == 3
    # Arms with options of a flusher are clients of other data than traces.
    policies = {name for name, arm in arms.ARMS.items() if arm.maker == "native" and not arm.flusher}
    assert set(main_experiment.ARMS) == policies | {"requests", "pycurl"}


def test_a_broken_part_is_not_reported_on(tmp_path: pathlib.Path) -> None:
    def broken(part: Part) -> report.Run:
        if part.scenario == "inflight":
            raise RuntimeError("the intake is gone")
        return comparison(part)

    with pytest.raises(RuntimeError, match="the intake is gone"):
        main_experiment.run(broken, tmp_path, say=lambda _: None)
    assert not (tmp_path / main_experiment.REPORT_FILE).exists()
    assert (tmp_path / main_experiment.parts()[0].name / report.RESULT_FILE).exists()
