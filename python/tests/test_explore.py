"""thaw.explore, thaw.explore_at_random and thaw.replay: small histories of world W0 from Python."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thaw
from thaw.lab.__main__ import main
from thaw.lab.experiments.exploration import cycles
from thaw.lab.experiments.exploration.policies import NOT_EXPLORED, POLICIES, SIZES, Policy, Size
from thaw.lab.experiments.exploration.run import Explored, explore, failure_table, summary

# Any list of numbers is a history. Most numbers are 0, on which nothing happens.
HISTORIES = st.lists(st.one_of(st.just(0), st.integers(0, 30)), max_size=120)
SIZES_OF_HISTORIES = st.fixed_dictionaries(
    {
        "flushes": st.lists(st.integers(0, 3), min_size=1, max_size=3),
        "freezes": st.integers(0, 3),
        "faults": st.integers(0, 3),
        "late": st.integers(0, 3),
    }
)
# v93's client: it keeps connections over freezes, tries once, and drops what failed.
V93: dict[str, Any] = {
    "client": thaw.ClientOptions(
        max_idle_per_host=1 << 30,
        idle_timeout=90.0,
        max_connections_per_host=1 << 30,
        on_resume="keep",
        liveness="reactor_only",
        expiry_clock="monotonic",
        dial_eagerly=True,
        late_alarm="fire",
        max_attempts=1,
        resend_rule="hyper_zone1",
    ),
    "flusher": thaw.FlusherOptions(
        on_failure="discard", sequential=True, return_all_on_failure=True, no_progress_limit=float("inf")
    ),
    "resume": False,
}


def test_data_lost_in_a_simulation_is_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    counts = thaw.explore_at_random(seed=1, histories=60, flushes=[2, 2], freezes=1, faults=2)
    assert any(cell["count"] for cell in counts["failures"])
    assert capfd.readouterr().err == ""


@settings(max_examples=300, deadline=None)
@given(choices=HISTORIES, size=SIZES_OF_HISTORIES, policy=st.sampled_from(POLICIES))
def test_no_history_breaks_an_invariant(choices: list[int], size: dict[str, Any], policy: Policy) -> None:
    result = thaw.replay(choices, **size, **policy.options())
    assert result["freezes"] <= size["freezes"]
    assert result["faults"] <= size["faults"]


@settings(max_examples=100, deadline=None)
@given(choices=HISTORIES, size=SIZES_OF_HISTORIES)
def test_the_choices_that_a_history_reports_are_the_same_history(
    choices: list[int], size: dict[str, Any]
) -> None:
    first = thaw.replay(choices, **size)
    assert thaw.replay(first["choices"], **size) == first


def test_all_histories_of_a_small_size_are_run() -> None:
    result = thaw.explore(flushes=[1, 1], freezes=1)
    assert (result["complete"], result["broken"]) == (True, None)
    assert result["histories"] > 500
    assert thaw.explore(flushes=[1, 1], freezes=1) == result
    assert not thaw.explore(flushes=[1, 1], freezes=1, most_histories=5)["complete"]


def test_v93_loses_a_payload_in_a_small_history_that_can_be_run_again() -> None:
    found = thaw.explore(flushes=[1, 1], freezes=1, **V93)["broken"]
    assert found["invariant"] == "loss"
    assert sum(each > 0 for each in found["choices"]) <= 4
    assert found["python"] == f"thaw.replay({found['choices']}, **options)"
    with pytest.raises(thaw.InvariantBroken, match="invariant 'loss' broken: payload"):
        thaw.replay(found["choices"], flushes=[1, 1], freezes=1, **V93)


def test_a_seed_finds_it_too() -> None:
    first = thaw.explore_at_random(seed=5, histories=2000, flushes=[1, 1], freezes=1, **V93)["broken"]
    again = thaw.explore_at_random(seed=first["seed"], histories=1, flushes=[1, 1], freezes=1, **V93)[
        "broken"
    ]
    assert again == first


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"flushes": []}, "flushes is empty"),
        ({"flushes": [-1]}, "a flush's number of payloads is -1"),
        ({"freezes": -1}, "freezes is -1"),
        ({"faults": 1000}, "faults is 1000, not from 0 to 100"),
        ({"late": -3}, "late is -3"),
        ({"most_histories": -1}, "most_histories is -1"),
    ],
)
def test_impossible_settings_are_named(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(thaw.InvalidArgument, match=says):
        thaw.explore(**arguments)


def test_progress_is_told_and_may_end_it() -> None:
    def enough(histories: int) -> None:
        raise LookupError(f"enough at {histories}")

    with pytest.raises(LookupError, match="enough at 256"):
        thaw.explore(flushes=[1, 1], freezes=1, progress=enough)


# -- The laboratory ----------------------------------------------------------------------------------------


def test_each_option_that_decides_is_explored() -> None:
    """A new option of a client is in a policy, or has a reason for which it need not be."""
    explored = {name for policy in POLICIES for name in policy.client}
    known = set(thaw.ClientOptions().to_dict())
    assert explored | set(NOT_EXPLORED) == known
    assert not explored & set(NOT_EXPLORED)


def test_small_sizes_are_within_the_bounds_of_small() -> None:
    for size in SIZES:
        assert sum(size.flushes) <= 3
        assert size.freezes <= 2


def test_policies_are_explored_and_counted() -> None:
    lines: list[str] = []
    explored = explore(POLICIES[:2], [Size((1,), freezes=1)], random=10, jobs=2, say=lines.append)
    assert [each.broken for each in explored.values()] == [[], []]
    assert all(each.histories > 100 and each.random == 10 for each in explored.values())
    assert len(lines) == 4
    total = Explored()
    for each in explored.values():
        total.merge(each)
    assert f"{total.histories:,} histories and 20 random ones" in summary(explored, total)
    assert len(failure_table(total).splitlines()) == 168


def test_a_broken_policy_is_reported() -> None:
    broken = Policy(
        "broken", {"max_connections_per_host": 8, **_plain(V93["client"])}, _plain(V93["flusher"])
    )
    explored = explore([broken], [Size((1, 1), freezes=1)])
    total = Explored()
    total.merge(explored["broken"])
    text = summary(explored, total)
    assert total.broken
    assert "RecordedChoices choices({" in text
    assert "thaw.replay([" in text


def _plain(options: Any) -> dict[str, Any]:
    defaults = type(options)().to_dict()
    return {name: value for name, value in options.to_dict().items() if value != defaults[name]}


@pytest.mark.slow
def test_the_command_prints_a_summary(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    file = tmp_path / "counts.json"
    assert (
        main(["explore", "--policies", "default", "--random", "5", "--jobs", "1", "--json", str(file)]) == 0
    )
    out = capsys.readouterr().out
    assert "5 random ones" in out
    assert file.exists()
    with pytest.raises(SystemExit):
        main(["explore", "--policies", "nonsense"])
    assert "there is no policy 'nonsense'" in capsys.readouterr().err


def test_simulated_failures_are_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    pooled = thaw.ClientOptions(max_idle_per_host=2, on_resume="keep")
    result = thaw.explore_at_random(histories=50, flushes=[2, 2], freezes=2, faults=3, client=pooled)
    assert result["histories"] == 50
    assert capfd.readouterr().err == ""


def test_random_cycles_are_spread_over_clients_and_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(cycles, "LIFE", 100)
    seen: list[tuple[str, int, int]] = []
    real = thaw.simulate

    def simulate(**given: Any) -> dict[str, Any]:
        seen.append((given["scenario"], given["seed"], given["cycles"]))
        return real(**given)

    monkeypatch.setattr(thaw, "simulate", simulate)
    file = tmp_path / "counts.json"
    asked = ["explore", "--without-histories", "--policies=default,pooled", "--cycles=450", f"--json={file}"]
    assert main([*asked, "--jobs=1", "--seed=5"]) == 0
    assert seen == [
        ("idle", 5, 100),
        ("inflight", 6, 100),
        ("idle", 7, 100),
        ("inflight", 8, 100),
        ("idle", 9, 50),
    ]
    assert "450 random cycles with 900 payloads" in capsys.readouterr().out
    assert json.loads(file.read_text())["cycles"]["cycles"] == 450


def test_a_life_that_breaks_an_invariant_is_named_with_the_call_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def simulate(**unused: Any) -> None:
        raise thaw.InvariantBroken("seed 1, cycle 7: lost")

    monkeypatch.setattr(thaw, "simulate", simulate)
    assert main(["explore", "--without-histories", "--policies=default", "--cycles=10"]) == 1
    said = capsys.readouterr().out
    assert "1 lives broke an invariant" in said
    assert (
        "default: thaw.simulate(cycles=10, seed=1, scenario='idle', close='mixed', fault_rate=0.1, **options"
        " of the client): seed 1, cycle 7: lost"
    ) in said


def test_nothing_to_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--without-histories"]) == 2
    assert "--cycles N runs random cycles" in capsys.readouterr().err
