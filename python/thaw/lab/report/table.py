"""The table of an experiment for a terminal."""

from __future__ import annotations

from thaw.lab.aligned import aligned
from thaw.lab.experiment_result import ExperimentResult
from thaw.lab.report.columns import shown
from thaw.lab.report.words import busy, conditions, race, title, what_is_missing


def terminal_table(result: ExperimentResult) -> str:
    """Returns one experiment as text: the verdicts, a line that says what was done, and a line for each
    arm.
    """
    columns = [(column, column.narrow) for column in shown(result) if column.narrow is not None]
    lines = [["", *(narrow[0] for _, narrow in columns)], ["arm", *(narrow[1] for _, narrow in columns)]]
    lines += [[name, *(column.text(arm) for column, _ in columns)] for name, arm in result.arms.items()]
    text = aligned(lines)
    rule = "-" * max(map(len, text))
    notes = [conditions(result), race(result), what_is_missing(result), busy(result)]
    about = [title(result), *filter(None, notes)]
    about += ["", *(each.sentence for each in result.comparisons)] if result.comparisons else []
    again = ["", f"again: {result.command}"] if result.command is not None else []
    return "\n".join([*about, "", *text[:2], rule, *text[2:], *again]) + "\n"
