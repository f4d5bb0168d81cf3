"""Benchmarks of the client and of the extension.

    python -m thaw.lab.benchmarks --json figures.json [cpu|flush|memory|simulation|invariants]...
    python -m thaw.lab.benchmarks.extension --json figures.json [startup|memory|load|…]...

`client` runs the first, `extension.program` the second; `tools/benchmarks` runs both and writes
docs/benchmarks.md.
"""
