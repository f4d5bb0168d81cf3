"""Experiments as TOML: what is written is read, and each error is one line with file, field and value."""

from __future__ import annotations

import argparse
import pathlib
import random
import shlex
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thaw.lab.__main__ import main
from thaw.lab.experiment import BOUNDS, CLOSES, WHOLE, ExperimentSettings, command
from thaw.lab.experiments import compare, settings_arguments, spec_file, sweep
from thaw.lab.experiments.grid import Grid
from thaw.lab.freeze_lengths import FreezeDistribution

ARMS = ("v93", "thaw", "thaw-pooled", 'thaw(max_idle_per_host=1,user_agent="a, \\"b\\"")', "requests")
LARGE = "1" + "0" * 400  # no float has it
DISTRIBUTIONS = (
    "uniform(least=0.01,most=0.5)",
    "exponential(mean=0.25)",
    "lognormal(median=0.1,sigma=1.5)",
)


def freezes() -> st.SearchStrategy[Any]:
    return st.floats(0, 3600) | st.sampled_from(DISTRIBUTIONS).map(FreezeDistribution.of)


@st.composite
def experiments(draw: st.DrawFn) -> ExperimentSettings:
    numbers = {
        name: draw(st.integers(int(least), int(most)) if name in WHOLE else st.floats(least, most))
        for name, (least, most) in BOUNDS.items()
        # An open loop does not go with every close, and an axis may have any.
        if name not in ("round_trip", "exchange_timeout", "filler_bytes", "freeze", "flush_every")
    }
    close = draw(st.sampled_from(CLOSES))
    if close == "none":
        del numbers["idle_limit"]
    return ExperimentSettings(
        arms=tuple(draw(st.lists(st.sampled_from(ARMS), min_size=1, unique=True))),
        close=close,
        workload=draw(st.sampled_from(["real", "generated"])),
        tls_version=draw(st.sampled_from(["1.2", "1.3"])),
        round_trip=draw(st.floats(0, 0.9)),
        freeze=draw(freezes()),
        **numbers,
    )


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    base = draw(experiments())
    closes = CLOSES if base.idle_limit is None else [each for each in CLOSES if each != "none"]
    axes = st.fixed_dictionaries(
        {},
        optional={
            "close": st.lists(st.sampled_from(closes), min_size=1, max_size=3),
            "payloads": st.lists(st.integers(1, 1 << 16), min_size=1, max_size=3),
            "freeze": st.lists(freezes(), min_size=1, max_size=3),
        },
    )
    options = st.fixed_dictionaries(
        {},
        optional={
            "share_within_flush": st.lists(st.sampled_from(["true", "false"]), min_size=1),
            "max_attempts": st.lists(st.integers(1, 9).map(str), min_size=1, max_size=2),
            "no_proxy": st.just(["a.example,b.example"]),
        },
    )
    return Grid(base, draw(axes), draw(options))


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)
@given(grids())
def test_a_grid_comes_back_from_its_text(grid: Grid) -> None:
    text = spec_file.to_toml(grid)
    again = spec_file.parse(text)
    assert list(again.points()) == list(grid.points())
    assert spec_file.to_toml(again) == text
    point = next(grid.points())
    assert list(spec_file.parse(spec_file.to_toml(point)).points()) == [point]


