"""Rules about imports in the laboratory: they go one way, and stand at the top of a file or say why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tools.problem import Problem, Tree

_FOLDER = "python/thaw/lab/"


class _Import(NamedTuple):
    line: int
    modules: tuple[str, ...]  # as names with dots; some may be names within a module
    in_function: bool


def lazy_imports_say_why(tree: Tree) -> Iterator[Problem]:
    """An import of the package within a function has a comment that gives the reason: beside or above it."""
    for path, text in _files(tree):
        lines = text.splitlines()
        for each in _imports(ast.parse(text)):
            if not each.in_function:
                continue
            above = lines[each.line - 2].strip() if each.line > 1 else ""
            if "#" not in lines[each.line - 1] and not above.startswith("#"):
                advice = "move it to the top of the file, or say in a comment why it can't stand there"
                yield Problem(path, each.line, f"imports `{each.modules[0]}` within a function: {advice}")


def imports_go_one_way(tree: Tree) -> Iterator[Problem]:
    """No module imports a module that imports it, be it over others or within a function."""
    modules = {_name(path): (path, text) for path, text in _files(tree)}
    users: dict[str, dict[str, int]] = {}
    for name, (_, text) in modules.items():
        used = users.setdefault(name, {})
        for each in _imports(ast.parse(text)):
            for wanted in each.modules:
                found = _module_of(wanted, modules)
                if found is not None and found != name:
                    used.setdefault(found, each.line)
    reported: set[frozenset[str]] = set()
    for name in sorted(users):
        circle = _circle(name, users)
        if circle and frozenset(circle) not in reported:
            reported.add(frozenset(circle))
            line = users[name][circle[1]]
            yield Problem(modules[name][0], line, f"imports go in a circle: {' → '.join(circle)}")


def _files(tree: Tree) -> Iterator[tuple[str, str]]:
    for path, text in tree.items():
        if path.startswith(_FOLDER) and path.endswith(".py"):
            yield path, text


def _name(path: str) -> str:
    return path.removeprefix("python/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _module_of(name: str, modules: Mapping[str, object]) -> str | None:
    """Returns the module that a name stands for or is in; None if that is not one of the laboratory's."""
    if name in modules:
        return name
    parent = name.rpartition(".")[0]
    return parent if parent in modules else None


def _imports(node: ast.AST, in_function: bool = False) -> Iterator[_Import]:
    """Yields the imports of the package; those for type checkers alone are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            names = tuple(each.name for each in child.names)
        elif isinstance(child, ast.ImportFrom):
            names = tuple(f"{child.module}.{each.name}" for each in child.names)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(child, in_function or inside)
            continue
        if any(name.split(".")[0] == "thaw" for name in names):
            yield _Import(child.lineno, names, in_function)


def _circle(start: str, users: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Returns the shortest way from a module over its imports back to itself; empty if there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:  # grows while it is walked through
        for used in users.get(way[-1], ()):
            if used == start:
                return [*way, start]
            if used not in seen:
                seen.add(used)
                ways.append([*way, used])
    return []


RULES = (lazy_imports_say_why, imports_go_one_way)
