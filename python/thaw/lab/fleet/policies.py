"""The arms of the fleet: what a client does with connections, and with data that could not be sent.

POLICIES["thaw"].connections(12, is_open=False)     # 4
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import thaw
from thaw.lab import named_values

Dials = Literal["kept", "each", "shared"]

# Flushes, and seconds of wall time, until an open breaker's first probe (cc/flush/breaker.h).
PROBE_FLUSHES = 8
PROBE_WALL_FACTOR = 60.0


@dataclass(frozen=True)
class Breaker:
    """When an open breaker probes: after active time, wall time or flushes, whichever comes first. All three
    double with each probe that fails.

    Attributes:
      strikes: flushes in a row without success that open it.
      first, most: active seconds until the first probe, and at most.
    """

    strikes: int
    first: float
    most: float

    @classmethod
    def of_thaw(cls) -> Breaker:
        """Returns the breaker of thaw's own defaults."""
        options = thaw.FlusherOptions()
        return cls(options.breaker_strikes, options.probe_backoff, options.probe_backoff_cap)


@dataclass(frozen=True)
class Policy:
    """One arm.

    Attributes:
      dials: kept: a connection outlives the flush, and requests take turns on it; each: every request opens
        its own; shared: a flush opens connections, which its requests share.
      attempts: the number of tries to open a connection after which a request is given up for this flush.
      most_kept: requests that are kept at most for a later flush; what comes then is dropped.
      breaker: None: each flush tries.
    """

    name: str
    text: str
    dials: Dials
    attempts: int
    most_kept: int = 1 << 30
    breaker: Breaker | None = None

    def connections(self, requests: int, *, is_open: bool) -> int:
        """Returns the number of connections that a flush of `requests` requests opens.

        `is_open`: the connection that was kept is still there.
        """
        if self.dials == "each":
            return requests
        if self.dials == "kept":
            return 0 if is_open else 1
        return shared_connections(requests)

    def tries(self, requests: int) -> int:
        """Returns the number of connections that a flush tries to open while none can be opened."""
        # Requests that share connections wait for all of them; the others are sent one by one, and the first
        # that fails ends the flush.
        return self.attempts * (shared_connections(requests) if self.dials == "shared" else 1)


def shared_connections(requests: int) -> int:
    """Returns the number of connections that a flush of thaw opens for `requests` requests."""
    return max(1, min(requests - 1, MOST_SHARED))


# Connections that thaw opens in a flush of 1, 2, 5, 20 and 60 requests: 1, 1, 3.5, 3.9 and 3.9, as `compare`
# counts them at a round trip of 20 ms.
MOST_SHARED = 4
_ATTEMPTS = thaw.ClientOptions().max_attempts
# The bytes of a compressed request of a few spans, about.
_REQUEST_BYTES = 4096
_ALL = (
    Policy("pooled", "a connection is kept over freezes; what failed is sent again", "kept", _ATTEMPTS),
    Policy("fresh", "each request opens a connection; what failed is sent again", "each", _ATTEMPTS),
    Policy(
        "shared",
        "a flush opens connections, which its requests share; what failed is sent again",
        "shared",
        _ATTEMPTS,
    ),
    Policy(
        "thaw",
        "shared, with a breaker whose probes back off, and a bound on what is kept",
        "shared",
        _ATTEMPTS,
        most_kept=thaw.FlusherOptions().outbox_bytes // _REQUEST_BYTES,
        breaker=Breaker.of_thaw(),
    ),
)
POLICIES: Mapping[str, Policy] = {each.name: each for each in _ALL}


def find(names: str) -> list[Policy]:
    """Returns the arms of a list with commas. ValueError names an unknown one, and all known ones."""
    found = []
    for name in dict.fromkeys(each.strip() for each in names.split(",")):
        if name not in POLICIES:
            raise ValueError(named_values.unknown("arm", name, POLICIES))
        found.append(POLICIES[name])
    return found
