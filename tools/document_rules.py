"""Rules about documents: what they link to, name or list exists."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from tools.cpp_code import code_only
from tools.problem import Problem, Tree, line_of


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
                yield Problem(
                    path, line_of(text, match.start()), f"links to {match[1]}, which does not exist"
                )


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
                yield Problem(path, line_of(text, match.start()), f"names `{match[1]}`, which does not exist")


RULES = (retry_table, links, paths_in_documents)
