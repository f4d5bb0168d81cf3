"""What an intake does with its connections and requests: plain values that cross to its process as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from thaw.lab.certificates import TlsVersionName

# How a peer ends a connection:
#   fin     close_notify and FIN; what comes later is answered by a reset, as a closed socket does
#   rst     a reset at once (SO_LINGER 0)
#   silent  the peer forgets the connection without a packet; the next segment is acknowledged by its kernel
#   and
#           then answered by a reset (that is what can be done without root)
CloseKind = Literal["fin", "rst", "silent"]
CLOSE_KINDS: tuple[CloseKind, ...] = get_args(CloseKind)

# Where the intake holds an exchange, so that it can be frozen there:
#   connect   the connection waits to be accepted
#   tls       accepted, the ClientHello is not read
#   head      the handshake is done, nothing of the request is read
#   body      the head and the first bytes of the body are read, no more: the sender's buffers fill up
#   written   the whole request is read, there is no answer
#   answer    half the answer's head is sent
Phase = Literal["connect", "tls", "head", "body", "written", "answer"]
PHASES: tuple[Phase, ...] = get_args(Phase)

# What follows a request that was read whole:
#   answer      the whole answer
#   close       FIN without an answer
#   reset       RST without an answer
#   half        half of the answer's bytes, then FIN
#   black_hole  nothing, ever
Action = Literal["answer", "close", "reset", "half", "black_hole"]


@dataclass(frozen=True)
class Answer:
    """What one request gets. `delay` is in seconds, from the request's last byte."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    delay: float = 0.0
    action: Action = "answer"
    close_after: bool = False  # says `Connection: close` and does so

    @property
    def accepts(self) -> bool:
        """Whether what the request brought counts as taken by the intake."""
        return 200 <= self.status < 300

    def encode(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {'OK' if self.accepts else 'Refused'}"]
        headers = {"Content-Type": "application/json", "Content-Length": str(len(self.body.encode()))}
        if self.close_after:
            headers["Connection"] = "close"
        lines += [f"{name}: {value}" for name, value in {**headers, **self.headers}.items()]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


@dataclass(frozen=True)
class Script:
    """What one connection meets.

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
