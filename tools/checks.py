"""Formatting, lints and house rules over the whole tree: run by tools/check and tools/test."""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tools import house_rules

ROOT = pathlib.Path(__file__).resolve().parent.parent

VENV = pathlib.Path(sys.prefix) / "bin"

# buildifier is a binary inside an npm package; without npm the check is skipped.
BUILDIFIER_PACKAGE = "@bazel/buildifier@8.2.1"
BUILDIFIER_SHA512 = "eZ/Aq+2r4PcJa6LbPCT6ffgIJfTU/gYilqIzoX2OLM4nNkbQC6tTMPZNn7aHHjhGPxbNLv41zm4Xqt1olCLgXw=="


class Outcome(NamedTuple):
    """A line for each problem; a check without one has passed. `skipped`: the reason why it did not run."""

    problems: Sequence[str] = ()
    notes: Sequence[str] = ()
    skipped: str = ""


def _files(*suffixes: str) -> list[str]:
    return [path for path in house_rules.read_tree() if path.endswith(suffixes)]


def _run(*command: str | pathlib.Path) -> tuple[int, str]:
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout


def _outcome(code: int, output: str) -> Outcome:
    if not code:
        return Outcome()
    return Outcome([line for line in output.splitlines() if line.strip()] or [f"exit code {code}"])


def clang_format(fix: bool, files: Sequence[str] = ()) -> Outcome:
    """C++ is laid out as .clang-format says"""
    files = files or _files(".cc", ".h")
    if fix:
        return _outcome(*_run(VENV / "clang-format", "-i", *files))
    code, output = _run(VENV / "clang-format", "--dry-run", "--Werror", *files)
    if not code:
        return Outcome()
    first = dict(reversed(re.findall(r"^([^\s:]+):(\d+):\d+: error: ", output, re.MULTILINE)))
    problems = [
        f"{path}:{line}: not formatted; run tools/check --fix" for path, line in sorted(first.items())
    ]
    return Outcome(problems or output.splitlines())


# Files that are named are still left out where pyproject.toml leaves them out.
_RUFF = ("--quiet", "--force-exclude")


def ruff_format(fix: bool, files: Sequence[str] = (".",)) -> Outcome:
    """Python is laid out as ruff does it"""
    if fix:
        return _outcome(*_run(VENV / "ruff", "format", *_RUFF, *files))
    code, output = _run(VENV / "ruff", "format", "--check", *_RUFF, "--output-format=concise", *files)
    return _outcome(code, output)


def ruff(fix: bool, files: Sequence[str] = (".",)) -> Outcome:
    """Python lints (pyproject.toml)"""
    arguments = ["--fix"] if fix else []
    return _outcome(*_run(VENV / "ruff", "check", *_RUFF, "--output-format=concise", *arguments, *files))


def mypy(fix: bool) -> Outcome:
    """Python types, strictly"""
    code, output = _run(VENV / "mypy", "--no-error-summary", "python/thaw", "tools")
    return _outcome(code, output)


def buildifier(fix: bool) -> Outcome:
    """Bazel files are laid out as buildifier does it"""
    program = VENV / "buildifier"
    if not program.exists():
        reason = _install_buildifier(program)
        if reason:
            return Outcome(skipped=reason)
    files = [
        path
        for path in house_rules.read_tree()
        if re.search(r"(^|[/.])(BUILD(\.bazel)?|WORKSPACE|[\w]+\.bzl)$", path)
    ]
    code, output = _run(program, f"-mode={'fix' if fix else 'check'}", "-lint=off", *files)
    if code == 4:
        paths = [
            line.removesuffix(" # reformat") for line in output.splitlines() if line.endswith(" # reformat")
        ]
        return Outcome([f"{path}:1: not formatted; run tools/check --fix" for path in paths])
    return _outcome(code, output)


