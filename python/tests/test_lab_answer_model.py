"""The model of a flush: cases that are computed by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from thaw.lab.answer import model, simulation
from thaw.lab.answer.cells import Cell, Cells
from thaw.lab.answer.model import FULL, RESUMED, WARM, Model
from thaw.lab.answer.simulation import Client, Costs, Flush, Line, Policy, Quota

from .test_lab_answer import COSTS, MODEL, measured

NOTHING = Costs(0.0, 0.0, 0.0, 0.0)
KEPT = Policy(idle=4, keeps=True)


def client(
    policy: Policy,
    round_trip: float = 20.0,
    *,
    full_handshake: int = 1,
    woken: Costs = NOTHING,
    busy: Costs | None = None,
    intake: Costs = NOTHING,
) -> Client:
    return Client(policy, Line(round_trip, full_handshake), woken, busy or woken, intake)


# -- What arms do --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("thaw", Policy()),
        (FULL, Policy(most=1, resumes=False)),
        ("thaw-unshared", Policy(shares=False)),
        ("thaw-pooled(on_resume=keep)", KEPT),
        ("thaw-pooled", Policy(idle=4)),
        ("pycurl", None),
        ("v92", None),
    ],
)
def test_the_model_reads_an_arms_policy_from_its_options(arm: str, expected: Policy | None) -> None:
    assert model.policy(arm) == expected


def test_peers_dial_for_each_request_one_after_the_other() -> None:
    found = model.policy("v98")
    assert found is not None
    assert (found.one_by_one, found.shares, found.idle, found.eager) == (True, False, 0, True)


# -- Cells ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arm", "payloads", "settings", "expected"),
    [
        # a flush + 2 round trips + a dial + a round trip + an exchange
        (RESUMED, 1, {}, 0.5 + 2 * 20 + 2.0 + 20 + 0.25),
        (FULL, 1, {}, 0.5 + 2 * 20 + 3.0 + 20 + 0.25),
        (FULL, 1, {"tls_version": "1.2"}, 0.5 + 3 * 20 + 3.0 + 20 + 0.25),
        (RESUMED, 1, {"tls_version": "1.2"}, 0.5 + 2 * 20 + 2.0 + 20 + 0.25),
        (WARM, 1, {}, 0.5 + 20 + 0.25),
        (WARM, 20, {}, 0.5 + 20 * (20 + 0.25)),
        (RESUMED, 20, {}, 0.5 + 2 * 20 + 2.0 + 20 * (20 + 0.25)),
        ("v98", 5, {}, 0.5 + 5 * (3 * 20 + 2.0 + 0.25)),
    ],
)
def test_the_model_predicts_a_flush(
    arm: str, payloads: int, settings: dict[str, Any], expected: float
) -> None:
    (cell,) = measured(arm, (1.0,), payloads=payloads, round_trip=0.02, cycles=3, **settings)
    found = MODEL.predict(cell)
    assert found is not None
    assert found.wall_ms == pytest.approx(expected)


def test_the_model_counts_the_first_flushs_connections_too() -> None:
    (cell,) = measured("thaw-pooled(on_resume=keep)", (1.0,), payloads=1, round_trip=0.02, cycles=8)
    found = MODEL.predict(cell)
    assert found is not None
    assert found.connections == 1 / 8
    assert found.cpu_ms == pytest.approx(0.5 + 0.25)  # the first flush is left out


def test_with_a_share_of_a_processor_a_flush_begins_anywhere_in_a_period() -> None:
    starts = model._starts(0.1)
    assert len({each.period_left for each in starts}) == len({each.quota_left for each in starts}) == 8
    assert sum(each.quota_left for each in starts) / 8 == 0.5
    assert model._starts(1.0) == [Quota()]
    (cell,) = measured(WARM, (1.0,), payloads=20, round_trip=0.005, cpu_share=0.1, cycles=3)
    whole = dataclasses.replace(cell, rows=[dataclasses.replace(cell.row, cpu_share=1.0)])
    limited, unlimited = MODEL.predict(cell), MODEL.predict(whole)
    assert limited is not None
    assert unlimited is not None
    # 105.5 ms hold 5.5 ms of work; 2 ms in each period of 20 are hardly ever short, and never for long.
    assert unlimited.wall_ms == pytest.approx(105.5)
    assert unlimited.wall_ms <= limited.wall_ms < unlimited.wall_ms + 20


@pytest.mark.parametrize("without_round_trip", [True, False])
def test_the_constants_are_read_from_the_calibration(without_round_trip: bool) -> None:
    intake = Costs(0.125, 0.5, 1.0, 1.5)
    busy = Costs(0.25, 0.125, 1.0, 2.0)

    def cells(client: Costs, intake: Costs, trip: float) -> Cells:
        both = Costs(*(sum(pair) for pair in zip(*map(dataclasses.astuple, (client, intake)), strict=True)))
        made: list[Cell] = []
        for arm, dial in ((WARM, None), (RESUMED, "resumed"), (FULL, "full")):
            for payloads in (1, 20):
                wall, cpu = (
                    costs.flush
                    + payloads * (costs.request + wait)
                    + (getattr(costs, dial) + 2 * wait if dial else 0)
                    for costs, wait in ((both, trip * 1e3), (client, 0.0))
                )
                made += measured(arm, (wall,), cpu, payloads=payloads, round_trip=trip)
        return Cells(made)

    found = cells(COSTS, intake, 0.005)
    if without_round_trip:
        found = Cells([*found, *cells(busy, intake, 0.0)])
    made = Model.calibrated(found)
    expected = (COSTS, busy if without_round_trip else COSTS, intake)
    for costs, wanted in zip((made.woken, made.busy, made.intake), expected, strict=True):
        assert dataclasses.astuple(costs) == pytest.approx(dataclasses.astuple(wanted))


# -- The two ends --------------------------------------------------------------------------------------------


def test_dials_at_once_wait_for_each_other_at_the_end_that_is_slower() -> None:
    found = client(Policy(shares=False), woken=COSTS, intake=Costs(0.0, 0.0, 2.0, 2.0))
    found.flush(2, 100)
    # The intake works for 2 x 2 ms, while the client's work on one dial falls into its waiting.
    assert found.flush(2, 100).milliseconds == pytest.approx(0.5 + 20 + 1 + 10 + 2 * 2 + 10 + 1 + 0.25 + 20)


def test_work_of_a_client_that_is_busy_costs_less() -> None:
    woken, busy = Costs(0.0, 1.0, 0.0, 0.0), Costs(0.0, 0.5, 0.0, 0.0)
    found = client(Policy(shares=False), woken=woken, busy=busy)
    # Sent at 40.5 and 40.75; the answers come a round trip later, the second while the first is read.
    assert found.flush(2, 100).milliseconds == pytest.approx(60.5 + 0.5 + 0.25)


def test_work_beyond_a_share_of_a_processor_waits_for_the_next_period() -> None:
    found = client(KEPT, 5.0, woken=Costs(5.0, 0.0, 0.0, 0.0))
    found.flush(1, 100)
    # 1 ms at once, 2 ms from 6 on, 2 ms from 26 on, then a round trip.
    limited = Quota(share=0.1, period_left=6.0, quota_left=0.5)
    assert found.flush(1, 100, limited).milliseconds == pytest.approx(28 + 5)


# -- Connections ---------------------------------------------------------------------------------------------


def test_requests_that_take_longer_than_a_dial_have_connections_of_their_own() -> None:
    found = client(Policy())
    found.flush(5, 100)
    assert found.flush(5, 100) == Flush(60.0, 5)
    assert found.flush(20, 100) == Flush(40.0 + 4 * 20.0, 6)


def test_a_second_request_waits_for_the_first_where_a_dial_takes_as_long_as_both() -> None:
    found = client(KEPT)
    assert found.flush(2, 100) == Flush(80.0, 1)
    assert found.flush(2, 100) == Flush(40.0, 0)


def test_a_client_that_knows_no_dials_time_dials_again_after_50_ms() -> None:
    found = client(KEPT, 80.0)
    assert found.flush(2, 100) == Flush(50.0 + 160.0 + 80.0, 2)
    assert found.flush(2, 100) == Flush(80.0, 0)


def test_the_longer_handshake_of_tls_1_2_leaves_two_connections_for_five_requests() -> None:
    found = client(KEPT, full_handshake=2)
    assert found.flush(5, 100) == Flush(140.0, 2)
    assert found.flush(5, 100) == Flush(60.0, 0)


def test_no_more_connections_are_kept_than_may_be_idle() -> None:
    found = client(dataclasses.replace(KEPT, idle=1, shares=False), 80.0)
    found.flush(2, 100)
    assert len(found._idle) == 1


# -- Bodies --------------------------------------------------------------------------------------------------


def test_a_body_waits_while_the_window_of_a_fresh_connection_grows() -> None:
    # 500 bytes of a head, and 22 for each 16 KiB of the body.
    assert simulation._Connection().further_flights(14_480 - 522) == 0
    assert simulation._Connection().further_flights(14_480 - 521) == 1
    assert simulation._Connection().further_flights(3 * 14_480 - 566) == 1
    assert simulation._Connection().further_flights(3 * 14_480 - 565) == 2


def test_a_kept_connection_sends_as_much_at_once_as_its_window_has_grown_to() -> None:
    kept = simulation._Connection()
    assert kept.further_flights(122_900) == 3  # 14,480, 28,960 and 57,920 bytes before the last flight
    assert [kept.further_flights(122_900) for _ in range(3)] == [1, 0, 0]  # 115,840 bytes before it, once
    assert kept.further_flights(60_000) == 0
