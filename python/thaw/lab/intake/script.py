"""Scripts of an intake's conduct: plain values that cross to its process as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from thaw.lab.certificates import TlsVersionName

# Ways in which a peer ends a connection:
#   fin     close_notify and FIN; what comes later is answered by a reset, as a closed socket does
#   rst     a reset at once (SO_LINGER 0)
#   silent  the peer forgets the connection without a packet; its kernel acknowledges the next segment, and a
#           reset follows (more can't be done without root)
CloseKind = Literal["fin", "rst", "silent"]
CLOSE_KINDS: tuple[CloseKind, ...] = get_args(CloseKind)

# Phases at which the intake holds an exchange, so that it can be frozen there:
#   connect   the connection waits to be accepted
#   tls       accepted, the ClientHello is not read
#   head      the handshake is done, nothing of the request is read
#   body      the head and the first bytes of the body are read, no more: the sender's buffers fill up
#   written   the whole request is read, there is no answer
#   answer    half the answer's head is sent
Phase = Literal["connect", "tls", "head", "body", "written", "answer"]
PHASES: tuple[Phase, ...] = get_args(Phase)

# The reaction to a request that was read whole:
#   answer      the whole answer
#   close       FIN without an answer
#   reset       RST without an answer
#   half        half of the answer's bytes, then FIN
#   black_hole  nothing, ever
Action = Literal["answer", "close", "reset", "half", "black_hole"]


# Forms in which an answer is written. A client has to understand all of them (RFC 9112):
#   plain         with a reason and a Content-Length
#   chunked       in chunks instead
#   no_reason     the status line ends with the status
#   empty_reason  it ends with the status and a space
#   both          Content-Length and Transfer-Encoding, of which the latter counts
#   empty_line    behind an empty line
#   bare_lf       lines of the head end with LF alone
#   interim       behind a 103
Form = Literal["plain", "chunked", "no_reason", "empty_reason", "both", "empty_line", "bare_lf", "interim"]
FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True)
class Answer:
    """The answer to one request. `delay` is in seconds, from the request's last byte."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    delay: float = 0.0
    action: Action = "answer"
    close_after: bool = False  # says `Connection: close` and does so
    form: Form = "plain"

    @property
    def accepts(self) -> bool:
        """Returns whether the intake counts the content of the request as accepted."""
        return 200 <= self.status < 300

    def encode(self) -> bytes:
        return self._prefix() + self._head() + self._framed()

    def _prefix(self) -> bytes:
        if self.form == "interim":
            return b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"
        return b"\r\n" if self.form == "empty_line" else b""

    def _head(self) -> bytes:
        reason = "OK" if self.accepts else "Refused"
        after = {"no_reason": "", "empty_reason": " "}.get(self.form, f" {reason}")
        headers = {"Content-Type": "application/json"}
        if self.form != "chunked":
            headers["Content-Length"] = str(len(self.body.encode()))
        if self._is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        if self.close_after:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {self.status}{after}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **self.headers}.items()]
        end = "\n" if self.form == "bare_lf" else "\r\n"
        return (end.join(lines) + end + end).encode()

    @property
    def _is_chunked(self) -> bool:
        return self.form in ("chunked", "both")

    def _framed(self) -> bytes:
        body = self.body.encode()
        if not self._is_chunked:
            return body
        chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
        return chunk + b"0\r\n\r\n"


@dataclass(frozen=True)
class Script:
    """The intake's conduct towards one connection.

    `idle_close` happens `idle_after` seconds after the connection became idle; without it the connection
    stays. `latency` is added each way, in seconds, and to the opening of the connection as a network would;
    so the round trip is twice that. `answers` are for its first requests, `answer` for all that follow.
    """

    idle_close: CloseKind | None = None
    idle_after: float = 60.0
    latency: float = 0.0
    tls_version: TlsVersionName = "1.3"
    tickets: bool = True
    answers: tuple[Answer, ...] = ()
    answer: Answer = Answer()
    hold: Phase | None = None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Script:
        answers = tuple(Answer(**each) for each in value.get("answers", ()))
        return replace(
            cls(**{name: each for name, each in value.items() if name not in ("answers", "answer")}),
            answers=answers,
            answer=Answer(**value.get("answer", {})),
        )
