"""The clients that are explored, and the sizes of their histories.

Each option of a client that changes its decisions differs from the default in one policy at least, and
`test_each_option_that_decides_is_explored` fails if a new option is in neither list.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import thaw


@dataclass(frozen=True)
class Policy:
    """A client and a flusher, by the options that differ from the defaults."""

    name: str
    client: Mapping[str, Any] = field(default_factory=dict)
    flusher: Mapping[str, Any] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """Returns the arguments of thaw.explore for this policy.

        Two connections are enough for everything that connections do to each other.
        """
        client = {"max_connections_per_host": 2, **self.client}
        return {"client": thaw.ClientOptions(**client), "flusher": thaw.FlusherOptions(**self.flusher)}


_POOL = {"max_idle_per_host": 2, "on_resume": "probe"}

POLICIES = (
    Policy("default"),
    Policy("pooled", _POOL),
    Policy("one idle", {**_POOL, "max_idle_per_host": 1}),
    Policy("drained", {**_POOL, "on_resume": "drain"}),
    Policy("kept", {**_POOL, "on_resume": "keep"}),
    Policy("no peek", {**_POOL, "on_resume": "keep", "liveness": "reactor_only"}),
    Policy("monotonic age", {**_POOL, "expiry_clock": "monotonic"}),
    Policy("long idle", {**_POOL, "idle_timeout": 90.0}),
    Policy("not shared", {"share_within_flush": False}),
    Policy("impatient", {"share_patience": 0.0}),
    Policy("one connection", {"max_connections_per_host": 1}),
    # Without a pool: what a fault did to a kept connection would cost the last flush its only try.
    Policy("one try", {"max_idle_per_host": 0, "max_attempts": 1}),
    Policy("no backoff", {**_POOL, "backoff_base": 0.0}),
    Policy("short backoff", {**_POOL, "backoff_cap": 0.01}),
    Policy("untouched only", {**_POOL, "resend_rule": "hyper_zone1"}),
    Policy("short grace", {"resume_grace": 0.001}),
    Policy("short exchange", {**_POOL, "exchange_timeout": 0.5}),
    Policy("alarms fire late", {**_POOL, "late_alarm": "fire"}),
    Policy("not twice", _POOL, {"retry_ambiguous": False}),
    Policy("no breaker", _POOL, {"no_progress_limit": math.inf}),
)

# Options that a client's decisions in the simulation don't depend on, each with the reason.
NOT_EXPLORED = {
    "dial_eagerly": "of peers' clients: it opens connections that no request needs, against the rules",
    "max_response_head_bytes": "limits of an answer's bytes",
    "max_response_body_kept_bytes": "limits of an answer's bytes",
    "max_response_body_drained_bytes": "limits of an answer's bytes",
    "user_agent": "bytes of a request",
    "tcp_nodelay": "the simulated network has no Nagle",
    "tls_cert_file": "TLS is scripted",
    "use_os_roots": "TLS is scripted",
    "use_public_roots": "TLS is scripted",
    "skip_ssl_validation": "TLS is scripted",
    "tls_session_resumption": "TLS is scripted",
    "tls_min_version": "TLS is scripted",
    "tls_max_version": "TLS is scripted",
    "proxy_url": "the simulated network has no proxy",
    "no_proxy": "the simulated network has no proxy",
}


@dataclass(frozen=True)
class Size:
    """The size of histories."""

    flushes: tuple[int, ...]
    freezes: int = 0
    faults: int = 0
    late: int = 0

    def __str__(self) -> str:
        parts = ["+".join(map(str, self.flushes)) + " payloads"]
        for count, what in ((self.freezes, "freezes"), (self.faults, "faults"), (self.late, "late")):
            if count:
                parts.append(f"{count} {what}")
        return ", ".join(parts)

    def options(self) -> dict[str, Any]:
        """Returns the arguments of thaw.explore for this size."""
        return {
            "flushes": list(self.flushes),
            "freezes": self.freezes,
            "faults": self.faults,
            "late": self.late,
        }


SIZES = (
    Size((1, 1), freezes=1, late=1),
    Size((2,), freezes=1, late=1),
    Size((3,), freezes=1, late=1),
    Size((1, 1), faults=1),
    Size((2, 1), faults=1, late=1),
    Size((2,), faults=2),
    Size((1,), freezes=1, faults=1),
    Size((1,), freezes=2),
)
# Sizes that take hours for all policies.
LARGE_SIZES = (
    Size((1,), freezes=2, late=1),
    Size((2,), freezes=2),
    Size((1, 1), freezes=2, late=1),
    Size((2, 1), freezes=2, late=1),
    Size((3,), freezes=2, late=1),
    Size((2, 1), freezes=1, faults=1),
)
# Random histories are larger than any that is exhausted.
RANDOM_SIZE = Size((2, 3, 1), freezes=4, faults=3, late=4)
