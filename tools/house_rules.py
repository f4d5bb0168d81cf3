"""The rules of this house that no linter knows: who may include what, and where clocks may be read.

Each rule is a function from the tree, a mapping of path to text, to the places that break it.
`tools/check` runs all of them. By hand: `python -m tools.house_rules`.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import pathlib
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator

from tools import header_examples, third_party_rules
from tools.cpp_expressions import full_expression
from tools.problem import Problem, Tree
from tools.problem import line_of as _line

ROOT = pathlib.Path(__file__).resolve().parent.parent

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

# Rooms whose .cc files may name the event loop, the HTTP parser and the TLS library.
SOCKET_ROOMS = ("net", "agent", "lambda")

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
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
    """C++ with comments and literals blanked out, each line where it was."""
    return _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _cpp(tree: Tree, *folders: str) -> Iterator[tuple[str, str]]:
    for path, text in tree.items():
        if path.endswith((".h", ".cc")) and path.startswith(folders):
            yield path, text


def _room(path: str) -> str:
    return path.split("/")[1]


def _is_test(path: str) -> bool:
    return path.endswith(("_test.cc", "_benchmark.cc", "/header_examples.cc")) or "/testing/" in path


def _find(tree: Iterable[tuple[str, str]], pattern: re.Pattern[str], advice: str) -> Iterator[Problem]:
    for path, text in tree:
        code = code_only(text)
        for match in pattern.finditer(code):
            yield Problem(path, _line(code, match.start()), f"`{match[0].strip()}`: {advice}")


def room_order(tree: Tree) -> Iterator[Problem]:
    """A room includes only rooms above it."""
    for path, text in _cpp(tree, "cc/"):
        room = _room(path)
        if room not in (*ROOMS, SIMULATION):
            yield Problem(path, 1, f"cc/{room} is no room; see ROOMS in tools/house_rules.py")
            continue
        for match in _INCLUDE.finditer(text):
            other = match[1].split("/")
            if other[0] != "cc" or len(other) < 3 or other[1] == room:
                continue
            line = _line(text, match.start())
            if other[1] == SIMULATION:
                if not _is_test(path):
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


_ENVIRONMENT = re.compile(r"\b(?:secure_)?getenv\b|\benviron\b")


def environment_in_config(tree: Tree) -> Iterator[Problem]:
    """The environment is read in cc/config only."""
    files = (item for item in _cpp(tree, "cc/", "python/bindings/") if not item[0].startswith("cc/config/"))
    yield from _find(files, _ENVIRONMENT, "only cc/config reads the environment; take the value as an option")


_CLOCKS = re.compile(
    r"\b(?:steady|system|high_resolution)_clock\s*::|\bclock_gettime\b|\bgettimeofday\b|\babsl::Now\b"
    r"|(?<![\w.>])(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)"
)


def clocks_in_clock(tree: Tree) -> Iterator[Problem]:
    """Clocks are read in cc/clock only, so that a test moves time everywhere."""
    files = (item for item in _cpp(tree, "cc/", "python/bindings/") if not item[0].startswith("cc/clock/"))
    yield from _find(files, _CLOCKS, "only cc/clock reads clocks; take a Clock&")


_RANDOMNESS = re.compile(
    r"\babsl::(?:Insecure)?BitGen\b|\brandom_device\b|\b(?:mt19937|minstd_rand|default_random_engine)\w*"
    r"|\bRAND_\w*bytes\b|(?<![\w.>])(?:std::)?(?:s?rand|srandom|getrandom|getentropy)\s*\("
)
# The files in which a process gets the seeds of its clients.
_SEEDS = ("cc/net/io/system_random.cc",)


def randomness_is_injected(tree: Tree) -> Iterator[Problem]:
    """Randomness is drawn from what is passed in, so that a seed replays a run."""
    files = (
        item
        for item in _cpp(tree, "cc/", "python/bindings/")
        if not _is_test(item[0]) and item[0] not in (*_SEEDS, "cc/base/seeded_random.h")
    )
    yield from _find(files, _RANDOMNESS, "take a RandomFraction; only who makes a client draws its seed")


_EXCEPTIONS = re.compile(r"\bthrow\b|\bcatch\s*\(|\btry\s*\{")
# Libraries that throw. One file uses each of them, and turns its exceptions into a Status.
_THROWS = ("cc/config/yaml_document.cc",)


def no_exceptions(tree: Tree) -> Iterator[Problem]:
    """Errors are Status values: no exception crosses a room."""
    files = (item for item in _cpp(tree, "cc/") if not _is_test(item[0]) and item[0] not in _THROWS)
    yield from _find(files, _EXCEPTIONS, "an error is an absl::Status; see _THROWS for a library that throws")


_FILES = re.compile(r"\b(?:i?fstream|f(?:re)?open)\b|\bO_(?:RDONLY|RDWR)\b")
# The one reader; devices that are no files.
_OPENS_FILES = (
    "cc/base/read_file.cc",
    "cc/net/io/system_random.cc",
    "cc/extension/log_output.cc",
    "cc/extension/main.cc",
)


def files_by_the_reader(tree: Tree) -> Iterator[Problem]:
    """Files are read by ReadWholeFile only, which no pipe, folder or endless device holds up."""
    files = (
        item
        for item in _cpp(tree, "cc/", "python/bindings/")
        if not _is_test(item[0]) and item[0] not in _OPENS_FILES
    )
    yield from _find(files, _FILES, "read files by ReadWholeFile (cc/base/read_file.h)")


_AWAIT = re.compile(r"(?<!operator )\bco_await\b")
# References to rvalues have no space before their ampersands.
_BRANCH = re.compile(r"\?|\s(?:&&|\|\|)\s")
_LAMBDA = re.compile(r"(?<![\w\])>])\[[^\[\]]*\]\s*(?:\(|\{|mutable\b)")


def awaits_stand_alone(tree: Tree) -> Iterator[Problem]:
    """An expression with co_await has no branch and no lambda: GCC 12 destroys their temporaries twice."""
    for path, text in _cpp(tree, "cc/", "python/bindings/"):
        code = code_only(text)
        for match in _AWAIT.finditer(code):
            expression = full_expression(code, match.start())
            line = _line(text, match.start())
            if branch := _BRANCH.search(expression):
                advice = "branch by if, or name the result first"
                yield Problem(path, line, f"`co_await` beside `{branch[0].strip()}`: {advice}")
            elif _LAMBDA.search(expression):
                yield Problem(path, line, "`co_await` with a lambda in its expression: name the lambda first")


_SOCKET_LIBRARIES = re.compile(r"^(?:boost/asio|boost/beast|openssl)[/.]")


def socket_libraries(tree: Tree) -> Iterator[Problem]:
    """Asio, Beast and BoringSSL stay inside the .cc files of a few rooms.

    A header that one library keeps to itself is named *_internal.h and may include them too.
    """
    for path, text in _cpp(tree, "cc/", "python/bindings/"):
        if path.startswith("cc/") and _room(path) in SOCKET_ROOMS and path.endswith((".cc", "_internal.h")):
            continue
        for match in _INCLUDE.finditer(text):
            if _SOCKET_LIBRARIES.match(match[1]):
                yield Problem(
                    path,
                    _line(text, match.start()),
                    f"includes {match[1]}: only .cc files of {', '.join(SOCKET_ROOMS)} do",
                )


_SLEEP = re.compile(r"\bsleep_(?:for|until)\b|\b(?:u|nano)?sleep\s*\(|\babsl::SleepFor\b")


def no_sleep_in_tests(tree: Tree) -> Iterator[Problem]:
    """Unit tests move a FakeClock; they do not sleep."""
    files = (item for item in _cpp(tree, "cc/") if item[0].endswith("_test.cc"))
    yield from _find(files, _SLEEP, "a unit test does not sleep; move a FakeClock or wait for an event")


def header_guards(tree: Tree) -> Iterator[Problem]:
    """A header's guard is its path."""
    for path, text in _cpp(tree, "cc/", "python/", "tools/"):
        if not path.endswith(".h"):
            continue
        guard = "THAW_" + re.sub(r"\W", "_", path).upper() + "_"
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            match = re.search(r"^#ifndef\s+\w+", text, re.MULTILINE)
            yield Problem(
                path, _line(text, match.start()) if match else 1, f"the header guard must be {guard}"
            )


