"""The section of a report on a real function with the extension: two charts, a table, and words."""

from __future__ import annotations

import html
from collections.abc import Sequence

from thaw.lab.report import charts
from thaw.lab.report.function_run import FunctionRun, cells, titles

_SHOWN = 8  # invocations of the timeline

_WORDS = (
    "A function under an unmodified tracer and AWS's own runtime client, in a Lambda on this machine that"
    " freezes everything after each invocation, while the intake closes whatever connection is idle. Beside"
    " thaw: an extension that does nothing, and none (both without a tracer), to see what thaw adds. A flush"
    " at the end of an invocation begins when Lambda says that the function has ended, which it does within"
    " about 25 ms: that is most of what follows the response."
)


def section(runs: Sequence[FunctionRun]) -> str:
    """Returns the section of the page on these runs, as HTML."""
    shown = next((run for run in runs if run.extension == "thaw"), runs[0])
    return (
        f"<section><h2>A function with the extension</h2>\n<p>{html.escape(_WORDS)}</p>\n"
        f"<div class=wide><figure>{timeline(shown)}</figure></div>\n"
        f"<div class=wide><figure>{after_the_response(runs)}</figure></div>\n{_table(runs)}</section>"
    )


def timeline(run: FunctionRun) -> str:
    """Draws the first invocations, one in each row: the freeze before, the response, what follows it."""
    import matplotlib
    from matplotlib.figure import Figure

    rows = run.rows[1 : 1 + _SHOWN]
    with matplotlib.rc_context(charts.STYLE):
        figure = Figure(figsize=(charts.WIDTH, 0.9 + 0.24 * len(rows)))
        axes = figure.add_axes(
            (0.12, 0.55 / (0.9 + 0.24 * len(rows)), 0.8, 1 - 0.95 / (0.9 + 0.24 * len(rows)))
        )
        for place, row in enumerate(rows):
            parts = (
                (-row.frozen_before_ms, row.frozen_before_ms, "dropped", "frozen before it"),
                (0.0, row.answer_ms, "once", "until the function's response"),
                (row.answer_ms, row.post_runtime_ms, "time", "after it: end told, flush"),
            )
            for left, width, colour, label in parts:
                axes.barh(
                    place,
                    width,
                    left=left,
                    height=0.6,
                    color=charts.STANDS_FOR[colour],
                    label=label if place == 0 else None,
                )
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), [f"invocation {row.number + 1}" for row in rows])
        axes.set_xlabel("milliseconds since the invocation began")
        axes.set_title("The first invocations after the one that started the environment", pad=18)
        axes.grid(axis="x")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.1)
        return charts.svg(figure, "A timeline of invocations")


def after_the_response(runs: Sequence[FunctionRun]) -> str:
    """Draws how long each invocation went on after the function's response, by extension."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(charts.STYLE):
        height = 0.9 + 0.35 * len(runs)
        figure = Figure(figsize=(charts.WIDTH, height))
        axes = figure.add_axes((0.12, 0.5 / height, 0.8, 1 - 0.8 / height))
        axes.boxplot(
            [run.post_runtime_ms[1:] for run in runs],
            orientation="horizontal",
            widths=0.5,
            whis=(1, 99),
            showfliers=False,
            medianprops={"color": charts.STANDS_FOR["ink"], "linewidth": 1.5},
            boxprops={"color": charts.STANDS_FOR["time"]},
            whiskerprops={"color": charts.STANDS_FOR["time"]},
            capprops={"color": charts.STANDS_FOR["time"]},
        )
        axes.set_yticks(range(1, len(runs) + 1), [run.extension for run in runs])
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel("milliseconds; box: the middle half, line: 1 % to 99 %")
        axes.set_title("After the response")
        axes.grid(axis="x")
        return charts.svg(figure, "Time after the response")


def _table(runs: Sequence[FunctionRun]) -> str:
    head = "".join(f"<th scope=col>{html.escape(title)}</th>" for title in titles(runs))
    rows = []
    for run in runs:
        first, *rest = (html.escape(text) for text in cells(run, runs))
        rows.append(
            f"<tr><th scope=row>{first}</th>" + "".join(f"<td>{text}</td>" for text in rest) + "</tr>"
        )
    return (
        "<div class=wide><table><caption>With the extension, and without</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody></table></div>"
    )
