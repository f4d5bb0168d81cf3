"""Every example in a docstring runs, and every public name has one that says what it is."""

from __future__ import annotations

import collections
import doctest
import enum
import inspect
import os
import pathlib
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
import types

import pytest

import thaw
from thaw.lab import arms

ROOT = pathlib.Path(__file__).resolve().parents[2]


def documented() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = [("thaw", thaw)]
    for name in thaw.__all__:
        value = getattr(thaw, name)
        found.append((name, value))
        if isinstance(value, type):
            found += [
                (f"{name}.{member}", attribute)
                for member, attribute in vars(value).items()
                if not member.startswith("_") and getattr(attribute, "__doc__", None)
            ]
    return found


def examples() -> list[doctest.DocTest]:
    parser = doctest.DocTestParser()
    tests = []
    for name, value in documented():
        text = inspect.getdoc(value) or ""
        test = parser.get_doctest(text, {}, name, None, 0)
        if test.examples:
            tests.append(test)
    return tests


@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_example(example: doctest.DocTest):
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=said.append)
    assert runner.failures == 0, "".join(said)


MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(thaw.__path__, "thaw.")
    if not name.endswith("__main__") and ".functions" not in name
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name: str):
    """The modules that are not public have examples, too."""
    module = pytest.importorskip(name, exc_type=ImportError)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).failed == 0


def test_every_class_has_an_example():
    """All but enums, which are lists of names, and exceptions, which no user makes."""
    classes = {
        name
        for name in thaw.__all__
        if isinstance(value := getattr(thaw, name), type) and not issubclass(value, enum.Enum | BaseException)
    }
    assert {test.name for test in examples()} >= {"thaw", "simulate", *classes}


@pytest.mark.parametrize("name", thaw.__all__)
def test_every_public_name_is_documented(name: str):
    value = getattr(thaw, name)
    assert (value.__doc__ or "").strip()
    assert value.__module__ == "thaw"
    for member, attribute in vars(value).items() if isinstance(value, type) else ():
        if member.startswith("_") or not isinstance(attribute, property | types.BuiltinFunctionType):
            continue
        assert (attribute.__doc__ or "").strip(), f"{name}.{member}"


def test_the_list_of_names_is_whole():
    native = {
        name
        for name, value in vars(thaw._native).items()
        if not name.startswith("_") and isinstance(value, type)
    }
    assert native <= set(thaw.__all__)
    assert list(thaw.__all__) == sorted(thaw.__all__)


def test_each_test_that_the_table_of_faults_names_is_there() -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    named = set(re.findall(r"`([A-Z]\w+\.[A-Z]\w+|test_\w+)`", text))
    assert len(named) > 40
    known = set()
    for path in (*ROOT.glob("cc/**/*_test.cc"), *ROOT.glob("python/bindings/*_test.cc")):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", path.read_text(), re.MULTILINE):
            known.add(f"{suite}.{name}")
    for path in ROOT.glob("python/tests/test_*.py"):
        known |= set(re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    assert named - known == set()


def test_no_fault_stands_twice_in_the_table_of_faults() -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    faults = [fault for fault in re.findall(r"^\| (.+?) \| ", text, re.MULTILINE) if fault != "fault"]
    assert len(faults) > 40
    assert sorted(faults) == sorted(set(faults))


# -- docs/bring-your-own.md ----------------------------------------------------------------------------------

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\w+\.py)\n")


def test_each_block_of_the_page_about_own_clients_runs(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python that begins with a file's name is that file; other Python and commands run beside the files."""
    blocks = BLOCK.findall((ROOT / "docs" / "bring-your-own.md").read_text())
    monkeypatch.chdir(tmp_path)
    ran = collections.Counter(kind for kind, _ in blocks)
    for kind, text in blocks:
        if kind == "toml":
            (tmp_path / "spec.toml").write_text(text)
            command = ["python", "-m", "thaw.lab", "sweep", "--spec", "spec.toml", "--out", "from-spec"]
        elif kind == "python":
            if (named := FILE_NAME.match(text)) is not None:
                (tmp_path / named[1]).write_text(text)
                continue
            command = ["python", "-c", text]
        else:
            command = shlex.split(text)
        if "--arm-command" in command and shutil.which("curl") is None:
            continue
        assert command[0] == "python"
        done = subprocess.run(
            [sys.executable, *command[1:]],
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
    assert ran == {"python": 3, "sh": 4, "toml": 1}


def test_the_page_about_own_clients_names_each_example() -> None:
    text = (ROOT / "docs" / "bring-your-own.md").read_text()
    for arm in arms.ARMS.values():
        if arm.maker == "file":
            assert f"`{arm.name}`" in text
            assert pathlib.Path(arm.source[0]).name in text
