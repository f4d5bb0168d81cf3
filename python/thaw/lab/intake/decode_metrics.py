"""Decodes requests of metrics: series v2, as protobuf or JSON, and sketches, as protobuf.

The schema is the public one of agents (agent-payload). What the real intake would refuse, or could not make
sense of, is a ValueError: bodies beyond its limits, values that are no numbers, sketches whose bins don't
add up to their count.
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from thaw.lab.intake.decode import decompress
from thaw.lab.intake.protobuf_schema import message_classes

# Bytes of a request that Datadog's intake of metrics takes.
MAX_SERIES_COMPRESSED_BYTES = 512_000
MAX_SERIES_BYTES = 5_242_880
MAX_SKETCHES_COMPRESSED_BYTES = 3_200_000

_SCHEMA: dict[str, tuple[str, ...]] = {
    "Origin": ("4 origin_product uint32", "5 origin_category uint32", "6 origin_service uint32"),
    "Metadata": ("1 origin Origin",),
    "Resource": ("1 type string", "2 name string"),
    "MetricPoint": ("1 value double", "2 timestamp int64"),
    "MetricSeries": (
        "1 resources repeated Resource",
        "2 metric string",
        "3 tags repeated string",
        "4 points repeated MetricPoint",
        "5 type int32",
        "6 unit string",
        "7 source_type_name string",
        "8 interval int64",
        "9 metadata Metadata",
    ),
    "MetricPayload": ("1 series repeated MetricSeries",),
    "Dogsketch": (
        "1 ts int64",
        "2 cnt int64",
        "3 min double",
        "4 max double",
        "5 avg double",
        "6 sum double",
        "7 k repeated sint32",
        "8 n repeated uint32",
    ),
    "Sketch": (
        "1 metric string",
        "2 host string",
        "4 tags repeated string",
        "7 dogsketches repeated Dogsketch",
        "8 metadata Metadata",
    ),
    "SketchPayload": ("1 sketches repeated Sketch",),
}

PointType = Literal["unspecified", "count", "rate", "gauge", "distribution"]
_TYPES: tuple[PointType, ...] = ("unspecified", "count", "rate", "gauge")


class PointKey(NamedTuple):
    """The identity of a point.

    Attributes:
      tags: the tags, sorted.
      timestamp: the time in seconds since 1970.
    """

    metric: str
    type: PointType
    tags: tuple[str, ...]
    timestamp: int


@dataclass(frozen=True)
class Point:
    """A point as it arrived.

    Attributes:
      value: the point's value; for a distribution, the sum of its samples.
      samples: the number of samples of a distribution; 1 for any other type.
      interval: the seconds that a count or rate stands for; 0: not given.
      origin: product, category and service; None: not given.
      bins: the number of samples of each key of a distribution.
      extremes: the least and the largest sample of a distribution.
    """

    key: PointKey
    value: float
    samples: int = 1
    interval: int = 0
    origin: tuple[int, int, int] | None = None
    bins: dict[int, int] | None = None
    extremes: tuple[float, float] | None = None


@functools.cache
def _classes() -> dict[str, Any]:
    return message_classes("datadog.agentpayload", _SCHEMA)


def message_class(name: str) -> Any:
    """Returns the class of one message of the schema of metrics, such as `MetricPayload`."""
    return _classes()[name]


def series(body: bytes, encoding: str = "zstd", content_type: str = "application/x-protobuf") -> list[Point]:
    """Returns the points of a request to /api/v2/series."""
    if len(body) > MAX_SERIES_COMPRESSED_BYTES:
        raise ValueError(f"{len(body)} bytes of series are more than {MAX_SERIES_COMPRESSED_BYTES}")
    plain = decompress(body, encoding)
    if len(plain) > MAX_SERIES_BYTES:
        raise ValueError(f"{len(plain)} bytes of series, decompressed, are more than {MAX_SERIES_BYTES}")
    payload = message_class("MetricPayload")
    message = _from_json(plain) if content_type.startswith("application/json") else payload.FromString(plain)
    return [point for each in message.series for point in _points(each)]


def sketches(body: bytes, encoding: str = "zstd") -> list[Point]:
    """Returns the points of a request to /api/beta/sketches."""
    if len(body) > MAX_SKETCHES_COMPRESSED_BYTES:
        raise ValueError(f"{len(body)} bytes of sketches are more than {MAX_SKETCHES_COMPRESSED_BYTES}")
    message = message_class("SketchPayload").FromString(decompress(body, encoding))
    return [_distribution(each, sketch) for each in message.sketches for sketch in each.dogsketches]


def _from_json(text: bytes) -> Any:
    """Returns a MetricPayload of its JSON form, whose origin has other names."""
    message = message_class("MetricPayload")()
    for given in json.loads(text)["series"]:
        each = message.series.add(metric=given["metric"], type=given["type"])
        each.interval = given.get("interval") or 0
        each.tags.extend(given.get("tags") or ())
        for point in given["points"]:
            each.points.add(timestamp=point["timestamp"], value=point["value"])
        if origin := (given.get("metadata") or {}).get("origin"):
            each.metadata.origin.origin_product = origin["origin_product"]
            each.metadata.origin.origin_category = origin["origin_sub_product"]
            each.metadata.origin.origin_service = origin["origin_product_detail"]
    return message


def _points(given: Any) -> list[Point]:
    _check_name(given)
    if not 0 <= given.type < len(_TYPES):
        raise ValueError(f"{given.metric}: {given.type} is no type of a series")
    if not given.points:
        raise ValueError(f"{given.metric}: a series without a point")
    origin = _origin(given)
    points = []
    for point in given.points:
        if not math.isfinite(point.value):
            raise ValueError(f"{given.metric}: {point.value} is no value")
        key = PointKey(given.metric, _TYPES[given.type], tuple(sorted(given.tags)), point.timestamp)
        points.append(Point(key, point.value, interval=given.interval, origin=origin))
    return points


def _distribution(given: Any, sketch: Any) -> Point:
    _check_name(given)
    if len(sketch.k) != len(sketch.n):
        raise ValueError(f"{given.metric}: {len(sketch.k)} keys and {len(sketch.n)} counts")
    if list(sketch.k) != sorted(sketch.k):
        raise ValueError(f"{given.metric}: keys that do not ascend")
    if sum(sketch.n) != sketch.cnt or sketch.cnt <= 0:
        raise ValueError(f"{given.metric}: bins of {sum(sketch.n)} samples for a count of {sketch.cnt}")
    if not all(map(math.isfinite, (sketch.min, sketch.max, sketch.avg, sketch.sum))):
        raise ValueError(f"{given.metric}: a summary that is no number")
    if not sketch.min <= sketch.max:
        raise ValueError(f"{given.metric}: a least sample of {sketch.min} and a largest of {sketch.max}")
    bins: dict[int, int] = {}
    for key, times in zip(sketch.k, sketch.n, strict=True):
        bins[key] = bins.get(key, 0) + times
    return Point(
        PointKey(given.metric, "distribution", tuple(sorted(given.tags)), sketch.ts),
        sketch.sum,
        samples=sketch.cnt,
        origin=_origin(given),
        bins=bins,
        extremes=(sketch.min, sketch.max),
    )


def _check_name(given: Any) -> None:
    name = given.metric
    if not name or not (name[0].isascii() and name[0].isalpha()) or len(name) > 200:
        raise ValueError(f"{name!r:.300} is no name of a metric")
    if strange := set(name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."):
        raise ValueError(f"{name!r:.300} has {sorted(strange)} in it")


def _origin(given: Any) -> tuple[int, int, int] | None:
    if not given.HasField("metadata") or not given.metadata.HasField("origin"):
        return None
    origin = given.metadata.origin
    return origin.origin_product, origin.origin_category, origin.origin_service
