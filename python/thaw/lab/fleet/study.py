"""A study of fleets: every arm in fleets of several sizes, and one simulation checked by the other.

study = run(Settings(), executor=None)
study.series["thaw", 10_000_000]
study.write(pathlib.Path("fleet-results"))      # result.json, series.parquet
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import math
import pathlib
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thaw.lab.fleet import exact, figures, population
from thaw.lab.fleet.policies import POLICIES, Policy
from thaw.lab.fleet.scene import Scene
from thaw.lab.fleet.series import COLUMNS, Series
from thaw.lab.fleet.settings import Settings

# The fleet of which every event is simulated in order, and how many such fleets there are.
EXACT_SANDBOXES, EXACT_FLEETS = 1_000, 5


@dataclass(frozen=True)
class Difference:
    """A figure of one arm by both simulations, as the mean of several fleets of `EXACT_SANDBOXES`.

    Attributes:
      by_events: one sandbox after the other.
      deviation: the standard deviation among those fleets.
      by_arrays: many sandboxes at once.
      large: the figure of the largest fleet, scaled to that size.
    """

    arm: str
    figure: str
    by_events: float
    deviation: float
    by_arrays: float
    large: float

    @property
    def share(self) -> float:
        """Returns by how much the simulations differ, as a share of the first."""
        if self.by_events == 0:
            return 0.0 if self.by_arrays == 0 else math.inf
        return self.by_arrays / self.by_events - 1


@dataclass(frozen=True)
class Study:
    """The results: a series for each arm and size, and the differences of the two simulations."""

    settings: Settings
    series: Mapping[tuple[str, int], Series]
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns all figures of the page."""
        scene = self.settings.scene
        found = []
        for (arm, sandboxes), series in self.series.items():
            usual, outage = figures.of_usual(series, scene), figures.of_outage(series, scene)
            ports = figures.nat_ports(POLICIES[arm], usual, round_trip=self.settings.round_trip)
            found.append(
                {
                    "arm": arm,
                    "sandboxes": sandboxes,
                    "simulated": series.simulated,
                    "usual": dataclasses.asdict(usual),
                    "outage": dataclasses.asdict(outage),
                    "nat_ports": ports,
                    "nat_addresses": figures.nat_addresses(ports, self.settings.destinations),
                }
            )
        differences = [{**dataclasses.asdict(each), "share": each.share} for each in self.differences]
        return {
            "version": 1,
            "settings": dataclasses.asdict(self.settings),
            "fleets": found,
            "differences": differences,
        }

    def write(self, folder: pathlib.Path) -> list[pathlib.Path]:
        """Writes result.json, and series.parquet with a row for each arm, size and step. Returns both."""
        import pyarrow
        import pyarrow.parquet

        folder.mkdir(parents=True, exist_ok=True)
        result, steps = folder / "result.json", folder / "series.parquet"
        result.write_text(json.dumps(self.to_json(), indent=1) + "\n")
        tables = []
        for (arm, sandboxes), series in self.series.items():
            count = self.settings.scene.bins
            values: dict[str, Any] = {
                "arm": [arm] * count,
                "sandboxes": [sandboxes] * count,
                "second": [step * self.settings.scene.bin for step in range(count)],
            }
            tables.append(pyarrow.table(values | {name: getattr(series, name) for name in COLUMNS}))
        pyarrow.parquet.write_table(pyarrow.concat_tables(tables), steps)
        return [result, steps]


def run(
    settings: Settings,
    executor: concurrent.futures.Executor | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Study:
    """Simulates all. `executor` simulates parts of fleets; None: here."""
    series: dict[tuple[str, int], Series] = {}
    differences: list[Difference] = []
    for arm in settings.arms:
        policy = POLICIES[arm]
        most = min(max(settings.sizes), settings.most_simulated)
        largest = population.run(policy, settings.scene, most, settings.seed, executor=executor)
        for sandboxes in settings.sizes:
            small = sandboxes < most
            found = (
                population.run(policy, settings.scene, sandboxes, settings.seed, executor=executor)
                if small
                else largest.scaled(sandboxes)
            )
            series[arm, sandboxes] = found
        say(f"fleet: {arm}: {most:,} sandboxes simulated")
        differences += compared(policy, settings.scene, largest, settings.seed)
        say(f"fleet: {arm}: compared with {EXACT_FLEETS} fleets of {EXACT_SANDBOXES:,}, event by event")
    return Study(settings, series, tuple(differences))


def compared(policy: Policy, scene: Scene, large: Series, seed: int) -> list[Difference]:
    """Compares figures of small fleets by both simulations, and those of a large fleet, scaled."""
    seeds = range(seed, seed + EXACT_FLEETS)
    by_events = [exact.run(policy, scene, EXACT_SANDBOXES, each) for each in seeds]
    by_arrays = [population.run(policy, scene, EXACT_SANDBOXES, each) for each in seeds]
    scaled = large.scaled(EXACT_SANDBOXES)
    found = []
    for name, of in _COMPARED.items():
        events, arrays = ([of(fleet, scene) for fleet in fleets] for fleets in (by_events, by_arrays))
        found.append(
            Difference(
                policy.name,
                name,
                by_events=statistics.mean(events),
                deviation=statistics.stdev(events),
                by_arrays=statistics.mean(arrays),
                large=of(scaled, scene),
            )
        )
    return found


def _tries_in_outage(series: Series, scene: Scene) -> float:
    return figures.of_outage(series, scene).tries


def _peak_requests(series: Series, scene: Scene) -> float:
    return figures.of_outage(series, scene).peak_requests


def _recovery(series: Series, scene: Scene) -> float:
    found = figures.of_outage(series, scene).recovery
    return scene.after if found is None else found


_COMPARED: Mapping[str, Callable[[Series, Scene], float]] = {
    "handshakes a second, usually": lambda series, scene: figures.of_usual(series, scene).handshakes,
    "connections tried a second in the outage": _tries_in_outage,
    "most requests a second after it": _peak_requests,
    "requests kept at its end": lambda series, scene: figures.of_outage(series, scene).kept,
    "recovery, s": _recovery,
}
