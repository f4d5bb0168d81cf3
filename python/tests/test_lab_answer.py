"""The document on fresh connections: its cells, its model, its files and its command."""

from __future__ import annotations

import csv
import dataclasses
import pathlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pyarrow.parquet
import pytest

from thaw.lab import command_line
from thaw.lab.answer import command, costs, estimate, fates, model, page, parts, words
from thaw.lab.answer.cells import Cells, Spread
from thaw.lab.answer.document import Document, Heading, Items, Paragraph, Picture, Table
from thaw.lab.answer.estimate import Duration
from thaw.lab.answer.model import Model
from thaw.lab.answer.simulation import Costs
from thaw.lab.experiment import ExperimentSettings, NetworkFigures
from thaw.lab.experiments import spec_file
from thaw.lab.host_load import Load
from thaw.lab.report import dataset, measure
from thaw.lab.report.dataset import BlockResult
from thaw.lab.report.function_run import FunctionRun, InvocationRow
from thaw.lab.results import ArmResult, FlushTimes

COSTS = Costs(flush=0.5, request=0.25, resumed=2.0, full=3.0)
MODEL = Model(COSTS, COSTS, Costs(0.0, 0.0, 0.0, 0.0))


def result(point: ExperimentSettings, flush_ms: float, cpu_ms: float, **others: int) -> ArmResult:
    payloads = point.payloads * point.cycles
    figures = {each.name: 0 for each in dataclasses.fields(ArmResult) if each.type == "int"}
    return ArmResult(
        **{**figures, "payloads": payloads, "requests": payloads, "delivered": payloads, **others},
        cpu_us_per_payload=cpu_ms * 1e3 / point.payloads,
        flush_ms=FlushTimes(flush_ms, 2 * flush_ms),
        cycles=point.cycles,
        network=NetworkFigures("line", point.round_trip, "cubic") if point.round_trip else None,
        late=0,
    )


def measured(arm: str, flush_ms: tuple[float, ...], cpu_ms: float = 1.0, **settings: object) -> Cells:
    """The cell of one arm that was measured in as many blocks as there are times."""
    point = ExperimentSettings(arms=(arm,), workload="separate", exchange_timeout=10.0, **settings)  # type: ignore[arg-type]
    rows = [
        dataset._row(point, "spec", BlockResult(block, arm, result(point, time, cpu_ms)))
        for block, time in enumerate(flush_ms)
    ]
    return Cells.of(rows)


def made_up(
    folder: pathlib.Path,
    wall_ms: Callable[[str, ExperimentSettings], float],
    skip: tuple[str, ...] = (),
    load: Load | None = None,
) -> None:
    """Writes results of every sweep, whose times are computed."""
    where = measure.provenance(world="W1", seed=1, cycles=2, load=load)
    for part in parts.read(blocks=2, cycles=2):
        if part.name in skip:
            continue
        (folder / part.name).mkdir(parents=True)
        for point in part.points():
            text = spec_file.to_toml(point)
            results = [
                BlockResult(
                    block, arm, result(point, wall_ms(arm, point) * (1 + 0.01 * block), 1.0, lost=number)
                )
                for number, arm in enumerate(point.arms)
                for block in range(2)
            ]
            dataset.write(dataset.path_of(folder / part.name, point, text), point, text, results, where)


def of_the_model(arm: str, point: ExperimentSettings) -> float:
    cells = measured(
        arm,
        (1.0,),
        payloads=point.payloads,
        round_trip=point.round_trip,
        tls_version=point.tls_version,
        filler_bytes=point.filler_bytes,
        cycles=2,
    )
    found = MODEL.predict(next(iter(cells)))
    return found.wall_ms if found is not None else 7.0


# -- Cells ---------------------------------------------------------------------------------------------------


def test_a_cell_has_the_median_and_the_ends_of_its_blocks() -> None:
    (cell,) = measured("thaw", (5.0, 1.0, 2.0), cpu_ms=0.5, round_trip=0.02, payloads=4)
    assert cell.wall_ms == Spread(2.0, 1.0, 5.0)
    assert cell.cpu_ms == Spread(0.5, 0.5, 0.5)
    assert (cell.round_trip, cell.requests) == (0.02, 4.0)


def test_a_cell_that_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match=r"0 cells of arm v98 have \{'payloads_per_flush': 1\}"):
        measured("thaw", (1.0,)).one("v98", payloads_per_flush=1)


def test_the_size_of_bodies_is_the_one_that_was_sent() -> None:
    (old,) = measured("thaw", (1.0, 2.0), filler_bytes=4000)
    assert old.sent_bytes is None
    assert model.body_bytes(old) > 30_000  # made again
    rows = [
        dataclasses.replace(row, bytes_per_request=size)
        for row, size in zip(old.rows, (1000.0, 3000.0), strict=True)
    ]
    new = dataclasses.replace(old, rows=rows)
    assert model.body_bytes(new) == 2000
    (*_, table) = costs.by_size(Cells([new]), model.body_bytes)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["3 requests of 2.0 kB"]


