"""The charts of a report, as SVG that stands inside an HTML page and takes its colours from it.

    svg = charts.delivery([panel])

Every picture has a row for each arm and a part for each experiment, in the order of the tables. Colours are
CSS variables of the page (`COLOURS` has the two palettes), so that a page can be light or dark. They are
distinct for the colour-blind, and nothing is said by colour alone: segments are hatched, and figures are
written out.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# matplotlib and numpy take seconds to import. Each function that draws imports them, so that commands
# without a report don't wait for them.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Variable of the page: colour when it is light, colour when it is dark (after Okabe and Ito).
COLOURS = {
    "ink": ("#1c2128", "#e6e9ed"),
    "muted": ("#59636e", "#9aa4af"),
    "grid": ("#d9dee4", "#3a424c"),
    "paper": ("#ffffff", "#14181d"),
    "once": ("#0072b2", "#3f97d1"),
    "twice": ("#e69f00", "#e9b23c"),
    "lost": ("#d55e00", "#f0743e"),
    "retained": ("#7cc4ee", "#a9dcf7"),
    "dropped": ("#8b949e", "#767f89"),
    "full": ("#0072b2", "#3f97d1"),
    "resumed": ("#7cc4ee", "#a9dcf7"),
    "time": ("#009e73", "#2fb892"),
}
# matplotlib knows no variables: it draws with colours that stand for them and are replaced afterwards.
STANDS_FOR = {name: f"#fe01{index:02x}" for index, name in enumerate(COLOURS)}

OUTCOMES = (
    ("once", "arrived once", ""),
    ("twice", "arrived twice or more", "xxxx"),
    ("retained", "still kept by the client", ""),
    ("dropped", "dropped by the client, counted", "\\\\\\\\"),
    ("lost", "lost", "////"),
)

STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": STANDS_FOR["grid"],
    "axes.labelcolor": STANDS_FOR["muted"],
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": STANDS_FOR["ink"],
    "axes.titlelocation": "left",
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "grid.color": STANDS_FOR["grid"],
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "thaw",
    "text.color": STANDS_FOR["ink"],
    "text.parse_math": False,
    "xtick.color": STANDS_FOR["muted"],
    "ytick.color": STANDS_FOR["ink"],
    "ytick.major.size": 0,
}
WIDTH = 10.0
_ROW, _PANEL, _BELOW = 0.24, 0.90, 0.50  # inches: a row, what a panel needs besides, its part below the axes


@dataclass(frozen=True)
class ArmFigures:
    """One arm's figures as the charts show them. Without `flush_ms` only the percentiles are drawn."""

    name: str
    outcomes: dict[str, int]  # by the names of OUTCOMES
    payloads: int
    handshakes_full: float  # for each flush
    handshakes_resumed: float
    cpu_us: float
    flush_p50: float
    flush_p99: float
    flush_ms: Sequence[float] = ()

    @property
    def is_timed(self) -> bool:
        """Returns whether there are flush times; simulated flushes take no time."""
        return bool(self.flush_ms) or self.flush_p99 > 0


@dataclass(frozen=True)
class Panel:
    """One experiment."""

    title: str
    arms: Sequence[ArmFigures]


def delivery(panels: Sequence[Panel]) -> str:
    """Draws the fates of the payloads: stacked bars, in percent, with the counts beside them."""
    import numpy
    from matplotlib.ticker import FuncFormatter

    def draw(axes: Axes, panel: Panel) -> None:
        left = numpy.zeros(len(panel.arms))
        for name, label, hatch in OUTCOMES:
            share = numpy.array([100 * arm.outcomes[name] / max(arm.payloads, 1) for arm in panel.arms])
            _bars(axes, share, left, name, label, hatch)
            left += share
        axes.set_xlim(0, 100)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
        axes.set_xlabel("share of the payloads that the arm was given")
        _notes(axes, [_outcome_note(arm) for arm in panel.arms])

    return _picture(
        "What became of the payloads, by arm and experiment", panels, draw, right=0.66, legend=True
    )


