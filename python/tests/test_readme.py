"""README's example runs as it stands there, and prints what it says it counts."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from thaw.lab.child_environment import child_environment

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def test_the_example_delivers_and_keeps_nothing_open(tmp_path: pathlib.Path) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,  # from any folder
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "3 payloads delivered in 1 attempts",
        "1 connections opened, 0 open",
    ]
