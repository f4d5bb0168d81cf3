"""The document's sections on time: by round trip, by TLS version, by size and by share of a processor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from thaw.lab import statistics
from thaw.lab.answer import charts, words
from thaw.lab.answer.cells import Cell, Cells, Spread
from thaw.lab.answer.document import Block, Heading, Paragraph, Picture, Table
from thaw.lab.answer.model import Model

FRESH, KEPT, SEPARATE, FULL = (
    "thaw",
    "thaw-pooled(on_resume=keep)",
    "v98",
    "thaw-unshared(tls_session_resumption=false)",
)
# The least round trip, in seconds, for which the model is held against the measurement.
LEAST_OF_MODEL = 0.005


def headline(cells: Cells) -> Block:
    """Returns the chart that stands beside the answer: one request a flush, and twenty."""
    some = [each for each in cells.arms() if each in (FRESH, KEPT, SEPARATE)]
    panels = [_panel(cells, payloads, some) for payloads in (1, 20)]
    return Picture(
        "answer",
        "Wall time of a flush by round trip. Each point is the median of the blocks' medians; lines that"
        " coincide cover each other.",
        charts.lines("Wall time of a flush", panels, words.looks(some), across="round trip, ms", up="ms"),
    )


def by_round_trip(cells: Cells) -> list[Block]:
    """Returns the section on every arm, by round trip and requests of a flush."""
    payloads = cells.values("payloads_per_flush")
    panels = [_panel(cells, each, cells.arms()) for each in payloads]
    blocks: list[Block] = [
        Heading("By round trip and requests of a flush"),
        Paragraph(
            "Every payload comes from a tracer of its own, so that none can share a request with another:"
            " payloads are requests here. A kept connection needs one round trip for a request, a fresh one"
            " three. Clients that open a connection for each request wait for these three again and again,"
            " or open several at a time; a client that shares pays for the dial once."
        ),
        Picture(
            "round-trips",
            "Wall time of a flush, by round trip, for flushes of several sizes.",
            charts.lines(
                "Wall time of a flush, all arms",
                panels,
                words.looks(cells.arms()),
                across="round trip, ms",
                up="ms",
            ),
        ),
    ]
    for each in payloads:
        some = cells.where(payloads_per_flush=each)
        columns = [(words.milliseconds(value), {"round_trip": value}) for value in cells.values("round_trip")]
        title = f"Wall time of a flush of {words.count(each, 'request')}, ms, by round trip"
        blocks.append(_table(f"wall-{each}", title, some, columns, _wall))
    some = cells.where(round_trip=0.0)
    columns = [(words.count(each, "request"), {"payloads_per_flush": each}) for each in payloads]
    blocks.append(
        _table("cpu", "Client's processor time of a flush, ms, without a round trip", some, columns, _cpu)
    )
    some = cells.where(round_trip=0.02)
    blocks.append(
        _table(
            "connections",
            "Connections that a flush opened, at a round trip of 20 ms",
            some,
            columns,
            lambda cell: f"{cell.connections:.2g}",
        )
    )
    return blocks


def price(cells: Cells) -> list[Block]:
    """Returns the section on the time that fresh connections add to a flush, paired by block."""
    rows = []
    for payloads in cells.values("payloads_per_flush"):
        for trip in cells.values("round_trip"):
            some = {"payloads_per_flush": payloads, "round_trip": trip}
            fresh, kept = ([row.flush_p50_ms for row in cells.one(arm, **some).rows] for arm in (FRESH, KEPT))
            found = statistics.paired(kept, fresh)
            more = found.difference
            rows.append(
                [
                    f"{words.count(payloads, 'request')}, {words.milliseconds(trip)}",
                    "–" if more is None else f"{more:+.1f}",
                    "–"
                    if found.interval is None
                    else f"{found.interval.low:+.1f} to {found.interval.high:+.1f}",
                    "–"
                    if more is None or trip < LEAST_OF_MODEL
                    else f"{more / (cells.one(KEPT, **some).round_trip * 1e3):.1f}",
                ]
            )
    return [
        Heading("The price"),
        Paragraph(
            "What thaw's fresh connections add to a flush over kept ones: the median of the differences of"
            " blocks, with a BCa interval of 95 % (none for less than six blocks); the same in round trips,"
            " where"
            " these are longer than the work of a handshake."
        ),
        Table(
            "price",
            "Fresh for each flush, less kept, ms",
            ("flush, round trip", "more, ms", "interval", "in round trips"),
            rows,
            "round_trips",
        ),
    ]


def by_tls_version(cells: Cells) -> list[Block]:
    columns = [
        (f"TLS {version}, {words.count(payloads, 'request')}", conditions)
        for version in cells.values("tls_version")
        for payloads in cells.values("payloads_per_flush")
        for conditions in [{"tls_version": version, "payloads_per_flush": payloads}]
    ]
    return [
        Heading("By version of TLS"),
        Paragraph(
            "A full handshake of TLS 1.2 takes one round trip more than one of TLS 1.3; a resumed session"
            " takes one in both. The round trip is 20 ms."
        ),
        _table("tls-versions", "Wall time of a flush, ms", cells, columns, _wall, "tls_versions"),
    ]


def by_size(cells: Cells, body_bytes: Callable[[Cell], int]) -> list[Block]:
    columns = [
        (f"{words.count(payloads, 'request')} of {body_bytes(some[0]) / 1e3:.1f} kB", conditions)
        for payloads in cells.values("payloads_per_flush")
        for filler in cells.values("filler_bytes")
        for conditions in [{"payloads_per_flush": payloads, "filler_bytes": filler}]
        for some in [list(cells.where(**conditions))]
    ]
    return [
        Heading("By size"),
        Paragraph(
            "TCP sends ten segments before it waits for an acknowledgement. A larger body on a fresh"
            " connection waits one or more round trips longer; a kept connection may remember a larger"
            " window. The round trip is 20 ms, and sizes are those of the compressed body."
        ),
        _table_of_arms("sizes", "Wall time of a flush, ms", cells, columns, "sizes"),
    ]


def by_cpu_share(cells: Cells) -> list[Block]:
    shares = sorted(cells.values("cpu_share"), reverse=True)
    panels = [
        charts.Panel(
            words.count(payloads, "request"),
            [f"{share:.2g}" for share in shares],
            {
                words.arm(arm): [
                    _middle(cells, arm, payloads_per_flush=payloads, cpu_share=share) for share in shares
                ]
                for arm in cells.arms()
            },
        )
        for payloads in cells.values("payloads_per_flush")
    ]
    columns = [
        (
            f"{words.count(payloads, 'request')}, share {share:.2g}",
            {"payloads_per_flush": payloads, "cpu_share": share},
        )
        for payloads in cells.values("payloads_per_flush")
        for share in shares
    ]
    return [
        Heading("By share of a processor"),
        Paragraph(
            "Lambda gives a function with 1,769 MB of memory one processor, and less memory a part of it, in"
            " periods of 20 ms. Work that does not fit into what is left of a period waits for the next one."
            " The round trip is 5 ms. A share of 0.071 is what 126 MB have."
        ),
        Picture(
            "cpu-shares",
            "Wall time of a flush, by share of a processor.",
            charts.lines(
                "Wall time by share of a processor",
                panels,
                words.looks(cells.arms()),
                across="share",
                up="ms",
            ),
        ),
        _table_of_arms("cpu-shares", "Wall time of a flush, ms", cells, columns, "cpu_shares"),
    ]


def against_model(model: Model, parts: Sequence[tuple[str, Cells]], within: float = 0.10) -> list[Block]:
    """Holds the model's predictions beside what was measured, for round trips of 5 ms and more."""
    rows, measured, predicted = [], [], []
    for name, cells in parts:
        for cell in sorted(cells, key=_conditions):
            wall = model.wall_ms(cell)
            if wall is None or cell.row.round_trip < LEAST_OF_MODEL:
                continue
            middle = cell.wall_ms.middle
            measured.append(middle)
            predicted.append(wall)
            if abs(wall / middle - 1) > within:
                rows.append(_difference(name, cell, wall, model.dials(cell)))
    agreeing = len(measured) - len(rows)
    constants = model.wall
    return [
        Heading("Against the model"),
        Paragraph(
            "`thaw/lab/answer/model.py` has the formula. Its constants come from three arms that have one"
            f" connection at a time, measured with another seed: {constants.flush:.2f} ms a flush,"
            f" {constants.request:.2f} ms an exchange, {constants.resumed:.2f} ms a resumed dial and"
            f" {constants.full:.2f} ms a full one, at both ends together."
            f" Of {len(measured)} cells with a round trip of 5 ms or more, {agreeing}"
            f" ({100 * agreeing / max(1, len(measured)):.0f} %) are within {100 * within:.0f} % of the"
            f" prediction."
        ),
        Picture(
            "model",
            f"Predicted over measured wall time; the band is {100 * within:.0f} %.",
            charts.agreement(
                "Predicted over measured wall time", measured, predicted, unit="ms", within=within
            ),
        ),
        Paragraph(
            "The model lets a client open all connections of a flush at once. thaw opens a further one when"
            " requests that wait would take longer than a dial, so it may open fewer than it is allowed to,"
            " or"
            " open them later: the table has both numbers. Dials at the same time wait for each other's"
            " work at"
            " the two ends, which share this machine's processors. With a share of a processor, the model"
            " begins a flush with a whole period's quota; a client that is resumed has what its period has"
            " left,"
            " and what a stopped process has not used is lost."
        ),
        Table(
            "model-differences",
            f"Cells that differ by more than {100 * within:.0f} %",
            (
                *("sweep, arm", "requests", "TLS", "share", "round trip"),
                *("connections", "the model's", "measured, ms", "predicted, ms", "difference"),
            ),
            rows,
        ),
    ]


