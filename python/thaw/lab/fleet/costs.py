"""Costs of a handshake and of an exchange: defaults, and those of a sweep's results.

    costs = DEFAULT                                              # of one machine
    costs = costs.with_client(pathlib.Path("answer-results"))    # the client's

`measured_costs` measures this machine's.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from dataclasses import dataclass

from thaw.lab.answer import parts
from thaw.lab.answer.model import Model


@dataclass(frozen=True)
class Costs:
    """Milliseconds of one processor for each event.

    Attributes:
      full, resumed: TLS 1.3 handshakes at the intake.
      exchange: reading a request of 4 KB and writing an answer at the intake, TLS alone.
      client_full, client_resumed, client_exchange: the same at the client, with all that it does for them.
      source: the origin of the figures.
    """

    full: float
    resumed: float
    exchange: float
    client_full: float
    client_resumed: float
    client_exchange: float
    source: str

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name != "source" and not 0 <= value < 1e6:
                raise ValueError(f"the cost {field.name} is {value}, not milliseconds")

    def with_client(self, results: pathlib.Path) -> Costs:
        """Returns these costs with the client's from a folder of results of `thaw.lab answer`.

        MeasureError, LookupError: it has no calibration.
        """
        found = Model.calibrated(parts.cells(results, "calibration")).woken
        return dataclasses.replace(
            self,
            client_full=max(0.0, found.full),
            client_resumed=max(0.0, found.resumed),
            client_exchange=max(0.0, found.request),
            source=f"{self.source}; the client's from the sweep calibration in {results.name}",
        )


# Figures of one machine; `measured_costs` and `Costs.with_client` replace them.
DEFAULT = Costs(
    full=1.54,
    resumed=0.48,
    exchange=0.018,
    client_full=1.21,
    client_resumed=0.86,
    client_exchange=0.27,
    source="the defaults: a virtual AMD EPYC processor; at the intake OpenSSL 3.0 with a certificate of RSA"
    " 2048,"
    " by `fleet --measure-costs`; at the client thaw's, by the sweep `calibration` of `thaw.lab answer`",
)


def read(path: pathlib.Path) -> Costs:
    """Reads the costs of an earlier run from its result.json. ValueError: the file has none."""
    try:
        return Costs(**json.loads(path.read_text())["settings"]["costs"])
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} has no costs of a fleet: {error}") from None
