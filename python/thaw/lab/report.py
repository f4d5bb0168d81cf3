"""Reports on experiments: a table for the terminal, and an HTML page that stands by itself.

    run = report.Run(result, measurements)     # what `compare` gives, and its rows if there are any
    print(report.terminal_table(run.result))
    report.write_report([run, ...], "report.html")

    report.save_run(folder, run); report.read_run(folder)

The page needs nothing but its own file: pictures are inside it, it has no script and asks the network for
nothing. `result` is the dictionary that `python -m thaw.lab compare --json` writes:

    {"world", "scenario", "close", "cycles", "payloads", "seed", "workload", "freeze", "round_trip",
     "tls_version", "exchange_timeout", "flush_deadline", "freezer", "commit", "command", "complete",
     "arms": {NAME: {
        "cycles", "payloads", "requests", "delivered", "lost", "duplicated", "possible_duplicate", "retained",
        "dropped", "errors", "connections", "handshakes_full", "handshakes_resumed", "stale",
        "cpu_us_per_payload", "flush_ms": {"p50", "p99"}}}}

`payloads` is how many each flush sends, and of an arm how many it was given; times without a unit in their
name are seconds. `complete` is false if the experiment was stopped early: an arm's `cycles` says how far it
came.
"""

from __future__ import annotations

import html
import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.lab import arms, figures, measure
from thaw.lab.aligned import aligned
from thaw.lab.measure import MeasureError, Measurements, Provenance

RESULT_FILE = "result.json"

Result = Mapping[str, Any]
Arm = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One experiment: its result and, if they were kept, its rows."""

    result: Result
    measurements: Measurements | None = None


def save_run(folder: str | os.PathLike[str], run: Run) -> None:
    """Writes a run into `folder`, for `read_run`."""
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    if run.measurements is not None:
        rows = run.measurements
        measure.write(path, rows.payloads, rows.cycles, rows.provenance)
    (path / RESULT_FILE).write_text(json.dumps(run.result, indent=1) + "\n")


def read_run(folder: str | os.PathLike[str]) -> Run:
    """A run from its folder, or from the JSON file of its result alone. MeasureError names what is wrong."""
    path = pathlib.Path(folder)
    file = path / RESULT_FILE if path.is_dir() else path
    try:
        result = json.loads(file.read_text())
    except FileNotFoundError:
        raise MeasureError(f"{file} does not exist") from None
    except (OSError, ValueError) as error:
        raise MeasureError(f"{file} is no JSON: {error}") from error
    if (lacks := _what_lacks(result)) is not None:
        raise MeasureError(f"{file} is no result of an experiment: {lacks}")
    return Run(result, measure.read(path) if path.is_dir() else None)


def _what_lacks(result: Any) -> str | None:
    if not isinstance(result, dict) or not isinstance(result.get("arms"), dict):
        return "it has no arms"
    for name in ("world", "close", "scenario", "cycles", "seed", "commit"):
        if name not in result:
            return f"it has no {name}"
    for arm, values in result["arms"].items():
        for column in COLUMNS:
            try:
                float(column.value(values))
            except (KeyError, TypeError, ValueError):
                return f"arm {arm} has no {'.'.join(column.path)}"
    return None


# -- The table ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A figure of an arm: where it stands in the result, and what it is called and means. `narrow` is the two
    lines above it in the terminal; there is no column without them.
    """

    path: tuple[str, ...]
    title: str
    meaning: str
    narrow: tuple[str, str] | None = None
    digits: int = 0

    def value(self, arm: Arm) -> float:
        value: Any = arm
        for name in self.path:
            value = value[name]
        number: float = value
        return number

    def text(self, arm: Arm) -> str:
        return f"{self.value(arm):.{self.digits}f}"


