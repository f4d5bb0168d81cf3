"""The laboratory's intake: what it does to connections, and what it counts. Clients here are `requests` and
raw sockets.
"""

from __future__ import annotations

import gzip
import selectors
import socket
import ssl
import time
from collections.abc import Iterator

import msgpack
import pytest
import requests
import zstandard

from thaw.lab.certificates import TlsVersionName
from thaw.lab.intake import Intake, IntakeError, decode
from thaw.lab.intake.script import CLOSE_KINDS, FORMS, PHASES, Answer, CloseKind, Form, Phase, Script
from thaw.lab.intake.timers import ready

TRACES = "/api/v0.2/traces"


@pytest.fixture(scope="module")
def shared() -> Iterator[Intake]:
    with Intake() as made:
        yield made


@pytest.fixture
def intake(shared: Intake) -> Intake:
    """One process for all tests of the module; each compares counts with those at its start."""
    shared.hold(None)
    shared.script(Script())
    shared.close_idle("rst")
    while shared.poll_event("held"):
        pass
    return shared


def traces_body(*ids: int) -> bytes:
    payload = decode.message_class("AgentPayload")()
    chunk = payload.tracerPayloads.add(languageName="python").chunks.add(priority=-1)
    for each in ids:
        chunk.spans.add(spanID=each, meta={"a": "b"}, metrics={"m": 1.5})
    return zstandard.compress(payload.SerializeToString())


def post(
    session: requests.Session, intake: Intake, body: bytes = b"x", path: str = "/other"
) -> requests.Response:
    encoding = {"content-encoding": "zstd"} if path == TRACES else {}
    return session.post(intake.url + path, data=body, headers=encoding, verify=intake.ca_file, timeout=10)


def raw(
    intake: Intake, session: ssl.SSLSession | None = None, version: TlsVersionName = "1.3"
) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=intake.ca_file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
    sock = socket.create_connection(("127.0.0.1", intake.port), timeout=10)
    return context.wrap_socket(sock, server_hostname="127.0.0.1", session=session)


def ask(stream: ssl.SSLSocket) -> bytes:
    stream.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
    return stream.recv(65536)


def end_on_the_wire(stream: ssl.SSLSocket) -> str:
    """How the connection ended below TLS (Python's TLS sockets make a reset an end): fin or rst."""
    with socket.fromfd(stream.fileno(), socket.AF_INET, socket.SOCK_STREAM) as below:
        below.settimeout(10)
        try:
            while below.recv(65536):
                pass
        except ConnectionResetError:
            return "rst"
    return "fin"


def difference(intake: Intake, before: dict[str, int], *names: str) -> tuple[int, ...]:
    after = intake.counts()
    return tuple(after[name] - before[name] for name in names)


def test_counts_connections_handshakes_and_requests(intake: Intake) -> None:
    before = intake.counts()
    with requests.Session() as session:
        assert post(session, intake).status_code == 202
        assert post(session, intake, b"123").status_code == 202
    assert difference(intake, before, "accepted", "handshakes_full", "requests", "body_bytes") == (1, 1, 2, 4)


def test_counts_how_often_each_span_came() -> None:
    with Intake() as intake, requests.Session() as session:
        post(session, intake, traces_body(1, 2**64 - 1), TRACES)
        post(session, intake, traces_body(1), TRACES)
        assert intake.spans() == {1: 2, 2**64 - 1: 1}
        first, second = intake.requests()
        assert (first["spans"], second["spans"], second["connection"]) == (2, 1, 1)


def test_refused_spans_do_not_count_as_arrived() -> None:
    with (
        Intake(Script(answers=(Answer(503, {"Retry-After": "3"}),))) as intake,
        requests.Session() as session,
    ):
        refused = post(session, intake, traces_body(7), TRACES)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "3")
        assert intake.spans() == {}
        assert post(session, intake, traces_body(7), TRACES).status_code == 202
        assert intake.spans() == {7: 1}


def test_a_body_that_is_no_protobuf_is_reported() -> None:
    with Intake() as intake, requests.Session() as session:
        post(session, intake, b"not zstd", TRACES)
        with pytest.raises(IntakeError, match="zstd"):
            intake.spans()


def test_stats_are_decoded() -> None:
    body = gzip.compress(msgpack.packb({"ClientComputed": True, "Stats": [{"Lang": "python", "Stats": []}]}))
    with Intake() as intake:
        headers = {"content-encoding": "gzip"}
        requests.post(
            f"{intake.url}/api/v0.2/stats", data=body, headers=headers, verify=intake.ca_file, timeout=10
        )
        assert intake.stats()[0]["Stats"][0]["Lang"] == "python"


