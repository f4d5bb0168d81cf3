"""README's example runs as it stands there, and its figures name the commands that repeat them."""

from __future__ import annotations

import argparse
import pathlib
import re
import shlex
import subprocess
import sys

from thaw.lab.child_environment import child_environment
from thaw.lab.experiment import ExperimentSettings, command
from thaw.lab.experiments import settings_arguments

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


def test_the_commands_beside_figures_name_every_setting() -> None:
    """A default that changes later would change what a shorter command repeats."""
    found = re.findall(r"`(python -m thaw\.lab compare --arms .*?)`", README.read_text())
    assert len(found) >= 7
    for each in found:
        parser = argparse.ArgumentParser()
        settings_arguments.add(parser, ExperimentSettings(), several=False)
        given = parser.parse_args(shlex.split(each)[4:])
        assert command(settings_arguments.settings(given, ExperimentSettings())) == each