COLUMNS = (
    Column(("payloads",), "payloads", "Given to the client to deliver.", ("pay-", "loads")),
    Column(
        ("delivered",), "delivered", "Arrived at least once, by the server's own count.", ("deliv-", "ered")
    ),
    Column(
        ("lost",),
        "lost",
        "Never arrived, and is neither kept nor dropped for a reason. What a client throws away because"
        " sending failed is lost.",
        ("", "lost"),
    ),
    Column(("duplicated",), "duplicated", "Arrived more than once.", ("dupli-", "cated")),
    Column(
        ("possible_duplicate",),
        "flagged",
        "A failure left open whether it had arrived, and the client marked it as possibly there twice.",
        ("", "flagged"),
    ),
    Column(
        ("retained",),
        "retained",
        "Still kept by the client at the end.",
        ("re-", "tained"),
    ),
    Column(
        ("dropped",),
        "dropped",
        "Given up by the client for a reason other than that sending failed, and counted.",
        ("", "dropped"),
    ),
    Column(("requests",), "requests", "Requests that the client began, repeats too."),
    Column(("errors",), "errors", "Exchanges that failed; most are repeated."),
    Column(("connections",), "connections", "Connections opened.", ("connec-", "tions")),
    Column(("handshakes_full",), "full handshakes", "TLS handshakes from nothing.", ("TLS", "full")),
    Column(
        ("handshakes_resumed",),
        "resumed",
        "TLS handshakes that a session of before made cheaper.",
        ("TLS", "resumed"),
    ),
    Column(
        ("stale",), "stale", "Connections that looked open and were dead when they were used or looked at."
    ),
    Column(
        ("cpu_us_per_payload",),
        "CPU µs / payload",
        "Processor time of the client's process, for each payload given to it.",
        ("CPU µs", "each"),
    ),
    Column(
        ("flush_ms", "p50"), "flush p50 ms", "Half of the flushes took no longer.", ("flush", "p50 ms"), 1
    ),
    Column(
        ("flush_ms", "p99"),
        "flush p99 ms",
        "Of a hundred flushes, 99 took no longer.",
        ("flush", "p99 ms"),
        1,
    ),
)


def terminal_table(result: Result) -> str:
    """One experiment as text: a line that says what was done, and a line for each arm."""
    columns = [(column, column.narrow) for column in COLUMNS if column.narrow is not None]
    lines = [["", *(narrow[0] for _, narrow in columns)], ["arm", *(narrow[1] for _, narrow in columns)]]
    lines += [[name, *(column.text(arm) for column, _ in columns)] for name, arm in result["arms"].items()]
    text = aligned(lines)
    rule = "-" * max(map(len, text))
    about = [_title(result), *filter(None, [conditions(result), what_is_missing(result)])]
    again = ["", f"again: {result['command']}"] if "command" in result else []
    return "\n".join([*about, "", *text[:2], rule, *text[2:], *again]) + "\n"


# -- What was done, in words ---------------------------------------------------------------------------

WORLDS = {
    "W0": "simulated: client, clock and network are stepped in one process, and a freeze falls between any"
    " two steps. Exact and fast; says nothing about a kernel. Payloads are made by the simulation, TLS 1.3 is"
    " scripted, a round trip takes 1 ms at least and a freeze 61 to 89 s of virtual time, whatever was asked"
    " for.",
    "W1": "SIGSTOP stops the client's whole process and SIGCONT lets it go on. Sockets and TLS are real, but"
    " the kernel goes on while the client is frozen: it acknowledges data and takes note of closed"
    " connections. On Lambda the kernel is frozen too, so this is not claimed for Lambda.",
    "W2": "as W1, with the network cut while the client is frozen: a peer's farewell is not seen.",
    "W3": "a virtual machine, paused and resumed: the kernel and its clocks are frozen, as on Lambda. The"
    " network is not Amazon's.",
}
SCENARIOS = {
    "idle": "between two flushes, with whatever connections the client keeps; meanwhile the server gives up"
    " those that are idle",
    "inflight": "in the middle of an exchange, at each of its phases in turn (connecting, TLS, head, body,"
    " written, half an answer); meanwhile the server gives that connection up",
}
CLOSES = {
    "fin": "the connection is ended properly (FIN)",
    "rst": "the connection is reset (RST)",
    "silent": "the connection is forgotten without a packet; the first byte sent on it is met by a reset",
    "race": "the connection is ended properly (FIN), within 1 ms before or after the resume",
    "none": "the connection stays as it is: what an arm costs where nothing goes wrong",
}


_UNKNOWN = "not described here"


