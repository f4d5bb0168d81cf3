"""Odd answers of the intakes of logs and metrics, written byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import thaw

from . import peer


@pytest.fixture
def client() -> Iterator[thaw.Client]:
    with thaw.Client() as client:
        yield client


# Answers of intakes of logs and metrics: those of traces have tests of their own in test_flusher.py.
_ANSWERS = {
    "two interim answers": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 x\r\nA: b\r\n\r\nHTTP/1.1 202 OK\r\n"
    b"Content-Length: 0\r\n\r\n",
    "trailers": b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
    b"2;a=b\r\n{}\r\n0\r\nX: y\r\nZ: 1\r\n\r\n",
    "a chunked 204": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a length with a sign": b"HTTP/1.1 202 Accepted\r\nContent-Length: +2\r\n\r\n{}",
    "a length with blanks": b"HTTP/1.1 202 Accepted\r\nContent-Length:  \t2 \t\r\n\r\n{}",
    "a length that is text": b"HTTP/1.1 202 Accepted\r\nContent-Length: two\r\n\r\n{}",
    "a length beyond 2^64": b"HTTP/1.1 202 Accepted\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    "a chunk that is no number": b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "an unknown coding": b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: gzip\r\n\r\n{}",
    "a body that is cut": b"HTTP/1.1 202 Accepted\r\nContent-Length: 50\r\n\r\n{}",
    "a blank before the colon": b"HTTP/1.1 202 Accepted\r\nContent-Length : 0\r\n\r\n",
    "a folded header": b"HTTP/1.1 202 Accepted\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a status without a class": b"HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
    "bytes behind the answer": b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 No\r\n\r\n",
}


def _logs(client: thaw.Client, url: str) -> thaw.LogsFlusher:
    flusher = thaw.LogsFlusher(client, url, "key")
    flusher.add(thaw.LogsPayload.from_lines(["line"], timestamp=12.5, request_id="r"))
    return flusher


def _metrics(client: thaw.Client, url: str) -> thaw.MetricsFlusher:
    flusher = thaw.MetricsFlusher(client, url, "key")
    flusher.add(thaw.MetricsPayload.from_dogstatsd(b"a:1|c", timestamp=1_700_000_000))
    return flusher


@pytest.mark.parametrize("make", [_logs, _metrics])
@pytest.mark.parametrize("answer", _ANSWERS.values(), ids=_ANSWERS.keys())
def test_odd_answers_to_logs_and_metrics_are_acceptances(
    client: thaw.Client, make: Callable[[thaw.Client, str], Any], answer: bytes
) -> None:
    def handle(connection: peer.Connection, request: peer.Received) -> None:
        connection.send(answer)

    with peer.peer(handle) as server:
        report = make(client, server.url).flush(deadline=10.0)
        assert (report.delivered, report.requests, report.attempts) == (1, 1, 1), report.failures
        assert len(server.received) == 1
    assert client.exchanges.possible_duplicates == 0


@pytest.mark.parametrize(
    "cut", [b"", b"HTTP/1.1 202", b"HTTP/1.1 202 Accepted\r\nContent-Le", b"HTTP/1.1 100 x\r\n\r\n"]
)
def test_an_answer_that_is_cut_in_its_head_loses_no_logs(client: thaw.Client, cut: bytes) -> None:
    def handle(connection: peer.Connection, request: peer.Received) -> None:
        good = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        connection.send(cut if len(server.received) == 1 else good)

    with peer.peer(handle) as server:
        flusher = _logs(client, server.url)
        reports = [flusher.flush(deadline=10.0) for _ in range(2)]
        assert sum(report.delivered for report in reports) == 1, reports
        assert len(server.received) == 2


@pytest.mark.parametrize("make", [_logs, _metrics])
@pytest.mark.parametrize("cut", [b"HTTP/1.1 503 Busy\r\nRetry-Af", b"HTTP/1.1 429\r\n"])
def test_a_refusal_that_is_cut_in_its_head_is_one(
    client: thaw.Client, make: Callable[[thaw.Client, str], Any], cut: bytes
) -> None:
    """The request was not taken, so that even metrics may be sent again."""

    def handle(connection: peer.Connection, request: peer.Received) -> None:
        good = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        connection.send(cut if len(server.received) == 1 else good)

    with peer.peer(handle) as server:
        flusher = make(client, server.url)
        reports = [flusher.flush(deadline=10.0) for _ in range(2)]
        assert sum(report.delivered for report in reports) == 1, reports
        assert len(server.received) == 2
    assert client.exchanges.possible_duplicates == 0


def test_metrics_whose_answer_is_cut_are_counted_as_dropped(client: thaw.Client) -> None:
    """Counts that came twice would be added up, so that the request is not sent again."""
    with peer.peer(lambda connection, request: b"HTTP/1.1 20") as server:
        report = _metrics(client, server.url).flush(deadline=10.0)
        assert (report.delivered, report.dropped) == (0, {"ambiguous_dropped": 1})
        assert len(server.received) == 1
