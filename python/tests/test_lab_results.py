"""An arm's outcome becomes a result, and broken invariants are named. Nothing runs here."""

from __future__ import annotations

import re
from typing import Any

import pytest

from thaw import InvariantBroken
from thaw.lab.arms import ARMS
from thaw.lab.experiment import ArmOutcome, CycleOutcome, ExperimentSettings, Where
from thaw.lab.experiments import promises
from thaw.lab.results import ArmResult, ExperimentResult, FlushTimes

SETTINGS = ExperimentSettings(seed=7)
PAYLOAD: Where = (3, 1)


def outcome(times: int, *, flagged: bool = False, kept: bool = False, dropped: str = "") -> ArmOutcome:
    """One payload of three: the other two arrived once."""
    return ArmOutcome(
        times={(3, 0): 1, PAYLOAD: times, (4, 0): 1},
        flagged={PAYLOAD} if flagged else set(),
        retained={PAYLOAD} if kept else set(),
        dropped={PAYLOAD: dropped} if dropped else {},
    )


FATES = ("delivered", "lost", "duplicated", "possible_duplicate", "retained", "dropped")


@pytest.mark.parametrize(
    ("did", "counts"),
    [
        (outcome(1), (3, 0, 0, 0, 0, 0)),
        (outcome(0), (2, 1, 0, 0, 0, 0)),
        (outcome(0, kept=True), (2, 0, 0, 0, 1, 0)),
        (outcome(0, dropped="evicted"), (2, 0, 0, 0, 0, 1)),
        # A client that throws away what failed has lost it, though it counts it.
        (outcome(0, dropped="discarded"), (2, 1, 0, 0, 0, 0)),
        (outcome(0, dropped="redrive_failed"), (2, 1, 0, 0, 0, 0)),
        (outcome(2), (3, 0, 1, 0, 0, 0)),
        (outcome(2, flagged=True), (3, 0, 1, 1, 0, 0)),
        (outcome(1, flagged=True), (3, 0, 0, 1, 0, 0)),
    ],
)
def test_each_payload_is_counted_by_what_became_of_it(did: ArmOutcome, counts: tuple[int, ...]) -> None:
    figures = ArmResult.from_outcome(did)
    assert tuple(getattr(figures, name) for name in FATES) == counts
    assert figures.payloads == 3


def test_costs_are_those_of_the_cycles() -> None:
    did = outcome(1)
    did.cycles = [CycleOutcome(number, None, float(number), 30.0, 1, 1, 0, 0) for number in range(101)]
    did.errors = ["a", "b"]
    figures = ArmResult.from_outcome(did)
    assert figures.flush_ms == FlushTimes(p50=50.5, p99=99.01)  # without the first
    assert figures.first_flush_ms == 0.0
    assert figures.cpu_us_per_payload == 100 * 30.0 / 3
    assert figures.errors == 2
    assert ArmResult.from_json(figures.to_json()) == figures


def cycle(number: int, flush_ms: float, cpu_us: float = 0.0) -> CycleOutcome:
    return CycleOutcome(number, None, flush_ms, cpu_us, 1, 1, 0, 0)


def test_the_first_flush_of_each_block_is_apart() -> None:
    did = ArmOutcome(times={(number, 0): 1 for number in range(6)})
    did.cycles = [cycle(number, 90.0 if number % 3 == 0 else 2.0, 600.0) for number in range(6)]
    did.cycles[3] = cycle(3, 70.0, 600.0)
    figures = ArmResult.from_outcome(did, cycles_of_block=3)
    assert (figures.flush_ms, figures.first_flush_ms) == (FlushTimes(2.0, 2.0), 80.0)
    assert figures.cpu_us_per_payload == 600.0


def test_the_size_of_a_request_is_the_mean_of_those_that_arrived_whole() -> None:
    did, other = outcome(1), outcome(1)
    assert ArmResult.from_outcome(did).bytes_per_request is None
    did.whole_requests, did.body_bytes = 2, 1000
    other.whole_requests, other.body_bytes = 3, 2000
    did.extend(other, 1)
    figures = ArmResult.from_outcome(did)
    assert figures.bytes_per_request == 600.0
    assert ArmResult.from_json(figures.to_json()) == figures


