"""The function that hands over traces: without TCP_NODELAY it waits where acknowledgements are delayed."""

from __future__ import annotations

import pathlib
import socket
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from thaw.lab.emulator.functions import poster
from thaw.lab.workload.numbered_request import NumberedRequest

REQUESTS = 24
_LEAST_DELAY_MS = 35.0  # Linux's delayed acknowledgement is 40 ms


@contextmanager
def listener(*, acknowledges_at_once: bool) -> Iterator[int]:
    """Answers each request on one connection when it is whole. Acknowledges at once what is not, or as the
    kernel does it.
    """
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            data = b""
            while piece := connection.recv(1 << 16):
                if acknowledges_at_once:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                data += piece
                head, end, body = data.partition(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]) if end else 1 << 30
                if len(body) >= length:
                    data = body[length:]
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()
        thread.join(timeout=10)


def waits_ms(folder: pathlib.Path, port: int, monkeypatch: pytest.MonkeyPatch, *, nagle: bool) -> list[float]:
    """How long each request took, by the journal."""
    files = NumberedRequest.of_spans(30).write(folder)
    journal = folder / "journal"
    journal.unlink(missing_ok=True)
    monkeypatch.setattr(poster, "AGENT", ("127.0.0.1", port))
    sender = poster.Poster(*map(str, files), str(journal))
    sender.use_nagle(nagle)
    assert [sender.send(number) for number in range(REQUESTS)] == [200] * REQUESTS
    sender.close()
    lines = [list(map(int, line.split())) for line in journal.read_text().splitlines()]
    assert [(number, status, with_nagle) for number, status, _, with_nagle in lines] == [
        (number, 200, int(nagle)) for number in range(REQUESTS)
    ]
    return [took / 1e3 for _, _, took, _ in lines]


def test_delayed_acknowledgements_cost_a_sender_without_nodelay(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listener(acknowledges_at_once=False) as port:
        delayed = waits_ms(tmp_path, port, monkeypatch, nagle=True)
    # The kernel acknowledges the first ones at once.
    assert statistics.median(delayed[REQUESTS // 2 :]) >= _LEAST_DELAY_MS
    with listener(acknowledges_at_once=True) as port:
        prompt = waits_ms(tmp_path, port, monkeypatch, nagle=True)
    assert statistics.median(prompt) < _LEAST_DELAY_MS
    with listener(acknowledges_at_once=False) as port:
        with_nodelay = waits_ms(tmp_path, port, monkeypatch, nagle=False)
    assert statistics.median(with_nodelay) < _LEAST_DELAY_MS