def test_an_open_loop_comes_back_from_its_text() -> None:
    point = ExperimentSettings(flush_every=0.25)
    assert list(spec_file.parse(spec_file.to_toml(point)).points()) == [point]
    assert "--flush-every 0.25" in command(point)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = 2", "version is 2, and this thaw reads version 1; a newer thaw wrote the file"),
        ("version = 0", "version is 0, and this thaw reads version 1"),
        ("version = 'x'", "version is 'x', not a whole number"),
        ("cycles = 5", "version is missing; this thaw reads version 1"),
        ("version = ", "it is not TOML: "),
        ("version = 1\ncycels = 5", "cycels is 5: there is no field 'cycels'; the nearest is cycles"),
        ("version = 1\ncycles = 'many'", "cycles is 'many', not a whole number"),
        ("version = 1\ncycles = true", "cycles is True, not a whole number"),
        ("version = 1\ncycles = 0", "cycles is 0, not from 1 to"),
        ("version = 1\nround_trip = '1'", "round_trip is '1', not a number of seconds"),
        ("version = 1\nround_trip = nan", "round_trip is nan, not from 0 to 60"),
        (f"version = 1\nfreeze = {LARGE}", f"freeze is {LARGE}, not from 0 to"),
        (f"version = 1\nfreeze = {{ distribution = 'exponential', mean = {LARGE} }}", "mean is 1000"),
        ("version = 1\nclose = 'slow'", "close is 'slow', not one of fin, rst, silent, race, none"),
        ("version = 1\nworld = 'W9'", "world is 'W9', not one of W0, W1"),
        ("version = 1\nworld = ['W0']", "world is ['W0'], not one of"),
        ("version = 1\narms = 'thaw'", "arms is 'thaw', not a list of names"),
        ("version = 1\narms = []", "no arm is named"),
        ("version = 1\narms = ['taw']", "arms is 'taw': there is no arm 'taw'; the nearest is thaw"),
        ("version = 1\narms = ['thaw(max_idle=1)']", "the nearest is max_idle_per_host (a whole number)"),
        ("version = 1\nfreeze = 'soon'", "freeze is 'soon': there is no distribution 'soon'"),
        ("version = 1\nfreeze = { least = 1 }", "distribution is None, not one of uniform"),
        ("version = 1\nfreeze = { distribution = 'uniform', least = 1 }", "uniform needs most"),
        ("version = 1\nfreeze = { distribution = 'exponential', mean = -1 }", "mean is -1, not from 0 to"),
        ("version = 1\nfreeze = { distribution = 'exponential', meen = 1 }", "the nearest is mean"),
        ("version = 1\nfreeze = 'uniform(least=2,most=1)'", "least is 2, more than most, which is 1"),
        ("version = 1\nround_trip = 2", "no exchange could end"),
        ("version = 1\nworld = 'W0'\nblocks = 2", "blocks is 2: world W0 takes only 1"),
        ("version = 1\nworld = 'W0'\nspans = 2", "spans is 2: world W0 takes only 10"),
        ("version = 1\nworld = 'W0'\narms = ['v92']", "world W0 can't run arm v92"),
        ("version = 1\nworld = 'W0'\nfreeze = 'exponential(mean=1)'", "world W0 draws only from a uniform"),
        ("version = 1\nflush_every = 0", "flush_every is 0, not from 0.001 to 3600"),
        (
            "version = 1\nflush_every = 1\nscenario = 'inflight'",
            "flush_every is 1: it is for worlds W1 and W2",
        ),
        ("version = 1\nflush_every = 1\nworld = 'W0'", "flush_every is 1: it is for worlds W1 and W2"),
        ("version = 1\nflush_every = 1\nclose = 'race'", "flush_every is 1: it is for worlds W1 and W2"),
        ("version = 1\nscenario = 'inflight'\nidle_limit = 1", "idle_limit is 1: it is for scenario idle"),
        ("version = 1\nclose = 'none'\nidle_limit = 1", "idle_limit is 1 and close is none: "),
        (
            "version = 1\nfreeze = 'zipf(1)'",
            "freeze is 'zipf(1)': there is no distribution 'zipf'; there are",
        ),
        ("version = 1\nloss = 0.1", "there is no field 'loss'"),
        ("version = 1\naxes = 1", "axes is 1, not a table of lists"),
        ("version = 1\n[axes]\nclose = 'fin'", "axes.close is 'fin', not a list of at least one value"),
        ("version = 1\n[axes]\nclose = []", "axes.close is [], not a list of at least one value"),
        ("version = 1\n[axes]\nclos = ['fin']", "no field 'axes.clos'; the nearest is axes.close"),
        ("version = 1\n[axes]\narms = ['v93']", "axes.arms: the arms of a point stand side by side"),
        ("version = 1\n[axes]\npayloads = [1, 'x']", "payloads is 'x', not a whole number"),
        ("version = 1\n[options]\nmax_idle = [1]", "no field 'max_idle'; the nearest is max_idle_per_host"),
        ("version = 1\n[options]\nmax_attempts = ['x']", "max_attempts is 'x', not a whole number"),
        ("version = 1\n[options]\nno_proxy = [['a', 1]]", "options.no_proxy has ['a', 1], not text"),
        ("version = 1\n[options]\nuser_agent = [1979-05-27]", "options.user_agent has datetime.date"),
        (f"version = 1\nx = {'[' * 20_000}{']' * 20_000}", "it is nested too deeply"),
        (f"version = 1\nworld = '{'x' * 10_000}'", "world is 'xxx"),
        ('version = 1\n"a\\u001b[31m" = 1', r"a\x1b[31m is 1: there is no field"),
        (
            f"version = 1\n[axes]\nseed = {list(range(1000))}\npayloads = {list(range(1, 1001))}",
            "seed × payloads are 1000000 points, more than 100000",
        ),
        (
            f"version = 1\n[options]\nmax_attempts = {[1] * 200}\nmax_idle_per_host = {[0] * 200}",
            "are 40000 combinations of options, more than 10000",
        ),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(
    text: str,
    says: str,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (compare, sweep):
        monkeypatch.setattr(module, "run", lambda *_, **__: pytest.fail("it was run"))
    file = tmp_path / "spec.toml"
    file.write_text(text)
    for name in ("compare", "sweep"):
        assert main([name, "--spec", str(file)]) == 2
        said = capsys.readouterr().err
        assert f"{file}: " in said
        assert says in said
        assert said.count("\n") == 1
        assert said[:-1].isprintable()
        assert len(said) < 1500


def test_compare_runs_a_file_and_its_arguments_replace_fields(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "spec.toml"
    file.write_text('version = 1\nworld = "W0"\narms = ["thaw(max_attempts=2)"]\ncycles = 5\nseed = 7\n')
    assert main(["compare", "--spec", str(file), "--cycles=6"]) == 0
    said = capsys.readouterr().out
    assert "6 cycles" in said
    assert "thaw(max_attempts=2)" in said
    assert "--seed 7" in said


def test_a_file_may_begin_with_a_mark_and_end_its_lines_as_windows_does(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "spec.toml"
    file.write_bytes(b"\xef\xbb\xbfversion = 1\r\ncycles = 5\r\n")
    assert spec_file.read(file).base.cycles == 5
    file.write_bytes(b"\xff\xfev\0")
    with pytest.raises(ValueError, match=r"spec.toml is not UTF-8: byte 1 is 0xff"):
        spec_file.read(file)


def test_compare_refuses_a_grid(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "spec.toml"
    file.write_text('version = 1\n[axes]\nclose = ["fin"]\n')
    assert main(["compare", "--spec", str(file)]) == 2
    assert f"{file}: it has axes.close: compare runs one experiment" in capsys.readouterr().err


def test_freezes_are_drawn_from_their_distribution_and_are_the_same_for_every_arm() -> None:
    for text in DISTRIBUTIONS:
        point = ExperimentSettings(freeze=FreezeDistribution.of(text), seed=3)
        drawn = [point.freeze_of(cycle) for cycle in range(400)]
        assert drawn == [point.freeze_of(cycle) for cycle in range(400)]
        assert all(0 <= each <= 3600 for each in drawn)
        assert len(set(drawn)) == 400
    uniform = FreezeDistribution.of(DISTRIBUTIONS[0])
    chance = random.Random(1)
    assert all(0.01 <= uniform.draw(chance) <= 0.5 for _ in range(100))
    assert sum(FreezeDistribution.of(DISTRIBUTIONS[1]).draw(chance) for _ in range(4000)) / 4000 == (
        pytest.approx(0.25, rel=0.1)
    )


def test_blocks_draw_their_order_and_have_seeds_of_their_own() -> None:
    plain = ExperimentSettings(arms=("v93", "thaw", "v98"), blocks=20, seed=5)
    order = plain.order()
    assert order == plain.order()
    assert [block for block, _ in order] == sorted([*range(20)] * 3)
    by_block = [tuple(arm for each, arm in order if each == block) for block in range(20)]
    assert all(set(each) == set(plain.arms) for each in by_block)
    assert len(set(by_block)) > 1
    seeds = [plain.of_block(block).seed for block in range(20)]
    assert seeds[0] == 5
    assert len(set(seeds)) == 20


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)
@given(experiments())
def test_the_command_repeats_every_setting(point: ExperimentSettings) -> None:
    parser = argparse.ArgumentParser()
    settings_arguments.add(parser, ExperimentSettings(), several=False)
    _, _, _, _, *arguments = shlex.split(command(point))  # after python -m thaw.lab compare
    assert settings_arguments.settings(parser.parse_args(arguments), ExperimentSettings()) == point


def test_blocks_and_drawn_freezes_in_a_real_world() -> None:
    point = ExperimentSettings(
        arms=("v93", "thaw"),
        freeze=FreezeDistribution.of("uniform(least=0.001,most=0.01)"),
        idle_limit=0.005,
        cycles=4,
        payloads=1,
        blocks=2,
        spans=3,
        workload="generated",
    )
    blocks: list[tuple[int, str]] = []
    made = compare.run(point, after_block=lambda block, arm, _: blocks.append((block, arm)))
    assert blocks == point.order()
    assert made.result.complete is True
    assert list(made.result.arms) == ["v93", "thaw"]
    assert {arm.payloads for arm in made.result.arms.values()} == {8}
    assert made.measurements is not None
    rows = {arm: [row for row in made.measurements.cycles if row.arm == arm] for arm in point.arms}
    assert [row.cycle for row in rows["v93"]] == list(range(8))
    assert [row.freeze for row in rows["v93"]] == [row.freeze for row in rows["thaw"]]
    assert [row.freeze for row in rows["v93"]] == [
        point.of_block(block).freeze_of(cycle) for block in range(2) for cycle in range(4)
    ]
    # A freeze shorter than the intake's idle limit ends no connection, a longer one loses what is sent on it.
    lost = {row.cycle for row in made.measurements.payloads if row.arm == "v93" and row.outcome == "lost"}
    assert lost
    assert all(rows["v93"][cycle].freeze >= 0.005 for cycle in lost)
