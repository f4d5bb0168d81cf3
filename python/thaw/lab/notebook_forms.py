"""Forms in which values show themselves in a notebook: HTML, made by a module above that of the value.

    class ExperimentResult(ShownAsHtml): ...
    notebook_forms.register(ExperimentResult, html_of_result)

The modules of figures thus import nothing of the reports, which are made from them. A value whose type has no
form yet is shown as text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_FORMS: dict[type, Callable[[Any], str]] = {}

_Shown = TypeVar("_Shown", bound="ShownAsHtml")


class ShownAsHtml:
    """The base of types that a notebook shows as HTML once a form is registered for them."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """Returns the HTML. None if the type has no form: notebooks then show the text."""
        form = _FORMS.get(type(self))
        return None if form is None else form(self)


def register(shown: type[_Shown], form: Callable[[_Shown], str]) -> None:
    """Makes `form` the HTML of all values of the type."""
    _FORMS[shown] = form
