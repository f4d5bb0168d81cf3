"""A report says what the result says, stands by itself, and takes no arm's name for markup."""

from __future__ import annotations

import copy
import html.parser
import json
import pathlib
import re
from typing import Any

import pytest

from thaw.lab import arms, report
from thaw.lab.report import measure
from thaw.lab.report.measure import CycleRow, MeasureError, Measurements
from thaw.lab.results import ArmResult, ExperimentResult

ARM: dict[str, Any] = {
    "payloads": 10,
    "requests": 13,
    "delivered": 8,
    "lost": 1,
    "duplicated": 2,
    "possible_duplicate": 3,
    "retained": 1,
    "dropped": 0,
    "errors": 4,
    "connections": 7,
    "handshakes_full": 6,
    "handshakes_resumed": 5,
    "stale": 9,
    "cpu_us_per_payload": 812.4375,
    "flush_ms": {"p50": 3.25, "p99": 11.0625},
}
EVIL = "<script>alert('1')</script>&amp;$x_1$"


def result_json(*names: str, **changes: Any) -> dict[str, Any]:
    figures = {}
    for index, name in enumerate(names):
        arm = copy.deepcopy(ARM)
        arm["payloads"], arm["lost"] = arm["payloads"] + 100 * index, arm["lost"] + 100 * index
        figures[name] = arm
    base = {"world": "W1", "close": "rst", "scenario": "idle", "cycles": 4, "seed": 7, "commit": "0123abcd"}
    return {**base, **changes, "arms": figures}


def result(*names: str, **changes: Any) -> ExperimentResult:
    return ExperimentResult.from_json(result_json(*names, **changes))


def rows(run_result: ExperimentResult) -> Measurements:
    """Measurements with other flush times than the result's percentiles."""
    where = tuple(getattr(run_result, key) for key in ("world", "close", "scenario"))
    cycles = [
        CycleRow(arm, *where, None, cycle, 2.0 + cycle, 500.0, 1, 1, 0, 0)
        for arm in run_result.arms
        for cycle in range(run_result.cycles)
    ]
    return Measurements([], cycles, measure.provenance(world="W1", seed=7, cycles=run_result.cycles))


class Page(html.parser.HTMLParser):
    """A page as a browser sees it: elements with their attributes, rows of tables, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.table_rows: list[tuple[str, list[float]]] = []
        self.texts: list[str] = []
        self._in_row_head = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "th" and attributes.get("scope") == "row":
            self.table_rows.append(("", []))
            self._in_row_head = True
        if tag == "data":
            self.table_rows[-1][1].append(float(attributes["value"] or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "th":
            self._in_row_head = False

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._in_row_head:
            name, values = self.table_rows[-1]
            self.table_rows[-1] = (name + data, values)


@pytest.fixture
def runs() -> list[report.Run]:
    first = result("v93", EVIL)
    return [report.Run(first, rows(first)), report.Run(result("v93", "thaw", scenario="race", close="fin"))]


@pytest.fixture
def page(runs: list[report.Run], tmp_path: pathlib.Path) -> str:
    path = tmp_path / "report.html"
    report.write_report(runs, path)
    return path.read_text(encoding="utf-8")


def figures_of(arm: dict[str, Any]) -> list[float]:
    """Every figure of an arm's JSON, by a way of its own."""
    plain = [value for name, value in arm.items() if name != "flush_ms"]
    return [*plain, arm["flush_ms"]["p50"], arm["flush_ms"]["p99"]]


def test_the_tables_have_every_figure_of_the_result(page: str, runs: list[report.Run]) -> None:
    expected = [
        (name, sorted(figures_of(arm.to_json()))) for run in runs for name, arm in run.result.arms.items()
    ]
    assert [(name, sorted(values)) for name, values in Page(page).table_rows] == expected


def test_each_figure_is_under_its_title() -> None:
    values = {column.title: column.value(ArmResult.from_json(ARM)) for column in report.COLUMNS}
    for title in ("first flush ms", "late", "bytes/request"):  # in no older file
        assert values.pop(title) is None
    assert len(values) == len(figures_of(ARM))
    assert values["lost"] == 1
    assert values["flagged"] == 3
    assert values["resumed"] == 5
    assert values["stale"] == 9
    assert values["flush p99 ms"] == 11.0625


def test_the_terminal_table_has_the_same_figures() -> None:
    lines = report.terminal_table(result("v93", "thaw")).splitlines()
    assert lines[0] == "World W1, frozen idle, peer's close: rst; 4 cycles"
    assert lines[-2].split() == [
        "v93",
        "10",
        "8",
        "1",
        "2",
        "3",
        "1",
        "0",
        "7",
        "6",
        "5",
        "812",
        "3.2",
        "11.1",
    ]
    assert lines[-1].split() == [
        "thaw",
        "110",
        "8",
        "101",
        "2",
        "3",
        "1",
        "0",
        "7",
        "6",
        "5",
        "812",
        "3.2",
        "11.1",
    ]
    assert len({len(line) for line in lines[2:]}) == 1  # in columns