@pytest.mark.parametrize("kind", CLOSE_KINDS)
def test_idle_close(intake: Intake, kind: CloseKind) -> None:
    intake.script(Script(idle_close=kind, idle_after=0.1))
    before = intake.counts()
    with raw(intake) as stream:
        assert ask(stream).startswith(b"HTTP/1.1 202")
        intake.wait_until_none_idle()
        assert difference(intake, before, "closed_idle") == (1,)
        if kind == "fin":
            assert stream.recv(1) == b""  # close_notify
            assert end_on_the_wire(stream) == "fin"
        elif kind == "rst":
            assert end_on_the_wire(stream) == "rst"
        else:
            stream.settimeout(0.05)
            with pytest.raises(TimeoutError):
                stream.recv(1)  # nothing came: the peer is silent
            stream.settimeout(10)
            stream.sendall(b"POST / HTTP/1.1\r\n")  # the kernel takes it
            assert end_on_the_wire(stream) == "rst"


def test_close_of_idle_connections_on_command(intake: Intake) -> None:
    with raw(intake) as stream:
        ask(stream)
        assert intake.close_idle("fin", at=time.monotonic() + 0.01) == 1
        intake.wait_until_none_idle()
        assert stream.recv(1) == b""
        assert intake.close_idle("fin") == 0


@pytest.mark.alone
def test_timers_are_not_rounded_to_milliseconds() -> None:
    with selectors.EpollSelector() as epoll:
        late = []
        for _ in range(20):
            begun = time.monotonic()
            assert ready(epoll, 0.0011) == []
            late.append(time.monotonic() - begun - 0.0011)
    # epoll_wait alone would wait for 2 ms each time.
    assert 0 <= min(late) < 0.0008


