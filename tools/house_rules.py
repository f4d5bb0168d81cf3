"""Rules of this project that no linter knows: which code may read clocks and the environment, and more.

Each rule is a function from the tree, a mapping of path to text, to the places that break it.
Rules about rooms, counts, documents, lengths and outside libraries are in modules of their own
(tools/*_rules.py).
`tools/check` runs all of them. By hand: `python -m tools.house_rules`.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

from tools import (
    count_rules,
    document_rules,
    header_examples,
    length_rules,
    python_import_rules,
    room_rules,
    third_party_rules,
)
from tools.cpp_code import INCLUDE, code_only, cpp_files, find, is_test, room_of
from tools.cpp_expressions import full_expression
from tools.problem import Problem, Tree, line_of
from tools.room_rules import BINDINGS

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Rooms whose .cc files may name the event loop, the HTTP parser and the TLS library.
SOCKET_ROOMS = ("net", "agent", "lambda")

_ENVIRONMENT = re.compile(r"\b(?:secure_)?getenv\b|\benviron\b")


def environment_in_config(tree: Tree) -> Iterator[Problem]:
    """The environment is read in cc/config only."""
    files = (
        item for item in cpp_files(tree, "cc/", "python/bindings/") if not item[0].startswith("cc/config/")
    )
    yield from find(files, _ENVIRONMENT, "only cc/config reads the environment; take the value as an option")


_CLOCKS = re.compile(
    r"\b(?:steady|system|high_resolution)_clock\s*::|\bclock_gettime\b|\bgettimeofday\b|\babsl::Now\b"
    r"|(?<![\w.>])(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)"
)


def clocks_in_clock(tree: Tree) -> Iterator[Problem]:
    """Clocks are read in cc/clock only, so that a test moves time everywhere."""
    files = (
        item for item in cpp_files(tree, "cc/", "python/bindings/") if not item[0].startswith("cc/clock/")
    )
    yield from find(files, _CLOCKS, "only cc/clock reads clocks; take a Clock&")


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
        for item in cpp_files(tree, "cc/", "python/bindings/")
        if not is_test(item[0]) and item[0] not in (*_SEEDS, "cc/base/seeded_random.h")
    )
    yield from find(files, _RANDOMNESS, "take a RandomFraction; only code that makes a client draws its seed")


_EXCEPTIONS = re.compile(r"\bthrow\b|\bcatch\s*\(|\btry\s*\{")
# Libraries that throw. One file uses each of them, and turns its exceptions into a Status.
_THROWS = ("cc/config/yaml_document.cc",)


def no_exceptions(tree: Tree) -> Iterator[Problem]:
    """Errors are Status values: no exception crosses a room."""
    files = (item for item in cpp_files(tree, "cc/") if not is_test(item[0]) and item[0] not in _THROWS)
    yield from find(files, _EXCEPTIONS, "an error is an absl::Status; see _THROWS for a library that throws")


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
        for item in cpp_files(tree, "cc/", "python/bindings/")
        if not is_test(item[0]) and item[0] not in _OPENS_FILES
    )
    yield from find(files, _FILES, "read files by ReadWholeFile (cc/base/read_file.h)")


_AWAIT = re.compile(r"(?<!operator )\bco_await\b")
# References to rvalues have no space before their ampersands.
_BRANCH = re.compile(r"\?|\s(?:&&|\|\|)\s")
_LAMBDA = re.compile(r"(?<![\w\])>])\[[^\[\]]*\]\s*(?:\(|\{|mutable\b)")


def awaits_stand_alone(tree: Tree) -> Iterator[Problem]:
    """An expression with co_await has no branch and no lambda: GCC 12 destroys their temporaries twice."""
    for path, text in cpp_files(tree, "cc/", "python/bindings/"):
        code = code_only(text)
        for match in _AWAIT.finditer(code):
            expression = full_expression(code, match.start())
            line = line_of(text, match.start())
            if branch := _BRANCH.search(expression):
                advice = "branch by if, or name the result first"
                yield Problem(path, line, f"`co_await` beside `{branch[0].strip()}`: {advice}")
            elif _LAMBDA.search(expression):
                yield Problem(path, line, "`co_await` with a lambda in its expression: name the lambda first")


_ENCODER = re.compile(r"^cc/flush/\w+_flusher\.cc$")
_ENCODES = re.compile(r"::Encode(?:As)?\(")
_ASKS_FOR_MEMORY = re.compile(r"\b(?:Reserve|CanAllocate)\(")


def encoders_ask_for_memory(tree: Tree) -> Iterator[Problem]:
    """An encoder asks for a body's memory before it makes the body: a failed allocation ends what ships."""
    for path, text in cpp_files(tree, "cc/flush/"):
        code = code_only(text)
        encodes = _ENCODES.search(code) if _ENCODER.match(path) else None
        if encodes is not None and not _ASKS_FOR_MEMORY.search(code):
            yield Problem(
                path,
                line_of(text, encodes.start()),
                "`Encode` without Reserve or CanAllocate (cc/base/reserve.h)",
            )


