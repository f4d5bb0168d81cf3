"""The executable under everything at once that may go wrong, for two minutes."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from thaw.lab.experiments.chaos.plan import ENDS, draw
from thaw.lab.intake.script import FORMS
from thaw.lab.nameserver import AAAA
from thaw.lab.secrets_server import FAULTS, STORES

from .extension_under_test import EXTENSION, needs_extension


def test_a_seed_draws_the_same_plan_again() -> None:
    first = [draw(random.Random(f"5/{number}")) for number in range(50)]
    again = [draw(random.Random(f"5/{number}")) for number in range(50)]
    assert list(map(str, first)) == list(map(str, again))
    assert len({str(plan) for plan in first}) == 50
    assert {plan.settings.initialization_type for plan in first} >= {"on-demand", "snap-start"}
    assert {plan.end for plan in first} == set(ENDS)


def test_every_fault_is_drawn() -> None:
    plans = [draw(random.Random(f"5/{number}")) for number in range(400)]
    answers = [answer for plan in plans for script in plan.scripts for answer in script.answers]
    assert {answer.form for answer in answers} == set(FORMS)
    assert {answer.form for answer in answers if not answer.accepts} > {"plain", "no_reason"}
    assert {plan.aaaa for plan in plans} == {None, *AAAA}
    assert {plan.store for plan in plans} == {None, *STORES}
    assert {fault for plan in plans for fault in plan.store_faults} == set(FAULTS)
    assert not any(plan.store_faults for plan in plans if plan.store is None)
    assert {event["nagle"] for plan in plans for event in plan.events} == {False, True}
    assert {lost for plan in plans for lost in plan.lost_ends} == {False, True}
    assert all(len(plan.lost_ends) == len(plan.events) for plan in plans)
    # At the last invocation the counts of the extension have to be read.
    assert {unread for plan in plans for unread in plan.unread[:-1]} == {False, True}
    assert not any(plan.unread[-1] for plan in plans)
    assert all(len(plan.unread) == len(plan.events) for plan in plans)
    lines = {event.get("lines") for plan in plans for event in plan.events}
    assert {None, 0, 1, 2500} < lines
    with_logs = [plan for plan in plans if "DD_SERVERLESS_LOGS_ENABLED" in plan.settings.environment]
    assert 0 < len(with_logs) < len(plans)
    assert all(("lines" in plan.events[0]) == (plan in with_logs) for plan in plans)


@needs_extension
@pytest.mark.slow
def test_nothing_is_unaccounted_for() -> None:
    seed = os.environ.get("THAW_CHAOS_SEED", "1")
    command = [sys.executable, "-m", "thaw.lab", "chaos", "--seed", seed, "--extension", str(EXTENSION)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-5000:]
    assert "nothing is unaccounted for" in done.stdout
    assert "log lines taken" in done.stdout
