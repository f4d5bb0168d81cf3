"""The README's table says what the laboratory's JSON says, and how to make it again."""

import dataclasses
import json
import pathlib
import subprocess
import sys

import pytest

from thaw.lab.results import ExperimentResult
from tools.documents import update_readme
from tools.documents.results_table import command, experiment, price, with_experiment
from tools.documents.update_readme import BEGIN, END, EXPERIMENTS, ROOT, insert, read, section

ARM = {
    "payloads": 10,
    "requests": 10,
    "delivered": 9,
    "lost": 1,
    "duplicated": 0,
    "possible_duplicate": 0,
    "retained": 0,
    "dropped": 0,
    "errors": 1,
    "connections": 7,
    "handshakes_full": 6,
    "handshakes_resumed": 1,
    "stale": 1,
    "cpu_us_per_payload": 812.4,
    "flush_ms": {"p50": 3.25, "p99": 11.0},
}
RESULT_JSON = {
    "world": "W1",
    "close": "rst",
    "scenario": "idle",
    "cycles": 5,
    "seed": 7,
    "commit": "0123456789abcdef",
    "arms": {"v93": ARM, "thaw": {**ARM, "delivered": 10, "lost": 0}},
}
RESULT = ExperimentResult.from_json(RESULT_JSON)


def test_each_arm_is_a_row_of_its_figures() -> None:
    rows = [line for line in experiment(RESULT).splitlines() if line.startswith("| ")]
    assert rows[2:] == [
        "| v93 | 9 | 1 | 0 | 0 | 7 | 6 | 1 | 812 | 3.2 / 11.0 |",
        "| thaw | 10 | 0 | 0 | 0 | 7 | 6 | 1 | 812 | 3.2 / 11.0 |",
    ]
    assert len({row.count("|") for row in rows}) == 1


def test_the_provenance_is_a_command_and_a_commit() -> None:
    assert command(RESULT) == (
        "python -m thaw.lab compare --arms v93,thaw --world W1 --scenario idle --close rst --cycles 5"
        " --payloads 2 --seed 7"
    )
    assert f"`{command(RESULT)}` at commit 0123456789ab." in experiment(RESULT)
    changed = dataclasses.replace(RESULT, commit=f"{RESULT.commit}-dirty")
    assert "at commit 0123456789ab-dirty." in experiment(changed)


def test_only_what_is_between_the_markers_changes() -> None:
    readme = f"# a\n\n{BEGIN}\nold\n{END}\n\nend\n"
    once = insert(readme, "new\n")
    assert once == f"# a\n\n{BEGIN}\n\nnew\n\n{END}\n\nend\n"
    assert insert(once, "new\n") == once


@pytest.mark.parametrize("readme", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN} {END} {BEGIN}"])
def test_missing_markers_are_an_error(readme: str) -> None:
    with pytest.raises(ValueError, match="results:begin"):
        insert(readme, "new")


def test_the_readme_has_the_markers() -> None:
    readme = pathlib.Path(ROOT / "README.md").read_text()
    assert "812" in insert(readme, section([RESULT], "a machine"))


def of_round_trip(seconds: float, **flush_ms: float) -> ExperimentResult:
    """Returns results without faults; the arms' flushes take these milliseconds."""
    arms = {
        name.replace("_", "-"): {**ARM, "lost": 0, "connections": 5, "flush_ms": {"p50": p50, "p99": 999.0}}
        for name, p50 in flush_ms.items()
    }
    conditions = {"payloads": 1, "workload": "real", "freeze": 0.002, "tls_version": "1.3"}
    said = {"command": f"compare --round-trip {seconds:g}", "complete": True, "round_trip": seconds}
    return ExperimentResult.from_json({**RESULT_JSON, **conditions, **said, "close": "none", "arms": arms})


PRICES = [
    of_round_trip(0.08, v93=84.96, thaw=249.6),
    of_round_trip(0.0, v93=1.25, thaw=1.5),
    of_round_trip(0.02, v93=22.0, thaw=64.0),
]


def test_the_price_stands_beside_the_promise() -> None:
    lines = [line for line in price([RESULT, *PRICES]).splitlines() if line.startswith("| ")]
    title = "| arm | lost (close: rst) | duplicated | connections a flush"
    assert lines[0].startswith(title)
    assert [f"round trip {each} ms" in lines[0] for each in (0, 20, 80)] == [True] * 3
    assert lines[2:] == [
        "| v93 | 1 of 10 | 0 | 1 | 1.2 ms | 22.0 ms | 85.0 ms |",
        "| thaw | 0 of 10 | 0 | 1 | 1.5 ms | 64.0 ms | 249.6 ms |",
    ]
    assert len({line.count("|") for line in lines}) == 1


def test_the_price_says_how_it_is_had_again() -> None:
    text = price([RESULT, *PRICES])
    for each in (RESULT, *PRICES):
        assert f"* `{command(each)}` at commit 0123456789ab" in text


def test_without_a_price_or_a_promise_there_is_no_such_table() -> None:
    assert price([RESULT]) == price(PRICES) == price([]) == ""
    alone = section([RESULT], "here")
    assert "price" not in alone
    both = section([RESULT, *PRICES], "here")
    assert both.count("249.6 ms") == 1  # in the one table, not in one of its own
    assert both.index("price") < both.index("World W1, frozen idle, peer's close: rst;")


def test_conditions_stand_in_the_line_above_the_table() -> None:
    far, near = PRICES[0], PRICES[1]
    assert "peer's close: none, round trip 80 ms; 5 cycles" in experiment(far)
    assert "(1 a flush, real; round trip 80 ms, TLS 1.3, freeze 2 ms)" in experiment(far)
    # One round trip does not take the place of another.
    text = with_experiment(with_experiment("# a\n", far), near)
    assert text.count("Made by ") == 2
    assert with_experiment(text, near).count("Made by ") == 2
    assert f"`{far.command}`" in with_experiment(text, near)


def test_a_file_that_is_no_result_is_refused(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "result.json"
    for text, says in (
        (None, "No such file"),
        ("{", "is no JSON"),
        ("[]", "is no result"),
        (json.dumps({**RESULT_JSON, "complete": False}), "stopped early"),
    ):
        if text is not None:
            file.write_text(text)
        with pytest.raises(ValueError, match=says):
            read(file)
    file.write_text(json.dumps(RESULT.to_json()))
    assert read(file) == RESULT


def test_the_measured_experiments_are_promises_and_prices(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    run: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: run.append(command))
    assert update_readme.measure(tmp_path) == [tmp_path / f"{name}.json" for name in EXPERIMENTS]
    assert [command[:4] for command in run] == [[sys.executable, "-m", "thaw.lab", "compare"]] * len(run)
    trips = [command[command.index("--round-trip") + 1] for command in run if "none" in command]
    assert trips == ["0", "0.02", "0.08"]
    closes = [command[command.index("--close") + 1] for command in run]
    assert closes == ["silent", "race", "rst", "none", "none", "none"]
