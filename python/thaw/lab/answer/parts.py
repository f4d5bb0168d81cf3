"""The sweeps that the document is made from, and the files of their results.

for part in parts.read():
    part.run(results, executor, stop, progress)
    part.cells(results).one("thaw", payloads_per_flush=1, round_trip=0.02)
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from thaw.lab.answer.cells import Cells
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import spec_file, sweep
from thaw.lab.experiments.grid import Grid
from thaw.lab.host_load import Load
from thaw.lab.report import dataset
from thaw.lab.report.measure import MeasureError
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
    """One sweep of the document.

    Attributes:
      grids: the grids of the spec of its name, and of specs whose names begin with it and a dot, by which
        slow points have fewer cycles.
    """

    name: str
    grids: Sequence[Grid]

    def specs(self) -> dict[str, str]:
        """Returns the texts of its specs, by file name, with the blocks and cycles that are used."""
        names = [self.name, *(f"{self.name}.{number}" for number in range(2, len(self.grids) + 1))]
        return {f"{name}.toml": spec_file.to_toml(grid) for name, grid in zip(names, self.grids, strict=True)}

    def points(self) -> Iterator[ExperimentSettings]:
        return itertools.chain.from_iterable(grid.points() for grid in self.grids)

    def missing(self, results: pathlib.Path) -> list[ExperimentSettings]:
        """Returns the points that are not in the folder of the results yet."""
        return [
            point
            for point in self.points()
            for spec in [spec_file.to_toml(point)]
            if not dataset.is_there(dataset.path_of(results / self.name, point, spec), spec)
        ]

    def run(
        self,
        results: pathlib.Path,
        executor: concurrent.futures.Executor,
        stop: Stop,
        progress: Callable[[sweep.Progress], None],
        *,
        load: Load | None = None,
        arm_done: Callable[[ExperimentSettings, str], None] = lambda point, arm: None,
    ) -> list[tuple[ExperimentSettings, BaseException]]:
        """Measures the points that are not in the folder of the results yet. Returns those that failed.

        Args:
          load: the machine's before the sweeps.
          arm_done: called when an arm has ended in one block of a point, by the executor.
        """
        measured = functools.partial(sweep.measure_point, stop=stop, load=load, arm_done=arm_done)
        failed = []
        for grid in self.grids:
            if not stop.requested:
                outcome = sweep.run(grid, results / self.name, executor, measured, progress=progress)
                failed += outcome.failed
        return failed

    def files(self, results: pathlib.Path) -> list[pathlib.Path]:
        """Returns the files of its points that are there."""
        return [path for grid in self.grids for path in sweep.files(grid, results / self.name)]

    def cells(self, results: pathlib.Path) -> Cells:
        """Returns the cells of its points. MeasureError: there are none. Points of another number of blocks
        or cycles may be in the same folder; they are not read.
        """
        files = self.files(results)
        if not files:
            raise MeasureError(f"{results / self.name} has no results of this sweep")
        return Cells.of(dataset.read_files(files))


def read(names: Sequence[str] = NAMES, *, blocks: int | None = None, cycles: int | None = None) -> list[Part]:
    """Returns the sweeps of these names, with fewer blocks or cycles than their specs say if that is asked
    for.

    ValueError: a spec is wrong, or there is none of that name.
    """
    made = []
    for name in names:
        grids = []
        for path in [SPECS / f"{name}.toml", *sorted(SPECS.glob(f"{name}.*.toml"))]:
            grid = spec_file.read(path)
            base = dataclasses.replace(
                grid.base, blocks=blocks or grid.base.blocks, cycles=cycles or grid.base.cycles
            )
            grids.append(dataclasses.replace(grid, base=base))
        made.append(Part(name, grids))
    return made


def cells(results: pathlib.Path, name: str) -> Cells:
    """Returns the cells of all points in a sweep's folder, however many blocks and cycles they have.
    MeasureError: it has no results.
    """
    return Cells.of(dataset.read_points(results / name))