_SOCKET_LIBRARIES = re.compile(r"^(?:boost/asio|boost/beast|openssl)[/.]")


def socket_libraries(tree: Tree) -> Iterator[Problem]:
    """Asio, Beast and BoringSSL stay inside the .cc files of a few rooms.

    A header that one library keeps to itself is named *_internal.h and may include them too.
    """
    for path, text in cpp_files(tree, "cc/", "python/bindings/"):
        if path.startswith("cc/") and room_of(path) in SOCKET_ROOMS and path.endswith((".cc", "_internal.h")):
            continue
        for match in INCLUDE.finditer(text):
            if _SOCKET_LIBRARIES.match(match[1]):
                yield Problem(
                    path,
                    line_of(text, match.start()),
                    f"includes {match[1]}: only .cc files of {', '.join(SOCKET_ROOMS)} do",
                )


_SLEEP = re.compile(r"\bsleep_(?:for|until)\b|\b(?:u|nano)?sleep\s*\(|\babsl::SleepFor\b")


def no_sleep_in_tests(tree: Tree) -> Iterator[Problem]:
    """Unit tests move a FakeClock; they do not sleep."""
    files = (item for item in cpp_files(tree, "cc/") if item[0].endswith("_test.cc"))
    yield from find(files, _SLEEP, "a unit test does not sleep; move a FakeClock or wait for an event")


def header_guards(tree: Tree) -> Iterator[Problem]:
    """A header's guard is its path."""
    for path, text in cpp_files(tree, "cc/", "python/", "tools/"):
        if not path.endswith(".h"):
            continue
        guard = "THAW_" + re.sub(r"\W", "_", path).upper() + "_"
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            match = re.search(r"^#ifndef\s+\w+", text, re.MULTILINE)
            yield Problem(
                path, line_of(text, match.start()) if match else 1, f"the header guard must be {guard}"
            )


def tests_beside(tree: Tree) -> Iterator[Problem]:
    """Notes each .cc that has no test of its name beside it and whose header no test includes."""
    included = {
        name
        for path, text in cpp_files(tree, "cc/")
        if path.endswith("_test.cc")
        for name in INCLUDE.findall(text)
    }
    for path, _ in cpp_files(tree, "cc/"):
        if not path.endswith(".cc") or is_test(path) or path.endswith("main.cc"):
            continue
        stem = path.removesuffix(".cc")
        if f"{stem}_test.cc" not in tree and f"{stem}.h" not in included:
            yield Problem(path, 1, "has no test of its name, and no test includes its header", note=True)


def examples_compile(tree: Tree) -> Iterator[Problem]:
    """Each example in a header is compiled by its room's header_examples.cc."""
    for path, text in cpp_files(tree, "cc/", "python/bindings/"):
        examples = header_examples.examples_of(text) if path.endswith(".h") else []
        folder = BINDINGS if path.startswith(BINDINGS) else f"cc/{room_of(path)}"
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
    """Files have no path of one machine and no registry's address: both are the reader's own
    configuration.
    """
    for path, text in tree.items():
        if path.startswith("tools/house_rules"):
            continue
        for pattern, what in ((_MACHINE, "a path of one machine"), (_REGISTRY, "a registry's address")):
            for match in pattern.finditer(text):
                yield Problem(path, line_of(text, match.start()), f"`{match[0]}` is {what}")


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
            yield Problem(
                path, line_of(text, match.start()), f"`{match[0]}`: do it now, or plan it elsewhere"
            )


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
                line_of(tree[source], match.start()),
                f"{match[0]} is not locked; run python -m tools.lock_python",
            )


RULES = (
    environment_in_config,
    clocks_in_clock,
    randomness_is_injected,
    no_exceptions,
    awaits_stand_alone,
    files_by_the_reader,
    encoders_ask_for_memory,
    socket_libraries,
    no_sleep_in_tests,
    header_guards,
    tests_beside,
    examples_compile,
    portable,
    finished,
    lock_is_current,
    *room_rules.RULES,
    *count_rules.RULES,
    *document_rules.RULES,
    *length_rules.RULES,
    *third_party_rules.RULES,
    *python_import_rules.RULES,
)


def read_tree(root: pathlib.Path = ROOT) -> dict[str, str]:
    """Returns every text file that is in git, or is neither in git nor ignored."""
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
