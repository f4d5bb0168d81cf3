"""The document on benchmarks: each figure is compared with its bar, and none is left out."""

import copy
import dataclasses
from typing import Any

from thaw.lab.benchmarks.extension.targets import rows
from tools.documents.extension_bars import extension_bars, target_bars
from tools.documents.results_table import with_experiment
from tools.documents.run_benchmarks import bars, cpp_table, document, extension_section, with_extension
from tools.documents.update_readme_test import RESULT

CPU = {"rounds": 15, "thaw_us": 300.0, "pycurl_us": 600.0, "pycurl": "PycURL/1", "resumption": False}
PYTHON = {
    "cpu": [{**CPU, "pooled": False, "ratio": 0.79}, {**CPU, "pooled": True, "ratio": 0.61}],
    "flush": [
        {"round_trip_ms": 0.0, "sharing": True, "requests": 20, "connections": 1, "wall_ms": 9.0},
        {"round_trip_ms": 20.0, "sharing": True, "requests": 20, "connections": 6, "wall_ms": 201.0},
        {"round_trip_ms": 80.0, "sharing": True, "requests": 20, "connections": 7, "wall_ms": 800.0},
        {"round_trip_ms": 80.0, "sharing": False, "requests": 20, "connections": 20, "wall_ms": 250.0},
    ],
    "memory": [{"per_client": 2**20, "per_connection": 48 * 1024 + 1}],
    "simulation": [{"payloads": 2, "cycles_per_second": {"idle": 20000.0, "inflight": 19999.0}}],
    "invariants": [
        {"cycles": 10_000_000, "runs": 500, "seed": 1, "faults_met": 9, "broken": 0, "seconds": 300.0}
    ],
}
RUN = {"name": "BM_Encode/10", "run_type": "iteration", "iterations": 100, "real_time": 9.0, "cpu_time": 12.5}
GOOGLE = {"benchmarks": [{**RUN, "time_unit": "us", "bytes_per_second": 2.5e8, "allocations": 7.0}]}


def test_a_bar_is_reached_or_not() -> None:
    reached = [bar.reached for bar in bars(PYTHON)]
    assert reached == [
        True,
        False,
        True,
        True,
        True,
        False,
        False,
        True,
        True,
        True,
        False,
        True,
        False,
        True,
    ]


def test_google_benchmark_figures_keep_their_units_and_counters() -> None:
    assert "| `trace` BM_Encode/10 | 12.5 us | 250 | allocations 7 |" in cpp_table(
        {"//cc/trace:encode": GOOGLE}
    )


def test_the_document_has_every_figure_and_where_it_comes_from() -> None:
    text = document("tools/benchmarks", "abc", "2026-01-02", PYTHON, {"//cc/trace:encode": GOOGLE}, [RESULT])
    assert "Written by `tools/benchmarks` on 2026-01-02 at commit abc." in text
    assert text.count("**no**") == 5
    for piece in ("0.79×", "201 ms", "(wall time 250 ms)", "BM_Encode/10", "PycURL/1", "| v93 | 9 |"):
        assert piece in text


EXTENSION: dict[str, Any] = {
    "mtu": 1500,
    "machine_speed": [60_000.4, 30_000.0],
    "size": {"stripped_mb": 4.5, "gzip_mb": 2.3},
    "startup": {
        "runs": 50,
        "wall_ms": 3.9,
        "cpu_ms": 2.0,
        "resident_mb": 4.0,
        "threads": 1,
        "shutdown_first_ms": 1.0,
    },
    "shutdown": {"runs": 30, "took_ms": 3.0},
    "memory": {
        "payloads": 1000,
        "delivered": 999,
        "before_flush_mb": 9.0,
        "after_flush_mb": 9.0,
        "peak_mb": 15.0,
    },
    "bounded": {
        "memory_mb": 512,
        "budget_mb": 64.0,
        "used_mb": 63.9,
        "peak_mb": 80.0,
        "statuses": {"200": 9, "429": 9},
    },
    "load": {
        "body_bytes": 3800,
        "nginx": None,
        "connections": {
            each: {
                "runs": 5,
                "payloads": 9,
                "payloads_per_second": 30_000.0,
                "cpu_us": 25.0,
                "budget_mb": 64.0,
                "refused": 0,
                "dropped": dropped,
            }
            for each, dropped in (("1", 0), ("8", 1))
        },
    },
    "two_writes": {"runs": 500, "body_bytes": 9400, "median_ms": 0.2},
    "end_of_invocation": {
        "mtu": 1500,
        "payloads": {
            each: {
                "runs": 9,
                "from_runtime_done_ms": 2.0,
                "from_response_ms": 26.0,
                "once": True,
                "connections_per_flush": 1.0,
                "full_handshakes": 0,
            }
            for each in ("1", "100")
        },
    },
    "idle": {"parked_ms": 0.0, "open_ms": 0.1},
    "outage": {
        "invocations": 200,
        "before_breaker_ms": 3900.0,
        "probing": 5,
        "most_in_a_probing_ms": 301.0,
        "others": 190,
        "in_others_ms": 0.04,
        "in_others_uncertain_ms": 0.05,
        "most_in_others_ms": 0.0,
        "most_with_nothing_ms": 0.3,
        "handed_over": 203,
        "delivered": 200,
        "dropped": 3,
    },
    "endurance": {
        "invocations": 10_000,
        "payloads_once": 10_000,
        "lines_logged": 0,
        "connections": 10_000,
        "resident_growth_kb": 257.0,
    },
}


