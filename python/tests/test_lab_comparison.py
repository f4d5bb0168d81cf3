"""Comparisons of arms: the verdicts, their sentence, and the requirements that end a run with exit code 1."""

from __future__ import annotations

import dataclasses
import html
import json
import pathlib
import re

import pytest

from thaw.lab import comparison, host_load, report
from thaw.lab.__main__ import main
from thaw.lab.comparison import Comparison, Losses
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import requirements, sweep
from thaw.lab.host_load import Load
from thaw.lab.report import measure
from thaw.lab.report.dataset import BlockResult
from thaw.lab.results import ArmResult, ExperimentResult, FlushTimes

BLOCKS = dict(enumerate([8.0, 8.2, 7.9, 8.1, 8.4, 8.0, 7.8, 8.3]))
NONE_LOST = Losses(0, 600)


def pair(factor: float, losses: Losses = NONE_LOST, other: Losses = NONE_LOST, blocks: int = 8) -> Comparison:
    """A comparison of an arm whose flushes take `factor` times the reference's."""
    reference = dict(list(BLOCKS.items())[:blocks])
    times = {"v93": reference, "thaw": {block: factor * each for block, each in reference.items()}}
    (made,) = comparison.compare(times, {"v93": other, "thaw": losses})
    return made


def test_a_sentence_says_what_is_lost_and_what_is_faster() -> None:
    assert pair(0.5, other=Losses(300, 600)).sentence == (
        "thaw against v93: loses fewer payloads, 0 of 600 (at most 0.5 %) against 300 of 600 (46.0 to 54.0"
        " %); faster, median flush 4.03 against 8.05 ms, difference -4.12 to -3.95 ms or -50.0 to -50.0 %"
        " (95 %, 8 blocks)."
    )


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            pair(2.0),
            "no difference in losses, 0 of 600 (at most 0.5 %) against 0 of 600 (at most 0.5 %); slower",
        ),
        (pair(1.01), "; same within ±5 %, median flush"),
        (
            pair(0.5, blocks=5),
            "; can't tell which is faster, median flush 4.05 against 8.10 ms, no interval from",
        ),
        (pair(0.5, blocks=1), "no interval from 1 block (6 are needed)."),
        (pair(0.5, blocks=0), "; can't tell which is faster, no flush was measured."),
        (
            pair(1.0, Losses(9, 10), Losses(0, 10_000)),
            "loses more payloads, 9 of 10 (59.6 to 98.2 %) against 0",
        ),
        (pair(1.0, Losses(0, 0)), "no difference in losses, 0 of 0 (at most 100 %)"),
    ],
)
def test_words(made: Comparison, words: str) -> None:
    assert words in made.sentence


def test_only_blocks_of_both_arms_are_paired_with_the_first_arm() -> None:
    times = {"a": {0: 1.0, 1: 2.0, 2: 3.0}, "b": {1: 4.0, 2: 6.0}, "c": {0: 1.0}}
    made = comparison.compare(times, dict.fromkeys("abc", NONE_LOST))
    assert [(each.arm, each.reference, each.flush_ms.blocks) for each in made] == [
        ("b", "a", 2),
        ("c", "a", 1),
    ]
    assert made[0].flush_ms.difference == 2.5
    assert comparison.compare({"a": {}}, {"a": NONE_LOST}) == ()


@pytest.mark.parametrize("made", [pair(0.5), pair(0.5, blocks=2), pair(1.0, blocks=0)])
def test_a_comparison_comes_back_from_json(made: Comparison) -> None:
    read = Comparison.from_json(json.loads(json.dumps(made.to_json())))
    assert read == made
    with pytest.raises(ValueError, match="'flush_ms'"):
        Comparison.from_json({"arm": "a"})


# -- The same words everywhere -------------------------------------------------------------------------


def result(**changes: object) -> ExperimentResult:
    arm = ArmResult(600, 600, 600, 0, 0, 0, 0, 0, 0, 200, 200, 0, 0, 50.0, FlushTimes(4.0, 5.5), 200)
    arms = {"v93": dataclasses.replace(arm, delivered=300, lost=300), "thaw": arm}
    made = ExperimentResult("W1", "idle", "silent", 25, 1, "0123abcd", arms, blocks=8, command="python again")
    return dataclasses.replace(made, comparisons=(pair(0.5, other=Losses(300, 600)),), **changes)  # type: ignore[arg-type]


def words_of(page: str) -> str:
    """The text of a page."""
    return html.unescape(re.sub("<[^>]+>", "", page))


def test_table_json_page_and_notebook_have_the_same_sentence() -> None:
    made = result(busy="before the run other processes used 1.9 of 2 processors")
    (sentence,) = (each.sentence for each in made.comparisons)
    table, page = report.terminal_table(made), report.page([report.Run(made)])
    assert sentence in table
    assert words_of(page).index(sentence) < words_of(page).index("share of the payloads")
    assert made.to_json()["comparisons"][0]["sentence"] == sentence
    assert sentence in words_of(made._repr_html_())
    assert sentence in words_of(made.comparisons[0]._repr_html_())
    for text in (table, page, made._repr_html_()):
        assert "BUSY MACHINE, times mean little: before the run other processes" in text
    assert ExperimentResult.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert "BUSY" not in report.terminal_table(result())
    # The world is explained, and the command given, before the first picture.
    first_picture = page.index("<svg")
    assert page.index("SIGSTOP stops") < first_picture
    assert page.index("python again") < first_picture
    # Each axis says what it shows.
    assert page.count("time of a flush, on a logarithmic scale") == 1


# -- Requirements ----------------------------------------------------------------------------------------