def _title(result: Result) -> str:
    phase = f" ({result['phase']})" if result.get("phase") else ""
    return (
        f"World {result['world']}, frozen {result['scenario']}{phase}, peer's close: {result['close']};"
        f" {result['cycles']} cycles"
    )


def conditions(result: Result) -> str:
    """Under which conditions it was, as far as the result says so, and as far as its world has them."""
    simulated = result["world"] == "W0"
    said = []
    if "payloads" in result:
        said.append(f"{result['payloads']} payload{'s' * (result['payloads'] != 1)} a flush")
    if "workload" in result:
        real = result["workload"] == "real"
        said.append(f"{'simulated' if simulated and real else result['workload']} workload")
    if "round_trip" in result:
        said.append(f"round trip {_duration(max(result['round_trip'], 0.001 if simulated else 0))}")
    if "tls_version" in result:
        said.append(f"TLS {result['tls_version']}")
    if "freeze" in result:
        said.append(f"freeze {_duration(result['freeze'])} at least{' (61 to 89 s)' if simulated else ''}")
    return ", ".join(said)


def what_is_missing(result: Result) -> str:
    """Of an experiment that was stopped early; empty for one that is whole."""
    if result.get("complete", True):
        return ""
    done = ", ".join(f"{name} {arm['cycles']}" for name, arm in result["arms"].items())
    return f"STOPPED EARLY: of {result['cycles']} cycles of each arm these were done: {done}"


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:g} ms" if seconds < 1 else f"{seconds:g} s"


# -- The page ----------------------------------------------------------------------------------------


def write_report(runs: Sequence[Run], path: str | os.PathLike[str], sections: Sequence[str] = ()) -> None:
    """Writes the page. `sections`: HTML of others. ValueError: there are no runs."""
    if not runs:
        raise ValueError("a report needs at least one run")
    pathlib.Path(path).write_text(page(runs, sections), encoding="utf-8")


def page(runs: Sequence[Run], sections: Sequence[str] = ()) -> str:
    """The page's HTML. `sections` come before the tables."""
    panels = [_panel(run) for run in runs]
    names = list(dict.fromkeys(name for run in runs for name in run.result["arms"]))
    cycles = sum(_cycles(run.result, arm) for run in runs for arm in run.result["arms"].values())
    payloads = sum(arm["payloads"] for run in runs for arm in run.result["arms"].values())
    parts = [
        f"<h1>{_TITLE}</h1>",
        f"<p class=lead>{_LEAD}</p>",
        f"<p>{len(runs)} experiment{'s' * (len(runs) != 1)}, {cycles:,} freezes, {payloads:,} payloads;"
        f" arms: " + ", ".join(f"<b class=arm>{_text(name)}</b>" for name in names) + ".</p>",
        _section(
            "What became of the payloads",
            "Each bar is all payloads of one arm. Blue is what should be: arrived exactly once.",
            figures.delivery(panels),
        ),
        _section(
            "How long a flush took",
            _FLUSH_WORDS[any(arm.flush_ms for panel in panels for arm in panel.arms)]
            + " At the right: median / 99th percentile.",
            figures.latency(panels),
        ),
        _section(
            "TLS handshakes for each flush",
            "What it costs not to keep connections: none at all means that every flush used a connection of"
            " before.",
            figures.handshakes(panels),
        ),
        _section(
            "Processor time for each payload",
            "Of the client's process, handshakes included, for each payload that it was given, lost ones too:"
            " an arm that loses much looks cheap here, and its flushes short above.",
            figures.processor(panels),
        ),
        *sections,
        "<section><h2>All figures</h2>",
        *(_table(run.result) for run in runs),
        "</section>",
        _how_to_read(runs),
        "<section><h2>Where this comes from</h2>",
        *(_provenance(run) for run in runs),
        "</section>",
    ]
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{_TITLE}</title>\n'
        f"<style>{_style()}</style>\n</head>\n<body><main>\n{body}\n</main></body>\n</html>\n"
    )


_TITLE = "What a freeze does to telemetry"

_LEAD = (
    "AWS Lambda freezes a program between two pieces of work, and connections that it kept open may be dead"
    " when it goes on. Here, clients with different policies on connections (the <em>arms</em>) sent traces"
    " to a server that ends connections while the client is frozen, again and again, and the server counted"
    " what arrived: once, twice or never."
)

