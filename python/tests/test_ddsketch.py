"""thaw.DDSketch against exact computations, and its protobuf against a decoder that is not ours."""

from __future__ import annotations

import math
import random

import pytest

import thaw
from thaw.lab.intake import decode_metrics

# Keys by an independent computation: ln v / ln 1.015625, rounded to even, plus 1338.
KEYS = {
    0.0: 0,
    1e-9: 1,
    0.001: 892,
    0.5: 1293,
    1.0: 1338,
    2.0: 1383,
    3.5: 1419,
    10.0: 1487,
    42.0: 1579,
    100.0: 1635,
    128.0: 1651,
    1000.0: 1784,
    1e6: 2229,
    1e9: 2675,
    -1.0: -1338,
    -7.5: -1468,
}


@pytest.mark.parametrize(("value", "key"), KEYS.items())
def test_a_value_has_the_key_that_the_agent_gives_it(value: float, key: int) -> None:
    assert thaw.DDSketch.key_of(value) == key
    assert thaw.DDSketch([value]).bins == {key: 1}


def test_quantiles_are_within_a_128th_of_the_exact_ones() -> None:
    chance = random.Random(7)
    values = sorted(chance.lognormvariate(2, 3) for _ in range(5001))
    sketch = thaw.DDSketch(chance.sample(values, len(values)))
    for part in (0.0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0):
        exact = values[round(part * (len(values) - 1))]
        assert math.isclose(sketch.quantile(part), exact, rel_tol=1 / 128 + 1e-9)
    assert (sketch.count, sketch.min, sketch.max) == (5001, values[0], values[-1])
    assert math.isclose(sketch.sum, math.fsum(values), rel_tol=1e-9)
    assert math.isclose(sketch.average, math.fsum(values) / 5001, rel_tol=1e-9)


def test_merging_does_not_depend_on_the_order() -> None:
    chance = random.Random(8)
    parts = [[chance.uniform(-100, 100) for _ in range(300)] for _ in range(3)]

    def merged(order: list[int]) -> dict[int, int]:
        total = thaw.DDSketch()
        for number in order:
            total.merge(thaw.DDSketch(parts[number]))
        assert total.count == 900
        return total.bins

    assert merged([0, 1, 2]) == merged([2, 0, 1]) == thaw.DDSketch([v for part in parts for v in part]).bins


def test_a_sketch_that_is_merged_with_itself_is_doubled() -> None:
    sketch = thaw.DDSketch([1.0, -2.0, 1.0])
    sketch.merge(sketch)
    assert (sketch.count, sketch.bins) == (6, {-1383: 2, 1338: 4})


def test_a_weight_counts_a_value_so_often() -> None:
    sketch = thaw.DDSketch()
    sketch.insert(5.0, weight=100_000)
    assert (sketch.count, sketch.sum, sketch.bins) == (
        100_000,
        500_000.0,
        {thaw.DDSketch.key_of(5.0): 100_000},
    )


def test_the_protobuf_is_a_dogsketch() -> None:
    sketch = thaw.DDSketch([1.0, 1.0, -2.0, 0.0])
    sketch.insert(3.0, weight=70_000)
    message = decode_metrics.message_class("Dogsketch").FromString(sketch.to_protobuf())
    bins: dict[int, int] = {}
    for key, times in zip(message.k, message.n, strict=True):
        assert times <= 65_535
        bins[key] = bins.get(key, 0) + times
    assert bins == sketch.bins
    assert list(message.k) == sorted(message.k)
    assert (message.cnt, message.min, message.max) == (70_004, -2.0, 3.0)
    assert (message.sum, message.avg) == (sketch.sum, sketch.average)


def test_an_empty_sketch_has_a_summary() -> None:
    assert thaw.DDSketch().to_dict() == {"count": 0, "min": 0.0, "max": 0.0, "sum": 0.0, "average": 0.0}
    assert repr(thaw.DDSketch()) == "DDSketch(count=0, min=0.0, max=0.0, sum=0.0, average=0.0)"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_an_error(value: float) -> None:
    sketch = thaw.DDSketch()
    with pytest.raises(thaw.InvalidArgument, match="value"):
        sketch.insert(value)
    with pytest.raises(thaw.InvalidArgument, match="value"):
        thaw.DDSketch([1.0, value])
    with pytest.raises(thaw.InvalidArgument, match="value"):
        thaw.DDSketch.key_of(value)
    with pytest.raises(thaw.InvalidArgument, match="weight"):
        sketch.insert(1.0, weight=value)
    with pytest.raises(thaw.InvalidArgument, match="q is"):
        sketch.quantile(value)
    assert sketch.count == 0


def test_arguments_out_of_range_are_errors() -> None:
    with pytest.raises(thaw.InvalidArgument, match="weight is 0"):
        thaw.DDSketch().insert(1.0, weight=0)
    with pytest.raises(thaw.InvalidArgument, match="key is -32768"):
        thaw.DDSketch.value_of(-32768)
    assert thaw.DDSketch.value_of(32767) == math.inf
    assert math.isclose(thaw.DDSketch.value_of(1383), 2.0, rel_tol=1 / 128)
