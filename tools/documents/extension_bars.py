"""Compares the figures of thaw.lab.benchmarks.extension with the extension's targets."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from tools.documents.bar import Bar, at_least, at_most, exactly
from tools.documents.markdown import markdown_table

Figures = dict[str, Any]

METHOD = """
How it is measured (`python/thaw/lab/benchmarks/extension/`): from outside, of the executable that the
layer holds, in the emulated Lambda, with an intake on TLS 1.3 in a process of its own and a loopback of
its own with packets of {mtu} bytes. A payload is one trace of ten spans with eight tags each, {body:,}
bytes of MessagePack. Memory and processor time are the kernel's, of the whole process, both modes. Medians
of {starts} starts, {ends} ends with a payload, {flushes} flushes of each kind and {loads} runs of
{payloads:,} payloads. A payload is accepted if the answer is 200; load comes from a program of its own that
sends the next request when the last is answered. {nginx} What an outage adds on average is a
difference of means, to about as many invocations with nothing to send; ± is half of its 95 % interval, which
has to hold 0 and be no wider than ± {resolved:g} ms.
"""
# The largest half of an interval with which a difference counts as measured.
_RESOLVED_MS = 0.1


def extension_bars(figures: Figures) -> Iterator[Bar]:
    """Yields a bar for each figure, in the order of a function's life."""
    size, startup = figures["size"], figures["startup"]
    yield at_most("executable, stripped", size["stripped_mb"], 5, "MB", 2)
    yield at_most("the same, gzip -9", size["gzip_mb"], 2.2, "MB", 2)
    yield at_most("exec to the first /next, wall", startup["wall_ms"], 4, "ms", 2)
    yield at_most("exec to the first /next, CPU", startup["cpu_ms"], 3, "ms", 2)
    yield at_most("resident at the first /next", startup["resident_mb"], 6, "MB")
    yield exactly("threads at the first /next", startup["threads"], 1)
    yield from _memory(figures)
    yield from _load(figures["load"])
    apart = figures["two_writes"]
    yield at_most(
        f"/v0.4/traces, head and body ({apart['body_bytes']:,} bytes) written apart, no TCP_NODELAY",
        apart["median_ms"],
        1,
        "ms",
        2,
    )
    yield from _ends(figures)
    yield from _endurance(figures["endurance"])
    yield from _outage(figures["outage"])


def _memory(figures: Figures) -> Iterator[Bar]:
    memory, bounded = figures["memory"], figures["bounded"]
    yield Bar(
        f"resident with {memory['payloads']:,} payloads: before, after their flush, peak",
        "peak ≤ 16 MB",
        f"{memory['before_flush_mb']:.1f}, {memory['after_flush_mb']:.1f}, {memory['peak_mb']:.1f} MB",
        memory["peak_mb"] <= 16 and memory["delivered"] == memory["payloads"],
    )
    refused = bounded["statuses"].get("429", 0)
    yield Bar(
        f"load without a flush, function of {bounded['memory_mb']} MB: bytes held, then 429",
        f"≤ {bounded['budget_mb']:.1f} MB",
        f"{bounded['used_mb']:.1f} MB, {refused:,} × 429 (peak resident {bounded['peak_mb']:.1f} MB)",
        bounded["used_mb"] <= bounded["budget_mb"]
        and refused > 0
        and set(bounded["statuses"]) <= {"200", "429"},
    )


def _load(load: Figures) -> Iterator[Bar]:
    for connections, least in (("1", 8_000), ("8", 30_000)):
        run = load["connections"][connections]
        beside = f" (nginx: {run['nginx_per_second']:,.0f})" if "nginx_per_second" in run else ""
        plural = "connection" if connections == "1" else "connections"
        bar = at_least(
            f"/v0.4/traces, {connections} {plural}, budget {run['budget_mb']:.0f} MB, nothing dropped",
            run["payloads_per_second"],
            least,
            "a second",
        )
        whole = run["refused"] == run["dropped"] == 0
        yield bar._replace(measured=bar.measured + beside, reached=bar.reached and whole)
    yield at_most(
        "CPU per payload accepted, processing on, 8 connections", load["connections"]["8"]["cpu_us"], 30, "µs"
    )


def _ends(figures: Figures) -> Iterator[Bar]:
    ends, idle = figures["end_of_invocation"], figures["idle"]
    for payloads, most in (("1", 3), ("100", 8)):
        run = ends["payloads"][payloads]
        bar = at_most(
            f"end of an invocation to /next, {payloads} payload{'s' * (payloads != '1')}, resumed TLS,"
            f" MTU {ends['mtu']}",
            run["from_runtime_done_ms"],
            most,
            "ms",
            2,
        )
        note = f" (from the response: {run['from_response_ms']:.1f} ms)"
        yield bar._replace(measured=bar.measured + note, reached=bar.reached and run["once"])
    one = ends["payloads"]["1"]
    yield exactly("connections of a flush to one host", one["connections_per_flush"], 1)
    yield exactly("handshakes in full after the first flush", one["full_handshakes"], 0)
    yield at_most("CPU while parked in /next", idle["parked_ms"], 0, "ms a second", 3)
    yield at_most("CPU while an invocation does nothing", idle["open_ms"], 1, "ms a second", 3)
    yield at_most("SHUTDOWN to exit, 1 payload to flush", figures["shutdown"]["took_ms"], 4, "ms", 2)
    yield at_most("SHUTDOWN as the first event to exit", figures["startup"]["shutdown_first_ms"], 2, "ms", 2)


