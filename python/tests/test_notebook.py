"""The notebook runs from beginning to end, and shows what its text says."""

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


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def text_of(cell: Any) -> str:
    """Returns the text that a cell printed, without the client's log."""
    return "".join(output["text"] for output in cell["outputs"] if output.get("name") == "stdout")


@pytest.fixture(scope="module")
def executed() -> Any:
    notebook = read()
    notebook["cells"].append(nbformat.v4.new_code_cell(QUESTION))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PYTHON))  # the kernel is to import the package that is tested here
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


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
