"""Checks the files that are about to be committed: formatting, ruff, house rules; in about two seconds.

    git config core.hooksPath tools/hooks     runs it before each commit of this checkout
    git commit --no-verify                    leaves it out once
    git config --unset core.hooksPath         switches it off

It reads the files as they are on disk and changes none. tools/check looks at the whole tree, and at types.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Sequence

from tools import checks, house_rules
from tools.problem import Tree


def staged() -> list[str]:
    """Returns the files that the next commit adds or changes."""
    listed = subprocess.run(
        ["git", "diff", "--cached", "--name-only", "--diff-filter=d", "-z"],
        cwd=checks.ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return [path for path in listed.split("\0") if path]


def house_problems(paths: Iterable[str], tree: Tree) -> list[str]:
    """Returns the house rules' problems of these files. Problems of other files are left to tools/check."""
    changed = set(paths)
    return [str(each) for each in house_rules.check(tree) if not each.note and each.path in changed]


def problems_of(paths: Sequence[str], tree: Tree) -> list[str]:
    """Returns one line for each problem in these files."""
    cpp = [path for path in paths if path.endswith((".cc", ".h"))]
    python = [path for path in paths if path.endswith((".py", ".pyi"))]
    found = house_problems(paths, tree)
    if cpp:
        found += checks.clang_format(False, cpp).problems
    if python:
        found += checks.ruff_format(False, python).problems
        found += checks.ruff(False, python).problems
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.pre_commit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="the files to check (default: what is staged)"
    )
    arguments = parser.parse_args()
    paths = arguments.files or staged()
    problems = problems_of(paths, house_rules.read_tree()) if paths else []
    for problem in problems:
        print(problem)
    if problems:
        print(
            f"{len(problems)} problems; tools/check --fix corrects formatting, --no-verify skips the checks"
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
