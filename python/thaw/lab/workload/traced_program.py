"""A small program under a real tracer: a shop that answers requests, with errors, links between spans and
tags.

Run by `workload.capture`, never imported. Its argument is how many requests it answers.
"""

from __future__ import annotations

import random
import sys

from ddtrace.constants import ERROR_MSG, ERROR_STACK, ERROR_TYPE
from ddtrace.trace import tracer


def answer(number: int, chance: random.Random) -> None:
    """Answers one request: a root span, a query for each item, a cache, now and then an error."""
    with tracer.trace("http.request", service="shop", resource="GET /basket/{id}", span_type="web") as root:
        root.set_tag("http.method", "GET")
        root.set_tag("http.url", f"https://shop.example/basket/{number}")
        root.set_metric("basket.items", number % 7)
        for item in range(1 + chance.randrange(5)):
            with tracer.trace(
                "sql.query", service="orders-db", resource="SELECT * FROM items", span_type="sql"
            ) as query:
                query.set_tag("db.statement", "SELECT * FROM items WHERE id = ?")
                query.set_metric("db.row_count", item)
            with tracer.trace("cache.get", service="cache", resource="GET", span_type="cache") as cache:
                cache.set_tag("cache.key", f"item:{item}:{chance.randrange(1000)}")
        if number % 5 == 0:
            root.error = 1
            root.set_tag(ERROR_TYPE, "ValueError")
            root.set_tag(ERROR_MSG, "the basket is empty – «nichts da»")
            root.set_tag(ERROR_STACK, "Traceback (most recent call last):\n  …")
        root.set_tag("http.status_code", "500" if number % 5 == 0 else "200")


def main() -> None:
    chance = random.Random(1)
    for number in range(int(sys.argv[1])):
        answer(number, chance)
        if number % 3 == 2:
            tracer.flush()  # type: ignore[no-untyped-call]  # so that payloads of several sizes leave
    tracer.shutdown()


if __name__ == "__main__":
    main()
