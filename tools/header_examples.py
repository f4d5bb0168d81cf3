"""Takes the examples out of the comments of C++ headers, so that a test compiles them.

An example is a run of comment lines that are indented by two blanks more than text (`//   code`), after
an empty comment line. Tables (columns that are apart by two blanks or more), lists (`*`) and commands (`$`)
are none. In an example `...` stands for a statement that is left out.

Each room has a file `header_examples.cc`, which gives every example a function with the variables that the
example takes for granted, and includes the example as the function's body:

    absl::Status DecodeBody(std::string_view bytes, ByteAccount& account) {
    #include "cc/agent/decode_body.h.example"
      return absl::OkStatus();
    }

A header's second example is `cc/agent/decode_body.h.2.example`. This program puts the examples in the place
of those includes, and the compiler names the header's own lines in its errors; `thaw_header_examples` in
tools/cc.bzl runs it. By hand: `python -m tools.header_examples cc/agent/header_examples.cc`.
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

_COMMENT = re.compile(r"^[ \t]*//(.*)$")
_TABLE = re.compile(r"\S {2,}(?!//|\s)\S")
_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"")
# A comment, a literal, or the dots that stand for a statement.
_LEFT_OUT = re.compile(r"//.*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])'|\.\.\.|…")


class Example(NamedTuple):
    line: int  # of the header, beginning with 1
    code: str


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of indented comment lines that follow an empty comment line, each with its first line's number."""
    block: list[str] = []
    start = 0
    after_empty = False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        match = _COMMENT.match(line)
        content = match[1] if match else None
        if content is not None and content.startswith("   ") and (block or after_empty):
            if not block:
                start = number
            block.append(content[3:].rstrip())
        elif content is not None and not content.strip() and block:
            block.append("")
        elif block:
            yield start, block
            block = []
        after_empty = content is not None and not content.strip()


def _is_code(paragraph: list[str]) -> bool:
    first = _LITERAL.sub("", paragraph[0])
    return not first.startswith((" ", "* ", "$ ")) and not _TABLE.search(first)


def examples_of(text: str) -> list[Example]:
    """Returns a header's examples, in order. Paragraphs of code that follow each other are one example."""
    found: list[Example] = []
    for start, block in _blocks(text):
        continues = False
        position = 0
        for is_empty, lines in itertools.groupby(block, key=lambda line: not line):
            paragraph = list(lines)
            if not is_empty and not _is_code(paragraph):
                continues = False
            elif not is_empty and continues:
                last = found.pop()
                gap = start + position - last.line - last.code.count("\n")
                found.append(Example(last.line, last.code + "\n" * gap + "\n".join(paragraph) + "\n"))
            elif not is_empty:
                found.append(Example(start + position, "\n".join(paragraph) + "\n"))
                continues = True
            position += len(paragraph)
    return found


def compilable(example: Example, header: str) -> str:
    """Returns an example with `...` made an empty statement, and the place that errors are to name."""

    def replace(match: re.Match[str]) -> str:
        return "{}" if match[0] in ("...", "…") else match[0]

    lines = (_LEFT_OUT.sub(replace, line) for line in example.code.splitlines())
    return f'#line {example.line} "{header}"\n' + "\n".join(lines) + "\n"


def example_names(header: str) -> Iterator[str]:
    """Yields the names by which `header_examples.cc` includes a header's examples, without end."""
    yield f"{header}.example"
    yield from (f"{header}.{number}.example" for number in itertools.count(2))


_EXAMPLE_INCLUDE = re.compile(
    r'^#include "(?P<header>[^"]+\.h)(?:\.(?P<number>\d+))?\.example"\n', re.MULTILINE
)


def expanded(source: str, text: str, read: Callable[[str], str]) -> str:
    """Returns the text of a room's `header_examples.cc` with the examples in the place of their includes."""

    def replace(match: re.Match[str]) -> str:
        header, number = match["header"], int(match["number"] or 1)
        examples = examples_of(read(header))
        if number > len(examples):
            raise ValueError(
                f"{source} includes {match[0].split()[1]}, but {header} has {len(examples)} examples"
            )
        line = text.count("\n", 0, match.end()) + 1
        return f'{compilable(examples[number - 1], header)}#line {line} "{source}"\n'

    return f'#line 1 "{source}"\n' + _EXAMPLE_INCLUDE.sub(replace, text)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.header_examples",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="cc/ROOM/header_examples.cc", type=pathlib.Path)
    source = parser.parse_args(arguments).source
    print(
        expanded(
            str(source),
            source.read_text(encoding="utf-8"),
            lambda header: pathlib.Path(header).read_text(encoding="utf-8"),
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
