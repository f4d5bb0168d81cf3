"""The tree that the house rules look at, and the problems that they find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# Path to text, for each text file in git.
Tree = Mapping[str, str]


class Problem(NamedTuple):
    path: str
    line: int
    text: str
    # A note is printed and does not fail the check.
    note: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'note: ' if self.note else ''}{self.text}"


def line_of(text: str, offset: int) -> int:
    """Returns the number of the line that this offset lies in, from 1 on."""
    return text.count("\n", 0, offset) + 1
