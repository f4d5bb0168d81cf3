"""Text of the form `name(key=value,key=value)`: an arm with options, a distribution with parameters.

    name, values = named_values.parse('thaw(max_idle_per_host=1,user_agent="a, b")')
    named_values.split("v93,thaw(max_idle_per_host=1,on_resume=keep)")  # two texts

A value that has commas, brackets, quotes or blanks stands in double quotes, written as JSON writes a string.
Nothing here needs more than the standard library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from thaw._nearest import nearest

_PLAIN = re.compile(r"[A-Za-z0-9_.:/@*+-]+")


def split(text: str) -> list[str]:
    """Returns the parts between commas that stand neither in brackets nor in quotes, without blanks around
    them.

    ValueError: a bracket or a quote is not closed.
    """
    parts, begun, depth, at = [], 0, 0, 0
    while at < len(text):
        sign = text[at]
        if sign == '"':
            at = _end_of_quoted(text, at)
            continue
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            raise ValueError(f"{text!r} closes a bracket that it has not opened")
        if sign == "," and depth == 0:
            parts.append(text[begun:at].strip())
            begun = at + 1
        at += 1
    if depth:
        raise ValueError(f"{text!r} has a bracket that is not closed")
    return [*parts, text[begun:].strip()]


def parse(text: str) -> tuple[str, dict[str, str]]:
    """Returns the name, and the values by their keys, as text. ValueError says what is wrong with the
    text.
    """
    name, bracket, inside = text.strip().partition("(")
    if not bracket:
        return name, {}
    if not inside.endswith(")"):
        raise ValueError(f"{text!r} does not end with its closing bracket")
    values: dict[str, str] = {}
    for part in split(inside[:-1]) if inside[:-1].strip() else []:
        key, equals, value = (each.strip() for each in part.partition("="))
        if not (key and equals):
            raise ValueError(f"{text!r}: {part!r} is not of the form name=value")
        if key in values:
            raise ValueError(f"{text!r} gives {key} twice")
        values[key] = unquoted(value)
    return name.strip(), values


def text_of(name: str, values: Iterable[tuple[str, str]]) -> str:
    """Returns the text that `parse` reads as these; without values, the name alone."""
    inside = ",".join(f"{key}={_quoted(value)}" for key, value in values)
    return f"{name}({inside})" if inside else name


def number(value: float) -> str:
    """Returns the shortest text from which `float` makes the same number."""
    return repr(value).removesuffix(".0")


def unknown(what: str, given: str, known: Iterable[str]) -> str:
    """Returns an error's text for a name that is not known; it names the nearest, and all that are."""
    names = list(known)
    near = nearest(given, names)
    meant = f"; the nearest is {near}" if near is not None else ""
    return f"there is no {what} {given!r}{meant}; there are {', '.join(names)}"


def _end_of_quoted(text: str, at: int) -> int:
    try:
        _, end = json.JSONDecoder().raw_decode(text, at)
    except ValueError:
        raise ValueError(f"{text!r} has a quote that is not closed, or is not written as in JSON") from None
    return int(end)


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value)


def unquoted(value: str) -> str:
    """Returns the text of a value, which may stand in double quotes. ValueError says what is wrong with
    them.
    """
    if not value.startswith('"'):
        return value
    if _end_of_quoted(value, 0) != len(value):
        raise ValueError(f"{value!r} goes on after its closing quote")
    return str(json.loads(value))
