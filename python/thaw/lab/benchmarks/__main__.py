"""The benchmarks of a client: `python -m thaw.lab.benchmarks --help`."""

from __future__ import annotations

from thaw.lab.benchmarks.client import main

if __name__ == "__main__":
    main()
