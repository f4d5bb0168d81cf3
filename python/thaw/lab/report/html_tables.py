"""Tables and verdicts as HTML: parts of a report's page, and what a notebook shows of a result."""

from __future__ import annotations

import html
from collections.abc import Sequence

from thaw.lab import notebook_forms
from thaw.lab.comparison import Comparison
from thaw.lab.experiment_result import ArmResult, ExperimentResult
from thaw.lab.report.columns import Column, shown
from thaw.lab.report.words import busy, conditions, race, title, what_is_missing

# Columns in which a figure other than 0 is marked.
_BAD = ("lost", "duplicated", "dropped")


def text(value: object) -> str:
    """Returns a text without markup."""
    return html.escape(str(value))


def result(of: ExperimentResult) -> str:
    """Returns a result as a part of a page: the verdicts, and its table."""
    return verdicts(of.comparisons) + table(of) + again(of)


def verdicts(comparisons: Sequence[Comparison]) -> str:
    """Returns the sentences as a list; empty for none."""
    items = []
    for each in comparisons:
        pair, colon, found = each.sentence.partition(": ")
        items.append(f"<li><b>{text(pair)}</b>{colon}{text(found)}</li>")
    return f"<ul class=verdicts>{''.join(items)}</ul>" if items else ""


def again(of: ExperimentResult) -> str:
    """Returns the command that repeats an experiment, broken between arguments alone; empty if it is not
    known.
    """
    if of.command is None:
        return ""
    parts = of.command.split(" --")
    shown = " ".join(
        f"<span>{text(each)}</span>" for each in (parts[0], *(f"--{part}" for part in parts[1:]))
    )
    return f"<p class=again>Again: <code>{shown}</code></p>"


def table(of: ExperimentResult) -> str:
    """Returns the table of all figures of a result."""
    columns = shown(of)
    head = "".join(f"<th scope=col>{text(column.title)}</th>" for column in columns)
    rows = []
    for name, arm in of.arms.items():
        cells = [_cell(column, arm) for column in columns]
        rows.append(f"<tr><th scope=row>{text(name)}</th>{''.join(cells)}</tr>")
    return (
        f"<div class=wide><table><caption>{text(title(of))}{_below(of)}</caption>\n"
        f"<thead><tr><th scope=col>arm</th>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )


def _below(of: ExperimentResult) -> str:
    """Lines below a table's title: the conditions, and how far an experiment came that was stopped."""
    lines = [
        text(conditions(of)),
        text(race(of)),
        *(f"<b class=bad>{text(each)}</b>" for each in (what_is_missing(of), busy(of)) if each),
    ]
    return "".join(f"<br>{line}" for line in lines if line)


def _cell(column: Column, arm: ArmResult) -> str:
    value = column.value(arm)
    if value is None:
        return f"<td>{text(column.text(arm))}</td>"
    mark = " class=bad" if column.path in _BAD and value else ""
    return f'<td{mark}><data value="{text(value)}">{text(column.text(arm))}</data></td>'


notebook_forms.register(ExperimentResult, result)
notebook_forms.register(Comparison, lambda shown: verdicts([shown]))