def _conditions(cell: Cell) -> tuple[object, ...]:
    row = cell.row
    return row.payloads_per_flush, row.filler_bytes, row.tls_version, -row.cpu_share, row.round_trip, row.arm


def _difference(sweep: str, cell: Cell, predicted: float, dials: int) -> list[str]:
    row, middle = cell.row, cell.wall_ms.middle
    return [
        f"{sweep}, {words.arm(cell.arm)}",
        f"{row.payloads_per_flush} of {row.filler_bytes * row.spans / 1e3:.1f} kB",
        row.tls_version,
        f"{row.cpu_share:.2g}",
        words.milliseconds(row.round_trip),
        f"{cell.connections:.2g}",
        str(dials),
        words.spread(cell.wall_ms),
        f"{predicted:.1f}",
        f"{100 * (predicted / middle - 1):+.0f} %",
    ]


def _panel(cells: Cells, payloads: int, some: Sequence[str]) -> charts.Panel:
    trips = cells.values("round_trip")
    return charts.Panel(
        f"{words.count(payloads, 'request')} a flush",
        [f"{each * 1e3:g}" for each in trips],
        {
            words.arm(arm): [
                _middle(cells, arm, payloads_per_flush=payloads, round_trip=each) for each in trips
            ]
            for arm in some
        },
    )


