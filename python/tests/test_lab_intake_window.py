"""The receive window that the laboratory's intake advertises, as the sender's kernel sees it."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator

import pytest

from thaw.lab.intake import Intake

_WINDOW_AT = 228  # where `tcpi_snd_wnd` of the kernel's struct tcp_info begins
_BODY = bytes(8_000_000)
# A buffer whose size is locked at Linux's first one has no more.
_LOCKED = 131_072


@pytest.fixture
def intake() -> Iterator[Intake]:
    with Intake() as made:
        yield made


def connected(intake: Intake) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=intake.ca_file)
    sock = socket.create_connection(("127.0.0.1", intake.port), timeout=20)
    return context.wrap_socket(sock, server_hostname="127.0.0.1")


def window(stream: ssl.SSLSocket) -> int:
    """Returns the window that the intake advertised last."""
    found = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if len(found) < _WINDOW_AT + 4:
        pytest.skip("this kernel does not tell the peer's window")
    return int(struct.unpack_from("I", found, _WINDOW_AT)[0])


def begin(stream: ssl.SSLSocket, body: bytes) -> None:
    stream.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))


def post(stream: ssl.SSLSocket, body: bytes) -> bytes:
    begin(stream, body)
    stream.sendall(body)
    return stream.recv(65536)[:12]


def test_the_window_grows_with_what_is_sent(intake: Intake) -> None:
    with connected(intake) as stream:
        assert post(stream, _BODY) == b"HTTP/1.1 202"
        assert window(stream) > _LOCKED


def test_the_window_grows_after_the_intake_has_begun_anew(intake: Intake) -> None:
    intake.hold("written")
    intake.begin_anew()
    with connected(intake) as stream:
        assert post(stream, _BODY) == b"HTTP/1.1 202"
        assert window(stream) > _LOCKED


def test_the_window_is_small_only_while_a_body_is_held(intake: Intake) -> None:
    intake.hold("body")
    with connected(intake) as held:
        begin(held, _BODY)
        held.sendall(_BODY[:4096])
        intake.event("held", timeout=20)
        assert window(held) <= 4096
        held.settimeout(0.2)
        with pytest.raises(TimeoutError):  # the client's own send buffer is full
            held.sendall(_BODY)
        assert window(held) <= 4096
        intake.release()
        with connected(intake) as other:
            assert post(other, _BODY) == b"HTTP/1.1 202"
            assert window(other) > _LOCKED


def test_a_connection_whose_body_was_held_has_a_larger_window_afterwards(intake: Intake) -> None:
    intake.hold("body")
    with connected(intake) as held:
        begin(held, _BODY)
        held.sendall(_BODY[:4096])
        intake.event("held", timeout=20)
        intake.release()
        held.sendall(_BODY[4096:])
        assert held.recv(65536)[:12] == b"HTTP/1.1 202"
        assert window(held) > 32_768  # without a window scale, 65,535 are the most


def test_a_connection_that_waits_for_the_intake_meanwhile_has_a_larger_window_afterwards(
    intake: Intake,
) -> None:
    intake.hold("body")
    with connected(intake) as stream:
        assert window(stream) <= 4096
        intake.hold(None)
        assert post(stream, _BODY) == b"HTTP/1.1 202"
        assert window(stream) > 32_768
