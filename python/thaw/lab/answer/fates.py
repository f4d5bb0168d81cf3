"""The document's sections on what arrives, and on what an invocation pays."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import get_args

from thaw.lab import arms
from thaw.lab.answer import words
from thaw.lab.answer.cells import Cell, Cells
from thaw.lab.answer.document import Block, Heading, Items, Paragraph, Table
from thaw.lab.experiment import Close
from thaw.lab.report import function_run
from thaw.lab.report.function_run import FunctionRun

# US dollars for a GB-second of an x86 function in us-east-1: https://aws.amazon.com/lambda/pricing/
DOLLARS_PER_GB_SECOND = 0.0000166667
MEMORY_MB = (128, 512, 1769)
# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html: the least `timeoutMs`
TELEMETRY_BUFFER_MS = 25
_CLOSES = {
    "fin": "the intake closes them; in W2 the client does not hear of it",
    "rst": "the intake resets them; in W2 the client does not hear of it",
    "silent": "the intake forgets them, and answers their next packet by a reset",
    "race": "the intake closes them within a millisecond of the resume",
    "blackhole": "a firewall forgets them, and loses their packets from then on",
    "nat": "a NAT gateway forgets them, and answers their next packet by a reset",
    "address": "the client gets another address",
}


def section(idle: Cells, in_flight: Cells, cut: Cells | None) -> list[Block]:
    """Returns the section on the fates of payloads, by arm, way to freeze and way to close."""
    blocks: list[Block] = [
        Heading("What arrives"),
        Paragraph(
            "In world W1 the client's process is stopped and goes on; the machine's kernel, and with it TCP,"
            " runs meanwhile. In world W2 the network between client and intake loses everything for that"
            " time,"
            " too. Meanwhile the intake or something on the way ends connections:"
        ),
        Items([f"`{name}`: {text}" for name, text in _CLOSES.items()]),
        Paragraph("The clients are these; the names of releases stand for the policies of other clients:"),
        Items([f"`{arm}`: {arms.text_of(arm)}" for arm in idle.arms()]),
        Paragraph(
            "Each cell has four numbers of the payloads that were handed over: delivered, lost, duplicated"
            " and"
            " late. A duplicate is a payload that the intake accepted twice; thaw marks a request that may be"
            " one. A late payload arrived in a later cycle than its own. What is neither delivered nor lost"
            " is"
            " kept by the client at the end. With 0 lost of n, the true rate is below 3/n with a confidence"
            " of"
            " 95 %."
        ),
        _table("fates-idle", "Stopped between flushes (world W1)", idle, "fates_idle"),
        _table(
            "fates-in-flight", "Stopped in the middle of an exchange (world W1)", in_flight, "fates_inflight"
        ),
    ]
    if cut is None:
        blocks.append(Paragraph("World W2 was left out: this machine allows no network of its own."))
    else:
        blocks.append(
            _table(
                "fates-cut", "Stopped between flushes, the network cut meanwhile (world W2)", cut, "fates_cut"
            )
        )
    return blocks


def _table(name: str, caption: str, cells: Cells, sweep: str) -> Table:
    closes = sorted({cell.row.close for cell in cells}, key=get_args(Close).index)
    handed = {cell.total("payloads") for cell in cells}
    rows = [
        [arm, *(_fate(next(iter(cells.where(arm=arm, close=close)), None)) for close in closes)]
        for arm in cells.arms()
    ]
    of = f"of {min(handed):,}" if len(handed) == 1 else f"of {min(handed):,} to {max(handed):,}"
    said = f"{caption}: delivered / lost / duplicated / late, {of} payloads"
    return Table(name, said, ["arm", *closes], rows, sweep)


def _fate(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    return " / ".join(f"{cell.total(name):,}" for name in ("delivered", "lost", "duplicated", "late"))


def billed(runs: Sequence[FunctionRun] | str) -> list[Block]:
    """Returns the section on an extension's part of an invocation. `runs`: a text says why there are none."""
    heading = Heading("What an invocation pays")
    if isinstance(runs, str):
        return [heading, Paragraph(f"Not measured: {runs}.")]
    rows = []
    for run in runs:
        billed_ms = statistics.median(row.billed_ms for row in run.rows)
        after = statistics.median(run.post_runtime_ms)
        more = function_run.added_billed_ms(run, runs) or 0.0
        rows.append(
            [
                *(run.extension, str(len(run.rows)), f"{after:.1f}", f"{billed_ms:.0f}", f"{more:+.1f}"),
                *(f"{_dollars(more, memory):+.2f}" for memory in MEMORY_MB),
            ]
        )
    return [
        heading,
        Paragraph(
            "The demonstration function is invoked in the emulated Lambda, with 4 traced spans in each"
            " invocation, over the loopback; a real round trip adds to each flush what the tables above say."
            " `control` is an extension that does nothing, `none` is no extension. Where an extension has"
            " several rows, its name is followed by the value of `DD_SERVERLESS_FLUSH_STRATEGY`: `end`"
            " flushes at the end of each invocation, `periodically,MS` holds an invocation up for a flush"
            " when so many milliseconds have passed since the one before, `continuously,MS` flushes at that"
            " interval while the function runs, and `default` flushes at the end of the first 19 invocations"
            " and then, if they follow each other closely, beside the function every 20 s; its row has both."
        ),
        Paragraph(
            "With `end`, nearly all of the time after the response is waiting, and not the flush: an"
            " extension learns that the function is done from Lambda's Telemetry API, which delivers records"
            f" when the first of them is {TELEMETRY_BUFFER_MS} ms old. That is the shortest buffering that a"
            " subscriber may ask for, and what thaw asks for. The flush that follows takes a millisecond or"
            " two over the loopback. `periodically` and `continuously` do not wait for a function's end."
        ),
        Table(
            "billed",
            "Medians of the time after the response and of the billed time, ms; the mean of what an"
            " invocation is billed more than without an extension, ms, the first invocation left out; the"
            " same in US dollars for a million invocations, by memory",
            (
                *("extension", "invocations", "after the response", "billed", "more than none"),
                *(f"{memory} MB" for memory in MEMORY_MB),
            ),
            rows,
        ),
    ]


