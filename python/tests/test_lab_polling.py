"""A poll looks until there is something or the time is over, and once at least."""

from __future__ import annotations

from thaw.lab.polling import poll


def test_the_first_thing_that_is_found_is_returned() -> None:
    looks = iter([None, "", "found", "later"])
    assert poll(lambda: next(looks), 60, every=0) == "found"
    assert next(looks) == "later"


def test_without_time_one_look_is_made_and_its_result_returned() -> None:
    looks: list[int] = []

    def look() -> bool:
        looks.append(1)
        return False

    assert poll(look, 0, every=0) is False
    assert len(looks) == 1


def test_a_poll_ends_when_its_time_is_over() -> None:
    looks: list[int] = []
    assert poll(lambda: looks.append(1), 0.05, every=0.001) is None
    assert len(looks) > 1
