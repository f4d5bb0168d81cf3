"""The sweeps that the document is made from, and the files of their results.

for part in parts.read():
    part.run(results, executor, stop, progress)
parts.cells(results, "round_trips").one("thaw", payloads_per_flush=1, round_trip=0.02)
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from thaw.lab.answer.cells import Cells
from thaw.lab.experiments import spec_file, sweep
from thaw.lab.experiments.grid import Grid
from thaw.lab.report import dataset
from thaw.lab.stop import Stop

SPECS = pathlib.Path(__file__).parent / "specs"
# In the order in which they are run: the model's constants come before what they predict.
NAMES = (
    "calibration",
    "round_trips",
    "tls_versions",
    "sizes",
    "cpu_shares",
    "fates_idle",
    "fates_inflight",
    "fates_cut",
)


@dataclass(frozen=True)
class Part:
    """One sweep of the document."""

    name: str
    grid: Grid

    def run(
        self,
        results: pathlib.Path,
        executor: concurrent.futures.Executor,
        stop: Stop,
        progress: Callable[[sweep.Progress], None],
    ) -> sweep.Outcome:
        """Measures the points that are not in the folder of the results yet."""
        measured = functools.partial(sweep.measure_point, stop=stop)
        return sweep.run(self.grid, results / self.name, executor, measured, progress=progress)


def read(names: Sequence[str] = NAMES, *, blocks: int | None = None, cycles: int | None = None) -> list[Part]:
    """The sweeps of these names, with fewer blocks or cycles than their specs say if that is asked for.

    ValueError: a spec is wrong, or there is none of that name.
    """
    made = []
    for name in names:
        grid = spec_file.read(SPECS / f"{name}.toml")
        base = dataclasses.replace(
            grid.base, blocks=blocks or grid.base.blocks, cycles=cycles or grid.base.cycles
        )
        made.append(Part(name, dataclasses.replace(grid, base=base)))
    return made


def cells(results: pathlib.Path, name: str) -> Cells:
    """The cells of a sweep that was run. MeasureError: its folder has no results."""
    return Cells.of(dataset.read_points(results / name))
