"""Tables in Markdown."""

from __future__ import annotations


def markdown_table(rows: list[list[str]]) -> str:
    """Returns a table in Markdown. The first row is its head; figures are set to the right."""
    rule = ["---"] + ["---:"] * (len(rows[0]) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])