_FLUSH_WORDS = {
    True: "A flush sends everything that waits. Box: the middle half; upright mark: the median; line: from"
    " 1\u00a0% to 99\u00a0% of the flushes; end mark: the slowest. The scale is logarithmic.",
    False: "A flush sends everything that waits. Upright mark: the median; line: up to the 99th percentile."
    " The scale is logarithmic.",
}


def _text(value: object) -> str:
    return html.escape(str(value))


def _section(title: str, words: str, picture: str) -> str:
    return (
        f"<section><h2>{_text(title)}</h2>\n<p>{_text(words)}</p>\n"
        f"<div class=wide><figure>{picture}</figure></div></section>"
    )


def _panel(run: Run) -> figures.Panel:
    result = run.result
    title = "\n".join(filter(None, [_title(result), conditions(result)]))
    return figures.Panel(title, [_arm_figures(run, name, arm) for name, arm in result["arms"].items()])


def _arm_figures(run: Run, name: str, arm: Arm) -> figures.ArmFigures:
    cycles = max(_cycles(run.result, arm), 1)
    return figures.ArmFigures(
        name=name,
        outcomes=_outcomes(arm),
        payloads=arm["payloads"],
        handshakes_full=arm["handshakes_full"] / cycles,
        handshakes_resumed=arm["handshakes_resumed"] / cycles,
        cpu_us=arm["cpu_us_per_payload"],
        flush_p50=arm["flush_ms"]["p50"],
        flush_p99=arm["flush_ms"]["p99"],
        flush_ms=_flush_times(run, name),
    )


def _cycles(result: Result, arm: Arm) -> int:
    """How many this arm did: fewer than asked for if it was stopped."""
    return int(arm.get("cycles", result["cycles"]))


def _outcomes(arm: Arm) -> dict[str, int]:
    """Each payload once. One that has arrived may be kept or dropped besides, by a client that can't know."""
    ended_otherwise = max(0, arm["payloads"] - arm["delivered"] - arm["lost"])
    retained = min(arm["retained"], ended_otherwise)
    return {
        "once": arm["delivered"] - arm["duplicated"],
        "twice": arm["duplicated"],
        "retained": retained,
        "dropped": ended_otherwise - retained,
        "lost": arm["lost"],
    }


def _flush_times(run: Run, arm: str) -> list[float]:
    if run.measurements is None:
        return []
    wanted = (arm, run.result["world"], run.result["close"], run.result["scenario"])
    return [
        row.flush_ms
        for row in run.measurements.cycles
        if (row.arm, row.world, row.close, row.scenario) == wanted
    ]


# A figure in these columns that is not 0 is what the page is about.
_BAD = ("lost", "duplicated", "dropped")