def _install_buildifier(program: pathlib.Path) -> str:
    """Extracts the npm package's binary into .venv. Returns an empty text, or the reason if that fails."""
    npm = shutil.which("npm")
    if not npm:
        return "npm, which fetches buildifier, is not on PATH"
    with tempfile.TemporaryDirectory() as scratch:
        packed = subprocess.run(
            [npm, "pack", "--silent", BUILDIFIER_PACKAGE], cwd=scratch, capture_output=True
        )
        archives = list(pathlib.Path(scratch).glob("*.tgz"))
        if packed.returncode or len(archives) != 1:
            return f"npm pack {BUILDIFIER_PACKAGE} failed"
        digest = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
        if digest != BUILDIFIER_SHA512:
            raise SystemExit(f"{BUILDIFIER_PACKAGE} has sha512 {digest}, expected {BUILDIFIER_SHA512}")
        with tarfile.open(archives[0]) as archive:
            member = archive.extractfile("package/buildifier-linux_amd64")
            if member is None:
                return f"{BUILDIFIER_PACKAGE} has no program for this machine"
            program.write_bytes(member.read())
    program.chmod(0o755)
    return ""


def house(fix: bool) -> Outcome:
    """Room order, clocks, environment, header guards and the other rules of tools/house_rules.py"""
    problems = house_rules.check(house_rules.read_tree())
    return Outcome([str(p) for p in problems if not p.note], [str(p) for p in problems if p.note])


_MACHINE_PATH = re.compile(r"(?<![\w./])/(?:home|root|tmp|Users|work)/\w+")


def notebooks(fix: bool) -> Outcome:
    """Notebooks are committed without outputs, or with those of one whole run"""
    problems = []
    for path in _files(".ipynb"):
        notebook = json.loads((ROOT / path).read_text())
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        counts = [cell.get("execution_count") for cell in code]
        outputs = [output for cell in code for output in cell["outputs"]]
        if (outputs or any(counts)) and counts != list(range(1, len(code) + 1)):
            problems.append(f"{path}:1: its cells were not run once each, in their order")
        if any(output["output_type"] == "error" for output in outputs):
            problems.append(f"{path}:1: a cell ended with an error")
        if found := _MACHINE_PATH.search(json.dumps(outputs)):
            problems.append(f"{path}:1: an output names {found[0]}, a path of one machine")
    return Outcome(problems)


CHECKS: dict[str, Callable[[bool], Outcome]] = {
    "house-rules": house,
    "clang-format": clang_format,
    "ruff": ruff,
    "ruff-format": ruff_format,
    "mypy": mypy,
    "buildifier": buildifier,
    "notebooks": notebooks,
}


def run(names: Sequence[str], *, fix: bool = False, notes: bool = False) -> tuple[int, int, int]:
    """Runs the named checks and prints each. Returns how many passed, failed and were skipped."""
    passed = failed = skipped = 0
    for name in names:
        begun = time.monotonic()
        outcome = CHECKS[name](fix)
        took = f"{time.monotonic() - begun:.1f} s"
        for line in [*(outcome.notes if notes else ()), *outcome.problems]:
            print(f"  {line}")
        if outcome.skipped:
            skipped += 1
            print(f"skipped  {name}: {outcome.skipped}")
        elif outcome.problems:
            failed += 1
            count = len(outcome.problems)
            print(f"FAILED   {name} ({took}): {count} problem{'s' * (count > 1)}")
        else:
            passed += 1
            print(f"passed   {name} ({took})")
        sys.stdout.flush()
    return passed, failed, skipped


def main() -> int:
    listing = "\n".join(f"  {name:13} {check.__doc__}" for name, check in CHECKS.items())
    parser = argparse.ArgumentParser(
        prog="tools/check",
        description="Formatting, lints and house rules over the whole tree.",
        epilog=f"checks:\n{listing}\n\nclang-tidy, which is slow, is tools/tidy.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="the checks to run (default: all)")
    parser.add_argument("--fix", action="store_true", help="corrects what the formatters can correct")
    parser.add_argument("--notes", action="store_true", help="prints also remarks, which are not failures")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.checks) - set(CHECKS))
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}")
    passed, failed, skipped = run(arguments.checks or list(CHECKS), fix=arguments.fix, notes=arguments.notes)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