def tests_beside(tree: Tree) -> Iterator[Problem]:
    """Notes each .cc that has no test of its name beside it and whose header no test includes."""
    included = {
        name
        for path, text in _cpp(tree, "cc/")
        if path.endswith("_test.cc")
        for name in _INCLUDE.findall(text)
    }
    for path, _ in _cpp(tree, "cc/"):
        if not path.endswith(".cc") or _is_test(path) or path.endswith("main.cc"):
            continue
        stem = path.removesuffix(".cc")
        if f"{stem}_test.cc" not in tree and f"{stem}.h" not in included:
            yield Problem(path, 1, "has no test of its name, and no test includes its header", note=True)


def examples_compile(tree: Tree) -> Iterator[Problem]:
    """Each example in a header is compiled by its room's header_examples.cc."""
    for path, text in _cpp(tree, "cc/", "python/bindings/"):
        examples = header_examples.examples_of(text) if path.endswith(".h") else []
        folder = _BINDINGS if path.startswith(_BINDINGS) else f"cc/{_room(path)}"
        for example, name in zip(examples, header_examples.example_names(path), strict=False):
            if f'#include "{name}"\n' not in tree.get(f"{folder}/header_examples.cc", ""):
                yield Problem(
                    path,
                    example.line,
                    f"the example is not compiled: {folder}/header_examples.cc lacks {name}",
                )
        if examples and "\nthaw_header_examples(" not in tree.get(f"{folder}/BUILD.bazel", ""):
            yield Problem(
                f"{folder}/BUILD.bazel", 1, "lacks thaw_header_examples, which compiles the examples"
            )


