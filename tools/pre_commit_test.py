"""The hook reports the problems of the files that are committed, and of no others."""

import pathlib
import shutil
import subprocess

import pytest

from tools import checks, pre_commit

HEADER = "#ifndef THAW_CC_BASE_{0}_H_\n#define THAW_CC_BASE_{0}_H_\n{1}\n#endif\n"
TREE = {
    "cc/base/good.h": HEADER.format("GOOD", ""),
    "cc/base/bad.h": HEADER.format("BAD", '#include "cc/net/client.h"'),
    "cc/base/worse.h": HEADER.format("WORSE", '#include "cc/flush/outbox.h"'),
}


def test_house_rules_are_told_of_what_is_committed() -> None:
    assert pre_commit.house_problems(["cc/base/good.h"], TREE) == []
    (problem,) = pre_commit.house_problems(["cc/base/good.h", "cc/base/bad.h"], TREE)
    assert problem.startswith("cc/base/bad.h:3: includes cc/net/client.h")


@pytest.mark.skipif(not (checks.VENV / "ruff").exists(), reason="ruff is not beside this Python")
def test_formatting_and_lints_are_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    shutil.copy(pathlib.Path(__file__).parents[1] / "pyproject.toml", tmp_path)
    (tmp_path / "good.py").write_text('"""Nothing."""\n')
    (tmp_path / "bad.py").write_text("import os\nx  = 1\n")
    assert pre_commit.problems_of(["good.py"], {}) == []
    told = "\n".join(pre_commit.problems_of(["good.py", "bad.py"], {}))
    assert "bad.py" in told
    assert "F401" in told
    assert "good.py" not in told


def test_only_what_is_staged_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    for name in ("staged file.py", "untouched.py"):
        (tmp_path / name).write_text("")
    for command in (["init", "-q"], ["add", "staged file.py"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert pre_commit.staged() == ["staged file.py"]
