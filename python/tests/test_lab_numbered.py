"""The account of log lines and points that chaos makes: each of its invariants is broken once."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from thaw.lab.emulator.functions import poster
from thaw.lab.experiments.numbered import (
    Numbered,
    log_lines,
    number_of_line,
    points,
    points_sent,
    samples_by_number,
)
from thaw.lab.intake import Intake, Point, PointKey


def made(**changed: Any) -> Numbered:
    """Returns the account of three lines: two arrived, and one is said to be lost."""
    return Numbered(
        **{"name": "lines", "taken": {0, 1, 2}, "times": {0: 1, 1: 1}, "reported_lost": 1, **changed}
    )


def violations(account: Numbered, *, counts_lost: bool = False, cut_off: bool = False) -> list[str]:
    return account.violations(counts_lost=counts_lost, cut_off=cut_off)


def test_a_good_account_has_no_fault() -> None:
    assert violations(made()) == []
    assert made().arrived == 2
    assert violations(made(times={0: 1, 1: 2}, unanswered={1: 1})) == []


def test_a_missing_line_that_is_not_reported_as_lost_is_a_fault() -> None:
    (said,) = violations(made(reported_lost=0))
    assert said == "1 lines were taken and never arrived, 0 are accounted for; the first: [2]"
    assert violations(made(reported_lost=0), counts_lost=True) == []


def test_a_line_twice_is_a_fault() -> None:
    (said,) = violations(made(times={0: 1, 1: 2}))
    assert said == "1 lines arrived more often than they may: [1]"
    assert violations(made(times={0: 1, 1: 2}), cut_off=True) == []
    assert violations(made(times={0: 1, 1: 2}, repeated=True)) == []


@pytest.mark.parametrize(
    ("text", "number"), [("line 17\n", 17), ("line 0", 0), ("a line 3", None), ("line 3 of", None)]
)
def test_only_the_functions_lines_have_numbers(text: str, number: int | None) -> None:
    assert number_of_line(text) == number


def entry(text: str) -> dict[str, Any]:
    message = {"message": text, "lambda": {"arn": "a", "request_id": "r"}, "timestamp": 1, "status": "info"}
    return {"message": message, "hostname": "a", "service": "", "ddtags": "", "ddsource": "lambda"}


def counts(*, dropped: int = 0, kept: int = 0, flooded: int = 0, entries: int = 9000) -> dict[str, Any]:
    """Returns the counts of an extension that was given 9,000 lines."""
    logs = {"lines": 9000, "entries": entries - flooded, "flooded": flooded, "turned_away": 0}
    pipeline = {"dropped": {"refused": dropped}, "kept": kept}
    return {"logs": logs, "flush": {"pipelines": {"logs": pipeline}}}


def test_the_account_of_lines_is_made_of_the_intake_and_the_extensions_counts() -> None:
    with Intake() as intake:
        body = json.dumps([entry("line 0"), entry("line 1\n"), entry("line 1\n"), entry("START")]).encode()
        requests.post(f"{intake.url}/api/v2/logs", body, verify=intake.ca_file, timeout=10)
        account = log_lines([0, 1, 2, 3], intake, counts(), repeated=False)
        assert (account.missing, account.beyond, account.reported_lost) == ([2, 3], [1], 0)
        assert log_lines([], intake, counts(flooded=2), repeated=False).reported_lost == 2
        # The lines of a batch that is lost are not counted one by one.
        assert log_lines([], intake, counts(dropped=1, kept=1), repeated=False).reported_lost == 2000
        assert log_lines([], intake, counts(entries=700, kept=1), repeated=False).reported_lost == 9000
        assert log_lines([], intake, counts(entries=8990), repeated=False).reported_lost == 10, (
            "not handed over"
        )
        assert log_lines([], intake, None, repeated=False).reported_lost == 0


def metric_counts(*, kept: int = 0, unread: int = 0, turned_away: int = 0) -> dict[str, Any]:
    """Returns the counts of an extension that handed over 50 points and 9 sketches."""
    series = {"dropped": {}, "kept": kept}
    return {
        "dogstatsd": {"dropped": unread},
        "metrics": {"dropped": 0, "limited": 0, "turned_away": turned_away, "points": 50, "sketches": 9},
        "flush": {"pipelines": {"series": series, "sketches": {"dropped": {}, "kept": 0}}},
    }


def test_the_account_of_points_is_made_of_the_intake_and_the_extensions_counts() -> None:
    name = poster.METRICS[0][0]
    series = [
        {
            "metric": name,
            "type": 1,
            "tags": [f"number:{number}"],
            "points": [{"timestamp": 5, "value": value}],
        }
        for number, value in ((0, 1.0), (3, 2.0))
    ]
    headers = {"Content-Type": "application/json"}
    with Intake() as intake:
        body = json.dumps({"series": series}).encode()
        requests.post(f"{intake.url}/api/v2/series", body, headers=headers, verify=intake.ca_file, timeout=10)
        account = points(5, intake, metric_counts())
        assert account is not None
        assert (account.missing, account.beyond, account.reported_lost) == ([1, 2, 4], [3], 0)

        def reported_lost(counts: dict[str, Any]) -> int:
            made = points(5, intake, counts)
            assert made is not None
            return made.reported_lost

        assert reported_lost(metric_counts(unread=2)) == 2 * poster.POINTS_OF_DATAGRAM
        assert reported_lost(metric_counts(turned_away=3)) == 3
        assert reported_lost(metric_counts(kept=1)) == 59
        assert points(5, intake, {"flush": {}}) is None
        assert points(5, intake, None) is None


def test_the_journal_says_how_many_points_were_sent() -> None:
    assert points_sent(["0 200 5 0", "points 7", "1 200 5 0", "points 19"]) == 19
    assert points_sent([]) == 0


def test_samples_of_points_are_added_up() -> None:
    names = [name for name, _ in poster.METRICS]
    given = [
        Point(PointKey(names[0], "count", ("env:x", "number:0"), 10), 1.0),
        Point(PointKey(names[0], "count", ("number:0",), 20), 2.0),
        Point(PointKey(names[1], "gauge", ("number:1",), 10), 1.0),
        Point(PointKey(names[2], "distribution", ("number:2",), 10), 1.0, samples=4),
        Point(PointKey("aws.lambda.enhanced.invocations", "distribution", ("number:9",), 10), 1.0),
    ]
    assert samples_by_number(given) == {0: 3, 1: 1, 2: 4}
