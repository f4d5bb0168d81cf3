"""Fleets: both simulations, the figures that follow from them, the costs, the page and its command."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import math
import pathlib
import xml.etree.ElementTree as ElementTree

import numpy
import pyarrow.parquet
import pytest

from thaw.lab import command_line
from thaw.lab.fleet import costs, exact, figures, measured_costs, policies, population, study
from thaw.lab.fleet.policies import POLICIES
from thaw.lab.fleet.scene import Scene
from thaw.lab.fleet.series import COLUMNS, Series

SHORT = Scene(interval=5.0, before=60.0, outage=60.0, after=240.0)
CALM = dataclasses.replace(SHORT, outage=0.0)


@pytest.fixture(scope="module")
def short() -> dict[str, Series]:
    return {name: population.run(policy, SHORT, 20_000, 1) for name, policy in POLICIES.items()}


# -- The simulations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", POLICIES)
def test_no_request_is_created_or_lost(arm: str, short: dict[str, Series]) -> None:
    for series in (short[arm], exact.run(POLICIES[arm], SHORT, 500, 3)):
        given = SHORT.requests * series.flushes.sum()
        assert series.requests.sum() + series.dropped.sum() + series.kept[-1] == given
        assert (series.kept >= 0).all()


@pytest.mark.parametrize("arm", POLICIES)
def test_both_simulations_agree(arm: str) -> None:
    fleets = range(4)
    by_events = [exact.run(POLICIES[arm], SHORT, 1000, seed) for seed in fleets]
    by_arrays = [population.run(POLICIES[arm], SHORT, 1000, seed) for seed in fleets]
    for column in ("flushes", "tries", "handshakes", "requests"):
        for part in (slice(0, 60), slice(60, 120), slice(120, None)):
            events, arrays = (
                numpy.mean([getattr(each, column)[part].sum() for each in found])
                for found in (by_events, by_arrays)
            )
            # Fleets differ among each other by about 4 %, the mean of four by half of that.
            assert arrays == pytest.approx(events, rel=0.1, abs=30), (column, part)


def test_the_usual_rates_are_those_of_the_scene(short: dict[str, Series]) -> None:
    for arm, connections in (("fresh", 2), ("shared", 1), ("thaw", 1)):
        usual = figures.of_usual(short[arm], SHORT)
        assert usual.requests == pytest.approx(20_000 * 2 / 5, rel=0.03)
        assert usual.handshakes == pytest.approx(20_000 * connections / 5, rel=0.03)


def test_a_kept_connection_is_opened_again_after_the_intake_gave_it_up() -> None:
    # With equal rates, the share of flushes that come after the limit is exp(-60 / 30).
    scene = dataclasses.replace(CALM, spread=0.0, interval=30.0)
    usual = figures.of_usual(population.run(POLICIES["pooled"], scene, 50_000, 1), scene)
    assert usual.handshakes / (usual.requests / 2) == pytest.approx(math.exp(-2), rel=0.05)


def test_nothing_arrives_in_an_outage_and_the_breaker_tries_less(short: dict[str, Series]) -> None:
    outages = {arm: figures.of_outage(series, SHORT) for arm, series in short.items()}
    for series in short.values():
        assert series.requests[60:120].sum() == 0
        assert series.handshakes[60:120].sum() == 0
    # Three attempts of each flush, with as many connections as requests wait.
    assert outages["fresh"].tries == pytest.approx(3 * 20_000 / 5, rel=0.05)
    assert outages["thaw"].tries < outages["shared"].tries / 5
    assert outages["thaw"].peak_requests < outages["shared"].peak_requests


def test_an_intake_at_its_capacity_takes_no_more() -> None:
    for headroom in (1.5, 4.0):
        scene = dataclasses.replace(SHORT, headroom=headroom)
        series = population.run(POLICIES["fresh"], scene, 20_000, 1)
        outage = figures.of_outage(series, scene)
        assert outage.peak_requests == pytest.approx(headroom * 20_000 * 2 / 5, rel=0.02)
        assert outage.refused > 0


def test_more_headroom_makes_a_shorter_recovery() -> None:
    found = []
    for headroom in (1.5, 4.0):
        scene = dataclasses.replace(SHORT, headroom=headroom)
        found.append(figures.of_outage(population.run(POLICIES["fresh"], scene, 20_000, 1), scene).recovery)
    narrow, wide = found
    assert narrow is not None
    assert wide is not None
    # What came in 60 s is taken with what the capacity leaves, 0.5 times the usual rate; then the sandboxes
    # that flush rarely follow.
    assert 60 / 0.5 < narrow < 1.4 * 60 / 0.5
    assert wide < narrow / 2


def test_what_a_client_keeps_beyond_its_bound_is_dropped_and_counted() -> None:
    policy = dataclasses.replace(POLICIES["shared"], most_kept=6)
    series = population.run(policy, SHORT, 5000, 1)
    assert series.dropped.sum() > 0
    assert series.kept.max() <= 6 * 5000
    assert series.requests.sum() + series.dropped.sum() + series.kept[-1] == 2 * series.flushes.sum()


def test_a_breaker_s_probes_come_after_its_wait_and_it_doubles() -> None:
    # One sandbox that flushes each second, in which it runs for 0.1 s; a wait of 1 s is over after 8 flushes.
    scene = Scene(
        interval=1.0, spread=0.0, active=0.1, requests=1, before=10.0, outage=500.0, after=1.0, headroom=100.0
    )
    series = population.run(POLICIES["thaw"], scene, 2000, 1)
    flushes = 500
    waits = [8 * 2**number for number in range(6)]
    probes = next(count for count in range(7) if sum(waits[: count + 1]) > flushes - 2)
    tries = series.tries[10:510].sum() / 2000
    assert tries == pytest.approx(2 * 3 * 1 + probes, abs=0.6)


def test_the_same_seed_gives_the_same_series_with_any_executor() -> None:
    scene = dataclasses.replace(SHORT, after=30.0)
    arguments = (POLICIES["thaw"], scene, population.PART + 1000, 7)
    here = population.run(*arguments)
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        there = population.run(*arguments, executor=executor)
    other = population.run(*arguments[:3], 8, most=1000)
    for column in COLUMNS:
        assert numpy.array_equal(getattr(here, column), getattr(there, column))
    assert not numpy.array_equal(here.tries, other.tries)
    assert here.sandboxes == population.PART + 1000


def test_a_large_fleet_is_scaled_from_those_that_are_simulated() -> None:
    large = population.run(POLICIES["fresh"], CALM, 10_000_000, 1, most=5000)
    assert (large.sandboxes, large.simulated) == (10_000_000, 5000)
    assert figures.of_usual(large, CALM).requests == pytest.approx(4_000_000, rel=0.1)


# -- Figures -------------------------------------------------------------------------------------------------


def test_ports_and_processors_follow_from_rates() -> None:
    usual = figures.Usual(sandboxes=1000, requests=200.0, handshakes=100.0, connected=900.0)
    ports = {
        arm: figures.nat_ports(POLICIES[arm], usual, round_trip=0.025, hold=10.0)
        for arm in ("pooled", "fresh")
    }
    assert ports == {"pooled": 900.0, "fresh": pytest.approx(100 * 10.1)}
    assert [figures.nat_addresses(each, 1) for each in (1.0, 55_000.0, 55_001.0)] == [1, 1, 2]
    assert figures.nat_addresses(55_001.0, 2) == 1
    cost = dataclasses.replace(costs.DEFAULT, full=2.0, resumed=1.0, exchange=0.5)
    assert figures.intake_processors(100.0, 200.0, cost) == pytest.approx(0.2)
    assert figures.intake_processors(100.0, 200.0, cost, resumed=False) == pytest.approx(0.3)


def test_costs_are_measured_and_a_resumed_handshake_is_cheaper() -> None:
    found = measured_costs.measured_here()
    assert 0 < found.exchange < found.resumed < found.full < 100
    assert found.client_full == costs.DEFAULT.client_full
    assert "RSA 2048" in found.source


# -- The page and the command --------------------------------------------------------------------------------

SMALL = ["--sizes=1000,20000", "--before=30", "--outage=30", "--after=60", "--interval=5", "--workers=1"]


def test_the_command_writes_a_page_with_its_data(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(study, "EXACT_SANDBOXES", 100)
    out = tmp_path / "fleet"
    assert command_line.main(["fleet", f"--out={out}", "--arms=fresh,thaw", *SMALL]) == 0
    assert "document: " in capsys.readouterr().out
    text = out.with_suffix(".md").read_text()
    made_by = "python -m thaw.lab fleet --interval 5 --before 30 --outage 30 --after 60 --arms fresh,thaw"
    assert f"Made by `{made_by}" in text
    assert "| thaw | 20,000 |" in text
    page = out.with_suffix(".html").read_text()
    assert page.count("<svg") == 3
    for name in ("outage", "processors", "ports"):
        assert ElementTree.parse(out / f"{name}.svg").getroot().tag.endswith("svg")
    result = json.loads((out / "result.json").read_text())
    assert {(each["arm"], each["sandboxes"]) for each in result["fleets"]} == {
        (arm, size) for arm in ("fresh", "thaw") for size in (1000, 20000)
    }
    table = pyarrow.parquet.read_table(out / "series.parquet")
    assert table.num_rows == 4 * 120
    assert set(COLUMNS) < set(table.column_names)
    assert costs.read(out / "result.json") == costs.DEFAULT


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--arms=thav"], "there is no arm 'thav'; the nearest is thaw"),
        (["--sizes=many"], "argument --sizes: 'many' is no number of sandboxes"),
        (["--sizes=0"], "'0' is no number of sandboxes"),
        (["--interval=0"], "interval is 0, not at least 1e-06 and finite"),
        (["--headroom=0.5"], "headroom is 0.5: an intake that takes less than the usual load"),
        (["--bin=0.00001"], "a larger bin makes fewer"),
        (["--costs=nowhere.json"], "nowhere.json can't be read"),
        (["--executor=dask://h:99999"], "the port is not from 1 to 65535"),
    ],
)
def test_bad_input_is_named_in_a_line(
    given: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = command_line.main(["fleet", *given])
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    assert code == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_results_without_a_calibration_are_named(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["fleet", f"--results={tmp_path}"]) == 1
    assert "calibration" in capsys.readouterr().err


@pytest.mark.slow
def test_a_fleet_takes_measured_costs_of_both_ends_and_those_of_an_earlier_run(
    tmp_path: pathlib.Path,
) -> None:
    results, first, again = tmp_path / "answer", tmp_path / "first", tmp_path / "again"
    measure = ["answer", "--only=calibration", "--blocks=1", "--cycles=3", f"--results={results}"]
    assert command_line.main(measure) == 0
    given = ["fleet", "--arms=fresh", *SMALL]
    assert command_line.main([*given, "--measure-costs", f"--results={results}", f"--out={first}"]) == 0
    found = costs.read(first / "result.json")
    assert 0 < found.exchange < found.resumed < found.full
    assert (found.client_full, found.client_exchange) != (
        *(costs.DEFAULT.client_full, costs.DEFAULT.client_exchange),
    )
    assert "RSA 2048" in found.source
    assert "the client's from the sweep calibration in answer" in found.source
    assert "--measure-costs" in first.with_suffix(".md").read_text()
    assert command_line.main([*given, f"--costs={first / 'result.json'}", f"--out={again}"]) == 0
    assert costs.read(again / "result.json") == found
    assert (again / "series.parquet").read_bytes() == (first / "series.parquet").read_bytes()


def test_thaw_s_breaker_is_that_of_its_defaults() -> None:
    breaker = policies.Breaker.of_thaw()
    assert (breaker.strikes, breaker.first, breaker.most) == (2, 1.0, 60.0)
    assert [policies.shared_connections(each) for each in (1, 2, 3, 5, 60)] == [1, 1, 2, 4, 4]