def test_results_of_a_version_without_the_size_of_requests_are_read(tmp_path: pathlib.Path) -> None:
    made_up(tmp_path, of_the_model, skip=tuple(name for name in parts.NAMES if name != "tls_versions"))
    folder = tmp_path / "tls_versions"
    expected = dataset.read_points(folder)
    for path in folder.iterdir():
        pyarrow.parquet.write_table(
            pyarrow.parquet.read_table(path).drop_columns(["bytes_per_request"]), path
        )
    assert dataset.read_points(folder) == expected
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(path).drop_columns(["lost"]), path)
    with pytest.raises(measure.MeasureError, match="lost"):
        dataset.read_files([path])


# -- The document --------------------------------------------------------------------------------------------


def test_a_document_is_written_in_both_forms_with_its_data_beside_it(tmp_path: pathlib.Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><path stroke="var(--ink)"/></svg>'
    document = Document(
        "T<itle",
        [
            Heading("Head"),
            Paragraph("`a<b` text"),
            Items(["one", "two"]),
            Table("figures", "Caption", ["arm", "ms"], [["thaw", "1.0"], ["v98, peer", "2.0"]], "sweep"),
            Picture("chart", "What it shows", svg),
        ],
        {"sweep.toml": "version = 1\n", "other.toml": ""},
    )
    written = document.write(tmp_path / "answer")
    assert [path.name for path in written] == [
        *("answer.md", "answer.html", "sweep.toml", "other.toml", "figures.csv", "chart.svg")
    ]
    markdown, page_text = (path.read_text() for path in written[:2])
    assert "| thaw | 1.0 |" in markdown
    assert "(answer/chart.svg)" in markdown
    assert "([data](answer/figures.csv), [spec](answer/sweep.toml))" in markdown
    assert "<code>a&lt;b</code> text" in page_text
    assert 'download="sweep.toml" href="data:text/plain;charset=utf-8,version%20%3D%201%0A"' in page_text
    assert "var(--ink)" in page_text
    assert list(csv.reader(written[4].open())) == [["arm", "ms"], ["thaw", "1.0"], ["v98, peer", "2.0"]]
    alone = ElementTree.fromstring(written[5].read_text())
    assert "var(" not in written[5].read_text()
    assert alone.tag.endswith("svg")


def test_the_document_has_every_sweep_and_says_what_it_found(tmp_path: pathlib.Path) -> None:
    made_up(tmp_path, of_the_model)
    rows = [InvocationRow(name, 0, 0.0, 5.0, 1.0, 6 + (name == "thaw"), 2.0) for name in ("thaw", "none")]
    runs = [FunctionRun(row.extension, rows=[row]) for row in rows]
    document = page.make(parts.read(blocks=2, cycles=2), tmp_path, runs, "python -m thaw.lab answer")
    text = document.markdown("answer")
    headings = [block.text for block in document.blocks if isinstance(block, Heading)]
    assert headings[:7] == [
        "Which setting for what",
        "The price",
        "By round trip and requests of a flush",
        "By version of TLS",
        "By size",
        "By share of a processor",
        "Against the model",
    ]
    # 62.75 ms by the model, and 1 % more in the second block. Each block of v93, the second arm, lost 1.
    assert "a flush of one request takes 63.1 ms over a fresh connection and 20.9 ms over a kept one" in text
    assert "(v93) lost 2 of 12 payloads" in text
    assert "| thaw | 1 | 1.0 | 7 | +1.0 | +0.00 | +0.01 | +0.03 |" in text
    assert "[spec](answer/round_trips.toml), [spec 2](answer/round_trips.2.toml)" in text
    assert "The machine was not idle" not in text
    assert all(f"`{name}`" in text for name in parts.NAMES)


def test_a_machine_without_networks_of_its_own_leaves_one_table_out(tmp_path: pathlib.Path) -> None:
    made_up(tmp_path, lambda arm, point: 10.0, skip=("fates_cut",))
    text = page.make(parts.read(blocks=2, cycles=2), tmp_path, "port 8126 is taken", "again").markdown(
        "answer"
    )
    assert "World W2 was left out" in text
    assert "Not measured: port 8126 is taken." in text


def test_cells_that_agree_with_the_model_are_not_listed(tmp_path: pathlib.Path) -> None:
    arm = "thaw"
    (cell,) = measured(arm, (1.0,), payloads=1, round_trip=0.02)
    found = MODEL.predict(cell)
    assert found is not None
    wall = found.wall_ms
    near, far = (measured(arm, (wall * by,), payloads=1, round_trip=0.02) for by in (1.05, 1.3))
    blocks = costs.against_model(MODEL, [("a", near), ("b", far)])
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert [row[0] for row in table.rows] == [f"b, {words.arm(arm)}"]


def test_the_price_of_a_second_in_a_gigabyte_is_lambdas() -> None:
    cells = Cells([*measured(costs.FRESH, (1001.0,), payloads=1), *measured(costs.KEPT, (1.0,), payloads=1)])
    (_, table) = fates.dollars(cells, costs.FRESH, costs.KEPT)
    assert isinstance(table, Table)
    # A second of 512 MB for a million invocations: half a gigabyte, 500,000 GB-seconds.
    assert table.rows == [["0 ms", "1000.0", "2.08", "8.33", "28.79"]]


# -- The command ---------------------------------------------------------------------------------------------


def test_every_spec_is_a_grid_whose_points_can_be_run() -> None:
    for part in parts.read():
        assert list(part.points()), part.name


def test_an_unknown_sweep_is_named_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line.main(["answer", "--only", "round_trips,colours"])
    assert stopped.value.code == 2
    assert "there is no sweep 'colours'; there are calibration, round_trips" in capsys.readouterr().err


def test_the_command_measures_what_is_missing_and_nothing_twice(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = tmp_path / "specs"
    specs.mkdir()
    spec = 'version = 1\narms = ["thaw"]\nclose = "none"\nworkload = "separate"\npayloads = 1\n'
    (specs / "calibration.toml").write_text(spec)
    monkeypatch.setattr(parts, "SPECS", specs)
    given = [
        "answer",
        "--only",
        "calibration",
        "--blocks",
        "1",
        "--cycles",
        "2",
        "--results",
        str(tmp_path / "r"),
    ]
    assert command_line.main(given) == 0
    said = capsys.readouterr().err
    assert "answer: 1 point, about 1 s on an idle machine\n" in said
    assert "1/1 calibration, " in said
    (part,) = parts.read(["calibration"], blocks=1, cycles=2)
    (cell,) = part.cells(tmp_path / "r")
    assert (cell.total("delivered"), cell.requests) == (2, 1.0)
    assert command_line.main(given) == 0
    assert capsys.readouterr().err == ""


def test_the_line_on_how_a_document_was_made_has_every_argument_that_changes_it(
    tmp_path: pathlib.Path,
) -> None:
    executable = tmp_path / "other"
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    given = [
        "--blocks",
        "2",
        "--results",
        "measured",
        "--extension",
        f"other={executable}",
        "--without-function",
    ]
    parsed = command_line._parser().parse_args(["answer", *given])
    assert command._again(parsed) == (
        f"python -m thaw.lab answer --results measured --blocks 2 --extension other={executable}"
        " --without-function"
    )
    assert command._again(command_line._parser().parse_args(["answer"])) == "python -m thaw.lab answer"


def test_points_of_other_blocks_and_cycles_are_not_mixed_in(tmp_path: pathlib.Path) -> None:
    made_up(tmp_path, of_the_model, skip=tuple(name for name in parts.NAMES if name != "tls_versions"))
    (same,) = parts.read(["tls_versions"], blocks=2, cycles=2)
    (other,) = parts.read(["tls_versions"], blocks=3, cycles=2)
    assert len(same.cells(tmp_path)) == 12
    assert (same.missing(tmp_path), len(other.missing(tmp_path))) == ([], 4)
    with pytest.raises(measure.MeasureError, match="no results of this sweep"):
        other.cells(tmp_path)


def test_stored_points_of_a_busy_machine_fail_where_an_idle_one_is_required(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    busy = Load(others=1.5, steal=0.0, average=9.0, processors=2, seconds=1.0)
    made_up(tmp_path, of_the_model, skip=tuple(set(parts.NAMES) - {"sizes"}), load=busy)
    given = ["answer", "--only=sizes", "--blocks=2", "--cycles=2", f"--results={tmp_path}"]
    assert command_line.main(given) == 0
    assert "NOT MET" not in capsys.readouterr().out
    assert command_line.main([*given, "--require-idle"]) == 1
    (part,) = parts.read(["sizes"], blocks=2, cycles=2)
    assert capsys.readouterr().out.count(": NOT MET\n") == len(list(part.points()))


def test_a_busy_machine_is_named_on_the_page(tmp_path: pathlib.Path) -> None:
    busy = Load(others=1.5, steal=0.0, average=9.0, processors=2, seconds=1.0)
    made_up(tmp_path, of_the_model, load=busy)
    text = page.make(parts.read(blocks=2, cycles=2), tmp_path, "left out", "again").markdown("answer")
    assert "The machine was not idle during these sweeps" in text
    assert text.index("](answer/answer.svg)") < text.index("The machine was not idle")
    assert "`calibration` (before the run other processes" in text
    assert "other processes used 1.5 of 2 processors" in text


def test_the_whole_document_is_measured_in_45_minutes() -> None:
    seconds = Duration([point for part in parts.read() for point in part.points()]).expected
    assert 30 * 60 < seconds < 45 * 60


def test_the_time_left_follows_from_how_fast_the_machine_is() -> None:
    (part,) = parts.read(["tls_versions"])
    points = list(part.points())
    duration = Duration(points)
    assert duration.left(100.0) == duration.expected  # nothing is known of the machine yet
    for point in points[:2]:
        for arm in point.arms * point.blocks:
            duration.arm_done(point, arm)
    done = sum(map(estimate.of_point, points[:2]))
    assert duration.done == pytest.approx(done)
    assert duration.left(3 * done) == pytest.approx(3 * (duration.expected - done))