def _middle(cells: Cells, arm: str, **conditions: object) -> float | None:
    some = list(cells.where(arm=arm, **conditions))
    return some[0].wall_ms.middle if some else None


def _table(
    name: str,
    caption: str,
    cells: Cells,
    columns: Sequence[tuple[str, dict[str, object]]],
    text: Callable[[Cell], str],
    sweep: str = "round_trips",
) -> Table:
    rows = []
    for arm in cells.arms():
        found = [list(cells.where(arm=arm, **conditions)) for _, conditions in columns]
        rows.append([words.arm(arm), *(text(some[0]) if some else "–" for some in found)])
    return Table(name, caption, ["connections", *(title for title, _ in columns)], rows, sweep)


def _table_of_arms(
    name: str, caption: str, cells: Cells, lines: Sequence[tuple[str, dict[str, object]]], sweep: str
) -> Table:
    """Returns the same figures with a column for each arm, for a table of many conditions."""
    turned = _table(name, caption, cells, lines, _wall, sweep)
    rows = [list(each) for each in zip(*[turned.head, *turned.rows], strict=True)]
    return Table(name, caption, ["flush", *rows[0][1:]], rows[1:], sweep)


def _wall(cell: Cell) -> str:
    return words.spread(cell.wall_ms)


def _cpu(cell: Cell) -> str:
    found: Spread = cell.cpu_ms
    return words.spread(found, 2)
