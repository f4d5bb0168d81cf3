"""Explanations of wrong calls of native functions, and the signatures of native functions.

The native module imports this module when it is initialized, and calls `explain` when pybind11 could not
convert the arguments. Everything is derived from the signature that pybind11 writes into a docstring:

>>> text = "(self: thaw._native.Client, url: str, *, method: str = 'POST') -> thaw._native.SendResult"
>>> signature(text)
<Signature (self: 'Client', url: 'str', *, method: 'str' = 'POST') -> 'SendResult'>
>>> explain("Client.send()", text, ["http://host/"], {"metod": "GET"}, True)
TypeError("Client.send() got an unexpected keyword argument 'metod'; did you mean 'method'?")
>>> explain("Client.send()", text, [5], {}, True)
TypeError('Client.send(): url must be str, not int')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import inspect


class Parameter(NamedTuple):
    """One parameter of a signature that pybind11 wrote."""

    name: str
    kind: str  # "positional", "keyword", "*" or "**"
    annotation: str
    default: str | None  # its repr


_OPENING, _CLOSING = "([{", ")]}"


def _split(text: str, separator: str) -> list[str]:
    """Splits a text at the separators that are neither in brackets nor in quotes."""
    parts, depth, quote, begin, at = [], 0, "", 0, 0
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        elif depth == 0 and text.startswith(separator, at):
            parts.append(text[begin:at])
            at += len(separator)
            begin = at
            continue
        at += 1
    return [*parts, text[begin:]]


def _simple(annotation: str) -> str:
    """Returns a type without the protocols that pybind11 accepts as an int or a float."""
    annotation = annotation.replace("thaw._native.", "")
    annotation = annotation.replace("typing.SupportsInt | typing.SupportsIndex", "int")
    annotation = annotation.replace("typing.SupportsFloat | typing.SupportsIndex", "float")
    unique = dict.fromkeys(_split(annotation, " | "))
    return " | ".join(unique)


def _readable(annotation: str) -> str:
    """Returns a type without the names of modules of the standard library."""
    for module in ("collections.abc.", "typing_extensions."):
        annotation = annotation.replace(module, "")
    return annotation


def parse(text: str) -> tuple[list[Parameter], str]:
    """Returns a function's parameters and the type of its result."""
    inside, _, result = text.rpartition(" -> ")
    parameters, kind = [], "positional"
    for part in _split(inside[1:-1], ", "):
        if part == "*":
            kind = "keyword"
        elif part.startswith("*"):
            name, _, annotation = part.partition(": ")
            stars = name[: name.count("*")]
            parameters.append(Parameter(name.lstrip("*"), stars, _simple(annotation), None))
            kind = "keyword"
        elif part not in ("", "/"):
            declared, *default = _split(part, " = ")
            name, _, annotation = declared.partition(": ")
            parameters.append(Parameter(name, kind, _simple(annotation), default[0] if default else None))
    return parameters, _simple(result)


def signature(text: str) -> inspect.Signature:
    """Returns the signature as `inspect` would for a function written in Python."""
    import ast
    import inspect

    kinds = {
        "positional": inspect.Parameter.POSITIONAL_OR_KEYWORD,
        "keyword": inspect.Parameter.KEYWORD_ONLY,
        "*": inspect.Parameter.VAR_POSITIONAL,
        "**": inspect.Parameter.VAR_KEYWORD,
    }
    parameters, result = parse(text)

    def given(default: str | None) -> Any:
        return inspect.Parameter.empty if default is None else ast.literal_eval(default)

    return inspect.Signature(
        [
            inspect.Parameter(
                each.name, kinds[each.kind], default=given(each.default), annotation=each.annotation
            )
            for each in parameters
        ],
        return_annotation=result,
    )


class ClassSignature:
    """The `__signature__` of a class without a constructor of its own; AttributeError for its subclasses."""

    def __init__(self, owner: type, text: str) -> None:
        self._owner = owner
        self._text = text

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        if owner is not self._owner:
            raise AttributeError("__signature__")
        return signature(self._text)


