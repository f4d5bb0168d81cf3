"""A report as one HTML file: its charts are inside it, and it asks the network for nothing."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence

from thaw.lab import arms
from thaw.lab.experiment_result import ArmResult, ExperimentResult
from thaw.lab.report import charts, html_tables
from thaw.lab.report.columns import COLUMNS
from thaw.lab.report.html_tables import text
from thaw.lab.report.measure import Provenance
from thaw.lab.report.run import Run
from thaw.lab.report.style import html_document
from thaw.lab.report.words import (
    CLOSES,
    SCENARIOS,
    UNKNOWN,
    WORLDS,
    blocks,
    busy,
    conditions,
    duration,
    freeze,
    title,
    what_is_missing,
)


def write_report(runs: Sequence[Run], path: str | os.PathLike[str], sections: Sequence[str] = ()) -> None:
    """Writes the page. `sections`: HTML of others. ValueError: there are no runs."""
    if not runs:
        raise ValueError("a report needs at least one run")
    pathlib.Path(path).write_text(page(runs, sections), encoding="utf-8")


def page(runs: Sequence[Run], sections: Sequence[str] = ()) -> str:
    """Returns the page's HTML. `sections` come before the tables."""
    panels = [_panel(run) for run in runs]
    names = list(dict.fromkeys(name for run in runs for name in run.result.arms))
    cycles = sum(run.result.cycles_of(arm) for run in runs for arm in run.result.arms.values())
    payloads = sum(arm.payloads for run in runs for arm in run.result.arms.values())
    parts = [
        f"<h1>{_TITLE}</h1>",
        f"<p class=lead>{_LEAD}</p>",
        f"<p>{len(runs)} experiment{'s' * (len(runs) != 1)}, {cycles:,} freezes, {payloads:,} payloads;"
        f" arms: " + ", ".join(f"<b class=arm>{text(name)}</b>" for name in names) + ".</p>",
        "<section><h2>What was found</h2>",
        *(_found(run.result) for run in runs),
        "</section>",
        _what_was_done(runs),
        _section(
            "What became of the payloads",
            "Each bar is all payloads of one arm. Blue is what should be: arrived exactly once.",
            charts.delivery(panels),
        ),
        _section(
            "How long a flush took",
            _FLUSH_WORDS[any(arm.flush_ms for panel in panels for arm in panel.arms)]
            + " At the right: median / 99th percentile.",
            charts.latency(panels),
        ),
        _section(
            "TLS handshakes for each flush",
            "The price of not keeping connections: without any handshake, every flush used an earlier"
            " connection.",
            charts.handshakes(panels),
        ),
        _section(
            "Processor time for each payload",
            "The processor time of the client's process, handshakes included, for each payload that it was"
            " given, lost ones too: an arm that loses much looks cheap here, and its flushes short above.",
            charts.processor(panels),
        ),
        *sections,
        "<section><h2>All figures</h2>",
        *(html_tables.table(run.result) for run in runs),
        _columns_in_words(),
        "</section>",
        "<section><h2>Where this comes from</h2>",
        *(_provenance(run) for run in runs),
        "</section>",
    ]
    return html_document(_TITLE, "\n".join(parts))


_TITLE = "What a freeze does to telemetry"

_LEAD = (
    "AWS Lambda freezes a program between two pieces of work, and connections that it kept open may be dead"
    " when it goes on. Here, clients with different policies on connections (the <em>arms</em>) sent traces"
    " to a server that ends connections while the client is frozen, again and again, and the server counted"
    " what arrived: once, twice or never."
)

_FLUSH_WORDS = {
    True: "A flush sends everything that waits. Box: the middle half; upright mark: the median; line: from"
    " 1\u00a0% to 99\u00a0% of the flushes; end mark: the slowest. Each block's first flush is left out.",
    False: "A flush sends everything that waits. Upright mark: the median; line: up to the 99th percentile.",
}


def _section(title: str, words: str, picture: str) -> str:
    return (
        f"<section><h2>{text(title)}</h2>\n<p>{text(words)}</p>\n"
        f"<div class=wide><figure>{picture}</figure></div></section>"
    )


def _panel(run: Run) -> charts.Panel:
    result = run.result
    above = "\n".join(filter(None, [title(result), conditions(result)]))
    return charts.Panel(above, [_arm_figures(run, name, arm) for name, arm in result.arms.items()])


def _arm_figures(run: Run, name: str, arm: ArmResult) -> charts.ArmFigures:
    cycles = max(run.result.cycles_of(arm), 1)
    return charts.ArmFigures(
        name=name,
        outcomes=_outcomes(arm),
        payloads=arm.payloads,
        handshakes_full=arm.handshakes_full / cycles,
        handshakes_resumed=arm.handshakes_resumed / cycles,
        cpu_us=arm.cpu_us_per_payload,
        flush_p50=arm.flush_ms.p50,
        flush_p99=arm.flush_ms.p99,
        flush_ms=_flush_times(run, name),
    )


def _outcomes(arm: ArmResult) -> dict[str, int]:
    """Counts each payload once. A client may still keep, or have dropped, a payload that has arrived."""
    ended_otherwise = max(0, arm.payloads - arm.delivered - arm.lost)
    retained = min(arm.retained, ended_otherwise)
    return {
        "once": arm.delivered - arm.duplicated,
        "twice": arm.duplicated,
        "retained": retained,
        "dropped": ended_otherwise - retained,
        "lost": arm.lost,
    }


