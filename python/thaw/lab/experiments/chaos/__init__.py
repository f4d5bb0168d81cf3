"""Everything at once that may go wrong with an extension, drawn from a seed, and an account of every payload.

`plan` draws what an environment goes through, `surroundings` what it lives among, `life` takes it through,
`account` says what must hold afterwards; `run` does so with one environment after the other.
"""
