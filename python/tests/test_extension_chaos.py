"""The executable under everything at once that may go wrong, for two minutes."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from thaw.lab import chaos

from .extension_under_test import EXTENSION, needs_extension


def test_a_seed_draws_the_same_plan_again() -> None:
    first = [chaos.draw(random.Random(f"5/{number}")) for number in range(50)]
    again = [chaos.draw(random.Random(f"5/{number}")) for number in range(50)]
    assert list(map(str, first)) == list(map(str, again))
    assert len({str(plan) for plan in first}) == 50
    assert {plan.settings.initialization_type for plan in first} >= {"on-demand", "snap-start"}
    assert {plan.end for plan in first} == set(chaos.ENDS)


@needs_extension
@pytest.mark.slow
def test_nothing_is_unaccounted_for() -> None:
    seed = os.environ.get("THAW_CHAOS_SEED", "1")
    command = [sys.executable, "-m", "thaw.lab", "chaos", "--seed", seed, "--extension", str(EXTENSION)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-5000:]
    assert "nothing is unaccounted for" in done.stdout
