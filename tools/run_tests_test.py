"""The counts that tools/test ends with are those of the tools it ran."""

import argparse
import json
import subprocess
from collections.abc import Mapping

import pytest

from tools import run_tests
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


def test_each_test_file_is_in_one_group() -> None:
    groups = run_tests.pytest_groups(run_tests.ROOT)
    others = groups.pop("others")
    named = [path for first, *paths in groups.values() for path in paths if first == "--own-network"]
    assert len(named) == len(set(named))
    assert sorted(others) == sorted(f"--ignore={path}" for path in named)
    assert all((run_tests.ROOT / path).is_file() for path in named)
    assert all(len(arguments) > 1 for arguments in groups.values())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (subprocess.CompletedProcess([], 0, "", ""), None),
        (
            subprocess.CompletedProcess([], 1, "", "unshare: unshare failed: Operation not permitted\n"),
            "unshare: unshare failed: Operation not permitted",
        ),
        (FileNotFoundError(2, "No such file or directory"), "unshare: No such file or directory"),
    ],
)
def test_without_network_namespaces_tests_run_one_after_another(
    monkeypatch: pytest.MonkeyPatch, answer: object, reason: str | None
) -> None:
    def run(*args: object, **kwargs: object) -> object:
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(subprocess, "run", run)
    assert run_tests.why_no_own_network() == reason


def test_pytest_runs_by_groups_and_what_measures_times_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []

    def record(*arguments: str, name: str = "", environment: Mapping[str, str] | None = None) -> Count:
        assert environment is None
        ran.append((name, arguments))
        return Count(1)

    monkeypatch.setattr(run_tests, "run_pytest", record)
    monkeypatch.setattr(run_tests, "why_no_own_network", lambda: None)
    options = argparse.Namespace(quick=True)
    assert run_tests.step_pytest(options) == Count(len(run_tests.PYTEST_GROUPS) + 1)
    assert ran[-1] == ("alone: ", ("-m", "alone and not slow"))
    assert {name for name, _ in ran[:-1]} == {f"{name}: " for name in run_tests.PYTEST_GROUPS}
    assert all(arguments[:2] == ("-m", "not alone and not slow") for _, arguments in ran[:-1])
    ran.clear()
    monkeypatch.setattr(run_tests, "why_no_own_network", lambda: "it is forbidden")
    assert run_tests.step_pytest(options) == Count(1)
    assert ran == [("", ("-m", "not slow"))]
    assert "it is forbidden" in capsys.readouterr().out


def test_files_run_side_by_side_with_address_sanitizer_where_each_may_have_a_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = []

    def record(*arguments: str, name: str = "", environment: Mapping[str, str]) -> Count:
        ran.append(arguments)
        assert environment["THAW_EXTENSION"].endswith("bazel-fuzz-bin/cc/extension/datadog-agent")
        return Count(1)

    monkeypatch.setattr(run_tests, "run", lambda *command: 0)
    monkeypatch.setattr(run_tests, "run_pytest", record)
    monkeypatch.setattr(run_tests, "why_no_own_network", lambda: None)
    files = sorted(run_tests.ASAN_TESTS.values())
    assert run_tests.step_asan(argparse.Namespace()) == Count(len(files))
    assert sorted(ran) == [("--own-network", path) for path in files]
    ran.clear()
    monkeypatch.setattr(run_tests, "why_no_own_network", lambda: "it is forbidden")
    assert run_tests.step_asan(argparse.Namespace()) == Count(1)
    assert [sorted(each) for each in ran] == [files]