def test_an_outage_adds_nothing_only_if_that_is_known() -> None:
    for added, uncertain, reached in (
        (0.01, 0.02, True),
        (-0.01, 0.005, True),
        (0.02, 0.01, False),
        (0.0, 0.2, False),
        (0.0, float("inf"), False),
    ):
        figures = copy.deepcopy(EXTENSION)
        figures["outage"].update(in_others_ms=added, in_others_uncertain_ms=uncertain)
        bars = extension_bars(figures)
        assert [bar.reached for bar in bars if "on average" in bar.what] == [reached]


def test_figures_beyond_a_bar_miss_it() -> None:
    missed = [bar.what for bar in extension_bars(EXTENSION) if not bar.reached]
    assert len(missed) == 5
    for what, start in zip(
        missed,
        (
            "the same, gzip",
            "resident with 1,000",
            "/v0.4/traces, 8",
            "resident memory, growth",
            "the same: most added",
        ),
        strict=True,
    ):
        assert what.startswith(start)


def test_logs_and_metrics_have_a_table_of_their_own() -> None:
    run = {"runs": 9, "to_next_ms": 2.2, "cpu_ms": 1.6, "account": []}
    figures = {**EXTENSION, "platform_only": run}
    figures["targets"] = [row.to_dict() for row in rows(figures)]
    section = extension_section("tools/benchmarks --extension-only", "def", "2026-02-03", figures)
    assert "### Logs and metrics" in section
    assert "end to /next | 6.9 ms | ≤ 2.5 ms | ≤ 2 ms | 2.20 ms | once | bar |" in section
    assert [bar.reached for bar in target_bars(figures)] == [True, False]
    assert "### Logs" not in extension_section("tools/benchmarks", "def", "2026-02-03", EXTENSION)
    text = document("tools/benchmarks", "abc", "2026-01-02", PYTHON, {"//cc/trace:encode": GOOGLE}, [RESULT])
    assert with_extension(with_extension(text, section), section).count("### Logs and metrics") == 1


def test_the_section_on_the_executable_replaces_the_one_there_is() -> None:
    text = document("tools/benchmarks", "abc", "2026-01-02", PYTHON, {"//cc/trace:encode": GOOGLE}, [RESULT])
    section = extension_section("tools/benchmarks --extension-only", "def", "2026-02-03", EXTENSION)
    once = with_extension(text, section)
    assert "nginx is not installed" in once
    assert "60,000 cycles" in once
    assert once.replace(section + "\n", "") == text
    assert with_extension(once, section) == once


def test_an_experiment_replaces_the_one_of_its_kind() -> None:
    other = dataclasses.replace(RESULT, close="fin")
    text = document("tools/benchmarks", "abc", "2026-01-02", PYTHON, {}, [RESULT, other])
    again = dataclasses.replace(RESULT, cycles=7, commit="0123456789abcdef")
    once = with_experiment(text, again)
    assert "at commit 0123456789ab" in once
    assert once.count("World W1, frozen idle, peer's close: rst;") == 1
    assert with_experiment(once, RESULT) == text
    third = dataclasses.replace(RESULT, close="race")
    assert with_experiment(text, third).startswith(text)
