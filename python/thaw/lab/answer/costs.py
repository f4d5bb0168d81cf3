"""The document's sections on time: by round trip, by TLS version, by size and by share of a processor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from thaw.lab import statistics
from thaw.lab.answer import charts, words
from thaw.lab.answer.cells import Cell, Cells, Spread
from thaw.lab.answer.document import Block, Heading, Items, Paragraph, Picture, Table
from thaw.lab.answer.model import Model, Prediction
from thaw.lab.answer.simulation import PERIOD, Costs

FRESH, KEPT, SEPARATE, FULL = (
    "thaw",
    "thaw-pooled(on_resume=keep)",
    "v98",
    "thaw-unshared(tls_session_resumption=false)",
)
# The least round trip, in seconds, for which the model is held against the measurement.
LEAST_OF_MODEL = 0.005
# The difference of connections of a flush up to which the model opens as many as were seen.
SAME_CONNECTIONS = 0.15


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
            "A flush sends everything that has come in since the one before, in one request or several. Every"
            " payload comes from a tracer of its own here, so that none can share a request with another:"
            " payloads are requests. A request over a kept connection needs one round trip, over a fresh one"
            " three. Clients that open a connection for each request wait for these three again and again, or"
            " open several at a time; a client that shares pays for the dial once. Before the brackets stands"
            " the median of the blocks, in them the least and the greatest of them."
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
            "The time that thaw's fresh connections (`fresh for each flush, shared` below) add to a flush"
            " over up to 4 kept ones: the median of the differences of blocks, with a BCa interval of 95 %, a"
            " bootstrap's (none for less than six blocks); and the same in round trips, where these are"
            " longer than the work of a handshake. A dial costs two round trips. The price is less where the"
            " client with kept connections has few of them and lets requests wait: how many it has follows"
            " from how long the dials and exchanges of its first flush took."
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
        (
            f"{words.count(payloads, 'request')} of {fmean(map(body_bytes, some)) / 1e3:.1f} kB",
            conditions,
        )
        for payloads in cells.values("payloads_per_flush")
        for filler in cells.values("filler_bytes")
        for conditions in [{"payloads_per_flush": payloads, "filler_bytes": filler}]
        for some in [list(cells.where(**conditions))]
    ]
    return [
        Heading("By size"),
        Paragraph(
            "TCP sends ten segments (14.5 kB) before it waits for an acknowledgement, and twice as many after"
            " each. A larger body on a fresh connection waits one or more round trips longer; a kept"
            " connection's window has grown already. The round trip is 20 ms, and sizes are those of the"
            " compressed body."
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
    rows, measured, predicted, as_many = [], [], [], 0
    for name, cells in parts:
        for cell in sorted(cells, key=_conditions):
            found = model.predict(cell)
            if found is None or cell.row.round_trip < LEAST_OF_MODEL:
                continue
            middle = cell.wall_ms.middle
            measured.append(middle)
            predicted.append(found.wall_ms)
            as_many += abs(found.connections - cell.connections) <= SAME_CONNECTIONS
            if abs(found.wall_ms / middle - 1) > within:
                rows.append(_difference(name, cell, found))
    agreeing = len(measured) - len(rows)
    return [
        Heading("Against the model"),
        Paragraph(
            "A model says beforehand how long a flush takes, and the measurement is held against it. It"
            " simulates the client, the intake and the line (`thaw/lab/answer/simulation.py`). It assumes"
            " that each end has one processor, which does one thing after the other; that work at the two"
            " ends and waiting for the line overlap; and that the line delays everything by the round trip"
            " that was measured on it. A dial takes two round trips (three for a full handshake of TLS 1.2),"
            " and an exchange takes one. A body that is larger than TCP's window waits a round trip for each"
            " further flight: a fresh connection's window is ten segments and doubles with each flight. The"
            " test intake's own window grows ahead of that."
        ),
        Paragraph(
            "When thaw opens another connection follows its own rule: while more requests wait than"
            " connections are being opened, and the queue would take longer than the last dial did. The"
            " simulation begins with the client's first flush, as the measurement does, since the client"
            " remembers how long its last dial and exchange took, and which connections it kept."
            f" In {as_many} of {len(measured)} cells the model opens as many connections as were seen"
            f" (within {SAME_CONNECTIONS:g} a flush)."
        ),
        Paragraph(
            "The constants are the work at each end. They come from three arms that have one connection at a"
            " time, measured with another seed (`calibration`), and nothing is fitted to the cells that are"
            f" predicted. {_constants(model)}"
        ),
        Paragraph(
            f"{agreeing} of {len(measured)} cells with a round trip of 5 ms or more"
            f" ({100 * agreeing / max(1, len(measured)):.1f} %) are within {100 * within:.0f} % of the"
            " prediction."
        ),
        Picture(
            "model",
            f"Predicted over measured wall time; the band is {100 * within:.0f} %.",
            charts.agreement(
                "Predicted over measured wall time", measured, predicted, unit="ms", within=within
            ),
        ),
        *_unexplained(rows, within),
    ]


def _constants(model: Model) -> str:
    """The model's constants, in words."""

    def said(costs: Costs) -> str:
        return (
            f"{costs.request:.2f} ms for an exchange, {costs.resumed:.2f} ms for a dial that resumes a"
            f" session and {costs.full:.2f} ms for one that doesn't"
        )

    busy = f"; where it is busy already, so that it need not wake up, {said(model.busy)}"
    return (
        f"The client's processor needs {model.woken.flush:.2f} ms for a flush,"
        f" {said(model.woken)}{busy if model.busy != model.woken else ''}. The intake takes"
        f" {said(model.intake)}."
    )


