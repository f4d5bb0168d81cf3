"""The published answer: what a fresh connection costs, and what a kept one loses.

    python -m thaw.lab answer --out docs/fresh-connection-cost

`parts` names the sweeps, whose specs are in the folder `specs`; `model` predicts what they measure; `page`
makes the document from both. An arm that is added to a spec appears in the document.
"""
