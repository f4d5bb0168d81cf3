from __future__ import annotations

from tools import start_order

PROFILE = """\
fl=(1) cc/main.cc
fn=(1) main
16 3
cfn=(2) _ZN4thaw5StartEv
calls=1 0
fn=(3) _ZN4thaw4LoopEv'2
fn=(4) 0x00000000010c9400
fn=(2)
cfn=(5) _ZN4thaw5StartEv.resume
"""


def test_functions_that_ran_and_have_a_name_are_sorted() -> None:
    symbols = {"main", "_ZN4thaw5StartEv", "_ZN4thaw4LoopEv", "_ZN4thaw5StartEv.resume", "_ZN4thaw5OtherEv"}
    assert start_order.functions(PROFILE, symbols) == [
        "_ZN4thaw4LoopEv",
        "_ZN4thaw5StartEv",
        "_ZN4thaw5StartEv.resume",
        "main",
    ]
