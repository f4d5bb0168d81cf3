"""Rules about outside libraries: the fetched archives, their table and the licences of the artefacts agree.

third_party/deps.bzl says what is fetched, third_party/README.md has the table, and NOTICE the licence text of
each library whose code is in the layer or the wheel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tools.problem import Problem, Tree, line_of

DEPS, TABLE, NOTICE = "third_party/deps.bzl", "third_party/README.md", "NOTICE"

_CALL = re.compile(r"^    \w+\(\n?(.*?)\)$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r'\bname = "([^"]+)"')
_ATTRIBUTE = re.compile(r'^ +(package|version|archive|sha256) = "([^"]+)"', re.MULTILINE)
_SECTION = re.compile(r"^=+\n(.+)\nIn: (.+)\nLicence: (.+)\n=+\n\n(?=\S)", re.MULTILINE)


class Repository(NamedTuple):
    """A repository of deps.bzl. `source`: the package and version it comes from; empty if it is made here.

    `sha256` is that of the archive, and empty with the source.
    """

    name: str
    source: str
    line: int
    sha256: str = ""


class Row(NamedTuple):
    """A row of the table. `ships_in`: the artefacts that have code of the library, such as "layer, wheel"."""

    library: str
    repositories: tuple[str, ...]
    source: str
    licence: str
    ships_in: str
    line: int
    version: str


def repositories(deps: str) -> list[Repository]:
    """Returns the archives of third_party/deps.bzl; a folder of an archive has the archive's source."""
    found: list[Repository] = []
    for call in _CALL.finditer(deps):
        name = _NAMED.search(call[1])
        if not name:
            continue
        attributes = dict(_ATTRIBUTE.findall(call[1]))
        archive = re.match(r"@(\w+)//", attributes.get("archive", ""))
        if archive:
            source, sha256 = next(
                ((each.source, each.sha256) for each in found if each.name == archive[1]), ("", "")
            )
        else:
            source = " ".join(attributes[key] for key in ("package", "version") if key in attributes)
            sha256 = attributes.get("sha256", "")
        found.append(Repository(name[1], source, line_of(deps, call.start() + 1), sha256))
    return found


def rows(table: str) -> list[Row]:
    """The rows of the table whose first column is "library"."""
    found = []
    lines = table.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("| library |")), len(lines))
    for number in range(start + 2, len(lines)):
        if not lines[number].startswith("|"):
            break
        cells = [cell.strip() for cell in lines[number].strip("|").split("|")]
        library, names, version, source, licence, ships_in = cells
        repositories_of_it = tuple(re.findall(r"`(\w+)`", names))
        found.append(Row(library, repositories_of_it, source, licence, ships_in, number + 1, version))
    return found


def sections(notice: str) -> dict[str, tuple[str, str, int]]:
    """The works of NOTICE: each one's artefacts, its licence, and the line of its title."""
    return {
        match[1]: (match[2], match[3], line_of(notice, match.start(1))) for match in _SECTION.finditer(notice)
    }


def table_of_libraries(tree: Tree) -> Iterator[Problem]:
    """The table in third_party/README.md and third_party/deps.bzl name the same libraries and versions."""
    if DEPS not in tree:
        return
    listed = rows(tree.get(TABLE, ""))
    fetched = {each.name: each for each in repositories(tree[DEPS])}
    for repository in fetched.values():
        of_it = [row for row in listed if repository.name in row.repositories]
        if not of_it:
            yield Problem(DEPS, repository.line, f"{repository.name} has no row in {TABLE}")
        for row in of_it:
            # "grpcio 1.85.1" is not "grpcio 1.85.10".
            if repository.source and not re.search(
                rf"(?<!\S){re.escape(repository.source)}(?![\w.+-])", row.source
            ):
                yield Problem(
                    TABLE, row.line, f"{row.library}: {DEPS} takes {repository.name} from {repository.source}"
                )
    for row in listed:
        for name in row.repositories:
            if name not in fetched:
                yield Problem(TABLE, row.line, f"{row.library}: {DEPS} has no repository {name}")


def licences_of_what_ships(tree: Tree) -> Iterator[Problem]:
    """NOTICE has the licence of each library that ships, as the table says it, and of no other."""
    if DEPS not in tree:
        return
    listed = {row.library: row for row in rows(tree.get(TABLE, "")) if row.ships_in != "–"}
    noticed = sections(tree.get(NOTICE, ""))
    for library, row in listed.items():
        if library not in noticed:
            yield Problem(
                TABLE, row.line, f"{library} ships in {row.ships_in}, and {NOTICE} has no licence of it"
            )
            continue
        where, licence, line = noticed[library]
        if (where, licence) != (row.ships_in, row.licence):
            yield Problem(
                NOTICE, line, f"{library}: {licence} in {where}; {TABLE} says {row.licence} in {row.ships_in}"
            )
    for library, (_, _, line) in noticed.items():
        if library not in listed:
            yield Problem(NOTICE, line, f"{library} ships in nothing, as {TABLE} says")


RULES = (table_of_libraries, licences_of_what_ships)
