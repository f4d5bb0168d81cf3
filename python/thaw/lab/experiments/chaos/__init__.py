"""Runs the extension under random faults, all at once, and accounts for every payload.

`plan` draws what an environment goes through, `surroundings` what it lives among, `life` takes it through,
`account` says what must hold afterwards; `run` does so with one environment after the other.
"""
