"""The account of a benchmark: whether each line, point and span that was handed over arrived exactly once.

Each function returns a line for whatever is wrong. A figure counts only if there is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from thaw.lab.experiments.numbered import numbers_of_lines, samples_by_number
from thaw.lab.intake import Line, Point
from thaw.lab.workload import datagrams
from thaw.lab.workload.numbered_request import NumberedRequest

_PLATFORM_LINE = re.compile(r"(START|END|REPORT) RequestId: (\S+)")
_INVOCATIONS = "aws.lambda.enhanced.invocations"


def counts(point: Point) -> bool:
    """Returns whether a point is one of those that `check_points` and `check_invocations` look at."""
    return point.key.metric == _INVOCATIONS or bool(samples_by_number([point]))


def check_numbers(name: str, handed_over: range, times: Mapping[int, int]) -> list[str]:
    """Checks the arrivals of numbered things. `name`: their name, in the plural."""
    wrong = []
    if missing := [number for number in handed_over if not times.get(number)]:
        wrong.append(f"{len(missing)} of {len(handed_over)} {name} did not arrive, {missing[0]} first")
    if repeated := [number for number, each in times.items() if each > 1]:
        wrong.append(f"{len(repeated)} {name} arrived more than once, {min(repeated)} first")
    if strange := [number for number in times if number not in handed_over]:
        wrong.append(f"{len(strange)} {name} arrived that were not handed over, {min(strange)} first")
    return wrong


def check_spans(request: NumberedRequest, payloads: int, spans: Mapping[int, int]) -> list[str]:
    """Checks the spans of the first `payloads` numbered requests."""
    wanted = {span for number in range(payloads) for span in request.ids(number)}
    times = {index: spans.get(span, 0) for index, span in enumerate(sorted(wanted))}
    wrong = check_numbers("spans", range(len(wanted)), times)
    if strange := set(spans) - wanted:
        wrong.append(f"{len(strange)} spans arrived that were not handed over")
    return wrong


def check_lines(lines: Mapping[Line, int], written: range, request_ids: Iterable[str]) -> list[str]:
    """Checks the function's numbered lines, and START, END and REPORT of each invocation."""
    return check_numbers("lines", written, numbers_of_lines(lines)) + check_platform_lines(lines, request_ids)


def check_platform_lines(lines: Mapping[Line, int], request_ids: Iterable[str]) -> list[str]:
    """Checks START, END and REPORT, each of which has to be credited to its own invocation."""
    times: Counter[tuple[str, str]] = Counter()
    wrong = []
    for line, each in lines.items():
        if found := _PLATFORM_LINE.match(line.text):
            times[found[1], found[2]] += each
            if line.request_id != found[2]:
                wrong.append(f"a line of {found[2]} is credited to {line.request_id or 'no invocation'}")
    wanted = {(kind, request) for request in request_ids for kind in ("START", "END", "REPORT")}
    if missing := [each for each in wanted if not times[each]]:
        wrong.append(f"{len(missing)} of {len(wanted)} platform lines did not arrive")
    if strange := [each for each, count in times.items() if count > 1 or each not in wanted]:
        wrong.append(f"{len(strange)} platform lines arrived more than once, or of no invocation")
    return wrong


def check_points(points: Iterable[Point], sent: range) -> list[str]:
    """Checks the function's numbered points."""
    return check_numbers("points", sent, samples_by_number(points))


def check_invocations(points: Iterable[Point], invocations: int) -> list[str]:
    """Checks the enhanced metric of which each invocation makes one sample."""
    samples = sum(point.samples for point in points if point.key.metric == _INVOCATIONS)
    return [] if samples == invocations else [f"{samples} samples of {_INVOCATIONS}, not {invocations}"]


def check_datagrams(points: Iterable[Point], count: int) -> list[str]:
    """Checks the first `count` paced datagrams: sums, samples and last values of each context."""
    sums, samples, last = datagrams.expected(count)
    got_sums: Counter[datagrams.Context] = Counter()
    got_samples: Counter[datagrams.Context] = Counter()
    gauges: dict[datagrams.Context, tuple[int, float]] = {}
    for point in points:
        if not point.key.metric.startswith(datagrams.PREFIX):
            continue
        tag = next((each for each in point.key.tags if each.startswith("route:")), "")
        context = (point.key.metric, tag)
        if point.key.type == "count":
            got_sums[context] += point.value  # type: ignore[assignment]
        elif point.key.type == "distribution":
            got_samples[context] += point.samples
        else:
            gauges[context] = max(gauges.get(context, (0, 0.0)), (point.key.timestamp, point.value))
    wrong = []
    for name, wanted, got in (
        ("counts", sums, got_sums),
        ("distributions", samples, got_samples),
        ("gauges", last, {context: value for context, (_, value) in gauges.items()}),
    ):
        if differ := [each for each in {*wanted, *got} if wanted.get(each) != got.get(each)]:
            first = min(differ)
            wrong.append(
                f"{len(differ)} of {len(wanted)} {name} differ; {' '.join(first)} is"
                f" {got.get(first)}, not {wanted.get(first)}"
            )
    return wrong
