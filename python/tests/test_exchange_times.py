"""How long the parts of an exchange took, in results of requests, in reports of flushes and in rows."""

from __future__ import annotations

import pathlib
import pickle
import time
from collections.abc import Iterator

import pytest

import thaw
from thaw.lab import report
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import compare
from thaw.lab.intake import Intake
from thaw.lab.intake.script import Answer, Script
from thaw.lab.report.exchange_rows import EXCHANGES_FILE, ExchangeRow
from thaw.lab.report.measure import read_rows

from .test_flusher import bodies, payload

LATENCY = 0.02  # each way


@pytest.fixture
def intake() -> Iterator[Intake]:
    with Intake(Script(latency=LATENCY)) as made:
        yield made


def options(intake: Intake, **fields: object) -> thaw.ClientOptions:
    given = {"tls_cert_file": intake.ca_file, "use_public_roots": False, "max_idle_per_host": 0, **fields}
    return thaw.ClientOptions(**given)  # type: ignore[arg-type]


def test_a_dialled_exchange_has_all_parts_but_the_look_up(intake: Intake) -> None:
    with thaw.Client(options(intake)) as client:
        begun = time.monotonic()
        result = client.send(intake.url, b"x")
        took = time.monotonic() - begun
    times = result.times
    assert times is not None
    assert times.name_lookup is None  # the intake's host is an address
    assert times.connect is not None
    assert times.tls is not None
    assert times.tls >= 2 * LATENCY
    assert times.waited >= times.connect + times.tls
    assert 2 * LATENCY <= times.first_byte <= times.last_byte
    assert (times.reused, times.shared, times.resumed, times.epoch) == (False, False, False, 0)
    assert times.waited + times.last_byte <= result.elapsed <= took


def test_a_name_is_looked_up_once(intake: Intake) -> None:
    with thaw.Client(options(intake)) as client:
        url = intake.url.replace("127.0.0.1", "localhost")
        first, second = (client.send(url, b"x").times for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.name_lookup is not None
    assert second.name_lookup is not None
    assert second.name_lookup < 0.01  # it is cached
    assert (first.resumed, second.resumed) == (False, True)


def test_reuse_sharing_and_the_epoch_are_told(intake: Intake) -> None:
    with thaw.Client(options(intake, max_idle_per_host=1, share_patience=30.0)) as client:
        client.resume()
        both = client.send_many([thaw.Request(intake.url, b"x")] * 2, concurrent=True)
        later = client.send(intake.url, b"x")
        client.resume()
        after = client.send(intake.url, b"x")
    first, second, third, fourth = (each.times for each in (*both, later, after))
    assert first is not None
    assert second is not None
    assert third is not None
    assert fourth is not None
    assert [each.reused for each in (first, second, third, fourth)] == [False, True, True, False]
    assert [each.shared for each in (first, second, third, fourth)] == [False, True, False, False]
    assert [each.epoch for each in (first, second, third, fourth)] == [1, 1, 1, 2]
    assert second.connect is None
    assert second.waited > first.waited
    assert third.waited < LATENCY


def test_a_refusal_has_times_and_a_failure_has_none(intake: Intake) -> None:
    with thaw.Client(options(intake, max_attempts=1)) as client:
        intake.script(Script(answer=Answer(503, delay=0.05)))
        refused = client.send(intake.url, b"x")
        failed = client.send("http://127.0.0.1:1/", b"x")
    assert refused.times is not None
    assert refused.times.first_byte >= 0.05
    assert failed.times is None
    assert failed.elapsed >= 0
    assert refused.to_dict()["times"] == refused.times.to_dict()
    assert failed.to_dict()["times"] is None


def test_a_flush_has_the_times_of_its_requests(intake: Intake) -> None:
    with thaw.Client(options(intake)) as client:
        flusher = thaw.TraceFlusher(client, intake.url, "key")
        for body in bodies(3, spans=2):
            flusher.add(payload(body))
        flushed = flusher.flush(deadline=10.0)
        total = flusher.total
    assert len(flushed.exchanges) == flushed.requests >= 1
    assert len(total.exchanges) == flushed.requests
    assert flushed.elapsed >= max(each.waited + each.last_byte for each in flushed.exchanges)
    assert flushed.to_dict()["exchanges"] == [each.to_dict() for each in flushed.exchanges]


def test_times_survive_pickling(intake: Intake) -> None:
    with thaw.Client(options(intake)) as client:
        result = client.send(intake.url, b"x")
    assert result.times is not None
    for value in (result.times, result):
        again = pickle.loads(pickle.dumps(value))
        assert again.to_dict() == value.to_dict()
        assert repr(again) == repr(value)
    with pytest.raises(AttributeError):
        result.times.waited = 1.0  # type: ignore[misc]


def test_each_exchange_of_an_experiment_has_a_row(tmp_path: pathlib.Path) -> None:
    settings = ExperimentSettings(
        arms=("thaw", "v92", "requests"), cycles=4, payloads=2, blocks=2, workload="generated", close="none"
    )
    made = compare.run(settings)
    assert made.measurements is not None
    rows = made.measurements.exchanges
    assert {row.arm for row in rows} == {"thaw", "v92"}  # requests tells nothing
    assert sorted({row.cycle for row in rows}) == list(range(8))
    for row in rows:
        assert row.first_byte_ms <= row.last_byte_ms
        assert row.reused == (row.connect_ms is None)
        assert row.epoch == (row.cycle % 4 if row.arm == "thaw" else 0)
    # The first connection of each block is a full handshake; v92 forgets each session with its client.
    assert not any(row.resumed for row in rows if row.arm == "v92" or row.cycle % 4 == 0)
    assert all(row.resumed for row in rows if row.arm == "thaw" and row.cycle % 4 and not row.reused)
    report.save_run(tmp_path, made)
    assert read_rows(tmp_path / EXCHANGES_FILE, ExchangeRow) == rows
    again = report.read_run(tmp_path)
    assert again.measurements is not None
    assert again.measurements.exchanges == rows
    (tmp_path / EXCHANGES_FILE).unlink()  # as in a folder of an older version
    older = report.read_run(tmp_path)
    assert older.measurements is not None
    assert older.measurements.exchanges == []
