"""The counts that tools/test ends with are those of the tools it ran."""

import json

from tools.run_tests import Count, count_bazel, count_pytest


def summary(label: str, status: str) -> str:
    return json.dumps({"id": {"testSummary": {"label": label}}, "testSummary": {"overallStatus": status}})


def test_bazel_tests_are_counted_by_their_summaries() -> None:
    events = [
        json.dumps({"id": {"started": {}}}),
        summary("//cc/a:a_test", "PASSED"),
        summary("//cc/a:b_test", "FLAKY"),
        summary("//cc/a:c_test", "TIMEOUT"),
        summary("//cc/a:d_test", "NO_STATUS"),
    ]
    assert count_bazel(events, 3) == Count(2, 2, 0, ("//cc/a:c_test (timeout)", "//cc/a:d_test (no_status)"))


def test_a_bazel_failure_without_a_failed_test_is_a_failure() -> None:
    assert count_bazel([], 1).failed == 1
    assert count_bazel([summary("//a:b", "PASSED")], 37) == Count(
        1, 1, 0, ("bazel could not build the tests",)
    )
    assert count_bazel([], 4) == Count()


def test_pytest_cases_are_counted_by_outcome() -> None:
    report = """<testsuites><testsuite>
      <testcase classname="a" name="ok"/>
      <testcase classname="a" name="bad"><failure message="x"/></testcase>
      <testcase classname="a" name="broken"><error message="x"/></testcase>
      <testcase classname="a" name="left out"><skipped message="x"/></testcase>
    </testsuite></testsuites>"""
    assert count_pytest(report, 1) == Count(1, 2, 1, ("a.bad", "a.broken"))


def test_a_pytest_that_dies_is_a_failure() -> None:
    assert count_pytest("", 139) == Count(0, 1, 0, ("pytest ended with exit code 139",))
    assert count_pytest("", 5) == Count()


def test_counts_add_up() -> None:
    assert Count(1, 2, 3, ("a",)) + Count(1, 0, 1, ("b",)) == Count(2, 2, 4, ("a", "b"))
    assert str(Count(3, 0)) == "3 passed, 0 failed"
    assert str(Count(3, 0, 1)) == "3 passed, 0 failed, 1 skipped"