def _unexplained(rows: Sequence[Sequence[str]], within: float) -> list[Block]:
    """The cells that the model does not predict, and what it leaves out."""
    if not rows:
        return []
    return [
        Paragraph(
            "The table has the other cells. Beside the connections of a flush and the client's processor"
            " time, as they were measured, stand the model's. What makes the difference is of four kinds:"
        ),
        Items(
            [
                "Chance, where the rule's two sides are equal: two requests. Two exchanges take as long as a"
                " dial, two round trips, so that a fraction of a millisecond decides whether the second"
                " request gets a connection of its own. Some flushes then take three round trips and others"
                " four; the median of few flushes is one of them, or lies between.",
                "A small share of a processor and many requests: the constants are those of a client that"
                " sleeps between two exchanges, and a processor that is cold after waiting does the same work"
                " more slowly. With many requests at once the client sleeps less, and needs less processor"
                " time than the model says. An error there counts many times with a small share, since each"
                f" share that is used up costs the rest of a period of {PERIOD:.0f} ms; with a whole"
                " processor it is hidden by the round trips.",
                "A small share and one request, whose work is about as much as one period's share: whether it"
                " fits into what the period has left depends on what the client did just before, which is not"
                " measured.",
                "Other work of the machine, where brackets are wide and the client's processor time is far"
                " above the model's, too: client, intake and line are three processes, and share this"
                " machine's processors with everything else. At a round trip of 5 ms, 2 ms that a process"
                " waits for a processor are 10 % of a flush over a fresh connection.",
            ]
        ),
        Table(
            "model-differences",
            f"Cells that differ by more than {100 * within:.0f} %",
            (
                *("sweep, arm", "requests", "TLS", "share", "round trip"),
                *("connections", "the model's", "processor, ms", "the model's"),
                *("measured, ms", "predicted, ms", "difference"),
            ),
            rows,
        ),
    ]


def _conditions(cell: Cell) -> tuple[object, ...]:
    row = cell.row
    return row.payloads_per_flush, row.filler_bytes, row.tls_version, -row.cpu_share, row.round_trip, row.arm


def _difference(sweep: str, cell: Cell, predicted: Prediction) -> list[str]:
    row, middle = cell.row, cell.wall_ms.middle
    return [
        f"{sweep}, {words.arm(cell.arm)}",
        f"{row.payloads_per_flush} of {row.filler_bytes * row.spans / 1e3:.1f} kB",
        row.tls_version,
        f"{row.cpu_share:.2g}",
        words.milliseconds(row.round_trip),
        f"{cell.connections:.2g}",
        f"{predicted.connections:.2g}",
        f"{cell.cpu_ms.middle:.2f}",
        f"{predicted.cpu_ms:.2f}",
        words.spread(cell.wall_ms),
        f"{predicted.wall_ms:.1f}",
        f"{100 * (predicted.wall_ms / middle - 1):+.0f} %",
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
