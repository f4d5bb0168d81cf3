"""Tables for a terminal."""

from __future__ import annotations

import doctest

import pytest

from thaw.lab import aligned as module
from thaw.lab.aligned import aligned


def test_the_example_holds() -> None:
    assert doctest.testmod(module).failed == 0


def test_words_begin_and_numbers_end_at_an_edge() -> None:
    lines = [["a", "status", "ms"], ["longer", "ok", "1,000"]]
    assert aligned(lines, words=2) == ["a       status     ms", "longer  ok      1,000"]
    assert aligned([]) == []


def test_a_line_that_is_too_short_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        aligned([["a", "b"], ["c"]])
