"""The progress of a long run: a bar with the time left on a terminal, elsewhere a line now and then.

    with Progress() as shown:
        shown.begin("idle silent", total=400)
        for done in range(400):
            shown.step(done + 1, "v93")
        shown.say("v93: 0 lost")

Everything goes to standard error. Where that is no terminal, `step` writes a line every ten seconds.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import rich.progress

_LIVE_EVERY, _PLAIN_EVERY = 0.2, 10.0  # seconds


class Progress:
    """The display of several runs, one after the other.

    Args:
      silent: whether nothing is shown.
      live: whether a bar may be shown. Without it lines are written, since a bar would be torn by other
        programs that write to the terminal.
    """

    def __init__(self, *, silent: bool = False, live: bool = True) -> None:
        self._silent = silent
        self._live = live and not silent and sys.stderr.isatty()
        self._shown: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        self._label, self._total, self._done = "", 0, 0
        self._begun = self._last = 0.0

    @property
    def live(self) -> bool:
        """Returns whether a bar is shown."""
        return self._live

    def begin(self, label: str, total: int) -> None:
        """Begins a run of `total` steps; the one before it, if there was one, has ended."""
        self.close()
        self._label, self._total, self._done = label, total, 0
        self._begun = self._last = time.monotonic()
        if self._live:
            self._open(label, total)

    def step(self, done: int, label: str | None = None) -> None:
        """Shows how many steps are done in all and, with `label`, what is being done."""
        now = time.monotonic()
        if label is not None:
            self._label = label
        self._done = done
        if self._silent or now - self._last < (_LIVE_EVERY if self._live else _PLAIN_EVERY):
            return
        self._last = now
        if self._shown is not None and self._task is not None:
            self._shown.update(self._task, completed=done, description=_escaped(self._label), refresh=True)
        elif not self._live:
            sys.stderr.write(f"{self._label}: {done}/{self._total}, {self._left(now)}\n")
            sys.stderr.flush()

    def say(self, line: str) -> None:
        """Writes a line that stays."""
        if self._silent:
            return
        if self._shown is not None:
            self._shown.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Ends the display, which leaves the lines that were said."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = self._task = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def _open(self, label: str, total: int) -> None:
        import rich.console
        import rich.progress as parts

        self._shown = parts.Progress(
            parts.TextColumn("{task.description}"),
            parts.BarColumn(bar_width=24),
            parts.MofNCompleteColumn(),
            parts.TimeElapsedColumn(),
            parts.TextColumn("left"),
            parts.TimeRemainingColumn(),
            console=rich.console.Console(stderr=True),
            # A thread that draws would disturb what is measured.
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
        )
        self._shown.start()
        self._task = self._shown.add_task(_escaped(label), total=total)

    def _left(self, now: float) -> str:
        rate = self._done / max(now - self._begun, 1e-9)
        if not rate:
            return "time left unknown"
        return f"{rate:.3g} a second, {(self._total - self._done) / rate:.0f} s left"


def _escaped(text: str) -> str:
    import rich.markup

    return rich.markup.escape(text)
