"""The benchmark of a flush runs against the flusher there is, and counts connections and time."""

from __future__ import annotations

import sys

import pytest

from thaw.lab.benchmarks import client, flush
from thaw.lab.benchmarks.extension import program


# A request that takes long because the processor is busy makes the client open a second connection.
@pytest.mark.alone
@pytest.mark.parametrize(("sharing", "connections"), [(True, 1), (False, 4)])
def test_connections_of_a_flush(sharing: bool, connections: int) -> None:
    figures = flush.flush_of_many(round_trip=0.0, sharing=sharing, requests=4, rounds=1)
    assert (figures["requests"], figures["connections"]) == (4, connections)


def test_the_round_trip_is_in_the_time_of_a_flush() -> None:
    figures = flush.flush_of_many(round_trip=0.03, sharing=False, requests=3, rounds=1)
    assert figures["connections"] == 3
    # Connection, TLS and request are a round trip each, side by side for the three requests.
    assert 90.0 <= figures["wall_ms"] < 3 * 90.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scale=nan"], "--scale: nan is not above 0"),
        (["--scale=0"], "--scale: 0 is not above 0"),
        (["--mtu=-1"], "--mtu: -1 is not from 576 to 65536"),
        (["--json=/nowhere/figures.json"], "the folder /nowhere does not exist"),
        (["--extension=/nowhere"], "/nowhere does not exist"),
        (["nothing"], "invalid choice: 'nothing'"),
    ],
)
def test_wrong_arguments_of_the_extensions_benchmarks_are_named_in_a_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "run", lambda *_, **__: pytest.fail("it was run"))
    with pytest.raises(SystemExit) as stopped:
        program.main(arguments)
    said = capsys.readouterr().err
    assert (stopped.value.code, said.count("\n")) == (2, 1)
    assert says in said


@pytest.mark.parametrize(
    ("argument", "says"),
    [("nothing", "no such group: nothing"), ("--json=/nowhere/x", "the folder /nowhere does not exist")],
)
def test_wrong_arguments_of_benchmarks_are_named_in_a_line(
    argument: str, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "measure", lambda *_, **__: pytest.fail("it was run"))
    monkeypatch.setattr(sys, "argv", ["benchmarks", argument])
    with pytest.raises(SystemExit) as stopped:
        client.main()
    said = capsys.readouterr().err
    assert (stopped.value.code, said.count("\n")) == (2, 1)
    assert says in said
