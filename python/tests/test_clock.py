from __future__ import annotations

import pytest

import thaw


def test_system_clock_goes_on():
    earlier = thaw.Clock().now()
    later = thaw.Clock().now()
    assert later.monotonic >= earlier.monotonic
    assert later.boot >= earlier.boot
    assert earlier.largest_advance(later) >= 0


def test_fake_clock_moves_each_clock_alone():
    clock = thaw.FakeClock()
    start = clock.now()
    clock.advance(2)
    clock.advance(wall=-60)
    clock.freeze(wall=90, boot=30)
    now = clock.now()
    assert now.wall - start.wall == pytest.approx(32)
    assert now.monotonic - start.monotonic == pytest.approx(2)
    assert now.boot - start.boot == pytest.approx(32)
    assert start.largest_advance(now) == pytest.approx(32)


def test_reading_is_a_plain_value():
    reading = thaw.FakeClock().now()
    assert reading.to_dict() == {"wall": 1767225600.0, "monotonic": 1000.0, "boot": 2000.0}
    assert repr(reading) == "ClockReading(wall=1767225600.0, monotonic=1000.0, boot=2000.0)"


@pytest.mark.parametrize("step", [{"seconds": -1}, {"monotonic": -0.5}, {"seconds": 1, "wall": 1}])
def test_impossible_steps(step: dict[str, float]):
    with pytest.raises(thaw.InvalidArgument):
        thaw.FakeClock().advance(**step)


def test_not_a_number():
    with pytest.raises(thaw.InvalidArgument, match="wall is not a number"):
        thaw.FakeClock().advance(wall=float("nan"))