def test_a_timed_close_spares_a_connection_that_serves(intake: Intake) -> None:
    intake.timed_closes()
    with raw(intake) as stream:
        ask(stream)
        at = time.monotonic() + 0.01
        assert intake.close_idle("fin", at=at) == 1
        assert stream.recv(1) == b""
        (closed,) = intake.timed_closes()
        assert at <= closed <= time.monotonic()
    with raw(intake) as stream, raw(intake) as idle:
        ask(stream)
        ask(idle)
        assert intake.close_idle("fin", at=time.monotonic() + 0.3) == 2
        stream.sendall(b"POST / HTTP/1.1\r\n")  # a request begins
        assert idle.recv(1) == b""  # the time has come
        assert len(intake.timed_closes()) == 1
        stream.sendall(b"Host: localhost\r\nContent-Length: 0\r\n\r\n")
        assert stream.recv(1 << 16).startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize(
    ("answer", "received"),
    [
        (Answer(action="close"), b""),
        (Answer(action="reset"), None),
        (Answer(action="half"), Answer().encode()[: len(Answer().encode()) // 2]),
        (Answer(close_after=True), Answer(close_after=True).encode()),
    ],
)
def test_ends_after_a_request(intake: Intake, answer: Answer, received: bytes | None) -> None:
    intake.script(Script(answer=answer))
    with raw(intake) as stream:
        stream.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
        if received is None:
            assert end_on_the_wire(stream) == "rst"
            return
        got = b""
        while more := stream.recv(65536):
            got += more
        assert got == received


def test_black_hole_and_slow_answer(intake: Intake) -> None:
    intake.script(Script(answers=(Answer(delay=0.05),), answer=Answer(action="black_hole")))
    with raw(intake) as stream:
        begin = time.monotonic()
        assert ask(stream).startswith(b"HTTP/1.1 202")
        assert time.monotonic() - begin >= 0.05
        stream.settimeout(0.05)
        with pytest.raises(TimeoutError):
            ask(stream)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("tickets", [True, False])
def test_versions_and_tickets(intake: Intake, version: TlsVersionName, tickets: bool) -> None:
    intake.script(Script(tls_version=version, tickets=tickets))
    before = intake.counts()
    with raw(intake) as stream:
        ask(stream)
        session = stream.session
        assert stream.version() == f"TLSv{version}"
        context = stream.context
    with context.wrap_socket(
        socket.create_connection(("127.0.0.1", intake.port), timeout=10),
        server_hostname="127.0.0.1",
        session=session,
    ) as again:
        ask(again)
        assert again.session_reused is tickets
    counted = difference(intake, before, "handshakes_full", "handshakes_resumed")
    assert counted == ((1, 1) if tickets else (2, 0))


def test_latency_is_added_to_every_way_and_to_opening(intake: Intake) -> None:
    intake.script(Script(latency=0.02))
    begin = time.monotonic()
    with raw(intake) as stream:
        ask(stream)
        opened = time.monotonic()
        ask(stream)
        round_trip = time.monotonic() - opened
    assert round_trip >= 0.04
    assert opened - begin >= 0.12  # connect, TLS 1.3, request


def test_scripts_for_the_next_connections(intake: Intake) -> None:
    intake.script(Script(), following=[Script(answer=Answer(500))])
    with raw(intake) as first, raw(intake) as second:
        assert ask(first).startswith(b"HTTP/1.1 500")
        assert ask(second).startswith(b"HTTP/1.1 202")


@pytest.mark.parametrize("kind", CLOSE_KINDS)
@pytest.mark.parametrize("phase", PHASES)
def test_holds_an_exchange_and_ends_it(intake: Intake, phase: Phase, kind: CloseKind) -> None:
    """An exchange gets to the phase, stays there, and fails when it is ended; the next one is served."""
    before = intake.counts()
    intake.hold(phase)
    body = b"x" * (4_000_000 if phase == "body" else 10)
    sock = socket.create_connection(("127.0.0.1", intake.port), timeout=10)
    context = ssl.create_default_context(cafile=intake.ca_file)
    stream = context.wrap_socket(sock, server_hostname="127.0.0.1", do_handshake_on_connect=False)
    stream.settimeout(0.2)
    stuck_early = True
    try:
        stream.do_handshake()
        stuck_early = False
        stream.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    except TimeoutError:
        pass
    assert intake.event("held", timeout=10)["phase"] == phase
    assert stuck_early == (phase in ("connect", "tls"))
    assert difference(intake, before, "requests") == (1 if phase in ("written", "answer") else 0,)
    intake.act(kind)
    if kind != "silent":
        stream.settimeout(10)
        try:
            got = b"" if stuck_early else b"".join(iter(lambda: stream.recv(100), b""))
            if stuck_early:
                stream.do_handshake()
        except OSError:
            got = b""
        assert b"\r\n" not in got  # no complete answer
    stream.close()
    with raw(intake) as following:
        assert ask(following).startswith(b"HTTP/1.1 202")


def test_an_intake_that_is_gone_says_so() -> None:
    intake = Intake()
    intake.close()
    with pytest.raises(IntakeError):
        intake.counts()


HEAD = b"Content-Type: application/json\r\n"
# The bytes of each form, as a client reads them.
BYTES = {
    "plain": b"HTTP/1.1 202 OK\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}",
    "chunked": b"HTTP/1.1 202 OK\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "no_reason": b"HTTP/1.1 202\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}",
    "empty_reason": b"HTTP/1.1 202 \r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}",
    "both": b"HTTP/1.1 202 OK\r\n"
    + HEAD
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "empty_line": b"\r\nHTTP/1.1 202 OK\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}",
    "bare_lf": b"HTTP/1.1 202 OK\nContent-Type: application/json\nContent-Length: 2\n\n{}",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.1 202 OK\r\n"
    + HEAD
    + b"Content-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_in_each_form_is_an_acceptance_that_was_told(form: Form) -> None:
    body = traces_body(5)
    with Intake(Script(answer=Answer(form=form))) as intake, raw(intake) as stream:
        head = f"POST {TRACES} HTTP/1.1\r\nHost: x\r\nContent-Encoding: zstd\r\n"
        request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for _ in range(2):  # the connection goes on
            stream.sendall(request)
            answer = b""
            while len(answer) < len(BYTES[form]):
                answer += stream.recv(1 << 16)
            assert answer == BYTES[form]
        assert intake.spans() == {5: 2}
        assert intake.spans_unanswered() == {}


def test_a_refusal_in_another_form_is_still_one() -> None:
    answer = Answer(status=503, form="no_reason", headers={"Retry-After": "1"}, body="")
    assert answer.encode() == b"HTTP/1.1 503\r\n" + HEAD + b"Content-Length: 0\r\nRetry-After: 1\r\n\r\n"
    assert Answer(form="both", body="").encode().endswith(b"\r\n\r\n0\r\n\r\n")
