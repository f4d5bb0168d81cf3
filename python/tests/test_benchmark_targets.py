"""Targets of logs and metrics: a figure without a right account does not count, whatever it is."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
from collections import Counter
from typing import Any

import pytest
import zstandard

from thaw.lab.benchmarks.extension import accounts, log_lines
from thaw.lab.benchmarks.extension.bench import Gate
from thaw.lab.benchmarks.extension.targets import HEADINGS, Row, Target, rows, table
from thaw.lab.intake import Line, Point, PointKey
from thaw.lab.intake.decode import zstd_frames
from thaw.lab.workload import datagrams
from thaw.lab.workload.numbered_request import NumberedRequest

PLATFORM = {"runs": 9, "to_next_ms": 2.2, "cpu_ms": 1.6, "account": [], "busy": ""}
CPU = Target("CPU", "ms", bar=3, aim=1, theirs="9 ms")


@pytest.mark.parametrize(
    ("measured", "account", "verdict", "reached"),
    [
        (1.0, (), "aim", True),
        (2.0, (), "bar", True),
        (3.5, (), "missed", False),
        (0.5, ("1 of 9 lines did not arrive",), "does not count", False),
    ],
)
def test_a_figure_counts_only_with_its_account(
    measured: float, account: tuple[str, ...], verdict: str, reached: bool
) -> None:
    row = Row(CPU, measured, account)
    assert (row.verdict, row.reached) == (verdict, reached)
    assert row.cells()[-2:] == [account[0] if account else "once", verdict]
    assert row.to_dict()["verdict"] == verdict


def test_bounds_are_upper_lower_or_exact() -> None:
    rate = Target("rate", "a second", 100_000, 200_000, bound="least", digits=0)
    assert [Row(rate, each).verdict for each in (99_999, 100_000, 200_000)] == ["missed", "bar", "aim"]
    assert rate.text(100_000) == "≥ 100,000 a second"
    hosts = Target("connections", "", 3, bound="equal")
    assert [Row(hosts, each).verdict for each in (2, 3, 3.5)] == ["missed", "bar", "missed"]


def test_the_table_names_what_is_wrong_and_that_the_machine_was_busy() -> None:
    figures: dict[str, Any] = {
        "platform_only": {**PLATFORM, "account": ["2 lines came twice"], "busy": "load"}
    }
    text = table(figures)
    assert text.split("\n")[0].split() == " ".join(HEADINGS).split()
    assert text.count("2 lines came twice") == 2
    assert text.count("does not count (busy machine)") == 2
    assert [row.verdict for row in rows({"platform_only": PLATFORM})] == ["bar", "missed"]
    assert table({"size": {"busy": ""}}) == ""


def test_the_account_finds_what_is_missing_what_came_twice_and_what_is_strange() -> None:
    assert accounts.check_numbers("lines", range(3), {0: 1, 1: 1, 2: 1}) == []
    assert accounts.check_numbers("lines", range(3), {0: 1, 1: 2, 3: 1}) == [
        "1 of 3 lines did not arrive, 2 first",
        "1 lines arrived more than once, 1 first",
        "1 lines arrived that were not handed over, 3 first",
    ]
    request = NumberedRequest.of_spans(2)
    whole = {span: 1 for number in range(3) for span in request.ids(number)}
    assert accounts.check_spans(request, 3, whole) == []
    assert accounts.check_spans(request, 2, whole) == ["2 spans arrived that were not handed over"]
    assert accounts.check_spans(request, 4, whole) == ["2 of 8 spans did not arrive, 6 first"]


def test_platform_lines_belong_to_their_own_invocation() -> None:
    lines = {Line("a", f"{kind} RequestId: a more"): 1 for kind in ("START", "END", "REPORT")}
    assert accounts.check_platform_lines(lines, ["a"]) == []
    assert accounts.check_platform_lines(lines, ["a", "b"]) == ["3 of 6 platform lines did not arrive"]
    assert accounts.check_platform_lines({**lines, Line("", "END RequestId: b"): 1}, ["a"]) == [
        "a line of b is credited to no invocation",
        "1 platform lines arrived more than once, or of no invocation",
    ]


def points_of(count: int) -> list[Point]:
    """Returns the points of the first `count` datagrams."""
    sums, samples, last = datagrams.expected(count)

    def key(context: datagrams.Context, kind: Any, time: int = 10) -> PointKey:
        return PointKey(context[0], kind, ("env:prod", context[1]), time)

    return [
        *(Point(key(context, "count"), value) for context, value in sums.items()),
        *(Point(key(context, "distribution"), 1.0, samples=each) for context, each in samples.items()),
        *(Point(key(context, "gauge"), -1.0) for context in last),
        *(Point(key(context, "gauge", 20), value) for context, value in last.items()),
    ]


def test_sums_samples_and_last_values_of_datagrams_are_compared() -> None:
    count = 2 * datagrams.CYCLE + 7
    points = points_of(count)
    assert accounts.check_datagrams(points, count) == []
    assert [each.split(";")[0] for each in accounts.check_datagrams(points, count + 1)] == [
        "2 of 340 counts differ",
        "2 of 320 distributions differ",
        "1 of 340 gauges differ",
    ]


def test_the_expected_sums_are_those_of_the_datagrams() -> None:
    count = datagrams.CYCLE + 3
    sums: Counter[datagrams.Context] = Counter()
    samples: Counter[datagrams.Context] = Counter()
    last = {}
    for number in range(count):
        for line in datagrams.datagram(number % datagrams.CYCLE).decode().split("\n"):
            name, _, rest = line.partition(":")
            value, kind, tags = rest.split("|")
            context = (name, tags.split(",")[1])
            if kind == "c":
                sums[context] += float(value)  # type: ignore[assignment]
            elif kind == "d":
                samples[context] += 1
            else:
                last[context] = float(value)
    assert datagrams.expected(count) == (sums, samples, last)
    assert len({*sums, *samples, *last}) == datagrams.CYCLE
    assert len({name for name, _ in (*sums, *samples, *last)}) == datagrams.NAMES


def test_datagrams_are_sent_evenly() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        took = datagrams.send(20, 1000, receiver.getsockname()[1])
        assert [receiver.recv(1 << 16) for _ in range(20)] == [datagrams.datagram(n) for n in range(20)]
    assert took["seconds"] >= 0.019


def test_records_of_logs_have_a_hundred_characters() -> None:
    texts = [log_lines._record(number, "r" * 36)["record"] for number in range(4)]
    assert [len(texts[0]), len(texts[2])] == [100, 100]
    assert texts[1]["n"] == 1
    (batch,) = log_lines._batches(200, "r" * 36)
    assert batch.count(b'"type":"function"') == 200


def test_frames_are_counted_and_broken_ones_refused() -> None:
    frame = zstandard.ZstdCompressor().compress(b"text")
    assert [zstd_frames(frame * times) for times in (0, 1, 3)] == [0, 1, 3]
    with pytest.raises(ValueError, match="frame 1 of a zstd body"):
        zstd_frames(frame + frame[:-1])


def test_a_gate_opens_before_or_after_a_function_waits(tmp_path: Any) -> None:
    async def through(gate: Gate, first: bool) -> int:
        if first:
            gate.open()
        waiting = asyncio.create_task(asyncio.to_thread(lambda: gate.path.open("rb", buffering=0).read(1)))
        await asyncio.sleep(0.01)
        if not first:
            assert not waiting.done()
            gate.open()
        return len(await asyncio.wait_for(waiting, 10) or b"")

    for first in (True, False):
        with Gate(tmp_path) as gate:
            assert asyncio.run(through(gate, first)) == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes process tables")
def test_a_process_table_of_its_own_has_this_process_alone() -> None:
    program = """
        import os, sys
        from thaw.lab import own_processes
        note = own_processes.enter()
        if note is not None:
            print(note)
            sys.exit(0)
        print(os.getpid(), *sorted(each for each in os.listdir("/proc") if each.isdecimal()))
        sys.exit(7)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    if done.stdout.startswith("no process table"):
        pytest.skip(done.stdout)
    assert (done.stdout, done.stderr, done.returncode) == ("1 1\n", "", 7)
