"""Experiments, which the laboratory's commands run.

`compare` takes several arms through the same freezes, `sweep` runs a grid of comparisons, `main_experiment`
is what `tools/lab` runs, `function_experiment` runs a real function with the extension and without, and
`chaos` draws everything at once that may go wrong with the extension.
"""
