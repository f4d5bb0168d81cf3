"""Each invariant of the chaos test is broken once, and is seen to be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from thaw.lab.emulator.history import ExtensionEnd, Shutdown
from thaw.lab.experiments.chaos.account import Account, Payload, violations


def extension_counts(*, dropped: int = 0, kept: int = 0) -> dict[str, object]:
    traces = {"dropped": {"refused": dropped} if dropped else {}, "kept": kept}
    return {"flush": {"pipelines": {"traces": traces, "stats": {"dropped": {"refused": 9}, "kept": 9}}}}


def end(*, exit_code: int = 0, killed: bool = False) -> Shutdown:
    return Shutdown("spindown", 5.0, (ExtensionEnd("x", 1, 2_000_001, exit_code, killed),))


def good() -> Account:
    """Two payloads: one arrived, and one was dropped."""
    return Account(
        payloads={0: Payload(200, 1, 1), 1: Payload(200, 0, 0)},
        extension_counts=extension_counts(dropped=1),
        ends=[end()],
    )


def test_a_good_account_has_no_fault() -> None:
    assert violations(good()) == []


def _lose(account: Account) -> None:
    account.payloads[2] = Payload(200, 0, 0)


def _lose_a_span(account: Account) -> None:
    account.payloads[0] = Payload(200, 0, 1)


def _send_twice(account: Account) -> None:
    account.payloads[0] = Payload(200, 1, 2)


def _send_thrice(account: Account) -> None:
    account.payloads[0] = Payload(200, 1, 3, unanswered=1)


def _refuse(account: Account) -> None:
    account.payloads[2] = Payload(500, 0, 0)


def _write_nothing(account: Account) -> None:
    account.extension_counts = None


def _crash(account: Account) -> None:
    account.ends.append(end(exit_code=-11))


def _hang(account: Account) -> None:
    account.ends.append(end(exit_code=-9, killed=True))


def _hold_up(account: Account) -> None:
    account.added_ms = [9_000.0, 9_000.0]


def _fail_the_function(account: Account) -> None:
    account.failures.append("invocation 3: failure (Extension.Crash)")


def _no_room(account: Account) -> None:
    account.payloads[2] = Payload(429, 0, 0)


def _no_answer(account: Account) -> None:
    account.payloads[2] = Payload(0, 0, 0)


def _grow(account: Account) -> None:
    account.peak_mb = 100.0


def _vanish(account: Account) -> None:
    account.ends = []


def _leave_early(account: Account) -> None:
    account.ends = [Shutdown("spindown", 5.0, (ExtensionEnd("x", 0, 2_000_001, 0, False),))]


def _undefined(account: Account) -> None:
    account.lines.append("x.cc:7:3: runtime error: shift exponent 70 is too large")


def _sanitizer(account: Account) -> None:
    account.lines.append("==1==ERROR: AddressSanitizer: heap-use-after-free")


def _delay_acknowledgements(account: Account) -> None:
    account.nagle_ms = [0.5] * 9 + [41.0] * 10


def _use_another_key(account: Account) -> None:
    account.wrong_keys = 2


def _keep_a_failed_look_up(account: Account) -> None:
    account.key_not_asked_again = True


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_lose, "never arrived"),
        (_lose_a_span, "never arrived"),
        (_send_twice, "more often than they may"),
        (_send_thrice, "more often than they may"),
        (_refuse, "answered with [500]"),
        (_write_nothing, "no counts"),
        (_crash, "ended with -11"),
        (_hang, "did not end by itself"),
        (_hold_up, "held up for 18.0 s"),
        (_fail_the_function, "Extension.Crash"),
        (_sanitizer, "logged"),
        (_undefined, "logged"),
        (_no_room, "answered with [429]"),
        (_no_answer, "answered with [0]"),
        (_grow, "the extension took 100 MB"),
        (_vanish, "not seen"),
        (_leave_early, "before it was told"),
        (_delay_acknowledgements, "without TCP_NODELAY half of the requests took 41 ms"),
        (_keep_a_failed_look_up, "the key was not asked for again"),
        (_use_another_key, "2 requests to the intake had another key"),
    ],
)
def test_each_violation_is_found(break_it: Callable[[Account], None], said: str) -> None:
    account = good()
    break_it(account)
    assert any(said in line for line in violations(account))


def test_permitted_cases_are_no_violation() -> None:
    account = good()
    account.nagle_ms = [41.0] * 9  # too few to say anything
    unused = good()
    unused.payloads, unused.key_not_asked_again = {}, True  # nothing to send, no key to look up
    assert violations(unused) == []
    account.kills = True
    account.payloads[0] = Payload(200, 1, 3, unanswered=2)
    account.payloads[3] = Payload(0, 0, 0)
    assert violations(account) == []
    account.cut_off = True
    _send_thrice(account)
    assert violations(account) == []


def test_counts_of_an_extension_that_ends_unread_are_not_asked_for() -> None:
    account = good()
    account.extension_counts = None
    assert "the extension wrote no counts" in violations(account)
    account.unread_end = True
    assert violations(account) == []


def test_an_extension_that_waits_for_a_lost_answer_is_not_told_of_the_end() -> None:
    account = good()
    killed = ExtensionEnd("x", 0, 2_000_001, -9, killed=True)
    account.ends = [Shutdown("failure", 5.0, (killed,))]
    assert len(violations(account)) == 2
    account.end_lost = True
    assert violations(account) == []
    # No other exit is excused.
    account.ends = [end(exit_code=-11)]
    assert len(violations(account)) == 1
