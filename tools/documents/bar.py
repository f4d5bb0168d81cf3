"""A figure and its target."""

from __future__ import annotations

from typing import NamedTuple


class Bar(NamedTuple):
    """One figure and its target."""

    what: str
    bar: str
    measured: str
    reached: bool

    def row(self) -> list[str]:
        return [self.what, self.bar, self.measured, "yes" if self.reached else "**no**"]


def at_most(what: str, measured: float, most: float, unit: str, digits: int = 1) -> Bar:
    """Returns a figure with an upper bound."""
    shown = f" {unit}" if unit else ""
    return Bar(what, f"≤ {most:g}{shown}", f"{measured:,.{digits}f}{shown}", measured <= most)


def at_least(what: str, measured: float, least: float, unit: str) -> Bar:
    """Returns a figure with a lower bound."""
    return Bar(what, f"≥ {least:,g} {unit}", f"{measured:,.0f} {unit}", measured >= least)


def exactly(what: str, measured: float, wanted: float, unit: str = "") -> Bar:
    """Returns a figure that has one right value."""
    shown = f" {unit}" if unit else ""
    return Bar(what, f"= {wanted:,g}{shown}", f"{measured:,g}{shown}", measured == wanted)