def test_blocks_of_one_cycle_have_first_flushes_alone() -> None:
    did = ArmOutcome(times={(0, 0): 1, (1, 0): 1})
    did.cycles = [cycle(0, 4.0, 10.0), cycle(1, 6.0, 30.0)]
    figures = ArmResult.from_outcome(did, cycles_of_block=1)
    assert (figures.flush_ms.p50, figures.first_flush_ms, figures.cpu_us_per_payload) == (5.0, 5.0, 20.0)


def test_nothing_at_all_has_figures() -> None:
    figures = ArmResult.from_outcome(ArmOutcome())
    assert (figures.payloads, figures.cpu_us_per_payload, figures.flush_ms.p99) == (0, 0.0, 0.0)
    assert figures.first_flush_ms is None


@pytest.mark.parametrize(
    "did",
    [outcome(1), outcome(2, flagged=True), outcome(0, kept=True), outcome(0, dropped="evicted")],
)
def test_outcomes_that_keep_thaws_promises_pass(did: ArmOutcome) -> None:
    promises.check(ARMS["thaw"], SETTINGS, did)


@pytest.mark.parametrize("arm", ["thaw", "thaw-unshared", "thaw-pooled"])
@pytest.mark.parametrize(
    ("did", "what"),
    [
        (outcome(0), "payload 1 of cycle 3 was lost"),
        (outcome(0, flagged=True), "payload 1 of cycle 3 was lost"),
        (outcome(2), "payload 1 of cycle 3 was accepted 2 times and not flagged"),
        (outcome(3, dropped="evicted"), "payload 1 of cycle 3 was accepted 3 times and not flagged"),
    ],
)
def test_a_broken_promise_is_named(arm: str, did: ArmOutcome, what: str) -> None:
    with pytest.raises(InvariantBroken, match=f"arm {arm}, .*seed 7: {re.escape(what)}"):
        promises.check(ARMS[arm], SETTINGS, did)


def test_nothing_may_be_open_at_a_freeze_between_flushes() -> None:
    did = outcome(1)
    did.counters = {"open_at_next": 2}
    with pytest.raises(InvariantBroken, match="2 exchanges were open"):
        promises.check(ARMS["thaw"], SETTINGS, did)
    promises.check(ARMS["thaw"], ExperimentSettings(scenario="inflight"), did)


@pytest.mark.parametrize("arm", ["v92", "v93", "v94", "v98", "requests", "pycurl"])
def test_arms_without_promises_break_none(arm: str) -> None:
    promises.check(ARMS[arm], SETTINGS, outcome(0))
    promises.check(ARMS[arm], SETTINGS, outcome(2))


def older_file() -> dict[str, Any]:
    """A result without conditions and without cycles of its arms, with a member that there is no more."""
    arm = {**ArmResult.from_outcome(outcome(1)).to_json(), "stale": 4}
    del arm["cycles"]
    plain = {"world": "W1", "close": "rst", "scenario": "idle", "cycles": 3, "seed": 7, "commit": "0123abcd"}
    return {**plain, "phase": "head", "arms": {"thaw": arm}}


def test_an_older_file_is_read_and_written_without_what_it_lacks() -> None:
    old = older_file()
    result = ExperimentResult.from_json(old)
    assert (result.arms["thaw"].stale, result.arms["thaw"].cycles, result.payloads) == (4, None, None)
    assert result.cycles_of(result.arms["thaw"]) == 3
    assert result.complete
    written = result.to_json()
    assert {name: written[name] for name in written if name != "complete"} == {
        name: value for name, value in old.items() if name != "phase"
    }
    assert ExperimentResult.from_json(written) == result


def test_a_result_is_written_in_the_order_of_its_settings() -> None:
    arms = {"thaw": ArmResult.from_outcome(outcome(1))}
    result = ExperimentResult.of(SETTINGS, arms, commit="0123abcd", command="again", complete=False)
    written = result.to_json()
    conditions = [name for name, value in SETTINGS.conditions().items() if value is not None]
    assert list(written) == [*conditions, "commit", "command", "complete", "arms"]
    assert ExperimentResult.from_json(written) == result
