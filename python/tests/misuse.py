"""Calls every function of the package with receivers and arguments of wrong types.

`python misuse.py NAME` does so for one name of the package and prints how many calls it made. Each must
raise an exception or return; a signal ends the process, and with it the test.
"""

from __future__ import annotations

import contextlib
import enum
import faulthandler
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import thaw

FOLDER = pathlib.Path(__file__).resolve().parent
# A keyword that UTF-8 does not have.
SURROGATE = {"\ud800": 1}


class Stranger:
    """An object of no type of the package."""


def bound_types() -> list[type]:
    return [
        value
        for name in thaw.__all__
        if isinstance(value := getattr(thaw, name), type) and not issubclass(value, enum.Enum | BaseException)
    ]


def uninitialised(kind: type) -> Any:
    """An object whose __init__ has never run."""
    return kind.__new__(kind)


def half_made(kind: type) -> Any:
    """An object of a subclass, met while its own __init__ has not called that of its base."""
    met: list[object] = []

    class Half(kind):  # type: ignore[misc]
        def __init__(self) -> None:
            met.append(self)
            raise RuntimeError

    with contextlib.suppress(RuntimeError):
        Half()
    return met[0]


def strangers(kind: type | None) -> Iterator[Any]:
    yield from (None, 0, 2**70, -1, 1.5, float("nan"), "text", "\ud800", b"bytes", object(), Stranger())
    yield from ([], {}, (), kind, type, thaw, [None], {"a": 1}, {1: "a"}, [("a",)], [1, 2])
    yield from (iter([None]), memoryview(b"abc")[::2])
    yield from (thaw.FakeClock(), thaw.ClientOptions(), thaw.Clock().now(), thaw.FlusherOptions())
    for each in bound_types():
        yield uninitialised(each)
    if kind is not None:
        yield half_made(kind)


def functions(kind: type) -> Iterator[tuple[str, Any]]:
    """Yields every function of a type: methods, operators, and those of properties."""
    for name in dir(kind):
        if name in ("__class__", "__init_subclass__", "__subclasshook__", "__dir__"):
            continue
        try:
            value = getattr(kind, name)
        except AttributeError:
            continue
        if isinstance(value, property):
            for part in (value.fget, value.fset, value.fdel):
                if part is not None:
                    yield name, part
        elif callable(value):
            yield name, value


def attempt(function: Any, *arguments: Any, **named: Any) -> None:
    with contextlib.suppress(Exception):
        result = function(*arguments, **named)
        # The repr of the result is made, too.
        repr(result)


def misuse(kind: type) -> int:
    calls = 0
    for name, function in functions(kind):
        for first in strangers(kind):
            attempt(function, first)
            attempt(function, first, **SURROGATE)
            calls += 2
            if name in ("__new__", "__reduce_ex__", "__format__", "simulate"):
                continue
            for second in strangers(None):
                attempt(function, first, second)
                calls += 1
        attempt(function)
        attempt(function, nonsense=1)
    for made in (uninitialised(kind), half_made(kind)):
        for name in dir(made):
            attempt(getattr, made, name)
            attempt(setattr, made, name, None) if name != "__class__" else None
            calls += 2
        for use in (repr, str, hash, bool, len, iter, dir, vars, bytes):
            attempt(use, made)
        attempt(lambda made=made: made == made)
        attempt(lambda made=made: made == kind)
    for argument in strangers(kind):
        attempt(kind, argument)
        attempt(kind, argument, argument)
        attempt(kind, argument, "http://127.0.0.1:1", "key")
    attempt(kind, **SURROGATE)
    return calls


def misuse_function(function: Any) -> int:
    import inspect

    calls = 0
    for name in inspect.signature(function).parameters:
        for value in strangers(None):
            # The largest number of cycles is valid, and would run without end.
            if name == "cycles" and isinstance(value, int) and value > 1000:
                continue
            attempt(function, **{"cycles": 1, name: value})
            calls += 1
    attempt(function, **{"cycles": 1, **SURROGATE})
    return calls


if __name__ == "__main__":
    faulthandler.enable()
    given = getattr(thaw, sys.argv[1])
    print(misuse(given) if isinstance(given, type) else misuse_function(given))