ARMS = ("v93", "thaw", "thaw(max_idle_per_host=1)")


@pytest.mark.parametrize(
    ("text", "said", "met"),
    [
        ("thaw.lost == 0", "thaw.lost == 0, thaw.lost is 0", True),
        ("thaw.lost==0", "thaw.lost == 0, thaw.lost is 0", True),
        ("v93.lost <= 10.5", "v93.lost <= 10.5, v93.lost is 300", False),
        ("0 < v93.lost", "0 < v93.lost, v93.lost is 300", True),
        ("v93.lost != 300", "v93.lost != 300, v93.lost is 300", False),
        ("thaw.flush_ms.p50 < v93.flush_ms.p99", "thaw.flush_ms.p50 is 4, v93.flush_ms.p99 is 5.5", True),
        ("thaw.flush_ms.p50 >= v93.flush_ms.p50", "thaw.flush_ms.p50 is 4, v93.flush_ms.p50 is 4", True),
        ("thaw.first_flush_ms > 0", "thaw.first_flush_ms is not measured", False),
        # An arm that was not reached before the run was stopped.
        ("thaw( max_idle_per_host = 1 ).lost == 0", "thaw(max_idle_per_host=1).lost is not measured", False),
    ],
)
def test_a_requirement_names_what_was_found(text: str, said: str, met: bool) -> None:
    found = requirements.parse(text, ARMS).check(result())
    assert found.met is met
    assert said in str(found)
    assert str(found).endswith(": met" if met else ": NOT MET")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("thaw.lost == nan", "'nan' is no number, and equals none"),
        ("thav.lost == 0", "there is no arm 'thav'; the nearest is thaw"),
        ("thaw.losst == 0", "there is no column 'losst'; the nearest is lost"),
        ("thaw.lost", "'thaw.lost' is not of the form ARM.COLUMN OPERATOR NUMBER"),
        ("thaw.lost = 0", "is not of the form"),
        ("thaw.lost == 0 == 0", "is not of the form"),
        ("1 == 1", "names no ARM.COLUMN"),
        ("thaw.lost == ", "'' is neither a number nor ARM.COLUMN"),
        ("lost == 0", "'lost' is neither a number nor ARM.COLUMN"),
        ("thaw(max_idel_per_host=1).lost == 0", "max_idel_per_host"),
    ],
)
def test_a_wrong_requirement_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        requirements.parse(text, ARMS)


def test_signs_in_quotes_are_no_operators() -> None:
    arm = 'thaw(user_agent="a < b.c")'
    assert str(requirements.parse(f"{arm}.lost == 0", [arm])) == f"{arm}.lost == 0"


SIMULATED = ["compare", "--world=W0", "--cycles=20", "--arms=v93,thaw"]


def test_compare_ends_with_the_requirements(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SIMULATED, "--require", "thaw.lost == 0", "--require", "v93.lost > 0"]) == 0
    said = capsys.readouterr().out
    assert "require thaw.lost == 0, thaw.lost is 0: met" in said
    assert main([*SIMULATED, "--require", "thaw.lost == 0", "--require", "v93.lost == 0"]) == 1
    assert "require v93.lost == 0, v93.lost is " in capsys.readouterr().out
    assert main([*SIMULATED, "--require", "thaw.lost < nothing"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("thaw.lab: --require 'thaw.lost < nothing': 'nothing' is neither a number")


BUSY = Load(others=1.5, steal=0.0, average=3.0, processors=2, seconds=1.0)


def test_a_busy_machine_is_marked_or_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_load, "measure", lambda: BUSY)
    given = ["compare", "--cycles=2", "--arms=thaw", "--workload=generated", "--payloads=1"]
    assert main([*given, "--require-idle"]) == 1
    said = capsys.readouterr()
    assert "the machine is busy: other processes used 1.5 of 2 processors (--require-idle)" in said.err
    assert said.out == ""
    assert main(given) == 0
    said = capsys.readouterr()
    assert "BUSY MACHINE, times will mean little" in said.err
    assert (
        "BUSY MACHINE, times mean little: before the run other processes used 1.5 of 2 processors" in said.out
    )
    # The figures of a simulation do not depend on the machine.
    assert main([*SIMULATED, "--require-idle"]) == 0
    assert "BUSY" not in capsys.readouterr().out


def test_a_stored_point_of_a_busy_machine_is_not_what_was_required(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = dataclasses.replace(BUSY, others=0.0)
    loads = {"fin": BUSY, "rst": idle}

    def measured(point: ExperimentSettings, **unused: object) -> sweep.Measured:
        where = measure.provenance(world="W1", seed=1, cycles=2, load=loads[point.close])
        return sweep.Measured([BlockResult(0, "thaw", result().arms["thaw"])], where)

    monkeypatch.setattr(sweep, "measure_point", measured)
    monkeypatch.setattr(host_load, "measure", lambda: idle)
    given = ["sweep", "--arms=thaw", "--workload=generated", "--close=fin,rst", f"--out={tmp_path}"]
    assert main(given) == 0
    assert "require" not in capsys.readouterr().out
    assert main([*given, "--require-idle"]) == 1
    said = capsys.readouterr().out
    assert "0 points run, 2 were measured before" in said
    (file,) = tmp_path.glob("W1-idle-fin-*.parquet")
    (line,) = re.findall(r"^require .*$", said, re.MULTILINE)
    reason = "before the run other processes used 1.5 of 2 processors"
    assert line == f"require an idle machine, {file.name}, {reason}: NOT MET"
    file.unlink()
    loads["fin"] = idle
    assert main([*given, "--require-idle"]) == 0
