"""The size of the executable."""

from __future__ import annotations

import gzip
import pathlib
import subprocess
import tempfile

from thaw.lab.benchmarks.extension.bench import (
    Bench,
    Figures,
)


async def size(bench: Bench) -> Figures:
    """Measures the executable: stripped, and compressed by gzip -9."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "-o", str(stripped), str(bench.executable)], check=True)
        data = stripped.read_bytes()
    return {
        "stripped_mb": len(data) / 1e6,
        "gzip_mb": len(gzip.compress(data, 9)) / 1e6,
        "static": b"/ld-" not in data[: 1 << 16],
    }
