"""The document's words for arms and figures."""

from __future__ import annotations

from collections.abc import Iterable

from thaw.lab.answer import charts
from thaw.lab.answer.cells import Spread

_ARMS = {
    "thaw-unshared(tls_session_resumption=false)": "fresh for each request, full handshake",
    "thaw-unshared": "fresh for each request, resumed",
    "v98": "fresh for each request, one by one (v98)",
    "thaw": "fresh for each flush, shared (thaw)",
    "thaw(max_connections_per_host=1)": "fresh for each flush, one connection",
    "thaw-pooled(on_resume=keep)": "kept, up to 4 idle",
    "thaw-pooled(max_connections_per_host=1,on_resume=keep)": "kept, one connection",
    "pycurl-http2": "kept, libcurl over HTTP/2, one by one",
    "httpx": "kept, httpx over HTTP/2, all at once",
    "thaw(tls_session_resumption=false)": "fresh for each flush, full handshake",
}


def looks(names: Iterable[str]) -> dict[str, charts.Look]:
    """Returns the looks of arms by their words; arms with words of their own look the same in every chart."""
    order = list(dict.fromkeys([*_ARMS, *names]))
    return {arm(each): charts.LOOKS[order.index(each) % len(charts.LOOKS)] for each in names}


def arm(name: str) -> str:
    """Returns what an arm does with connections; its name where no words are known."""
    return _ARMS.get(name, name)


def spread(value: Spread, digits: int = 1) -> str:
    """Returns a median, with the least and the greatest of several blocks behind it."""
    if value.least == value.greatest:
        return f"{value.middle:.{digits}f}"
    return f"{value.middle:.{digits}f} ({value.least:.{digits}f}–{value.greatest:.{digits}f})"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:g} ms"


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
