"""The intake over HTTP/2: clients that offer it get it, and every way to answer and to end is there too."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

from thaw.lab.intake import Intake
from thaw.lab.intake.script import PHASES, Answer, Phase, Script

from .test_lab_intake import TRACES, end_on_the_wire, traces_body


@pytest.fixture
def intake() -> Iterator[Intake]:
    with Intake() as made:
        yield made


def client(intake: Intake) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=intake.ca_file)
    return httpx.Client(http2=True, verify=trusted, timeout=10, trust_env=False, base_url=intake.url)


class Raw:
    """One connection without a client's policies."""

    def __init__(self, intake: Intake) -> None:
        context = ssl.create_default_context(cafile=intake.ca_file)
        context.set_alpn_protocols(["h2"])
        sock = socket.create_connection(("127.0.0.1", intake.port), timeout=10)
        self.tls = context.wrap_socket(sock, server_hostname="127.0.0.1")
        assert self.tls.selected_alpn_protocol() == "h2"
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="ascii"))
        self.state.initiate_connection()
        self._send()

    def _send(self) -> None:
        self.tls.sendall(self.state.data_to_send())

    def post(self, stream: int, body: bytes = b"x", *, whole: bool = True) -> None:
        path = [(":method", "POST"), (":path", "/"), (":scheme", "https"), (":authority", "x")]
        self.state.send_headers(stream, path)
        self.state.send_data(stream, body, end_stream=whole)
        self._send()

    def events(self) -> Iterator[h2.events.Event]:
        """Yields the events until the intake ends the connection."""
        while data := self.tls.recv(65536):
            yield from self.state.receive_data(data)
            self._send()


def test_one_connection_serves_several_requests_and_says_its_version(intake: Intake) -> None:
    with client(intake) as sender:
        for number in range(3):
            answer = sender.post(
                TRACES, content=traces_body(number + 1), headers={"content-encoding": "zstd"}
            )
            assert (answer.status_code, answer.http_version, answer.json()) == (202, "HTTP/2", {})
    assert [each["version"] for each in intake.requests()] == ["HTTP/2"] * 3
    assert [each["target"] for each in intake.requests()] == [TRACES] * 3
    assert intake.spans() == {1: 1, 2: 1, 3: 1}
    assert intake.counts()["accepted"] == 1


def test_a_client_that_does_not_offer_it_gets_http_1(intake: Intake) -> None:
    with httpx.Client(verify=ssl.create_default_context(cafile=intake.ca_file), trust_env=False) as sender:
        assert sender.post(intake.url, content=b"x").http_version == "HTTP/1.1"
    assert [each["version"] for each in intake.requests()] == ["HTTP/1.1"]


def test_requests_of_several_streams_are_told_apart(intake: Intake) -> None:
    raw = Raw(intake)
    raw.post(1, b"a" * 100, whole=False)
    raw.post(3, b"b" * 7)
    answered = next(each.stream_id for each in raw.events() if isinstance(each, h2.events.StreamEnded))
    assert answered == 3
    raw.state.send_data(1, b"a", end_stream=True)
    raw._send()
    assert next(each.stream_id for each in raw.events() if isinstance(each, h2.events.StreamEnded)) == 1
    assert [each["bytes"] for each in intake.requests()] == [7, 101]


def test_a_body_of_megabytes_waits_for_no_window(intake: Intake) -> None:
    with client(intake) as sender:
        assert sender.post("/other", content=b"x" * 3_000_000).status_code == 202
    assert intake.counts()["body_bytes"] == 3_000_000


def test_answers_have_the_status_and_headers_of_the_script(intake: Intake) -> None:
    intake.script(Script(answers=(Answer(429, {"Retry-After": "7"}, "slow down"),)))
    with client(intake) as sender:
        answer = sender.post("/other", content=b"x")
        assert (answer.status_code, answer.headers["retry-after"], answer.text) == (429, "7", "slow down")
        assert sender.post("/other", content=b"x").status_code == 202


def test_a_close_in_order_says_goodbye(intake: Intake) -> None:
    raw = Raw(intake)
    raw.post(1)
    events = raw.events()
    assert any(isinstance(each, h2.events.StreamEnded) for each in events)
    assert intake.close_idle("fin") == 1
    (goodbye,) = [each for each in raw.events() if isinstance(each, h2.events.ConnectionTerminated)]
    assert (goodbye.error_code, goodbye.last_stream_id) == (0, 1)


def test_frames_between_requests_leave_a_connection_idle(intake: Intake) -> None:
    raw = Raw(intake)
    raw.post(1)
    assert any(isinstance(each, h2.events.StreamEnded) for each in raw.events())
    raw.state.ping(b"12345678")
    raw._send()
    assert any(isinstance(each, h2.events.PingAckReceived) for each in raw.events())
    assert intake.counts()["idle"] == 1
    raw.post(3, whole=False)
    raw.state.ping(b"12345678")
    raw._send()
    assert any(isinstance(each, h2.events.PingAckReceived) for each in raw.events())
    assert intake.counts()["idle"] == 0


@pytest.mark.parametrize("action", ["close", "reset", "half"])
def test_a_request_without_a_whole_answer_fails(intake: Intake, action: str) -> None:
    intake.script(Script(answers=(Answer(action=action),)))  # type: ignore[arg-type]
    with client(intake) as sender, pytest.raises(httpx.TransportError):
        sender.post("/other", content=b"x")
    assert intake.counts()["requests"] == 1


@pytest.mark.parametrize("phase", PHASES)
def test_an_exchange_is_held_at_each_phase(intake: Intake, phase: Phase) -> None:
    intake.hold(phase)
    trusted = ssl.create_default_context(cafile=intake.ca_file)
    with httpx.Client(http2=True, verify=trusted, timeout=0.5, trust_env=False) as sender:
        with pytest.raises(httpx.TimeoutException):
            sender.post(intake.url, content=b"x" * 6_000_000 if phase == "body" else b"x")
    event = intake.poll_event("held")
    assert event is not None
    assert event["phase"] == phase
    intake.act("rst")
    # Whether the whole request was read decides whether it counts.
    assert intake.counts()["requests"] == (1 if phase in ("written", "answer") else 0)


def test_what_is_not_http2_is_reset(intake: Intake) -> None:
    context = ssl.create_default_context(cafile=intake.ca_file)
    context.set_alpn_protocols(["h2"])
    sock = socket.create_connection(("127.0.0.1", intake.port), timeout=10)
    with context.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
        tls.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        assert end_on_the_wire(tls) == "rst"
    assert intake.counts()["open"] == 0