def test_the_pictures_say_what_became_of_the_payloads(page: str) -> None:
    texts = Page(page).texts
    assert "of 10: 6 once, 2 twice+, 1 kept, 1 lost" in texts
    assert texts.count("of 110: 6 once, 2 twice+, 1 kept, 101 lost") == 2
    assert "1.50 + 1.25 resumed" in texts  # 6 and 5 handshakes in 4 cycles


def test_each_payload_is_in_one_segment() -> None:
    both = result_json("thaw")
    both["arms"]["thaw"].update(delivered=9, lost=0, duplicated=0, retained=1, dropped=3)
    # The client dropped three payloads and keeps one; three of these have arrived all the same.
    assert "of 10: 9 once, 1 kept" in Page(report.page([report.Run(ExperimentResult.from_json(both))])).texts


def test_arms_are_described(page: str) -> None:
    texts = Page(page).texts
    assert arms.ARMS["v93"].text in texts
    assert "not described here" in texts


def test_a_name_is_never_markup(page: str) -> None:
    parsed = Page(page)
    assert not [tag for tag, _ in parsed.elements if tag == "script"]
    # In both lists of arms, in the table, and beside the bars of the first run's four pictures.
    assert sum(text == EVIL for text in parsed.texts) == 3 + 4


@pytest.mark.parametrize("key", ["world", "close", "scenario", "commit"])
def test_no_other_text_is_markup(key: str) -> None:
    parsed = Page(report.page([report.Run(result("v93", **{key: EVIL}))]))
    assert not [tag for tag, _ in parsed.elements if tag == "script"]
    assert any(EVIL in text for text in parsed.texts)


def test_the_page_stands_by_itself(page: str) -> None:
    parsed = Page(page)
    assert not {"img", "link", "iframe", "object", "embed", "script"} & {tag for tag, _ in parsed.elements}
    assert sum(tag == "svg" for tag, _ in parsed.elements) == 4
    for _, attributes in parsed.elements:
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"@import|url\((?!#)", page)


def test_each_id_that_the_page_refers_to_exists_once(page: str) -> None:
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r"url\(#([^)]+)\)", page)) | set(re.findall(r'xlink:href="#([^"]+)"', page))
    assert used
    assert used <= set(ids)


def test_every_colour_is_defined_light_and_dark(page: str) -> None:
    used = set(re.findall(r"var\(--(\w+)\)", page))
    assert {"ink", "once", "lost"} <= used
    for name in used:
        assert len(re.findall(rf"--{name}:#", page)) == 2
    assert "#fe01" not in page


def test_rows_are_drawn_if_there_are_any(runs: list[report.Run]) -> None:
    assert "the slowest" in report.page(runs)
    assert "the slowest" not in report.page(runs[1:])


def test_where_it_comes_from_is_said(page: str, runs: list[report.Run]) -> None:
    assert runs[0].measurements is not None
    where = runs[0].measurements.provenance
    texts = Page(page).texts
    assert {"0123abcd", where.date, where.machine, where.version, where.clock_behaviour} <= set(texts)


def test_nothing_measured_is_drawn_too() -> None:
    empty = result_json("v93", cycles=0)
    for name, value in ARM.items():
        empty["arms"]["v93"][name] = {"p50": 0.0, "p99": 0.0} if name == "flush_ms" else 0 * value
    texts = Page(report.page([report.Run(ExperimentResult.from_json(empty))])).texts
    assert {"of 0: 0 once", "not measured"} <= set(texts)


def test_a_report_on_nothing_is_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="at least one run"):
        report.write_report([], tmp_path / "report.html")


def test_a_run_comes_back_from_its_folder(tmp_path: pathlib.Path, runs: list[report.Run]) -> None:
    report.save_run(tmp_path, runs[0])
    assert report.read_run(tmp_path) == runs[0]
    assert report.read_run(tmp_path / report.RESULT_FILE) == report.Run(runs[0].result)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "does not exist"),
        ("{", "is no JSON"),
        ("[]", "it has no arms"),
        (
            json.dumps({**result_json("v93"), "arms": {"v93": {**ARM, "flush_ms": {"p50": 1.0}}}}),
            "flush_ms.p99",
        ),
    ],
)
def test_a_wrong_result_is_named(tmp_path: pathlib.Path, text: str | None, says: str) -> None:
    path = tmp_path / report.RESULT_FILE
    if text is not None:
        path.write_text(text)
    with pytest.raises(MeasureError, match=re.escape(str(path))) as caught:
        report.read_run(tmp_path)
    assert says in str(caught.value)