def _flush_times(run: Run, arm: str) -> list[float]:
    """Returns the times of an arm's flushes without the first of each block, as in the table."""
    if run.measurements is None:
        return []
    wanted = (arm, run.result.world, run.result.close, run.result.scenario)
    rows = [row for row in run.measurements.cycles if (row.arm, row.world, row.close, row.scenario) == wanted]
    later = [row for row in rows if row.cycle % run.result.cycles]
    return [row.flush_ms for row in later or rows]


def _found(result: ExperimentResult) -> str:
    """Returns the verdicts of a run, what is to be known about them, and the command that repeats it."""
    marks = "".join(
        f"<p class=bad>{text(each)}</p>" for each in (what_is_missing(result), busy(result)) if each
    )
    return (
        f"<h3>{text(title(result))}</h3>{marks}{html_tables.verdicts(result.comparisons)}"
        f"{html_tables.again(result)}"
    )


def _what_was_done(runs: Sequence[Run]) -> str:
    def words(title: str, key: str, known: Mapping[str, str]) -> str:
        used = list(dict.fromkeys(str(getattr(run.result, key)) for run in runs))
        items = "".join(f"<dt>{text(name)}</dt><dd>{text(known.get(name, UNKNOWN))}</dd>" for name in used)
        return f"<h3>{title}</h3><dl>{items}</dl>"

    return (
        "<section><h2>What was done</h2>\n"
        "<p>An <b>arm</b> is a client policy. v92 to v98 are what Datadog's Lambda extension did in those"
        " versions, their defects kept, as options of the same native client: policies are compared, and not"
        " programs. A <b>cycle</b> is one freeze and the flush after it; a <b>block</b> is a number of cycles"
        " with a process and connections of its own. Compare arms within one experiment; times depend on the"
        " machine, counts of what arrived hardly do.</p>\n"
        + words("World: how it was frozen", "world", WORLDS)
        + words("When it was frozen", "scenario", SCENARIOS)
        + words("How the peer closed", "close", CLOSES)
        + _arms_in_words(runs)
        + "</section>"
    )


def _columns_in_words() -> str:
    items = "".join(f"<dt>{text(each.title)}</dt><dd>{text(each.meaning)}</dd>" for each in COLUMNS)
    return f"<h3>Columns</h3><dl>{items}</dl>"


def _arms_in_words(runs: Sequence[Run]) -> str:
    names = dict.fromkeys(name for run in runs for name in run.result.arms)
    items = "".join(f"<dt>{text(name)}</dt><dd>{text(arms.text_of(name) or UNKNOWN)}</dd>" for name in names)
    return f"<h3>Arms</h3><dl>{items}</dl>"


def _provenance(run: Run) -> str:
    result = run.result
    facts = {
        "commit": result.commit,
        "seed": result.seed,
        "cycles": f"{result.cycles}{blocks(result)}",
        **{name: words(result) for name, key, words in _CONDITIONS if getattr(result, key) is not None},
        **(_provenance_facts(run.measurements.provenance) if run.measurements else {}),
    }
    items = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts.items())
    return f"<h3>{text(title(result))}</h3><dl class=facts>{items}</dl>"


_CONDITIONS: tuple[tuple[str, str, Callable[[ExperimentResult], str]], ...] = (
    ("payloads of a flush", "payloads", lambda result: str(result.payloads)),
    ("workload", "workload", lambda result: str(result.workload)),
    ("round trip", "round_trip", lambda result: duration(result.round_trip or 0)),
    ("TLS", "tls_version", lambda result: str(result.tls_version)),
    ("freeze", "freeze", freeze),
    ("exchange timeout", "exchange_timeout", lambda result: duration(result.exchange_timeout or 0)),
    ("complete", "complete", lambda result: what_is_missing(result) or "yes"),
    ("again", "command", lambda result: str(result.command)),
)

_FACTS: tuple[tuple[str, Callable[[Provenance], str]], ...] = (
    ("version", lambda where: where.version),
    ("date", lambda where: where.date),
    ("machine", lambda where: where.machine),
    ("Python", lambda where: where.python),
    ("clocks", lambda where: where.clock_behaviour),
    ("digest of uncommitted changes", lambda where: where.dirty),
    ("given", lambda where: where.argv),
    ("packages", lambda where: ", ".join(f"{name} {version}" for name, version in where.libraries.items())),
    ("processors allowed", lambda where: _number(where.processor_quota)),
    ("frequency governor", lambda where: where.governor),
    ("congestion control", lambda where: where.congestion_control),
    ("TCP handshake", lambda where: _number(where.connect_ms, " ms")),
    ("load average", lambda where: _number(where.load_average)),
    ("processors used by others before", lambda where: _number(where.others_before)),
    ("processors used by others meanwhile", lambda where: _number(where.others_during)),
    (
        "stolen before, meanwhile",
        lambda where: " ".join(map(_percent, (where.steal_before, where.steal_during))),
    ),
    ("busy", lambda where: where.busy),
)


def _provenance_facts(where: Provenance) -> dict[str, str]:
    """Returns the facts that are known."""
    return {name: said for name, fact in _FACTS if (said := fact(where).strip())}


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.2f}{unit}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
