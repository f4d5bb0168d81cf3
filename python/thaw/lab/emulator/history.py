"""The history of one function's environments: freezes, extensions' startups, ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from thaw.lab.emulator.processes import Usage
from thaw.lab.emulator.settings import ShutdownReason


@dataclass(frozen=True)
class Freeze:
    """One period in which an environment was frozen. Times are nanoseconds of time.monotonic_ns()."""

    begin_ns: int  # told to stop
    frozen_ns: int  # all stopped
    resume_ns: int  # told to go on

    @property
    def frozen_for(self) -> float:
        """Seconds."""
        return (self.resume_ns - self.frozen_ns) / 1e9


@dataclass(frozen=True)
class Startup:
    """The start of an extension. Times are nanoseconds of time.monotonic_ns()."""

    name: str
    exec_ns: int
    first_next_ns: int
    usage: Usage | None  # at that moment

    @property
    def wall_ms(self) -> float:
        """Milliseconds from exec to the first /event/next."""
        return (self.first_next_ns - self.exec_ns) / 1e6


@dataclass(frozen=True)
class ExtensionEnd:
    """The end of an extension. `told_ns` is 0 if the extension got no SHUTDOWN: it had not registered for it,
    or never called /event/next.
    """

    name: str
    told_ns: int
    exit_ns: int
    exit_code: int
    killed: bool

    @property
    def took_ms(self) -> float:
        """Milliseconds from SHUTDOWN to exit."""
        return (self.exit_ns - self.told_ns) / 1e6


@dataclass(frozen=True)
class Shutdown:
    """The end of an environment."""

    reason: ShutdownReason
    took_ms: float
    extensions: tuple[ExtensionEnd, ...]


@dataclass
class History:
    """The freezes, startups and ends of a function's environments, which live one after the other.

    Attributes:
      on_line_taken: called with each line of the function when a subscriber of telemetry has taken it.
    """

    freezes: list[Freeze] = field(default_factory=list)
    startups: list[Startup] = field(default_factory=list)
    shutdowns: list[Shutdown] = field(default_factory=list)
    on_line_taken: Callable[[str], None] | None = None
