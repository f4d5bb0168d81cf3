"""The document, from the results of its sweeps."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from thaw.lab.answer import costs, fates, model, words
from thaw.lab.answer.cells import Cells
from thaw.lab.answer.document import Block, Document, Heading, Items, Paragraph
from thaw.lab.answer.model import Model
from thaw.lab.answer.parts import Part
from thaw.lab.report import dataset
from thaw.lab.report.function_run import FunctionRun
from thaw.lab.report.measure import MeasureError

TITLE = "What a fresh connection costs"


def make(
    wanted: Sequence[Part], results: pathlib.Path, function: Sequence[FunctionRun] | str, command: str
) -> Document:
    """Returns the document on the results in a folder.

    Args:
      wanted: every sweep of `parts.NAMES`.
      results: has a folder for each of them; that of world W2 may be missing.
      function: runs of a real function, or why there are none.
      command: makes the document again.

    MeasureError: a folder has no results. LookupError: they lack a cell that the document needs.
    """
    by_name = {part.name: part for part in wanted}
    found = {name: part.cells(results) for name, part in by_name.items() if name != "fates_cut"}
    trips, calibration, tls = (found[name] for name in ("round_trips", "calibration", "tls_versions"))
    sizes, shares = found["sizes"], found["cpu_shares"]
    idle, in_flight = found["fates_idle"], found["fates_inflight"]
    cut = _cells_or_none(by_name["fates_cut"], results)
    constants = Model.calibrated(calibration)
    predicted = [("round trips", trips), ("TLS versions", tls), ("sizes", sizes), ("shares", shares)]
    return Document(
        TITLE,
        [
            *_answer(trips, idle),
            costs.headline(trips),
            *_busy(wanted, results),
            *fates.advice(),
            *costs.price(trips),
            *costs.by_round_trip(trips),
            *costs.by_tls_version(tls),
            *costs.by_size(sizes, model.body_bytes),
            *costs.by_cpu_share(shares),
            *costs.against_model(constants, predicted),
            *fates.section(idle, in_flight, cut),
            *fates.billed(function),
            *fates.dollars(trips, costs.FRESH, costs.KEPT),
            *fates.fleet(trips, costs.FRESH, costs.KEPT),
            *fates.limits(),
            *_source(wanted, results, command),
        ],
        {name: text for part in wanted for name, text in part.specs().items()},
    )


def _busy(wanted: Sequence[Part], results: pathlib.Path) -> list[Block]:
    """Says during which sweeps the machine did something else, and how much."""
    busy = {
        part.name: reasons[0]
        for part in wanted
        for files in [part.files(results)]
        if files
        for reasons in [[each for each in dataset.table_of(files)["busy"].to_pylist() if each]]
        if reasons
    }
    if not busy:
        return []
    said = ", ".join(f"`{name}` ({reason})" for name, reason in busy.items())
    return [
        Paragraph(
            "The machine was not idle during these sweeps, whose times therefore scatter more than an idle"
            f" machine's; brackets in the tables show how far: {said}."
        )
    ]


def _cells_or_none(part: Part, results: pathlib.Path) -> Cells | None:
    try:
        return part.cells(results)
    except MeasureError:
        return None


def _answer(trips: Cells, idle: Cells) -> list[Block]:
    """Returns the answer: three sentences, from the figures."""
    at = {"round_trip": 0.02}
    one = {
        name: trips.one(name, payloads_per_flush=1, **at) for name in (costs.FRESH, costs.KEPT, costs.FULL)
    }
    many = {
        name: trips.one(name, payloads_per_flush=20, **at)
        for name in (costs.FRESH, costs.KEPT, costs.SEPARATE)
    }
    fresh, kept, full = (one[name] for name in (costs.FRESH, costs.KEPT, costs.FULL))
    silent = idle.where(close="silent")
    pooled, safe = silent.one("v93"), silent.one("thaw")
    return [
        Paragraph(
            "A fresh connection costs two round trips and a handshake: at a round trip of"
            f" {fresh.round_trip * 1e3:.0f} ms, a flush of one request takes {fresh.wall_ms.middle:.1f} ms"
            f" over a fresh connection and {kept.wall_ms.middle:.1f} ms over a kept one, and"
            f" {fresh.cpu_ms.middle:.2f} ms of the client's processor ({full.cpu_ms.middle:.2f} with a full"
            f" handshake) in place of {kept.cpu_ms.middle:.2f}."
            f" Sharing that connection within a flush spreads the price: 20 requests take"
            f" {many[costs.FRESH].wall_ms.middle:.0f} ms, against {many[costs.KEPT].wall_ms.middle:.0f} ms"
            f" with kept connections and {many[costs.SEPARATE].wall_ms.middle:.0f} ms with one for each"
            " request, one by one."
            " A kept connection pays in data: where the peer forgot its connections during the freeze, a"
            f" client that trusts them and tries once (v93) lost {pooled.total('lost'):,} of"
            f" {words.count(pooled.total('payloads'), 'payload')}, and one that keeps nothing (thaw) lost"
            f" {safe.total('lost'):,} of {safe.total('payloads'):,}."
        )
    ]


def _source(wanted: Sequence[Part], results: pathlib.Path, command: str) -> list[Block]:
    """Returns the section on the origin of the figures."""
    said: list[str] = []
    for part in wanted:
        if not (files := part.files(results)):
            continue
        table = dataset.table_of(files)
        rows = table.select(["commit", "date", "machine", "blocks", "cycles"]).to_pylist()
        commits = sorted({row["commit"] for row in rows})
        dates = sorted(row["date"] for row in rows)
        sizes = sorted({(row["blocks"], row["cycles"]) for row in rows})
        blocks = "; ".join(
            f"{words.count(count, 'block')} of {words.count(cycles, 'cycle')}" for count, cycles in sizes
        )
        said.append(
            f"`{part.name}`: {blocks} in each cell; {rows[0]['machine']}; {dates[0]} to {dates[-1]};"
            f" commit {', '.join(commits)}"
        )
    return [
        Heading("Where this comes from"),
        Paragraph(
            f"Made by `{command}`. The specs are in `python/thaw/lab/answer/specs`, and each table names its"
            " own; points that take long have fewer cycles, by specs of their own. An arm that is added to"
            " one appears here. The arms of a block share one line and one intake. Arms stand in random"
            " order within each block, and each block is a fresh"
            " process. Brackets have the least and the greatest median of the blocks."
        ),
        Items(said),
    ]