_MACHINE = re.compile(r"(?<![\w.])/(?:root|work|home|opt/wheels)/\w+")
_REGISTRY = re.compile(
    r"\b(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|(?:deb|security)\.debian\.org"
    r"|proxy\.golang\.org|(?:static\.)?crates\.io|repo1?\.maven\.(?:apache\.)?org)\b"
)


def portable(tree: Tree) -> Iterator[Problem]:
    """No path of one machine, no registry's address: both are the reader's own configuration."""
    for path, text in tree.items():
        if path.startswith("tools/house_rules"):
            continue
        for pattern, what in ((_MACHINE, "a path of one machine"), (_REGISTRY, "a registry's address")):
            for match in pattern.finditer(text):
                yield Problem(path, _line(text, match.start()), f"`{match[0]}` is {what}")


_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
# A picture in a notebook's output is base64, in which any word may stand.
_PICTURE_OF_NOTEBOOK = re.compile(r'^ *"image/png": ".*"', re.MULTILINE)


def finished(tree: Tree) -> Iterator[Problem]:
    """No work is left as a remark."""
    for path, text in tree.items():
        if path.startswith("tools/house_rules") or path == ".clang-tidy":
            continue
        if path.endswith(".ipynb"):
            text = _PICTURE_OF_NOTEBOOK.sub("", text)
        for match in _UNFINISHED.finditer(text):
            yield Problem(path, _line(text, match.start()), f"`{match[0]}`: do it now, or plan it elsewhere")


_PICTURE = re.compile(r"^```mermaid\n(.*?)^```", re.DOTALL | re.MULTILINE)
_DESIGN = "docs/design.md"


def picture_of_rooms(tree: Tree) -> Iterator[Problem]:
    """The picture in docs/design.md shows the rooms that exist, no more and no fewer."""
    match = _PICTURE.search(tree.get(_DESIGN, ""))
    if not match:
        yield Problem(_DESIGN, 1, "has no mermaid picture of the rooms")
        return
    drawn = set(re.findall(r"\bcc/(\w+)", match[1]))
    there = {_room(name) for name in tree if name.startswith("cc/") and name.count("/") >= 2}
    line = _line(tree[_DESIGN], match.start())
    for room in sorted(there - drawn):
        yield Problem(_DESIGN, line, f"the picture lacks cc/{room}")
    for room in sorted(drawn - there):
        yield Problem(_DESIGN, line, f"the picture shows cc/{room}, which does not exist")