def _table(result: Result) -> str:
    head = "".join(f"<th scope=col>{_text(column.title)}</th>" for column in COLUMNS)
    rows = []
    for name, arm in result["arms"].items():
        cells = [_cell(column, arm) for column in COLUMNS]
        rows.append(f"<tr><th scope=row>{_text(name)}</th>{''.join(cells)}</tr>")
    return (
        f"<div class=wide><table><caption>{_text(_title(result))}{_below(result)}</caption>\n"
        f"<thead><tr><th scope=col>arm</th>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )


def _below(result: Result) -> str:
    """What stands below a table's title."""
    missing = what_is_missing(result)
    lines = [_text(conditions(result)), f"<b class=bad>{_text(missing)}</b>" if missing else ""]
    return "".join(f"<br>{line}" for line in lines if line)


def _cell(column: Column, arm: Arm) -> str:
    value = column.value(arm)
    mark = " class=bad" if column.path[0] in _BAD and value else ""
    return f'<td{mark}><data value="{_text(value)}">{_text(column.text(arm))}</data></td>'


def _how_to_read(runs: Sequence[Run]) -> str:
    def words(title: str, key: str, known: Mapping[str, str]) -> str:
        used = list(dict.fromkeys(str(run.result[key]) for run in runs))
        items = "".join(f"<dt>{_text(name)}</dt><dd>{_text(known.get(name, _UNKNOWN))}</dd>" for name in used)
        return f"<h3>{title}</h3><dl>{items}</dl>"

    columns = "".join(f"<dt>{_text(each.title)}</dt><dd>{_text(each.meaning)}</dd>" for each in COLUMNS)
    return (
        "<section><h2>How to read this</h2>\n"
        "<p>An <b>arm</b> is a client policy. v92 to v98 are what Datadog's Lambda extension did in those"
        " versions, their defects kept, as options of the same native client: policies are compared, and not"
        " programs. A <b>cycle</b> is one freeze and the flush after it. Compare arms within one experiment;"
        " times depend on the machine, counts of what arrived hardly do.</p>\n"
        + _arms_in_words(runs)
        + words("World: how it was frozen", "world", WORLDS)
        + words("When it was frozen", "scenario", SCENARIOS)
        + words("How the peer closed", "close", CLOSES)
        + f"<h3>Columns</h3><dl>{columns}</dl></section>"
    )


def _arms_in_words(runs: Sequence[Run]) -> str:
    names = dict.fromkeys(name for run in runs for name in run.result["arms"])
    items = "".join(
        f"<dt>{_text(name)}</dt><dd>{_text(arms.ARMS[name].text if name in arms.ARMS else _UNKNOWN)}</dd>"
        for name in names
    )
    return f"<h3>Arms</h3><dl>{items}</dl>"


def _provenance(run: Run) -> str:
    result = run.result
    facts = {
        "commit": result["commit"],
        "seed": result["seed"],
        "cycles": result["cycles"],
        **{title: text(result) for title, key, text in _CONDITIONS if key in result},
        **(_provenance_facts(run.measurements.provenance) if run.measurements else {}),
    }
    items = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts.items())
    return f"<h3>{_text(_title(result))}</h3><dl class=facts>{items}</dl>"


_CONDITIONS: tuple[tuple[str, str, Callable[[Result], str]], ...] = (
    ("payloads of a flush", "payloads", lambda result: str(result["payloads"])),
    ("workload", "workload", lambda result: str(result["workload"])),
    ("round trip", "round_trip", lambda result: _duration(result["round_trip"])),
    ("TLS", "tls_version", lambda result: str(result["tls_version"])),
    ("freeze", "freeze", lambda result: f"{_duration(result['freeze'])} at least"),
    ("exchange timeout", "exchange_timeout", lambda result: _duration(result["exchange_timeout"])),
    ("complete", "complete", lambda result: what_is_missing(result) or "yes"),
    ("again", "command", lambda result: str(result["command"])),
)

_FACTS: tuple[tuple[str, Callable[[Provenance], str]], ...] = (
    ("version", lambda where: where.version),
    ("date", lambda where: where.date),
    ("machine", lambda where: where.machine),
    ("Python", lambda where: where.python),
    ("clocks", lambda where: where.clock_behaviour),
)


def _provenance_facts(where: Provenance) -> dict[str, str]:
    return {name: fact(where) for name, fact in _FACTS}


def _style() -> str:
    light = "".join(f"--{name}:{pair[0]};" for name, pair in figures.COLOURS.items())
    dark = "".join(f"--{name}:{pair[1]};" for name, pair in figures.COLOURS.items())
    return (
        f":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
        + _RULES
    )


_RULES = """
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:30px;line-height:1.2;margin:16px 0 12px}
h2{font-size:21px;margin:44px 0 4px}
h3{font-size:16px;margin:22px 0 6px}
p{max-width:75ch;margin:6px 0 12px}
.lead{font-size:18px}
.wide{overflow-x:auto}
figure{margin:8px 0 0;min-width:760px}
figure svg{display:block;width:100%;height:auto}
figure svg text{font-family:system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif!important}
.arm{white-space:nowrap}
table{border-collapse:collapse;width:100%;margin:18px 0 8px;font-size:12.5px;
font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;font-size:14px;padding-bottom:6px}
th,td{padding:4px 5px;text-align:right;border-bottom:1px solid var(--grid);vertical-align:bottom}
thead th{color:var(--muted);font-weight:500;line-height:1.25}
th:first-child{text-align:left;white-space:nowrap}
.bad{color:var(--lost);font-weight:700}
dl{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:4px 18px;margin:6px 0;max-width:90ch}
dt{font-weight:600}
dd{margin:0;overflow-wrap:anywhere}
"""