def _endurance(run: Figures) -> Iterator[Bar]:
    yield Bar(
        f"{run['invocations']:,} invocations, a flush and a freeze in each, idle connections closed: once",
        f"= {run['invocations']:,}",
        f"{run['payloads_once']:,}, {run['lines_logged']} lines logged, {run['connections']:,} connections",
        run["payloads_once"] == run["invocations"] and run["lines_logged"] == 0,
    )
    yield at_most(
        "resident memory, growth over the second half of them", run["resident_growth_kb"], 256, "KB", 0
    )


def _outage(run: Figures) -> Iterator[Bar]:
    yield at_most(
        f"black hole, {run['invocations']} invocations: added before the breaker opens, in all",
        run["before_breaker_ms"] / 1e3,
        4,
        "s",
    )
    yield at_most(
        f"the same: most added afterwards, in one of {run['probing']} that probe",
        run["most_in_a_probing_ms"],
        300,
        "ms",
        0,
    )
    most = at_most(
        f"the same: most added in any of {run['others']} others", run["most_in_others_ms"], 0, "ms"
    )
    # The same figure of invocations that send nothing shows the machine's share.
    noise = f" (most with nothing to send: {run['most_with_nothing_ms']:.1f})"
    yield most._replace(measured=most.measured + noise)
    in_others, uncertain = run["in_others_ms"], run["in_others_uncertain_ms"]
    yield Bar(
        "the same: added in them on average",
        "≤ 0 ms",
        f"{in_others:.2f} ± {uncertain:.2f} ms",
        in_others - uncertain <= 0 and uncertain <= _RESOLVED_MS,
    )
    yield Bar(
        "the same: delivered after recovery, the rest counted",
        f"= {run['handed_over']}",
        f"{run['delivered']} delivered, {run['dropped']} counted as dropped",
        run["delivered"] + run["dropped"] >= run["handed_over"],
    )


TARGETS = """
### Logs and metrics

{table}

How they are measured (`python -m thaw.lab.benchmarks.extension {names}`): a figure counts only if the
intake got each line, point and span of the same run exactly once. "Their v99" is release 99 of Datadog's
extension, built for release, on a machine of this kind. The extension sees a process table of its own,
as in Lambda, and resumes its TLS session. Lines come in telemetry batches of 200, texts and JSON objects
of 100 characters by turns; what is compressed as they come counts as taken. Datagrams have five lines,
counts, gauges and distributions of 50 names with 20 values of a tag; a process on another processor
sends each when it is due.
"""


def targets(figures: Figures) -> str:
    """Returns the part on logs and metrics; empty: they were not measured."""
    if not figures.get("targets"):
        return ""
    from thaw.lab.benchmarks.extension.targets import HEADINGS, rows

    cells = [row.cells() for row in rows(figures)]
    names = " ".join(
        name for name in figures if isinstance(figures[name], dict) and "account" in figures[name]
    )
    return TARGETS.format(table=markdown_table([list(HEADINGS), *cells]), names=names)


def target_bars(figures: Figures) -> list[Bar]:
    """Returns the rows of logs and metrics as bars."""
    return [
        Bar(
            row["what"],
            f"{row['bar']:g} {row['unit']}",
            f"{row['measured']:,.3g} {row['unit']}",
            row["reached"],
        )
        for row in figures.get("targets", ())
    ]


def method(figures: Figures) -> str:
    """Returns the text on the method of measurement, with the facts of this run."""
    load = figures["load"]
    nginx = (
        f"nginx is {load['nginx']}, one worker, answering 200 to the same load and doing nothing."
        if load["nginx"]
        else "nginx is not installed, so that nothing stands beside it."
    )
    text = METHOD.format(
        mtu=figures["mtu"],
        body=load["body_bytes"],
        starts=figures["startup"]["runs"],
        ends=figures["shutdown"]["runs"],
        flushes=figures["end_of_invocation"]["payloads"]["1"]["runs"],
        loads=load["connections"]["8"]["runs"],
        payloads=load["connections"]["8"]["payloads"],
        nginx=nginx,
        resolved=_RESOLVED_MS,
    )
    return f"\n{textwrap.fill(text.strip(), 110, break_on_hyphens=False)}\n"
