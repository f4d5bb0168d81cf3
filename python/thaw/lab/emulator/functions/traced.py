"""A handler under ddtrace: a root span with children, and the log lines and metrics that the event asks for.

Loaded by awslambdaric in a process of its own. It knows nothing of where it runs.
"""

from __future__ import annotations

import importlib
import time
from typing import Any

from ddtrace.trace import tracer


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Makes spans, log lines and points of metrics, as the event asks for.

    `items`: the number of children of the root span; `lines`, `points`: the first number of the log lines or
    points, and the one after the last; `sleep`: seconds; `fail`: whether the handler raises.
    """
    with tracer.trace("aws.lambda", service="demo", resource="handler", span_type="serverless") as root:
        root.set_tag("request_id", context.aws_request_id)
        for number in range(int(event.get("items", 2))):
            with tracer.trace("basket.item", resource=f"item {number}") as item:
                item.set_tag("item.number", str(number))
        for number in range(*event.get("lines", (0, 0))):
            print(f"line {number}")
        if "points" in event:
            _send_points(range(*event["points"]))
        time.sleep(float(event.get("sleep", 0.0)))
        if event.get("fail"):
            raise ValueError("the event asked for it")
        return {"trace_id": str(root.trace_id), "spans": 1 + int(event.get("items", 2))}


def _send_points(numbers: range) -> None:
    # This folder has the module: the runtime's client looks there for the handler.
    importlib.import_module("poster").send_points(numbers)
