"""The benchmarks of the extension, each once and quickly: that they measure what they say."""

from __future__ import annotations

import json
import pathlib
import struct
import subprocess
from typing import Any

import msgpack
import pytest

from thaw.lab.benchmarks.extension import program
from thaw.lab.executables import LOAD_GENERATOR
from thaw.lab.workload.numbered_request import NumberedRequest

from . import quick_load
from .extension_under_test import EXTENSION, needs_extension


def ids_of(request: NumberedRequest, number: int) -> list[dict[str, Any]]:
    """The spans of the request of that number, as its receiver reads them."""
    data = bytearray(request.data)
    for at in request.offsets:
        value = struct.unpack_from(">Q", data, at)[0]
        struct.pack_into(">Q", data, at, value + number * request.step)
    (trace,) = msgpack.unpackb(bytes(data[-request.body_bytes :]))
    return list(trace)


def test_a_numbered_request_has_ids_of_its_own() -> None:
    request = NumberedRequest.of_spans(10)
    assert 3600 <= request.body_bytes <= 4000
    for number in (0, 1, 12_345):
        spans = ids_of(request, number)
        assert [span["span_id"] for span in spans] == list(request.ids(number))
        assert {span["parent_id"] for span in spans[1:]} == {spans[0]["span_id"]}
        assert len({span["trace_id"] for span in spans}) == 1
        assert all(len(span["meta"]) == 8 for span in spans)
    assert ids_of(request, 1)[0]["trace_id"] != ids_of(request, 2)[0]["trace_id"]
    with pytest.raises(ValueError, match="0 spans"):
        NumberedRequest.of_spans(0)


# Benchmarks with an account: nothing that the function handed over is missing, and nothing came twice.
COUNTED = {"logs", "dogstatsd", "datagram_rate", "platform_only", "connections", "endurance_of_all"}


@needs_extension
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("name", sorted(COUNTED - {"datagram_rate"}))
def test_the_account_of_each_row_is_right(name: str, tmp_path: pathlib.Path) -> None:
    figures_file = tmp_path / "figures.json"
    done = subprocess.run(
        [
            *quick_load.command("thaw.lab.benchmarks.extension", "--scale", "0.01", name),
            *("--extension", str(EXTENSION), "--json", str(figures_file)),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    figures = json.loads(figures_file.read_text())
    assert figures[name]["account"] == []
    rows = figures["targets"]
    assert rows
    assert all(row["account"] == [] for row in rows), rows
    # Memory may shrink.
    assert all(row["measured"] >= 0 or "growth" in row["what"] for row in rows), rows
    assert done.stdout.count("\n") == len(rows) + 1
    assert " once " in done.stdout
    if name == "logs":
        assert figures[name]["frames_of_a_request"] == 1
        assert 0 < figures[name]["to_one_frame"] <= 1.05
    if name == "connections":
        assert figures[name]["hosts_3"]["targets"] == figures[name]["hosts_1"]["targets"]
        assert len(figures[name]["hosts_1"]["targets"]) >= 4


@needs_extension
@pytest.mark.slow
def test_each_benchmark_measures_something(tmp_path: pathlib.Path) -> None:
    if not LOAD_GENERATOR.exists():
        pytest.skip("no load generator; bazel build //tools/load_generator")
    figures_file = tmp_path / "figures.json"
    done = subprocess.run(
        [
            *quick_load.command("thaw.lab.benchmarks.extension", "--scale", "0.02"),
            *("--extension", str(EXTENSION), "--json", str(figures_file)),
            *(name for name in program.BENCHMARKS if name not in COUNTED),
        ],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(figures_file.read_text())
    assert set(figures) == {*program.BENCHMARKS, "mtu", "targets"} - COUNTED
    assert figures["startup"]["exit_codes"] == [0]
    assert figures["startup"]["threads"] == 1
    assert figures["shutdown"]["delivered"]
    assert figures["memory"]["delivered"] == figures["memory"]["accepted"] == figures["memory"]["payloads"]
    assert figures["bounded"]["used_mb"] <= figures["bounded"]["budget_mb"]
    for run in figures["load"]["connections"].values():
        assert run["refused"] == run["dropped"] == 0
    assert figures["two_writes"]["median_ms"] < 20
    for run in figures["end_of_invocation"]["payloads"].values():
        assert run["once"]
        assert run["connections_per_flush"] == 1
    assert figures["endurance"]["payloads_once"] == figures["endurance"]["invocations"]
    assert figures["outage"]["delivered"] + figures["outage"]["dropped"] >= figures["outage"]["handed_over"]
