"""Checks stored experiments with code of its own: `python -m thaw.lab check FOLDER`.

    verdict = checker.check(history)        # valid, invalid or unknown, and a witness
    for history in checker.read(folder):    # of `compare --rows` and `--json`, of `sweep` and of `main`

`history` is the rules, pure functions of plain values; `stored` reads files; `command` is the command.
"""

from __future__ import annotations

from thaw.lab.checker.history import Counts, Entry, History, Verdict, check
from thaw.lab.checker.stored import read

__all__ = ["Counts", "Entry", "History", "Verdict", "check", "read"]