# -- Copies ------------------------------------------------------------------------------------------


def reduce(self: object, protocol: int, /) -> Any:
    """Implements `__reduce_ex__` for types that can be pickled; their state needs protocol 2 or later."""
    return object.__reduce_ex__(self, max(protocol, 2))


def refuse_to_reduce(self: object, protocol: int, /) -> Any:
    """Implements `__reduce_ex__` for types that belong to one process; raises TypeError.

    Such an object has a thread, sockets or memory outside of Python. A subclass may define `__reduce__`.
    """
    if type(self).__reduce__ is not object.__reduce__:
        return self.__reduce__()
    raise TypeError(f"a {type(self).__name__} can't be pickled or copied: it belongs to its process")


# -- Explanations ------------------------------------------------------------------------------------


def _fits_one(value: object, annotation: str) -> bool:
    kind = type(value)
    name, _, _ = annotation.partition("[")
    name = name.rpartition(".")[2]
    match name:
        case "None":
            return value is None
        case "str":
            return isinstance(value, str)
        case "bool":
            is_numpys = kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")
            return isinstance(value, bool) or is_numpys
        case "int":
            # __int__ alone may lose a fraction: int(Decimal("3.7")) is 3.
            return hasattr(kind, "__index__")
        case "float":
            return hasattr(kind, "__float__") or hasattr(kind, "__index__")
        case "Buffer" | "bytes":
            return _is_buffer(value)
        case "PathLike":
            return hasattr(kind, "__fspath__") or isinstance(value, bytes)
        case "Mapping" | "dict":
            return hasattr(kind, "keys") and hasattr(kind, "__getitem__")
        case "Iterable":
            if isinstance(value, str | bytes):
                return False
            return hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")
        case "Sequence" | "list" | "tuple":
            return hasattr(kind, "__getitem__") and not isinstance(value, str | bytes | dict)
        case "Callable":
            return callable(value)
    from thaw import _native

    wanted = getattr(_native, name, None)
    return not isinstance(wanted, type) or isinstance(value, wanted)


