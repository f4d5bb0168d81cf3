"""The requirements of each world, and whether this machine meets them.

availability.why_not("W3a")     # "linux.uml is not installed (Debian's package user-mode-linux has it)"
"""

from __future__ import annotations

from thaw.lab import line
from thaw.lab.experiment import WorldName
from thaw.lab.machine import qemu, user_mode_linux


def missing_program(world: WorldName) -> str | None:
    """Returns the program that a world needs and that is not installed; None if there is none."""
    if world == "W3a":
        return user_mode_linux.missing_program()
    return qemu.missing_program() if world == "W3b" else None


def why_not(world: WorldName) -> str | None:
    """Tries the requirements of a world. Returns None, or the reason why this machine does not meet them."""
    if world in ("W0", "W1"):
        return None
    return missing_program(world) or line.why_not()


def without(world: WorldName) -> str:
    """Returns what happens to a world whose requirements are not met."""
    return "a proxy stands for the line, except for close address" if world == "W2" else "refused"
