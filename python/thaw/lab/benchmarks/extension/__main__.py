"""The benchmarks of the extension: `python -m thaw.lab.benchmarks.extension --help`."""

from __future__ import annotations

import sys

from thaw.lab.benchmarks.extension.program import main

if __name__ == "__main__":
    sys.exit(main())
