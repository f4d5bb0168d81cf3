"""Rules about length: a function of production code has at most 60 lines, a file at most 450.

A function's lines are those from its first line, which may be a template's or a decorator's, to its closing
brace or last statement; a docstring counts. A file may be longer if its first lines say why:

    // Longer than 450 lines because one table of states is read as a whole.
    # Longer than 450 lines because ...
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from tools.cpp_code import code_only
from tools.problem import Problem, Tree, line_of

LONGEST_FUNCTION = 60
LONGEST_FILE = 450
# The lines at the top of a file among which a reason is looked for.
FIRST_LINES = 30

_TEST = re.compile(
    r"_(?:test|benchmark)\.cc$|/header_examples\.cc$|/testing/|_test\.py$|/tests/|/conftest\.py$"
)
_REASON = re.compile(rf"^(?://|#|) ?Longer than {LONGEST_FILE} lines because \S", re.MULTILINE)

# The text before the brace of a scope in which functions are declared.
_NAMESPACE = re.compile(r'^(?:inline\s+)?namespace\b|^extern\s*""?$|^extern\s+$')
_TYPE = re.compile(r"(?:^|[>\s])(?:class|struct|union|enum)\s+[^()=]*$")
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_CONSTRUCTOR_LIST = re.compile(r"\)[^()]*:(?!:)")


class Function(NamedTuple):
    name: str
    line: int
    lines: int


def functions_of_cpp(text: str) -> Iterator[Function]:
    """Yields each function that is defined in a namespace or in a type; lambdas are part of theirs."""
    code = _DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), code_only(text))
    begin = place = 0
    while place < len(code):
        char = code[place]
        if char in ";}" or (char == ":" and re.search(r"\b(?:public|private|protected)$", code[:place][-9:])):
            begin = place + 1
        elif char == "(":
            place = _closing(code, place)  # a parameter's default may have braces
        elif char == "{":
            head = code[begin:place].strip()
            if _NAMESPACE.search(head) or ("(" not in head.split("{")[0] and _TYPE.search(head)):
                begin = place + 1
            else:
                end = _closing(code, place)
                after = code[end + 1 :].lstrip()[:1]
                if _CONSTRUCTOR_LIST.search(head) and after in (",", "{"):
                    place = end + 1  # a member that is initialized in braces; the body is still to come
                    continue
                if "(" in head:
                    first = begin + len(code[begin:place]) - len(code[begin:place].lstrip())
                    name = re.search(r"([\w:~]+(?:\s*operator\W+)?)\s*\(", head)
                    line = line_of(code, first)
                    yield Function(name[1] if name else head[:30], line, line_of(code, end) - line + 1)
                    begin = end + 1
                place = end
        place += 1


def _closing(code: str, at: int) -> int:
    """Returns the place of the bracket that closes the one at `at`, or the end."""
    opening = code[at]
    closing = {"(": ")", "{": "}"}[opening]
    depth = 0
    for place in range(at, len(code)):
        depth += (code[place] == opening) - (code[place] == closing)
        if depth == 0:
            return place
    return len(code) - 1


def functions_of_python(text: str) -> Iterator[Function]:
    """Yields each function, nested ones and methods too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            yield Function(node.name, first, (node.end_lineno or first) - first + 1)


def _production(tree: Tree) -> Iterator[tuple[str, str]]:
    for path, text in tree.items():
        if path.endswith((".h", ".cc", ".py")) and not _TEST.search(path):
            yield path, text


def functions_are_short(tree: Tree) -> Iterator[Problem]:
    """A function of production code has at most 60 lines."""
    for path, text in _production(tree):
        functions = functions_of_python(text) if path.endswith(".py") else functions_of_cpp(text)
        for each in functions:
            if each.lines > LONGEST_FUNCTION:
                advice = f"cut it by subject into functions of {LONGEST_FUNCTION} at most"
                yield Problem(path, each.line, f"`{each.name}` has {each.lines} lines: {advice}")


def files_are_short(tree: Tree) -> Iterator[Problem]:
    """A file of production code has at most 450 lines, or says on its first lines why it has more."""
    for path, text in _production(tree):
        lines = text.count("\n")
        top = "".join(text.splitlines(keepends=True)[:FIRST_LINES])
        if lines > LONGEST_FILE and not _REASON.search(top):
            yield Problem(
                path,
                1,
                f"has {lines} lines: cut it by subject into files of {LONGEST_FILE} at most, or write on its "
                f'first lines "Longer than {LONGEST_FILE} lines because ..."',
            )


RULES = (functions_are_short, files_are_short)