# An arrow: a room's folder, and that of a room which uses it.
Arrow = tuple[str, str]
_BINDINGS = "python/bindings"


def _arrows_of_includes(tree: Tree) -> dict[Arrow, str]:
    """Returns, for each pair of rooms of which one includes the other in production code, such an include."""
    arrows: dict[Arrow, str] = {}
    for path, text in _cpp(tree, "cc/", _BINDINGS + "/"):
        if _is_test(path):
            continue
        user = _BINDINGS if path.startswith(_BINDINGS) else f"cc/{_room(path)}"
        for match in _INCLUDE.finditer(text):
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
        if folder.startswith("cc/") or folder == _BINDINGS
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
        if user.startswith("cc/") or user == _BINDINGS:
            yield Problem(
                _ROOMS_BUILD, 1, f"the users of {used} have {user}, to which {_DESIGN} draws no arrow"
            )
    for path, text in tree.items():
        if not (path.startswith("cc/") and path.endswith("/BUILD.bazel")) or path == _ROOMS_BUILD:
            continue
        group = f"users_of_{_room(path)}"
        default = _DEFAULT_VISIBILITY.search(text)
        if not default or f'"//cc:{group}"' not in default[1] or _room(path) not in groups:
            yield Problem(path, 1, f"the default visibility must be //cc:{group}")


def retry_table(tree: Tree) -> Iterator[Problem]:
    """The table in docs/design.md has one line for each retry class there is."""
    path, header = "docs/design.md", "cc/net/exchange_failure.h"
    enum = re.search(r"enum class RetryClass \{(.*?)\};", code_only(tree.get(header, "")), re.DOTALL)
    if not enum:
        return
    declared = re.findall(r"\bk\w+", enum[1])
    listed = re.findall(r"^\| `(k\w+)` \|", tree.get(path, ""), re.MULTILINE)
    if sorted(declared) != sorted(listed):
        difference = ", ".join(sorted(set(declared) ^ set(listed))) or "a class listed twice"
        yield Problem(path, 1, f"the table of retry classes and {header} differ: {difference}")


# A list of counts, X(name, "what it counts") or X(kName, name, "…") each; its last line is not continued.
_LIST_OF_COUNTS = re.compile(
    r"^#define THAW_\w+_(?:COUNTS|COUNTERS|REASONS|CLASSES)\(X\)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE
)
_COUNT = re.compile(r"\bX\((\w+),")
# The names in code that raises a count: ++a.name or ++(a ? b.name : c.name), name += n, name = n, a
# pointer to the member, a reference to it that is passed on, and an enumerator by which counts are indexed.
_RAISES = (
    re.compile(r"\+\+([^;{}]*)"),
    re.compile(r"\.(\w+)(?:\+\+|\s*\+?=(?!=))"),
    re.compile(r"&\w+::(\w+)"),
    re.compile(r"\bcounts(?:_|\(\))\.(\w+)\s*[,)]"),
    re.compile(r"\w::(k[A-Z]\w*)"),
)


def counts_are_counted(tree: Tree) -> Iterator[Problem]:
    """Each count in a list of counts is raised somewhere in the production code of its room."""
    raised: dict[str, set[str]] = {}
    for path, text in _cpp(tree, "cc/"):
        names = raised.setdefault(_room(path), set())
        if _is_test(path):
            continue
        code = code_only(text)
        for pattern in _RAISES:
            names.update(name for match in pattern.finditer(code) for name in re.findall(r"\w+", match[1]))
    for path, text in _cpp(tree, "cc/"):
        code = code_only(text)
        for counts in _LIST_OF_COUNTS.finditer(code):
            for count in _COUNT.finditer(counts[1]):
                if not _is_test(path) and count[1] not in raised[_room(path)]:
                    line = _line(code, counts.start(1) + count.start())
                    yield Problem(path, line, f"nothing raises the count `{count[1]}`: raise it or remove it")


