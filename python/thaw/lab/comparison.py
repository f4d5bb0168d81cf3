"""Comparisons of an arm with a reference: which loses fewer payloads, which is faster, and how sure that is.

    for each in comparison.compare(blocks, payloads):
        print(each.sentence)

An experiment's first arm is the reference of the others. The sentence is what tables, JSON and pages show.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from thaw.lab.notebook_forms import ShownAsHtml
from thaw.lab.statistics import (
    LEAST_BLOCKS,
    SAME,
    Interval,
    PairedDifference,
    Verdict,
    paired,
    rule_of_three,
    wilson,
)

LossVerdict = Literal["loses fewer payloads", "loses more payloads", "no difference in losses"]


@dataclass(frozen=True)
class Losses:
    """The payloads that an arm lost, of those that it was given."""

    lost: int
    payloads: int

    @property
    def interval(self) -> Interval:
        """The interval of the share that the arm loses: Wilson's, or from 0 to the rule of three's bound."""
        return wilson(self.lost, self.payloads) if self.lost else Interval(0.0, rule_of_three(self.payloads))

    def __str__(self) -> str:
        found = self.interval
        if not self.lost:
            return f"{self.lost} of {self.payloads:,} (at most {_percent(found.high)} %)"
        return f"{self.lost:,} of {self.payloads:,} ({_percent(found.low)} to {_percent(found.high)} %)"


@dataclass(frozen=True)
class Comparison(ShownAsHtml):
    """One arm beside the reference.

    Attributes:
      flush_ms: the paired differences of the median times of flushes, in milliseconds; each block's first
        flush is not among them.
    """

    arm: str
    reference: str
    flush_ms: PairedDifference
    losses: Losses
    reference_losses: Losses

    @property
    def verdict(self) -> Verdict:
        """The verdict on the times."""
        return self.flush_ms.verdict

    @property
    def loss_verdict(self) -> LossVerdict:
        """The verdict on the losses: different if the intervals have nothing in common."""
        mine, other = self.losses.interval, self.reference_losses.interval
        if mine.high < other.low:
            return "loses fewer payloads"
        return "loses more payloads" if mine.low > other.high else "no difference in losses"

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        return (
            f"{self.arm} against {self.reference}: {self.loss_verdict}, {self.losses} against"
            f" {self.reference_losses}; {_VERDICTS[self.verdict]}, {_times(self.flush_ms)}."
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "arm": self.arm,
            "reference": self.reference,
            "sentence": self.sentence,
            "verdict": self.verdict,
            "loss_verdict": self.loss_verdict,
            "flush_ms": dataclasses.asdict(self.flush_ms),
            "losses": _losses_json(self.losses),
            "reference_losses": _losses_json(self.reference_losses),
        }

    @classmethod
    def from_json(cls, value: Any) -> Comparison:
        """Reads what `to_json` gave. ValueError: something is missing."""
        try:
            times = dict(value["flush_ms"])
            for name in ("interval", "share_interval"):
                times[name] = None if times[name] is None else Interval(**times[name])
            both = [
                Losses(value[name]["lost"], value[name]["payloads"])
                for name in ("losses", "reference_losses")
            ]
            return cls(value["arm"], value["reference"], PairedDifference(**times), *both)
        except (KeyError, TypeError) as error:
            raise ValueError(f"a comparison has no {error}") from None


def compare(
    flush_ms: Mapping[str, Mapping[int, float]], losses: Mapping[str, Losses]
) -> tuple[Comparison, ...]:
    """Compares each arm with the first one.

    Args:
      flush_ms: the median time of a flush for each arm and block, in milliseconds. Blocks that only one of
        two arms has are left out of their pair.
      losses: the losses of each arm in all blocks.
    """
    names = list(losses)
    made = []
    for name in names[1:]:
        reference, mine = flush_ms.get(names[0], {}), flush_ms.get(name, {})
        both = sorted(reference.keys() & mine.keys())
        times = paired([reference[block] for block in both], [mine[block] for block in both])
        made.append(Comparison(name, names[0], times, losses[name], losses[names[0]]))
    return tuple(made)


_VERDICTS: Mapping[Verdict, str] = {
    "faster": "faster",
    "slower": "slower",
    "same": f"same within ±{SAME:.0%}".replace("%", " %"),
    "can't tell": "can't tell which is faster",
}


def _losses_json(losses: Losses) -> dict[str, Any]:
    return {**dataclasses.asdict(losses), "interval": dataclasses.asdict(losses.interval)}


def _times(times: PairedDifference) -> str:
    if times.value is None or times.reference is None:
        return "no flush was measured"
    said = f"median flush {_ms(times.value)} against {_ms(times.reference)} ms"
    if times.interval is None:
        return f"{said}, no interval from {_blocks(times.blocks)} ({LEAST_BLOCKS} are needed)"
    said += f", difference {_ms(times.interval.low, sign=True)} to {_ms(times.interval.high, sign=True)} ms"
    if times.share_interval is not None:
        low, high = (f"{100 * each:+.1f}" for each in _bounds(times.share_interval))
        said += f" or {low} to {high} %"
    return f"{said} (95 %, {_blocks(times.blocks)})"


def _bounds(interval: Interval) -> Sequence[float]:
    return interval.low, interval.high


def _blocks(count: int) -> str:
    return f"{count} block{'s' * (count != 1)}"


def _ms(value: float, *, sign: bool = False) -> str:
    digits = 1 if abs(value) >= 10 else 2
    return f"{value:{'+' if sign else ''}.{digits}f}"


def _percent(share: float) -> str:
    """Returns a share in percent, with two digits that count and without a row of zeros."""
    value = 100 * share
    if value >= 99.95 or value == 0:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"
