"""The document on benchmarks: what is measured is held against its bar, and nothing is left out."""

from tools.run_benchmarks import bars, cpp_table, document
from tools.update_readme_test import RESULT

CPU = {"rounds": 15, "thaw_us": 300.0, "pycurl_us": 600.0, "pycurl": "PycURL/1", "resumption": False}
PYTHON = {
    "cpu": [{**CPU, "pooled": False, "ratio": 0.79}, {**CPU, "pooled": True, "ratio": 0.61}],
    "flush": [
        {"round_trip_ms": 0.0, "sharing": True, "requests": 20, "connections": 1, "wall_ms": 9.0},
        {"round_trip_ms": 80.0, "sharing": True, "requests": 20, "connections": 3, "wall_ms": 900.0},
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
    assert reached == [True, False, True, False, True, True, False, True, False, True]


def test_google_benchmark_figures_keep_their_units_and_counters() -> None:
    assert "| `trace` BM_Encode/10 | 12.5 us | 250 | allocations 7 |" in cpp_table(
        {"//cc/trace:encode": GOOGLE}
    )


def test_the_document_has_every_figure_and_where_it_comes_from() -> None:
    text = document("tools/benchmarks", "abc", "2026-01-02", PYTHON, {"//cc/trace:encode": GOOGLE}, [RESULT])
    assert "Written by `tools/benchmarks` on 2026-01-02 at commit abc." in text
    assert text.count("**no**") == 4
    for piece in ("0.79×", "900 ms", "BM_Encode/10", "PycURL/1", "| v93 | 9 |"):
        assert piece in text
