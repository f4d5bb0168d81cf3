"""Surroundings that clients share: the intake is reset between them, and each block has its own."""

from __future__ import annotations

import contextlib
import functools
import pathlib

import pytest
import requests

from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import compare
from thaw.lab.intake import Intake
from thaw.lab.worlds import surroundings
from thaw.lab.worlds.surroundings import BlockSurroundings, Surroundings

from . import polling

PLAIN = ExperimentSettings(arms=("thaw", "v98"), close="none", workload="generated", cycles=3, payloads=2)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"close": "silent"}, False),
        ({"world": "W2"}, False),
        ({"world": "W0", "close": "fin"}, False),
    ],
)
def test_arms_share_where_nothing_is_done_to_connections(changes: dict[str, str], expected: bool) -> None:
    settings = ExperimentSettings(**{"close": "none", **changes})  # type: ignore[arg-type]
    assert surroundings.shared(settings) is expected


def test_an_intake_that_begins_anew_knows_nothing_of_the_client_before() -> None:
    with Intake() as intake, requests.Session() as session:
        post = functools.partial(
            session.post, intake.url + "/api/v0.2/traces", data=b"", verify=intake.ca_file, timeout=30
        )
        post()
        intake.begin_period(3)
        intake.hold("written")
        before = intake.counts()
        assert (before["accepted"], before["requests"], before["open"]) == (1, 1, 1)
        intake.begin_anew()
        after = intake.counts()
        counted = ("accepted", "requests", "open", "idle", "body_bytes")
        assert {name: after[name] for name in counted} == dict.fromkeys(counted, 0)
        assert (intake.requests(), intake.spans(), intake.hellos()) == ([], {}, [])
        # Nothing is held any more, and the period is the first one again.
        assert post().status_code == 202
        assert (intake.counts()["accepted"], intake.counts()["requests"]) == (1, 1)


def test_each_block_has_surroundings_of_its_own() -> None:
    with contextlib.closing(BlockSurroundings()) as around:
        first = around.of(0, PLAIN)
        assert first is not None
        assert around.of(0, PLAIN) is first
        second = around.of(1, PLAIN)
        assert second is not None
        assert second.intake.pid != first.intake.pid
        process = pathlib.Path(f"/proc/{first.intake.pid}")
        polling.wait_until(lambda: not process.exists())


def test_arms_of_a_block_are_counted_apart_and_have_one_intake(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Surroundings] = []

    class Counted(Surroundings):
        def __init__(self, settings: ExperimentSettings) -> None:
            super().__init__(settings)
            made.append(self)

    monkeypatch.setattr(surroundings, "Surroundings", Counted)
    settings = ExperimentSettings(
        arms=("thaw", "v98"), close="none", workload="separate", cycles=3, payloads=2, blocks=2
    )
    found = compare.run(settings).result.arms
    assert len(made) == 2
    for name in settings.arms:
        assert (found[name].delivered, found[name].lost, found[name].duplicated) == (12, 0, 0)
        assert found[name].requests == 12
        assert 6 <= found[name].connections <= 12
