"""The README's table says what the laboratory's JSON says, and how to make it again."""

import pathlib

import pytest

from tools.results_table import Result, command, experiment
from tools.update_readme import BEGIN, END, ROOT, insert, section

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
RESULT: Result = {
    "world": "W1",
    "close": "rst",
    "scenario": "idle",
    "cycles": 5,
    "seed": 7,
    "commit": "0123456789abcdef",
    "arms": {"v93": ARM, "thaw": {**ARM, "delivered": 10, "lost": 0}},
}


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
    changed = {**RESULT, "commit": f"{RESULT['commit']}-dirty"}
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
