"""The notebooks run from beginning to end, and show what their texts say."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import nbclient
import nbformat
import pytest

import thaw

PYTHON = pathlib.Path(__file__).resolve().parents[1]
NOTEBOOK = PYTHON / "notebooks" / "freeze_and_resume.ipynb"
# Committed with the outputs of a small run. Asked of the kernel after the last cell, and what must hold.
SHOWN = {
    "bring_your_own_client": """
import json
lost = {name: arm.lost for name, arm in arms.items()}
print(json.dumps({
    "always": lost["thaw"] == lost["clients.py:fresh"] == 0,
    "stale": lost["v93"] > 0 and lost["clients.py:kept"] > 0,
    "second try": lost["clients.py:again"] == 0,
    "exchanges": len(mine) == settings.cycles - 1,
    "told": all(row.connect_ms is not None and row.resumed for row in mine),
}))
""",
    "fleet": """
import json
usual = {name: figures.of_usual(series, scene) for name, series in fleets.items()}
tries = {name: outage.tries / usual[name].requests for name, outage in outages.items()}
print(json.dumps({
    "the breaker tries less": tries["thaw"] < tries["shared"] / 5,
    "kept connections dial less": usual["pooled"].handshakes < usual["shared"].handshakes / 10,
    "both simulations agree": all(abs(each) < 0.2 for each in agreement.values()),
    "all recover": all(outage.recovery is not None for outage in outages.values()),
}))
""",
    "freeze_it_yourself": """
import json
lost = {(arm, close) for arm, close, delivered, _ in rounds if delivered < PAYLOADS}
print(json.dumps({
    "only v93 loses, where no packet tells of the close": lost == {("v93", "silent")},
    "what is told is what arrived": all(len(arrived[at]) == each[2] for at, each in enumerate(rounds)),
}))
""",
    "v92_to_v98": """
import json
print(json.dumps({
    "calm": all(arm.lost == 0 for arm in calm.result.arms.values()),
    "stale": {name for name, arm in frozen.result.arms.items() if arm.lost} == {"v93"},
    "thaw in flight": in_flight.result.arms["thaw"].lost == 0,
}))
""",
}

# Asked of the kernel after the last cell.
QUESTION = """
import json
print(json.dumps({
    "after_freeze": after_freeze,
    "dropped": v93_after.dropped,
    "classes": [failure.retry_class.name for failure in v93_after.failures],
    "delivered": [thaw_after.delivered, pooled_after.delivered],
    "failures": len(thaw_after.failures) + len(pooled_after.failures),
    "package": thaw.__file__,
}))
"""


def read(path: pathlib.Path = NOTEBOOK) -> Any:
    return nbformat.read(path, as_version=4)


def run(notebook: Any, question: str) -> Any:
    """Runs a notebook, and the question behind its last cell."""
    notebook["cells"].append(nbformat.v4.new_code_cell(question))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PYTHON))  # the kernel is to import the package that is tested here
        nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    return notebook


def text_of(cell: Any) -> str:
    """Returns the text that a cell printed, without the client's log."""
    return "".join(output["text"] for output in cell["outputs"] if output.get("name") == "stdout")


@pytest.fixture(scope="module")
def executed() -> Any:
    return run(read(), QUESTION)


def test_it_shows_the_loss_and_its_absence(executed: Any) -> None:
    answer = json.loads(text_of(executed["cells"][-1]))
    assert pathlib.Path(answer["package"]) == pathlib.Path(thaw.__file__)
    assert answer["after_freeze"] == {"v93": 0, "thaw": 3, "thaw, pooled": 3}
    assert answer["delivered"] == [3, 3]
    assert answer["failures"] == 0
    assert sum(answer["dropped"].values()) == 3
    assert answer["classes"] == ["STALE"]


def test_each_cell_that_prints_says_something(executed: Any) -> None:
    for cell in executed["cells"]:
        if cell["cell_type"] == "code" and "print(" in cell["source"]:
            assert text_of(cell).strip()


def test_it_is_committed_without_outputs() -> None:
    for cell in read()["cells"]:
        assert not cell.get("outputs")
        assert not cell.get("execution_count")


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_shows_what_its_text_says(name: str) -> None:
    notebook = run(read(NOTEBOOK.with_stem(name)), SHOWN[name])
    answer = json.loads(text_of(notebook["cells"][-1]))
    assert answer == dict.fromkeys(answer, True)


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_is_committed_with_its_plots(name: str) -> None:
    outputs = [
        output for cell in read(NOTEBOOK.with_stem(name))["cells"] for output in cell.get("outputs", ())
    ]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
    assert sum(output.get("name") == "stdout" for output in outputs) >= 2


def test_every_notebook_is_tested() -> None:
    assert {path.stem for path in NOTEBOOK.parent.glob("*.ipynb")} == {NOTEBOOK.stem, *SHOWN}
