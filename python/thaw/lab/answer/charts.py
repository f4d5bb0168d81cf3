"""The document's charts, as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thaw.lab.report.charts import STANDS_FOR, STYLE, WIDTH, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours, markers and lines of series that are not in the same place in every chart: a series looks the same
# in all of them, and is told apart without its colour, too.
LOOKS = (
    ("lost", "o", "-"),
    ("twice", "s", "-"),
    ("muted", "D", "--"),
    ("once", "o", "-"),
    ("retained", "s", "--"),
    ("time", "^", "-"),
    ("ink", "v", ":"),
    ("dropped", "P", ":"),
    ("ink", "X", "-."),
    ("twice", "v", "--"),
    ("lost", "P", ":"),
)
Look = tuple[str, str, str]


@dataclass(frozen=True)
class Panel:
    """One part of a chart: a value, or None, for each place and series."""

    title: str
    places: Sequence[str]
    series: Mapping[str, Sequence[float | None]]


def lines(label: str, panels: Sequence[Panel], looks: Mapping[str, Look], *, across: str, up: str) -> str:
    """Draws series over named places, panels side by side, all with one logarithmic scale."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
        all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(all_axes, panels, strict=True):
            places = range(len(panel.places))
            for name, values in panel.series.items():
                colour, marker, style = looks[name]
                known = [
                    (place, each) for place, each in zip(places, values, strict=True) if each is not None
                ]
                axes.plot(
                    [place for place, _ in known],
                    [each for _, each in known],
                    label=name,
                    color=STANDS_FOR[colour],
                    marker=marker,
                    markersize=4,
                    linestyle=style,
                    linewidth=1.3,
                )
            _logarithmic(axes, "y")
            axes.set_xticks(places, panel.places)
            axes.set_xlabel(across)
            axes.set_title(panel.title)
            axes.grid(axis="y")
        all_axes[0].set_ylabel(up)
        handles, names = all_axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=3)
        return svg(figure, label)


def agreement(
    label: str, measured: Sequence[float], predicted: Sequence[float], *, unit: str, within: float
) -> str:
    """Draws predictions over measurements, and the band in which they agree."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
        axes = figure.subplots()
        low, high = max(0.01, min([*measured, *predicted])) / 1.3, max([*measured, *predicted]) * 1.3
        ends = [low, high]
        axes.fill_between(
            ends,
            [end / (1 + within) for end in ends],
            [end * (1 + within) for end in ends],
            color=STANDS_FOR["grid"],
            linewidth=0,
        )
        axes.plot(ends, ends, color=STANDS_FOR["muted"], linewidth=0.8)
        axes.plot(measured, predicted, color=STANDS_FOR["once"], marker="o", markersize=3.5, linestyle="none")
        for axis in "xy":
            _logarithmic(axes, axis)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_xlabel(f"measured, {unit}")
        axes.set_ylabel(f"predicted, {unit}")
        axes.grid()
        return svg(figure, label)


def _logarithmic(axes: Axes, axis: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    getattr(axes, f"set_{axis}scale")("log")
    found = axes.xaxis if axis == "x" else axes.yaxis
    found.set_major_locator(LogLocator(subs=(1, 2, 5)))
    found.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    found.set_minor_locator(NullLocator())
