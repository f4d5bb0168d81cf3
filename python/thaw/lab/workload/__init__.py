"""Payloads of experiments: a real tracer's, taken off the wire, and generated ones.

    Workload("real", seed=1).body(cycle=3, payload=0)
    origin_of(span_id)                  # which cycle and payload a span belongs to

`payloads` makes them, `span_ids` numbers their spans, `tracer_captures` records the tracer, and
`numbered_request` is one HTTP request whose ids count up.
"""

from __future__ import annotations

from thaw.lab.workload.payloads import (
    Body,
    Workload,
    WorkloadKind,
    body_of_size,
    generated_bodies,
    generated_traces,
)
from thaw.lab.workload.span_ids import Origin, origin_of, span_id
from thaw.lab.workload.tracer_captures import Capture, cache_folder, capture, captures

__all__ = [
    "Body",
    "Capture",
    "Origin",
    "Workload",
    "WorkloadKind",
    "body_of_size",
    "cache_folder",
    "capture",
    "captures",
    "generated_bodies",
    "generated_traces",
    "origin_of",
    "span_id",
]