def latency(panels: Sequence[Panel]) -> str:
    """Draws the times of flushes on a log scale: the middle half as a box, 1 % to 99 % as a line."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    times = [_times(arm) for panel in panels for arm in panel.arms if arm.is_timed]
    low = min((min(each) for each in times), default=1.0) / 1.3
    high = max((max(each) for each in times), default=1.0) * 1.3

    def draw(axes: Axes, panel: Panel) -> None:
        for row, arm in enumerate(panel.arms):
            if arm.is_timed:
                _spread(axes, row, arm)
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 300 else (1,)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ms"))
        axes.set_xlabel("time of a flush, on a logarithmic scale")
        _notes(
            axes,
            [
                f"{arm.flush_p50:.1f} / {arm.flush_p99:.1f} ms" if arm.is_timed else "not measured"
                for arm in panel.arms
            ],
        )

    return _picture("How long a flush took", panels, draw, right=0.82)


def handshakes(panels: Sequence[Panel]) -> str:
    """Draws the TLS handshakes for each flush, full and resumed."""
    import numpy
    from matplotlib.ticker import MaxNLocator

    most = max(
        (arm.handshakes_full + arm.handshakes_resumed for panel in panels for arm in panel.arms), default=0
    )

    def draw(axes: Axes, panel: Panel) -> None:
        full = numpy.array([arm.handshakes_full for arm in panel.arms])
        resumed = numpy.array([arm.handshakes_resumed for arm in panel.arms])
        _bars(axes, full, numpy.zeros(len(full)), "full", "full", "")
        _bars(axes, resumed, full, "resumed", "resumed", "////")
        axes.set_xlim(0, max(1.0, most * 1.05))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel("TLS handshakes for each flush")
        _notes(
            axes,
            [f"{arm.handshakes_full:.2f} + {arm.handshakes_resumed:.2f} resumed" for arm in panel.arms],
        )

    return _picture("TLS handshakes for each flush", panels, draw, right=0.80, legend=True)


def processor(panels: Sequence[Panel]) -> str:
    """Draws the processor time of the client for each payload."""
    import numpy
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    most = max((arm.cpu_us for panel in panels for arm in panel.arms), default=0)

    def draw(axes: Axes, panel: Panel) -> None:
        values = numpy.array([arm.cpu_us for arm in panel.arms])
        _bars(axes, values, numpy.zeros(len(values)), "time", "", "")
        axes.set_xlim(0, max(1.0, most * 1.05))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} µs"))
        axes.set_xlabel("processor time of the client for each payload")
        _notes(axes, [f"{value:.0f} µs" for value in values])

    return _picture("Processor time for each payload", panels, draw, right=0.88)


# -- Parts -------------------------------------------------------------------------------------------


def _bars(axes: Axes, widths: Any, left: Any, colour: str, label: str, hatch: str) -> None:
    axes.barh(
        range(len(widths)),
        widths,
        left=left,
        height=0.68,
        color=STANDS_FOR[colour],
        edgecolor=STANDS_FOR["paper"],
        linewidth=0,
        hatch=hatch,
        label=label,
    )


def _times(arm: ArmFigures) -> Any:
    """Returns the flush times, each above 0, which has no logarithm."""
    import numpy

    return numpy.maximum(arm.flush_ms or (arm.flush_p50, arm.flush_p99), 0.01)


def _spread(axes: Axes, row: int, arm: ArmFigures) -> None:
    """Draws one arm's flush times; from two percentiles alone, no box and no extreme."""
    import numpy

    colour = STANDS_FOR["time"]
    times = _times(arm)
    if arm.flush_ms:
        p1, p25, p50, p75, p99 = numpy.percentile(times, (1, 25, 50, 75, 99))
        axes.barh(row, p75 - p25, left=p25, height=0.56, color=colour, linewidth=0)
        axes.plot([times.max()], [row], marker="|", markersize=6, color=colour, linestyle="none")
    else:
        p1, p50, p99 = times[0], times[0], times[1]
    axes.plot([p1, p99], [row, row], color=colour, linewidth=1.2)
    axes.plot([p50, p50], [row - 0.36, row + 0.36], color=STANDS_FOR["ink"], linewidth=1.6)


def _outcome_note(arm: ArmFigures) -> str:
    short = {"once": "once", "twice": "twice+", "retained": "kept", "dropped": "dropped", "lost": "lost"}
    parts = [
        f"{arm.outcomes[name]} {short[name]}"
        for name, _, _ in OUTCOMES
        if arm.outcomes[name] or name == "once"
    ]
    return f"of {arm.payloads}: {', '.join(parts)}"


def _notes(axes: Axes, texts: Sequence[str]) -> None:
    """Writes a text at the right end of each row, outside the axes."""
    for row, text in enumerate(texts):
        axes.annotate(
            text,
            (1, row),
            xytext=(6, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )


def _picture(
    label: str,
    panels: Sequence[Panel],
    draw: Callable[[Axes, Panel], None],
    *,
    right: float,
    legend: bool = False,
) -> str:
    """Draws panels below each other, each as high as its rows need.

    `right` is the end of the bars, as a share of the width.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        above = 0.35 if legend else 0.05
        rows = [len(panel.arms) for panel in panels]
        height = above + sum(_PANEL + _ROW * count for count in rows)
        figure = Figure(figsize=(WIDTH, height))
        longest = max((len(arm.name) for panel in panels for arm in panel.arms), default=0)
        left = min(0.30, 0.02 + 0.0068 * longest)
        top = height - above
        axes = None
        for panel, count in zip(panels, rows, strict=True):
            bottom = top - _PANEL - _ROW * count
            axes = figure.add_axes((left, (bottom + _BELOW) / height, right - left, (_ROW * count) / height))
            draw(axes, panel)
            axes.set_ylim(count - 0.5, -0.5)
            axes.set_yticks(range(count), [arm.name for arm in panel.arms])
            axes.grid(axis="x")
            axes.set_title(panel.title, x=-left / (right - left) + 0.004, pad=5)
            top = bottom
        if legend and axes is not None:
            handles, labels = axes.get_legend_handles_labels()
            figure.legend(
                handles,
                labels,
                loc="upper left",
                ncols=len(labels),
                bbox_to_anchor=(0.0, 1.0),
                borderaxespad=0.2,
                handlelength=1.6,
                columnspacing=1.8,
            )
        return svg(figure, label)


# -- From matplotlib's file to a part of a page --------------------------------------------------------

_SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _LINK)


def svg(figure: Figure, label: str) -> str:
    """Returns a figure as SVG with the page's colours, ids of its own, and a name for screen readers."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", transparent=True)
    root = ElementTree.fromstring(drawn.getvalue())
    prefix = re.sub(r"\W+", "-", label).lower() + "-"
    for child in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(child)
    for element in root.iter():
        for name, value in element.attrib.items():
            for variable, colour in STANDS_FOR.items():
                value = value.replace(colour, f"var(--{variable})")
            if name == "id":
                value = prefix + value
            elif name == f"{{{_LINK}}}href":
                value = value.replace("#", f"#{prefix}", 1)
            element.set(name, value.replace("url(#", f"url(#{prefix}"))
    del root.attrib["width"], root.attrib["height"]
    root.set("role", "img")
    root.set("aria-label", f"{label}; the tables have all figures")
    return ElementTree.tostring(root, encoding="unicode")
