"""Tables for a terminal: columns as wide as their widest cell."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(lines: Sequence[Sequence[str]], *, words: int = 1) -> list[str]:
    """Returns each line as text, two blanks between its cells.

    The first `words` columns begin at their left edge; the others hold numbers, and end at their right edge.
    ValueError: a line has more cells than another.

    >>> aligned([["arm", "lost"], ["v93", "2500"], ["thaw", "0"]])
    ['arm   lost', 'v93   2500', 'thaw     0']
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
