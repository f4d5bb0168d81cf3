"""Rules about counts: each count and each histogram that is declared is raised or recorded somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.cpp_code import code_only, cpp_files, is_test, room_of
from tools.problem import Problem, Tree, line_of

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
    for path, text in cpp_files(tree, "cc/"):
        names = raised.setdefault(room_of(path), set())
        if is_test(path):
            continue
        code = code_only(text)
        for pattern in _RAISES:
            names.update(name for match in pattern.finditer(code) for name in re.findall(r"\w+", match[1]))
    for path, text in cpp_files(tree, "cc/"):
        code = code_only(text)
        for counts in _LIST_OF_COUNTS.finditer(code):
            for count in _COUNT.finditer(counts[1]):
                if not is_test(path) and count[1] not in raised[room_of(path)]:
                    line = line_of(code, counts.start(1) + count.start())
                    yield Problem(path, line, f"nothing raises the count `{count[1]}`: raise it or remove it")


# A list of histograms, X(name, "what it measures") each.
_LIST_OF_HISTOGRAMS = re.compile(r"^#define THAW_\w+_HISTOGRAMS\(X\)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_RECORDS = re.compile(r"[.>](\w+)\.Record\(")


def histograms_are_recorded(tree: Tree) -> Iterator[Problem]:
    """Each histogram in a list of histograms is recorded somewhere in the production code of its room."""
    recorded: dict[str, set[str]] = {}
    for path, text in cpp_files(tree, "cc/"):
        if not is_test(path):
            recorded.setdefault(room_of(path), set()).update(_RECORDS.findall(code_only(text)))
    for path, text in cpp_files(tree, "cc/"):
        code = code_only(text)
        for histograms in _LIST_OF_HISTOGRAMS.finditer(code):
            for histogram in _COUNT.finditer(histograms[1]):
                if not is_test(path) and histogram[1] not in recorded.get(room_of(path), set()):
                    line = line_of(code, histograms.start(1) + histogram.start())
                    yield Problem(
                        path, line, f"nothing records the histogram `{histogram[1]}`: record it or remove it"
                    )


RULES = (counts_are_counted, histograms_are_recorded)
