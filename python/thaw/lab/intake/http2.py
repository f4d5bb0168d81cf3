"""HTTP/2 on one connection of the intake, by PyPI's h2: bytes in, requests out, and bytes of answers.

    session = Http2Session()
    for request in session.receive(data):
        session.answer(request.stream, Answer())
    send(session.take_output())

It knows nothing of sockets and of TLS; `connection` carries its bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from thaw.lab.intake.request_parsing import Head
from thaw.lab.intake.script import Answer

# Bytes that a client may send on one stream before the intake has read them: no body of an experiment waits
# for a window.
_WINDOW = 1 << 22


@dataclass(frozen=True)
class Http2Request:
    """A request that was read whole, and the stream that waits for its answer."""

    stream: int
    head: Head
    body: bytes


@dataclass
class _Stream:
    head: Head
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False


class Http2Session:
    """The server's end of one connection."""

    def __init__(self) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1")
        self._state = h2.connection.H2Connection(config)
        self._state.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100,
            },
        )
        self._state.initiate_connection()
        self._state.increment_flow_control_window(_WINDOW)
        self._streams: dict[int, _Stream] = {}

    @property
    def busy(self) -> bool:
        """Returns whether a request is being read, or waits for its answer."""
        return bool(self._streams)

    @property
    def unfinished_bytes(self) -> int:
        """Returns how many bytes of the largest body that has not ended are there."""
        return max((len(each.body) for each in self._streams.values() if not each.whole), default=0)

    def take_output(self) -> bytes:
        """Returns the bytes that are to be sent, once."""
        return bytes(self._state.data_to_send())

    def receive(self, data: bytes) -> Iterator[Http2Request]:
        """Takes bytes and yields the requests that they complete. Raises ValueError: they are no HTTP/2."""
        try:
            events = self._state.receive_data(data)
        except (h2.exceptions.ProtocolError, UnicodeDecodeError) as error:
            raise ValueError(f"not HTTP/2: {error}") from error
        for event in events:
            if (stream := self._take(event)) is not None:
                found = self._streams[stream]
                found.whole = True
                yield Http2Request(stream, found.head, bytes(found.body))

    def _take(self, event: Any) -> int | None:
        """Takes one event. Returns the stream whose request it ends."""
        if isinstance(event, h2.events.RequestReceived):
            self._streams[event.stream_id] = _Stream(_head(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            if event.stream_id in self._streams:
                self._streams[event.stream_id].body += event.data
            self._state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            return event.stream_id if event.stream_id in self._streams else None
        elif isinstance(event, h2.events.StreamReset):
            self._streams.pop(event.stream_id, None)
        return None

    def answer(self, stream: int, answer: Answer) -> None:
        """Answers a request; its form is HTTP/2's own. A stream that the client has reset gets none."""
        if self._streams.pop(stream, None) is None:
            return
        body = answer.body.encode()
        headers = [
            (":status", str(answer.status)),
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            *((name.lower(), value) for name, value in answer.headers.items()),
        ]
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self._state.send_headers(stream, headers)
            self._state.send_data(stream, body, end_stream=True)

    def say_goodbye(self) -> None:
        """Sends GOAWAY without an error: the connection is about to be closed."""
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self._state.close_connection()


def _head(fields: Any) -> Head:
    values = dict(fields)
    headers = {name: value for name, value in values.items() if not name.startswith(":")}
    headers.setdefault("host", values.get(":authority", ""))
    return Head(values[":method"], values[":path"], headers, -1, "HTTP/2")
