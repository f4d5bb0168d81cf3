"""The intake that the client's benchmarks send to: a process of its own, whose work is not the client's."""

from __future__ import annotations

from typing import Any

import thaw
from thaw.lab.intake import Answer, Intake, Script

Figures = dict[str, Any]


def benchmark_intake(*, round_trip: float = 0.0, tickets: bool = False, delay: float = 0.0) -> Intake:
    """Returns an intake that speaks TLS 1.3 and answers each request with 200, `delay` seconds after its last
    byte.

    Args:
      round_trip: round-trip time that a relay adds, in seconds; opening a connection takes one, too.
      tickets: whether sessions can be resumed.
    """
    return Intake(Script(latency=round_trip / 2, tickets=tickets, answer=Answer(status=200, delay=delay)))


def client_options(intake: Intake, **fields: Any) -> thaw.ClientOptions:
    """Options that trust the intake's authority and nothing else."""
    return thaw.ClientOptions(tls_cert_file=intake.ca_file, use_public_roots=False, no_proxy=["*"], **fields)
