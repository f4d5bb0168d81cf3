"""Requests as they come in: heads, and bodies in chunks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Head:
    """A request's head, and the length of its body."""

    method: str
    target: str
    headers: dict[str, str]
    length: int  # -1: chunked
    version: str = "HTTP/1.1"

    @classmethod
    def parse(cls, data: bytes) -> Head:
        first, *lines = data.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        return cls(method, target, headers, -1 if chunked else int(headers.get("content-length", "0")))


def take_chunked(buffer: bytes) -> tuple[bytes, bytes] | None:
    """Takes a chunked body. Returns the body and the rest, or None while the last chunk isn't there."""
    body = b""
    at = 0
    while (end := buffer.find(b"\r\n", at)) >= 0:
        size = int(buffer[at:end].split(b";")[0], 16)
        if len(buffer) < end + 2 + size + 2:
            return None
        body += buffer[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
        if size == 0:
            return body, buffer[at:]
    return None