# A list of histograms, X(name, "what it measures") each.
_LIST_OF_HISTOGRAMS = re.compile(r"^#define THAW_\w+_HISTOGRAMS\(X\)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_RECORDS = re.compile(r"[.>](\w+)\.Record\(")


def histograms_are_recorded(tree: Tree) -> Iterator[Problem]:
    """Each histogram in a list of histograms is recorded somewhere in the production code of its room."""
    recorded: dict[str, set[str]] = {}
    for path, text in _cpp(tree, "cc/"):
        if not _is_test(path):
            recorded.setdefault(_room(path), set()).update(_RECORDS.findall(code_only(text)))
    for path, text in _cpp(tree, "cc/"):
        code = code_only(text)
        for histograms in _LIST_OF_HISTOGRAMS.finditer(code):
            for histogram in _COUNT.finditer(histograms[1]):
                if not _is_test(path) and histogram[1] not in recorded.get(_room(path), set()):
                    line = _line(code, histograms.start(1) + histogram.start())
                    yield Problem(
                        path, line, f"nothing records the histogram `{histogram[1]}`: record it or remove it"
                    )


_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def links(tree: Tree) -> Iterator[Problem]:
    """Links of documents within the tree lead to something."""
    for path, text in tree.items():
        if not path.endswith(".md"):
            continue
        folder = path.rpartition("/")[0]
        for match in _LINK.finditer(text):
            target = posixpath.normpath(posixpath.join(folder, match[1]))
            if target not in tree and not any(name.startswith(target + "/") for name in tree):
                yield Problem(path, _line(text, match.start()), f"links to {match[1]}, which does not exist")


_PATH = re.compile(r"`((?:cc|docs|python|testdata|third_party|toolchains|tools)/[\w./-]*)`")
# Stands for a name that the reader puts in.
_PLACEHOLDER = "NAME"


def paths_in_documents(tree: Tree) -> Iterator[Problem]:
    """Each path that a document names exists: a reader opens it."""
    for path, text in tree.items():
        if not path.endswith(".md"):
            continue
        for match in _PATH.finditer(text):
            named = match[1].removesuffix("...").rstrip("/")
            if _PLACEHOLDER in named or named in tree:
                continue
            if not any(name.startswith(named + "/") for name in tree):
                yield Problem(path, _line(text, match.start()), f"names `{match[1]}`, which does not exist")


_PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:==(\S+))?", re.MULTILINE)


def lock_is_current(tree: Tree) -> Iterator[Problem]:
    """Each package asked for in requirements.in is in requirements.lock, at that version."""
    source, lock = "third_party/requirements.in", "third_party/requirements.lock"
    locked = {name.lower().replace("_", "-"): version for name, version in _PIN.findall(tree.get(lock, ""))}
    for match in _PIN.finditer(tree.get(source, "")):
        name = match[1].lower().replace("_", "-")
        if name not in locked or (match[2] and locked[name] != match[2]):
            yield Problem(
                source,
                _line(tree[source], match.start()),
                f"{match[0]} is not locked; run python -m tools.lock_python",
            )


RULES = (
    room_order,
    environment_in_config,
    clocks_in_clock,
    randomness_is_injected,
    no_exceptions,
    awaits_stand_alone,
    files_by_the_reader,
    socket_libraries,
    no_sleep_in_tests,
    header_guards,
    tests_beside,
    examples_compile,
    portable,
    finished,
    picture_of_rooms,
    picture_of_arrows,
    visibility_of_rooms,
    retry_table,
    counts_are_counted,
    histograms_are_recorded,
    links,
    paths_in_documents,
    lock_is_current,
    *third_party_rules.RULES,
)


def read_tree(root: pathlib.Path = ROOT) -> dict[str, str]:
    """Every text file that is in git, or would be if it were added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    tree = {}
    for name in sorted(filter(None, listed.split("\0"))):
        try:
            tree[name] = (root / name).read_text(encoding="utf-8")
        except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
            continue  # deleted and not yet committed, or no text
    return tree


def check(tree: Tree) -> list[Problem]:
    return [problem for rule in RULES for problem in rule(tree)]


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m tools.house_rules",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    problems = check(read_tree())
    for problem in problems:
        print(problem)
    return 1 if any(not problem.note for problem in problems) else 0


if __name__ == "__main__":
    sys.exit(main())
