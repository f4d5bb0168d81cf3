"""Reports on experiments: a table for the terminal, and an HTML page that stands by itself.

    run = report.Run(result, measurements)     # what `compare` gives, and its rows if there are any
    print(report.terminal_table(run.result))
    report.write_report([run, ...], "report.html")

    report.save_run(folder, run); report.read_run(folder)

`columns` says what each figure means and `words` what the settings mean; `run` keeps results, and `measure`
rows; `table` and `html_page` show them; `charts` and `function_section` draw.
"""

from __future__ import annotations

from thaw.lab.report.columns import COLUMNS, Column
from thaw.lab.report.html_page import page, write_report
from thaw.lab.report.run import RESULT_FILE, Run, read_run, save_run
from thaw.lab.report.table import terminal_table
from thaw.lab.report.words import conditions, race, what_is_missing

__all__ = [
    "COLUMNS",
    "RESULT_FILE",
    "Column",
    "Run",
    "conditions",
    "page",
    "race",
    "read_run",
    "save_run",
    "terminal_table",
    "what_is_missing",
    "write_report",
]
