"""Rules about the rooms of C++: their order, the picture in docs/design.md, and what Bazel lets them use."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from tools.cpp_code import INCLUDE, cpp_files, is_test, room_of
from tools.problem import Problem, Tree, line_of

# A room includes only itself and rooms before it.
ROOMS = (
    "base",
    "clock",
    "net",
    "config",
    "sketch",
    "telemetry",
    "trace",
    "stats",
    "logs",
    "metrics",
    "flush",
    "lambda",
    "agent",
    "extension",
)
# The simulation stands beside the tests: it may use rooms up to flush; only tests and benchmarks use it.
SIMULATION = "sim"
SIMULATION_USES = ROOMS[: ROOMS.index("flush") + 1]


def room_order(tree: Tree) -> Iterator[Problem]:
    """A room includes only rooms above it."""
    for path, text in cpp_files(tree, "cc/"):
        room = room_of(path)
        if room not in (*ROOMS, SIMULATION):
            yield Problem(path, 1, f"cc/{room} is no room; see ROOMS in tools/room_rules.py")
            continue
        for match in INCLUDE.finditer(text):
            other = match[1].split("/")
            if other[0] != "cc" or len(other) < 3 or other[1] == room:
                continue
            line = line_of(text, match.start())
            if other[1] == SIMULATION:
                if not is_test(path):
                    yield Problem(path, line, f"includes {match[1]}: only tests use the simulation")
            elif other[1] not in ROOMS:
                yield Problem(path, line, f"includes {match[1]}: cc/{other[1]} is no room")
            elif room == SIMULATION:
                if other[1] not in SIMULATION_USES:
                    yield Problem(path, line, f"includes {match[1]}: the simulation uses rooms up to flush")
            elif ROOMS.index(other[1]) > ROOMS.index(room):
                yield Problem(
                    path,
                    line,
                    f"includes {match[1]}: {other[1]} stands below {room}; share it in a room above both",
                )


_PICTURE = re.compile(r"^```mermaid\n(.*?)^```", re.DOTALL | re.MULTILINE)
_DESIGN = "docs/design.md"


def picture_of_rooms(tree: Tree) -> Iterator[Problem]:
    """The picture in docs/design.md shows the rooms that exist, no more and no fewer."""
    match = _PICTURE.search(tree.get(_DESIGN, ""))
    if not match:
        yield Problem(_DESIGN, 1, "has no mermaid picture of the rooms")
        return
    drawn = set(re.findall(r"\bcc/(\w+)", match[1]))
    there = {room_of(name) for name in tree if name.startswith("cc/") and name.count("/") >= 2}
    line = line_of(tree[_DESIGN], match.start())
    for room in sorted(there - drawn):
        yield Problem(_DESIGN, line, f"the picture lacks cc/{room}")
    for room in sorted(drawn - there):
        yield Problem(_DESIGN, line, f"the picture shows cc/{room}, which does not exist")


# An arrow: a room's folder, and that of a room which uses it.
Arrow = tuple[str, str]
BINDINGS = "python/bindings"


def _arrows_of_includes(tree: Tree) -> dict[Arrow, str]:
    """Returns, for each pair of rooms of which one includes the other in production code, such an include."""
    arrows: dict[Arrow, str] = {}
    for path, text in cpp_files(tree, "cc/", BINDINGS + "/"):
        if is_test(path):
            continue
        user = BINDINGS if path.startswith(BINDINGS) else f"cc/{room_of(path)}"
        for match in INCLUDE.finditer(text):
            parts = match[1].split("/")
            used = "/".join(parts[:2])
            if parts[0] == "cc" and len(parts) > 2 and used != user:
                arrows.setdefault((used, user), f"{path} includes {match[1]}")
    return arrows


def _leads(arrows: Iterable[Arrow], start: str, end: str) -> bool:
    """Returns whether a path of two arrows or more leads from start to end."""
    users: dict[str, set[str]] = {}
    for used, user in arrows:
        users.setdefault(used, set()).add(user)
    seen: set[str] = set()
    waiting = users.get(start, set()) - {end}
    while waiting:
        room = waiting.pop()
        seen.add(room)
        if end in users.get(room, ()):
            return True
        waiting |= users.get(room, set()) - seen
    return False


def _arrows_drawn(tree: Tree) -> set[Arrow]:
    """The arrows in the picture between rooms of C++."""
    match = _PICTURE.search(tree.get(_DESIGN, ""))
    picture = match[1] if match else ""
    folders = {
        name: folder
        for name, folder in re.findall(r"^ *(\w+)\[\"?([\w/]+)", picture, re.MULTILINE)
        if folder.startswith("cc/") or folder == BINDINGS
    }
    drawn = set()
    for line in picture.splitlines():
        names = [name.strip() for name in line.split("-->")]
        drawn |= {(folders.get(used, ""), folders.get(user, "")) for used, user in itertools.pairwise(names)}
    return {arrow for arrow in drawn if all(arrow)}


def picture_of_arrows(tree: Tree) -> Iterator[Problem]:
    """The picture's arrows are those of the includes, less those that a longer path says already."""
    included = _arrows_of_includes(tree)
    needed = {arrow for arrow in included if not _leads(included, *arrow)}
    drawn = _arrows_drawn(tree)
    for used, user in sorted(needed - drawn):
        why = included[used, user]
        yield Problem(_DESIGN, 1, f"the picture lacks the arrow from {used} to {user}: {why}")
    for used, user in sorted(drawn - needed):
        why = "a longer path says it already" if (used, user) in included else "no include needs it"
        yield Problem(_DESIGN, 1, f"the picture's arrow from {used} to {user} is to go: {why}")


