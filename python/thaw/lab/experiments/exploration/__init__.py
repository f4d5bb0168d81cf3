"""Proof by exploration: every small history of world W0, for every option that changes a client's decisions.

`policies` has the clients and the sizes of histories, `run` the command `explore`.
"""
