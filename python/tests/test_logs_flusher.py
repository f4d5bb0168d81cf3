"""LogsPayload and LogsFlusher against the laboratory's intake, whose decoders are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import thaw
from thaw.lab.intake import Answer, Intake, Line, Script


@pytest.fixture
def intake() -> Iterator[Intake]:
    with Intake() as intake:
        yield intake


@pytest.fixture
def client(intake: Intake) -> Iterator[thaw.Client]:
    options = thaw.ClientOptions(tls_cert_file=intake.ca_file, use_public_roots=False)
    with thaw.Client(options) as client:
        yield client


def payload(*lines: str, **others: Any) -> thaw.LogsPayload:
    return thaw.LogsPayload.from_lines(list(lines), **{"timestamp": 12.5, "request_id": "r1", **others})


def test_each_line_arrives_once(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.LogsFlusher(client, intake.url, "key")
    for number in range(5):
        flusher.add(payload(*(f"{number}/{each}" for each in range(700)), request_id=f"r{number}"))
    assert flusher.flush(deadline=10.0).delivered == 5
    assert intake.lines() == {
        Line(f"r{number}", f"{number}/{each}"): 1 for number in range(5) for each in range(700)
    }
    assert [each["items"] for each in intake.requests()] == [700] * 5, "1000 lines are a request's most"
    flusher.check_invariant()


def test_a_line_has_all_that_was_said_of_it(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.LogsFlusher(client, intake.url, "key")
    text = 'quote " tab \t NUL \0 \u00e9\U0001f600'
    flusher.add(
        payload(text, function_arn="arn:x", service="Shop", tags='a:b,"c"', status="warn", request_id='r"')
    )
    flusher.add(payload("bare", request_id=""))
    assert flusher.flush(deadline=10.0).delivered == 2
    entry, bare = intake.logs()
    assert entry == {
        "message": {
            "message": text,
            "lambda": {"arn": "arn:x", "request_id": 'r"'},
            "timestamp": 12500,
            "status": "warn",
        },
        "hostname": "arn:x",
        "service": "shop",
        "ddtags": 'a:b,"c"',
        "ddsource": "lambda",
    }
    assert bare["message"]["lambda"]["request_id"] is None


def test_lines_refused_for_now_stay_and_arrive_once(client: thaw.Client, intake: Intake) -> None:
    intake.script(Script(answer=Answer(status=503)))
    flusher = thaw.LogsFlusher(client, intake.url, "key")
    flusher.add(payload("late"))
    assert flusher.flush(deadline=2.0).retained == 1
    intake.script(Script())
    assert flusher.shutdown(deadline=10.0).delivered == 1
    assert intake.lines() == {Line("r1", "late"): 1}


def test_a_long_line_is_cut_and_counted(client: thaw.Client, intake: Intake) -> None:
    made = payload("\u00e9" * 1_000_000, "short")
    assert (made.lines, made.cut) == (2, 1)
    assert made.to_dict() == {"lines": 2, "cut": 1, "size": made.size}
    flusher = thaw.LogsFlusher(client, intake.url, "key")
    flusher.add(made)
    assert flusher.flush(deadline=10.0).delivered == 1
    long, short = (line.text for line in intake.lines())
    assert long.endswith("\u00e9...TRUNCATED...")
    assert short == "short"


@pytest.mark.parametrize(
    ("lines", "others", "says"),
    [
        (["x"] * 1001, {}, "at most 1000 at once"),
        (["x" * 900_000] * 6, {}, "at most 5000000 at once"),
        (["x"], {"timestamp": float("inf")}, "timestamp"),
        (["x"], {"timestamp": float("nan")}, "timestamp"),
        (["x"], {"status": "WARN"}, "not one of: critical"),
    ],
)
def test_what_an_intake_would_refuse_is_an_error(lines: list[str], others: dict[str, Any], says: str) -> None:
    with pytest.raises(thaw.InvalidArgument, match=says):
        payload(*lines, **others)


def test_defaults_are_those_of_logs(client: thaw.Client) -> None:
    flusher = thaw.LogsFlusher(client, "http://127.0.0.1:1", "key")
    assert flusher.options == thaw.FlusherOptions.logs_defaults()
    assert flusher.options.max_batch_bytes == 5_000_000
    assert flusher.options.retry_ambiguous
