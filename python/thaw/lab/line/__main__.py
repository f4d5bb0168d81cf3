"""Measures lines on this machine: `python -m thaw.lab.line` writes a table."""

from __future__ import annotations

import argparse
import os
import sys

from thaw.lab.aligned import aligned
from thaw.lab.line import Line, LineError

_ASKED = (0.0, 0.001, 0.005, 0.02, 0.08)
_CONNECTS = 20


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m thaw.lab.line", description="Measures a line on this machine, and prints a table."
    ).parse_args()
    load = os.getloadavg()[0]
    rows = [["asked", "connect", "exchange", "least", "most", "late p50", "late p99", "µs a packet", "MB/s"]]
    try:
        for asked in _ASKED:
            rows.append(_row(asked, loss=0.0))
        rows.append(_row(0.02, loss=1e-9))
    except LineError as error:
        print(f"no line here: {error}", file=sys.stderr)
        return 1
    rows[-1][0] += ", segments"
    print("\n".join(aligned(rows)))
    print(
        f"\nmilliseconds but for the last two columns; {os.cpu_count()} processors under a load of {load:.1f}"
    )
    return 0


def _row(asked: float, loss: float) -> list[str]:
    """Measures a new line. With a loss that never happens each packet is one segment."""
    with Line(round_trip=asked, loss=loss) as line:
        took = line.measure(_CONNECTS)
        counts = line.counts()
        megabytes = 200
        rate = megabytes / line.carry(megabytes)
        after = line.counts()
    packets = sum(after[way]["passed"] - counts[way]["passed"] for way in ("up", "down"))
    each = (after["processor_seconds"] - counts["processor_seconds"]) / packets
    times = [f"{seconds * 1e3:.2f}" for seconds in (took.connect, took.exchange, took.least, took.most)]
    late = [f"{counts[name] / 1e3:.2f}" for name in ("late_p50_us", "late_p99_us")]
    return [f"{asked * 1e3:g}", *times, *late, f"{each * 1e6:.1f}", f"{rate:.0f}"]


if __name__ == "__main__":
    sys.exit(main())