def dollars(cells: Cells, fresh: str, kept: str) -> list[Block]:
    """Returns the section on the price of fresh connections for a million invocations that flush once
    each.
    """
    rows = []
    for trip in cells.values("round_trip"):
        some = {"payloads_per_flush": 1, "round_trip": trip}
        more = cells.one(fresh, **some).wall_ms.middle - cells.one(kept, **some).wall_ms.middle
        prices = [f"{_dollars(more, memory):.2f}" for memory in MEMORY_MB]
        rows.append([words.milliseconds(trip), f"{more:.1f}", *prices])
    return [
        Paragraph(
            "If Lambda bills the whole flush, as it does where a flush ends an invocation, a fresh connection"
            " in place of a kept one costs, for a million invocations with one request each:"
        ),
        Table(
            "dollars",
            f"US dollars a million invocations, at {DOLLARS_PER_GB_SECOND:.10f} a GB-second",
            ("round trip", "more, ms", *(f"{memory} MB" for memory in MEMORY_MB)),
            rows,
            "round_trips",
        ),
    ]


def _dollars(milliseconds: float, memory_mb: int) -> float:
    """Returns what so much time of each of a million invocations costs."""
    return milliseconds / 1e3 * memory_mb / 1024 * DOLLARS_PER_GB_SECOND * 1e6


def fleet(cells: Cells, fresh: str, kept: str) -> list[Block]:
    """Handshakes of many sandboxes, from the costs of one."""
    at = {"payloads_per_flush": 1, "round_trip": 0.02}
    dial_ms = cells.one(fresh, **at).cpu_ms.middle - cells.one(kept, **at).cpu_ms.middle
    rows = []
    for sandboxes in (1_000, 100_000, 10_000_000):
        for seconds in (1, 60):
            dials = sandboxes / seconds
            rows.append([f"{sandboxes:,}", str(seconds), f"{dials:,.0f}", f"{dials * dial_ms / 1e3:,.1f}"])
    return [
        Heading("A fleet"),
        Paragraph(
            "Each sandbox flushes once in an interval, over one connection. A kept connection makes none of"
            " these handshakes while the peer keeps it; a peer that gives idle connections up sooner than the"
            " interval makes it dial as often. The clients' processors are those of all sandboxes together:"
            f" a dial takes {dial_ms:.2f} ms more than a kept connection does."
        ),
        Table(
            "fleet",
            "Handshakes of fresh connections",
            ("sandboxes", "interval, s", "handshakes a second", "clients' processors"),
            rows,
            "round_trips",
        ),
    ]


def advice() -> list[Block]:
    """Returns the section on the settings for which each policy is best."""
    return [
        Heading("Which setting for what"),
        Items(
            [
                "On-demand Lambda: `max_idle_per_host=0` with sharing within a flush, thaw's default. Nothing"
                " outlives a freeze, and a flush of several requests pays for one dial.",
                "A process that is never frozen (managed instances, containers): `max_idle_per_host` of 4 or"
                " so with an `idle_timeout` below the intake's. Fresh connections buy nothing there.",
                "A machine that is suspended and resumed with notice (MicroVMs with hooks): keep connections,"
                " and call `resume()`, with `on_resume` as `drain`: what was open is not used again.",
                "Short intervals at a long round trip, where losing some telemetry is no harm: a kept"
                " connection saves two round trips, if retries are on and duplicates are told apart.",
            ]
        ),
    ]


def limits() -> list[Block]:
    """Returns the section on what the document does not show."""
    return [
        Heading("Limits"),
        Items(
            [
                "Client and intake share one machine and its processors; the intake is written in Python, and"
                " its work is in the wall times.",
                "World W1 stops a process, and W2 also cuts its network; the kernel goes on in both. Neither"
                " is Lambda itself.",
                "The line delays packets and has no competing traffic; loss is 0.",
            ]
        ),
    ]
