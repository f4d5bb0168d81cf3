"""The invariants that an arm of thaw keeps in every experiment."""

from __future__ import annotations

from thaw import InvariantBroken
from thaw.lab.arms import Arm
from thaw.lab.experiment import ArmOutcome, ExperimentSettings


def check(arm: Arm, settings: ExperimentSettings, outcome: ArmOutcome) -> None:
    """Checks an arm that keeps what it could not send; other arms promise nothing.

    Raises InvariantBroken, which names what broke.
    """
    if not arm.keeps:
        return

    def broken(text: str) -> InvariantBroken:
        return InvariantBroken(
            f"arm {arm.name}, world {settings.world}, {settings.scenario}, close {settings.close}, seed "
            f"{settings.seed}: {text}"
        )

    for where, times in sorted(outcome.times.items()):
        cycle, payload = where
        name = f"payload {payload} of cycle {cycle}"
        if times == 0 and where not in outcome.retained and where not in outcome.dropped:
            raise broken(f"{name} was lost: not accepted, not kept, not counted as dropped")
        if times > 1 and where not in outcome.flagged:
            raise broken(f"{name} was accepted {times} times and not flagged as a possible duplicate")
    if settings.scenario == "idle" and (still_open := outcome.counters.get("open_at_next", 0)):
        raise broken(f"{still_open} exchanges were open at freezes after the end of a flush")
