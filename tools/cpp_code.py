"""C++ in the tree as the house rules read it: which files there are, and their text without comments.

for path, text in cpp_files(tree, "cc/"):
    code = code_only(text)
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from tools.problem import Problem, Tree, line_of

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
_NOT_CODE = re.compile(
    r"""
      //[^\n]*
    | /\*.*?\*/
    | \bR"(?P<mark>[^()\s"]*)\(.*?\)(?P=mark)"
    | "(?:\\.|[^"\\\n])*"
    | '(?:\\.|[^'\\\n])'
    """,
    re.DOTALL | re.VERBOSE,
)


@functools.cache
def code_only(text: str) -> str:
    """Returns C++ with comments and literals blanked out, each line where it was."""
    return _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def cpp_files(tree: Tree, *folders: str) -> Iterator[tuple[str, str]]:
    for path, text in tree.items():
        if path.endswith((".h", ".cc")) and path.startswith(folders):
            yield path, text


def room_of(path: str) -> str:
    return path.split("/")[1]


def is_test(path: str) -> bool:
    return path.endswith(("_test.cc", "_benchmark.cc", "/header_examples.cc")) or "/testing/" in path


def find(tree: Iterable[tuple[str, str]], pattern: re.Pattern[str], advice: str) -> Iterator[Problem]:
    for path, text in tree:
        code = code_only(text)
        for match in pattern.finditer(code):
            yield Problem(path, line_of(code, match.start()), f"`{match[0].strip()}`: {advice}")
