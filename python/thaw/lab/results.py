"""Results of experiments as users of the package meet them: their figures, and stored rows as a frame.

    results.read("sweep-results").pandas().groupby("arm")["lost"].sum()
    results.ExperimentResult.from_json(json.loads(text)).arms["thaw"].lost

`experiment_result` has the figures; `report` has the rows, and makes HTML of both. Once this module is
imported, a notebook shows a result as its table.
"""

from thaw.lab.comparison import Comparison
from thaw.lab.experiment_result import ArmResult, ExperimentResult, FlushTimes, RaceTimes
from thaw.lab.report.frames import Rows, RunRows, read

__all__ = [
    "ArmResult",
    "Comparison",
    "ExperimentResult",
    "FlushTimes",
    "RaceTimes",
    "Rows",
    "RunRows",
    "read",
]