_ROOMS_BUILD = "cc/BUILD.bazel"
_GROUP = re.compile(r"^package_group\(\n(.*?)^\)", re.DOTALL | re.MULTILINE)
_DEFAULT_VISIBILITY = re.compile(r"^package\(default_visibility = \[(.*?)\]", re.DOTALL | re.MULTILINE)


def visibility_of_rooms(tree: Tree) -> Iterator[Problem]:
    """Bazel lets a room be used by those that the picture's arrows lead to, and by no other."""
    build = tree.get(_ROOMS_BUILD, "")
    lets: set[Arrow] = set()
    groups = set()
    for match in _GROUP.finditer(build):
        name = re.search(r'name = "users_of_(\w+)"', match[1])
        if not name:
            continue
        groups.add(name[1])
        users = [f"cc/{user}" for user in re.findall(r'":users_of_(\w+)"', match[1])]
        users += re.findall(r'"//([\w/]+)/\.\.\."', match[1])
        lets |= {(f"cc/{name[1]}", user) for user in users if user != f"cc/{name[1]}"}
    drawn = _arrows_drawn(tree)
    for used, user in sorted(drawn - lets):
        yield Problem(_ROOMS_BUILD, 1, f"the users of {used} lack {user}, to which {_DESIGN} draws an arrow")
    for used, user in sorted(lets - drawn):
        if user.startswith("cc/") or user == BINDINGS:
            yield Problem(
                _ROOMS_BUILD, 1, f"the users of {used} have {user}, to which {_DESIGN} draws no arrow"
            )
    for path, text in tree.items():
        if not (path.startswith("cc/") and path.endswith("/BUILD.bazel")) or path == _ROOMS_BUILD:
            continue
        group = f"users_of_{room_of(path)}"
        default = _DEFAULT_VISIBILITY.search(text)
        if not default or f'"//cc:{group}"' not in default[1] or room_of(path) not in groups:
            yield Problem(path, 1, f"the default visibility must be //cc:{group}")


RULES = (room_order, picture_of_rooms, picture_of_arrows, visibility_of_rooms)
