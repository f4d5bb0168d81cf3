"""The fleet page's charts, as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from thaw.lab.fleet import figures
from thaw.lab.fleet.figures import NAT_PORTS
from thaw.lab.fleet.scene import Scene
from thaw.lab.fleet.series import Numbers, Series
from thaw.lab.report.charts import STANDS_FOR, STYLE, WIDTH, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colour and line of each arm, the same in every chart; they are told apart without colour, too.
_LOOKS = {"pooled": ("lost", ":"), "fresh": ("twice", "--"), "shared": ("once", "-."), "thaw": ("time", "-")}
_OTHER = ("ink", "-")
_MOST_POINTS = 600


def over_time(label: str, series: Mapping[str, Series], scene: Scene) -> str:
    """Draws connections that are tried, requests and what is kept, for each arm over time."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 7.2), layout="constrained")
        tries, requests, kept = figure.subplots(3, 1, sharex=True)
        minutes = (numpy.arange(scene.bins) + 1) * scene.bin / 60
        for name, each in series.items():
            usual = figures.of_usual(each, scene)
            _line(tries, name, minutes, figures.smoothed(each.tries, scene) / max(usual.requests, 1e-9))
            _line(requests, name, minutes, figures.smoothed(each.requests, scene) / max(usual.requests, 1e-9))
            _line(kept, name, minutes, each.kept / each.sandboxes)
        titles = (
            (tries, "Connections tried a second, as a multiple of the usual requests"),
            (requests, "Requests accepted a second, as a multiple of the usual ones"),
            (kept, "Requests that wait in a sandbox, on average"),
        )
        for axes, title in titles:
            axes.set_title(title)
            axes.axvspan(
                scene.begins / 60, scene.ends / 60, color=STANDS_FOR["grid"], alpha=0.45, linewidth=0
            )
            axes.set_ylim(bottom=0)
            axes.grid(axis="y")
        kept.set_xlabel("minutes; the intake can't be reached where the ground is grey")
        handles, names = tries.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=4)
        return svg(figure, label)


def by_size(
    label: str,
    sizes: Sequence[int],
    values: Mapping[str, Sequence[float]],
    *,
    up: str,
    ports: bool = False,
) -> str:
    """Draws a figure of each arm by the number of sandboxes. `ports`: with the limit of a NAT's address."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullLocator

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
        axes = figure.subplots()
        for name, each in values.items():
            axes.plot(sizes, each, label=name, marker="o", markersize=4, **_look(name))
        if ports:
            axes.axhline(NAT_PORTS, color=STANDS_FOR["muted"], linewidth=0.8)
            axes.annotate(
                f"{NAT_PORTS:,} for one address and destination",
                (sizes[-1], NAT_PORTS),
                xytext=(0, 3),
                textcoords="offset points",
                horizontalalignment="right",
                color=STANDS_FOR["muted"],
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(sizes)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
            axis.set_minor_locator(NullLocator())
        axes.set_xlabel("sandboxes")
        axes.set_ylabel(up)
        axes.grid(axis="y")
        figure.legend(loc="outside lower left", ncols=4)
        return svg(figure, label)


def _look(name: str) -> dict[str, Any]:
    """Returns how an arm is drawn. A broad line lies below, so that others show where they are the same."""
    colour, style = _LOOKS.get(name, _OTHER)
    broad = style == "-"
    return {
        "color": STANDS_FOR[colour],
        "linestyle": style,
        "linewidth": 3.0 if broad else 1.5,
        "zorder": 2.0 if broad else 3.0,
    }


def _line(axes: Axes, name: str, minutes: Numbers, values: Numbers) -> None:
    every = max(1, values.size // _MOST_POINTS)
    axes.plot(minutes[::every], values[::every], label=name, **_look(name))
