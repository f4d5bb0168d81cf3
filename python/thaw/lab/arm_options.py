"""Options of an arm's client as text: the fields of `thaw.ClientOptions`, each by the type of its default.

    arm_options.read("max_idle_per_host", "1"), arm_options.read("on_resume", "keep")
    arm_options.text_of(0.5)

The names and types are the bound class's own, so that a new field is an option here without a change.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import Any

import thaw
from thaw._nearest import nearest
from thaw.lab import named_values

NONE = "none"
_Read = Callable[[str], Any]


@functools.cache
def fields() -> dict[str, Any]:
    """Returns the default of each field, by its name, in the order in which the class has them."""
    plain = thaw.ClientOptions()
    return {name: getattr(plain, name) for name in plain.to_dict()}


def kind(name: str) -> str:
    """Says which values a field takes, in words that end "it is …"."""
    return _reader(fields()[name])[0]


def read(name: str, text: str) -> Any:
    """Returns the value of a field from its text. ValueError names the field, the value and what is expected;
    for an unknown field, the nearest one.
    """
    known = fields()
    if name not in known:
        near = nearest(name, known)
        meant = f"the nearest is {near} ({kind(near)})" if near else f"there are {', '.join(known)}"
        raise ValueError(f"ClientOptions has no field {name!r}; {meant}")
    expected, parse = _reader(known[name])
    try:
        return parse(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, not {expected}") from None


def text_of(value: Any) -> str:
    """Returns the text from which `read` makes this value. One value has one text, however it was written."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return named_values.number(value)
    return ",".join(value) if isinstance(value, tuple) else str(value)


def check(values: dict[str, Any]) -> None:
    """Raises ValueError if a client can't have these options together; the text names the field."""
    try:
        thaw.ClientOptions(**values)
    except (thaw.InvalidArgument, TypeError, OverflowError) as error:
        raise ValueError(str(error).removeprefix("ClientOptions.")) from None


def _reader(default: Any) -> tuple[str, _Read]:
    """Returns the words for a field's values, and the function that reads one."""
    if isinstance(default, bool):
        return "true or false", _truth
    if isinstance(default, enum.Enum):
        names = [member.name.lower() for member in type(default)]
        return f"one of {', '.join(names)}", functools.partial(_one_of, names)
    if isinstance(default, int):
        return "a whole number", int
    if isinstance(default, float):
        return "a number of seconds", float
    if default is None:
        return f"a number of seconds, or {NONE}", lambda text: None if text == NONE else float(text)
    if isinstance(default, str):
        return "text", str
    return "text, several with commas between them, in double quotes", _several


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _one_of(names: list[str], text: str) -> str:
    if text.lower() not in names:
        raise ValueError
    return text.lower()


def _several(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())