def _is_buffer(value: object) -> bool:
    try:
        memoryview(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def _type_name(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _misfit(what: str, value: object, annotation: str) -> str | None:
    """Returns a text that says why a value, named `what`, does not fit its type; None if it fits."""
    kinds = _split(annotation, " | ")
    fitting = [kind for kind in kinds if _fits_one(value, kind)]
    if not fitting:
        readable = "bytes-like" if annotation == "Buffer" else annotation
        return f"{what} must be {readable}, not {_type_name(value)}"
    if isinstance(value, dict) and fitting[0].startswith(("Mapping[", "dict[")):
        key_kind, item_kind = _split(fitting[0].partition("[")[2][:-1], ", ")
        for key, item in value.items():
            if (wrong := _misfit(f"{what}: the key {key!r}", key, key_kind)) is not None:
                return wrong
            if (wrong := _misfit(f"{what}[{key!r}]", item, item_kind)) is not None:
                return wrong
    if isinstance(value, list | tuple):
        for kind in fitting:
            name, _, inside = kind.partition("[")
            if name == "Sequence" or name == "list":
                for at, item in enumerate(value):
                    if (wrong := _misfit(f"{what}[{at}]", item, inside[:-1])) is not None:
                        return wrong
            elif name == "tuple":
                kinds = _split(inside[:-1], ", ")
                if len(kinds) != len(value):
                    return f"{what} must be {kind}, not of {len(value)} items"
                for at, (item, each) in enumerate(zip(value, kinds, strict=True)):
                    if (wrong := _misfit(f"{what}[{at}]", item, each)) is not None:
                        return wrong
    return None


def _out_of_range(what: str, value: object) -> str | None:
    """Returns a text that says why a value of the right type can't be converted; None if it can."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return f"{what} has characters that UTF-8 doesn't have"
    elif isinstance(value, int) and not -(1 << 31) <= value < 1 << 31:
        return f"{what} is {value if abs(value) < 1 << 128 else 'an integer'}: out of range"
    elif isinstance(value, int) and value < 0:
        return f"{what} is {value}: it must not be negative"
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            if (wrong := _out_of_range(f"{what}[{at}]", item)) is not None:
                return wrong
    elif isinstance(value, dict):
        for key, item in value.items():
            for part, each in ((f"{what}: the key {key!r}", key), (f"{what}[{key!r}]", item)):
                if (wrong := _out_of_range(part, each)) is not None:
                    return wrong
    return None


def _bound(
    label: str, parameters: list[Parameter], positional: list[Any], named: dict[str, Any]
) -> dict[str, Any] | str:
    """Returns the arguments by the names of their parameters, or a text on their wrong number or names."""
    taken = [each for each in parameters if each.kind == "positional"]
    names = [each.name for each in parameters if each.kind in ("positional", "keyword")]
    for name in named:
        if name not in names:
            from thaw._nearest import nearest  # a call that is right imports nothing

            meant = nearest(name, names)
            hint = f"; did you mean {meant!r}?" if meant else ""
            return f"{label} got an unexpected keyword argument {name!r}{hint}"
    if len(positional) > len(taken):
        most = f"at most {len(taken)}" if taken else "no"
        given = f"{len(positional)} {'was' if len(positional) == 1 else 'were'} given"
        hint = "; name them" if len(names) > len(taken) else ""
        return f"{label} takes {most} positional argument{'s' * (len(taken) != 1)}, {given}{hint}"
    arguments = dict(zip((each.name for each in taken), positional, strict=False))
    for name, value in named.items():
        if name in arguments:
            return f"{label} got two values for its argument {name!r}"
        arguments[name] = value
    for each in parameters:
        if each.kind in ("positional", "keyword") and each.default is None and each.name not in arguments:
            return f"{label} misses its argument {each.name!r}"
    return arguments


def wrong_type(
    label: str, text: str, positional: list[Any], named: dict[str, Any], bound: bool
) -> TypeError | None:
    """Returns the exception for arguments of a wrong number, name or type; None if all fit.

    Args:
      label: the function's name in the message, such as "Client.send()"; "ClientOptions.max_attempts" for the
        setter of an attribute.
      text: the signature that pybind11 wrote.
      bound: whether the first parameter is the receiver, which is not among the arguments.
    """
    parameters, _ = parse(text)
    parameters = parameters[bool(bound) :]
    is_call = label.endswith(")")
    arguments = _bound(label, parameters, positional, named)
    if isinstance(arguments, str):
        return TypeError(arguments)
    annotations = {each.name: _readable(each.annotation) for each in parameters}
    for name, value in arguments.items():
        what = f"{label}: {name}" if is_call else label
        if (wrong := _misfit(what, value, annotations[name])) is not None:
            return TypeError(wrong)
    return None


def explain(label: str, text: str, positional: list[Any], named: dict[str, Any], bound: bool) -> Exception:
    """Returns the exception for a call whose arguments could not be converted: TypeError or InvalidArgument.

    The arguments are those of `wrong_type`.
    """
    from thaw import _native

    if (wrong_kind := wrong_type(label, text, positional, named, bound)) is not None:
        return wrong_kind
    parameters, _ = parse(text)
    arguments = _bound(label, parameters[bool(bound) :], positional, named)
    assert isinstance(arguments, dict)
    for name, value in arguments.items():
        what = f"{label}: {name}" if label.endswith(")") else label
        if (wrong := _out_of_range(what, value)) is not None:
            return _native.InvalidArgument(wrong)
    given = ", ".join(f"{name}: {_type_name(value)}" for name, value in arguments.items())
    return TypeError(f"{label} can't take these arguments ({given}); see its signature")
