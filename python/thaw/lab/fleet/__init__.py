"""The effects of a fleet of sandboxes on an intake and a NAT gateway: rates, processors, an outage.

    scene = Scene(outage=300.0)
    series = population.run(policies.POLICIES["thaw"], scene, sandboxes=100_000, seed=1)
    figures.of_outage(series, scene).recovery

`policies` says what a sandbox's client does, `scene` what happens to it, and `costs` what that takes.
`population` advances many sandboxes at once, and `exact` one after the other, by code of its own, so that
each one checks the other. `page` makes the document. Commands: `python -m thaw.lab fleet --help`.
"""
