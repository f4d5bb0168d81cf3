"""The laboratory: freezes clients between and during flushes and counts what arrives.

    python -m thaw.lab                 all arms against every way to close, a table and an HTML report
    python -m thaw.lab compare --help  one experiment, scriptable
    python -m thaw.lab sweep --help    a grid of them, into a folder of Parquet files
    python -m thaw.lab report --help   an HTML page from results
    python -m thaw.lab lambda --help   a Lambda on this machine, for any function and any extension

An *arm* is one client policy (`arms`), a *world* one way of freezing it (`worlds`). The peer is `intake`, a
TLS server in a process of its own, whose requests are decoded without any of thaw's code. `workload` makes
the payloads, `experiments` runs the commands, `experiment_result` holds the figures of an experiment,
`statistics` and `comparison` judge them, `host_load` measures whether other work disturbed them, `report`
shows them, and `results` reads stored ones. `checker` checks what was stored, `answer` and `fleet` write
documents, `benchmarks` measures the costs of the client and of the extension, and `emulator` is the Lambda.
`line` is a network between two namespaces; `proxy`, `nameserver` and `secrets_server` are peers that
misbehave on request.

A client of your own is an arm by `arm` (`own_clients`; docs/bring-your-own.md).
"""

from thaw.lab.own_clients import Command, Post, arm

__all__ = ["Command", "Post", "arm"]
